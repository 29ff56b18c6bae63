#!/usr/bin/env python3
"""`bertty baseline`: a run without a model, for every task that has one; what is refused; and that whatever reads runs takes it like others."""
import json
import os
import random
import re
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run, written

ROOT = Path(tempfile.mkdtemp(prefix="bertty-baseline-"))
TEXTS = {"data.train_file": "train.tsv", "data.validation_file": "dev.tsv", "data.text_column": "text", "data.label_column": "label"}
NAMELESS = {"model.name_or_path": "no/such-model", **TEXTS}


def at(*words, **options):
    return run(*words, cwd=ROOT, **options)


def good(*words):
    done = at(*words)
    assert done.returncode == 0 and done.stderr == "", (words, done)
    return done.stdout


def fails(part, *words, code=1):
    tiny_bert.fails(code, part, *words, cwd=ROOT)


def file(name, settings):
    return written(ROOT / name, settings).name


def result(*words):
    return json.loads(good("baseline", *words, "--json"))


def rows(name, split="validation"):
    return [json.loads(line) for line in (ROOT / f"runs/{name}/predictions/{split}-step-000000.jsonl").read_text().splitlines()]


def status(name):
    return json.loads((ROOT / f"runs/{name}/status.json").read_text())


def a_run_like_others():
    """Learns what decides; the directory has what a finished run's has, but for a model."""
    done = result("tiny.yaml", "--name", "words")
    assert done["run"] == "words" and done["baseline"] == "tfidf" and done["train_rows"] == 200, done
    assert done["features"] == len({w for t, _ in tiny_bert.sentences(200, 1) for w in t.split() if len(w) > 1})
    assert done["validation"]["accuracy"] > 0.9 and done["seconds"] > 0 and "test" not in done, done
    made = {p.name for p in (ROOT / "runs/words").iterdir()}
    assert {n for n in made if not n.startswith("events.")} == {"control", "experiment.yaml", "log.txt", "predictions", "run.json", "status.json"}, made
    s = status("words")
    assert s["state"] == "finished" and s["baseline"] == "tfidf" and s["metric"] == "accuracy", s
    assert s["best"] == s["last"] == done["validation"]["accuracy"] and s["best_step"] == s["last_step"] == 0, s
    right = [r["prediction"] == r["gold"] for r in rows("words")]
    assert len(right) == 40 and sum(right) / 40 == done["validation"]["accuracy"]
    about = json.loads((ROOT / "runs/words/run.json").read_text())
    assert about["model"] == {} and about["rows"]["train"] == 200 and len(about["data"]) == 2, about
    assert "labels: [negative, positive]" in (ROOT / "runs/words/experiment.yaml").read_text()
    assert "TF-IDF" in (ROOT / "runs/words/log.txt").read_text()


def the_same_again():
    """Whatever the number of threads, and under another name."""
    result("tiny.yaml", "--name", "again", "--set", "run.num_threads=2")
    assert rows("again") == rows("words")


def for_people():
    text = good("baseline", "tiny.yaml", "--set", "data.test_file=test.tsv")
    lines = text.splitlines()
    assert lines[-2].startswith("validation accuracy ") and lines[-1].startswith("test accuracy "), lines
    name = next(p.name for p in (ROOT / "runs").iterdir() if p.name.startswith("tiny-tfidf-20"))
    assert len(rows(name, "test")) == 40 and f"runs/{name}, " in text


def without_a_model():
    name = file("nowhere.yaml", NAMELESS)
    assert result(name, "--name", "nowhere")["validation"]["accuracy"] > 0.9
    assert rows("nowhere") == rows("words")
    fails("no/such-model", "train", name)


def majority():
    done = result("tiny.yaml", "--kind", "majority", "--name", "most")
    labels = [label for _, label in tiny_bert.sentences(200, 1)]
    most = max(set(labels), key=labels.count)
    assert {r["prediction"] for r in rows("most")} == {most} and done["features"] == 0
    share = (labels.count(most) + 1) / 202
    assert all(abs(r["scores"][most] - share) < 1e-6 for r in rows("most"))


def ngrams_of_two():
    """What only the order of two words tells."""
    rng = random.Random(4)
    for part, n in (("train", 120), ("dev", 40)):
        lines = []
        for _ in range(n):
            label = rng.choice("ab")
            lines.append(("red blue" if label == "a" else "blue red") + f"\t{label}")
        (ROOT / f"order-{part}.tsv").write_text("text\tlabel\n" + "\n".join(lines) + "\n")
    name = file("order.yaml", {**NAMELESS, "data.train_file": "order-train.tsv", "data.validation_file": "order-dev.tsv"})
    assert result(name, "--name", "one")["validation"]["accuracy"] < 0.8
    two = result(name, "--name", "two", "--ngrams", "2")
    assert two["validation"]["accuracy"] == 1 and two["features"] == 4, two


def pairs_and_aspects():
    """Only the second text tells them apart: its words are not those of the first."""
    lines = "".join(f"the {a} fine\t{b}\t{label}\n" for a in ("food", "place") for b, label in (("food", "good"), ("place", "bad")) for _ in range(20))
    (ROOT / "pairs.tsv").write_text("text\tsecond\tlabel\n" + lines)
    shared = {**NAMELESS, "data.train_file": "pairs.tsv", "data.validation_file": "pairs.tsv"}
    pair = file("pair.yaml", {**shared, "data.text_pair_column": "second"})
    absa = file("absa.yaml", {**shared, "task.type": "absa", "data.aspect_column": "second"})
    for name in (pair, absa):
        done = result(name, "--name", name[:4])
        assert done["validation"]["accuracy"] == 1 and done["features"] == 6, done


def sets_and_numbers():
    (ROOT / "sets.tsv").write_text("text\tlabel\n" + "".join(f"row {i}\t{'a,b' if i % 3 else 'a'}\n" for i in range(30)))
    sets = file("sets.yaml", {**NAMELESS, "task.type": "multilabel", "data.train_file": "sets.tsv", "data.validation_file": "sets.tsv"})
    done = result(sets, "--kind", "majority", "--name", "sets")
    assert {tuple(r["labels"]) for r in rows("sets")} == {("a", "b")} and "f1_micro" in done["validation"], done
    assert abs(rows("sets")[0]["scores"]["b"] - 21 / 32) < 1e-6
    (ROOT / "numbers.tsv").write_text("text\tlabel\n" + "".join(f"row {i}\t{i}\n" for i in range(31)))
    numbers = file("numbers.yaml", {**NAMELESS, "task.type": "regression", "data.train_file": "numbers.tsv", "data.validation_file": "numbers.tsv"})
    done = result(numbers, "--kind", "majority", "--name", "numbers")
    assert {r["value"] for r in rows("numbers")} == {15} and abs(done["validation"]["mse"] - 80) < 1e-9, done
    assert status("numbers")["state"] == "finished"
    fails("multilabel has no baseline of the kind tfidf, only majority", "baseline", sets)
    fails("regression has no baseline of the kind tfidf, only majority", "baseline", numbers)


def other_labels():
    """Labels that the training rows lack are unlikely, not impossible; a part of the rows that is cut off does."""
    name = file("more.yaml", {**NAMELESS, "task.labels": ["negative", "neutral", "positive"]})
    for kind in ("tfidf", "majority"):
        result(name, "--kind", kind, "--name", f"more-{kind}")
        assert all(0 < r["scores"]["neutral"] < 0.01 for r in rows(f"more-{kind}")), kind
    cut = {k: v for k, v in NAMELESS.items() if k != "data.validation_file"}
    done = result(file("cut.yaml", {**cut, "data.val_set_size": 0.2}), "--name", "cut")
    assert done["train_rows"] == 160 and len(rows("cut")) == 40
    assert status("cut")["best"] == done["validation"]["accuracy"]


def refused():
    before = sorted(p.name for p in (ROOT / "runs").iterdir())
    for task, more in (("ner", {}), ("qa", {"data.context_column": "text", "data.text_column": "label"}), ("mlm", {}),
                       ("multiple_choice", {"data.choice_columns": ["text", "label"]})):
        settings = {**NAMELESS, "task.type": task, **more}
        if task in ("ner", "mlm"):
            settings = {k: v for k, v in settings.items() if not k.endswith("_column")}
        for kind in ("tfidf", "majority"):
            fails(f"task.type: {task} has no baseline, expected classification, absa, multilabel or regression", "baseline", file("other.yaml", settings), "--kind", kind)
    only = {k: v for k, v in NAMELESS.items() if k != "data.validation_file"}
    fails("expected validation or test data", "baseline", file("only.yaml", only))
    (ROOT / "mute.tsv").write_text("text\tlabel\na\tx\n?\ty\n")
    fails("mute.tsv: no text has a word", "baseline", file("mute.yaml", {**NAMELESS, "data.train_file": "mute.tsv", "data.validation_file": "mute.tsv"}), "--json")
    fails("gone.tsv", "baseline", "tiny.yaml", "--set", "data.train_file=gone.tsv")
    fails("f1 is that of two labels", "baseline", "more.yaml", "--set", "eval.metric_for_best_model=f1", "--json")
    (ROOT / "odd.tsv").write_text("text\tlabel\ngood film\tneutral\n")
    fails("odd.tsv:2: label \"neutral\" is not one of the 2 labels", "baseline", "tiny.yaml", "--set", "data.validation_file=odd.tsv", "--json")
    fails("there is such a run already", "baseline", "tiny.yaml", "--name", "words", "--json")
    fails("run name", "baseline", "tiny.yaml", "--name", "../words")
    fails("no such file", "baseline", "gone.yaml")
    fails("tfidf", "baseline", "tiny.yaml", "--kind", "best", code=2)
    fails("ngrams", "baseline", "tiny.yaml", "--ngrams", "3", code=2)
    fails("EXPERIMENT.yaml", "baseline", code=2)
    assert sorted(p.name for p in (ROOT / "runs").iterdir()) == before


def readers():
    """Every command about runs; a trained run stands beside it."""
    good("train", "tiny.yaml", "--name", "trained")
    shown = good("show", "words")
    assert "tfidf, without a model" in shown and "eval/accuracy" in shown, shown
    assert json.loads(good("show", "words", "--json"))["baseline"] == "tfidf"
    listed = {r["run"]: r for line in good("runs", "--json").splitlines() for r in json.loads(line).get("runs", [json.loads(line)])}
    assert listed["words"]["baseline"] == "tfidf" and listed["most"]["baseline"] == "majority" and "baseline" not in listed["trained"]
    compared = json.loads(good("compare", "words", "trained", "--json").splitlines()[-1])
    assert json.dumps(compared).count("accuracy") >= 2
    told = good("compare", "words", "most")
    assert "McNemar" in told and "tfidf baseline" in told and "majority baseline" in told, told
    assert "no setting differs" in good("compare", "words", "most")
    errors = good("predictions", "most", "--errors").splitlines()
    assert len(errors) - 1 == sum(r["prediction"] != r["gold"] for r in rows("most"))
    assert "words" in good("report", "words", "trained", "--text")
    good("report", "words", "trained", "-o", "page.html")
    page = (ROOT / "page.html").read_text()
    assert "tfidf baseline" in page and re.search(r'd="M70\.0 ([0-9.]+) L880\.0 \1"', page), page[:2000]
    good("report", "words", "most", "-o", "alone.html")
    alone = (ROOT / "alone.html").read_text()
    assert alone.count("<figure>") >= 2 and 'text-anchor="middle">1.0<' in alone and "inf" not in re.sub(r"<style>.*?</style>", "", alone, flags=re.S) and "nan" not in alone, alone[:2000]
    assert "finished" in good("log", "words")
    good("annotate", "words", "3", "+odd")
    assert "odd" in good("annotate", "words")


def no_seed_group():
    """A baseline's settings are those of the trained run, but it is no repetition of it."""
    good("train", "tiny.yaml", "--name", "seed1", "--set", "train.seed=1")
    groups = [set(g["runs"]) for g in json.loads(good("runs", "--groups", "--json"))["groups"]]
    assert {"seed1", "trained"} in groups and {"words"} in groups, groups


def no_model():
    line = "words: a baseline (tfidf): it has no model"
    for words in (["predict", "words", "--text", "a good film"], ["predict", "words@0", "--text", "x"], ["eval", "words", "--data", "dev.tsv"],
                  ["export", "words", "out"], ["resume", "words"], ["resume", "words", "--queue"], ["train", "--resume", "words"],
                  ["train", "--resume", "words@0"], ["explain", "words", "--text", "x"], ["pause", "words"], ["stop", "words"]):
        before = status("words")
        fails(line, *words)
        assert status("words") == before, words
    assert not (ROOT / "out").exists()


def without_liblinear():
    """Where the library cannot be loaded, words are refused in a line and labels are still counted."""
    broken = ROOT / "broken"
    broken.mkdir()
    (broken / "liblinear.so.4").write_text("no library")
    env = {**os.environ, "LD_LIBRARY_PATH": str(broken)}
    done = at("baseline", "tiny.yaml", env=env)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done
    assert "liblinear cannot be loaded (" in done.stderr and "install liblinear4" in done.stderr, done
    done = at("baseline", "tiny.yaml", "--kind", "majority", "--name", "counted", env=env)
    assert done.returncode == 0 and done.stderr == "", done


def removed():
    good("rm", "words", "--yes")
    assert not (ROOT / "runs/words").exists()


if __name__ == "__main__":
    tiny_bert.experiment(ROOT, {"run.output_dir": "runs"})
    sys.exit(tiny_bert.counted([a_run_like_others, the_same_again, for_people, without_a_model, majority, ngrams_of_two, pairs_and_aspects,
                                sets_and_numbers, other_labels, refused, readers, no_seed_group, no_model, without_liblinear, removed]))
