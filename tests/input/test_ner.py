#!/usr/bin/env python3
"""Named entities by the program: training that learns, words that the tokenizer drops, long sentences, what predict and eval print, bad tags, real data."""
import json
import os
import random
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import BAD, GOOD, OTHER, run

FOLDER = tempfile.TemporaryDirectory()
HERE = Path(FOLDER.name)
DATA = Path(os.environ["BT_SHARED"]) / "data"
FAST = os.environ["BERTTY_FAST"]
ZERO_WIDTH = "\u200b"
RESULT = {}


def sentences(n, seed, longest=12):
    """A good word and further ones are a JOY, bad ones a WOE. A word always stands first or always later, so that a tiny model learns it fast."""
    draw, out = random.Random(seed), []
    for _ in range(n):
        words, tags = [], []
        while len(words) < draw.randint(3, longest):
            kind = draw.choice(["JOY", "WOE", None, None, None])
            from_ = {"JOY": GOOD, "WOE": BAD, None: OTHER}[kind]
            some = [draw.choice(from_[:5]), *draw.sample(from_[5:], draw.randint(0, 2))]
            words += some + ["the"]  # entities never touch
            tags += [f"I-{kind}" if kind else "O"] * len(some) + ["O"]
        out.append((words, tags))
    return out


def columns(found):
    return "".join("".join(f"{w} x {t}\n" for w, t in zip(*s)) + "\n" for s in found)


def told(*words, program=None, **options):
    done = run(*words, "--runs", HERE / "runs", cwd=HERE, program=program, **options)
    assert done.returncode == 0 and not done.stderr, (words, done.returncode, done.stderr)
    return done.stdout


def refused(*words):
    done = run(*words, "--runs", HERE / "runs", cwd=HERE)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, (words, done.returncode, done.stderr)
    return done.stderr


def experiment(name, options):
    return tiny_bert.experiment(HERE / name, {"task.type": "ner", "data.train_file": "../train.conll", "data.text_column": None,
                                              "data.label_column": None, "data.validation_file": "../dev.conll", **options})


def test_training_learns():
    """IOB1 in the file, IOB2 in the model; in windows of 16 tokens, which most sentences are longer than."""
    (HERE / "train.conll").write_text("-DOCSTART- x O\n\n" + columns(sentences(150, 1, 40)))
    (HERE / "dev.conll").write_text(columns(sentences(40, 2, 40)))
    path = experiment("tiny", {"train.max_steps": 150, "data.max_seq_length": 16, "optim.learning_rate": 5e-3,
                               "eval.eval_steps": 150, "run.save_steps": 150})
    out = told("train", path, "--name", "tiny", program=FAST)
    assert "train: 150 sentences, " in out and "tags in IOB1, learnt as IOB2" in out and "read in windows of 16 tokens" in out, out
    RESULT.update(json.loads(told("eval", "tiny", "--data", "dev.conll", "--json").splitlines()[-1])["metrics"])
    assert RESULT["f1"] > 0.95 and RESULT["f1_JOY"] > 0.9 and RESULT["f1_WOE"] > 0.9, RESULT
    labels = json.loads((HERE / "runs/tiny/last/config.json").read_text())["id2label"]
    assert list(labels.values()) == ["B-JOY", "B-WOE", "I-JOY", "I-WOE", "O"], labels


def test_scheme_of_a_directory():
    """A model in IOB1 whose labels have B- for one type alone, as those that were trained on CoNLL-2003: what it learnt is not missed."""
    touching = [(["good", "great", "the"], ["I-JOY", "B-JOY", "O"])] * 4
    (HERE / "touching.conll").write_text(columns(sentences(30, 1) + touching))
    path = experiment("iob1", {"data.train_file": "../touching.conll", "task.scheme": "IOB1", "train.max_steps": 40, "optim.learning_rate": 5e-3,
                               "eval.eval_steps": 40, "run.save_steps": 40})
    told("train", path, "--name", "iob1", program=FAST)
    told("export", "iob1", HERE / "iob1-model")
    config = HERE / "iob1-model/config.json"
    plain = json.loads(config.read_text())
    assert list(plain["id2label"].values()) == ["B-JOY", "I-JOY", "I-WOE", "O"], plain
    figures = {}
    for said in ("kept", "guessed"):
        figures[said] = json.loads(told("eval", HERE / "iob1-model", "--data", "dev.conll", "--json").splitlines()[-1])["metrics"]
        assert plain.pop("bertty", None) or said == "guessed"
        config.write_text(json.dumps(plain))
    of_run = json.loads(told("eval", "iob1", "--data", "dev.conll", "--json").splitlines()[-1])["metrics"]
    assert figures["kept"] == figures["guessed"] == of_run and of_run["f1_WOE"] > 0.5, (figures, of_run)


def test_eval_tells_types():
    out = told("eval", "tiny", "--data", "dev.conll")
    assert "entities" in out and "JOY" in out and "WOE" in out, out
    rows = json.loads((HERE / "runs/tiny/predictions/validation-step-000150.jsonl").read_text().splitlines()[0])
    words, tags = sentences(40, 2, 40)[0]
    assert rows["tokens"] == words and len(rows["tags"]) == len(rows["gold_tags"]) == len(words)
    assert [t[2:] for t in rows["gold_tags"]] == [t[2:] for t in tags]
    assert rows["correct"] == (rows["tags"] == rows["gold_tags"]) and 0 < rows["score"] <= 1
    assert all(s["end"] > s["begin"] and s["type"] in ("JOY", "WOE") for s in rows["spans"])


def test_predict_texts():
    text = "The film was Good moving, the plot awful and dull"
    lines = [line.split("\t") for line in told("predict", "tiny", "--text", text).split("\n")]
    assert [line[:4] for line in lines] == [["JOY", "13", "24", "Good moving"], ["WOE", "35", "40", "awful"], ["WOE", "45", "49", "dull"], [""], [""]], lines
    answer = json.loads(told("predict", "tiny", "--text", "é " + text, "--json"))
    assert [(a["label"], a["text"], a["begin"], a["chosen"]) for a in answer["answers"]][0] == ("JOY", "Good moving", 15, True), answer
    assert answer["tokens"][:2] == ["é", "The"] and len(answer["tags"]) == len(answer["tokens"])
    assert told("predict", "tiny", "--text", "the plot") == "\n"


def test_predict_words():
    """Words stay as they are, also those of which the tokenizer leaves nothing: the answer has a line for each."""
    (HERE / "words.conll").write_text(f"good\n{ZERO_WIDTH}\nfine-ish\n\n{ZERO_WIDTH}\n\nthe\n")
    out = told("predict", "tiny", "--words", "words.conll", "--conll").split("\n")
    assert [line.split("\t")[0] for line in out] == ["good", ZERO_WIDTH, "fine-ish", "", ZERO_WIDTH, "", "the", "", ""], out
    assert out[1] == f"{ZERO_WIDTH}\tO" and out[4] == f"{ZERO_WIDTH}\tO" and out[0] == "good\tB-JOY", out
    long = sentences(1, 3, 100)[0][0]
    (HERE / "long.jsonl").write_text(json.dumps({"tokens": long}) + "\n")
    answer = json.loads(told("predict", "tiny", "--words", "long.jsonl", "--json"))
    assert answer["tokens"] == long and len(answer["tags"]) == len(long)
    # what is written is read again, with itself as gold: nothing is wrong
    (HERE / "again.conll").write_text(told("predict", "tiny", "--words", "dev.conll", "--conll"))
    again = json.loads(told("eval", "tiny", "--data", "again.conll", "--json").splitlines()[-1])
    assert again["rows"] == 40 and again["metrics"]["f1"] == 1, again


def test_misuse():
    assert "--words was given without a FILE" in run("predict", "tiny", "--words").stderr
    assert "--conll and --json" in run("predict", "tiny", "--conll", "--json", "--text", "a").stderr
    (HERE / "other.conll").write_text("good B-THING\n\nbad O\n")
    assert "except O: other data?" in refused("eval", "tiny", "--data", "other.conll")
    (HERE / "untagged.conll").write_text("good\nbad\n")
    assert "untagged.conll:1: word 1 has no tag" in refused("eval", "tiny", "--data", "untagged.conll")


def test_tags_in_no_scheme():
    (HERE / "odd.conll").write_text("good x B-JOY\nthe x O\n\nthe x ???\nbad x I-WOE\n")
    path = experiment("odd", {"data.train_file": "../odd.conll", "data.validation_file": None, "eval.eval_strategy": "no"})
    out = told_check(path)
    assert "1 of 4 tags are in no scheme" in out and 'odd.conll:4: tag "???" is in no scheme' in out, out
    done = run("check", path, "--set", "data.strict=true", cwd=HERE)
    assert done.returncode == 1 and "odd.conll:4" in done.stderr and "strict" in done.stderr, done.stderr
    done = run("data", "odd.conll", "--format", "conll", "--json", cwd=HERE)
    assert '"foreign_tags":1' in done.stdout and "odd.conll:4" in done.stdout, done.stdout + done.stderr


def told_check(path, *more):
    done = run("check", path, *more, cwd=HERE, program=FAST)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_options_of_the_task():
    path = experiment("options", {"task.scheme": "BILOU", "task.eval_mode": "strict", "train.max_steps": 3, "eval.eval_steps": 3})
    assert "U-JOY" in told_check(path) and "B-JOY" in told_check(path)
    told("train", path, "--name", "bilou", program=FAST)
    done = run("check", path, "--set", "task.type=classification", cwd=HERE)
    assert done.returncode == 1, done.stdout
    (HERE / "pos.conll").write_text("good JJ\nthe DT\n\nbad JJ\n")
    done = run("check", path, "--set", f"data.train_file={HERE / 'pos.conll'}", cwd=HERE)
    assert done.returncode == 1 and "task.eval_mode: strict" in done.stderr, done.stderr


def test_real_data():
    if not DATA.exists():
        print("skipped: no shared data")
        return
    for folder, train, dev, said in [("conll2003", "eng.train", "eng.testa", ["14041 sentences, 203621 words, tags in IOB1", "3250 sentences, 51362 words"]),
                                     ("wnut17", "wnut17train.conll", "emerging.dev.conll", ["3394 sentences, 62730 words, tags in IOB2", "1009 sentences, 15733 words"])]:
        out = told_check(experiment(folder, {"data.train_file": str(DATA / folder / train), "data.validation_file": str(DATA / folder / dev)}))
        for part in said:
            assert part in out, (part, out)


def test_a_real_model_learns():
    """Some sentences of CoNLL-2003, again and again."""
    if not DATA.exists():
        return
    path = experiment("real", {"model.name_or_path": os.environ["BT_MODEL"], "data.train_file": str(DATA / "conll2003/eng.train"),
                               "data.validation_file": None, "eval.eval_strategy": "no", "data.max_train_samples": 24, "run.save_strategy": "no",
                               "train.max_steps": 18, "run.logging_steps": 3, "optim.learning_rate": 3e-4})
    steps = [json.loads(line) for line in told("train", path, "--name", "real", "--json", program=FAST).splitlines()]
    losses = [s["loss"] for s in steps if s.get("event") == "step" or "loss" in s]
    assert losses[-1] < losses[0] / 2, losses


if __name__ == "__main__":
    sys.exit(tiny_bert.counted([t for name, t in list(globals().items()) if name.startswith("test_")]))
