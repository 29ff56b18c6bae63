#!/usr/bin/env python3
"""What watching a run costs it: the engine's CPU time a step while the workbench's Charts are open on it and while that workbench is stopped, in turn, in
windows so short that what else the machine does is the same in both. All rows have the same number of tokens, so that all steps do the same work; MiniLM,
one thread, about ten steps a second, each of them logged.

    tests/bench/bench_watched.py [PAIRS [SECONDS]]      (default: 150 pairs of windows of half a second)
"""
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from meter import BERTTY, ROOT, Program, clock, median_interval

POLL_S = 0.002
SETTLE_S = 0.1  # what a workbench does when it goes on again
EXPERIMENT = """model: {{name_or_path: {model}}}
data: {{train_file: train.tsv, validation_file: train.tsv, text_column: text, label_column: label, max_seq_length: 64}}
train: {{train_batch_size: 1, max_steps: 100000}}
run: {{logging_steps: 1, save_strategy: "no", num_threads: 1}}
eval: {{eval_strategy: "no"}}
"""


def state(run):
    return json.loads((run / "status.json").read_text())


class Steps:
    """Counts the steps that a run's log tells of."""

    def __init__(self, run):
        self.file, self.n = open(run / "log.txt", "rb"), 0

    def seen(self):
        self.n += sum(b" step " in line for line in self.file.read().splitlines())
        return self.n


def window(steps, pid, wait, seconds):
    """CPU ms a step, from one step to another."""
    def next_step():
        n = steps.seen()
        while steps.seen() == n:
            wait(POLL_S)
        return steps.n, clock(pid)
    first, spent = next_step()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        wait(POLL_S)
    last, now = next_step()
    return (now - spent) / (last - first) / 1e6


def pair(steps, pid, program, watched_first, seconds):
    """CPU ms a step while the workbench is stopped, and while it goes on."""
    took = {}

    def wait(most):
        program.read(most)
        program.backlog.clear()
    for watched in (watched_first, not watched_first):
        os.kill(program.pid, signal.SIGCONT if watched else signal.SIGSTOP)
        wait(SETTLE_S)
        took[watched] = window(steps, pid, wait, seconds)
    return took[False], took[True]


def started(folder):
    """A run of its own; its directory and the engine's process."""
    text = " ".join("the of and to in is that it was for".split() * 7)[:400].rsplit(" ", 1)[0]
    (folder / "train.tsv").write_text("text\tlabel\n" + "".join(f"{text}\t{('good', 'bad')[i % 2]}\n" for i in range(3000)))
    (folder / "x.yaml").write_text(EXPERIMENT.format(model=ROOT / "experiments/models/all-MiniLM-L6-v2"))
    subprocess.run([BERTTY, "train", "x.yaml", "--detach", "--name", "watched", "--runs", "runs"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    run = folder / "runs/watched"
    while state(run)["state"] in ("queued", "starting") or state(run)["step"] < 3:
        time.sleep(0.1)
    return run, state(run)["pid"]


def slow_down(pairs, seconds=0.5):
    """(% that the run is slower while it is watched: the median of the pairs, the ends of its 95 % interval, ms a step)."""
    with tempfile.TemporaryDirectory() as folder:
        run, pid = started(Path(folder))
        try:
            with Program([BERTTY, "--runs", run.parent, "--open", "charts"], run.parent) as p:
                p.ms_until("loss")
                steps = Steps(run)
                took = [pair(steps, pid, p, bool(i % 2), seconds) for i in range(pairs)]
                steps.file.close()
                os.kill(p.pid, signal.SIGCONT)
        finally:
            subprocess.run([BERTTY, "stop", "watched", "--runs", run.parent], cwd=ROOT, stdout=subprocess.DEVNULL)
            while state(run)["state"] not in ("stopped", "failed"):
                time.sleep(0.1)
    low, middle, high = median_interval([100 * (watched / alone - 1) for alone, watched in took])
    return middle, low, high, statistics.median(alone for alone, _ in took)


def main():
    pairs, seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 150, float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
    middle, low, high, alone = slow_down(pairs, seconds)
    print(f"the engine's CPU time a step: {alone:.1f} ms; watched {middle:+.2f} % (median of {pairs} pairs of {seconds:g} s; 95 %: {low:+.2f} to {high:+.2f})")


if __name__ == "__main__":
    main()
