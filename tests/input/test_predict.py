#!/usr/bin/env python3
"""`bertty eval` and `bertty predict` on tiny trained runs: what they print, which model and settings they take, what they refuse."""
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run

FOLDER = tempfile.TemporaryDirectory()
HERE = Path(FOLDER.name)
LABELS = ["negative", "positive"]
RESULT = {}  # of the run "films"


def trained(name, options):
    """A run in HERE/runs; the result that train tells."""
    experiment = tiny_bert.experiment(HERE / name, options)
    done = run("train", experiment, "--name", name, "--runs", HERE / "runs", "--json", cwd=HERE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def told(*words, **options):
    done = run(*words, "--runs", HERE / "runs", cwd=HERE, **options)
    assert done.returncode == 0 and not done.stderr, (words, done.returncode, done.stderr)
    return done.stdout


def refused(*words, code=1, **options):
    """The one line on standard error."""
    done = run(*words, "--runs", HERE / "runs", cwd=HERE, **options)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    assert done.stderr.startswith("bertty: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def evaluated(*words):
    return json.loads(told("eval", *words, "--json").splitlines()[-1])


def test_training():
    RESULT.update(trained("films", {}))
    (HERE / "pairs.tsv").write_text("".join(f"{text}\tthe film\t{label}\n" for text, label in tiny_bert.sentences(80, 5)))
    trained("pairs", {"data.train_file": "../pairs.tsv", "data.validation_file": None, "data.header": "false", "data.text_column": "1",
                      "data.text_pair_column": "2", "data.label_column": "3", "train.max_steps": 3,
                      "eval.eval_strategy": "no"})


def test_eval_takes_the_runs_own_settings():
    test = HERE / "films/test.tsv"
    result = evaluated("films", "--data", test)
    assert list(result) == ["rows", "metrics", "tokens_per_s"], result
    assert result["rows"] == 40 and result["tokens_per_s"] > 0
    assert list(result["metrics"])[:6] == ["loss", "accuracy", "f1", "f1_macro", "f1_micro", "mcc"], result
    assert {"f1_weighted", "auc", "ece", "brier", "log_loss"} < set(result["metrics"]), result
    assert 0 <= result["metrics"]["accuracy"] <= 1 and result["metrics"]["loss"] > 0
    assert evaluated("films", "--data", test, "--data", test)["rows"] == 80


def test_eval_finds_what_training_found():
    for which in "best", "last":
        told_then = RESULT[which]["metrics"]
        now = evaluated(f"films@{which}", "--data", HERE / "films/dev.tsv")["metrics"]
        assert set(told_then) == {"loss", "accuracy", "f1", "f1_macro", "f1_micro", "mcc"}, told_then
        assert all(abs(now[k] - told_then[k]) < 1e-5 for k in told_then), (now, told_then)


def test_which_checkpoint():
    test = HERE / "films/test.tsv"
    steps = sorted(p.name for p in (HERE / "runs/films/checkpoints").iterdir())
    assert len(steps) == 2, steps
    losses = [evaluated(f"films@{int(s[5:])}", "--data", test)["metrics"]["loss"] for s in steps]
    assert losses[0] != losses[1]
    for which in "best", "last":
        at = losses[steps.index((HERE / "runs/films" / which).resolve().name)]
        for name in f"films@{which}", HERE / "runs/films" / which:  # a checkpoint's own path knows its run's settings
            assert evaluated(name, "--data", test)["metrics"]["loss"] == at, name
    best = (HERE / "runs/films/best").resolve()
    assert evaluated("films", "--data", test)["metrics"] == evaluated(best, "--data", test)["metrics"]


def test_eval_columns_by_option():
    rows = [line.split("\t") for line in (HERE / "films/test.tsv").read_text().splitlines()[1:]]
    other = HERE / "other.csv"
    other.write_text("".join(f"{label},{text}\n" for text, label in rows))
    expected = evaluated("films", "--data", HERE / "films/test.tsv")["metrics"]
    assert evaluated("films", "--data", other, "--text", "2", "--label", "1", "--header", "false")["metrics"] == expected
    lines = HERE / "other.jsonl"
    lines.write_text("".join(json.dumps({"y": label, "x": text}) + "\n" for text, label in rows))
    assert evaluated("films", "--data", lines, "--text", "x", "--label", "y")["metrics"] == expected
    alone = HERE / "alone"
    alone.mkdir()
    for file in (HERE / "runs/films/best").resolve().iterdir():
        (alone / file.name).write_bytes(file.read_bytes())
    assert evaluated(alone, "--data", lines, "--text", "x", "--label", "y")["metrics"] == expected
    assert "--text and --label" in refused("eval", alone, "--data", lines)


def test_eval_for_people():
    text = told("eval", "films", "--data", HERE / "films/test.tsv")
    for word in ("films at step", "40 rows", "accuracy", "f1_macro", "precision", "recall", "gold \\ predicted", *LABELS):
        assert word in text, (word, text)


def test_predict_one_and_many():
    texts = [text for text, _ in tiny_bert.sentences(600, 9)]  # more than one chunk
    texts[3] = ""
    file = HERE / "texts.txt"
    file.write_text("\n".join(texts))  # no final newline
    answers = [json.loads(line) for line in told("predict", "films", file, "--json").splitlines()]
    assert len(answers) == 600
    for a in answers:
        assert list(a) == ["label", "scores", "logits"] and list(a["scores"]) == LABELS, a
        assert a["label"] == max(a["scores"], key=a["scores"].get) and abs(sum(a["scores"].values()) - 1) < 1e-5, a
    for i in 0, 3, 511, 512, 599:
        one = json.loads(told("predict", "films", "--text", texts[i], "--json"))
        assert one["label"] == answers[i]["label"] and abs(one["logits"][0] - answers[i]["logits"][0]) < 1e-5, (i, one)
    lines = told("predict", "films", file).splitlines()
    assert [line.split("\t")[0] for line in lines] == [a["label"] for a in answers]
    assert abs(float(lines[0].split("\t")[1]) - max(answers[0]["scores"].values())) < 1e-4
    assert told("predict", "films", input=file.read_text(), stdin=None).splitlines() == lines
    assert told("predict", "films", "-", input="", stdin=None) == ""


def test_predict_answers_while_the_pipe_is_open():
    command = [os.environ["BERTTY"], "predict", "films", "--runs", HERE / "runs"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        for text in "a good film", "a bad film":
            p.stdin.write(text + "\n")
            p.stdin.flush()
            assert p.stdout.readline().split("\t")[0] in LABELS
        p.send_signal(signal.SIGINT)
        assert p.wait(20) == 130, p.returncode


def test_predict_pairs():
    file = HERE / "pairs.txt"
    file.write_text("good film\tthe film\nbad film\t\n")
    one, two = [json.loads(line) for line in told("predict", "pairs", file, "--json").splitlines()]
    assert one["logits"] != two["logits"]
    again = json.loads(told("predict", "pairs", "--text", "good film", "--pair", "the film", "--json"))
    assert abs(again["logits"][0] - one["logits"][0]) < 1e-5
    assert evaluated("pairs", "--data", HERE / "pairs.tsv")["rows"] == 80
    file.write_text("good film\tthe film\nbad film\n")
    assert f"{file}:2:" in refused("predict", "pairs", file)
    assert "--pair is missing" in refused("predict", "pairs", "--text", "good film")
    assert "trained on single texts" in refused("predict", "films", "--text", "good", "--pair", "film")


def test_what_is_refused():
    test = HERE / "films/test.tsv"
    assert "classifier" in refused("predict", HERE / "films/model", "--text", "good")
    assert "model.safetensors" in refused("eval", HERE / "films/model", "--data", test, "--text", "text", "--label", "label")
    assert "nothere" in refused("predict", "nothere", "--text", "good")
    assert "99" in refused("predict", "films@99", "--text", "good")
    assert "--data" in refused("eval", "films", code=2)
    assert "--pair" in refused("predict", "films", "--pair", "x", code=2)
    assert "FILE" in refused("predict", "films", test, "--text", "x", code=2)
    assert "--delimiter" in refused("eval", "films", "--data", test, "--delimiter", "ab", code=2)
    assert "'nocolumn'" in refused("eval", "films", "--data", test, "--label", "nocolumn")
    bad = HERE / "bad.tsv"
    bad.write_text("text\tlabel\ngood film\tpositive\nbad film\tterrible\n")
    message = refused("eval", "films", "--data", bad)
    assert f"{bad}:3:" in message and '"terrible"' in message and '"negative", "positive"' in message, message
    bad.write_text("text\tlabel\n")
    assert str(bad) in refused("eval", "films", "--data", bad)
    os.mkfifo(HERE / "fifo")
    for path in HERE, HERE / "fifo", "/dev/zero", HERE / "missing":
        assert str(path) in refused("predict", "films", path)
        assert str(path) in refused("eval", "films", "--data", path)


def test_damaged_weights():
    weights = HERE / "alone/model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:len(whole) // 2])
    assert str(weights) in refused("predict", HERE / "alone", "--text", "good")
    weights.write_bytes(whole)
    config = json.loads((HERE / "alone/config.json").read_text())
    config["id2label"] = {"0": "a", "1": "b", "2": "c"}
    (HERE / "alone/config.json").write_text(json.dumps(config))
    message = refused("predict", HERE / "alone", "--text", "good")
    assert "2 outputs" in message and "says 3" in message, message


def test_the_reader_goes_away():
    texts = "a good film\n" * 3000
    p = subprocess.Popen([os.environ["BERTTY"], "predict", "films", "--runs", HERE / "runs"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.close()
    try:
        p.communicate(texts.encode(), timeout=60)
    except BrokenPipeError:
        p.wait(60)
    assert p.returncode == 0, p.returncode


if __name__ == "__main__":
    sys.exit(tiny_bert.counted([t for name, t in list(globals().items()) if name.startswith("test_")]))
