#!/usr/bin/env python3
"""Two workbenches on one directory pause, stop, resume, queue and look at the same runs at random while their engines train: no run has two engines, no state is untrue, and
each run's weights at its end are those of a run that was left in peace. STRESS_SECONDS: for how long (5)."""
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny_bert
from screen import BERTTY_FAST, Screen, main

SECONDS = float(os.environ.get("STRESS_SECONDS", "5"))
EVER = 120
RUNS = ["ant", "bee", "cat", "dog"]
SETTINGS = {"train.max_steps": 400, "eval.eval_steps": 50, "run.save_steps": 20, "run.save_total_limit": 2, "run.logging_steps": 5, "run.num_threads": 1,
            "train.train_batch_size": 4, "optim.learning_rate": 5e-3}
# Keys of the view Runs, and how often each is pressed; Ctrl-g leaves what a key may have opened.
ACTIONS = {"p": 6, "xy": 5, "R": 6, "c": 3, "v": 2, "Q": 4, "K": 1, "J": 1, "F": 1, "W": 1, "Wy": 1, "i": 1, "f": 1, "#a\r": 1, "4": 1, "8": 1, "5": 1}
MOVES = ("g", "gj", "gjj", "gjjj", "G")
BACK = "\x07\x07\x1b1"


def ours(*words, folder):
    return subprocess.run([BERTTY_FAST, *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=EVER)


def digest(run):
    return hashlib.sha256((run / "last/model.safetensors").read_bytes()).hexdigest()


def work(folder, seed, reports):
    """A user who does not know what to do."""
    rng = random.Random(seed)
    with Screen(directory=folder, program=BERTTY_FAST, rows=30, columns=100) as s:
        s.wait(r"▸1 Runs")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            action = rng.choices(list(ACTIONS), list(ACTIONS.values()))[0]
            s.send(rng.choice(MOVES))
            s.drain(0.02)
            s.send(action)
            s.drain(rng.random() * 0.15)
            s.send(BACK)
            assert s.alive(), s.dump()
            reports.append(action)
        s.settle(0.3)
        s.wait(r"▸1 Runs")
        for _ in range(3):
            s.keys("Esc")
        assert s.end("q") == 0


def engines(folder):
    """Processes that train one of the runs: {run: [pid]}"""
    found = {}
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            words = (proc / "cmdline").read_bytes().decode().split("\0")
            if os.readlink(proc / "cwd") != str(folder) or "train" not in words:
                continue
        except OSError:
            continue
        for name in RUNS:
            if any(re.search(rf"(^|/){name}$", word) for word in words):
                found.setdefault(name, []).append(int(proc.name))
    return found


def come_to_an_end(folder, name):
    """Whatever state it was left in."""
    run, until = folder / "runs" / name, time.monotonic() + EVER
    while time.monotonic() < until:
        state = json.loads(ours("show", name, "--json", folder=folder).stdout)["state"]
        if state == "finished":
            return
        if state == "paused":
            ours("resume", name, folder=folder)
        elif state == "queued":
            ours("queue", "run", name, folder=folder)
        elif state in ("stopped", "lost", "failed", "unknown"):
            done = ours("train", "--resume", str(run), folder=folder)
            assert done.returncode == 0, (name, state, done.stderr)
        time.sleep(0.1)
    raise AssertionError(f"{name} does not end: {tiny_bert.status(run)}")


def test_two_workbenches():
    def setup(folder):
        tiny_bert.experiment(folder, SETTINGS, train=60, dev=20)
        assert ours("train", "tiny.yaml", "--name", "peace", "--runs", "apart", folder=folder).returncode == 0
        for name in RUNS:
            done = ours("train", "tiny.yaml", "--name", name, "--queue", folder=folder)
            assert done.returncode == 0, done.stderr
    with Screen(program=BERTTY_FAST, setup=setup) as first:
        folder, reports = first.dir, []
        weights = digest(folder / "apart/peace")
        first.wait("Runs 4")
        with ThreadPoolExecutor(2) as workers:
            users = [workers.submit(work, folder, seed, reports) for seed in (1, 2)]
            most = 0
            while not all(u.done() for u in users):
                most = max([most, *map(len, engines(folder.resolve()).values())])
                first.drain(0.1)
            for user in users:
                user.result()
        assert most <= 2, f"{most} processes for one run"  # one that is starting and finds it taken
        assert len(reports) > 10, reports
        ours("queue", "pause", folder=folder)
        for name in RUNS:
            come_to_an_end(folder, name)
        for name in RUNS:
            log = (folder / "runs" / name / "log.txt").read_text()
            assert digest(folder / "runs" / name) == weights, f"{name}: other weights\n{log[-3000:]}"
            assert not list((folder / "runs" / name).rglob("*.tmp")), name
        first.wait(r"finished +(ant|bee|cat|dog) ")
        assert first.end("q") == 0


main(globals())
