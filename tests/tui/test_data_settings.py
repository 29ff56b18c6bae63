#!/usr/bin/env python3
"""The Data view beside others: word pieces by the settings that are being edited, predictions of any run, splits compared while other things are done."""
import json
import os
import re
import sys
from pathlib import Path

import kinds
from screen import Screen, fake_run, main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny_bert  # noqa: E402

TEXTS = ["GOOD film the the the the the the", "a bad film"]


def edited(d):
    tiny_bert.experiment(d, {"data.max_seq_length": 6}, train=10)
    (d / "train.tsv").write_text("text\tlabel\n" + "".join(f"{t}\tx\n" for t in TEXTS))
    (d / "experiments").mkdir()
    (d / "tiny.yaml").rename(d / "experiments/tiny.yaml")


def field(s, name):
    s.keys("/", name, "Enter")
    s.wait(rf"├─ \w+\.{name} ─")
    s.keys("Esc")


def put(s, name, value):
    field(s, name)
    s.keys("Enter", "C-a", "C-k", value, "Enter")


def test_word_pieces_follow_what_is_edited():
    with Screen(["--open", "train.tsv"], setup=edited, rows=36, columns=120) as s:
        s.wait(r"train\.tsv · 2 rows")
        s.keys("w")
        s.wait(r"10 pieces with \[CLS\] and \[SEP\]: cut to max_seq_length 6")
        s.wait(r"settings: +.*tiny\.yaml")
        s.wait_gone(r"not saved")
        s.keys("3")
        s.wait(r"▾ model")
        put(s, "max_seq_length", "8")
        s.keys("2")
        s.wait(r"tiny\.yaml as it is edited, not saved yet: max_seq_length 8 \(saved: 6\)")
        s.wait(r"cut to max_seq_length 8")
        s.wait(r"the model does not see the next 2 ──")
        s.keys("Esc", "H")
        s.wait(r"not saved yet: max_seq_length 8 \(saved: 6\)")
        s.wait(r"cut at max_seq_length 8 +1 rows \(50\.0 %\)")
        s.wait(r"unknown, \[UNK\] +0 pieces")
        s.keys("3")
        field(s, "truncation")
        s.keys("Right")
        put(s, "max_seq_length", "12")
        field(s, "do_lower_case")
        s.keys("Left")
        s.wait(r"● do_lower_case +< false >")
        s.keys("2")
        s.wait(r"not saved yet: max_seq_length 12 \(saved: 6\), truncation \w+ \(saved:[ │\n]+longest_first\), do_lower_case false \(saved: auto\)")
        s.wait(r"cut at max_seq_length 12 +0 rows")
        s.wait(r"unknown, \[UNK\] +1 pieces")
        s.keys("Esc", "w")
        s.wait(r"\[UNK\] film the")
        s.wait(r"1 unknown: \[UNK\]")
        s.keys("3", "w")
        s.wait(r"tiny\.yaml saved")
        s.keys("2")
        s.wait(r"▸2 Data")
        s.wait_gone(r"not saved")
        s.settle()
        s.wait(r"10 of at most 12 pieces")
        s.wait(r"1 unknown: \[UNK\]")
        s.keys("3", "u", "u", "u")
        s.wait(r"max_seq_length: 8")
        s.keys("2")
        s.wait(r"not saved yet: max_seq_length 8 \(saved: 12\)")
        s.wait_gone(r"unknown: \[UNK\]")
        assert s.end("q", "y") == 0


def test_a_run_s_file_by_the_experiment_that_is_edited():
    """Opened as the run read it; an experiment that names it too takes over when it is edited, and stays when it is saved."""
    def of_run(d):
        edited(d)
        run = fake_run(d / "runs", "a-run")
        text = (d / "experiments/tiny.yaml").read_text()
        for name in ("train.tsv", "dev.tsv", "model"):
            text = text.replace(f'"{name}"', f'"{d}/{name}"')
        (run / "experiment.yaml").write_text(text.replace("max_seq_length: 6", "max_seq_length: 5"))
    with Screen(["--open", "data"], setup=of_run, rows=36, columns=120) as s:
        s.wait(r"train\.tsv +train +a-run")
        s.keys("Enter")
        s.wait(r"train\.tsv · 2 rows")
        s.keys("w")
        s.wait(r"cut to max_seq_length 5")
        s.keys("3")
        s.wait(r"▾ model")
        put(s, "max_seq_length", "8")
        s.keys("2")
        s.wait(r"not saved yet: max_seq_length 8 \(saved: 6\)")
        s.wait(r"cut to max_seq_length 8")
        s.keys("3", "w")
        s.wait(r"tiny\.yaml saved")
        s.keys("2")
        s.wait(r"settings: +experiments/tiny\.yaml")
        s.settle()
        s.wait(r"cut to max_seq_length 8")
        assert "not saved" not in s.text(), s.dump()
        assert s.end("q") == 0


def test_filters_on_word_pieces_follow_too():
    with Screen(["--open", "train.tsv"], setup=edited, rows=36, columns=120) as s:
        s.wait(r"train\.tsv · 2 rows")
        (s.dir / "cased").mkdir()
        for name in ("config.json", "model.safetensors"):
            (s.dir / "cased" / name).write_bytes((s.dir / "model" / name).read_bytes())
        (s.dir / "cased/vocab.txt").write_text("\n".join(tiny_bert.VOCAB[:5] + list("abcdefghilmnot") + [f"##{c}" for c in "abcdefghilmnot"]) + "\n")
        s.keys("F", "pieces(text) < 5", "Enter")
        s.wait(r"1 of 2 rows where pieces\(text\) < 5 ─")
        s.keys("3")
        s.wait(r"▾ model")
        put(s, "name_or_path", "cased")
        s.keys("2")
        s.wait(r"0 of 2 rows where pieces\(text\) < 5 ─")
        s.keys("3", "u", "2")
        s.wait(r"1 of 2 rows where pieces\(text\) < 5 ─")
        assert s.end("q") == 0


def test_other_edits_change_nothing():
    """Settings that make no other pieces, or of an experiment that has another file."""
    def other(d):
        edited(d)
        text = (d / "experiments/tiny.yaml").read_text()
        (d / "other.tsv").write_text("text\tlabel\na\tx\n")
        (d / "zzz.yaml").write_text(text.replace("train.tsv", "other.tsv").replace("dev.tsv", "other.tsv"))
    with Screen(["--open", "train.tsv"], setup=other, rows=36, columns=120) as s:
        s.wait(r"train\.tsv · 2 rows")
        s.keys("w")
        s.wait(r"cut to max_seq_length 6")
        s.keys("3")
        s.wait(r"▾ model")
        put(s, "learning_rate", "1e-4")
        s.keys("2")
        s.wait(r"cut to max_seq_length 6")
        s.settle()
        assert "not saved" not in s.text(), s.dump()
        s.keys("3", "u", "o", "zzz.yaml", "Enter")
        s.wait(r"zzz\.yaml")
        put(s, "max_seq_length", "8")
        s.keys("2")
        s.wait(r"cut to max_seq_length 6")
        s.settle()
        assert "not saved" not in s.text() and "max_seq_length 8" not in s.text(), s.dump()
        assert s.end("q", "y") == 0


# ── predictions ──

def test_the_row_in_any_run():
    def three(d):
        run = kinds.regression(d)
        other = fake_run(d / "runs", "second-run", started=1.6e9, metric="pearson", best=0.5)
        (other / "experiment.yaml").write_text((run / "experiment.yaml").read_text().replace("validation_file", "test_file"))
        (other / "predictions").mkdir()
        (other / "predictions/test-step-000040.jsonl").write_text(
            "".join(json.dumps({"id": i + 1, "gold": "1", "gold_value": 1, "prediction": "9", "value": 9.125, "loss": 64}) + "\n" for i in range(5)))
        foreign = fake_run(d / "runs", "foreign-run", started=1.5e9)
        (foreign / "experiment.yaml").write_text("data: {train_file: elsewhere.tsv, text_column: a}\n")
        (d / "other.tsv").write_text("a\tscore\nx\t1\n")
    with Screen(["--open", "dev.tsv"], setup=three, columns=120) as s:
        s.wait(r"dev\.tsv · 5 rows")
        s.keys("j", "j", "P")
        s.wait(r"What predicts row 3 of dev\.tsv\?")
        s.wait(r"regression-run · validation, 1 step up to 20 · best pearson 0\.8000")
        s.wait(r"second-run · test, 1 step up to 40 · best pearson 0\.5000")
        assert "foreign-run" not in s.text(), s.dump()
        s.keys("Down", "Enter")
        s.wait(r"▸5 Predictions")
        s.wait(r"second-run.* test · step 40")
        s.wait(r"─ row 3 ─|row 3 · ")
        s.keys("Esc")
        s.wait(r"▸2 Data")
        s.keys("P")
        s.wait(r"What predicts row 3")
        s.keys("Esc")
        s.wait_gone(r"What predicts")
        s.wait(r"row 3 · a")
        s.keys("P")
        s.wait(r"What predicts row 3")
        s.keys("Enter")
        s.wait(r"regression-run.* validation · step 20|validation · step 20")
        s.keys("2", "o", "C-u", "other.tsv", "Enter")
        s.wait(r"other\.tsv · 1 row")
        s.keys("P")
        s.wait(r"other\.tsv: none of 3 runs has it as validation or test data")
        s.keys("p")
        s.wait(r"was not evaluated on other\.tsv")
        assert s.end("q") == 0


def test_no_predictions_yet():
    def early(d):
        run = kinds.regression(d)
        for file in (run / "predictions").iterdir():
            file.unlink()
    with Screen(["--open", "dev.tsv"], setup=early) as s:
        s.wait(r"dev\.tsv · 5 rows")
        s.keys("P")
        s.wait(r"dev\.tsv: 1 run evaluates on it, and none has predictions yet")
        assert s.end("q") == 0
    with Screen(["--open", "x.csv"], setup=lambda d: (d / "x.csv").write_text("text,label\na,b\n")) as s:
        s.wait(r"x\.csv · 1 row")
        s.keys("P")
        s.wait(r"x\.csv: none of 0 runs|there is no run yet")
        s.keys("p")
        s.wait(r"there is no run yet that could have predicted it")
        assert s.end("q") == 0


def test_the_row_of_every_format():
    """The row that Data shows is the one that Predictions shows: sentences, questions, sets, pairs, choices, texts."""
    for make, file, row, text in ((kinds.ner, "dev.conll", 3, r"Milan"), (kinds.qa, "dev.json", 2, r"When were the Normans"),
                                  (kinds.sets, "dev.tsv", 4, r"He shouted and wept"), (kinds.absa, "dev.tsv", 2, r"staff"),
                                  (kinds.choices, "dev.csv", 2, r"A dog runs"), (kinds.mlm, "dev.txt", 3, r"so clever")):
        with Screen(["--open", file], setup=make, rows=36, columns=120) as s:
            s.wait(rf"{re.escape(file)} · \d rows")
            s.keys(*["j"] * (row - 1), "Enter")
            s.wait(rf"row {row} · line")
            s.wait(text)
            s.keys("p")
            s.wait(r"▸5 Predictions")
            s.wait(rf"─ row {row} ─")
            s.wait(text)
            assert s.end("q") == 0


# ── splits ──

def processor(s):
    """Seconds that the program has used."""
    return sum(map(int, Path(f"/proc/{s.child.pid}/stat").read_text().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def test_splits_of_many_rows_in_the_background():
    """Keys are answered meanwhile; Esc ends the work, not only the page."""
    def many(d):
        (d / "big.tsv").write_text("text\tlabel\n" + "".join(f"a text of which number {i % 399999} is one\tx\n" for i in range(400000)))
    with Screen(["--open", "big.tsv"], setup=many) as s:
        s.wait(r"400,000 rows ─", 60)
        before = processor(s)
        s.keys("S")
        s.wait(r"(reading|comparing) big\.tsv: \d+ %", 60)
        s.keys("Esc")
        s.wait(r"the comparison of the splits is stopped")
        s.keys("G")
        s.wait(r"row 400000 · text")
        s.settle(1.5)
        stopped, before = processor(s) - before, processor(s)
        s.keys("S")
        s.wait(r"Reading the files and comparing their inputs")
        s.keys("1")
        s.wait(r"▸1 Runs")
        s.keys("2")
        s.wait(r"rows that stood before +1 ", 60)
        assert stopped < 0.75 * (processor(s) - before), (stopped, processor(s) - before)
        s.keys("Enter")
        s.wait(r"1 of 400,000 rows: duplicates")
        assert s.end("q") == 0


main(globals())
