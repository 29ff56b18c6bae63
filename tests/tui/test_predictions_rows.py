#!/usr/bin/env python3
"""The Predictions view beyond the rows of an evaluation: the label audit, the data map, the threshold, tags and notes."""
import hashlib
import json
import re
import sys
from pathlib import Path

import kinds
from screen import Screen, fake_run, main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny_bert  # noqa: E402

ROWS, FOLDS = 40, 2
TRAIN = list(tiny_bert.sentences(200, 1))[:ROWS]
OTHER = {"negative": "positive", "positive": "negative"}
DOUBTED = [4, 9, 30]  # rows whose label the runs do not believe, the worst first


def experiment(d, more=""):
    tiny_bert.experiment(d / "tiny", train=ROWS)
    text = (d / "tiny/tiny.yaml").read_text().replace("data:\n", "data:\n" + more)
    for part in ("train.tsv", "dev.tsv", "model"):
        text = text.replace(f'"{part}"', f'"{d}/tiny/{part}"')
    return text + 'run:\n  name: tiny\n' if "\nrun:" not in text else text.replace("\nrun:\n", "\nrun:\n  name: tiny\n")


def sums(d, *names):
    return {f"{d}/tiny/{name}": hashlib.sha256((d / "tiny" / name).read_bytes()).hexdigest() for name in names}


def predictions(run, split, rows, step=20):
    """rows: (id, gold, p(positive))."""
    lines = ""
    for i, gold, p in rows:
        scores = {"negative": round(1 - p, 4), "positive": p}
        lines += json.dumps({"id": i, "gold": gold, "prediction": max(scores, key=scores.get), "scores": scores, "loss": 0.5}) + "\n"
    (run / "predictions").mkdir(exist_ok=True)
    (run / f"predictions/{split}-step-{step:06}.jsonl").write_text(lines)


def believed(row):
    gold = TRAIN[row - 1][1]
    p = 0.04 + 0.01 * DOUBTED.index(row) if row in DOUBTED else 0.9 + row / 1000
    return gold, round(p if gold == "positive" else 1 - p, 4)


def make_run(d, name="tiny-run", started=1.7e9, **status):
    run = fake_run(d / "runs", name, started=started, **{"name": "tiny", **status})
    (run / "experiment.yaml").write_text(experiment(d))
    (run / "run.json").write_text(json.dumps({"data": sums(d, "train.tsv", "dev.tsv")}))
    return run


def audited(d, folds=FOLDS):
    predictions(make_run(d), "validation", [(1, "positive", 0.75)])
    for k in range(1, folds + 1):
        run = make_run(d, f"tiny-audit-{k}of{FOLDS}", started=1.6e9)
        predictions(run, "validation", [(i, *believed(i)) for i in range(1, ROWS + 1) if i % FOLDS == k - 1])


def decided(s):
    path = s.dir / "runs/tiny.decisions.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {line["row"]: line for line in lines if "row" in line}, next((line["data"] for line in lines if "data" in line), None)


def begin(s, *keys):
    s.wait(r"validation · step")
    s.keys(*keys)


def test_audit():
    with Screen(["--open", "predictions"], setup=audited) as s:
        begin(s, "A")
        s.wait(r"label audit · tiny · 3 of 40 suspected · 0 of 3 decided")
        for row in DOUBTED:
            s.wait(rf"^│ +{row}  {TRAIN[row - 1][1]} +{OTHER[TRAIN[row - 1][1]]} +0\.\d+ ")
        s.wait(r"quality +0\.040, suspected")
        s.wait(re.escape(TRAIN[DOUBTED[0] - 1][0][:20]))
        s.keys("r")
        s.wait(rf"1 of 3 decided: 0 kept, 1")
        s.wait(rf"─ row {DOUBTED[1]} ─")  # and on to the next
        s.keys("K")
        s.wait(r"2 of 3 decided: 1 kept")
        s.keys("d")
        s.wait(r"3 of 3 decided")
        s.until(lambda: len(decided(s)[0]) == 3, "three decisions in the file")
        lines, data = decided(s)
        given = [TRAIN[row - 1][1] for row in DOUBTED]
        assert lines[DOUBTED[0]] == {"row": DOUBTED[0], "given": given[0], "decision": "relabel", "label": OTHER[given[0]]}, lines
        assert lines[DOUBTED[1]]["decision"] == "keep" and lines[DOUBTED[2]]["decision"] == "drop", lines
        assert data == sums(s.dir, "train.tsv")[f"{s.dir}/tiny/train.tsv"]
        s.keys("u")
        s.wait(rf"row {DOUBTED[2]}: the last decision is taken back")
        s.until(lambda: set(decided(s)[0]) == set(DOUBTED[:2]), "one decision fewer")
        s.keys("e")
        s.wait(r"only undecid")
        assert len(re.findall(r"^│ +\d+  (?:neg|pos)", s.text(), re.M)) == 1, s.dump()
        s.keys("d")
        s.wait(r"Everything here is decided")
        s.keys("e", "f")
        s.wait(r"all rows")
        s.keys("g", "Enter")  # another verdict from the list, on the first row
        s.wait(r"keep (?:posi|nega)tive")
        s.keys("keep", "Enter")
        s.wait(r"3 of 3 decided: 2 kept, 0")
        s.until(lambda: decided(s)[0][DOUBTED[0]]["decision"] == "keep", "the file to follow")
        s.keys("o")
        s.wait(r"Data · train\.tsv")
        s.keys("5")
        s.wait(r"label audit")
        s.keys("Esc")
        s.wait(r"validation · step 20")
        s.keys("d")
        s.wait(r"A shows it")
        assert s.end("q") == 0
    assert not s.dir.exists()


def test_audit_of_four_labels():
    """Every label but the given one can be chosen."""
    labels = ["awful", "negative", "positive", "sublime"]

    def four(d):
        audited(d)
        for k in range(1, FOLDS + 1):
            path = d / f"runs/tiny-audit-{k}of{FOLDS}/predictions/validation-step-000020.jsonl"
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            path.write_text("".join(json.dumps({**row, "scores": {label: row["scores"].get(label, 0.0) for label in labels}}) + "\n" for row in rows))
    with Screen(["--open", "predictions"], setup=four) as s:
        begin(s, "A")
        s.wait(r"0 of 3 decided")
        given = TRAIN[DOUBTED[0] - 1][1]
        for label in ["sublime", "awful", OTHER[given]]:
            s.keys("g", "Enter")
            s.wait(r"drop the row")
            s.keys(f"relabel: {label}", "Enter")
            s.until(lambda: decided(s)[0].get(DOUBTED[0], {}).get("label") == label, f"{label} in the file")
            s.wait(r"1 of 3 decided: 0 kept, 1")
        for word, verdict in (("drop", "drop"), ("not decided", None)):
            s.keys("g", "Enter")
            s.wait(r"drop the row")
            s.keys(word, "Enter")
            s.until(lambda: decided(s)[0].get(DOUBTED[0], {}).get("decision") == verdict, f"{verdict} in the file")


def test_audit_kept_between_starts():
    def before(d):
        audited(d)
        (d / "runs/tiny.decisions.jsonl").write_text(json.dumps({"row": DOUBTED[0], "given": TRAIN[DOUBTED[0] - 1][1], "decision": "drop"}) + "\n")
    with Screen(["--open", "predictions"], setup=before) as s:
        begin(s, "A")
        s.wait(r"1 of 3 decided")
        s.wait(r"− drop")
        s.wait(rf"─ row {DOUBTED[1]} ─")  # the first that is not decided
        s.keys("g", "u")  # of this row, decided before
        s.wait(r"0 of 3 decided")
        s.until(lambda: not decided(s)[0], "the file to follow")
        s.keys("u")
        s.wait(r"nothing is decided here")
        s.keys("d", "d", "q")  # what was decided just before leaving is written
        s.until(lambda: not s.alive() or None, "the end")
        assert len(decided(s)[0]) == 2, decided(s)


def test_audit_of_changed_data():
    def changed(d):
        audited(d)
        (d / "tiny/train.tsv").write_text((d / "tiny/train.tsv").read_text().replace("the", "THE", 1))

    def decided_before(d):
        audited(d)
        (d / "runs/tiny.decisions.jsonl").write_text('{"data": "' + 64 * "0" + '"}\n')

    def damaged(d):
        audited(d)
        (d / "runs/tiny.decisions.jsonl").write_text('{"row": 1, "decision": "perhaps"}\n')
    for setup, said in ((changed, r"training data have changed since tiny-audit-1of2"), (decided_before, r"decisions about another version"),
                        (damaged, r'decisions\.jsonl:1: decision "perhaps"')):
        with Screen(["--open", "predictions"], setup=setup, columns=140) as s:
            begin(s, "A")
            s.wait(said)
            kept = (s.dir / "runs/tiny.decisions.jsonl")
            before = kept.read_text() if kept.exists() else None
            s.keys("d")
            s.wait(r"0 of 3 decided")
            s.settle()
            assert (kept.read_text() if kept.exists() else None) == before


def test_audit_that_is_not_done():
    with Screen(["--open", "predictions"], setup=lambda d: audited(d, 1), rows=30) as s:
        begin(s, "A")
        s.wait(r"1 of 2 runs are finished")
        s.wait(r"✓ tiny-audit-1of2: finished")
        s.wait(r"· tiny-audit-2of2: not queued yet")
        s.wait(r"Q queues the 1 that is missing")
        s.keys("r")
        s.keys("Q")
        s.wait(r"Queue 1 run of the audit of tiny")
        (s.dir / "runs/.queue.json").write_text('{"limit": 1, "held": true, "order": []}')  # nothing is to be trained here
        s.keys("y")
        s.wait(r"○ tiny-audit-2of2: queued")
        made = (s.dir / "runs/tiny-audit-2of2/experiment.yaml").read_text()
        assert re.search(r"^ +fold: 2$", made, re.M) and re.search(r"^ +num_folds: 2$", made, re.M), made
        run = s.dir / "runs/tiny-audit-2of2"
        predictions(run, "validation", [(i, *believed(i)) for i in range(1, ROWS + 1) if i % FOLDS == 1])
        status = json.loads((run / "status.json").read_text())
        (run / "status.json").write_text(json.dumps({**status, "state": "finished"}))
        s.wait(r"3 of 40 suspected")  # by itself, when the last run is done
    def ner(d):
        kinds.ner(d)
    with Screen(["--open", "predictions"], setup=ner) as s:
        begin(s, "A")
        s.wait(r"audit needs one label of several")
        s.keys("A")
        s.wait(r"validation · step")


# ── the data map ──

EPOCHS = 3


def p_of(row, epoch):
    if row % 10 == 0:
        return 0.1 + 0.01 * epoch  # hard
    return (0.2, 0.9, 0.4)[epoch] if row % 3 == 0 else 0.9 + 0.01 * epoch


def mapped(d, name="tiny-run"):
    predictions(make_run(d, name), "validation", [(1, "positive", 0.75)])
    (d / f"runs/{name}/dynamics").mkdir()
    for e in range(EPOCHS):
        (d / f"runs/{name}/dynamics/epoch-{e + 1}.jsonl").write_text("".join(
            json.dumps({"id": i, "p": p_of(i, e), "correct": p_of(i, e) > 0.5}) + "\n" for i in range(1, ROWS + 1)))


def test_map():
    hard = [i for i in range(1, ROWS + 1) if i % 10 == 0]
    ambiguous = [i for i in range(1, ROWS + 1) if i % 3 == 0 and i % 10]
    easy = ROWS - len(hard) - len(ambiguous)
    with Screen(["--open", "predictions"], setup=mapped, rows=36, columns=120) as s:
        begin(s, "m")
        s.wait(rf"easy-to-learn {easy}  ambiguous {len(ambiguous)}  hard-to-learn {len(hard)}")
        s.wait(rf"─ {ROWS} rows ─")
        s.wait(r"data map · confidence ↑ · easy-to-learn")  # the cursor begins where most rows are
        s.keys("Enter")
        s.wait(rf"─ {easy} of {ROWS} rows, conf 0\.\d\d, var 0\.00 ─")
        s.wait(r"right in 3 of 3 epochs")
        s.wait(r"never forgotten")
        s.keys("o")
        s.wait(r"Data · train\.tsv")
        s.keys("5", "Esc", "Esc")
        s.wait(rf"─ {ROWS} rows ─")
        s.keys("f", "f")
        s.wait(rf"─ {len(ambiguous)} of {ROWS} rows, ambiguous ─")
        s.wait(r"forgotten 1 time")
        s.wait(r"right in 1 of 3 epochs")
        s.keys("f")
        s.wait(rf"─ {len(hard)} of {ROWS} rows, hard-to-learn ─")
        s.wait(r"never learnt")
        assert re.findall(r"│ +(\d+) +0\.110 +0\.008 +0/3 +never", s.text()) == [str(i) for i in hard], s.dump()
        s.keys("f", "s")
        s.wait(r"conf ↑")
        s.keys("g", "Enter")
        s.wait(r"no row is there")
        s.keys("1", "5")
        s.wait(r"data map")
        s.keys("m")
        s.wait(r"validation · step 20")


def test_map_at_80_columns_and_below():
    with Screen(["--open", "predictions"], setup=mapped) as s:
        begin(s, "m")
        s.wait(r"easy \d+  ambiguous \d+  hard \d+")
        s.wait(r"conf 0\.\d\d–")
        for rows, columns in ((12, 60), (10, 40), (8, 30), (24, 80)):
            s.resize(rows, columns)
            s.settle(0.3)
        s.wait(r"easy \d+  ambiguous")


def test_map_mouse():
    with Screen(["--open", "predictions"], setup=mapped) as s:
        begin(s, "m")
        s.wait(r"conf 0\.\d\d–")
        lines = s.lines()
        row = next(i for i, line in enumerate(lines) if re.search(r"[│┤][^│]*\+", line))
        column = lines[row].index("+")
        s.click(row + 1, column + 1)
        s.click(row + 1, column + 1)
        s.wait(rf"of {ROWS} rows, conf")


def test_no_map():
    def bare(d):
        predictions(make_run(d), "validation", [(1, "positive", 0.75)])

    def damaged(d):
        mapped(d)
        (d / "runs/tiny-run/dynamics/epoch-2.jsonl").write_text('{"id": 1, "p": 2, "correct": true}\n')
    with Screen(["--open", "predictions"], setup=bare) as s:
        begin(s, "m")
        s.wait(r"kept no figures of its training examples")
        s.keys("Esc")
        s.wait(r"validation · step 20")
    with Screen(["--open", "predictions"], setup=damaged, columns=140) as s:
        begin(s, "m")
        s.wait(r'epoch-2\.jsonl:1: expected "p", a probability')


# ── the threshold ──

SCORES = [("negative", 0.3), ("negative", 0.6), ("positive", 0.9), ("negative", 0.1), ("positive", 0.4), ("positive", 0.35)]  # the labels of dev.tsv


def scored(d):
    predictions(make_run(d), "validation", [(i + 1, gold, p) for i, (gold, p) in enumerate(SCORES)])


def test_threshold():
    with Screen(["--open", "predictions"], setup=scored, rows=36, columns=120) as s:
        begin(s, "%")
        s.wait(r"threshold · positive")
        s.wait(r"from 0\.5 on  ★ F1 0\.8571 from 0\.35")
        s.wait(r"precision 0\.5000  recall 0\.3333")
        s.wait(r"F1 0\.4000  accuracy 0\.5000")
        s.wait(r"│positive +1 +2 ")
        s.wait(r"│negative +1 +2 ")
        s.keys("0", "1", "0", "Left")
        s.wait(r"from 0\.4 on")
        s.wait(r"precision 0\.6667  recall 0\.6667")
        s.keys("b")
        s.wait(r"from 0\.35 on")
        s.wait(r"precision 0\.7500  recall 1\.0000")
        s.keys("Enter")
        s.wait(r"positive is given from 0\.35 on here")
        s.wait(r"· 6 rows, positive ≥ 0\.35")
        s.wait(r"│negative +2 +1 +3 ")  # the matrix
        assert len(re.findall(r"^│ +\d+ .*✗ ", s.text(), re.M)) == 1, s.dump()
        s.keys("%")
        s.wait(r"from 0\.35 on")
        s.keys("Down")
        s.wait(r"threshold · negative")
        s.keys("Esc")
        s.wait(r"positive ≥ 0\.35")
        s.keys("%", "u")
        s.wait(r"decided as it was predicted")
        s.wait_gone(r"positive ≥ 0\.35")
        s.keys("Esc")
        s.wait(r"gold ↓ predicted →")
        s.wait(r"│negative +2 +1 +3 ")


def test_threshold_of_sets():
    with Screen(["--open", "predictions"], setup=kinds.sets, rows=36, columns=120) as s:
        begin(s, "%")
        s.wait(r"threshold · all labels")
        s.wait(r"rows all right 0\.2000")
        s.keys("Down")
        s.wait(r"threshold · anger")
        s.keys("G")
        s.wait(r"from 1 on")
        s.keys("Up", "0", "g", "Enter")
        s.wait(r"all labels ≥ 0")
        s.wait(r"· 5 rows")
        s.wait(r"\+anger")  # everything is given


def test_no_threshold():
    with Screen(["--open", "predictions"], setup=kinds.regression) as s:
        begin(s, "%")
        s.wait(r"a threshold decides between two labels")


# ── tags and notes ──

def notes(s):
    path = s.dir / "runs/tiny-run/predictions/validation.notes.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_tags_and_notes():
    with Screen(["--open", "predictions"], setup=scored, rows=36, columns=120) as s:
        begin(s, "M")
        s.wait(r"no row has a tag yet")
        s.keys("#", "odd #check", "Enter")
        s.wait(r"row 1: #odd #check")
        s.wait(r"^│ +1 +negative .*#odd #check ")
        s.keys("j", "w", "looks like irony", "Enter")
        s.wait(r"row 2: note kept")
        s.wait(r"✎ ")
        s.wait(r"│✎ looks like irony")
        s.keys("#", "odd", "Enter")
        s.wait(r"row 2: #odd")
        data = sums(s.dir, "dev.tsv")[f"{s.dir}/tiny/dev.tsv"]
        assert notes(s) == [{"row": 1, "data": data, "tags": ["odd", "check"], "note": None}, {"row": 2, "data": data, "tags": ["odd"], "note": "looks like irony"}], notes(s)
        s.keys("M")
        s.wait(r"#check: 1 row")
        s.keys("odd", "Enter")
        s.wait(r"· 2 of 6 rows, tagged odd")
        s.keys("x", "C-u", "out.tsv", "Enter")
        s.wait(r"2 rows written")
        table = [line.split("\t") for line in (s.dir / "out.tsv").read_text().splitlines()]
        assert [row[-2:] for row in table] == [["tags", "note"], ["odd check", ""], ["odd", "looks like irony"]], table
        s.keys("Esc", "F", 'note ~ "irony" and tags = odd', "Enter")
        s.wait(r"· 1 of 6 rows")
        s.keys("Esc", "g", "#", "C-u", "Enter")
        s.wait(r"row 1: no tags")
        s.until(lambda: [n["row"] for n in notes(s)] == [2], "the file to follow")
        s.keys("#", "+bad", "Enter")
        s.wait(r"'\+bad' is no tag")


def test_notes_of_other_data_and_damaged_ones():
    def other(d):
        scored(d)
        (d / "runs/tiny-run/predictions/validation.notes.jsonl").write_text(json.dumps({"row": 1, "data": 64 * "0", "tags": ["odd"], "note": None}) + "\n")

    def damaged(d):
        scored(d)
        (d / "runs/tiny-run/predictions/validation.notes.jsonl").write_text('{"row": 1, "tags": ["\\u001b[31m"]}\n[]\n')
    with Screen(["--open", "predictions"], setup=other) as s:
        begin(s)
        s.wait(r"1 tagged row of another version of the data is not shown")
        assert "#odd" not in s.text()
    with Screen(["--open", "predictions"], setup=damaged, columns=140) as s:
        begin(s)
        s.wait(r"no tags: .*validation\.notes\.jsonl:2: expected")
        s.keys("#")
        s.wait(r"validation\.notes\.jsonl:2: expected")

    def hostile(d):
        scored(d)
        line = {"row": 1, "data": sums(d, "dev.tsv")[f"{d}/tiny/dev.tsv"], "tags": ["a\u202eb"], "note": "\x1b[2Jgone \u202eback" + "x" * 3000}
        (d / "runs/tiny-run/predictions/validation.notes.jsonl").write_text(json.dumps(line) + "\n")
    with Screen(["--open", "predictions"], setup=hostile) as s:
        begin(s)
        s.wait(r"\[2Jgone")
        s.keys("M")
        s.wait(r"#a.+b: 1 row")
        assert b"\x1b[2Jgone" not in s.raw and "\u202e".encode() not in s.raw


main(globals())
