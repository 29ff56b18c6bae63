#!/usr/bin/env python3
"""Signals to an engine in the foreground and detached, and a terminal that goes: a checkpoint, the right state, the right exit code."""
import json
import os
import pty
import signal
import subprocess
import sys

from refusal import BERTTY, COUNT, Ground, broken, finished

from tiny_bert import status, wait_for

GROUND = Ground({"run.save_steps": 1000000, "eval.eval_strategy": "no", "train.max_steps": 1000000, "run.num_threads": 1}, train=40, dev=10)


def training(run, pid=None):
    now = status(run)
    return now.get("state") == "training" and now.get("step", 0) > 2 and (pid is None or now["pid"] == pid) and now


def stopped(name, run):
    """The run is stopped at a step whose checkpoint is there and answers."""
    now = status(run)
    COUNT.check(f"{name}: state", now.get("state") == "stopped" and not now.get("error"), now)
    last = (run / "last").resolve()
    COUNT.check(f"{name}: checkpoint", last.name == f"step-{now['step']:06d}" and (last / "manifest.json").is_file(), (last, now))
    left = [str(p) for p in run.rglob("*.tmp")]
    COUNT.check(f"{name}: no temporary files", not left, left)


def foreground():
    for sig in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        folder = GROUND.fresh()
        run = folder / "runs/run"
        with subprocess.Popen([BERTTY, "train", "tiny.yaml", "--name", "run", "--json"], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as engine:
            wait_for(lambda: training(run) or engine.poll() is not None, "training")
            engine.send_signal(sig)
            out, err = engine.communicate(timeout=60)
        COUNT.check(f"{sig.name}: exit code", engine.returncode == 130 and not err, (engine.returncode, err))
        last = json.loads(out.splitlines()[-1])
        COUNT.check(f"{sig.name}: result", last["state"] == "stopped" and last["last"]["step"] == status(run)["step"], last)
        stopped(sig.name, run)


def detached():
    for sig in signal.SIGTERM, signal.SIGINT:
        folder = GROUND.fresh()
        run = folder / "runs/run"
        done = finished(["train", "tiny.yaml", "--name", "run", "--detach"], folder)
        COUNT.check("detached", done.returncode == 0 and not done.stderr, done)
        now = wait_for(lambda: training(run), "training")
        try:
            os.kill(now["pid"], sig)
            wait_for(lambda: status(run)["state"] not in ("training", "stopping"), "the end")
            stopped(f"detached, {sig.name}", run)
        finally:
            if status(run)["state"] == "training":
                os.kill(now["pid"], signal.SIGKILL)


def paused():
    """A run that waits ends as well."""
    folder = GROUND.fresh()
    run = folder / "runs/run"
    with subprocess.Popen([BERTTY, "train", "tiny.yaml", "--name", "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as engine:
        wait_for(lambda: training(run) or engine.poll() is not None, "training")
        finished(["pause", "run"], folder)
        wait_for(lambda: status(run)["state"] == "paused" or engine.poll() is not None, "the pause")
        engine.send_signal(signal.SIGTERM)
        _, err = engine.communicate(timeout=60)
    COUNT.check("SIGTERM while paused: exit code", engine.returncode == 130 and not err, (engine.returncode, err))
    stopped("SIGTERM while paused", run)


def terminal_goes():
    """The terminal of a run in the foreground is closed: the hang-up stops it with a checkpoint."""
    folder = GROUND.fresh()
    run = folder / "runs/run"
    child, master = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execl(BERTTY, "bertty", "train", "tiny.yaml", "--name", "run")
    wait_for(lambda: training(run), "training")
    os.close(master)
    _, code = os.waitpid(child, 0)
    COUNT.check("hang-up: exit code", os.waitstatus_to_exitcode(code) == 130, os.waitstatus_to_exitcode(code))
    stopped("hang-up", run)


def killed():
    """SIGKILL: the run is told as lost, and goes on."""
    folder = GROUND.fresh()
    run = folder / "runs/run"
    with subprocess.Popen([BERTTY, "train", "tiny.yaml", "--name", "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as engine:
        wait_for(lambda: training(run) or engine.poll() is not None, "training")
        engine.kill()
        _, err = engine.communicate(timeout=60)
    told = finished(["show", "run", "--json"], folder)
    COUNT.check("killed: lost", b'"state":"lost"' in told.stdout.replace(b" ", b""), told.stdout)
    with subprocess.Popen([BERTTY, "train", "--resume", "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as engine:
        wait_for(lambda: training(run, engine.pid) or engine.poll() is not None, "training")
        engine.send_signal(signal.SIGTERM)
        _, err = engine.communicate(timeout=60)
    COUNT.check("killed: resumed", engine.returncode == 130 and not broken(err), (engine.returncode, err))
    stopped("killed: resumed", run)


if __name__ == "__main__":
    code = COUNT.run([foreground, detached, paused, terminal_goes, killed])
    GROUND.remove()
    sys.exit(code)
