#!/usr/bin/env python3
"""Speed and memory beside Hugging Face's Trainer, in turn on this machine; a ratio is one of medians.

    tests/bench/speed_figures.py --work DIR [--rows minilm,base…] [--rounds 3] [--set KEY=VALUE]…
    tests/bench/speed_figures.py --list

The peer is hf_finetune.py of BT_SHARED (default ../shared) in the virtual environment of tests/peers_env, in fp32, or in bf16 where a row's
name says so. Both sides train the same rows once, batch 32, and say themselves how many tokens that are and how many a second; peak memory is the process's. BERT-base has
random weights, drawn once below DIR and read by both. Rows are enough that a process's first steps, in which Trainer above all takes its
memory, do not decide. bertty is BERTTY_FAST (default ./bertty)."""
import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from task_figures import BERTTY, MODEL, PEER_PYTHON, SHARED, TRAINER, last_json

PEER = [PEER_PYTHON, TRAINER]
DATA = SHARED / "data"
SST2 = (["--task", "cls", "--text", 0, "--label", 1], {"task.type": "classification", "data.text_column": 1, "data.label_column": 2,
                                                       "data.header": "false"})
NER = (["--task", "ner"], {"task.type": "ner"})
QA = (["--task", "qa", "--max-len", 256, "--stride", 64], {"task.type": "qa", "data.max_seq_length": 256, "task.doc_stride": 64})
LOG = "errors.txt"  # of the last command, below DIR
MAKE_BASE = """import sys, transformers
transformers.set_seed(1)
transformers.BertModel(transformers.BertConfig()).save_pretrained(sys.argv[1])
transformers.AutoTokenizer.from_pretrained(sys.argv[2]).save_pretrained(sys.argv[1])"""


def base(work):
    """A directory of BERT-base's size with random weights."""
    model = work / "base"
    if not (model / "config.json").exists():
        subprocess.run([PEER_PYTHON, "-c", MAKE_BASE, model, MODEL], check=True, capture_output=True)
    return model


def minilm(_):
    return MODEL


def sets(options):
    return [part for key, value in options.items() for part in ("--set", f"{key}={value}")]


def trained(work, model, where, options):
    """bertty's command for a run of one epoch."""
    file, run = work / "experiment.yaml", work / "runs/run"
    file.write_text("model: {}\n")
    shutil.rmtree(run, ignore_errors=True)
    return [BERTTY, "train", file, *sets({"model.name_or_path": model, "data.max_seq_length": 128, "train.num_train_epochs": 1,
                                          "run.save_strategy": "no", "eval.eval_strategy": "no", **where, **options}),
            "--name", run.name, "--runs", run.parent, "--json"]


class Training:
    """Both sides train n rows; speed and memory: the targets, as multiples of the peer's, None where there is none."""

    def __init__(self, title, task, train, n, speed=None, memory=None, model=minilm, group=True, options=None, bf16=False):
        self.title, self.task, self.train, self.n, self.model = title, task, train, n, model
        self.speed, self.memory = speed, memory
        self.options = {**(options or {}), **({"train.precision": "bf16"} if bf16 else {})}
        self.peers = (["--group"] if group else []) + (["--bf16"] if bf16 else [])

    def ours(self, work, more):
        rows = {"data.train_file": DATA / self.train, "data.max_train_samples": self.n, "optim.learning_rate": 5e-5}
        got = last_json(trained(work, self.model(work), {**self.task[1], **rows}, {**self.options, **more}), work / LOG)
        return {"speed": got["tokens_per_s"], "memory": got["max_rss_mib"], "tokens": got["train_tokens"]}

    def peer(self, work):
        got = last_json([*PEER, "--model", self.model(work), *self.task[0], "--train", DATA / self.train, "--n", self.n, "--epochs", 1,
                         *self.peers], work / LOG)
        return {"speed": got["train_tok_per_s"], "memory": got["max_rss_MiB"], "tokens": got["train_tokens"]}


class Evaluation:
    """The forward passes over a labelled file; what the classifier answers does not matter."""
    memory = None

    def __init__(self, title, speed, precision):
        self.title, self.speed, self.precision = title, speed, precision

    def ours(self, work, more):
        run = work / "runs/run"
        rows = {"data.train_file": DATA / "sst2/train.tsv", "data.max_train_samples": 64, "train.max_steps": 1}
        last_json(trained(work, MODEL, {**SST2[1], **rows}, {**more, "run.save_strategy": "epoch"}), work / LOG)
        got = last_json([BERTTY, "eval", f"{run}@last", "--data", DATA / "sst2/dev.tsv", "--precision", self.precision, "--json"],
                        work / LOG)
        return {"speed": got["tokens_per_s"]}

    def peer(self, work):
        got = last_json([*PEER, "--model", MODEL, *SST2[0], "--train", DATA / "sst2/train.tsv", "--n", 64, "--no-train", "--eval",
                         DATA / "sst2/dev.tsv", *(["--bf16"] if self.precision == "bf16" else [])], work / LOG)
        return {"speed": got["eval_tok_per_s"]}


class Launch:
    """Seconds from the start of the program to the report of its first step. No peer: Trainer's start alone is startup_s, several seconds."""
    title, speed, memory, seconds = "launch to the first step, MiniLM, sst2", None, None, 0.5

    def ours(self, work, more):
        rows = {"data.train_file": DATA / "sst2/train.tsv", "train.max_steps": 1, "run.logging_steps": 1}
        command, begun = trained(work, MODEL, {**SST2[1], **rows}, more), time.monotonic()
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if json.loads(line).get("step") == 1:
                    return {"seconds": time.monotonic() - begun}
        raise RuntimeError(f"{' '.join(map(str, command))}: no step was told")


ROWS = {
    "minilm": Training("MiniLM, sst2, Trainer as it comes", SST2, "sst2/train.tsv", 3840, 2.7, group=False),
    "minilm_group": Training("MiniLM, sst2", SST2, "sst2/train.tsv", 3840, 1.65, 0.30),
    "base": Training("BERT-base, sst2", SST2, "sst2/train.tsv", 1536, 2.0, 0.62, model=base),
    "base_checkpointing": Training("BERT-base, gradient_checkpointing, sst2", SST2, "sst2/train.tsv", 512, None, 0.5, model=base,
                                   options={"train.gradient_checkpointing": "true"}),
    "ner": Training("MiniLM, CoNLL-2003", NER, "conll2003/eng.train", 3840, 1.7),
    "qa": Training("MiniLM, SQuAD part, length 256", QA, "squad/train-v1.1.du-test-split.json", 256, 2.5, 0.25),
    "eval": Evaluation("evaluation, MiniLM, sst2 dev", 2.5, "fp32"),
    "minilm_bf16": Training("MiniLM, bf16, sst2", SST2, "sst2/train.tsv", 3840, 2.2, bf16=True),
    "base_bf16": Training("BERT-base, bf16, sst2", SST2, "sst2/train.tsv", 1536, 2.2, model=base, bf16=True),
    "ner_bf16": Training("MiniLM, bf16, CoNLL-2003", NER, "conll2003/eng.train", 3840, 2.0, bf16=True),
    "qa_bf16": Training("MiniLM, bf16, SQuAD part, length 256", QA, "squad/train-v1.1.du-test-split.json", 256, 2.8, 0.25, bf16=True),
    "eval_bf16": Evaluation("evaluation, MiniLM, bf16, sst2 dev", 3.0, "bf16"),
    "launch": Launch(),
}


def met(value, target, at_least):
    return "–" if target is None else f"{'≥' if at_least else '≤'} {target}: {'yes' if (value >= target) == at_least else 'no'}"


def report(row, mine, theirs):
    """Lines of the table: title, what, peer, ours, ratio, target."""
    if "seconds" in mine[0]:
        seconds = statistics.median(m["seconds"] for m in mine)
        yield row.title, "s", "–", f"{seconds:.2f}", "–", met(seconds, row.seconds, False)
        return
    for what, unit, target in ("speed", "tokens/s", row.speed), ("memory", "MiB", row.memory):
        if what in mine[0]:
            ours, peer = (statistics.median(m[what] for m in side) for side in (mine, theirs))
            yield row.title, unit, f"{peer:.0f}", f"{ours:.0f}", f"{ours / peer:.2f}", met(ours / peer, target, what == "speed")


def measure(name, row, work, rounds, more):
    mine, theirs = [], []
    for i in range(rounds):
        mine.append(row.ours(work, more))
        if hasattr(row, "peer"):
            theirs.append(row.peer(work))
            if mine[-1].get("tokens") != theirs[-1].get("tokens"):
                raise RuntimeError(f"{name}: the sides did not train the same tokens: {mine[-1]}, {theirs[-1]}")
        print(f"{name} {i + 1}: ours {json.dumps(mine[-1])} peer {json.dumps(theirs[-1] if theirs else None)}", flush=True)
    return list(report(row, mine, theirs))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a further setting of our side")
    parser.add_argument("--list", action="store_true", help="the rows")
    a = parser.parse_args()
    if a.list:
        print("\n".join(f"{name:<20} {row.title}" for name, row in ROWS.items()))
        return 0
    unknown = [name for name in a.rows.split(",") if name not in ROWS]
    if unknown or not a.work:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}" if unknown else "--work is missing")
    work = a.work.resolve()
    (work / "runs").mkdir(parents=True, exist_ok=True)
    more = dict(option.split("=", 1) for option in a.set)
    lines = [line for name in a.rows.split(",") for line in measure(name, ROWS[name], work, a.rounds, more)]
    print("\n| what | unit | Trainer | bertty | ratio | target |\n|---|---|---|---|---|---|")
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
