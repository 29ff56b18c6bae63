#!/usr/bin/env python3
"""The Charts view: what it draws of one and several runs, every key, live runs, other tools' directories, files."""
import math
import re
import time
import xml.etree.ElementTree

from scalars import batches, write
from screen import Screen, fake_run, live_status, main

ALPHA, BETA = "alpha-20261124-100000-3f2a", "beta-20261124-110000-91bc"


def curve(first, last, loss=lambda step: 2 / (1 + step / 20)):
    rows = []
    for step in range(first, last + 1):
        rows += [("train/loss", step, loss(step)), ("train/epoch", step, step / 40), ("train/learning_rate", step, 1e-4)]
        if step % 20 == 0:
            rows += [("eval/loss", step, loss(step) + 0.125), ("eval/accuracy", step, 0.5 + step / 400)]
    return rows


def one(path):
    run = fake_run(path / "runs", ALPHA, step=80, total=80, best_step=60)
    for step in (20, 60):
        (run / f"checkpoints/step-{step:06}").mkdir(parents=True)
    (run / "best").symlink_to("checkpoints/step-000060")
    write(run, curve(1, 80))


def two(path):
    one(path)
    write(fake_run(path / "runs", BETA, started=1.6e9), curve(1, 80, lambda step: 1 / (1 + step / 20)))


def charts(setup, rows=36, columns=120, args=(), **more):
    return Screen(["--open", "charts", *args], rows=rows, columns=columns, setup=setup, **more)


def braille(text):
    return sum(0x2800 < ord(c) < 0x2900 for c in text)


def mark(s, run):
    s.keys("m")
    s.wait("Show or no longer show")
    s.keys(run, "Enter")
    s.wait_gone("Show or no longer show")


def test_nothing_to_show():
    with charts(None, rows=24, columns=80) as s:
        s.wait("There is no run to show")
        s.wait("3 Experiment starts one")
        s.keys("x", "s", "c", "+", "-", "e", "y", "Enter", "Left", "Down", "G", "b", "r", "/")
        s.keys("Esc")
        assert s.end("q") == 0


BASE = "gamma-tfidf-20261124-100000-77aa"
LEVEL = r"▲[⠀-⣿ ●]{90,}▲"  # over the whole width of the panel


def with_baseline(path):
    one(path)
    write(fake_run(path / "runs", BASE, started=1.5e9, step=0, total=0, best=0.625, best_step=0, last_step=0, baseline="tfidf"),
          [("eval/loss", 0, 1.0), ("eval/accuracy", 0, 0.625)])


def test_baseline():
    """A dashed line over the whole width, with its marker at both ends; the x axis is that of the trained run."""
    with charts(with_baseline) as s:
        s.wait("─ accuracy ─")
        mark(s, "alpha")
        mark(s, "gamma")
        s.keys("/", "accuracy", "Enter", "Enter")
        s.wait("accuracy 1/1|─ accuracy ─+┐")
        s.wait(LEVEL)
        s.wait("80│?$")  # the last step of the other one ends the axis
        s.keys("x", "x", "x")  # by time: it was measured long before
        s.wait("x: time")
        s.wait(LEVEL)
        s.keys("e", "C-u", "plot.svg", "Enter")
        s.wait("plot.svg written")
        tree = xml.etree.ElementTree.parse(s.dir / "plot.svg")
        paths = [p.get("d") for p in tree.findall(".//{http://www.w3.org/2000/svg}path[@clip-path]")]
        assert any(re.fullmatch(r"M70\.0 ([0-9.]+) L880\.0 \1", d) for d in paths), paths
        assert s.end("q") == 0


def test_one_run():
    with charts(one) as s:
        s.wait(r"┌─ loss ─+┬─ accuracy ─+")
        s.wait(r"│● 0.4000  ┄ 0.5250")  # the last of training and evaluation
        s.wait(r"│● 0.7000")
        s.wait("─ learning_rate ─")
        s.wait("─ epoch ─")
        assert braille(s.text()) > 100, s.dump()
        axis = next(line for line in s.lines() if "└┬" in line)
        assert axis.count("★") == 3 and axis.count("▴") == 3, axis  # three panels; the best one hides its checkpoint


def test_nothing_is_sent_when_nothing_changes():
    with charts(one) as s:
        s.wait(r"● 0.4000")
        s.quiet(0.5)
        assert s.quiet(2.5) == b""


def test_two_runs_overlaid():
    with charts(two) as s:
        s.wait("There is no run to show|● 0.4000")
        mark(s, "alpha")
        mark(s, "beta")
        s.wait(r"^● 3f2a  ▲ 91bc")
        s.wait(r"│● 0.4000  ┄ 0.5250  ▲ 0.2000  ┄ 0.3250")
        s.keys("Enter")
        s.wait(r"^│▲ beta-\S+ +eval +0.3250")
        panel = s.text()
        assert panel.count("▲") >= 4 and panel.count("●") >= 4
        s.keys("Enter")
        mark(s, "alpha")  # beta stays, and keeps its marker
        s.wait(r"^▲ beta")
        s.wait_gone("●")


def test_single_panel_and_its_table():
    with charts(one) as s:
        s.wait(r"● 0.4000")
        s.keys("Enter")
        s.wait(r"┌─ loss 1/4 ─+┐")
        s.wait(r"run +of +last +smooth +step +min +at step +max +at step")
        s.wait(r"● alpha-\S+ +train +0.4000 +0.4\d+ +80 +0.4000 +80 +1.905 +1")
        s.wait(r"● alpha-\S+ +eval +0.5250 +80 +0.5250 +80 +1.125 +20")
        s.keys("Down")
        s.wait(r"┌─ accuracy 2/4")
        s.keys("Down", "Down", "Down", "Up")
        s.wait(r"┌─ learning_rate 3/4")
        s.keys("z")
        s.wait(r"┬─ accuracy ─")


def test_panels_are_chosen():
    with charts(one) as s:
        s.wait(r"● 0.4000")
        for key, name in (("l", "accuracy"), ("j", "epoch"), ("h", "epoch"), ("g", "loss"), ("Right", "accuracy"), ("G", "epoch")):
            s.keys(key)
        s.keys("Enter")
        s.wait(r"┌─ epoch 4/4")


def test_grid():
    with charts(one) as s:
        s.wait("─ loss ─+┬─ accuracy ─+┬─ learning_rate ─")
        s.keys("[")
        s.wait("─ loss ─+┬─ accuracy ─+┐")
        s.keys("[")
        s.wait(r"─ loss ─+┐")
        s.keys("{")
        s.wait("1-1 of 4|loss 1/4")
        s.keys("PgDn")
        s.wait("─ accuracy")
        s.keys("]", "]", "]", "}")
        s.wait("─ loss ─+┬─ accuracy ─+┬─ learning_rate ─+┬─ epoch")
        s.keys("a")
        s.wait_gone("─ learning_rate ─+┬─ epoch")


def test_axes():
    with charts(one) as s:
        s.wait("x: step")
        s.keys("Enter")
        s.wait("loss 1/4")
        s.keys("x")
        s.wait("x: epoch")
        s.wait(r"^│ +0 .* 2│|^│ +0 .*2.0")
        s.keys("x")
        s.wait("x: tokens")
        s.keys("x")
        s.wait("x: time")
        s.wait(r"2m")
        s.keys("x")
        s.wait("x: clock")
        s.wait(r"\d\d:\d\d")
        s.keys("x")
        s.wait("x: step")
        s.keys("X")
        s.wait("x: log step")
        s.wait(r"^│ +1 .* 10 ")
        s.keys("X", "L")
        s.wait(r"─ loss log 1/4")
        s.keys("L")
        s.wait_gone("loss log")


def test_smoothing_keeps_the_raw_line():
    def noisy(path):
        write(fake_run(path / "runs", ALPHA), curve(1, 80, lambda step: 1 + (0.5 if step % 2 else -0.5)))
    with charts(noisy) as s:
        s.wait("smooth 0.60")
        s.keys("Enter")
        s.wait("loss 1/4")
        smooth = s.wait(r"train +0.5000 +(\d\.\d+)").group(1)
        s.keys("s", "s", "s")
        s.wait("smooth 0.95")
        assert 0.9 < float(s.wait(r"train +0.5000 +(\d\.\d+)").group(1)) < 1.1 and float(smooth) < 0.9
        s.keys(*"SSSSSSS")
        s.wait_gone("smooth 0")
        s.wait(r"train +0.5000 +80")


def test_outliers():
    def spike(path):
        write(fake_run(path / "runs", ALPHA), curve(1, 200, lambda step: 1000 if step == 100 else 1 + step / 1000))
    with charts(spike) as s:
        s.wait(r"│1\.?\d*[ek]\d?┤|│1000┤")
        s.keys("o")
        s.wait(r"clip")
        s.wait(r"^│1\.[0-9]+┤.*", 4)
        s.wait_gone("100┤")


def test_zoom_and_pan():
    with charts(one) as s:
        s.wait(r"● 0.4000")
        s.keys("Enter")
        s.wait(r"^│ +0 +.* 80│")
        s.keys("+", "+", "+", "+")
        s.wait(r"zoom  x: step")
        s.wait_gone(r" 80│")
        s.wait(r"^│ +2\d +3\d .* 5\d +│")
        for _ in range(12):
            s.keys(")")
        s.wait(r" 80│|7\d +│")
        for _ in range(20):
            s.keys("(")
        s.wait(r"^│ +0 +\d")
        s.keys("-", "-", "-", "-", "-")
        s.wait_gone("zoom  x:")
        s.keys(">", ">")
        s.wait("loss zoomed 1/4")
        s.keys("K", "K", "J")
        s.wait("loss zoomed 1/4")
        s.keys("r")
        s.wait_gone("zoomed")
        s.keys("K")
        s.wait("all of the axis is shown")


def test_wheel_and_click():
    with charts(one) as s:
        s.wait(r"● 0.4000")
        row = next(i for i, line in enumerate(s.lines()) if "┌─ loss" in line) + 6
        for _ in range(3):
            s.wheel(row, 20, down=False)
        s.wait("zoom  x: step")
        for _ in range(4):
            s.wheel(row, 20)
        s.wait_gone("zoom  x:")
        s.wheel(row, 2, down=False)
        s.wait("─ loss zoomed ─")
        s.keys("r")
        s.wait_gone("zoomed")
        s.click(row, 60)
        found = s.wait(r"x: step = (\d+)")
        assert 5 <= int(found.group(1)) <= 75
        s.click(row, 60, button=2)
        s.wait_gone("x: step =")
        s.quiet(0.6)
        s.click(row, 20)
        s.click(row, 20)
        s.wait("loss 1/4")


def test_drag():
    with charts(one) as s:
        s.wait(r"● 0.4000")
        s.keys("Enter")
        s.wait("loss 1/4")
        for _ in range(4):
            s.wheel(12, 60, down=False)
        first = int(s.wait(r"^│ +(2\d|3\d) +\d").group(1))
        s.send("\x1b[<0;40;12M\x1b[<32;60;12M\x1b[<32;90;12M\x1b[<0;90;12m")
        s.until(lambda: re.search(r"^│ +1\d +\d", s.text(), re.M), f"an axis that begins before {first}")


def test_cursor():
    with charts(two) as s:
        s.wait(r"0.4000|0.2000")
        mark(s, "alpha")
        mark(s, "beta")
        s.wait(r"● 0.4000  ┄ 0.5250  ▲ 0.2000")
        s.keys("b")  # alpha's best checkpoint
        s.wait(r"x: step = 60$")
        s.wait(r"● 0.5000  ┄ 0.6250  ▲ 0.2500  ┄ 0.3750")
        s.wait(r"● 0.6500  ▲ 0.6500")  # the same step in every panel
        s.keys(",")
        s.wait(r"x: step = 5[5-9]$")
        s.keys(".")
        s.wait(r"x: step = 6[0-3]$")
        s.keys("b")
        s.wait(r"x: step = 60$")
        s.keys("x")
        s.wait(r"x: epoch = 1.50$")
        s.keys("x", "x")
        s.wait(r"x: time = 1m58s$")
        s.keys("x", "x", "Esc")
        s.wait(r"x: step$")
        s.wait(r"● 0.4000")
        s.keys("Enter", "g")
        s.wait(r"x: step = 1$")
        s.keys("G")
        s.wait(r"x: step = 80$")
        s.keys("0", "3", "Left")
        s.wait(r"x: step = 7[5-8]$")


def test_filter():
    with charts(one) as s:
        s.wait("learning_rate")
        s.keys("/", "rate|acc")
        s.wait("No metric has that in its name")  # a text
        s.keys("C-u", "/RATE|(acc")
        s.wait(r"RATE\|\(acc$")
        s.wait("─ loss ─")  # the panels wait for its end
        s.keys("/i")
        s.wait(r"regular expression, at character 10: missing closing parenthesis")
        s.keys("BSpace", "BSpace", ")/i")
        s.wait_gone("regular expression")
        s.wait_gone("─ loss ─")
        s.wait(r"─ accuracy ─+┬─ learning_rate")
        s.keys("Enter")
        s.wait(r"/RATE\|\(acc\)/i")
        s.keys("/", "C-u", "nothing")
        s.wait("No metric has that in its name")
        s.keys("Esc")  # back to what it was
        s.wait(r"─ accuracy ─+┬─ learning_rate")
        s.keys("Esc")
        s.wait("─ loss ─")


def test_escape_goes_out_step_by_step():
    with charts(one) as s:
        s.wait(r"● 0.4000")
        s.keys("/", "loss", "Enter", "Enter", "+", "c")
        s.wait(r"loss/? .*zoom  x: step = \d+|/loss.*zoom  x: step = \d+")
        s.keys("Esc")
        s.wait(r"zoom  x: step$")
        s.keys("Esc")
        s.wait_gone(r"zoom  x:")
        s.keys("Esc", "Esc")
        s.wait("─ accuracy")


def test_files():
    with charts(one) as s:
        s.wait(r"● 0.4000")
        s.keys("e")
        s.wait(r"write the panel to .*: loss.csv")
        s.keys("Enter")
        s.wait("loss.csv written")
        lines = (s.dir / "loss.csv").read_text().splitlines()
        assert lines[0] == "run,tag,step,wall_time,value,smoothed" and len(lines) == 1 + 80 + 4
        assert re.search(rf"^{ALPHA},train/loss,20,1700000040.000,1,1\.\d+$", "\n".join(lines), re.M)
        s.keys("e", "Enter")
        s.wait(r"loss.csv exists. Replace it")
        s.keys("n")
        s.keys("e", "C-u", "plot.svg", "Enter")
        s.wait("plot.svg written")
        tree = xml.etree.ElementTree.parse(s.dir / "plot.svg")
        paths = tree.findall(".//{http://www.w3.org/2000/svg}path[@clip-path]")
        assert len(paths) == 3, len(paths)
        s.keys("e", "C-u", "plot.txt", "Enter")
        s.wait("plot.txt written")
        text = (s.dir / "plot.txt").read_text()
        assert braille(text) > 50 and "0.4000" in text
        s.keys("e", "C-u", "plot.pdf", "Enter")
        s.wait("must end with .csv, .svg or .txt")
        s.keys("e", "C-u", "none/plot.svg", "Enter")
        s.wait("none")
        assert not (s.dir / "none").exists()


def test_copy():
    import base64
    with charts(one) as s:
        s.wait(r"● 0.4000")
        s.keys("y")
        s.wait("2 values of loss copied")
        text = base64.b64decode(re.search(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)", s.raw).group(1)).decode()
        assert f"{ALPHA}\ttrain/loss\t80\t0.4\n" in text


def batched(path):
    """Steps of ten to a point, four rows each; row 5 made a spike at step 33."""
    one(path)
    run = path / "runs" / ALPHA
    (run / "experiment.yaml").write_text(f"model: {{name_or_path: m}}\nrun: {{logging_steps: 10}}\n"
                                         f"data: {{train_file: {path.resolve()}/train.tsv, text_column: text, label_column: label}}\n")
    (path / "train.tsv").write_text("text\tlabel\n" + "".join(f"text of row {i}\t{'good' if i % 2 else 'bad'}\n" for i in range(1, 9)))
    batches(run, [(step, [(row, 0, 9.5 if (step, row) == (33, 5) else row / 8) for row in (1 + step % 4, 5, 2, 8)]) for step in range(1, 81)])


def test_from_a_point_to_its_batch():
    for rows, columns, right in ((36, 120, "033"), (24, 80, "024")):
        with charts(batched, rows=rows, columns=columns) as s:
            s.wait(r"● 0.4000")
            s.keys("Enter")
            s.wait("loss 1/4")
            s.keys("g", *right, "Right")  # a step between two points of a run that logs every tenth
            s.wait(r"x: step = (3[1-9]|40)$")
            s.keys("B")
            s.wait(r"batch of 3f2a: steps 31 to 40, 40 rows, mean loss 0.7688")
            s.wait(r"loss.* +step +gold +where +text" if columns > 100 else r"loss.* gold")
            s.wait(r"9.500 +33 +good +train.tsv:6 +text of row 5")
            s.wait(r"gold: good")
            s.wait(r"1.000 +3\d +bad +train.tsv:9 +text of row 8")
            s.keys("j")
            s.wait("gold: bad")
            s.keys("k", "Enter")
            s.wait(r"▸2 Data")
            s.wait(r"text of row 5")
            s.keys("Esc", "4")
            s.wait("batch of 3f2a")
            s.keys("Esc")
            s.wait(r"loss 1/4")
            assert s.end("q") == 0


def test_batches_that_are_not_there():
    def part(path):
        batched(path)
        (path / "runs" / ALPHA / "batches").unlink()
        batches(path / "runs" / ALPHA, [(3, [(1, 2, math.nan), (99, 0, 0.5)])])
    with charts(one) as s:
        s.wait(r"● 0.4000")
        s.keys("B")
        s.wait("the run did not keep what it trained on")
        s.keys("B")
        s.wait(r"● 0.4000")
    with charts(part) as s:
        s.wait(r"● 0.4000")
        s.keys("B")
        s.wait(r"step 3 \(nearest to 80\), 2 rows, mean loss nan")
        s.wait(r"nan +3 +good +train.tsv:2 window 2 +text of row 1")
        s.keys("G")
        s.wait("The training file no longer has this row")
        s.keys("Enter")
        s.wait("row 99: the training file cannot be read or no longer has it")


def test_the_batch_of_one_of_two_runs():
    def both(path):
        two(path)
        batches(path / "runs" / BETA, [(80, [(3, 0, 0.25)])])
    with charts(both) as s:
        s.wait("There is no run to show|● 0.4000|▲")
        mark(s, "alpha")
        mark(s, "beta")
        s.wait(r"^● 3f2a  ▲ 91bc")
        s.keys("B")
        s.wait("The batch of which run")
        s.keys("beta", "Enter")
        s.wait(r"batch of 91bc: step 80, 1 rows, mean loss 0.2500")
        s.wait("0.2500 +80 +row 3")


def test_warnings_are_ticked():
    def warned(path):
        one(path)
        (path / "runs" / ALPHA / "log.txt").write_text("10:00:00 step 30 of 80  loss 0.8\n10:00:01 warning: the disk is full\n10:00:02 step 80 of 80  loss 0.4\n")
    with charts(warned) as s:
        s.wait(r"● 0.4000")
        s.keys("Enter")
        s.wait(r"loss 1/4")
        axis, below = next((a, b) for a, b in zip(s.lines(), s.lines()[1:]) if "└┬" in a)
        assert abs(axis.index("!") - below.index(" 30 ") - 1) <= 2, axis + "\n" + below
        assert axis.count("!") == 1 and axis.count("★") == 1, axis
        with (s.dir / "runs" / ALPHA / "log.txt").open("a") as log:
            log.write("10:00:03 step 50 of 80  loss 0.4\n10:00:04 warning: again\n")
        s.until(lambda: any(line.count("!") == 2 for line in s.lines()), "a second tick", 8)


def test_live_run():
    def live(path):
        write(fake_run(path / "runs", ALPHA, **live_status(step=10, total=60)), curve(1, 10))
    with charts(live) as s:
        s.wait(r"● 1.333")
        s.quiet(1.5)
        write(s.dir / "runs" / ALPHA, curve(11, 30))
        s.wait(r"● 0.8000", 5)
        s.quiet(1.0)
        sent = 0
        for step in range(31, 34):
            write(s.dir / "runs" / ALPHA, curve(step, step))
            sent += len(s.quiet(1.0))
        s.wait(r"● 0.7547")
        assert 0 < sent <= 3 * 1024, f"{sent} bytes in 3 s"


def test_repaint_of_a_live_chart_is_small():
    """A new end of the x axis: every panel is drawn anew."""
    def live(path):
        noise = lambda step: 2 / (1 + step / 20) + 0.1 * math.sin(step * 12.9898)
        write(fake_run(path / "runs", ALPHA, **live_status(step=10, total=1000)), curve(1, 60, noise))
    with charts(live) as s:
        s.wait(r"\d 60│|60 *│")
        s.keys("/", "/^loss/", "Enter")
        s.wait("loss 1/1|─ loss ─")
        s.quiet(1.5)
        before = len(s.raw)
        write(s.dir / "runs" / ALPHA, curve(61, 62))
        s.wait(r" 80│|80 *│", 5)
        s.quiet(0.3)
        sent = len(s.raw) - before
        assert sent <= 2048, f"{sent} bytes"


def test_other_tools_directories():
    def foreign(path):
        write(path / "runs" / "keras", [("val_loss", i, 1 / i) for i in range(1, 20)] + [("loss", i, 1 / i) for i in range(1, 20)])
    with charts(foreign) as s:
        s.wait(r"● keras")
        s.wait(r"─ loss ─")
        s.wait(r"● keras +train +0.0526")
        s.wait(r"● keras +val +0.0526")


def test_keras_logdir():
    """train/ and validation/ below one directory: one run, both on one panel."""
    def keras(path):
        for folder, more in ("train", 0), ("validation", 0.5):
            write(path / "runs/fit" / folder, [("epoch_loss", i, more + 1 / i) for i in range(1, 20)])
        write(path / "runs/fit/train", [("epoch_learning_rate", i, 0.01) for i in range(1, 20)])
    with charts(keras) as s:
        s.wait(r"● fit .*x: step")
        s.wait(r"┌─ epoch_loss ─+┬─ epoch_learning_rate")
        s.wait(r"● 0.0526  ┄ 0.5526")
        s.keys("Enter")
        s.wait(r"● fit +train +0.0526")
        s.wait(r"● fit +eval +0.5526")
        write(s.dir / "runs/fit/validation", [("epoch_loss", 20, 0.25)])
        s.wait(r"● fit +eval +0.2500", 8)
        s.keys("1")
        s.wait(r"▸1 Runs")
        s.wait(r"· unknown +fit\b")
        assert not re.search(r"\b(train|validation)\b", s.text()), s.dump()
    with charts(keras, args=["--runs", "runs/fit"]) as s:  # the directory that Keras was given
        s.wait(r"● 0.0526  ┄ 0.5526")


def test_a_panel_shows_what_its_own_runs_have():
    """No best step of a run that has no curve in it; alone its x axis ends with its own curves."""
    def mixed(path):
        one(path)
        write(path / "runs/fit/train", [("epoch_loss", i, 1 / i) for i in range(1, 21)])
    with charts(mixed) as s:
        s.wait("● fit|● 0.4000")
        mark(s, "alpha")
        mark(s, "fit")
        s.wait("epoch_loss")
        s.keys("/", "/^(epoch_)?loss/", "Enter")
        s.wait(r"┌─ epoch_loss ─+┬─ loss ─+┐")
        s.wait(r" 80│.* 80│")
        axis = next(line for line in s.lines() if "└┬" in line)
        assert "★" not in axis[:60] and "★" in axis[60:], axis
        s.keys("Right", "Enter")
        s.wait(r"─ loss 2/2")
        s.wait(r" 80│")
        s.keys("Up")
        s.wait(r"─ epoch_loss 1/2")
        s.wait(r" 20│")
        s.keys("Enter")
        s.wait(r" 80│.* 80│")


def test_values_that_are_no_numbers():
    def odd(path):
        write(fake_run(path / "runs", ALPHA), curve(1, 20) + [("train/loss", 21, math.nan), ("train/loss", 22, math.inf)])
    with charts(odd) as s:
        s.wait(r"● inf")
        s.wait(r"×")
        s.keys("L")
        s.wait("loss log")


def test_hostile_names():
    def hostile(path):
        write(fake_run(path / "runs", ALPHA), [("train/\x1b]0;owned\x07\u202eevil", i, 1.0) for i in range(1, 9)])
    with charts(hostile) as s:
        s.wait(r"owned")
        assert b"\x1b]0;owned" not in s.raw and "\u202e" not in s.text()


def test_damaged_file():
    def damaged(path):
        one(path)
        file = next((path / "runs" / ALPHA).glob("events*"))
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 0xff
        file.write_bytes(data)
    with charts(damaged) as s:
        s.wait(r"alpha-\S+ damaged")


def test_sizes_and_ascii():
    with charts(one, rows=24, columns=80) as s:
        s.wait(r"┌─ loss ─+┬─ accuracy ─")
        for rows, columns in ((12, 40), (10, 40), (60, 200), (24, 80), (5, 20), (36, 120)):
            s.resize(rows, columns)
            s.quiet(0.15)
        s.wait(r"┬─ learning_rate")
        assert s.end("q") == 0
    with charts(one, args=["--ascii"]) as s:
        s.wait(r"- loss -")
        s.wait(r"o 0.4000")
        assert all(ord(c) < 127 for c in s.text()), s.dump()


def test_many_points():
    def many(path):
        run = fake_run(path / "runs", ALPHA)
        write(run, [("train/loss", i, 100.0 if i == 12345 else 1.0) for i in range(1, 20001)])
    with charts(many) as s:
        s.wait(r"● alpha-\S+ +train +1.000", 30)
        s.wait(r"│ *100┤")
        top = next(line for line in s.lines() if "100┤" in line)
        assert braille(top) == 1, top  # the one spike among 20,000 points
        began = time.monotonic()
        s.keys("o")
        s.wait("clip")
        assert time.monotonic() - began < 2


main(globals())
