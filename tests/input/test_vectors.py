#!/usr/bin/env python3
"""`bertty context` and `bertty neighbours` on a tiny trained run: what they print, what they keep, what they refuse."""
import json
import os
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run

FOLDER = tempfile.TemporaryDirectory()
HERE = Path(FOLDER.name)
CACHE = HERE / "cache/bertty/vectors"


def asked(command, *words, model="films", code=0):
    done = run(command, model, *words, "--runs", HERE / "runs", cwd=HERE, env={**os.environ, "XDG_CACHE_HOME": str(HERE / "cache")})
    assert done.returncode == code, (words, done.returncode, done.stderr)
    if code == 0:
        assert not done.stderr, done.stderr
        return done.stdout
    assert not done.stdout and done.stderr.startswith("bertty: ") and done.stderr.count("\n") == 1, done
    return done.stderr


def objects(command, *words, **options):
    return [json.loads(line) for line in asked(command, *words, "--json", **options).splitlines()]


def test_training():
    experiment = tiny_bert.experiment(HERE / "films", {"train.max_steps": 5})
    done = run("train", experiment, "--name", "films", "--runs", HERE / "runs", cwd=HERE)
    assert done.returncode == 0, done.stderr
    done = run("export", "films", HERE / "model", "--runs", HERE / "runs", cwd=HERE)
    assert done.returncode == 0, done.stderr


def test_context():
    words = ("--text", "a good film and a dull plot", "--with", "a good plot", "--word", "Good")
    found, = objects("context", *words)
    assert found["word"] == found["with_word"] == "good" and not found["truncated"]
    lines = asked("context", *words).splitlines()
    assert lines[0] == "good and good" and lines[1].split() == ["layer", "cosine", "usual", "nearest"]
    for i, (line, layer) in enumerate(zip(lines[2:], found["layers"], strict=True)):
        name, cosine, usual, *_ = line.split()
        assert name == (str(i) if i else "embeddings") and layer["layer"] == i
        assert abs(float(cosine) - layer["cosine"]) <= 6e-4 and abs(float(usual) - layer["usual"]) <= 6e-4
        assert line.split()[-2:] == [layer["nearest"], f"{layer['nearest_cosine']:.3f}"]
    same, = objects("context", "--text", "a good film", "--with", "a good film", "--word", "film")
    assert all(abs(layer["cosine"] - 1) < 1e-9 and layer["nearest"] == "film" for layer in same["layers"])
    alone, = objects("context", "--text", "film", "--with", "plot", "--word", "film", "--with-word", "plot")
    assert all(layer["usual"] is None for layer in alone["layers"])
    again, = objects("context", "--text", "a film and a plot", "--word", "a")
    third, = objects("context", "--text", "a film and a plot", "--word", "a", "--with-nth", "2")
    assert again == third and again["layers"][1]["cosine"] < 1
    assert objects("context", *words, model=HERE / "model") == [found]


def test_context_refusals():
    assert "the text has no word 'moon'; its words are: a good film" in asked("context", "--text", "a good film", "--word", "moon", code=1)
    assert "the word 'good' 1 time only" in asked("context", "--text", "a good film", "--word", "good", code=1)
    assert "the text is empty" in asked("context", "--text", " ", "--word", "good", code=1)
    assert "expected --text and --word" in asked("context", "--text", "good", code=2)
    long = " ".join(["film"] * 600)
    found, = objects("context", "--text", long, "--with", "a film", "--word", "film")
    assert found["truncated"]


def test_neighbours():
    rows = [line.split("\t") for line in (HERE / "films/train.tsv").read_text().splitlines()][1:]
    text = rows[3][0]
    found = objects("neighbours", "--text", text, "-k", "5")
    cosines = [x["cosine"] for x in found]
    assert len(found) == 5 and cosines == sorted(cosines, reverse=True) and abs(cosines[0] - 1) < 1e-5
    for x in found:
        near = x["neighbour"]
        assert [near["text"], near["label"]] == rows[near["row"] - 1] and near["line"] == near["row"] + 1, near
    lines = asked("neighbours", "--text", text, "-k", "5").splitlines()
    assert lines[0] == f"5 nearest of {len(rows)} rows of train" and lines[1].split() == ["cosine", "row", "label", "text"]
    assert [int(line.split()[1]) for line in lines[2:7]] == [x["neighbour"]["row"] for x in found]
    labels = [x["neighbour"]["label"] for x in found]
    first = max(labels, key=labels.count)
    assert lines[7].startswith(f"labels: {first} {labels.count(first)}")


def test_cache():
    kept = list(CACHE.iterdir())
    assert len(kept) == 1 and kept[0].stat().st_mode & 0o77 == 0
    before = objects("neighbours", "--text", "a good film")
    for damage in (lambda b: b[:-1], lambda b: b[:200] + bytes([b[200] ^ 1]) + b[201:], lambda b: b""):
        kept[0].write_bytes(damage(kept[0].read_bytes()))
        assert objects("neighbours", "--text", "a good film") == before  # made again
    other = HERE / "other.txt"
    for i in range(18):
        other.write_text(f"text\tlabel\na good film\tpositive\na dull plot {'x' * i}\tnegative\n")
        objects("neighbours", "--in", other, "--text", "a plot")
    assert len(list(CACHE.iterdir())) == 16


def test_across():
    other = HERE / "twins.tsv"
    head, *rows = (HERE / "films/test.tsv").read_text().splitlines()
    other.write_text("\n".join([head, rows[1], *rows[:3], rows[0]]) + "\n")
    *pairs, last = objects("neighbours", "--in", other, "--across", other, "--min", "0.99999")
    same = {(p["row"]["row"], p["neighbour"]["row"]) for p in pairs}
    assert {(1, 3), (2, 5)} <= same and last["near"] == len(pairs), pairs
    lines = asked("neighbours", "--in", other, "--across", other, "--min", "0.99999").splitlines()
    assert lines[0].startswith(f"{len(pairs)} ") and len(lines) == len(pairs) + 2
    assert asked("neighbours", "--in", other, "--across", other, "--min", "1", "-k", "1").splitlines()[0].split()[0].isdigit()
    *pairs, last = objects("neighbours", "--across", "validation", "--min", "-1")
    assert len(pairs) == last["rows"] == last["near"]


def test_refusals():
    assert "expected --text or --across" in asked("neighbours", code=2)
    assert "not both" in asked("neighbours", "--text", "a", "--across", "train", code=2)
    assert "it has no training data: expected --in FILE" in asked("neighbours", "--text", "a", model=HERE / "model", code=1)
    assert "nowhere.tsv" in asked("neighbours", "--text", "a", "--in", "nowhere.tsv", code=1)
    (HERE / "empty.tsv").write_text("")
    asked("neighbours", "--text", "a", "--in", HERE / "empty.tsv", code=1)


if __name__ == "__main__":
    sys.exit(tiny_bert.counted([t for name, t in list(globals().items()) if name.startswith("test_")]))
