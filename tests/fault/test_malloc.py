#!/usr/bin/env python3
"""Allocations that fail, one at a time: one clear line and exit code 1, never a crash, no leak, and a run directory that still loads.

`make test` takes a sample; `test_malloc.py all` fails every single one (some minutes). Every allocation of the program and its libraries fails in one build, our own
alone in another, whose sanitizer tells what a failing path leaves behind.
"""
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from refusal import COUNT, Ground, listing, preloaded

import tiny_bert
import tf_file
import torch_file
from tiny_bert import status

# A sanitizer has an allocator of its own.
PROGRAM = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))
SANITIZED = Path(os.path.abspath(os.environ["BERTTY"])).with_name("bertty-failing")  # the Makefile's
GROUND = Ground({"train.max_steps": 2, "run.save_steps": 1, "eval.eval_strategy": "steps", "eval.eval_steps": 1, "run.num_threads": 2,
                 "train.train_batch_size": 4}, train=12, dev=4)
TRAIN = ["train", "tiny.yaml", "--name", "new", "--runs", "{scratch}"]
COMMANDS = {
    "check": ["check", "tiny.yaml"],
    "no model": ["check", "tiny.yaml", "--set", "model.name_or_path=none"],
    "torch": ["check", "tiny.yaml", "--set", "model.name_or_path=torch"],
    "google": ["predict", "google", "--text", "a good film"],
    "train": TRAIN,
    "resume": ["train", "--resume", "{scratch}/run@1"],
    "predict": ["predict", "runs/run", "test.tsv"],
    "eval": ["eval", "runs/run", "--data", "test.tsv"],
    "data": ["data", "train.tsv", "dev.tsv"],
    "data -m": ["data", "train.tsv", "--model", "model", "--json"],
    "majority": ["baseline", "tiny.yaml", "--kind", "majority", "--json", "--runs", "{scratch}"],
    "baseline": ["baseline", "tiny.yaml", "--ngrams", "2", "--json", "--runs", "{scratch}"],
    "tokenize": ["tokenize", "model", "text.txt"],
    "runs": ["runs"],
    "show": ["show", "run"],
    "compare": ["compare", "run", "other"],
    "report": ["report", "run", "other"],
    "sweep": ["sweep", "sweep.yaml", "--dry-run"],
    "study": ["study", "s"],
}
OURS_ALONE = {"baseline"}  # liblinear does not look whether it got its memory
EVERYTHING = "all" in sys.argv[1:]
SAMPLE = 20  # failures of each command in `make test`
LEAKS = 12   # … of the sanitized program, which is slow
MEANWHILE = 2


class Bench:
    """A folder with two finished runs, and the program in it with an allocator that fails."""

    def __init__(self):
        self.folder = GROUND.fresh()
        self.library = preloaded(GROUND.root, "failing_malloc")
        (self.folder / "text.txt").write_text("a brilliant film\nso dull and it is stupid\n")
        shutil.copytree(self.folder / "model", self.folder / "torch")
        (self.folder / "torch/model.safetensors").unlink()
        torch_file.save(self.folder / "torch/pytorch_model.bin", tiny_bert.tensors(random.Random(1)))
        shutil.copytree(self.folder / "model", self.folder / "google")
        (self.folder / "google/model.safetensors").unlink()
        (self.folder / "google/config.json").rename(self.folder / "google/bert_config.json")
        head = [("output_weights", (3, tiny_bert.HIDDEN), [0.1] * 3 * tiny_bert.HIDDEN), ("output_bias", (3,), [0.0] * 3)]
        tf_file.save(self.folder / "google/bert_model.ckpt", [*tiny_bert.tensors(random.Random(1)), *head])
        for name in "run", "other":
            words = [PROGRAM, "train", "tiny.yaml", "--name", name, "--set", f"optim.learning_rate={1e-3 if name == 'run' else 2e-3}"]
            subprocess.run(words, cwd=self.folder, check=True, capture_output=True, timeout=60)
        (self.folder / "sweep.yaml").write_text((self.folder / "tiny.yaml").read_text() + "sweep: {options: {optim.weight_decay: [0, 0.1]}, seeds: [1, 2]}\n")
        for words in ["queue", "pause"], ["sweep", "sweep.yaml", "--name", "s"]:
            subprocess.run([PROGRAM, *words], cwd=self.folder, check=True, capture_output=True, timeout=60)
        lines = [{"trial": i, "step": 1, "total": 2, "value": i / 9, "tokens": 5, "seconds": 1.0, "time": 1.8e9} for i in (1, 2, 3)]
        (self.folder / "runs/.studies/s/results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def execute(self, command, at, count=None, sanitized=False):
        """(finished process, its scratch directory); the command's own place to write is fresh."""
        scratch = Path(tempfile.mkdtemp(dir=GROUND.root))
        if command == "resume":
            shutil.copytree(self.folder / "runs/run", scratch / "run", symlinks=True)
        words = [word.format(scratch=scratch) for word in COMMANDS[command]]
        env = dict(os.environ, FAIL_AT=str(at), **({} if sanitized else {"LD_PRELOAD": self.library}), **({"FAIL_COUNT": str(count)} if count else {}))
        done = subprocess.run([SANITIZED if sanitized else PROGRAM, *words], cwd=self.folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return done, scratch

    def allocations(self, command, sanitized=False):
        count = GROUND.root / f"count-{command}"
        done, _ = self.execute(command, 0, count, sanitized)
        COUNT.check(f"{command}: without a failure", done.returncode == (command == "no model"), done.stderr[-500:])
        return int(count.read_text())


def fails_well(bench, command, at):
    """What is wrong with this failure, or nothing."""
    done, scratch = bench.execute(command, at)
    lines = done.stderr.decode(errors="replace").splitlines()
    wrong = []
    if done.returncode not in (0, 1):
        wrong.append(f"exit code {done.returncode}")
    if done.returncode == 1 and not lines or any(not line.startswith("bertty: ") for line in lines):
        wrong.append(f"says {lines}")
    if done.returncode == 1 and command not in ("train", "resume", "majority") and len(lines) != 1:
        wrong.append(f"says {lines}")
    state = status(scratch / "new").get("state")
    if command == "train" and (scratch / "new").exists() and not at.endswith("+") and state != ("failed" if done.returncode else "finished"):
        wrong.append(f"the state is {state}")
    if list(scratch.rglob("*.tmp")) and not at.endswith("+"):  # to remove them takes memory
        wrong.append(f"leaves {list(scratch.rglob('*.tmp'))}")
    wrong += unloadable(bench, scratch) if command in ("train", "resume") else []
    shutil.rmtree(scratch)
    return wrong


def leaks(bench, command, at):
    """What a sanitizer has to say about this failure."""
    done, scratch = bench.execute(command, at, sanitized=True)
    shutil.rmtree(scratch)
    told = done.stderr.decode(errors="replace")
    return told[-3000:] if done.returncode not in (0, 1) or "Sanitizer" in told or "runtime error" in told else ""


def unloadable(bench, scratch):
    """A run directory must be read, and a run that has a checkpoint must be a model."""
    wrong = []
    words = [PROGRAM, "runs", "--runs", str(scratch)]
    done = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        wrong.append(f"runs: {done.stderr}")
    for run in scratch.iterdir():
        if (run / "last").exists():
            words = [PROGRAM, "predict", str(run), "--text", "a good film"]
            done = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=60)
            if done.returncode != 0:
                wrong.append(f"predict: {done.stderr}")
        if list(run.rglob("*.tmp")):
            words = [PROGRAM, "train", "--resume", str(run)]
            done = subprocess.run(words, cwd=bench.folder, capture_output=True, text=True, timeout=60)
            if list(run.rglob("*.tmp")):
                wrong.append(f"the next start leaves {list(run.rglob('*.tmp'))}: {done.stderr}")
    return wrong


def sample(total, size):
    """Every failure, or some: the first ones, and an even spread; half of the sample fails from there on."""
    if EVERYTHING:
        return [str(n) for n in range(1, total + 1)] + [f"{n}+" for n in range(1, total + 1)]
    chosen = sorted({1 + i * (total - 1) // (size - 1) for i in range(size)})
    return [f"{n}{mark}" for n, mark in zip(chosen, itertools.cycle(("", "+")))]


def each_command(bench):
    before = listing(bench.folder)
    with ThreadPoolExecutor(MEANWHILE) as pool:
        for command in COMMANDS:
            if EVERYTHING and len(sys.argv) > 2 and command not in sys.argv[2:]:
                continue
            for way, sanitized, size in ((fails_well, False, SAMPLE), (leaks, True, LEAKS)):
                if command in OURS_ALONE and not sanitized:
                    continue
                start, total = time.monotonic(), bench.allocations(command, sanitized)
                places = sample(total, size)
                for at, wrong in zip(places, pool.map(lambda at, way=way: way(bench, command, at), places)):
                    COUNT.check(f"{command}: allocation {at} of {total} fails{', sanitized' if sanitized else ''}", not wrong, wrong)
                print(f"{command}: {len(places)} of {2 * total} failures{', sanitized' if sanitized else ''}, in {time.monotonic() - start:.1f} s", flush=True)
    COUNT.check("nothing is left behind", listing(bench.folder) == before)


if __name__ == "__main__":
    code = COUNT.run([lambda: each_command(Bench())])
    GROUND.remove()
    sys.exit(code)
