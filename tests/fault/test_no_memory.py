#!/usr/bin/env python3
"""Any one allocation may fail: the command works all the same or ends with one clear line, and never with a crash or a half-written run."""
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

from refusal import BERTTY, COUNT, Ground, finished, listing

from tiny_bert import status

GROUND = Ground({"train.max_steps": 2, "eval.eval_steps": 2, "run.save_steps": 2, "run.num_threads": 1}, train=16, dev=8)
FOLDER = GROUND.fresh()
PROGRAM = os.environ.get("BERTTY_FAST", BERTTY)  # a sanitizer has an allocator of its own
LIBRARY = GROUND.root / "no_memory.so"
POINTS = 20  # of each command, the first ones and some of the others: all of them would take minutes


def prepare():
    cc = os.environ.get("CC", "cc").split()
    done = subprocess.run([*cc, "-shared", "-fPIC", "-O1", "-o", LIBRARY, Path(__file__).with_name("no_memory.c"), "-ldl"], capture_output=True)
    COUNT.check("the library", done.returncode == 0, done.stderr)
    done = finished(["train", "tiny.yaml", "--name", "run"], FOLDER)
    COUNT.check("a run", done.returncode == 0, done.stderr)


def preloaded(words, **more):
    return finished(words, FOLDER, PROGRAM, env={**os.environ, "LD_PRELOAD": str(LIBRARY), **more})


def points(n):
    draw = random.Random(1)
    return sorted({*range(1, POINTS // 2), *(draw.randint(1, n) for _ in range(POINTS // 2))})


def sweep(name, words, made=None, which=points, code=0):
    """made: the run that the command makes; a run that failed says so. code: without a failure."""
    counted = preloaded(words, FAIL_COUNT="1")
    n = int(counted.stderr.split()[-1])
    COUNT.check(f"{name}: its allocations are counted", counted.returncode == code and n > 30, counted.stderr)
    for at in which(n):
        if made:
            shutil.rmtree(FOLDER / "runs" / made, ignore_errors=True)
        before = listing(FOLDER)
        done = preloaded(words, FAIL_AT=str(at))
        said = done.stderr.decode(errors="replace")
        COUNT.check(f"{name}: allocation {at} of {n}: exit code", done.returncode in (0, 1, 2), (done.returncode, said))
        COUNT.check(f"{name}: allocation {at} of {n}: a line", done.returncode == 0 or said.startswith("bertty: "), said)
        if made and (FOLDER / "runs" / made).exists():
            state = status(FOLDER / "runs" / made).get("state")
            COUNT.check(f"{name}: allocation {at} of {n}: state", state == ("finished" if done.returncode == 0 else "failed"), (state, said))
        elif done.returncode:
            COUNT.check(f"{name}: allocation {at} of {n}: nothing is left", listing(FOLDER) == before, said)


def reading():
    for words in (["predict", "run", "--text", "good film"], ["tokenize", "model", "dev.tsv"], ["check", "tiny.yaml"], ["data", "train.tsv"],
                  ["show", "run"], ["eval", "run", "--data", "dev.tsv"]):
        sweep(words[0], words)


def settings():
    """What reads an experiment file, to its end."""
    sweep("settings", ["check", "tiny.yaml", "--set", "model.name_or_path=none"], which=lambda n: [*range(1, n - 60, 15), *range(n - 60, n + 1)], code=1)


def training():
    sweep("train", ["train", "tiny.yaml", "--name", "new"], "new")


if __name__ == "__main__":
    code = COUNT.run([prepare, reading, settings, training])
    GROUND.remove()
    sys.exit(code)
