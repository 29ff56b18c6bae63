#!/usr/bin/env python3
"""Questions: a run on a tiny model through its checkpoints, `eval`, `predict` and the files for SQuAD's scripts; what of options and data is
refused, and what is only counted."""
import json
import random
import sys

import tiny_bert
from refusal import COUNT, Ground, finished, refused

TASK = {"task.type": "qa", "task.doc_stride": 8, "task.max_query_length": 10, "task.null_score_diff_threshold": "auto", "data.max_seq_length": 40,
        "data.train_file": "train.json", "data.validation_file": "dev.json", "data.text_column": None, "data.label_column": None}
GROUND = Ground(TASK, train=10, dev=4)
GOOD = GROUND.root / "good"


def paragraph(rng, i, negative):
    """Which word is it? The one that says good or bad; its place counts code points."""
    words = [rng.choice(tiny_bert.OTHER) for _ in range(rng.randint(8, 70))]
    answer = rng.choice(tiny_bert.GOOD + tiny_bert.BAD)
    if not (negative and i % 3 == 0):
        words.insert(rng.randint(0, len(words)), answer)
    context = "“é” " + " ".join(words) + "."
    answers = [] if answer not in words else [{"text": answer, "answer_start": context.index(f" {answer}") + 1}]
    return {"context": context, "qas": [{"id": 1000 + i, "question": "is the film good?", "answers": answers}]}


def squad(n, seed, negative=True):
    rng = random.Random(seed)
    return {"data": [{"title": "t", "paragraphs": [paragraph(rng, i, negative) for i in range(n)]}]}


def put(path, data):
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


put(GOOD / "train.json", squad(60, 1))
put(GOOD / "dev.json", squad(30, 2))


def train(folder, *sets, name="run", ok=True):
    words = ["train", "tiny.yaml", "--name", name, *[p for s in sets for p in ("--set", s)]]
    done = finished(words, folder)
    COUNT.check(f"{name}: trains", (done.returncode == 0) == ok, done.stderr.decode()[-800:])
    return done.stdout.decode()


def lines(words, folder):
    done = finished(words, folder)
    COUNT.check(" ".join(map(str, words[:2])), done.returncode == 0 and not done.stderr, done.stderr.decode()[-800:])
    return done.stdout.decode().splitlines()


def a_run():
    """What is found on the validation data goes with the checkpoint, whoever opens it."""
    folder = GROUND.fresh()
    out = train(folder)
    COUNT.check("windows are told", "60 questions in " in out and " windows of at most 40 tokens" in out, out)
    COUNT.check("the threshold is told", "null_score_diff_threshold" in out, out)
    run = folder / "runs/run"
    for path in sorted(run.glob("dynamics/*.jsonl")):  # a row a question, not a window
        ids = [json.loads(line)["id"] for line in path.read_text().splitlines()]
        COUNT.check(f"{path.name}: a row a question", ids and len(set(ids)) == len(ids) and max(ids) <= 60, ids[:20])
    kept = json.loads((run / "best/config.json").read_text())
    COUNT.check("kept with the checkpoint", kept["bertty"]["version_2_with_negative"] == 1 and "null_score_diff_threshold" in kept["bertty"], kept)
    COUNT.check("no labels", "id2label" not in kept and kept["architectures"] == ["BertForQuestionAnswering"], kept)
    result = json.loads(lines(["eval", "run", "--data", "dev.json", "--squad", "out", "--json"], folder)[-1])
    metrics = result["metrics"]
    COUNT.check("both kinds of questions", metrics["HasAns_total"] + metrics["NoAns_total"] == metrics["total"] == 30, metrics)
    COUNT.check("the best F1 there is", metrics["f1"] >= metrics["best_f1"] - 1e-9, metrics)
    predictions, odds = (json.loads((folder / "out" / n).read_text()) for n in ("predictions.json", "null_odds.json"))
    COUNT.check("an answer to each question", list(predictions) == list(odds) == [str(1000 + i) for i in range(30)], predictions)
    threshold = kept["bertty"]["null_score_diff_threshold"]
    COUNT.check("none above the threshold", all((p == "") == (odds[i] > threshold) for i, p in predictions.items()), (threshold, odds, predictions))
    finished(["export", "run", "model-of-run"], folder)
    # A model without its run has other windows: its answers to what fits into one are the same.
    alone = lines(["predict", "model-of-run", "--text", "is the film good?", "--pair", "the film is very good."], folder)
    COUNT.check("alone", alone == lines(["predict", "run", "--text", "is the film good?", "--pair", "the film is very good."], folder), alone)


def predictions():
    folder = GROUND.fresh()
    train(folder, "task.null_score_diff_threshold=0")
    dev = json.loads((folder / "dev.json").read_text())["data"][0]["paragraphs"]
    (folder / "lines.tsv").write_text("".join(f"{p['qas'][0]['question']}\t{p['context']}\n" for p in dev), encoding="utf-8")
    (folder / "lines.jsonl").write_text("".join(json.dumps({"question": p["qas"][0]["question"], "context": p["context"]}) + "\n" for p in dev))
    told = lines(["predict", "run", "dev.json"], folder)
    COUNT.check("a line each", len(told) == 30 and all(line.count("\t") == 1 for line in told), told)
    COUNT.check("lines say the same", told == lines(["predict", "run", "lines.tsv"], folder), told)
    COUNT.check("JSON lines too", told == lines(["predict", "run", "lines.jsonl"], folder), told)
    many = [json.loads(line)["answers"] for line in lines(["predict", "run", "dev.json", "--json"], folder)]
    for p, answers, line in zip(dev, many, told, strict=True):
        COUNT.check("places", all(p["context"][a["begin"]:a["end"]] == a["label"] for a in answers), answers)
        COUNT.check("the first is chosen", [a["chosen"] for a in answers] == [True] + [False] * (len(answers) - 1), answers)
        COUNT.check("as told", line.split("\t")[0] == answers[0]["label"], (line, answers))
        COUNT.check("probabilities", abs(sum(a["score"] for a in answers) - 1) < 1e-5, answers)
    refused("no passage", folder, ["predict", "run", "--text", "who?"], "--pair is missing")
    refused("a line without a passage", folder, ["predict", "run", "tiny.yaml"], "tiny.yaml:1: no tab in the line")
    put(folder / "broken.json", {"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 1, "question": 5, "answers": []}]}]}]})
    refused("a question that is no text", folder, ["predict", "run", "broken.json"], "broken.json:1: ", "question")
    (folder / "file").write_text("")
    refused("files instead of a folder", folder, ["eval", "run", "--data", "dev.json", "--squad", "file"], "file")
    refused("columns of a passage", folder, ["eval", "run", "--data", "lines.jsonl", "--context", "nowhere"], "nowhere")
    empty = put(folder / "empty.json", {"data": [{"paragraphs": [{"context": "", "qas": [{"id": 1, "question": "", "answers": []}]}]}]})
    COUNT.check("nothing in it", len(lines(["predict", "run", empty], folder)) == 1)


def options():
    def bad(name, said, **sets):
        words = [p for k, v in sets.items() for p in ("--set", f"{k.replace('__', '.')}={v}")]
        refused(name, GROUND.fresh(), ["train", "tiny.yaml", *words], *said)

    bad("overlap without an end", ["task.doc_stride", "data.max_seq_length"], task__doc_stride=27)
    bad("no room for the context", ["task.max_query_length", "no room"], task__max_query_length=37)
    bad("both steps", ["task.doc_step", "task.doc_stride"], task__doc_step=5)
    bad("a threshold that is none", ["null_score_diff_threshold", "a number or auto"], task__null_score_diff_threshold="best")
    bad("nothing to find it on", ["null_score_diff_threshold", "data.validation_file"], data__validation_file="null")
    bad("no such answers", ["null_score_diff_threshold", "version_2_with_negative"], task__version_2_with_negative="false")
    bad("cut questions", ["data.truncation", "windows"], data__truncation="only_first")
    bad("another task's metric", ["metric_for_best_model", "qa", "exact_match"], eval__metric_for_best_model="accuracy")
    bad("another task's option", ["task.n_best_size", "needs task.type: qa"], task__type="classification", task__n_best_size=5,
        data__text_column="a", data__label_column="b",
        task__max_query_length=64, task__null_score_diff_threshold=0, task__doc_stride=128)
    folder = GROUND.fresh()
    text = (folder / "tiny.yaml").read_text().replace("  max_seq_length: 40\n", "")
    (folder / "tiny.yaml").write_text(text)
    refused("the length that is usual for questions", folder, ["train", "tiny.yaml"], "max_seq_length: 384", "128 positions")


def data():
    """Answers that are not where the file says."""
    def spoilt(change):
        folder = GROUND.fresh()
        found = json.loads((folder / "train.json").read_text())
        change(found["data"][0]["paragraphs"])
        put(folder / "train.json", found)
        return folder

    def shifted(paragraphs):
        paragraphs[1]["qas"][0]["answers"][0]["answer_start"] += 1
        paragraphs[2]["qas"][0]["answers"][0]["text"] = "elsewhere"

    folder = spoilt(shifted)
    out = train(folder)
    COUNT.check("counted", "2 answers are not where the file says, 1 question has no answer in the context and teaches nothing" in out, out)
    told = finished(["check", "tiny.yaml"], folder).stdout.decode()
    COUNT.check("check tells", "2 of 40 answers are not where the file says" in told and "'elsewhere'" in told, told)
    refused("strict", folder, ["train", "tiny.yaml", "--set", "data.strict=true"], "train.json:1: ", "question 100", "answer '")
    refused("no question", spoilt(lambda p: p.clear()), ["train", "tiny.yaml"], "train.json", "no rows")
    no_version_1 = put(GROUND.fresh() / "train.json", squad(40, 4, negative=False))
    folder = no_version_1.parent
    put(folder / "dev.json", squad(10, 5, negative=False))
    out = train(folder, "task.null_score_diff_threshold=0")
    COUNT.check("1.1", "exact_match" in out and "HasAns" not in out, out)
    done = finished(["eval", "run", "--data", "dev.json", "--squad", "out"], folder)
    COUNT.check("no odds of no answer", done.returncode == 0 and sorted(p.name for p in (folder / "out").iterdir()) ==
                ["nbest_predictions.json", "predictions.json"], done.stderr)


def resumed():
    """A run that is taken up again knows its threshold, and ends with the same bits."""
    folder = GROUND.fresh()
    train(folder, "run.save_strategy=steps", "run.save_steps=10", "run.save_total_limit=9", name="whole")
    weights = {p.name: (p / "model.safetensors").read_bytes() for p in (folder / "runs/whole/checkpoints").iterdir()}
    settings = json.loads((folder / "runs/whole/last/config.json").read_text())["bertty"]
    (folder / "runs/whole/status.json").unlink()
    done = finished(["train", "--resume", "whole@10"], folder)
    COUNT.check("resumed", done.returncode == 0, done.stderr)
    again = {p.name: (p / "model.safetensors").read_bytes() for p in (folder / "runs/whole/checkpoints").iterdir()}
    COUNT.check("same bits", weights == again and len(again) == 2, (list(weights), list(again)))
    COUNT.check("same settings", json.loads((folder / "runs/whole/last/config.json").read_text())["bertty"] == settings)


def another_task():
    folder = GROUND.fresh()
    tiny_bert.experiment(folder, {"train.max_steps": 2, "eval.eval_steps": 2})
    train(folder, name="labels")
    refused("labels for SQuAD", folder, ["eval", "labels", "--data", "dev.tsv", "--squad", "out"], "does not answer questions")


if __name__ == "__main__":
    code = COUNT.run([a_run, predictions, options, data, resumed, another_task])
    GROUND.remove()
    sys.exit(code)
