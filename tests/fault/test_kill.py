#!/usr/bin/env python3
"""An engine that is killed, interrupted or whose fsync fails: the run goes on to the same weights as one that was left in peace."""
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tiny_bert
from refusal import can_trace

BERTTY = os.path.abspath(os.environ["BERTTY"])
STEPS = 300
COUNT = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, ok, more=""):
    COUNT["passed" if ok else "failed"] += 1
    if not ok:
        print(f"FAILED {sys._getframe(1).f_code.co_name}: {name} {more}")


def train(*arguments, wrap=(), **options):
    return subprocess.Popen([*wrap, BERTTY, "train", *map(str, arguments), "--json"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **options)


def finish(process, name):
    out, err = process.communicate(timeout=120)
    last = json.loads(out.splitlines()[-1]) if out.strip() else {}
    check(name, process.returncode == 0 and last.get("state") == "finished", f"{process.returncode} {err[-600:]}")
    return last


def weights(run):
    return hashlib.sha256((run / "last" / "model.safetensors").read_bytes()).hexdigest()


def step_of(run):
    try:
        return json.loads((run / "status.json").read_text())["step"]
    except (OSError, ValueError):
        return -1


def saved(run):
    """Steps of what has a checkpoint's name, finished or being written."""
    return sorted(p.name for p in (run / "checkpoints").glob("step-*")) if (run / "checkpoints").is_dir() else []


def last_saved(run):
    """The step of the last checkpoint; killed before the link to it was made, a run goes on from the one before."""
    steps = [int(p.parent.name[5:]) for p in (run / "checkpoints").glob("step-*/manifest.json") if p.parent.name[5:].isdigit()]
    return {max(steps, default=-1), int((run / "last").resolve().name[5:])}


def resumed(run):
    """The steps that the run was resumed from; −1: from its beginning."""
    found = re.findall(r"resumed from step-(\d+)|the run starts from its beginning", (run / "log.txt").read_text())
    return [int(step) if step else -1 for step in found]


def wait_for(run, condition, process):
    deadline = time.monotonic() + 60
    while not condition() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def killed(folder, experiment, reference):
    """Killed while it writes a checkpoint, then three times as it trains; never more is lost than the unfinished part."""
    run = folder / "runs" / "killed"
    process = train(experiment, "--name", "killed")
    wait_for(run, lambda: any(name.endswith(".tmp") for name in saved(run)[1:]), process)
    process.kill()
    process.communicate()
    check("killed while it saves", process.returncode == -signal.SIGKILL, f"{process.returncode} {saved(run)}")
    for i, steps in enumerate((15, 27, 44)):  # not a time: where that is enough for the rest of the run, there is nothing to kill
        last = last_saved(run)
        process = train("--resume", run)
        wait_for(run, lambda: len(resumed(run)) > i and step_of(run) >= max(0, resumed(run)[-1]) + steps, process)
        check("it goes on from the last checkpoint", len(resumed(run)) == i + 1 and resumed(run)[-1] in last, f"{resumed(run)} {last}")
        process.kill()
        process.communicate()
        check("killed as it trains", process.returncode == -signal.SIGKILL and step_of(run) < STEPS, f"{process.returncode} {step_of(run)}")
    finish(train("--resume", run), "resume after kills")
    check("weights after kill -9", weights(run) == reference)
    check("nothing is left over", not list(run.rglob("*.tmp")), str(list(run.rglob("*.tmp"))))


def interrupted(folder, experiment, reference):
    run = folder / "runs" / "interrupted"
    process = train(experiment, "--name", "interrupted")
    wait_for(run, lambda: step_of(run) > 3, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    check("exit code of an interrupted run", process.returncode == 130, f"{process.returncode} {err[-300:]}")
    last = json.loads(out.splitlines()[-1])
    check("state of an interrupted run", last["state"] == "stopped")
    check("its checkpoint", (run / "last" / "manifest.json").is_file() and last["last"]["step"] < STEPS)
    finish(train("--resume", run), "resume after an interrupt")
    check("weights after an interrupt", weights(run) == reference)


def failing_fsync(folder, experiment, reference):
    """Some fsyncs of the first checkpoints fail: a warning, training goes on, later checkpoints are good."""
    if not can_trace():
        COUNT["skipped"] += 1
        print("skipped: failing fsync (no strace here)")
        return
    run = folder / "runs" / "fsync"
    wrap = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=8..13"]
    calm = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")  # which does not work under strace
    process = train(experiment, "--name", "fsync", wrap=wrap, env=calm)
    out, err = process.communicate(timeout=120)
    last = json.loads(out.splitlines()[-1])
    check("a run with failing fsyncs", last["state"] == "finished", err[-400:])
    check("its warning", '"event":"warning"' in out and "Input/output error" in out)
    check("its weights", weights(run) == reference)
    check("no temporary files", not list(run.rglob("*.tmp")))


def main():
    with tempfile.TemporaryDirectory(prefix="bertty-kill-") as name:
        folder = Path(name)
        experiment = tiny_bert.experiment(folder, {
            "train.max_steps": STEPS, "train.train_batch_size": 4, "run.output_dir": "runs",
            "eval.eval_steps": 40, "run.save_steps": 20, "run.num_threads": 2}, train=60, dev=20)
        os.chdir(folder)
        finish(train(experiment, "--name", "reference"), "the reference")
        reference = weights(folder / "runs" / "reference")
        killed(folder, experiment, reference)
        interrupted(folder, experiment, reference)
        failing_fsync(folder, experiment, reference)
    print(f"{COUNT['passed']} passed, {COUNT['failed']} failed, {COUNT['skipped']} skipped")
    os.chdir("/")
    return 1 if COUNT["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
