#!/usr/bin/env python3
"""The Predictions view of tasks that have no confusion matrix: entities, answers, numbers, sets of labels, masked words; at both sizes, in ASCII
and without colour."""
import json
import re

import kinds
from screen import Screen, main

SIZES = ((24, 80), (36, 120))


def opened(setup, size=(36, 120), *more, env=None):
    return Screen(["--open", "predictions", *more], setup=setup, rows=size[0], columns=size[1], env=env)


def test_entities():
    for size in SIZES:
        with opened(kinds.ner, size) as s:
            s.wait(r"validation · step 20 · 6 rows")
            s.wait(r"\[Angela Merkel\]PER visited \[Paris\]LOC")
            s.wait(r"✗ 1 .*\[Milan\]LOC won")
            s.keys("j")
            s.wait(r"✗ wrong boundary: \[Bank of")
            s.keys("j")
            s.wait(r"✗ wrong type: \[Milan\]ORG → \[Milan\]LOC")
            s.keys("j")
            s.wait(r"✗ spurious: \[Monday\]MISC")
            s.keys("j")
            s.wait(r"\[東京\]LOC")
            assert s.end("q") == 0


def test_entities_filters():
    with opened(kinds.ner) as s:
        s.wait(r"F1 0\.\d{4}  precision 0\.\d{4}  recall")
        s.wait(r"LOC +0\.\d{3} +1\.000 +0\.\d{3} +2")
        s.keys("e")
        s.wait(r"4 of 6 rows, only errors")
        s.keys("Esc", "f")
        s.wait(r"1 of 6 rows, missed")
        s.wait(r"✗ missed: \[安倍 晋三\]PER")
        s.keys("f")
        s.wait(r"1 of 6 rows, spurious")
        s.keys("Esc", "s")
        s.wait(r"loss ↓")
        s.keys("Esc", "/", "merkel visited", "Enter")
        s.wait(r"1 of 6 rows, with “merkel visited”")
        s.keys("Esc", "Tab", "j", "Enter")  # LOC, MISC, ORG, PER
        s.wait(r"1 of 6 rows, with MISC")
        s.keys("Esc", "x", "C-u", "out.jsonl", "Enter")
        s.wait(r"6 rows written")
        rows = [json.loads(line) for line in (s.dir / "out.jsonl").read_text().splitlines()]
        assert rows[4]["tags"] == ["B-LOC", "O", "O", "O", "O"] and rows[4]["text"] == "東京 の 安倍 晋三 氏"


def test_answers():
    for size in SIZES:
        with opened(kinds.qa, size) as s:
            s.wait(r"validation · step 20 · 5 rows")
            s.wait(r"F1 36 +exact 20\b")
            s.wait(r"✓ F1 100, exact: France")
            s.wait(r"⟦«France»⟧")
            if size[0] < 30:
                s.keys("Tab", "Tab", "z")
            s.wait(r" 1 0\.8000 France")
            assert s.end("q") == 0


def test_answers_filters():
    with opened(kinds.qa) as s:
        s.wait(r"5 rows")
        s.keys("e")
        s.wait(r"4 of 5 rows, only errors")
        s.wait(r"in the 10th and 11th")
        s.keys("Esc", "f", "f")
        s.wait(r"1 of 5 rows, partly right")
        s.wait(r"⟦in the «10th and 11th centuries»⟧|⟦in the «10th")
        s.wait(r"no answer less best answer: -1\.500")
        s.keys("Esc", "/", "who ruled", "Enter")
        s.wait(r"1 of 5 rows, with")
        s.wait(r"gold: \(no answer\)")
        s.keys("Esc", "Tab", "G", "Enter")
        s.wait(r"1 of 5 rows, not answered")
        s.keys("Esc", "s")
        s.wait(r"conf\. ↑")
        s.keys("s")
        s.wait(r"F1 ↑")
        s.keys("x", "C-u", "out.tsv", "Enter")
        s.wait(r"5 rows written")
        lines = (s.dir / "out.tsv").read_text().splitlines()
        assert lines[0] == "id\tgold\tpredicted\texact\tf1\tconfidence\ttext\ttext_pair" and len(lines) == 6, lines[0]


def test_numbers():
    for size in SIZES:
        with opened(kinds.regression, size) as s:
            s.wait(r"error ↓")
            first = s.wait(r"^│ +(\d+) +0 +2\.5 +\+2\.500")
            assert first.group(1) == "5", s.dump()
            s.wait(r"Pearson 0\.\d{4}  Spearman 0\.\d{4}")
            s.wait("[\u2801-\u28ff]")
            assert s.end("q") == 0


def test_numbers_filters():
    with opened(kinds.regression) as s:
        s.wait(r"5 rows")
        s.keys("e")
        s.wait(r"2 of 5 rows, farther off than 0\.\d+")
        s.keys("Esc", "f")
        s.wait(r"2 of 5 rows, too high")
        s.keys("f")
        s.wait(r"3 of 5 rows, too low")
        s.keys("f", "s")
        s.wait(r"gold ↑")
        s.wait(r"2\.5 too high")
        s.keys("o")
        s.wait(r"Data · dev\.tsv")
        s.wait(r"row 5")


def test_sets():
    for size in SIZES:
        with opened(kinds.sets, size) as s:
            s.wait(r"validation · step 20 · 5 rows")
            s.wait(r"✗ 1 +fear −anger")
            s.wait(r"\+joy −love")
            s.keys("j")
            s.wait(r"✓ fear +0\.900")
            s.wait(r"− anger +0\.100")
            assert s.end("q") == 0
    with opened(kinds.sets) as s:
        s.wait(r"love +1\.000 +0\.500 +0\.667 +2")
        s.keys("f")
        s.wait(r"3 of 5 rows, missing")
        s.keys("f")
        s.wait(r"2 of 5 rows, extra")
        s.keys("Esc", "Tab", "Enter")
        s.wait(r"2 of 5 rows, with anger")


def test_masks():
    for size in SIZES:
        with opened(kinds.mlm, size) as s:
            s.wait(r"masked words 6  right 0\.3333")
            s.wait(r"1 of 3")
            s.keys("e")
            s.wait(r"2 of 3 rows, only errors")
            assert s.end("q") == 0


def test_ascii_and_monochrome():
    made = {kinds.ner: r"\[Angela Merkel\]PER", kinds.qa: r"\[[{]?France", kinds.regression: r"Pearson", kinds.sets: r"fear -anger", kinds.mlm: r"masked words 6"}
    for setup, expected in made.items():
        with opened(setup, (36, 120), "--ascii", env={"NO_COLOR": "1"}) as s:
            s.wait(expected)
            s.settle(0.3)
            bad = [c for c in s.text() if ord(c) > 126 and not re.match(r"[\u3000-\u9fff]", c)]
            assert not bad, (bad, s.dump())
            assert not re.search(rb"\x1b\[[0-9;]*\b3[0-8]\b[0-9;]*m", s.raw)


def test_hostile_rows():
    def setup(d):
        run = kinds.ner(d)
        path = next((run / "predictions").iterdir())
        row = json.loads(path.read_text().splitlines()[0])
        row["tokens"][0] = "a\x1b[31m\u202eb"
        row["gold_tags"] = ["E-PER", "L-X", "", "B-"]  # fewer, odd
        path.write_text(json.dumps(row) + "\n" + json.dumps({"id": 2, "prediction": "", "tags": []}) + "\n")
    with opened(setup) as s:
        s.wait(r"2 rows")
        s.wait(r"\\x1b\[31m\\u202e")
        s.keys("j", "e", "f", "Tab", "Enter")
        assert "\u202e".encode() not in s.raw
        assert s.end("q") == 0


def compared(setup, change):
    s = Screen(["--open", "runs"], setup=lambda d: kinds.second(setup(d), change), rows=36, columns=120)
    s.wait(r"other-run")
    s.keys("Space", "j", "Space", "6")
    return s


def test_compare_numbers():
    def change(i, row):
        row.update({"value": row["value"] + (1 if i == 0 else -0.25), "prediction": f"{row['value']:g}"})
    with compared(kinds.regression, change) as s:
        s.wait(r"A nearer to gold +\d")
        s.wait(r"B nearer to gold +\d")
        s.wait(r"sign test: p = ")
        s.wait(r"mean error: A 0\.\d{4}, B \d\.\d{4}")
        assert "Who says what" not in s.text()
        assert s.end("q") == 0


def test_compare_answers_and_entities():
    def answers(i, row):
        if i in (0, 2):
            row.update({"prediction": row.get("gold", ""), "correct": i == 2, "f1": float(i == 2), "exact": int(i == 2)})

    def tags(i, row):
        row.update({"prediction": "no entities", "correct": row["gold"] == "no entities"})
    with compared(kinds.qa, answers) as s:
        s.wait(r"Predictions on validation: 5 rows")
        s.wait(r"only B right \(beneficial flips\) +1|only A right \(harmful flips\) +1")
        s.wait(r"mean F1: A \d+\.\d\d, B \d+\.\d\d")
        assert "Who says what" not in s.text()
    with compared(kinds.ner, tags) as s:
        s.wait(r"Predictions on validation: 6 rows")
        s.wait(r"both wrong +\d")
        s.keys("G", "k", "Enter")
        s.wait(r"(Angela Merkel visited|no entities)")
        assert s.end("q") == 0


def test_compare_masks():
    with compared(kinds.mlm, lambda i, row: None) as s:
        s.wait(r"nothing to pair")
        assert s.end("q") == 0


def test_aspects_tell_rows_of_a_sentence_apart():
    for size in SIZES:
        with opened(kinds.absa, size) as s:
            s.wait(r"3 rows")
            s.wait(r"⟦food⟧ The food is good")
            s.wait(r"⟦staff⟧ The food is")
            s.keys("j")
            s.wait(r"The food is good but the ⟦staff⟧|but the ⟦staff⟧|⟦staff⟧ is rude")
            assert s.end("q") == 0


def test_choices_have_their_scores_beside_them():
    for size in SIZES:
        with opened(kinds.choices, size) as s:
            s.wait(r"A cat sits\. *│\n.*│  0 0\.375 .*\n.*│ +It barks\. .*\n.*│✓ 1 0\.625 .*\n.*│ +It purrs\.")
            s.keys("j")
            s.wait(r"│g 0 0\.375 .*\n.*│ +It barks\. .*\n.*│✗ 1 0\.625 ")
            assert s.end("q") == 0


def test_an_order_without_a_column_is_named():
    with opened(kinds.sets, (24, 80)) as s:
        s.wait(r"5 rows")
        assert "conf." not in s.text()
        s.keys("s")
        s.wait(r"5 rows · by (loss|confidence) ─")
        assert s.end("q") == 0


def test_long_labels_are_whole_at_80():
    with opened(kinds.pairs, (24, 80)) as s:
        s.wait(r"4 rows")
        s.wait(r"2 +entailment +✗ not_entailment +0\.600 +0\.500")
        s.wait(r"✗ not_entailment 0\.600|g entailment +0\.400|✓ not_entailment 0\.600")
        assert s.end("q") == 0


def test_perplexity_is_that_of_words():
    with opened(kinds.mlm) as s:  # losses 0.5, 2, 4 of 1, 3, 2 words: 14.5 / 6
        s.wait(r"loss of a word 2\.4167")
        s.wait(r"perplexity 11\.21")
        assert s.end("q") == 0


main(globals())
