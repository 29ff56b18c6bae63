#!/usr/bin/env python3
"""`bertty explain` on a tiny trained run: what it prints, which rows it takes, what it refuses."""
import json
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run

FOLDER = tempfile.TemporaryDirectory()
HERE = Path(FOLDER.name)
METHODS = "gradient integrated occlusion attention rollout".split()


def told(*words, model="films"):
    done = run("explain", model, *words, "--runs", HERE / "runs", cwd=HERE)
    assert done.returncode == 0 and not done.stderr, (words, done.returncode, done.stderr)
    return done.stdout


def explained(*words, **options):
    return [json.loads(line) for line in told(*words, "--json", **options).splitlines()]


def refused(*words, code=1, model="films"):
    """The one line on standard error."""
    done = run("explain", model, *words, "--runs", HERE / "runs", cwd=HERE)
    assert done.returncode == code and not done.stdout, (words, done.returncode, done.stdout)
    assert done.stderr.startswith("bertty: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_training():
    experiment = tiny_bert.experiment(HERE / "films", {"train.max_steps": 5})
    done = run("train", experiment, "--name", "films", "--runs", HERE / "runs", cwd=HERE)
    assert done.returncode == 0, done.stderr
    done = run("export", "films", HERE / "model", "--runs", HERE / "runs", cwd=HERE)
    assert done.returncode == 0, done.stderr


def test_text():
    for method in METHODS:
        found, = explained("--text", "a good film", "--method", method)
        assert [item["text"] for item in found["items"]] == ["[CLS]", "a", "good", "film", "[SEP]"], found
        assert found["method"] == method and found["of"] == "logit" and found["target"] in ("negative", "positive")
        lines = told("--text", "a good film", "--method", method).splitlines()
        assert lines[0] == f"logit of {found['target']}: {found['value']:.4f}"
        for item, line in zip(found["items"], lines[-5:], strict=True):
            text, score, *_ = line.split()
            assert text == item["text"] and abs(float(score) - item["score"]) < 6e-5, (line, item)
            bar = line.split(score, 1)[1]
            assert ("▇" in bar) <= (item["score"] > 0) and ("▒" in bar) <= (item["score"] < 0), line
    assert explained("--text", "a good film", model=HERE / "model")[0]["items"] == explained("--text", "a good film")[0]["items"]


def test_probability_adds_up():
    one, other = (explained("--text", "a dull plot", "--of", "probability", "--target", t, "--tolerance", "0.0001")[0]
                  for t in ("positive", "negative"))
    assert abs(one["value"] + other["value"] - 1) < 1e-5
    for a, b in zip(one["items"], other["items"], strict=True):
        assert abs(a["score"] + b["score"]) < 1e-5
    assert one["completeness_error"] <= 1e-4 and not one["capped"]


def test_capped_and_undefined():
    fixed = ("--text", "a good film", "--steps", "1", "--most-steps", "1", "--tolerance", "1e-9")
    assert "--most-steps allows no more" in told(*fixed)
    assert explained(*fixed)[0]["capped"]
    assert "nothing differs" in told("--text", "[PAD]")
    assert explained("--text", "[PAD]")[0]["completeness_error"] is None


def test_rows():
    rows = [line.rsplit("\t", 1) for line in (HERE / "films/test.tsv").read_text().splitlines()]
    found = explained("--file", HERE / "films/test.tsv", "--row", "3", "--row", "1", "--by", "word")
    assert [f["row"] for f in found] == [3, 1]
    places = [[(i["begin"], i["end"]) for i in f["items"] if "end" in i] for f in found]
    texts = [[f["items"][k + 1]["text"] for k in range(len(p))] for f, p in zip(found, places, strict=True)]
    whole = [cell for row in rows for cell in row]
    for words, place in zip(texts, places, strict=True):
        assert any([cell[a:b].lower() for a, b in place] == words for cell in whole), words
    assert len(explained("--file", HERE / "films/test.tsv", "--method", "gradient")) == 40
    (HERE / "plain.txt").write_text("a good film\nnot so \"good\"\n")
    found = explained("--file", HERE / "plain.txt", "--row", "2", "--method", "gradient", model=HERE / "model")
    assert found[0]["items"][1]["text"] == "[UNK]" and found[0]["row"] == 2
    assert "no row 3, expected a number from 1 to 2" in refused("--file", HERE / "plain.txt", "--row", "3", model=HERE / "model")
    assert "no row x" in refused("--file", HERE / "plain.txt", "--row", "x", model=HERE / "model")
    (HERE / "empty.txt").write_text("")
    refused("--file", HERE / "empty.txt", model=HERE / "model")
    refused("--file", HERE / "gone.txt", model=HERE / "model")


def test_long_and_odd_texts():
    lines = told("--text", "good " * 500, "--method", "gradient").splitlines()
    assert lines[2] == "the text was cut to 128 tokens" or "windows" in lines[2], lines[:4]
    assert explained("--text", "good " * 500, "--method", "gradient")[0]["truncated"]
    for text in ("\x1b[31mgood\x07", "\u202egood\u200b", "<&\"'>", "\U000e0041 film", "日本 film"):
        for method in METHODS:
            explained("--text", text, "--method", method)


def test_refusals():
    assert "the text is empty" in refused("--text", "")
    assert "the text is empty" in refused("--text", " \t ")
    assert 'no label "good", expected one of: negative, positive' in refused("--text", "a", "--target", "good")
    assert "whole text" in refused("--text", "a", "--word", "1")
    assert "single texts" in refused("--text", "a", "--pair", "b")
    assert "--choice is of no use" in refused("--text", "a", "--choice", "b")
    assert "from 1 to 2" in refused("--text", "a", "--method", "attention", "--layer", "9")
    assert "from 1 to 2" in refused("--text", "a", "--method", "attention", "--head", "9")
    for words in ((), ("--text", "a", "--file", "b"), ("--file", "b", "--pair", "c"), ("--text", "a", "--row", "1"),
                  ("--text", "a", "--layer", "1"), ("--text", "a", "--steps", "9", "--most-steps", "8"), ("--text", "a", "--method", "x")):
        refused(*words, code=2)
    assert "nowhere" in refused("--text", "a", model="nowhere")


if __name__ == "__main__":
    sys.exit(tiny_bert.counted([t for name, t in list(globals().items()) if name.startswith("test_")]))
