#!/usr/bin/env python3
"""Writes train.json and dev.json in the format of SQuAD 2.0 from the SQuAD 1.1 file among the shared data.

    make_unanswerable.py FOLDER --shared DIR

Every third question becomes impossible: it gets a copy of its paragraph without the sentences that hold its answer (where
something is left of it then). dev.json comes from the last eight articles, train.json from the first others."""
import argparse
import json
import re
from pathlib import Path

SOURCE = "data/squad/train-v1.1.du-test-split.json"
TRAIN, DEV, DEV_ARTICLES = 3000, 600, 8


def without(context, answer):
    """The context without the sentences in which the answer stands, or None if nothing is left or it still stands there."""
    kept = " ".join(s for s in re.split(r"(?<=[.!?])\s+", context) if answer not in s)
    return kept if len(kept.split()) > 20 and answer.lower() not in kept.lower() else None


def paragraph(context, questions, number):
    """Questions that keep their answers, and a paragraph for each one that loses it."""
    answerable, impossible = [], []
    for q in questions:
        number += 1
        bare = without(context, q["answers"][0]["text"]) if number % 3 == 0 else None
        if bare is None:
            answerable.append({**q, "is_impossible": False})
        else:
            lost = {"question": q["question"], "id": q["id"], "answers": [], "is_impossible": True, "plausible_answers": []}
            impossible.append({"context": bare, "qas": [lost]})
    return ([{"context": context, "qas": answerable}] if answerable else []) + impossible, number


def changed(articles, limit):
    number, out = 0, []
    for article in articles:
        made = []
        for p in article["paragraphs"]:
            if number >= limit:
                break
            some, number = paragraph(p["context"], p["qas"][:limit - number], number)
            made += some
        if made:
            out.append({"title": article["title"], "paragraphs": made})
    return {"version": "v2.0", "data": out}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shared", type=Path, required=True)
    a = parser.parse_args()
    articles = json.loads((a.shared / SOURCE).read_text(encoding="utf-8"))["data"]
    for name, some, limit in (("train.json", articles[:-DEV_ARTICLES], TRAIN), ("dev.json", articles[-DEV_ARTICLES:], DEV)):
        (a.folder / name).write_text(json.dumps(changed(some, limit), ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
