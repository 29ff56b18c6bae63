#!/usr/bin/env python3
"""Rows and labels of real data sets, with nothing given but the columns, against Python's csv module told what each file is."""
import csv
import json
import os
import subprocess
import sys
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


def main():
    passed = failed = skipped = 0
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
