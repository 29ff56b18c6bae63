#!/usr/bin/env python3
"""The Data view: opens files of any size, searches, filters, counts, measures, shows word pieces; nothing in a cell acts on the terminal."""
import base64
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

from screen import BERTTY, Screen, fake_run, main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import kinds  # noqa: E402
import tiny_bert  # noqa: E402

HOSTILE = ('id,text,label\n'
           '1,"esc \x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07 \x9b5m end",pos\n'
           '2,"bidi \u202eabc zero\u200bwidth",neg\n'
           '3,"two\nlines, ""quoted""",pos\n'
           '4,日本語 text,neg\n'
           '5,only two\n'
           '6,a,b,c,extra\n' + "".join(f"{i},plain row number {i},{'pos' if i % 2 else 'neg'}\n" for i in range(7, 100)))


def hostile(d):
    (d / "rows.csv").write_text(HOSTILE, encoding="utf-8")


def run_with_files(d):
    tiny_bert.experiment(d / "tiny", {"data.test_file": "test.tsv", "data.max_seq_length": 8}, train=300)
    text = (d / "tiny/tiny.yaml").read_text()
    for name in ("train.tsv", "dev.tsv", "test.tsv", "model"):
        text = text.replace(f'"{name}"', f'"{d}/tiny/{name}"')
    run = fake_run(d / "runs", "tiny-run")
    (run / "experiment.yaml").write_text(text)


def copied(s):
    found = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x1b\\", s.raw)
    return base64.b64decode(found[-1]).decode()


def test_nothing_to_open():
    with Screen(["--open", "data"]) as s:
        s.wait(r"names a data file")
        s.keys("o", "nowhere.csv", "Enter")
        s.wait(r"nowhere\.csv: no such file")
        assert s.end("q") == 0


def test_hostile_cells():
    with Screen(["--open", "rows.csv"], setup=hostile) as s:
        s.wait(r"rows\.csv · 99 rows")
        s.wait(r"esc \\x1b\[31mred\\x1b\[0m \\x1b\]52;c;aGk=\\x07 .* pos")
        s.wait(r"bidi \\u202eabc zero\\u200bwidth")
        s.wait(r'two\\nlines, "quoted"')
        s.wait(r"^│ +5! +5  only two")
        s.keys("Enter")
        s.wait(r"row 1 · line 2")
        s.wait(r"esc \\x1b\[31mred")
        s.keys(*["j"] * 5)
        s.wait(r"has 5 cells; the file has 3 columns")
        s.wait(r"beyond the columns")
        s.keys("Esc", "f")
        s.wait(r"Values of text · 98 in|Values of text · 99 in")
        s.keys("Esc", "W")
        s.wait(r"esc \\x1b\[31mred")
        assert b"\x1b]52;c;aGk" not in s.raw and b"\x07" not in s.raw and "\u202e".encode() not in s.raw
        assert s.end("q") == 0


def test_broken_records():
    def broken(d):
        (d / "rows.jsonl").write_text('{"text": "fine", "label": 1}\n{"text": broken\n{"text": "esc \\u001b[2J", "label": 0}\n')
    with Screen(["--open", "rows.jsonl"], setup=broken) as s:
        s.wait(r"rows\.jsonl · 3 rows")
        s.wait(r"^│ +2! +\{\"text\": broken")
        s.wait(r"esc \\x1b\[2J")
        s.keys("j", "Enter")
        s.wait(r"This record cannot be parsed")
        s.wait(r"\{\"text\": broken")
        assert s.end("q") == 0


def test_files_that_are_no_tables():
    def others(d):
        (d / "a.txt").write_text("EU\tB-ORG\nrejects\tO\n\nPeter\tB-PER\n")
        (d / "b.json").write_text('{"data": [{"paragraphs": [{"context": "a \\u001b[2J here", "qas": ['
                                  '{"id": 1, "question": "where?", "answers": [{"text": "here", "answer_start": 0}]},'
                                  '{"id": 2, "question": "why?", "answers": []}]}]}]}')
        (d / "c.seg").write_text("the $T$ is $T$\ncord\n-1\nthe $T$\nrope\n5\n")
    with Screen(["--open", "a.txt"], setup=others) as s:
        s.wait(r"a\.txt · 2 rows")
        s.wait(r"EU rejects +B-ORG O")
        s.keys("/", "peter", "Enter")
        s.wait(r"row 2 · words")
        s.keys("o", "C-u", "b.json", "Enter")
        s.wait(r"b\.json · 2 rows")
        s.wait(r"1 +where\? +a \\x1b\[2J here +here")
        s.wait(r"row 1 · question")
        s.keys("/", "why", "Enter")
        s.wait(r"row 2 · question")
        s.keys("o", "C-u", "c.seg", "Enter")
        s.wait(r"c\.seg · 2 rows")
        s.wait(r"the cord is cord +cord +-1")
        s.keys("j", "Enter")
        s.wait(r"This record cannot be parsed")
        assert s.end("q") == 0


def test_moving_and_copying():
    with Screen(["--open", "rows.csv"], setup=hostile) as s:
        s.wait(r"row 1 · text")
        s.keys("0", "4", "2", "G")
        s.wait(r"row 42 · text")
        s.keys("y")
        s.wait(r"row 42, text: copied")
        s.keys(":", "77", "Enter")
        s.wait(r"row 77 · text")
        s.keys("Enter", ":", "42", "Enter")
        s.wait(r"row 42 · line")
        s.keys("j")
        s.wait(r"row 43 · line")
        s.keys("k", "Esc", ":", "0", "Enter")
        s.wait(r"found '0', expected a row from 1")
        s.wait(r"row 42 · text")
        s.keys("y")
        s.wait(r"row 42, text: copied")
        assert copied(s) == "plain row number 42"
        s.keys("Y")
        s.wait(r"3 cells")
        assert copied(s) == "42\tplain row number 42\tneg"
        s.keys("l")
        s.wait(r"row 42 · label \(words, 4 values\)|row 42 · label")
        s.keys("h", "h")
        s.wait(r"row 42 · id")
        s.keys("G")
        s.wait(r"row 99 · id")
        s.keys("g")
        s.wait(r"row 1 · id")
        s.wheel(10, 20)
        s.wait(r"row 4 · id")
        s.click(8, 20)
        s.wait(r"row 4 · text")
        s.resize(12, 50)
        s.wait(r"rows\.csv")
        s.resize(40, 120)
        s.wait(r"plain row number 30")
        assert s.quiet(1.0) == b""


def test_wrapped_rows():
    def long(d):
        (d / "rows.csv").write_text("id,text,label\n" + "".join(f"{i},{'some words ' * (i % 30)}END{i},x\n" for i in range(1, 201)))
    with Screen(["--open", "rows.csv"], setup=long) as s:
        s.wait(r"200 rows")
        assert "END29" not in s.text()
        s.keys("W", "G")
        s.wait(r"END197[^└]*END200 [ │\n]*└")
        s.keys("k", "k")
        s.wait(r"row 198 · ")
        s.wait(r"END197[^└]*END200 [ │\n]*└")
        s.keys("0", "2", "9", "g")
        s.wait(r"END29")
        s.keys("W")
        s.wait_gone(r"END29")


def test_search_and_filter():
    with Screen(["--open", "rows.csv"], setup=hostile) as s:
        s.wait(r"row 1 · text")
        s.keys("/", "NUMBER 5", "Enter")
        s.wait(r"row 50 · text")
        s.keys("n")
        s.wait(r"row 51 · text")
        s.keys("N", "N")
        s.wait(r"row 59 · text")
        s.wait(r"went on from the end")
        s.keys("/", "not there", "Enter")
        s.wait(r"“not there” is in no row")
        s.keys("&", "number 9", "Enter")
        s.wait(r"11 of 99 rows with “number 9”")
        s.wait(r"^│  9    9  plain row number 9")
        s.keys("/", "number 8", "Enter")
        s.wait(r"is in no row that is shown")
        s.keys("Esc", "Esc")
        s.wait(r"rows\.csv · 99 rows")


def scores(d):
    rows = "".join(f'{i},"text {"x" * (i % 7)} number {i}",{"pos" if i % 3 else "neg"},{(i * 37) % 100 / 10}\n' for i in range(1, 101))
    (d / "rows.csv").write_text("id,text,label,score of it\n" + rows)


def test_regular_expressions():
    with Screen(["--open", "rows.csv"], setup=hostile) as s:
        s.wait(r"row 1 · text")
        s.keys("/", "/number 5[37]$/", "Enter")
        s.wait(r"row 53 · text")
        s.keys("n")
        s.wait(r"row 57 · text")
        s.keys("n")
        s.wait(r"row 53 · text")
        s.wait(r"went on from the beginning")
        s.keys("/", "C-u", "/NUMBER 61/i", "Enter")
        s.wait(r"row 61 · text")
        s.keys("/", "C-u", "/a(b/", "Enter")
        s.wait(r"regular expression, at character 4: missing closing parenthesis")
        s.keys("&", "/^plain.*[05]$/", "Enter")
        s.wait(r"18 of 99 rows with “/\^plain")
        s.keys("/", "C-u", "/number 9\\d/", "Enter")
        s.wait(r"row 90 · text")
        s.wait(r"18 of 99 rows with")
        s.keys("&", "C-u", "/[/", "Enter")
        s.wait(r"at character 2: missing terminating \]")
        s.wait(r"18 of 99 rows with")
        assert s.end("q") == 0


def test_patterns_that_take_too_long():
    def long(d):
        (d / "rows.csv").write_text("text,label\n" + "".join(f"{'a' * 60}{i}{'a' * 60}b,x\n" for i in range(2000)))
    with Screen(["--open", "rows.csv"], setup=long) as s:
        s.wait(r"2,000 rows")
        s.keys("/", "/^(a|aa|a1*)+$/", "Enter")
        s.wait(r"searching|is in no row")
        began = time.monotonic()
        s.keys("j")
        s.wait(r"row 2 · text")
        s.keys("F", "text ~ /(a+)+$/ and label = x", "Enter")
        s.wait(r"of 2,000 rows where text")
        s.keys("j", "G", "?")
        s.wait(r"Keys")
        assert time.monotonic() - began < 10
        s.keys("Esc")
        assert s.end("q") == 0


def test_filters_that_are_expressions():
    with Screen(["--open", "rows.csv"], setup=scores) as s:
        s.wait(r"100 rows")
        s.keys("F", "lab", "Tab", " = pos and not text ~ /xx/ and `s", "Tab", " >= 5", "Enter")
        want = [i for i in range(1, 101) if i % 3 and i % 7 < 2 and (i * 37) % 100 >= 50]
        s.wait(rf"{len(want)} of 100 rows where label = pos and not text ~ /xx/ an")
        s.wait(rf"^│ +{want[0]}  +{want[0]}  text[^┘]*│ +{want[-1]}  +{want[-1]} ")
        s.keys("f")
        s.wait(rf"in {len(want)} rows \(filtered\)")
        s.keys("Esc", "F", "C-u", "labl = pos", "Enter")
        s.wait(r"filter, at character 1: found labl, expected a column; is it label\?")
        s.keys("F", "C-u", "length(text) > 1 or label = ", "Enter")
        s.wait(r"at character 29: expected a value")
        s.keys("F", "C-u", "pieces(text) > 1", "Enter")
        s.wait(r"names a model whose word pieces")
        s.wait(rf"{len(want)} of 100 rows where")
        s.keys("Esc")
        s.wait(r"rows\.csv · 100 rows")
        assert s.end("q") == 0


def test_filters_on_word_pieces():
    with Screen(["--open", "data"], setup=run_with_files) as s:
        s.wait(r"train\.tsv +train +tiny-run")
        s.keys("Enter")
        s.wait(r"train\.tsv · 300 rows")
        s.keys("F", "pieces(1) > 6", "Enter")
        want = sum(len(text.split()) > 6 for text, _ in tiny_bert.sentences(300, 1))
        s.wait(rf"{want} of 300 rows where pieces")
        assert s.end("q") == 0


def test_sorted_rows():
    with Screen(["--open", "rows.csv"], setup=scores) as s:
        s.wait(r"100 rows")
        s.keys("l", "l")
        s.wait(r"row 1 · score of it")
        order = sorted(range(1, 101), key=lambda i: ((i * 37) % 100 / 10, i))
        s.keys("s")
        s.wait(rf"by score of it ↑[^│]*\n.*\n│ *{order[0]}  .*\n│ *{order[1]}  ")
        s.keys("s")
        s.wait(rf"by score of it ↓[^│]*\n.*\n│ *{order[-1]}  .*\n│ *{order[-2]}  ")
        s.keys("&", "number 7", "Enter")
        some = [i for i in order[::-1] if str(i).startswith("7")]
        s.wait(rf"11 of 100 rows · by score of it ↓ with “number 7”[^│%]*\n.*\n│ *{some[0]}  .*\n│ *{some[1]}  ")
        s.keys("/", "/number 7$/", "Enter")
        s.wait(r"row 7 · text")
        s.keys("Enter")
        s.wait(r"row 7 \(\d+ of 11 shown\)")
        s.keys("j")
        s.wait(rf"row {some[some.index(7) + 1]} " if some[-1] != 7 else r"row 7 ")
        s.keys("Esc", "/", "C-u", "/number 7[05]/", "Enter")
        both = [i for i in some if i in (70, 75)]
        s.wait(rf"row {both[0]} · text|row {both[1]} · text")
        s.keys("g", "/", "C-u", "/number 7[05]/", "Enter")
        s.wait(rf"row {both[0]} · text")
        s.keys("n")
        s.wait(rf"row {both[1]} · text")
        s.keys("n")
        s.wait(rf"row {both[0]} · text")
        s.wait(r"went on from the beginning")
        s.keys("N")
        s.wait(rf"row {both[1]} · text")
        s.keys("Esc", "Esc", "l", "l")
        s.wait(rf"rows\.csv · 100 rows · by score of it ↓[^│%]*\n")
        s.keys("s")
        s.wait(r"rows\.csv · 100 rows ─")
        s.keys("g", "h", "h", "s")
        s.wait(r"by text ↑[^│%]*\n.*\n│ *14  ")
        assert s.end("q") == 0


def test_values_and_labels():
    with Screen(["--open", "rows.csv"], setup=hostile) as s:
        s.wait(r"row 1 · text")
        s.keys("L")
        s.wait(r"Values of label · 4 in 98 rows|Values of label · 3 in 98 rows")
        s.wait(r"neg +48 +49\.0 % +▇")
        s.keys("Enter")
        s.wait(r"of 99 rows with label = “(neg|pos)”")
        s.keys("f")
        s.wait(r"Values of label · 1 in .* rows \(filtered\)")
        s.keys("Esc", "Esc")
        s.wait(r"rows\.csv · 99 rows")


def test_values_within_a_filter():
    """The rows of a value are those that were counted, not those of the whole file."""
    with Screen(["--open", "rows.csv"], setup=scores, columns=120) as s:
        s.wait(r"100 rows")
        s.keys("F", "id <= 30", "Enter")
        s.wait(r"30 of 100 rows where id <= 30 ─")
        s.keys("l", "f")
        s.wait(r"pos +20 +66\.7 %")
        s.keys("Enter")
        s.wait(r"20 of 100 rows where id <= 30, of them with label = “pos” ─")
        s.keys("G")
        s.wait(r"row 29 · label")
        s.keys("l", "f")
        s.wait(r"0\.3 +1 +5\.0 %")
        s.keys("Enter")
        s.wait(r"1 of 100 rows where id <= 30, of them with label = “pos”, of them with score of it = “")
        s.keys("Esc")
        s.wait(r"rows\.csv · 100 rows ─")
        assert s.end("q") == 0


def test_narrow_columns_beside_a_wide_one():
    """A label of one digit has its place, however long the texts are."""
    with Screen(["--open", "x.tsv"], setup=lambda d: (d / "x.tsv").write_text("".join(f"{'word ' * (30 + i % 7)}\t{i % 2}\n" for i in range(30)))) as s:
        s.wait(r"30 rows")
        s.wait(r"^│ +1  (word )+.*… +0│$")
        s.keys(*["l"] * 20)
        s.wait(r"row 1 · 2 \(integer")
        s.wait(r"^│ +3  (word )+.*… +0│$")
        assert s.end("q") == 0


def test_a_run_s_files_and_word_pieces():
    with Screen(["--open", "data"], setup=run_with_files) as s:
        s.wait(r"train\.tsv +train +tiny-run")
        s.wait(r"test\.tsv +test +tiny-run")
        s.keys("Enter")
        s.wait(r"train\.tsv · 300 rows")
        s.keys("w")
        s.wait(r"word pieces")
        s.wait(r"\[CLS\]")
        s.wait(r"\[SEP\]")
        for _ in range(20):
            if "cut here" in s.text():
                break
            s.keys("j")
            s.drain(0.1)
        s.wait(r"cut here: the model does not see the next \d+")
        s.wait(r"cut to max_seq_length 8")
        s.keys("Esc", "H")
        s.wait(r"word pieces, \[CLS\]")
        m = s.wait(r"cut at max_seq_length 8 +(\d+) rows")
        want = sum(len(text.split()) > 6 for text, _ in tiny_bert.sentences(300, 1))
        assert int(m.group(1)) == want, (m.group(1), want)
        s.keys("G")
        s.wait(r"empty texts +0 rows")
        s.keys("Esc", "O")
        s.wait(r"which file\?")
        s.keys("Esc")
        s.wait(r"train\.tsv · 300 rows")


def big(d):
    rng = random.Random(5)
    words = "the a film plot cast music ending was is and very so it".split()
    with open(d / "big.csv", "w", encoding="ascii") as f:
        f.write("id,text,label\n")
        line = " ".join(rng.choice(words) for _ in range(40))
        for i in range(200000):
            f.write(f"{i},{'needle ' if i == 199000 else ''}{line},{i % 3}\n")


def test_big_file():
    """Its first rows are there at once; its end is found, searched and counted while keys are answered."""
    with Screen(["--open", "big.csv"], setup=big) as s:
        s.wait(r"^│ +1 +0 ")
        s.wait(r"big\.csv · 200,000 rows", 30)
        s.keys("/", "NEEDLE", "Enter")
        s.wait(r"row 199001 · text", 30)
        s.keys("0", "1", "5", "0", "0", "0", "0", "g")
        s.wait(r"row 150000 · text")
        s.keys("L")
        s.wait(r"3 in 200,000 rows$|3 in 200,000 rows ─", 30)
        s.wait(r"66,667 +33\.3 %")
        with open(f"/proc/{s.child.pid}/statm", encoding="ascii") as f:
            assert int(f.read().split()[1]) * 4096 < 150e6
        assert s.end("q") == 0


def splits(d):
    tiny_bert.experiment(d / "tiny", {"data.test_file": "test.tsv"}, train=30)
    tsv = lambda rows: "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    (d / "tiny/train.tsv").write_text(tsv([(f"a good film {i % 20}", "good" if i < 28 else "bad") for i in range(30)]))
    (d / "tiny/dev.tsv").write_text(tsv([("a good film 3", "good"), ("new", "bad"), ("a good film 4", "bad"), ("b", "good")]))
    (d / "tiny/test.tsv").write_text(tsv([("new", "bad"), ("another", "good")]))
    (d / "experiments").mkdir()
    (d / "experiments/tiny.yaml").write_text(re.sub(r'"(train|dev|test)\.tsv"|"(model)"', lambda m: f'"{d}/tiny/{m[1] + ".tsv" if m[1] else m[2]}"',
                                                   (d / "tiny/tiny.yaml").read_text()))


def test_splits():
    with Screen(["--open", "tiny/train.tsv"], setup=splits) as s:
        s.wait(r"train\.tsv · 30 rows")
        s.keys("S")
        s.wait(r"Splits · tiny\.yaml · 3 files")
        s.wait(r"train\.tsv \(train\) +rows that stood before +10 +33\.3 %")
        s.wait(r"train\.tsv \(train\) +inputs with more than one label +2 +13\.3 %")
        s.wait(r"dev\.tsv \(validation\) +rows also in train\.tsv \(train\) +2 ")
        s.wait(r"… with the same label +1 ")
        s.wait(r"test\.tsv \(test\) +rows also in dev\.tsv \(valid.* +1 +50\.0 %")
        out = subprocess.run([BERTTY, "data", "--json", str(Path(s.dir) / "experiments/tiny.yaml")], capture_output=True, text=True)
        *files, result = map(json.loads, out.stdout.splitlines())
        assert (files[0]["duplicates"], files[0]["conflicts"]) == (10, 2), files[0]
        assert [(o["inputs"], o["with_label"]) for o in result["overlaps"]] == [(2, 1), (1, 1)], result
        s.keys("j", "Enter")
        s.wait(r"train\.tsv · 4 of 30 rows: conflicting labels")
        s.wait(r"^│ +9  a good film 8 +good +│\n│ +10  a good film 9 +good +│\n│ +29  a good film 8 +bad")
        s.keys("S")
        s.wait(r"Splits · tiny\.yaml · 3 files")
        s.keys("j", "j", "j", "Enter")
        s.wait(r"dev\.tsv · 2 of 4 rows: also in train\.tsv")
        s.wait(r"^│ +1  a good film 3 +good +│\n│ +3  a good film 4 +bad")
        s.keys("S", "g", "j", "j", "Enter")
        s.wait(r"there are none")
        s.keys("Esc", "Esc")
        s.wait(r"dev\.tsv · 4 rows")
        assert s.end("q") == 0


def test_splits_of_one_file():
    with Screen(["--open", "rows.csv"], setup=lambda d: (d / "rows.csv").write_text("text,label\na b,x\nc d,x\na b,x\ne f,y\nc d,y\n")) as s:
        s.wait(r"5 rows")
        s.keys("S")
        s.wait(r"Splits · rows\.csv · 1 file ")
        s.wait(r"rows that stood before +2 +40\.0 %")
        s.keys("Enter")
        s.wait(r"rows\.csv · 2 of 5 rows: duplicates")
        assert s.end("q") == 0


def test_answers_and_aspects():
    """What the model shall find stands in brackets, in any theme; the passage is read in windows, not cut."""
    for env in ({}, {"TERM": "vt100"}):
        with Screen(["--open", "dev.json"], setup=kinds.qa, env=env) as s:
            s.wait(r"dev\.json · 5 rows")
            s.keys("Enter")
            s.wait(r"question  \(question\)")
            s.wait(r"context  \(passage\)")
            s.wait(r"a region in «France»")
            s.keys(*["j"] * 3)
            s.wait(r"row 4")
            s.wait_gone("«")
            s.keys("Esc", "L")
            s.wait(r"\(no answer\) +1 +20\.0 %")
            assert s.end("q") == 0

    def seg(d):
        (d / "x.seg").write_text("The $T$ is good , the $T$ too .\nfood\n1\nBut the staff of the $T$ was rude .\nstaff\n-1\n")

    with Screen(["--open", "x.seg"], setup=seg) as s:
        s.wait(r"x\.seg · 2 rows")
        s.keys("O")
        s.wait(r"^│x\.seg ")
        s.keys("Enter")
        s.wait(r"x\.seg · 2 rows")
        s.keys("Enter")
        s.wait(r"The ⟦food⟧ is good , the food too")
        s.wait(r"aspect  \(aspect\)")
        s.keys("j")
        s.wait(r"But the staff of the ⟦staff⟧ was rude")  # where $T$ stood
        assert s.end("q") == 0


def test_passages_are_read_in_windows():
    def setup(d):
        squad = {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "the film was good and dull " * 10, "qas": [
            {"id": "a", "question": "was the film good", "answers": [{"text": "good", "answer_start": 13}]}]}]}]}
        (d / "x.json").write_text(json.dumps(squad))
        tiny_bert.experiment(d, {"task.type": "qa", "data.train_file": "x.json", "data.validation_file": "x.json",
                                 "data.text_column": None, "data.label_column": None, "data.max_seq_length": 24,
                                 "task.doc_stride": 4, "task.max_query_length": 8})

    with Screen(["--open", "x.json"], setup=setup, rows=36) as s:
        s.wait(r"x\.json · 1 row\b")
        s.keys("w")
        s.wait(r"67 pieces with \[CLS\] and \[SEP\]: read in 5 windows of max_seq_length 24")
        s.wait_gone("the model does not see")
        s.keys("Esc", "H")
        s.wait(r"cut at max_query_length 8 +0 rows")
        s.wait(r"read in several windows +1 rows \(100\.0 %\)")
        s.wait(r"windows in all +5")
        assert s.end("q") == 0


def test_choices_and_sets():
    def choices(d):
        (d / "x.csv").write_text("id,sent1,sent2,ending0,ending1,label\n1,A cat sits.,It,barks.,purrs.,1\n")

    with Screen(["--open", "x.csv"], setup=choices) as s:
        s.wait(r"x\.csv · 1 row\b")
        s.wait("›sent1")
        s.keys("Enter")
        s.wait(r"sent2  \(how each choice begins\)")
        s.wait(r"ending0  \(choice 0\) ")
        s.wait(r"ending1  \(choice 1: the right one ✓\)")
        assert s.end("q") == 0

    with Screen(["--open", "dev.tsv"], setup=kinds.sets) as s:
        s.wait(r"dev\.tsv · 5 rows")
        s.keys("L")
        s.wait(r"love +2 +40\.0 %")
        s.wait(r"\(no label\) +1 +20\.0 %")
        s.keys("Enter")
        s.wait(r"2 of 5 rows with labels label “(anger|love)”")
        assert s.end("q") == 0


def test_folders_show_their_ends():
    def deep(d):
        for name in ("first", "second"):
            folder = d / "a-folder-with-a-long-name" / "and-another-one-inside" / name
            folder.mkdir(parents=True)
            (folder / "x.tsv").write_text("text\tlabel\na\tb\n")
            (d / f"{name}.yaml").write_text(f"task: {{type: classification}}\ndata:\n  train_file: {folder}/x.tsv\n"
                                            "  text_column: text\n  label_column: label\n")

    with Screen(["--open", "data"], setup=deep) as s:
        s.wait(r"x\.tsv +train +first\.yaml .*inside/first/")
        s.wait(r"x\.tsv +train +second\.yaml .*inside/second/")
        assert s.end("q") == 0


main(globals())
