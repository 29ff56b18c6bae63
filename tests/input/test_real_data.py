#!/usr/bin/env python3
"""Rows and labels of real data sets, with nothing given but the columns, against Python's csv module told what each file is."""
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

BERTTY = os.environ["BERTTY"]
DATA = Path(os.environ["BT_SHARED"]) / "data"
TAB = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
COMMA = {"delimiter": ","}
# file, how Python reads it, header, text, pair, label (column numbers from 1; 0: none)
FILES = [
    ("sst2/train.tsv", TAB, False, 1, 0, 2),
    ("sst2/dev.tsv", TAB, False, 1, 0, 2),
    ("mrpc/msr_paraphrase_train.txt", TAB, True, 4, 5, 1),
    ("stsb/sts-train.csv", TAB, False, 6, 7, 5),
    ("stsb/sts-dev.csv", TAB, False, 6, 7, 5),
    ("cola/in_domain_train.tsv", TAB, False, 4, 0, 2),
    ("cola/in_domain_dev.tsv", TAB, False, 4, 0, 2),
    ("rte/train.tsv", TAB, True, 2, 3, 4),
    ("rte/dev.tsv", TAB, True, 2, 3, 4),
    ("ag_news_subset/train.csv", COMMA, False, 1, 0, 2),
    ("ag_news_subset/dev.csv", COMMA, False, 1, 0, 2),
    ("chnsenticorp/dev.tsv", TAB, True, 2, 0, 1),
    ("vader/movieReviewSnippets_GroundTruth.txt", TAB, False, 3, 0, 2),
    ("vader/amazonReviewSnippets_GroundTruth.txt", TAB, False, 3, 0, 2),
]


def as_python_reads(path, how, header):
    csv.field_size_limit(1 << 30)
    with open(path, encoding="utf-8-sig", newline="") as f:
        rows = [row for row in csv.reader(f, **how) if row]
    return rows[1:] if header else rows


def as_bertty_reads(path, text, pair, label):
    command = [BERTTY, "data", path, "--json", "--text", str(text), "--label", str(label)]
    done = subprocess.run(command + (["--pair", str(pair)] if pair else []), capture_output=True)
    if done.returncode != 0:
        return {"rows": done.stderr.decode()}
    return json.loads(done.stdout.splitlines()[0])


def expected(rows, text, pair, label):
    inputs = [(row[text - 1], row[pair - 1] if pair else "") for row in rows]
    lengths = sorted(len(a) + len(b) for a, b in inputs)
    return {"rows": len(rows), "labels": dict(Counter(row[label - 1] for row in rows)),
            "duplicates": len(rows) - len(set(inputs)), "shortest": lengths[0], "longest": lengths[-1],
            "median": lengths[(len(rows) + 1) // 2 - 1]}


def words(path):
    sentences, now = [], []
    for line in open(path, encoding="utf-8", newline="\n"):
        cells = line.rstrip("\n").split("\t" if "wnut" in str(path) else " ")
        if not line.strip(" \t\n") or cells[0] == "-DOCSTART-":
            sentences, now = sentences + [now] * bool(now), []
        else:
            now.append((cells[0], cells[-1]))
    sentences += [now] * bool(now)
    tags = Counter(tag for s in sentences for _, tag in s)
    return {"rows": len(sentences), "total_parts": sum(map(len, sentences)), "labels": dict(tags),
            "duplicates": len(sentences) - len({tuple(w for w, _ in s) for s in sentences})}


def questions(path):
    rows = [(p["context"], q) for a in json.load(open(path, encoding="utf-8"))["data"] for p in a["paragraphs"] for q in p["qas"]]
    off = sum(c[a["answer_start"]:a["answer_start"] + len(a["text"])] != a["text"] for c, q in rows for a in q["answers"])
    return {"rows": len(rows), "total_parts": sum(len(q["answers"]) for _, q in rows), "misaligned": off,
            "impossible": sum(not q["answers"] for _, q in rows), "longest": max(len(c) + len(q["question"]) for c, q in rows),
            "duplicates": len(rows) - len({(c, q["question"]) for c, q in rows})}


def aspects(path):
    lines = open(path, encoding="utf-8", newline="\n").read().split("\n")
    rows = [(lines[i].replace("$T$", lines[i + 1].strip(" \t")), lines[i + 1].strip(" \t"), lines[i + 2].strip()) for i in range(0, len(lines) - 2, 3)]
    return {"rows": len(rows), "labels": dict(Counter(r[2] for r in rows)), "unmarked": 0, "longest": max(len(a) + len(b) for a, b, _ in rows),
            "duplicates": len(rows) - len({r[:2] for r in rows}), "aspects": dict(Counter(r[1] for r in rows))}


def coarse(path):
    rows = [line.rstrip("\n").split(" ", 1) for line in open(path, encoding="utf-8", newline="\n")]
    return {"rows": len(rows), "labels": dict(Counter(r[0].split(":")[0] for r in rows)), "longest": max(len(r[1]) for r in rows),
            "duplicates": len(rows) - len({r[1] for r in rows})}


def fine(path):
    rows = [line.rstrip("\n").split(" ", 1) for line in open(path, encoding="utf-8", newline="\n")]
    return {"rows": len(rows), "labels": dict(Counter(r[0] for r in rows))}


TREC = "data: {train_file: %s, delimiter: ' ', text_column: 2-, label_column: 1%s}\nmodel: {name_or_path: none}\n"
# file, what Python finds in it, an experiment file that names it (None: bertty finds out by itself)
OTHERS = [
    ("conll2003/eng.train", words, None), ("conll2003/eng.testa", words, None),
    ("wnut17/wnut17train.conll", words, None), ("wnut17/emerging.dev.conll", words, None),
    ("squad/train-v1.1.du-test-split.json", questions, None), ("xquad/xquad.en.json", questions, None),
    ("xquad/xquad.zh.json", questions, None), ("policyqa/dev.json", questions, None),
    ("absa_semeval14/Laptops_Train.xml.seg", aspects, None), ("absa_semeval14/Restaurants_Train.xml.seg", aspects, None),
    ("trec/train_5500.label", coarse, TREC.replace("1%s", "1, label_until: ':'%s")), ("trec/train_5500.label", fine, TREC),
    ("trec/train_5500.label", fine, None),
]
KNOWN = {"conll2003/eng.train": 14041, "conll2003/eng.testa": 3250, "wnut17/wnut17train.conll": 3394, "wnut17/emerging.dev.conll": 1009,
         "squad/train-v1.1.du-test-split.json": 11877, "xquad/xquad.en.json": 1190, "xquad/xquad.zh.json": 1190, "policyqa/dev.json": 3809,
         "absa_semeval14/Laptops_Train.xml.seg": 2328, "absa_semeval14/Restaurants_Train.xml.seg": 3608, "trec/train_5500.label": 5452}


def found_alone(path, experiment):
    with tempfile.TemporaryDirectory() as folder:
        file = path
        if experiment:
            file = Path(folder) / "x.yaml"
            file.write_text(experiment % (path, ""))
        done = subprocess.run([BERTTY, "data", file, "--json"], capture_output=True)
    if done.returncode != 0:
        return {"rows": done.stderr.decode()}
    got = json.loads(done.stdout.splitlines()[0])
    got["labels"] = {l["label"]: l["rows"] for l in got["labels"]}
    got["aspects"] = {a["name"]: a["rows"] for a in got.get("aspects", [])}
    got["longest"] = got["characters"]["max"]
    return got


def compare(name, got, want):
    wrong = [k for k in want if got.get(k) != want[k]]
    if wrong:
        print(f"{name}: " + ", ".join(f"{k}: found {str(got.get(k))[:100]}, expected {str(want[k])[:100]}" for k in wrong))
    return not wrong


def main():
    passed = failed = skipped = 0
    for name, python, experiment in OTHERS:
        path = DATA / name
        if not path.exists():
            skipped += 1
            continue
        want = python(path)
        ok = compare(name, found_alone(path, experiment), want) and compare(name, want, {"rows": KNOWN[name]})
        passed, failed = passed + ok, failed + (not ok)
    for name, how, header, *columns in FILES:
        path = DATA / name
        if not path.exists():
            skipped += 1
            continue
        want, got = expected(as_python_reads(path, how, header), *columns), as_bertty_reads(path, *columns)
        if "labels" in got:
            got = {"rows": got["rows"], "labels": {l["label"]: l["rows"] for l in got["labels"]},
                   "duplicates": got["duplicates"], "shortest": got["characters"]["min"],
                   "longest": got["characters"]["max"], "median": got["characters"]["p50"]}
        passed, failed = passed + (got == want), failed + (got != want)
        if got != want:
            print(f"{name}: " + ", ".join(f"{k}: found {str(got.get(k))[:100]}, expected {str(want[k])[:100]}"
                                          for k in want if got.get(k) != want[k]))
    if not passed and not failed:
        print(f"{DATA} is missing")
        return 77
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
