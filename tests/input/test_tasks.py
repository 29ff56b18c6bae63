#!/usr/bin/env python3
"""Every task on a tiny model: the same bits with any number of threads and after a stop and a resume, `eval` tells what the run told, `predict` answers,
an exported directory answers as the run, and the saved configuration says what transformers has to load. That the figures are right is proven by tests/golden."""
import hashlib
import json
import os
import random
import re
import shutil
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run

os.environ["BERTTY"] = os.path.abspath(os.environ["BERTTY"])
FAST = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))
ROOT = Path(tempfile.mkdtemp(prefix="bertty-tasks-"))
STEPS = 6
LAST = {}  # the last evaluation of each task


def words(rng, n):
    return [rng.choice(tiny_bert.OTHER + tiny_bert.GOOD + tiny_bert.BAD) for _ in range(n)]


def table(rng, n, *columns):
    """Rows of cells made by the columns' functions."""
    return "".join("\t".join(str(c(rng)) for c in columns) + "\n" for _ in range(n))


def text(rng):
    return " ".join(words(rng, rng.randint(3, 12)))


def label(rng):
    return rng.choice(["negative", "positive", "neutral"])


def labels(rng):
    return ",".join(rng.sample(["a", "b", "c"], rng.randint(0, 3)))


def number(rng):
    return f"{rng.uniform(0, 5):.2f}"


def tagged(rng, n):
    lines = []
    for _ in range(n):
        for w in words(rng, rng.randint(2, 40)):
            tag = "B-GOOD" if w in tiny_bert.GOOD else "B-BAD" if w in tiny_bert.BAD else "O"
            lines.append(f"{w} {tag}\n")
        lines.append("\n")
    return "".join(lines)


def questions(rng, n):
    found = []
    for i in range(n):
        context = words(rng, rng.randint(10, 60))
        at = rng.randrange(len(context) - 2)
        start = len(" ".join(context[:at])) + (at > 0)
        answers = [] if i % 4 == 0 else [{"text": " ".join(context[at:at + 2]), "answer_start": start}]
        found.append({"context": " ".join(context), "qas": [
            {"id": f"q{i}", "question": "is it good", "answers": answers, "is_impossible": not answers}]})
    return json.dumps({"version": "v2.0", "data": [{"title": "t", "paragraphs": found}]})


def aspects(rng, n):
    return "".join(f"the $T$ was {text(rng)}\n{rng.choice(['plot', 'cast'])}\n{rng.choice([-1, 0, 1])}\n" for _ in range(n))


def choices(rng, n):
    rows = "text\tone\ttwo\tthree\tlabel\n"
    return rows + table(rng, n, text, text, text, text, lambda r: r.randrange(3))


def plain(rng, n):
    return "".join(text(rng) + "\n" for _ in range(n))


TABLE = {"data.header": False, "data.text_column": 1, "data.label_column": 2}
TASKS = {  # data made by a function; options; words of predict; architecture, problem_type
    "classification": (lambda r, n: table(r, n, text, label), {**TABLE, "data.truncation": "head_tail", "data.max_seq_length": 8}, ["--text", "the film"], "BertForSequenceClassification"),
    "regression": (lambda r, n: table(r, n, text, number), {**TABLE, "data.truncation": "sliding_window", "data.max_seq_length": 7, "task.doc_stride": 2}, ["--text", "the film"], "BertForSequenceClassification"),
    "multilabel": (lambda r, n: table(r, n, text, labels), {**TABLE, "task.threshold": ["0.6", "b=0.2"]}, ["--text", "the film"], "BertForSequenceClassification"),
    "absa": (aspects, {"data.format": "semeval", "task.absa_format": "qa_m"}, ["--text", "the plot was dull", "--pair", "plot"],
             "BertForSequenceClassification"),
    "multiple_choice": (choices, {"data.text_column": "text", "data.choice_columns": ["one", "two", "three"],
                                  "data.label_column": "label"},
                        ["--text", "the film", "--choice", "was good", "--choice", "was bad", "--choice", "is"], "BertForMultipleChoice"),
    "ner": (tagged, {"data.max_seq_length": 24, "task.doc_stride": 4, "task.scheme": "IOBES", "task.eval_mode": "strict"}, ["--text", "the good film"], "BertForTokenClassification"),
    "qa": (questions, {"data.max_seq_length": 32, "task.doc_stride": 8, "task.max_query_length": 8, "task.n_best_size": 5,
                       "task.max_answer_length": 3, "task.null_score_diff_threshold": "0.1"}, ["--text", "is it good", "--pair", "the film was very good"],
           "BertForQuestionAnswering"),
    "mlm": (plain, {"data.max_seq_length": 32}, ["--text", "the [MASK] was good"], "BertForMaskedLM"),
}


def tasks():
    """Those that the program has."""
    listed = run("options", "task.type", "--json")
    assert listed.returncode == 0, listed.stderr
    return [t for t in TASKS if t in listed.stdout]


def experiment(task):
    folder = ROOT / task
    folder.mkdir(exist_ok=True)
    make, options, _, _ = TASKS[task]
    for name, n, seed in (("train", 60, 1), ("dev", 17, 2)):
        (folder / f"{name}.txt").write_text(make(random.Random(f"{task}{seed}"), n))
    return tiny_bert.experiment(folder, {
        "task.type": task, "data.train_file": "train.txt", "data.validation_file": "dev.txt", "data.text_column": None,
        "data.label_column": None, "train.max_steps": STEPS, "train.train_batch_size": 6, "eval.eval_steps": STEPS,
        "run.save_steps": 3, "run.save_total_limit": 9, **options})


def trained(task, name, *more, program=None):
    done = run("train", *more, "--runs", ROOT / task / "runs", "--json", "--name", name, cwd=ROOT / task, program=program)
    assert done.returncode == 0, (task, done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def weights(task, name):
    return hashlib.sha256((ROOT / task / "runs" / name / f"checkpoints/step-{STEPS:06}/model.safetensors").read_bytes()).hexdigest()


def the_same_bits(task):
    path = experiment(task)
    for threads in (1, 2, 3):
        LAST[task] = trained(task, f"t{threads}", path, "--set", f"run.num_threads={threads}")["last"]["metrics"]
    assert weights(task, "t1") == weights(task, "t2") == weights(task, "t3"), task


def resumed(task):
    """From the checkpoint in the middle, over what came behind it."""
    before = weights(task, "t3")
    done = run("train", "--resume", f"{ROOT / task / 'runs/t3'}@3", "--json", cwd=ROOT / task)
    assert done.returncode == 0, (task, done.stderr)
    assert weights(task, "t3") == before, task


def from_every_step(task):
    """With summed batches, batches as they are drawn, and an end that comes early; one thread and several in turn: the weights of a run that never stopped."""
    path, runs = experiment(task), ROOT / task / "runs"
    sets = {"run.num_threads": 0, "run.save_steps": 1, "run.save_total_limit": 99, "train.gradient_accumulation_steps": 2, "train.group_by_length": "false",
            "train.max_steps": 9, "eval.eval_steps": 1, "eval.metric_for_best_model": "loss", "eval.early_stopping_patience": 2, "eval.early_stopping_threshold": 0.3}
    last = trained(task, "every", path, *(word for key, value in sets.items() for word in ("--set", f"{key}={value}")), program=FAST)
    end = last["last"]["step"]
    assert 3 <= end < 9, (task, "does not end early", last)
    name = f"checkpoints/step-{end:06}/model.safetensors"
    want, processors = (runs / "every" / name).read_bytes(), sorted(os.sched_getaffinity(0))
    for step in range(1, end):
        again = runs / f"from-{step}"
        shutil.copytree(runs / "every", again, symlinks=True)
        some = processors[:1] if step % 2 else processors
        done = run("train", "--resume", f"{again}@{step}", "--json", cwd=ROOT / task, program=FAST, preexec_fn=lambda some=some: os.sched_setaffinity(0, some))
        assert done.returncode == 0, (task, step, done.stderr)
        assert json.loads(done.stdout.splitlines()[-1])["last"]["step"] == end, (task, step, done.stdout)
        assert (again / name).read_bytes() == want, (task, step)
        shutil.rmtree(again)


def evaluated(task):
    """eval on the validation file: the figures that the run told."""
    done = run("eval", ROOT / task / "runs/t1@last", "--data", ROOT / task / "dev.txt", "--json")
    assert done.returncode == 0, (task, done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])["metrics"]
    assert LAST[task], task
    for name, value in LAST[task].items():
        close = found[name] == value if value is None else abs(found[name] - value) <= 1e-5 * max(1, abs(value))
        assert close, (task, name, value, found[name])


def predicted(task):
    _, _, words_, architecture = TASKS[task]
    done = run("predict", ROOT / task / "runs/t1@last", *words_)
    assert done.returncode == 0, (task, done.stderr)
    done = run("predict", ROOT / task / "runs/t1@last", *words_, "--json")
    assert done.returncode == 0 and isinstance(json.loads(done.stdout.splitlines()[-1]), dict), (task, done.stderr)
    config = json.loads((ROOT / task / "runs/t1/last/config.json").read_text())
    assert config["architectures"] == [architecture], config
    rows = [json.loads(line) for line in (ROOT / task / f"runs/t1/predictions/validation-step-{STEPS:06}.jsonl").read_text().splitlines()]
    assert len(rows) == 17 and [r["id"] for r in rows] == list(range(1, 18)) and all("prediction" in r for r in rows), (task, rows[:1])


def mapped(task):
    """dynamics: a row for each training example, also of those that are read in windows."""
    once = {"train.max_steps": -1, "train.num_train_epochs": 1, "train.train_batch_size": 16, "eval.eval_strategy": "no", "run.save_strategy": "no"}
    trained(task, "whole", ROOT / task / "tiny.yaml", *[part for key, value in once.items() for part in ("--set", f"{key}={value}")])
    found = sorted((ROOT / task / "runs/whole/dynamics").glob("*.jsonl"))
    assert len(found) == (task not in ("regression", "mlm")), (task, found)
    for path in found:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [r["id"] for r in rows] == list(range(1, 61)), (task, [r["id"] for r in rows])
        assert all(0 <= r["p"] <= 1 and isinstance(r["correct"], bool) for r in rows), (task, rows[:3])


WINDOWED = ("regression", "ner", "qa")


def batches(task):
    """What each step trained on: rows of the file, with their texts; of a task whose rows count alike the mean loss is that of the log."""
    done = run("show", ROOT / task / "runs/t3", "--batch", f"1-{STEPS}", "--json")
    assert done.returncode == 0, (task, done.stderr)
    *rows, total = [json.loads(line) for line in done.stdout.splitlines()]
    assert total["first"] == 1 and total["last"] == STEPS and total["rows"] == len(rows) == 6 * STEPS, (task, total)
    assert {r["step"] for r in rows} == set(range(1, STEPS + 1)) and all(1 <= r["row"] <= 60 and r["text"] for r in rows), task
    assert [r["loss"] for r in rows] == sorted((r["loss"] for r in rows), reverse=True), task
    assert any("window" in r for r in rows) == (task in WINDOWED), (task, rows[:3])
    assert all(bool(r["gold"]) == (task != "mlm") for r in rows), task
    assert all(0 <= r["loss"] < (40 if task == "regression" else 6) for r in rows), (task, rows[0])
    log = (ROOT / task / "runs/t3/log.txt").read_text()
    logged = float(re.findall(rf"step 5 of {STEPS}  loss (\S+)", log)[-1])
    done = run("show", ROOT / task / "runs/t3", "--batch", "3", "--json")  # a step of that point
    point = json.loads(done.stdout.splitlines()[-1])
    assert (point["first"], point["last"], point["rows"]) == (1, 5, 30), point
    if task not in ("ner", "mlm"):
        assert abs(point["mean_loss"] - logged) < 1e-3, (task, point, logged)
    done = run("show", ROOT / task / "runs/t3", "--batch", "1")
    assert done.returncode == 0 and done.stdout.startswith("steps 1 to 5: 30 rows, mean loss "), done.stdout
    done = run("show", ROOT / task / "runs/t3", "--batch", "999")
    assert done.returncode == 0 and done.stdout.startswith("step 6 (nearest to 999): 6 rows, mean loss "), done.stdout
    rows = [r for r in rows if r["step"] == STEPS]
    where = rows[0]
    name = f" {where['id']}" if "id" in where else f":{where['line']}"
    assert f"train.txt{name}" in done.stdout.splitlines()[2], done.stdout


INPUTS = {"absa": lambda r: f"{text(r)}\t{r.choice(['plot', 'cast'])}", "multiple_choice": lambda r: "\t".join(text(r) for _ in range(4)),
          "qa": lambda r: f"is it good\t{text(r)} {text(r)} {text(r)} {text(r)}", "ner": lambda r: " ".join(text(r) for _ in range(4)),
          "mlm": lambda r: f"{text(r)} [MASK] {text(r)}"}


def exported(task):
    """predict of the exported directory, which knows nothing of the run, against predict of the run."""
    rng, folder = random.Random(7), ROOT / task
    lines = [INPUTS.get(task, text)(rng) for _ in range(40)]
    (folder / "ask.txt").write_text("".join(line + "\n" for line in lines))
    assert run("export", folder / "runs/t1@last", folder / "export").returncode == 0, task
    said = [run("predict", model, folder / "ask.txt", "--json") for model in (folder / "runs/t1@last", folder / "export")]
    assert said[0].returncode == said[1].returncode == 0 and said[0].stdout, (task, said[0].stderr, said[1].stderr)
    for of_run, of_export in zip(said[0].stdout.splitlines(), said[1].stdout.splitlines(), strict=True):
        assert of_run == of_export, (task, of_run, of_export)


def another_model_by_now():
    """Options of a task that the model no longer has do not count; those that make no sense are refused by name."""
    config = ROOT / "multilabel/export/config.json"
    told = json.loads(config.read_text())
    options = told["bertty"]["options"]
    assert options["task.type"] == "multilabel" and options["task.threshold"] == "[0.6, b=0.2]", options
    config.write_text(json.dumps({**told, "problem_type": "single_label_classification"}))
    done = run("predict", ROOT / "multilabel/export", "--text", "the film", "--json")
    assert "labels" not in json.loads(done.stdout), done.stdout
    config.write_text(json.dumps({**told, "bertty": {"options": {**options, "task.threshold": "[2]", "data.later": "1"}}}))
    done = run("predict", ROOT / "multilabel/export", "--text", "the film")
    assert done.returncode == 1 and "multilabel/export: task.threshold" in done.stderr, done.stderr
    config.write_text(json.dumps({**told, "bertty": {"options": {**options, "data.truncation": "sideways"}}}))
    done = run("predict", ROOT / "multilabel/export", "--text", "the film")
    assert done.returncode == 1 and "data.truncation" in done.stderr and "head_tail" in done.stderr, done.stderr


def batches_that_read_more_than_training_did():
    """Words of many pieces in the training data, of one in the other: its batches have more words than any that was trained on."""
    folder = ROOT / "reads"
    folder.mkdir()
    long, rng = "-".join(["good"] * 3), random.Random(5)
    (folder / "train.txt").write_text("".join(f"{long} B-GOOD\n" * 20 + "\n" for _ in range(12)))
    lines = [[rng.choice(tiny_bert.OTHER + tiny_bert.GOOD) for _ in range(20)] for _ in range(60)]
    (folder / "dev.txt").write_text("".join("".join(f"{w} {'B-GOOD' if w in tiny_bert.GOOD else 'O'}\n" for w in line) + "\n"
                                            for line in lines))
    path = tiny_bert.experiment(folder, {
        "task.type": "ner", "task.labels": ["O", "B-GOOD"], "data.train_file": "train.txt", "data.validation_file": "dev.txt",
        "data.text_column": None, "data.label_column": None, "data.max_seq_length": 128, "train.train_batch_size": 12,
        "train.max_steps": 2, "eval.eval_steps": 2, "run.save_steps": 2})
    done = run("train", path, "--runs", folder / "runs", "--json", "--name", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(x) for x in (folder / "runs/run/predictions/validation-step-000002.jsonl").read_text().splitlines()]
    assert len(rows) == 60 and all(abs(r["score"] - 0.5) > 1e-6 for r in rows), "rows that nothing was computed for"
    told = json.loads(done.stdout.splitlines()[-1])["last"]["metrics"]
    done = run("eval", folder / "runs/run@last", "--data", folder / "dev.txt", "--json")
    found = json.loads(done.stdout.splitlines()[-1])["metrics"]
    assert abs(found["loss"] - told["loss"]) < 1e-5, (found, told)


def main():
    tests = [batches_that_read_more_than_training_did]
    for task in tasks():
        for test in (the_same_bits, resumed, from_every_step, batches, evaluated, predicted, exported, mapped):
            def one(test=test, task=task):
                test(task)
            one.__name__ = f"{task}: {test.__name__}"
            tests.append(one)
    tests.append(another_model_by_now)
    return tiny_bert.counted(tests)


if __name__ == "__main__":
    sys.exit(main())
