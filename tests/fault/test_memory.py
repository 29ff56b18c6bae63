#!/usr/bin/env python3
"""The peak of memory that `check` predicts, beside what training then takes: within 15 %, a model of real size, for ten configurations.

`make test` takes three of them, `test_memory.py all` every one.
"""
import itertools
import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

from refusal import COUNT

from tiny_bert import run, written

ROOT = Path(tempfile.mkdtemp(prefix="bertty-memory-"))
PROGRAM = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))  # a sanitizer takes memory of its own
MODEL = Path(os.environ["BT_MODEL"])
MOST = 0.15
# Words of a text, and texts of an epoch: together they come by nearly every page of the word embeddings' moments, as a real run does in the end.
LENGTHS = {"short": (4, 20), "mixed": (4, 110), "long": (90, 122)}
ROWS = {"short": 768, "mixed": 192, "long": 128}
# name → (lengths, options)
CASES = {
    "small batch": ("mixed", {"train.train_batch_size": 8}),
    "usual": ("mixed", {"train.train_batch_size": 32}),
    "short": ("short", {"train.train_batch_size": 64}),
    "long": ("long", {"train.train_batch_size": 32}),
    "gradient checkpointing": ("long", {"train.train_batch_size": 32, "train.gradient_checkpointing": True}),
    "lora": ("mixed", {"model.adapter": "lora", "train.train_batch_size": 32}),
    "bitfit": ("mixed", {"model.adapter": "bitfit", "train.train_batch_size": 32}),
    "frozen layers": ("mixed", {"model.freeze_layers": 4, "train.train_batch_size": 32}),
    "sgd": ("mixed", {"optim.optim": "sgd", "train.train_batch_size": 16}),
    "masked words": ("mixed", {"task.type": "mlm", "train.train_batch_size": 16, "data.label_column": None}),
}
IN_SHORT = ("usual", "lora")


def words():
    """One of three neighbours in the vocabulary, again and again: a page holds more than two rows."""
    vocabulary = (MODEL / "vocab.txt").read_text(encoding="utf-8").split("\n")
    known = [word for word in vocabulary[1000::3] if word.isascii() and word.isalpha()]
    random.Random(3).shuffle(known)
    return itertools.cycle(known)


def data(folder, lengths):
    rng, word = random.Random(3), words()
    for name, n in (("train", ROWS[lengths]), ("dev", 60)):
        rows = [(" ".join(next(word) for _ in range(rng.randint(*LENGTHS[lengths]))), rng.choice(("pos", "neg"))) for _ in range(n)]
        (folder / f"{name}.tsv").write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))


def experiment(folder, options):
    settings = {"model.name_or_path": str(MODEL), "data.train_file": "train.tsv", "data.validation_file": "dev.tsv", "data.text_column": "text",
                "data.label_column": "label", "train.num_train_epochs": 1, "eval.eval_strategy": "epoch", "run.save_strategy": "no", **options}
    return written(folder / "x.yaml", settings)


def case(name):
    lengths, options = CASES[name]
    folder = ROOT / name.replace(" ", "-")
    folder.mkdir()
    data(folder, lengths)
    path = experiment(folder, options)
    told = run("check", path, "--json", cwd=folder, program=PROGRAM, timeout=900)
    if not COUNT.check(f"{name}: check", told.returncode == 0, told.stderr):
        return
    predicted = json.loads(told.stdout.splitlines()[-1])["memory_mib"]
    done = run("train", path, "--name", "r", "--json", cwd=folder, program=PROGRAM, timeout=900)
    if not COUNT.check(f"{name}: train", done.returncode == 0, done.stderr):
        return
    peak = json.loads(done.stdout.splitlines()[-1])["max_rss_mib"]
    apart = predicted / peak - 1
    print(f"{name}: predicted {predicted:.0f} MiB, measured {peak:.0f} MiB, {apart:+.1%}", flush=True)
    COUNT.check(f"{name}: predicted within {MOST:.0%}", abs(apart) <= MOST, (predicted, peak))


def main():
    for name in CASES if "all" in sys.argv[1:] else IN_SHORT:
        case(name)


if __name__ == "__main__":
    if not (MODEL / "vocab.txt").exists():
        print("the model is missing: make fetch")
        sys.exit(77)
    try:
        code = COUNT.run([main])
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
