#!/usr/bin/env python3
"""The Compare view: settings, metrics, flips and their rows, of runs that the test writes."""
import base64
import json
import re

from scalars import write
from screen import Screen, fake_run, live_status, main

# row: text, gold, what A says, what B says
ROWS = [("a good film", "pos", "pos", "pos"), ("dull", "neg", "neg", "neg"), ("a waste", "neg", "neg", "pos"),
        ("not bad at all", "pos", "neg", "pos"), ("so so", "neg", "neg", "pos"), ("meh, 中文 fine", "pos", "neg", "neg")]
EXPERIMENT = """\
model:
  name_or_path: {dir}/model
data:
  train_file: [{dir}/dev.tsv]
  validation_file: [{dir}/dev.tsv]
  text_column: text
  label_column: label
optim:
  learning_rate: {lr}
"""


def predictions(run, said, rows=ROWS):
    folder = run / "predictions"
    folder.mkdir(exist_ok=True)
    lines = []
    for i, (_, gold, *says) in enumerate(rows):
        p = 0.9 - i / 100
        label = says[said]
        scores = {"neg": p, "pos": 1 - p} if label == "neg" else {"neg": 1 - p, "pos": p}
        lines.append(json.dumps({"id": i + 1, "gold": gold, "prediction": label, "scores": scores,
                                 "loss": 0.1 if label == gold else 2.0 + i}))
    (folder / "validation-step-000060.jsonl").write_text("\n".join(lines) + "\n")


def make(path, name, lr, loss, accuracy, said, **status):
    run = fake_run(path / "runs", name, best_step=60, last_step=60, **status)
    (run / "experiment.yaml").write_text(EXPERIMENT.format(dir=path, lr=lr))
    write(run, [("eval/loss", 60, loss), ("eval/accuracy", 60, accuracy), ("train/loss", 60, loss / 2)])
    (run / "checkpoints/step-000060").mkdir(parents=True)
    (run / "best").symlink_to("checkpoints/step-000060")
    if said is not None:
        predictions(run, said)
    return run


def data(path):
    (path / "dev.tsv").write_text("text\tlabel\n" + "".join(f"{text}\t{gold}\n" for text, gold, *_ in ROWS))


def two(path):
    data(path)
    make(path, "first", "1e-5", 0.5, 0.75, 0, started=1.6e9)
    make(path, "second", "3e-5", 0.25, 0.625, 1)


def compare(setup, rows=36, columns=120, args=(), marks=("first", "second")):
    s = Screen(["--open", "compare", *args], rows=rows, columns=columns, setup=setup)
    s.wait("Mark two runs or more")
    for run in marks:
        mark(s, run)
    return s


def mark(s, run):
    s.keys("m")
    while s.wait("Show or no longer show|just being read").group().startswith("just"):
        s.drain(0.5)
        s.keys("m")
        s.wait_gone("just being read")
    s.keys(run, "Enter")
    s.wait_gone("Show or no longer show")


def go(s, text, key="g"):
    """Puts the cursor on the line that begins with the text."""
    s.keys(key)
    s.wait(text)
    for i, line in enumerate(s.lines()):
        if re.match(r"^[│|] ?" + text, line):
            s.click(i + 1, 2)
            s.quiet(0.5)  # the next click must not make a double one
            return
    raise AssertionError(s.dump())


def test_empty_state():
    with Screen(["--open", "compare"]) as s:
        s.wait("Mark two runs or more to compare them")
        s.keys("r", "s", "R", "Enter", "y", "Right", "G", "m")
        s.until(lambda: "there is no run in" in s.text() or ("just being read" in s.text() and s.keys("m")), "that there is none")
        assert s.end("q") == 0


def test_settings_and_metrics():
    with compare(two) as s:
        s.wait(r"A ● first +B ▲ second")
        s.wait(r"optim.learning_rate +1e-05 +3e-05|optim.learning_rate +1e-5 +3e-5")
        assert "data.text_column" not in s.text()  # what is the same is not shown
        s.wait(r"eval/accuracy +0.7500\* +0.6250 ")
        s.wait(r"eval/loss +0.5000 +0.2500\*")
        s.wait(r"best step +60 +60")


def test_long_names_and_paths_and_ties():
    """Names are cut in the middle, paths in front, and every run that is as good as the best has a star."""
    names = ("sentiment-with-a-long-name-warmup-0", "sentiment-with-a-long-name-warmup-1")

    def long(path):
        data(path)
        make(path, "worse", "1e-5", 0.5, 0.5, 0, started=1.5e9)
        for i, name in enumerate(names):
            run = make(path, name, "1e-5", 0.5, 0.75, i, started=1.6e9 + i)
            text = (run / "experiment.yaml").read_text()
            (run / "experiment.yaml").write_text(text.replace(f"{path}/dev.tsv", f"{path}/a-folder-with-a-long-name/dev-{i}.tsv"))

    with compare(long, 24, 80, marks=names) as s:
        s.wait(r"A ● sentimen…warmup-0 +B ▲ sentimen…warmup-1|A ● senti\S*…\S*warmup-0 +B ▲ senti\S*…\S*warmup-1")
        s.wait(r"data.train_file +…\S*dev-0.tsv +…\S*dev-1.tsv")
        s.resize(36, 120)
        s.wait(r"A ● sentiment-with-a-long-name-warmup-0 +B ▲ sentiment-with-a-long-name-warmup-1")
        mark(s, "worse")
        s.wait(r"eval/accuracy +0.7500\* +0.7500\* +0.5000 ")


def test_three_runs_and_the_reference():
    def three(path):
        two(path)
        make(path, "third", "1e-5", 0.125, 0.5, None)
    with compare(three, marks=("first", "second", "third")) as s:
        s.wait(r"A ● first +B ▲ second +C ■ third")
        s.wait(r"learning_rate +1e-0?5 +3e-0?5 +=")
        s.wait(r"eval/loss +0.5000 +0.2500 +0.1250\*")
        s.wait("Mark just two runs")
        s.keys("Right", "r")
        s.wait(r"A ▲ second +B ● first +C ■ third")
        s.wait(r"learning_rate +3e-0?5 +1e-0?5 +1e-0?5")


def test_flips():
    with compare(two) as s:
        s.wait(r"Predictions on validation: 6 rows, A at step 60, B at step 60")
        s.wait(r"both right +2 +33.3 %")
        s.wait(r"only A right \(harmful flips\) +2 ")
        s.wait(r"only B right \(beneficial flips\) +1 ")
        s.wait(r"both wrong +1 ")
        s.wait(r"same prediction +3 ")
        s.wait(r"McNemar's exact test: p = 1,")
        s.wait(r"^│ neg +2 +3")
        s.wait(r"^│ pos +0 +1")


def test_every_count_opens_its_rows():
    with compare(two) as s:
        go(s, r"only A right")
        s.keys("Enter")
        s.wait(r"┌─ only A right \(harmful flips\): 2 rows")
        s.wait(r"^│ +3 +neg +neg 0.88 +✗ pos 0.88 .*a waste")
        s.wait(r"^│ +5 +neg +neg 0.86 +✗ pos 0.86 .*so so")
        s.keys("Esc")
        s.wait("Settings that differ")
        go(s, r"neg +2 +3")
        s.keys("Right", "Enter")
        s.wait(r"┌─ A says neg, B says pos: 3 rows")
        s.keys("s")
        s.wait(r"by what B made worse")
        rows = [line for line in s.lines() if " neg 0." in line]
        assert [int(line.split()[1]) for line in rows] == [5, 3, 4], s.dump()
        s.keys("Esc", "G")
        s.wait("Who says what")


def test_rows_are_filtered_and_copied():
    with compare(two) as s:
        go(s, "different predictions")
        s.keys("Enter")
        s.wait(r"different predictions: 3 rows")
        s.keys("/", "BAD")
        s.wait(r"1 row with /BAD")
        s.wait("not bad at all")
        s.keys("Enter", "y")
        s.wait("row 4 copied")
        text = base64.b64decode(re.search(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)", s.raw).group(1)).decode()
        assert text.startswith("4\tpos\t✗ neg") and text.endswith("not bad at all"), text
        s.keys("Esc")
        s.wait(r"different predictions: 3 rows")
        s.keys("/", "nothing of the kind")
        s.wait("No row has that")
        s.keys("Esc")
        s.wait(r"different predictions: 3 rows")


def test_a_row_opens_in_its_file():
    with compare(two) as s:
        go(s, "only B right")
        s.keys("Enter")
        s.wait("not bad at all")
        s.keys("Enter")
        s.wait(r"▸2 Data")


def test_metric_opens_its_chart():
    with compare(two) as s:
        go(s, "eval/accuracy")
        s.keys("Enter")
        s.wait(r"▸4 Charts")
        s.wait(r"─ accuracy \d/")


def test_cells_are_whole_or_not_there():
    """Of a run that has no room there is nothing but an arrow; texts end lines at blanks."""
    def many(path):
        data(path)
        for i in range(6):
            make(path, f"run-{i}", "1e-5", 0.5, 0.625 + i / 64, i % 2, started=1.6e9 + i)

    with compare(many, 24, 80, marks=[f"run-{i}" for i in range(6)]) as s:
        s.wait(r"^│A is the reference .* D . run-3 +›│$")
        for line in s.lines():
            assert "eval/accuracy" not in line or re.search(r"0\.\d{4}\*? +│$", line), line
        s.keys(*["Right"] * 5)
        s.wait(r"F . run-5")


def steps(path):
    """One run with predictions of three steps, another with one."""
    two(path)
    run = path / "runs/first"
    for step, said in ((20, 1), (40, 0)):
        predictions(run, said)
        (run / "predictions/validation-step-000060.jsonl").rename(run / f"predictions/validation-step-{step:06}.jsonl")
    predictions(run, 1)
    write(run, [("eval/accuracy", 20, 0.25), ("eval/accuracy", 40, 0.5)])


def test_a_run_alone_is_compared_with_itself():
    with compare(steps, marks=["first"]) as s:
        s.wait(r"A ● first@40 +B ● first@60")
        s.wait(r"A at step 40, B at step 60")
        s.wait(r"only A right \(harmful flips\) +2 ")
        s.keys("Right", "[")
        s.wait(r"A ● first@40 +B ● first@40")
        s.wait(r"same prediction +6 ")
        s.keys("[")
        s.wait(r"A at step 40, B at step 20")
        s.wait(r"eval/accuracy +0.5000\* +0.2500 ")
        s.keys("[")
        s.wait("B has no predictions before step 20")
        s.keys("r")
        s.wait(r"A ● first@20 +B ● first@40")
    with compare(steps, marks=["second"]) as s:
        s.wait("second: has predictions of one step only: mark a second run")


def test_the_step_of_the_chosen_run_is_another():
    with compare(steps) as s:
        s.wait(r"A at step 60, B at step 60")
        go(s, "best step")
        s.keys("Left", "[")
        s.wait(r"A ● first@40 +B ▲ second")
        s.wait(r"A at step 40, B at step 60")
        s.keys("[", "]", "]")
        s.wait(r"A ● first@60 +B ▲ second")


def test_metrics_of_the_rows_and_their_intervals():
    with compare(two) as s:
        s.wait("1000 paired draws")
        s.keys("G")
        s.wait(r"A +B +B-A +from +to +p +draws")
        s.wait(r"accuracy +0.6667 +0.5000 -0.1667 +-0.[68]\d+ +\+0.[35]\d+ +\S+ +1000")
        s.wait(r"ece +0.\d+ +0.\d+ +[-+]0.\d+ +")


def test_slices_open_their_rows():
    with compare(two) as s:
        s.wait("Who says what")
        s.keys("G")
        s.wait(r"rows +A +B +B-A +only A +only B +p")
        s.wait(r"pos +3 +0.3333 +0.6667 \+0.3333 +0 +1 +1.000")
        s.wait(r"neg +3 +1.000 +0.3333 -0.6667 +2 +0 +0.5000")
        s.wait(r"length \d+ to \d+ ")
        go(s, "pos +3", "G")
        s.keys("Left", "Left", "Left", "Left", "Left", "Left", "Enter")
        s.wait(r"┌─ all of pos: 3 rows")
        s.keys("Esc", *["Right"] * 5, "Enter")
        s.wait(r"┌─ only B right \(beneficial flips\) of pos: 1 row")
        s.wait("not bad at all")
        s.keys("Esc", "a", "txt = 1", "Enter")
        s.wait(r"found txt, expected a column; is it text\?")
        s.keys("a", "text ~ \"waste\" or b = neg", "Enter")
        s.wait(r"text ~ \"waste\" or b = neg +3 +0.6667")
        s.keys("Enter")
        s.wait(r"only B right \(beneficial flips\) of text ~ \"waste\" or b = neg: 0 rows")
        s.keys("Esc", "d")
        s.wait_gone("waste")
        s.keys("d")
        s.wait("d takes away a slice that was added with a")


def test_the_report_is_written():
    with compare(two) as s:
        s.wait("McNemar")
        s.keys("w", "C-u", "out.html", "Enter")
        s.wait(r"the report is written to out.html: \d+ KiB")
        text = (s.dir / "out.html").read_text()
        assert text.startswith("<!DOCTYPE html>") and "not bad at all" in text and "second" in text
        s.keys("w", "Enter")
        s.wait("out.html exists. Replace it?")
        s.keys("y")
        s.wait("the report is written")
        s.keys("w", "C-u", "none/out.html", "Enter")
        s.wait("none/out.html")


def test_swap_turns_the_flips_round():
    with compare(two) as s:
        s.wait(r"only A right \(harmful flips\) +2 ")
        s.keys("r")
        s.wait(r"A ▲ second +B ● first")
        s.wait(r"only A right \(harmful flips\) +1 ")
        s.wait(r"^│ neg +2 +0")


def test_texts_of_a_file_that_changed_are_not_shown():
    def changed(path):
        two(path)
        (path / "dev.tsv").write_text("text\tlabel\n" + "".join(f"other\t{gold}\n" for _, gold, *_ in reversed(ROWS)))
    with compare(changed) as s:
        go(s, "only A right")
        s.keys("Enter")
        s.wait(r"^│ +3 +neg")
        s.keys("Enter")
        s.wait("cannot be read or has changed")


def test_runs_without_predictions_or_experiment():
    def bare(path):
        data(path)
        make(path, "first", "1e-5", 0.5, 0.75, None)
        write(path / "runs" / "second", [("val_loss", i, 1 / i) for i in range(1, 9)])
    with compare(bare) as s:
        s.wait(r"state +finished +-")
        s.wait("Predictions")
        s.wait("predictions")
        s.wait(r"Settings that differ")


def test_a_live_run_is_read_again():
    def live(path):
        data(path)
        make(path, "first", "1e-5", 0.5, 0.75, None)
        make(path, "second", "3e-5", 0.25, 0.625, None, **live_status())
    with compare(live) as s:
        s.wait(r"eval/loss +0.5000 +0.2500\*")
        run = s.dir / "runs/second"
        write(run, [("eval/loss", 80, 0.125)])
        (run / "checkpoints/step-000080").mkdir()
        (run / "best").unlink()
        (run / "best").symlink_to("checkpoints/step-000080")
        members = json.loads((run / "status.json").read_text())
        members.update(best_step=80, last_step=80)
        (run / "status.new").write_text(json.dumps(members))
        (run / "status.new").rename(run / "status.json")
        s.wait(r"eval/loss +0.5000 +0.1250\*")


def test_nothing_is_sent_when_nothing_changes():
    with compare(two) as s:
        s.wait("McNemar")
        s.quiet(0.6)
        assert s.quiet(2) == b""


def test_small_screen_and_ascii():
    with compare(two, rows=24, columns=80) as s:
        s.wait("eval/accuracy")
        s.keys("G")
        s.wait(r"^│ pos +0 +1")
        for rows, columns in ((12, 40), (10, 41), (50, 180), (24, 80)):
            s.resize(rows, columns)
            s.quiet(0.15)
        s.wait(r"^│ pos +0 +1")
        assert s.end("q") == 0
    with compare(two, args=["--ascii"]) as s:
        s.wait(r"A o first +B \* second")


main(globals())
