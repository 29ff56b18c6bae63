#!/usr/bin/env python3
"""Aspects, multiple choice and GLUE's files: runs on a tiny model through `eval` and `predict`; what of options and data is refused."""
import csv
import json
import random
import sys

import tiny_bert
from refusal import COUNT, Ground, finished, refused

PLAIN = {"data.text_column": None, "data.label_column": None, "eval.eval_strategy": "epoch", "train.max_steps": 4}
ASPECTS = Ground({**PLAIN, "task.type": "absa", "data.train_file": "train.seg", "data.validation_file": "dev.seg"}, train=8, dev=4)
CHOICES = Ground({**PLAIN, "task.type": "multiple_choice", "data.train_file": "train.csv", "data.validation_file": "dev.csv"}, train=8, dev=4)
PAIRS = Ground({"data.text_column": "a", "data.text_pair_column": "b", "data.label_column": "y", "data.train_file": "pairs.tsv",
                "data.validation_file": "pairs.tsv", "data.header": "true", "train.max_steps": 4}, train=8, dev=4)
WORDS = tiny_bert.OTHER + tiny_bert.GOOD + tiny_bert.BAD


def some(rng, n):
    return " ".join(rng.choice(WORDS) for _ in range(n))


def segments(n, seed):
    rng, out = random.Random(seed), []
    for i in range(n):
        label = (-1, 0, 1)[i % 3]
        out.append(f"the $T$ is {some(rng, 3)} {('bad', 'so', 'good')[label + 1]}\n{rng.choice(['plot', 'cast', 'the music'])}\n{label}\n")
    return "".join(out)


def swag(path, n, seed, choices=3):
    rng = random.Random(seed)
    with open(path, "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f)
        w.writerow(["sent1", "sent2", *(f"ending{k}" for k in range(choices)), "label"])
        for _ in range(n):
            w.writerow([some(rng, 5), "it", *(some(rng, 1 + k) for k in range(choices)), rng.randrange(choices)])


def pairs(path, labels, n=24):
    rng = random.Random(3)
    path.write_text("a\tb\ty\n" + "".join(f"{some(rng, 4)}\t{some(rng, 3)}\t{labels[i % len(labels)]}\n" for i in range(n)))


def lines(words, folder, **options):
    done = finished(words, folder, **options)
    COUNT.check(" ".join(map(str, words[:3])), done.returncode == 0 and not done.stderr, done.stderr.decode()[-800:])
    return done.stdout.decode().splitlines()


def train(folder, *sets, name="run"):
    return lines(["train", "tiny.yaml", "--name", name, *(p for s in sets for p in ("--set", s))], folder)


def settings(folder, *sets):
    return ["check", "tiny.yaml", *(p for s in sets for p in ("--set", s))]


# ── aspects ──


def aspects():
    good = ASPECTS.root / "good"
    (good / "train.seg").write_text(segments(30, 1))
    (good / "dev.seg").write_text(segments(12, 2))
    train(good)
    answer = lines(["predict", "run", "--text", "the plot is bad", "--pair", "plot"], good)
    COUNT.check("one answer", len(answer) == 1 and answer[0].split("\t")[0] in ("-1", "0", "1"), answer)
    both = lines(["predict", "run", "-", "--json"], good, stdin=None, input=b"the plot is bad\tplot\nthe cast is good\tcast\n")
    COUNT.check("each line an aspect", [list(json.loads(b)["scores"]) for b in both] == [["-1", "0", "1"]] * 2, both)
    COUNT.check("the same as alone", abs(json.loads(both[0])["scores"][answer[0].split("\t")[0]] - float(answer[0].split("\t")[1])) < 1e-4, both)
    rows = json.loads(lines(["eval", "run", "--data", "dev.seg", "--json"], good)[-1])
    COUNT.check("eval", rows["rows"] == 12 and "f1_macro" in rows["metrics"], rows)
    out = "\n".join(lines(settings(good), good))
    COUNT.check("check tells the labels", "labels     3" in out and "semeval: 30 records" in out, out)


def bad_aspects():
    folder = ASPECTS.fresh()
    refused("no pair", folder, ["predict", "run", "--text", "good"], "pairs: --pair is missing")
    refused("no tab", folder, ["predict", "run", "-"], "standard input:1: no tab", stdin=None, input=b"good film\n")
    for name, text, said in (("two lines", "the $T$\nplot\n", ":1: the record has 2 lines, expected 3"),
                             ("no aspect", segments(3, 1) + "the $T$\n \n1\n", ":11: the aspect is empty"),
                             ("label", segments(3, 1) + "the $T$\nplot\n2\n", ":12: label '2', expected -1, 0 or 1")):
        (folder / "bad.seg").write_text(text)
        for command in (settings(folder, "data.train_file=bad.seg", "data.format=semeval"), ["eval", "run", "--data", "bad.seg", "--format", "semeval"]):
            refused(f"{command[0]}: {name}", folder, command, "bad.seg" + said)
    (folder / "bad.tsv").write_text("text\taspect\tlabel\nthe plot\tplot\tx\nthe plot\t\ty\n")
    columns = ["data.train_file=bad.tsv", "data.text_column=text", "data.aspect_column=aspect", "data.label_column=label"]
    refused("a table's empty aspect", folder, settings(folder, *columns, "eval.eval_strategy=no", "data.validation_file=null"),
            "bad.tsv:3: no aspect, expected one")
    refused("no label column", folder, settings(folder, *columns[:3]), "data.label_column", "missing")
    refused("no aspect column", folder, settings(folder, *columns[:2], columns[3]), "data.aspect_column", "missing")
    refused("no columns at all", folder, settings(folder, columns[0]), "no text column given")
    refused("a pair", folder, settings(folder, "data.text_pair_column=2"), "data.text_pair_column", "absa has no second text")
    refused("absa_format of another task", folder, settings(folder, "task.type=classification", "task.absa_format=qa_m", "data.text_column=1", "data.label_column=2"),
            "task.absa_format", "needs task.type: absa")
    refused("an unknown format", folder, settings(folder, "task.absa_format=qa_b"), "task.absa_format", "spc, nli_m or qa_m")


# ── choices ──


def choices():
    good = CHOICES.root / "good"
    swag(good / "train.csv", 30, 1)
    swag(good / "dev.csv", 12, 2)
    train(good)
    words = ["--choice", "it was good", "--choice", "a\tb\nc", "--choice", "it was good"]
    text = lines(["predict", "run", "--text", "the film", *words], good)
    COUNT.check("one line", len(text) == 1 and text[0].split("\t")[0] in ("it was good", "a b c"), text)
    found = json.loads(lines(["predict", "run", "--text", "the film", *words, "--json"], good)[0])
    COUNT.check("a score for each, also where two are the same", len(found["scores"]) == len(found["logits"]) == 3
                and found["scores"][0] == found["scores"][2] and abs(sum(found["scores"]) - 1) < 1e-5, found)
    many = b"a\tgood\tbad\na\tgood\tbad\tso\tof\na\tgood\tbad\n"
    rows = [json.loads(x) for x in lines(["predict", "run", "-", "--json"], good, stdin=None, input=many)]
    COUNT.check("as many as a line likes", [len(r["scores"]) for r in rows] == [2, 4, 2] and rows[0] == rows[2], rows)
    result = json.loads(lines(["eval", "run", "--data", "dev.csv", "--json"], good)[-1])
    COUNT.check("eval", result["rows"] == 12 and set(result["metrics"]) == {"loss", "accuracy"}, result)
    file = next((good / "runs/run/predictions").iterdir())
    row = json.loads(file.read_text().splitlines()[0])
    COUNT.check("rows", list(row["scores"]) == ["0", "1", "2"] and row["correct"] == (row["gold"] == row["prediction"])
                and row["choice"].startswith("it ") and "gold_choice" in row, row)
    COUNT.check("the data map", len((good / "runs/run/dynamics/epoch-1.jsonl").read_text().splitlines()) <= 30, "")


def bad_choices():
    folder = CHOICES.fresh()
    refused("no choices", folder, ["predict", "run", "--text", "good"], "expected --choice for each")
    refused("a pair", folder, ["predict", "run", "--text", "good", "--pair", "x", "--choice", "a", "--choice", "b"], "no --pair")
    refused("one choice", folder, ["predict", "run", "--text", "good", "--choice", "a"], "at least two", code=2)
    refused("choices without a text", folder, ["predict", "run", "--choice", "a", "--choice", "b"], "without --text", code=2)
    done = finished(["predict", "run", "-"], folder, stdin=None, input=b"a\tb\tc\na\tb\n")
    COUNT.check("a line with one choice", done.returncode == 1 and b"standard input:2: 1 tab in the line, expected TEXT<tab>CHOICE" in done.stderr
                and done.stdout.count(b"\n") == 1, (done.stdout, done.stderr))
    head = "sent1,sent2,ending0,ending1,label\na,b,c,d,1\n"
    for name, text, said in (("label", head + "a,b,c,d,2\n", ":3: label '2', expected 0 … 1"), ("text label", head + "a,b,c,d,x\n", ":3: label 'x'"),
                             ("ragged", head + "a,b,c\n", ":3: found 3 columns"), ("no label", head + "a,b,c,d,\n", ":3:"),
                             ("no label column", "sent1,sent2,ending0,ending1\na,b,c,d\n", "no label")):
        (folder / "bad.csv").write_text(text)
        for command in (settings(folder, "data.train_file=bad.csv"), ["eval", "run", "--data", "bad.csv"]):
            refused(f"{command[0]}: {name}", folder, command, "bad.csv", said)
    (folder / "bad.jsonl").write_text('{"q":"a","o":["b","c"],"y":0}\n{"q":"a","o":["b","c","d"],"y":0}\n')
    table = ["data.train_file=bad.jsonl", "data.text_column=q", "data.choice_columns=o", "data.label_column=y"]
    refused("another number", folder, settings(folder, *table), "bad.jsonl:2: 3 choices, expected 2")
    (folder / "two.csv").write_text(head)
    refused("another number in another file", folder, settings(folder, "data.train_file=[train.csv, two.csv]"), "two.csv:2: 2 choices, expected 3")
    refused("labels", folder, settings(folder, "task.labels=[a, b]"), "task.labels", "no labels")
    refused("a metric", folder, settings(folder, "eval.metric_for_best_model=f1"), "not a metric of multiple_choice")
    folder = ASPECTS.fresh()
    refused("choices of a run that has none", folder, ["predict", "run", "--text", "a", "--choice", "a", "--choice", "b"], "--choice is of no use")


# ── GLUE ──


def glue_of(folder, run, name, *more, data="test.tsv"):
    lines(["eval", run, "--data", data, "--glue", name, *more], folder)
    rows = [r.split("\t") for r in (folder / name).read_text().splitlines()]
    COUNT.check(f"{name}: head", rows[0] == ["index", "prediction"], rows[0])
    return rows[1:]


def glue():
    good = PAIRS.root / "good"
    for run, labels in (("nli", ["neutral", "entailment", "contradiction"]), ("numbers", ["1", "0"]), ("named", ["bad", "good"])):
        pairs(good / "pairs.tsv", labels)
        train(good, name=run)
    pairs(good / "numbers.tsv", ["0.5", "4", "5.5"])
    train(good, "task.type=regression", "data.train_file=numbers.tsv", "data.validation_file=numbers.tsv", "optim.learning_rate=0.05", name="scale")
    pairs(good / "pairs.tsv", ["1", "0"])
    (good / "test.tsv").write_text("index\ta\tb\n" + "".join(f"{i}\t{a}\t{b}\n" for i, (a, b) in enumerate(
        line.split("\t")[:2] for line in (good / "pairs.tsv").read_text().splitlines()[1:])))
    said = {run: [json.loads(x) for x in lines(["predict", run, "-", "--json"], good, stdin=None, input=b"".join(
        b"\t".join(r.split(b"\t")[1:]) + b"\n" for r in (good / "test.tsv").read_bytes().splitlines()[1:]))] for run in ("nli", "numbers", "named", "scale")}
    for run, name, value in (("nli", "MNLI-m.tsv", lambda a: a["label"]), ("numbers", "CoLA.tsv", lambda a: a["label"]),
                             ("named", "SST-2.tsv", lambda a: str(["bad", "good"].index(a["label"]))),
                             ("scale", "STS-B.tsv", lambda a: f"{min(max(a['value'], 0), 5):.3f}")):
        found = glue_of(good, run, name, "--unlabelled")
        COUNT.check(f"{name}: the rows of predict, numbered from 0", [(str(i), value(a)) for i, a in enumerate(said[run])]
                    == [tuple(r) for r in found] or run == "scale", found[:3])
        if run == "scale":
            COUNT.check("STS-B.tsv: values", all(abs(float(r[1]) - float(value(a))) < 2e-3 for r, a in zip(found, said[run], strict=True)), found)
    with_metrics = glue_of(good, "numbers", "QQP.tsv", data="pairs.tsv")
    COUNT.check("with labels: metrics too", len(with_metrics) == 24, with_metrics[:2])
    out = lines(["eval", "numbers", "--data", "pairs.tsv", "--glue", "QQP.tsv", "--json"], good)
    COUNT.check("with labels: accuracy", "accuracy" in json.loads(out[-1])["metrics"], out)


def bad_glue():
    folder = PAIRS.fresh()
    for run, name, said in (("nli", "mnli.tsv", "not a file of GLUE's, expected CoLA.tsv"), ("nli", "SST-2.tsv", "3 labels, expected 2"),
                            ("named", "RTE.tsv", 'label "bad" is not one of GLUE\'s (entailment, not_entailment)'),
                            ("nli", "STS-B.tsv", "for task.type: regression"), ("scale", "QNLI.tsv", "for task.type: classification")):
        refused(f"{run} as {name}", folder, ["eval", run, "--data", "test.tsv", "--glue", name, "--unlabelled"], name.split(".")[0], said)
    refused("no directory", folder, ["eval", "nli", "--data", "test.tsv", "--glue", "no/RTE/AX.tsv", "--unlabelled"], "no/RTE")
    refused("labels wanted", folder, ["eval", "nli", "--data", "test.tsv", "--glue", "AX.tsv"], "test.tsv", "no column 'y'")
    refused("unlabelled alone", folder, ["eval", "nli", "--data", "test.tsv", "--unlabelled"], "without --glue", code=2)
    refused("two files", folder, ["eval", "nli", "--data", "test.tsv", "--data", "pairs.tsv", "--glue", "AX.tsv"], "one file of data", code=2)


if __name__ == "__main__":
    CODE = COUNT.run([aspects, bad_aspects, choices, bad_choices, glue, bad_glue])
    for ground in (ASPECTS, CHOICES, PAIRS):
        ground.remove()
    sys.exit(CODE)
