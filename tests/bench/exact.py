#!/usr/bin/env python3
"""The final weights of a real run (MiniLM on the film reviews) by SHA-256: 1, 2 and 3 threads, stopped and resumed in mid-epoch, killed and
resumed. A measurement of some minutes; tests/unit/test_run_exact.c proves the same on a tiny model at every step.

    tests/bench/exact.py [STEPS]      (default 40)
"""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BERTTY = os.environ.get("BERTTY_FAST") or str(ROOT / "bertty")
STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 40
SETTINGS = {"train.max_steps": STEPS, "eval.eval_strategy": "no", "run.save_strategy": "steps", "run.save_steps": 10,
            "data.test_file": "[]"}


def command(runs, *words):
    return [BERTTY, "train", *map(str, words), "--runs", str(runs), "--json"]


def start(runs, name, threads):
    sets = [part for k, v in {**SETTINGS, "run.num_threads": threads}.items() for part in ("--set", f"{k}={v}")]
    return subprocess.Popen(command(runs, ROOT / "experiments/movie-reviews.yaml", *sets, "--name", name), cwd=ROOT,
                            stdout=subprocess.DEVNULL)


def step(run):
    try:
        return json.loads((run / "status.json").read_text())["step"]
    except (OSError, ValueError):
        return 0


def cut_short(runs, name, number, at):
    """A run that gets a signal after step `at`, and is resumed to its end."""
    process = start(runs, name, 2)
    while step(runs / name) < at and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    process.wait()
    left = step(runs / name)
    subprocess.run(command(runs, "--resume", name), cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return left


def digest(runs, name):
    return hashlib.sha256((runs / name / "last/model.safetensors").read_bytes()).hexdigest()


def main():
    with tempfile.TemporaryDirectory() as folder:
        runs, seen = Path(folder), set()
        for threads in (1, 2, 3):
            start(runs, f"threads-{threads}", threads).wait()
        stopped = cut_short(runs, "stopped", signal.SIGTERM, STEPS * 3 // 8)
        killed = cut_short(runs, "killed", signal.SIGKILL, STEPS * 5 // 8)
        for name, what in (("threads-1", "1 thread"), ("threads-2", "2 threads"), ("threads-3", "3 threads"),
                           ("stopped", f"stopped after step {stopped}, resumed"), ("killed", f"killed at step {killed}, resumed")):
            seen.add(digest(runs, name))
            print(f"{digest(runs, name)[:32]}…  {what}", flush=True)
        print("all equal" if len(seen) == 1 else "NOT EQUAL")
        return len(seen) != 1


if __name__ == "__main__":
    sys.exit(main())
