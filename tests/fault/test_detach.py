#!/usr/bin/env python3
"""A run that was started with --detach lives on: when its terminal hangs up, when its parent is killed. And what becomes of it when it is killed itself."""
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run, status, wait_for

ROOT = Path(tempfile.mkdtemp(prefix="bertty-detach-"))
BERTTY = os.environ["BERTTY"]
ALIVE = ("starting", "training", "evaluating", "paused", "stopping")
LONG = 1000000  # steps: it does not end by itself while a test lasts


def started(folder):
    found = list(Path(folder, "runs").glob("*/status.json"))
    return found[0].parent if found else None


def training(run_dir):
    now = status(run_dir)
    return now if now.get("state") in ALIVE and now.get("step", 0) > 0 else None


def end(run_dir):
    """Ends the engine whatever state a test left it in."""
    pid = status(run_dir).get("pid") if run_dir else None
    if pid and Path(f"/proc/{pid}/cmdline").exists() and b"train" in Path(f"/proc/{pid}/cmdline").read_bytes():
        os.kill(pid, signal.SIGKILL)


def advances(run_dir):
    at = status(run_dir)["step"]
    wait_for(lambda: status(run_dir).get("step", 0) > at + 5, "more steps")


def stop(run_dir):
    done = run("stop", run_dir)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: status(run_dir).get("state") == "stopped", "the end after stop")


def experiment(name, **options):
    return tiny_bert.experiment(ROOT / name, {"train.max_steps": LONG, "eval.eval_strategy": "no", "run.save_strategy": "no",
                                              **options})


def terminal_goes():
    """A shell on a pseudo-terminal starts the run; then the terminal is gone."""
    path = experiment("terminal")
    child, master = pty.fork()
    if child == 0:
        os.chdir(path.parent)
        os.execl("/bin/sh", "sh", "-c", f'"{BERTTY}" train tiny.yaml --detach && sleep 600')
    run_dir = None
    try:
        run_dir = wait_for(lambda: started(path.parent), "the run's directory")
        now = wait_for(lambda: training(run_dir), "training")
        assert os.getsid(now["pid"]) != os.getsid(child), "the engine is in the terminal's session"
        os.close(master)
        os.waitpid(child, 0)
        advances(run_dir)
        stop(run_dir)
    finally:
        end(run_dir)


def session_is_killed():
    """Everything in the launcher's session is killed with SIGKILL."""
    path = experiment("session")
    shell = subprocess.Popen(["/bin/sh", "-c", f'"{BERTTY}" train tiny.yaml --detach --json && sleep 600'], cwd=path.parent,
                             start_new_session=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    run_dir = None
    try:
        told = json.loads(shell.stdout.readline())
        run_dir = Path(told["dir"])
        wait_for(lambda: training(run_dir), "training")
        os.killpg(shell.pid, signal.SIGKILL)
        # the pipe closes although the engine lives on: it holds none of its launcher's descriptors
        assert shell.stdout.read() == b""
        shell.wait()
        advances(run_dir)
        stop(run_dir)
        assert Path(run_dir, "launch.log").exists()
    finally:
        end(run_dir)


def steering():
    path = experiment("steering")
    assert run("train", path, "--detach", "--name", "r", cwd=path.parent).returncode == 0
    run_dir = path.parent / "runs" / "r"
    try:
        wait_for(lambda: training(run_dir), "training")
        for word, state in (("pause", "paused"), ("resume", "training"), ("pause", "paused")):
            assert run(word, "r", cwd=path.parent).returncode == 0
            wait_for(lambda: status(run_dir).get("state") == state, state)
        busy = run("rm", "r", "--yes", cwd=path.parent)
        assert busy.returncode == 1 and "stop it first" in busy.stderr, busy.stderr
        second = run("train", "--resume", "r", cwd=path.parent)
        assert second.returncode == 1 and "another engine" in second.stderr, second.stderr
        stop(run_dir)
        log = run("log", "r", "-f", cwd=path.parent)
        assert log.returncode == 0 and "stopped" in log.stdout, log.stdout
        assert run("rm", "r", "--yes", cwd=path.parent).returncode == 0
        assert not run_dir.exists()
    finally:
        end(run_dir)


def killed_is_lost():
    path = experiment("killed")
    assert run("train", path, "--detach", "--name", "r", cwd=path.parent).returncode == 0
    run_dir = path.parent / "runs" / "r"
    try:
        now = wait_for(lambda: training(run_dir), "training")
        os.kill(now["pid"], signal.SIGKILL)

        def lost():
            shown = json.loads(run("show", "r", "--json", cwd=path.parent).stdout)
            return shown if shown["state"] == "lost" else None
        shown = wait_for(lost, "the state lost")
        assert "killed" in shown["error"], shown["error"]
        assert status(run_dir)["state"] in ALIVE, "the file itself still says otherwise"
        refused = run("stop", "r", cwd=path.parent)
        assert refused.returncode == 1 and "lost" in refused.stderr, refused.stderr
        hint = run("resume", "r", cwd=path.parent)
        assert hint.returncode == 1 and "bertty train --resume r" in hint.stderr, hint.stderr
    finally:
        end(run_dir)


def failure_is_told():
    path = experiment("failure", **{"optim.learning_rate": 1e-3})
    path.write_text(path.read_text().replace("learning_rate", "learning_rat"))
    done = run("train", path, "--detach", cwd=path.parent)
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1 and "learning_rat" in done.stderr, done.stderr
    assert not Path(path.parent, "runs").exists() or not list(Path(path.parent, "runs").iterdir())


if __name__ == "__main__":
    try:
        code = tiny_bert.counted([terminal_goes, session_is_killed, steering, killed_is_lost, failure_is_told])
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
