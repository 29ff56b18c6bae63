#!/usr/bin/env python3
"""What watching a run costs it: the engine's CPU time a step with the workbench's Charts open on it and without, in turn; and what the
watching terminal is sent. MiniLM on the film reviews.

    tests/bench/bench_watched.py [WINDOWS [STEPS]]      (default: 12 windows of each kind, 8 steps a window)
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/tui"))
os.environ.setdefault("BERTTY", str(ROOT / "bertty"))
from screen import Screen  # noqa: E402

BERTTY = os.environ.get("BERTTY_FAST") or str(ROOT / "bertty")
WINDOWS = int(sys.argv[1]) if len(sys.argv) > 1 else 12
STEPS = int(sys.argv[2]) if len(sys.argv) > 2 else 8


def status(run):
    return json.loads((run / "status.json").read_text())


def cpu(pid):
    """Seconds of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def logged(run):
    """Steps that the log tells of: written at each step."""
    lines = [line for line in (run / "log.txt").read_text().splitlines() if " step " in line and "loss" in line]
    return len(lines)


def window(run, pid, watch):
    """CPU seconds a step over some steps, and bytes a second sent to the terminal."""
    target = logged(run) + 1
    while logged(run) < target:
        watch(0.01)
    first, start, began = logged(run), cpu(pid), time.monotonic()
    sent = 0
    while logged(run) < first + STEPS:
        sent += len(watch(0.01))
    return (cpu(pid) - start) / (logged(run) - first), sent / (time.monotonic() - began)


def sleep(seconds):
    time.sleep(seconds)
    return b""


def measure(run, runs):
    pid, alone, watched, rates = status(run)["pid"], [], [], []
    for _ in range(WINDOWS):
        alone.append(window(run, pid, sleep)[0])
        with Screen(["--runs", str(runs), "--open", "charts"], rows=36, columns=120, program=BERTTY) as s:
            s.wait(r"loss")
            cost, rate = window(run, pid, s.drain)
            watched.append(cost)
            rates.append(rate)
    return alone, watched, rates


def main():
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        sets = [part for o in ("run.logging_steps=1", "eval.eval_strategy=no", "run.save_strategy=no", "train.max_steps=100000",
                               "run.num_threads=1") for part in ("--set", o)]
        subprocess.run([BERTTY, "train", "experiments/movie-reviews.yaml", *sets, "--detach", "--name", "watched", "--runs", folder],
                       cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        try:
            alone, watched, rates = measure(runs / "watched", runs)
        finally:
            subprocess.run([BERTTY, "stop", "watched", "--runs", folder], cwd=ROOT, stdout=subprocess.DEVNULL)
            while status(runs / "watched")["state"] not in ("stopped", "failed"):
                time.sleep(0.1)
    ratios = [w / a for a, w in zip(alone, watched)]
    print(f"CPU ms a step: alone {1e3 * statistics.median(alone):.1f}, watched {1e3 * statistics.median(watched):.1f} (medians of {WINDOWS})")
    print(f"slow-down: median of the pairs {100 * (statistics.median(ratios) - 1):+.2f} %")
    print(f"bytes a second to the terminal: median {statistics.median(rates):.0f}, most {max(rates):.0f}")


if __name__ == "__main__":
    main()
