#!/usr/bin/env python3
"""The Predictions view: rows, filters, orders, the matrix, steps, what goes to other views and to files, and what it says where something is missing."""
import json
import re
import sys
from pathlib import Path

from screen import Screen, fake_run, main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny_bert  # noqa: E402

LABELS = ("negative", "positive")


def write(run, split, step, rows):
    """rows: (gold, p(positive))."""
    text = ""
    for i, (gold, p) in enumerate(rows):
        scores = {"negative": round(1 - p, 4), "positive": p}
        text += json.dumps({"id": i + 1, "gold": gold, "prediction": max(scores, key=scores.get), "scores": scores,
                            "loss": round(1 - scores[gold], 4)}) + "\n"
    (run / "predictions").mkdir(exist_ok=True)
    (run / "predictions" / f"{split}-step-{step:06}.jsonl").write_text(text)


def p_of(i, gold, step):
    right = 0.5 + (i % 40 + 1) / 100
    p = right if gold == "positive" else 1 - right
    if i % 8 == 3:
        p = 1 - p  # wrong
    return round(0.5 + (p - 0.5) * step / 60, 4)


def run_with_predictions(d, name="tiny-run", started=1.7e9):
    tiny_bert.experiment(d / "tiny", {"data.test_file": "test.tsv"})
    text = (d / "tiny/tiny.yaml").read_text()
    for part in ("train.tsv", "dev.tsv", "test.tsv", "model"):
        text = text.replace(f'"{part}"', f'"{d}/tiny/{part}"')
    run = fake_run(d / "runs", name, started=started)
    (run / "experiment.yaml").write_text(text)
    for step in (20, 40, 60):
        write(run, "validation", step, [(gold, p_of(i, gold, step)) for i, (_, gold) in enumerate(tiny_bert.sentences(40, 2))])
    write(run, "test", 60, [(gold, p_of(i, gold, 60)) for i, (_, gold) in enumerate(tiny_bert.sentences(40, 3))])


DEV = list(tiny_bert.sentences(40, 2))
WRONG = [i for i in range(40) if i % 8 == 3]


def test_no_run_and_no_predictions():
    with Screen(["--open", "predictions"]) as s:
        s.wait(r"There is no run yet")
        assert s.end("q") == 0
    with Screen(["--open", "predictions"], setup=lambda d: fake_run(d / "runs", "bare")) as s:
        s.wait(r"no predictions of its validation rows\.")
        s.wait(r"eval_strategy")
        assert s.end("q") == 0


def test_rows_filters_and_orders():
    with Screen(["--open", "predictions"], setup=run_with_predictions, rows=36, columns=120) as s:
        s.wait(r"validation · step 60 \(3 of 3\) · 40 rows")
        s.wait(re.escape(DEV[0][0][:20]))
        s.keys("e")
        s.wait(r"5 of 40 rows, only errors")
        assert len(re.findall(r"^│ +\d+ .*✗ ", s.text(), re.M)) == len(WRONG), s.dump()
        s.keys("s")
        s.wait(r"loss ↓")
        first = s.wait(r"^│ +(\d+) .*✗")
        worst = max(WRONG, key=lambda i: i % 40)
        assert int(first.group(1)) == worst + 1, s.dump()
        s.keys("Esc")
        s.wait(r"· 40 rows ")
        s.keys("/", "positive", "Enter")
        s.wait(r"with “positive”")
        s.keys("Esc")
        s.wait_gone(r"with “")


def test_matrix_opens_its_rows():
    gold = [label for _, label in DEV]
    wrong = [i for i in WRONG if gold[i] == "negative"]
    with Screen(["--open", "predictions"], setup=run_with_predictions, rows=36, columns=120) as s:
        s.wait(r"gold ↓ predicted →")
        right = sum(g == "negative" for g in gold) - len(wrong)
        s.wait(rf"│negative +{right} +{len(wrong)} +")
        s.keys("Tab")
        s.wait(r"─ negative → negative ─")
        s.keys("Right")
        s.wait(r"─ negative → positive ─")
        s.keys("Enter")
        s.wait(rf"{len(wrong)} of 40 rows?, negative → positive")
        s.keys("Esc")
        s.wait(r"· 40 rows ")
        s.keys("Tab", "G", "Enter")  # all
        s.wait(r"· 40 rows ")


def test_mouse():
    with Screen(["--open", "predictions"], setup=run_with_predictions, rows=36, columns=120) as s:
        s.wait(r"gold ↓ predicted →")
        s.wait(re.escape(DEV[0][0][:20]))
        lines = s.lines()
        row = next(i for i, line in enumerate(lines) if line.startswith("│positive   "))
        column = lines[row - 2].index("negative") + 3
        s.click(row + 1, column)
        s.wait(r"─ positive → negative ─")
        s.click(row + 1, column)
        s.wait(r"of 40 rows?, positive → negative")
        s.keys("Esc")
        s.wait(r"· 40 rows ")
        s.click(4, lines[3].index("loss") + 1)
        s.wait(r"loss ↓")
        s.click(4, lines[3].index("loss") + 1)
        s.wait(r"loss ↑")
        before = s.wait(r"─ row (\d+) ─").group(1)
        s.wheel(8, 10)
        s.wait_gone(rf"─ row {before} ─")


def test_calibration():
    with Screen(["--open", "predictions"], setup=run_with_predictions, rows=36, columns=120) as s:
        s.wait("gold ↓ predicted →")
        s.keys("c")
        s.wait(r"calibration · ECE 0\.\d{4}")
        s.wait(r"confidence +rows +said +right +gap")
        s.wait(r"0\.80 to 0\.87 +\d+ +0\.8\d+ +")
        rows = sum(int(r) for r in re.findall(r"\d\.\d\d to \d\.\d\d +(\d+) ", s.text()))
        assert rows == 40, s.dump()
        s.keys("Tab", "Down", "Enter")
        s.wait(r"7 of 40 rows, confidence 0\.80 to 0\.87")
        shown = [float(x) for x in re.findall(r"^│ +\d+ +\w+ +[✗ ] \w+ +(0\.\d{3}) ", s.text(), re.M)]
        assert len(shown) == 7 and all(0.8 <= x <= 0.8667 for x in shown), s.dump()
        s.keys("Esc")
        s.wait(r"· 40 rows")
        s.keys("c")
        s.wait("gold ↓ predicted →")


def test_filters_by_expression_that_are_named():
    with Screen(["--open", "predictions"], setup=run_with_predictions, rows=36, columns=120) as s:
        s.wait("gold ↓ predicted →")
        s.keys("N")
        s.wait("F first")
        s.keys("V")
        s.wait("no slice has a name yet")
        s.keys("F", "gld = 1", "Enter")
        s.wait(r"found gld, expected a column; is it gold\?")
        s.keys("F", "correct = 0 and row > 10 and length(text) > 3", "Enter")
        s.wait(rf"· {sum(i > 9 for i in WRONG)} of 40 rows, correct = 0 and row > 10")
        s.keys("N", "late errors", "Enter")
        s.wait("slice late errors kept")
        assert json.loads((s.dir / "runs/slices.json").read_text()) == {"late errors": "correct = 0 and row > 10 and length(text) > 3"}
        s.keys("Esc")
        s.wait(r"· 40 rows")
        s.keys("V")
        s.wait(r"late errors: correct = 0")
        s.keys("late", "Enter")
        s.wait(rf"· {sum(i > 9 for i in WRONG)} of 40 rows")
        s.keys("[")
        s.wait(r"step 40 .*rows, correct = 0")
        (s.dir / "runs/slices.json").write_text("[")
        s.keys("V")
        s.wait("slices.json")


def test_steps_history_and_split():
    with Screen(["--open", "predictions"], setup=run_with_predictions, rows=36, columns=120) as s:
        s.wait(r"step 60 \(3 of 3\)")
        s.wait(r"p\(gold\) over steps 20 to 60")
        p = [p_of(0, DEV[0][1], step) if DEV[0][1] == "positive" else 1 - p_of(0, DEV[0][1], step) for step in (20, 60)]
        s.wait(rf"{p[0]:.2f} → {p[1]:.2f}")
        s.keys("[")
        s.wait(r"step 40 \(2 of 3\)")
        s.keys("<", "<")
        s.wait(r"no predictions before step 20")
        s.keys("0", "2", "]")
        s.wait(r"step 60 \(3 of 3\)")
        s.keys("t")
        s.wait(r"test · step 60 · 40 rows")
        text = list(tiny_bert.sentences(40, 3))[0][0]
        s.wait(re.escape(text[:20]))


def test_to_and_from_other_views():
    with Screen(["--open", "predictions"], setup=run_with_predictions, rows=36, columns=120) as s:
        s.wait(re.escape(DEV[0][0][:20]))
        s.keys("j", "j", "o")
        s.wait(r"Data · dev\.tsv · 40 rows")
        s.wait(r"row 3 · text")
        s.keys("j", "j", "p")
        s.wait(r"validation · step 60")
        s.wait(r"─ row 5 ─")
        s.keys("Enter")
        s.wait(r"▸7 Probe")
        s.wait(re.escape(DEV[4][0][:20]))


def test_from_a_file_that_was_not_evaluated():
    with Screen(["--open", "data"], setup=run_with_predictions, rows=36, columns=120) as s:
        s.wait(r"train\.tsv +train +tiny-run")
        s.keys("Enter")
        s.wait(r"train\.tsv · 200 rows")
        s.keys("p")
        s.wait(r"tiny-run was not evaluated on train\.tsv")
        s.wait(r"validation · step 60")
        s.keys("t")
        s.wait(r"test · step 60")


def test_export():
    with Screen(["--open", "predictions"], setup=run_with_predictions) as s:
        s.wait(r"· 40 rows")
        s.wait(re.escape(DEV[0][0][:10]))
        s.keys("e", "x", "C-u", "out.jsonl", "Enter")
        s.wait(r"5 rows written to out\.jsonl")
        rows = [json.loads(line) for line in (s.dir / "out.jsonl").read_text().splitlines()]
        assert [r["id"] for r in rows] == [i + 1 for i in WRONG]
        assert rows[0]["text"] == DEV[WRONG[0]][0] and rows[0]["gold"] == DEV[WRONG[0]][1]
        s.keys("x", "C-u", "out.jsonl", "Enter")
        s.wait(r"out\.jsonl exists\. Replace it\?")
        s.keys("n", "x", "C-u", "out.tsv", "Enter")
        s.wait(r"5 rows written to out\.tsv")
        lines = (s.dir / "out.tsv").read_text().splitlines()
        assert lines[0].startswith("id\tgold\tpredicted") and len(lines) == 6
        s.keys("x", "C-u", "/nowhere/at/all.tsv", "Enter")
        s.wait(r"/nowhere/at/all\.tsv: ")


def test_texts_are_gone_or_changed():
    def moved(d):
        run_with_predictions(d)
        (d / "tiny/dev.tsv").rename(d / "tiny/elsewhere.tsv")

    def changed(d):
        run_with_predictions(d)
        rows = (d / "tiny/dev.tsv").read_text().splitlines()
        (d / "tiny/dev.tsv").write_text("\n".join([rows[0], *("now other\t" + r.split("\t")[1] for r in rows[2:])]) + "\n")
    with Screen(["--open", "predictions"], setup=moved) as s:
        s.wait(r"no texts: .*dev\.tsv")
        s.wait(r"^│ +1 +(neg|pos)")
        s.keys("p")
        s.wait(r"dev\.tsv: no such file")
    with Screen(["--open", "predictions"], setup=changed, rows=36, columns=120) as s:
        s.wait(r"now other")
        moved_row = next(i for i in range(39) if DEV[i][1] != DEV[i + 1][1])
        s.keys("0", *str(moved_row + 1), "g")
        s.wait(r"The file has changed")


def test_rows_cut_off_the_training_data():
    """With data.val_set_size the numbers of validation rows are those of the training file."""
    train = list(tiny_bert.sentences(200, 1))

    def cut(d):
        run_with_predictions(d)
        run = d / "runs/tiny-run"
        text = (run / "experiment.yaml").read_text()
        (run / "experiment.yaml").write_text(re.sub(r"validation_file: .*", "val_set_size: 0.1", text))
        for name in (run / "predictions").iterdir():
            name.unlink()
        rows = [{"id": i + 1, "gold": train[i][1], "prediction": "positive", "scores": {"negative": 0.25, "positive": 0.75},
                 "loss": 0.5} for i in range(150, 170)]
        (run / "predictions/validation-step-000060.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    with Screen(["--open", "predictions"], setup=cut, rows=36, columns=120) as s:
        s.wait(r"validation · step 60 · 20 rows")
        s.wait(re.escape(train[150][0][:20]))
        s.keys("j", "o")
        s.wait(r"train\.tsv · 200 rows")
        s.wait(r"row 152 · text")
        s.keys("j", "p")
        s.wait(r"─ row 153 ─")


def test_a_run_that_goes_on():
    def young(d):
        run_with_predictions(d)
        for name in (d / "runs/tiny-run/predictions").iterdir():
            name.unlink()
    with Screen(["--open", "predictions"], setup=young) as s:
        s.wait(r"no predictions")
        run = s.dir / "runs/tiny-run"
        write(run, "validation", 80, [(gold, p_of(i, gold, 60)) for i, (_, gold) in enumerate(DEV)])
        status = json.loads((run / "status.json").read_text())
        (run / "status.json").write_text(json.dumps({**status, "last_step": 80, "updated": 1.8e9}))
        s.wait(r"validation · step 80 · 40 rows")
        assert s.end("q") == 0


main(globals())
