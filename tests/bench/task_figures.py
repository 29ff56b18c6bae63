#!/usr/bin/env python3
"""Every task beside Hugging Face's Trainer: the same data, options and seeds on both sides. Hours of measuring, no test.

    tests/bench/task_figures.py --work DIR --side peer|ours [--rows sst2,cola] [--seeds 42,43] [--set KEY=VALUE]…
    tests/bench/task_figures.py --work DIR --table
    tests/bench/task_figures.py --list

Data comes from BT_SHARED (default ../shared); what has to be split or made is written below DIR. In an 80/20 split every fifth
record is for validation. A run appends a line to DIR/results.jsonl; what is there already is not run again. Both sides train
MiniLM in fp32 with batch 32, weight decay 0.01, 10 % warm-up and length grouping; the last epoch counts, as in hf_finetune.py.
On a busy machine two queues with BT_PEER_THREADS=1 are faster than one run with two threads that wait for each other."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import figures_data as data

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("BT_SHARED") or ROOT.parent / "shared").resolve()
MODEL = ROOT / "experiments/models/all-MiniLM-L6-v2"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PEER_PYTHON = CACHE / "bertty/peers/bin/python"
TRAINER = SHARED / "peers/hf_finetune.py"
BERTTY = os.environ.get("BERTTY_FAST") or ROOT / "bertty"
MORE = ROOT / "tests/peers/more_finetune.py"
CSV = ["--delimiter", ","]
THREADS = os.environ.get("BT_PEER_THREADS") or 2


class Row:
    """One line of the table. files: what prepares train and eval files; peer: options of the peer's script beyond the usual;
    ours: settings of the experiment file; metrics: (title, the peer's key, ours, factor); bound: has to be as good."""

    def __init__(self, files, epochs, lr, peer, ours, metrics, script=TRAINER, model=None, bound=False, peer_files=None):
        self.files, self.epochs, self.lr, self.peer, self.settings, self.metrics = files, epochs, lr, peer, ours, metrics
        self.script, self.model, self.bound, self.peer_files = script, model, bound, peer_files or files


def columns(text, label, pair=None, header=False, **more):
    """hf_finetune.py counts columns from 0, bertty from 1."""
    peer = ["--text", text, "--label", label] + (["--pair", pair] if pair is not None else []) + (["--header"] if header else [])
    ours = {"data.header": str(header).lower(), "data.text_column": text + 1, "data.label_column": label + 1}
    if pair is not None:
        ours["data.text_pair_column"] = pair + 1
    return peer, {**ours, **more}


def classified(files, epochs, lr, where, metrics, peer=(), **more):
    theirs, mine = where
    return Row(files, epochs, lr, ["--task", "cls", *theirs, *peer], {"task.type": "classification", **mine}, metrics, **more)


def regression(files, epochs, lr, where, metrics, **more):
    theirs, mine = where
    return Row(files, epochs, lr, ["--task", "reg", *theirs], {"task.type": "regression", **mine}, metrics, **more)


def entities(files, epochs, lr, **more):
    metrics = [("entity F1", "entity_f1", "f1", 100)]
    return Row(files, epochs, lr, ["--task", "ner"], {"task.type": "ner"}, metrics, **more)


def aspects(files, epochs, lr, **more):
    return Row(files, epochs, lr, ["--task", "absa"], {"task.type": "absa"}, [ACCURACY, MACRO], **more)


def questions(files, task, metrics, **more):
    """Windows of 256 tokens that share 64."""
    ours = {"task.type": "qa", "data.max_seq_length": 256, "task.doc_stride": 64}
    return Row(files, 2, 1e-4, ["--task", task, "--max-len", 256, "--stride", 64], ours, metrics, **more)


ACCURACY = ("accuracy", "accuracy", "accuracy", 100)
MACRO = ("macro F1", "f1_macro", "f1_macro", 100)
QA = [("EM", "exact_match", "exact_match", 1), ("F1", "f1", "f1", 1)]

ROWS = {
    "sst2": classified(data.shared("sst2/train.tsv", "sst2/dev.tsv"), 3, 5e-5, columns(0, 1), [ACCURACY], bound=True),
    "conll2003": entities(data.shared("conll2003/eng.train", "conll2003/eng.testa"), 3, 1e-4, bound=True),
    "absa": aspects(data.split("absa_semeval14/Restaurants_Train.xml.seg", lines=3), 5, 5e-5, bound=True),
    "mrpc": classified(data.split("mrpc/msr_paraphrase_train.txt", header=True), 5, 5e-5, columns(3, 0, 4, header=True),
                       [ACCURACY, ("F1", "f1", "f1", 100)], bound=True),
    "stsb": regression(data.shared("stsb/sts-train.csv", "stsb/sts-dev.csv"), 4, 5e-5, columns(5, 4, 6),
                       [("Pearson", "pearson", "pearson", 100), ("Spearman", "spearman", "spearman", 100)], bound=True),
    "cola": classified(data.shared("cola/in_domain_train.tsv", "cola/in_domain_dev.tsv"), 5, 1e-4, columns(3, 1),
                       [("Matthews", "mcc", "mcc", 1), ACCURACY], bound=True),
    "ag_news": classified(data.shared("ag_news_subset/train.csv", "ag_news_subset/dev.csv"), 2, 5e-5, columns(0, 1),
                          [ACCURACY, MACRO], peer=[*CSV, "--quoting"], bound=True),
    "rte": classified(data.shared("rte/train.tsv", "rte/dev.tsv"), 5, 1e-4, columns(1, 3, 2, header=True), [ACCURACY]),
    "trec": classified(data.trec, 5, 1e-4, columns(1, 0), [ACCURACY, MACRO]),
    "wnut17": entities(data.shared("wnut17/wnut17train.conll", "wnut17/emerging.dev.conll"), 5, 1e-4, peer_files=data.wnut_for_peer),
    "laptops": aspects(data.split("absa_semeval14/Laptops_Train.xml.seg", lines=3), 5, 5e-5),
    "chnsenticorp": classified(data.split("chnsenticorp/dev.tsv", header=True), 10, 1e-3, columns(1, 0, header=True), [ACCURACY],
                               model=data.chinese_model),
    "swag": Row(data.made("make_choices.py", "train.csv", "val.csv"), 3, 1e-4, ["--task", "choice"], {"task.type": "multiple_choice"},
                [ACCURACY], script=MORE),
    "squad2": questions(data.made("make_unanswerable.py", "train.json", "dev.json"), "qa2",
                        [("EM", "exact_match", "exact", 1), *QA[1:], ("HasAns F1", "HasAns_f1", "HasAns_f1", 1),
                         ("NoAns F1", "NoAns_f1", "NoAns_f1", 1)], script=MORE),
    "mnli": classified(data.made("make_inferences.py", "train.tsv", "dev_matched.tsv", "dev_mismatched.tsv"), 3, 1e-4,
                       columns(0, 2, 1, header=True),
                       [("matched", "accuracy", "accuracy", 100), ("mismatched", "accuracy_2", "accuracy_2", 100)]),
    "squad": questions(data.shared("squad/train-v1.1.du-test-split.json", "xquad/xquad.en.json"), "qa", QA, bound=True),
}


def last_json(command, log):
    """Runs a command; its last line of output as an object, its errors in the log."""
    with open(log, "w") as errors:
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=errors, text=True)
    if done.returncode:
        tail = Path(log).read_text(errors="replace")[-800:] + done.stdout[-800:]
        raise RuntimeError(f"exit code {done.returncode}: {tail}")
    return json.loads(done.stdout.splitlines()[-1])


def peer_commands(row, work, seed):
    train, *evals = row.peer_files(SHARED, work)
    model = row.model(SHARED, work, PEER_PYTHON) if row.model else MODEL
    for path in evals:
        yield [PEER_PYTHON, row.script, "--model", model, *row.peer, "--train", train, "--eval", path, "--epochs", row.epochs,
               "--batch", 32, "--lr", row.lr, "--wd", 0.01, "--warmup", 0.1, "--seed", seed, "--group", "--threads", THREADS]


def run_peer(name, row, work, seed, _):
    """A second validation file costs a second training: the script takes one, and the same seed trains the same model."""
    found, commands = {}, []
    for i, command in enumerate(peer_commands(row, work, seed)):
        got = last_json(command, work / f"logs/{name}-peer-{seed}.log")
        found.update(got if i == 0 else {f"{key}_{i + 1}": value for key, value in got.items()})
        commands.append(" ".join(map(str, command)))
    return found, commands


def experiment(name, row, work, evals, train):
    """The row's experiment file, without a seed."""
    model = row.model(SHARED, work, PEER_PYTHON) if row.model else MODEL
    options = {"model.name_or_path": model, "data.train_file": train, "data.validation_file": evals, "data.max_seq_length": 128,
               **row.settings, "train.num_train_epochs": row.epochs, "train.train_batch_size": 32, "optim.learning_rate": row.lr,
               "optim.weight_decay": 0.01, "optim.warmup_ratio": 0.1, "optim.adam_epsilon": 1e-8,
               "run.save_strategy": "no" if len(evals) == 1 else "epoch"}
    groups = {}
    for key, value in options.items():
        group, option = key.split(".")
        groups.setdefault(group, []).append(f"  {option}: {json.dumps(value, default=str, ensure_ascii=False)}\n")
    return data.write(work / f"experiments/{name}.yaml", "".join(f"{group}:\n{''.join(lines)}" for group, lines in groups.items()))


def run_ours(name, row, work, seed, more):
    """Several validation files count as one while training; so the last checkpoint is held against each."""
    run, log = work / f"runs/{name}-{seed}", work / f"logs/{name}-ours-{seed}.log"
    shutil.rmtree(run, ignore_errors=True)
    train, *evals = row.files(SHARED, work)
    sets = [part for o in (f"train.seed={seed}", *more) for part in ("--set", o)]
    commands = [[BERTTY, "train", experiment(name, row, work, evals, train), *sets, "--name", run.name, "--runs", run.parent, "--json"]]
    got = last_json(commands[0], log)
    found = {**got["last"]["metrics"], **{key: got[key] for key in ("tokens_per_s", "max_rss_mib") if key in got}}
    for i, path in enumerate(evals if len(evals) > 1 else []):
        commands.append([BERTTY, "eval", f"{run}@last", "--data", path, "--json"])
        metrics = last_json(commands[-1], log)["metrics"]
        found.update(metrics if i == 0 else {f"{key}_{i + 1}": value for key, value in metrics.items()})
    return found, [" ".join(map(str, command)) for command in commands]


def results(work):
    path = work / "results.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def measure(side, name, seed, work, more):
    """True if the run is there now."""
    if any((r["row"], r["side"], r["seed"]) == (name, side, seed) for r in results(work)):
        return True
    start = time.time()
    try:
        metrics, commands = {"peer": run_peer, "ours": run_ours}[side](name, ROWS[name], work, seed, more)
    except (RuntimeError, OSError, ValueError, KeyError, subprocess.CalledProcessError) as e:
        print(f"{name} {side} seed {seed}: {e!r}", file=sys.stderr, flush=True)
        return False
    line = {"row": name, "side": side, "seed": seed, "seconds": round(time.time() - start), "metrics": metrics, "commands": commands}
    with open(work / "results.jsonl", "a") as f:
        f.write(json.dumps(line) + "\n")
    print(f"{name} {side} seed {seed}: {json.dumps(metrics)} in {line['seconds']} s", flush=True)
    return True


def figures(found, name, side, key, factor):
    return [factor * r["metrics"][key] for r in found if (r["row"], r["side"]) == (name, side) and key in r["metrics"]]


def shown(values, digits):
    if not values:
        return "–"
    spread = f" ± {max(values) - min(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread} ({len(values)})"


def table(work):
    """mean ± largest minus smallest (runs). Met: not below Trainer's mean by more than the spread of Trainer's seeds."""
    found = results(work)
    print("| row | metric | Trainer | bertty | difference | met |\n|---|---|---|---|---|---|")
    for name, row in ROWS.items():
        for title, theirs, mine, factor in row.metrics:
            peer, ours = figures(found, name, "peer", theirs, factor), figures(found, name, "ours", mine, factor)
            digits = 3 if title == "Matthews" else 2
            difference, met = "–", "–"
            if peer and ours:
                by = statistics.mean(ours) - statistics.mean(peer)
                difference = f"{by:+.{digits}f}"
                if len(peer) > 1 and row.bound:
                    met = "yes" if by >= min(peer) - max(peer) else "no"
            print(f"| {name} | {title} | {shown(peer, digits)} | {shown(ours, digits)} | {difference} | {met} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--side", choices=["peer", "ours"])
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seeds", default="42,43,44")
    parser.add_argument("--set", action="append", default=[], help="a further setting of our side")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--list", action="store_true", help="the rows")
    a = parser.parse_args()
    if a.list:
        print("\n".join(ROWS))
        return 0
    if not a.work or not (a.side or a.table):
        parser.error("--work and --side or --table")
    unknown = [name for name in a.rows.split(",") if name not in ROWS]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    work = a.work.resolve()
    (work / "logs").mkdir(parents=True, exist_ok=True)
    good = True
    if a.side:
        for seed in map(int, a.seeds.split(",")):
            for name in a.rows.split(","):
                good = measure(a.side, name, seed, work, a.set) and good
    if a.table:
        table(work)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
