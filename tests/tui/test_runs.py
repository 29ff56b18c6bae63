#!/usr/bin/env python3
"""The Runs view: the table, filters, marks, the pane about a run, and steering a run that really trains."""
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import scalars
import tiny_bert
from screen import BERTTY, BERTTY_FAST, Screen, Skip, fake_run, live_status, main


def rows(s):
    """What the table shows, without its header."""
    found = re.search(r"^│ +state +run.*\n((?:│.*\n)*)", s.text(), re.M)
    return [line for line in found[1].splitlines() if line.strip("│ ")] if found else []


def order(s):
    return [name for row in rows(s) for name in re.findall(r"3f2a|91bc|cola|rte", row)]


def several(folder):
    runs = folder / "runs"
    fake_run(runs, "imdb-20261124-110859-3f2a", best=0.91, started=4000)
    fake_run(runs, "imdb-20261124-110859-91bc", best=0.62, started=3000, state="stopped", step=40)
    fake_run(runs, "cola-a", best=None, last=None, state="failed", started=2000, step=3,
             error="train.tsv: line 7: no column \"label\"", log="12:00:01 reading\n12:00:02 it broke\n")
    fake_run(runs, "rte-b", best=0.7, started=1000, state="diverged", train_loss=None)


def test_the_cursor_stays_on_its_run():
    """A run that comes above it moves it down with its run at once, not at the next look: a key in between would act on another run."""
    with Screen(setup=lambda d: [fake_run(d / "runs", f"run-{i}", started=1.7e9 + i) for i in range(3)]) as s:
        s.wait("─ run-2 ─")
        s.keys("j")
        s.wait("─ run-1 ─")
        seen = []
        for i in range(3, 7):
            fake_run(s.dir / "runs", f"run-{i}", started=1.7e9 + i)
            s.until(lambda n=i: seen.append(next((line for line in s.lines() if "├─ run" in line), None)) or f"run-{n} " in s.text(), f"run-{i}")
        assert {line for line in seen if line} == {line for line in seen if line and "run-1 ─" in line}, set(seen)
        assert s.end("q") == 0


def test_baseline():
    """It has finished like others, and the pane says that there is no model."""
    with Screen(setup=lambda d: fake_run(d / "runs", "words", step=0, total=0, best_step=0, last_step=0, baseline="tfidf")) as s:
        s.wait("finished · tfidf baseline, without a model · best accuracy 0.8750")
        assert s.end("q") == 0


def test_first_start():
    with Screen() as s:
        s.wait("There is no run in .*runs yet")
        s.wait("it with L\\. The run goes on")
        s.keys("Enter")
        s.wait(r"▸3 Experiment")
        assert s.end("q") == 0


def test_table_sort_filter_marks():
    with Screen(setup=several) as s:
        s.wait(r"✓ finished +imdb-…-3f2a +0\.9100")
        s.wait(r"■ stopped +imdb-…-91bc .* 40%")
        s.wait(r"✗ failed +cola-a")
        s.wait(r"↑ diverged +rte-b")
        s.keys("s", "s", "s", "s")  # from age on: mark, state, run, best
        s.wait(r"best ↓")
        s.until(lambda: order(s) == ["3f2a", "rte", "91bc", "cola"], "sorted by the best metric, none last")
        s.keys("i")
        s.wait(r"best ↑")
        s.until(lambda: order(s) == ["91bc", "rte", "3f2a", "cola"], "the other way round, none last")
        s.keys("/", "metric>0.65 -rte", "Enter")
        s.wait(r"Runs 1 of 4 · metric>0\.65 -rte")
        s.wait_gone("cola-a")
        s.keys("Esc")
        s.wait(r"Runs 4 ")
        s.keys("/", "state:fa")
        s.wait(r"Runs 1 of 4")
        s.keys("Esc")
        s.wait(r"Runs 4 ")
        s.keys("/", "metric>x", "Enter")
        s.wait("metric>x: expected a number after metric>")
        s.keys("/", "C-u", "nothing like it", "Enter")
        s.wait("No run matches the filter")
        s.keys("Esc", "M")
        s.wait("4 marked")
        s.keys("u")
        s.wait_gone("marked")
        s.keys("g", "Space", "Space")
        s.wait("2 marked")
        column = s.lines()[3].index("state") + 1
        s.click(4, column)
        s.wait(r"state ↑")
        assert s.end("q") == 0


def test_filter_on_settings_and_figures():
    def setup(folder):
        several(folder)
        for name, rate, value in (("imdb-20261124-110859-3f2a", "1e-3", 0.91), ("imdb-20261124-110859-91bc", "3e-5", 0.62)):
            run = folder / "runs" / name
            (run / "experiment.yaml").write_text(f"optim: {{learning_rate: {rate}}}\n")
            (run / "events.out.tfevents.1.x").write_bytes(scalars.event("eval/accuracy", 10, 1.0, value))
        (folder / "runs/cola-a/notes.json").write_text('{"tags": ["base"], "note": "too small"}')
    with Screen(setup=setup) as s:
        s.wait("cola-a")
        s.keys("/", "cfg.learning_rate>=1e-3")
        s.wait(r"Runs 1 of 4 · cfg\.learning_rate>=1e-3")
        s.until(lambda: order(s) == ["3f2a"], "the run with the greater rate")
        s.keys("C-u", "accuracy<0.7")
        s.until(lambda: order(s) == ["91bc"], "the run with the lesser accuracy")
        s.keys("C-u", "acuracy<0.7", "Enter")
        s.wait("acuracy: no run has such a figure, did you mean accuracy")
        s.keys("Esc", "/", "cfg.optim.learnin_rate>1", "Enter")
        s.wait("did you mean cfg.optim.learning_rate")
        s.keys("Esc", "/", "(tag:base or /^rte/) -note:large", "Enter")
        s.until(lambda: order(s) == ["cola", "rte"], "a tag and an expression")
        s.keys("Esc")
        s.wait("Runs 4 ")
        s.keys("/", "cfg.learning_r", "Tab", "Tab")
        s.wait(r"filter: cfg\.learning_rate")
        s.keys("C-u", "tag:", "Tab")
        s.wait(r"filter: tag:base")
        s.keys("C-u", "acc", "Tab", ">0.9")
        s.wait(r"filter: accuracy>0\.9")
        s.until(lambda: order(s) == ["3f2a"], "what was completed")
        s.keys("Enter")
        assert s.end("q") == 0


def test_a_warning_of_a_living_run():
    """What the engine last complained of stands beside its run, while it goes on."""
    def setup(folder):
        fake_run(folder / "runs", "live", **live_status(step=41, total=99, error="no checkpoint at step 40: model.safetensors: No space left on device"))
    with Screen(setup=setup) as s:
        s.wait(r"─ live ─")
        s.wait("no checkpoint at step 40")
        s.wait("live .*training · step 41/99")
        assert s.end("q") == 0


def test_detail():
    with Screen(setup=several) as s:
        s.wait("cola-a")
        s.keys("j", "j")
        s.wait(r"├─ cola-a ─")
        s.wait(r'train\.tsv: line 7: no column "label"')
        s.wait("12:00:02 it broke")
        s.keys("Tab", "z")
        s.wait_gone("state +run")
        s.keys("Esc")
        s.wait("state +run")
        assert s.end("q") == 0


def test_settings_that_differ():
    def setup(folder):
        for name, rate in (("a", "1e-4"), ("b", "5e-5")):
            run = fake_run(folder / "runs", name, started=1000 if name == "a" else 2000)
            (run / "experiment.yaml").write_text(f"optim: {{learning_rate: {rate}}}\ntrain: {{seed: 7}}\n")
    with Screen(setup=setup) as s:
        s.wait(r"changed from the defaults +.*learning_rate 5e-5")
        s.wait("seed 7")
        s.keys("j", "=")
        s.wait("the same settings as a")
        s.keys("k")
        s.wait(r"changed from a +learning_rate 1e-4 → 5e-5")
        s.wait_gone("seed 7")
        assert s.end("q") == 0


def test_loss_curves():
    """Only of the runs in sight, off the drawing path, and again when the file has grown."""
    def setup(folder):
        for i in range(60):
            run = fake_run(folder / "runs", f"run-{i:02}", started=1e9 + i)
            (run / "events.out.tfevents.1.x").write_bytes(b"".join(scalars.event("train/loss", k, k, 1 - k / 8) for k in range(8)))
        fake_run(folder / "runs", "quiet", started=2e9)
    def curves(s):
        return [row for row in rows(s) if "⠉⠒⠤⣀" in row]
    with Screen(rows=36, columns=120, setup=setup) as s:
        s.wait("loss curve")
        s.until(lambda: len(curves(s)) == len(rows(s)) - 1, "a curve in every row that has events")
        s.keys("G")
        s.wait("run-00")
        s.until(lambda: len(curves(s)) == len(rows(s)), "those of the last page")
        with open(s.dir / "runs/run-00/events.out.tfevents.1.x", "ab") as events:
            events.write(b"".join(scalars.event("train/loss", k, k, float("nan")) for k in range(8, 10)))
        fake_run(s.dir / "runs", "new", started=1)  # the list changes: time to look again
        s.wait(r"run-00 .*×")
        s.keys("g", "s", "s", "s", "s", "s", "s", "s")
        s.wait(r"loss ↑")
        s.keys("s")
        s.wait(r"progress ↓")
        s.keys("S")
        s.wait(r"loss ↑")
        assert s.end("q") == 0
    for env, pattern in (({"LANG": "C"}, r"run-59 .* '+-+\.+ "), ({"LANG": "C", "TERM": "vt100"}, r"run-59 .* '+-+\.+ ")):
        with Screen(rows=36, columns=120, setup=setup, env=env) as s:
            s.wait(pattern)
            assert s.end("q") == 0


def test_groups_of_seeds():
    def setup(folder):
        for i, (rate, best) in enumerate((("1e-3", 0.8), ("1e-3", 0.9), ("1e-3", None), ("2e-5", 0.7), ("2e-5", 0.5), ("7e-5", 0.95))):
            run = fake_run(folder / "runs", f"r{i}", best=best, started=1e9 - i, name="imdb", metric="f1")
            (run / "experiment.yaml").write_text(f"optim: {{learning_rate: {rate}}}\ntrain: {{seed: {i}}}\nrun: {{name: r{i}}}\n")
            (run / "events.out.tfevents.1.x").write_bytes(scalars.event("train/loss", 1, 1, 0.5))
        fake_run(folder / "runs", "other", started=1)
    with Screen(setup=setup) as s:
        s.wait("Runs 7 ")
        s.keys("j", "j", "f")  # on r2, which its group takes in
        s.wait(r"Runs 7 · 2 groups of seeds")
        s.wait(r"▸ 3 runs +learning_rate 0\.001 +0\.8500 +±0\.0707")
        s.wait(r"▸ 2 runs +learning_rate 2e-5 +0\.6000 +±0\.1414")
        assert len(rows(s)) == 4, s.dump()
        s.wait(r"^│3 runs that differ in train\.seed alone · best f1 0\.8500 ±0\.0707 \(of 2\)")
        s.wait(r"^│imdb learning_rate 0\.001")
        s.wait(r"^│ +2 +- +finished +r2")
        s.keys("x")
        s.wait("this is for one run: Enter opens the group")
        s.keys("Enter")
        s.wait(r"▾ 3 runs")
        s.wait(r"finished +r1 +0\.9000")
        s.resize(36, 120)
        s.wait(r"▾ 3 runs +learning_rate 0\.001 +0\.8500 +±\.0707")
        s.keys("j", "j")
        s.wait(r"├─ r1 ─")
        s.keys("k", "k", "Enter")
        s.wait(r"▸ 3 runs")
        s.keys("Space")
        s.wait("3 marked")
        s.wait(r"^│\+ +▸ 3 runs")
        s.keys("g", "Space")
        s.wait_gone("marked")
        s.keys("s", "s", "s", "s")
        s.wait(r"best ↓")
        s.until(lambda: [re.search(r"0\.\d{4}", row)[0] for row in rows(s)] == ["0.9500", "0.8750", "0.8500", "0.6000"], "the order of the means")
        s.keys("/", "-r1 -other", "Enter")
        s.wait(r"▸ 2 runs +learning_rate 0\.001 +0\.8000")  # of what the filter lets through
        s.keys("/", "C-u", "r5 or other", "Enter")
        s.wait("no groups of seeds")
        s.keys("/", "C-u", "-r1 -other", "Enter", "f")
        s.wait_gone("▸ ")
        s.until(lambda: len(rows(s)) == 5, "a line for each run")
        assert s.end("q") == 0


def test_sizes_and_ascii():
    with Screen(setup=several) as s:
        s.wait("progress")
        s.resize(10, 40)
        s.wait(r"imdb-…-3f2a")
        s.wait_gone("progress")
        s.wait("finished")
        s.resize(36, 120)
        s.wait(r"tok/s")
        s.wait(r"loss curve")
        assert s.end("q") == 0
    with Screen(setup=several, env={"LANG": "C", "NO_COLOR": "1"}) as s:
        s.wait(r"\+ finished")
        s.wait(r"x failed")
        s.wait(r"###\.\.\.\.\. +40%")
        assert s.end("q") == 0
        assert not re.search(rb"\x1b\[[0-9;]*3[0-8][;m]", s.raw), "colour although NO_COLOR is set"


def test_hostile_text():
    def setup(folder):
        fake_run(folder / "runs", "evil\x1b]0;pwned\x07", state="failed", error="\x1b[2Jgone \u202eback", name="x\x1bc")
    with Screen(setup=setup) as s:
        s.wait(r"evil\\x1b")
        s.wait(r"\\x1b\[2Jgone")
        assert s.end("q") == 0
        assert b"pwned\x07" not in s.raw and b"\x1b[2Jgone" not in s.raw and "\u202e".encode() not in s.raw


def test_many_runs_answer_at_once():
    def setup(folder):
        for i in range(400):
            fake_run(folder / "runs", f"run-{i:03}", best=i / 1000, started=1e9 + i)
    with Screen(setup=setup, program=BERTTY_FAST) as s:
        s.wait("Runs 400")
        began = time.monotonic()
        for i in range(12):
            s.keys("j")
            s.wait(rf"├─ run-{398 - i} ─")
        pause = (time.monotonic() - began) / 12
        assert pause < 0.1, f"{1000 * pause:.0f} ms a key"
        s.keys("G")
        s.wait("├─ run-000 ─")
        s.quiet(1.5)  # the list, the pane and the ages have come to rest
        assert s.quiet(1.0) == b"", "bytes although nothing changed"
        assert s.end("q") == 0


def test_deleting_marked_runs():
    with Screen(setup=several) as s:
        s.wait("cola-a")
        s.keys("Space", "Space")
        s.wait("2 marked")
        s.keys("D")  # the cursor is on one that is not marked
        s.wait(r"Delete cola-a( \(\d+ KiB\))? for good")
        s.keys("n", "k", "D")
        s.wait(r"Delete the 2 marked runs imdb-\S+ and imdb-\S+ for good\?")
        s.keys("y")
        s.wait("2 runs deleted")
        s.wait("Runs 2 ")
        assert sorted(p.name for p in (s.dir / "runs").iterdir()) == ["cola-a", "rte-b"]
        assert s.end("q") == 0


def test_tags_and_notes():
    with Screen(rows=36, columns=120, setup=several) as s:
        notes = s.dir / "runs/imdb-20261124-110859-91bc/notes.json"
        s.wait("cola-a")
        s.wait_gone("tags, note")
        s.keys("j", "#", "base paper", "Enter")
        s.wait(r"91bc: base paper")
        s.wait(r"imdb-…-91bc .* base paper +│")
        s.wait(r"^│tags base paper")
        s.keys("w", "worth a second look", "Enter")
        s.wait(r"^│tags base paper · worth a second look")
        assert json.loads(notes.read_text()) == {"tags": ["base", "paper"], "note": "worth a second look"}
        s.keys("#")
        s.wait(r"^tags: base paper")
        s.keys("C-u", "-paper +pa", "Tab", "Esc")  # nothing is changed
        s.keys("#", "C-u", "-paper +new", "Enter")
        s.wait(r"^│tags base new")
        s.keys("j", "#", "ba", "Tab", "Enter")
        s.wait(r"cola-a: base")
        s.keys("/", "tag:base", "Enter")
        s.wait("Runs 2 of 4")
        s.keys("Esc", "Space", "k", "k", "Space", "#", "+both", "Enter")  # cola and 91bc: the cursor was on 91bc after the first mark
        s.wait(r"2 runs: tags changed")
        s.keys("#", "C-u", "a\"b", "Enter")
        s.wait(r"is no tag")
        s.keys("u", "g", "j", "#", "C-u", "Enter", "w", "C-u", "Enter")
        s.until(lambda: not notes.exists(), "the empty file to go")
        assert s.end("q") == 0


def test_hidden_runs():
    with Screen(setup=several) as s:
        s.wait("rte-b")
        s.keys("j", "j", "-")
        s.wait("cola-a is hidden")
        s.wait(r"Runs 3 of 4 · 1 hidden")
        s.wait_gone(r"failed +cola-a")
        s.keys("/", "tag:hidden", "Enter")
        s.wait(r"^│- +✗ failed +cola-a")
        s.keys("Esc", "+")
        s.wait(r"^│- +✗ failed +cola-a")
        s.until(lambda: len(order(s)) == 4, "all of them")
        s.keys("/", "cola", "Enter", "g", "-")
        s.wait(r"cola-a: no tags")
        s.keys("Esc", "M", "-")
        s.wait(r"4 runs: tags changed")
        s.keys("+")
        s.wait("All runs are hidden")
        s.keys("+")
        s.wait("rte-b")
        assert s.end("q") == 0


def test_damaged_and_hostile_notes():
    def setup(folder):
        several(folder)
        (folder / "runs/cola-a/notes.json").write_text('{"tags": [')
        (folder / "runs/rte-b/notes.json").write_text('{"note": "\\u001b[2Jgone \\u202eback' + "x" * 3000 + '"}')
        (folder / "runs/imdb-20261124-110859-91bc/notes.json").mkdir()
    with Screen(rows=36, columns=120, setup=setup) as s:
        s.wait(r"cola-a .* damaged +│")
        s.keys("j", "j")
        s.wait(r"^│.*notes\.json:1:\d+: not valid JSON")
        s.keys("#", "x", "Enter")
        s.wait(r"^.*cola-a/notes\.json:1:\d+: not valid JSON")
        s.keys("k", "#", "x", "Enter")
        s.wait(r"91bc/notes\.json: not a regular file")
        s.keys("G")
        s.wait(r"^│note \\x1b\[2Jgone")
        s.wait(r"^│\\u202ebackx")
        assert s.end("q") == 0
        assert b"\x1b[2Jgone" not in s.raw and "\u202e".encode() not in s.raw


def test_notes_of_somebody_else():
    """A run that may not be written: one line, and nothing left behind."""
    if os.geteuid() != 0:
        raise Skip("only root can give a run to somebody else")
    with Screen(setup=several, program="/usr/bin/setpriv", args=["--reuid=65534", "--clear-groups", BERTTY]) as s:
        os.chmod(s.dir, 0o755)
        for path in (s.dir / "runs").rglob("*"):
            os.chmod(path, 0o755)
        os.chmod(s.dir / "runs", 0o755)
        s.wait("cola-a")
        s.keys("#", "mine", "Enter")
        s.wait("3f2a: notes cannot be written: Permission denied")
        s.keys("-")
        s.wait("3f2a: notes cannot be written: Permission denied")
        assert s.end("q") == 0
        assert not list((s.dir / "runs").rglob("notes.json*"))


def test_a_live_run_is_not_deleted():
    with Screen(setup=lambda d: fake_run(d / "runs", "busy", **live_status(step=10))) as s:
        s.wait("● training +busy")
        s.keys("D")
        s.wait("busy is training: stop it first")
        assert s.end("q") == 0
        assert (s.dir / "runs/busy/status.json").exists()


def test_steering():
    def setup(folder):
        tiny_bert.experiment(folder, {"train.max_steps": 100000, "eval.eval_steps": 1000, "run.save_steps": 1000})
        done = subprocess.run([BERTTY, "train", "tiny.yaml", "--name", "one", "--detach"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    with Screen(setup=setup) as s:
        run = s.dir / "runs/one"
        s.wait("● training +one")
        s.keys("p")
        s.wait("‖ paused +one")
        at = tiny_bert.status(run)["step"]
        s.drain(0.5)
        assert tiny_bert.status(run)["step"] == at, "it goes on although paused"
        s.keys("p")
        s.wait("● training +one")
        s.keys("c")
        s.until(lambda: "saved" in (run / "log.txt").read_text(), "a checkpoint")
        s.keys("v")
        s.until(lambda: "eval step" in (run / "log.txt").read_text(), "an evaluation")
        s.keys("a", "fast", "Enter")
        s.wait('"fast" is no learning rate')
        s.keys("a", "2e-5", "Enter")
        s.wait(r"training\* +one")
        s.keys("x", "n")
        s.keys("x")
        s.wait("Stop one with a checkpoint")
        s.keys("y")
        s.wait("■ stopped")
        stopped = tiny_bert.status(run)["step"]
        s.keys("R")
        s.wait("● training")
        s.until(lambda: tiny_bert.status(run)["step"] > stopped, "steps after the resume")
        s.keys("x", "y")
        s.wait("■ stopped")
        s.keys("D")
        s.wait(r"Delete one \(\d+ [KM]iB\) for good")
        s.keys("n")
        s.drain(0.3)
        assert run.exists()
        s.keys("D")
        s.wait(r"Delete one")
        s.keys("y")
        s.wait("one deleted")
        s.wait("There is no run in")
        assert not run.exists()
        assert s.end("q") == 0


def test_resume_on_changed_data():
    def setup(folder):
        tiny_bert.experiment(folder, {"train.max_steps": 400, "eval.eval_steps": 1000, "run.save_steps": 1000})
        done = subprocess.run([BERTTY, "train", "tiny.yaml", "--name", "one", "--detach"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        subprocess.run([BERTTY, "stop", "one"], cwd=folder, capture_output=True)
        tiny_bert.wait_for(lambda: tiny_bert.status(folder / "runs/one").get("state") == "stopped", "the stop")
        with open(folder / "train.tsv", "a") as data:
            data.write("a good film\tpositive\n")
    with Screen(setup=setup) as s:
        s.wait("■ stopped +one")
        s.keys("R")
        s.wait(r"resume all the same\? .*train\.tsv")
        s.keys("n")
        s.wait_gone("resume all the same")
        s.keys("R")
        s.wait(r"resume all the same")
        s.keys("y")
        s.wait("✓ finished +one", 60)
        assert s.end("q") == 0


def test_what_cannot_be_done_is_said():
    with Screen(setup=several) as s:
        s.wait("imdb")
        for key, word in (("x", "is finished: nothing to stop"), ("R", "has finished: e makes a new run"),
                          ("a", "nothing to change"), ("y", "copied: imdb-20261124-110859-3f2a")):
            s.keys(key)
            s.wait(word)
        s.keys("j", "R")  # a stopped run without a checkpoint
        s.wait("imdb-20261124-110859-91bc")
        assert s.end("q") == 0


def test_few_runs_leave_room_for_the_details():
    """Two runs need five lines; the details get the others, and none is taken away from many runs."""
    def border(n):
        with Screen(rows=36, columns=120, setup=lambda d: [fake_run(d / "runs", f"r{i:02}") for i in range(n)]) as s:
            s.wait(r"^├─ r\d\d ─")
            return next(i for i, line in enumerate(s.lines()) if line.startswith("├─ r"))
    few, many = border(2), border(40)
    assert few < 12 < 18 < many, (few, many)


def test_a_long_question_is_whole():
    """What is about to be deleted, and that it is for good, can be read at 60 columns."""
    names = [f"movie-reviews-20261124-11085{i}-3f2{i}" for i in range(4)]
    with Screen(rows=16, columns=60, setup=lambda d: [fake_run(d / "runs", name) for name in names]) as s:
        s.wait("Runs 4")
        s.keys("M", "D")
        text = s.wait(r"Delete the 4 marked runs ((.|\n)*)for good\? +y/n") and " ".join(s.text().split())
        for i in range(4):
            assert f"movie-reviews-…-3f2{i}" in text.rpartition("Delete")[2], s.dump()
        s.keys("n")
        s.wait_gone("for good")
        s.wait(r"\? help$")


def test_going_on():
    def setup(folder):
        run = fake_run(folder / "runs", "one")
        (run / "experiment.yaml").write_text("optim: {learning_rate: 3e-4, head_learning_rate: 3e-4}\nrun: {name: one}\n")
    with Screen(setup=setup) as s:
        s.wait("one")
        for key, view in (("Enter", "4 Charts"), ("P", "5 Predictions"), ("t", "7 Probe"), ("L", "8 Log"), ("e", "3 Experiment")):
            s.keys(key)
            s.wait(f"▸{view}")
            if view != "3 Experiment":
                s.keys("M-1")
                s.wait("▸1 Runs")
        s.wait("settings of one")
        s.keys("/", "learning_rate", "Enter")
        s.wait(r"· learning_rate +< 3e-4 >")
        s.wait(r"  head_learning_rate +null")


main(globals())
