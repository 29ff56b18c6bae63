#!/usr/bin/env python3
"""The Experiment view: editing a file through the form, saving it, what it would take, launching."""
import difflib
import os
import re
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny_bert
from screen import Screen, fake_run, main

FILE = """\
# What we know works.
model:
    name_or_path: model   # small

data: {train_file: train.tsv, validation_file: dev.tsv, text_column: text, label_column: label}
optim:
    learning_rate: 1e-3  # higher than usual
train:
    train_batch_size: 8
    max_steps: 20
eval:
    eval_strategy: steps
    eval_steps: 10
"""


def setup(folder):
    tiny_bert.experiment(folder)
    (folder / "tiny.yaml").unlink()
    (folder / "experiments").mkdir()
    (folder / "experiments/tiny.yaml").write_text(FILE)
    (folder / "experiments/a.probe.yaml").write_text("probes: [{text: a, expect: b}]\n")  # the first by its name, and no experiment


def start(rows=24, columns=80, **options):
    s = Screen(["--open", "experiment"], rows=rows, columns=columns, setup=setup, **options)
    s.wait("experiments/tiny.yaml")
    return s


def content(s):
    return (s.dir / "experiments/tiny.yaml").read_text()


def changed_lines(a, b):
    return [line for line in difflib.ndiff(a.splitlines(), b.splitlines()) if line[0] in "+-"]


def field(s, name):
    """The cursor on a field, whatever it was on."""
    s.keys("/", "C-u", name, "Enter")
    s.wait(rf"/{name} ─")


def put(s, name, value):
    field(s, name)
    s.keys("Enter")
    s.wait("Enter take over")
    s.keys("C-a", "C-k", value, "Enter")
    s.wait_gone("Enter take over")


def test_one_value_one_line():
    with start() as s:
        put(s, "learning_rate", "5e-4")
        s.wait(r"● learning_rate +< 5e-4 >")
        s.wait("1 unsaved change")
        assert content(s) == FILE
        s.keys("w")
        s.wait("experiments/tiny.yaml saved")
        assert changed_lines(FILE, content(s)) == ["-     learning_rate: 1e-3  # higher than usual",
                                                  "+     learning_rate: 5e-4  # higher than usual"]
        s.keys("w")
        s.wait("nothing to save")
        assert s.end("q") == 0


def test_help_while_typing():
    with start() as s:
        field(s, "learning_rate")
        s.wait(r" \? help$")
        s.keys("Enter", "C-a", "C-k", "?")
        s.wait(r" F1 help$")
        s.wait(r"learning_rate .*\?")
        s.keys("F1")
        s.wait("─ Keys ─")
        s.keys("Esc")
        s.wait(r" F1 help$")  # the entry is as it was


def test_steps_undo_reset():
    with start() as s:
        field(s, "train_batch_size")
        s.keys("+", "+")
        s.wait(r"● train_batch_size +< 32 > rows")
        s.keys("u")
        s.wait(r"· train_batch_size +< 8 > rows")
        s.keys("C-r")
        s.wait(r"● train_batch_size +< 32 > rows")
        s.keys("-", "-")
        s.wait(r"· train_batch_size +< 8 > rows")
        s.keys("r")
        s.wait(r"● train_batch_size +< 32 > rows")  # the default; the line is gone
        field(s, "group_by_length")
        s.keys("Space")
        s.wait(r"● group_by_length +< \[ \] false >")
        field(s, "lr_scheduler_type")
        s.keys("Left", "Left")
        s.wait(r"lr_scheduler_type +< inverse_sqrt >")
        s.keys("w")
        s.wait(r"tiny\.yaml saved")
        assert sorted(changed_lines(FILE, content(s))) == [
            "+     group_by_length: false", "+     lr_scheduler_type: inverse_sqrt", "-     train_batch_size: 8"], content(s)
        assert "optim:\n    learning_rate: 1e-3  # higher than usual\n    lr_scheduler_type: inverse_sqrt\n" in content(s)
        assert s.end("q") == 0


def test_invalid_values():
    with start() as s:
        put(s, "learning_rate", "fast")
        s.wait(r"✗ learning_rate +< fast > +found \"fast\", expected")
        s.wait(r"found \"fast\", expected a number from 0 to 10")
        s.keys("L")
        s.wait(r"optim.learning_rate: found")
        assert not (s.dir / "runs").exists()
        s.keys("Tab", "Tab")
        s.wait(r"✗ line 7: optim.learning_rate: found \"fast\"")
        s.keys("Esc")
        field(s, "train_batch_size")
        s.keys("g", "j")  # others speak of it
        s.keys("Enter", "C-a", "C-k", "[1", "Enter")
        s.wait(r"Enter take over")  # no YAML: the entry stays open
        s.keys("Esc")
        s.wait(r"· train_batch_size +< 8 >")
        s.keys("n")
        s.wait(r"├─ optim.learning_rate ─")
        s.keys("u")
        s.wait_gone("wrong")
        put(s, "early_stopping_patience", "0")
        s.wait("expected a whole number from 1 to")
        s.keys("u")
        field(s, "val_set_size")
        s.keys("+")
        s.wait("set together with data.validation_file")


def test_prediction():
    with start(36, 120) as s:
        s.wait(r"rows +200 train · 40 validation")
        s.wait(r"steps +20, 25 an epoch")
        s.wait(r"cut +0 rows")
        s.wait(r"memory +\d+ MiB of")
        s.wait(r"labels +negative \d+ · positive \d+")
        s.quiet(0.3)
        assert s.quiet(1.5) == b"", "bytes although nothing changed"
        put(s, "max_seq_length", "4")
        s.wait(r"cut +[1-9]\d* rows \(\d+\.\d%\)")
        put(s, "train_file", "gone.tsv")
        s.wait(r"✗ train_file")
        s.wait(r"gone\.tsv: no such file")
        s.keys("L")
        s.wait(r"not launched: gone\.tsv")
        assert not (s.dir / "runs").exists()


def test_text_beside():
    with start(36, 120) as s:
        s.wait(r"  1  # What we know works\.")
        put(s, "learning_rate", "5e-4")
        s.wait(r"  7\+     learning_rate: 5e-4  # higher than usual")
        s.keys("u")
        s.wait(r"  7      learning_rate: 1e-3  # higher than usual")


def test_launch_with_an_unsaved_change():
    with start() as s:
        put(s, "learning_rate", "7e-4")
        s.keys("L")
        s.wait(r"▸4 Charts", 60)
        s.wait("launched; it goes on when you leave")
        run = next((s.dir / "runs").iterdir())
        s.keys("1")
        s.wait("✓ finished", 60)
        s.wait("100%")
        text = (run / "experiment.yaml").read_text()
        assert "learning_rate: 0.0007" in text or "learning_rate: 7e-4" in text, text
        assert content(s) == FILE
        s.keys("3")
        s.wait("1 unsaved change")
        s.keys("q")
        s.wait("unsaved changes. Leave without saving")
        s.keys("y")
        assert s.end() == 0


def test_clone_and_launch():
    with start() as s:
        s.keys("L")
        s.wait("▸4 Charts", 60)
        s.keys("1")
        s.wait("✓ finished", 60)
        s.keys("e")
        s.wait("settings of tiny-")
        s.wait(r"· name_or_path +model ")
        s.wait(r"\d+ rows · 20 steps")
        put(s, "max_steps", "10")
        s.keys("L")
        s.wait("▸4 Charts", 60)
        s.keys("1")
        s.wait("Runs 2")
        s.until(lambda: len(re.findall("✓ finished", s.text())) >= 3 or s.text().count("100%") == 2, "both finished", 60)
        runs = sorted((s.dir / "runs").iterdir(), key=lambda p: p.stat().st_mtime)
        steps = sorted(tiny_bert.status(r)["total"] for r in runs)
        assert steps == [10, 20], steps
        assert s.end("q") == 0


def test_changed_on_disk():
    with start() as s:
        put(s, "seed", "7")
        path = s.dir / "experiments/tiny.yaml"
        path.write_text(FILE + "# by somebody else\n")
        s.keys("w")
        s.wait("was changed by somebody else: overwrite it")
        s.keys("n")
        assert "somebody" in content(s)
        s.keys("u")
        s.wait_gone("unsaved")
        s.wait("was changed: read again")
        s.keys("Tab")
        s.wait("# by somebody else")


def test_hang_up_keeps_changes():
    s = start()
    with s:
        put(s, "seed", "7")
        s.wait("1 unsaved change")
        field(s, "logging_steps")
        s.keys("Enter", "C-a", "C-k", "3")  # a value that is being typed is kept too
        s.wait("= 3$|= 3 ")
        s.kill(signal.SIGHUP)
        s.until(lambda: not s.alive(), "the end")
        assert content(s) == FILE
        with Screen(["--open", "experiment"], directory=s.dir) as again:
            again.wait("changes of an earlier session were not saved")
            again.keys("Enter")
            again.wait("2 unsaved changes")
            again.keys("w")
            again.wait(r"tiny\.yaml saved")
            assert changed_lines(FILE, content(s)) == ["+     seed: 7", "+ ", "+ run:", "+   logging_steps: 3"], content(s)
            assert again.end("q") == 0
        with Screen(["--open", "experiment"], directory=s.dir) as third:
            third.wait("experiments/tiny.yaml")
            third.wait("rows")
            assert "earlier session" not in third.text()


def test_left_without_saving_is_offered_no_more():
    with start() as s:
        put(s, "seed", "7")
        s.kill(signal.SIGHUP)
        s.until(lambda: not s.alive(), "the end")
        with Screen(["--open", "experiment"], directory=s.dir) as again:
            again.wait("changes of an earlier session were not saved")
            again.keys("Enter")
            again.wait("1 unsaved change")
            again.keys("q")
            again.wait("Leave without saving")
            assert again.end("y") == 0
        with Screen(["--open", "experiment"], directory=s.dir) as third:
            third.wait("rows")
            assert "earlier session" not in third.text()


def test_save_as_and_open():
    with start() as s:
        put(s, "seed", "7")
        s.keys("W")
        s.wait("save as: experiments/tiny.yaml")
        s.keys("C-u", "experiments/other.yaml", "Enter")
        s.wait("experiments/other.yaml saved")
        assert content(s) == FILE
        assert changed_lines(FILE, (s.dir / "experiments/other.yaml").read_text()) == ["+     seed: 7"]
        s.keys("o")
        s.wait("a new, empty experiment")
        assert "a.probe" not in s.text()
        s.keys("tiny", "Enter")
        s.wait(r"┌─ experiments/tiny.yaml")
        put(s, "seed", "8")
        s.keys("W", "C-u", "experiments/other.yaml", "Enter")
        s.wait("experiments/other.yaml exists: overwrite it")
        s.keys("n")
        assert "seed: 7" in (s.dir / "experiments/other.yaml").read_text()
        s.keys("o", "ts/other", "Enter")
        s.wait("Leave tiny.yaml without saving the changes")
        s.keys("n")
        s.wait(r"┌─ experiments/tiny.yaml · 1 unsaved change")
        s.keys(":", "open nowhere.yaml", "Enter")
        s.wait("nowhere.yaml: No such file")
        s.keys(":", "open experiments/other.yaml", "Enter")
        s.wait("Leave tiny.yaml without saving the changes")
        s.keys("y")
        s.wait(r"┌─ experiments/other.yaml ─")


def test_difference():
    def both(folder):
        setup(folder)
        (folder / "experiments/other.yaml").write_text(FILE.replace("1e-3", "2e-5").replace("max_steps: 20", "max_steps: 30"))
    with Screen(["--open", "experiment"], setup=both) as s:
        s.wait("experiments/other.yaml")
        s.keys("d")
        s.wait("difference from")
        s.keys("tiny", "Enter")
        s.wait("differs from tiny.yaml")
        s.wait(r"max_steps .*30 > steps +← 20")
        s.wait(r"learning_rate .*2e-5 +.*← 0\.001")
        s.wait_gone("adam_beta1")
        s.keys("G", "t")
        s.wait_gone(r"← 0\.001")
        s.keys("Esc")
        s.wait("1 unsaved change")


def test_editor():
    def with_editor(folder):
        setup(folder)
        (folder / "edit").write_text("#!/bin/sh\nsed -i 's/max_steps: 20/max_steps: 40/' \"$1\"\n")
        os.chmod(folder / "edit", 0o755)
    s = Screen(["--open", "experiment"], setup=with_editor, env={"EDITOR": "./edit"})
    with s:
        s.wait("experiments/tiny.yaml")
        s.keys("e")
        s.until(lambda: "max_steps: 40" in content(s), "the editor's change")
        s.wait("read again")
        field(s, "max_steps")
        s.wait(r"· max_steps +< 40 >")
        put(s, "max_steps", "20")
        s.keys("e")  # a text that is not saved is edited in a copy
        s.wait(r"[·●] max_steps +< 40 >")
        assert s.end("q") == 0


def test_odd_files():
    with start() as s:
        path = s.dir / "experiments/tiny.yaml"
        path.write_text("optim:\n  learning_rat: 3\n  adam_beta1: 7\nmodel: {name_or_path: model}\n")
        s.wait("was changed: read again")
        s.keys("Tab", "Tab")
        s.wait(r"has no option \"learning_rat\"")
        s.wait("optim.adam_beta1: found \"7\", expected")
        path.write_text("optim: [\n")
        s.wait(r"did not find expected")
        s.keys("Esc", "j", "Enter", "L", "+", "r")
        s.wait(r"experiments/tiny.yaml")
        path.write_text("model: {name_or_path: \"\\x1b]0;pwned\\a\"}\n")
        s.wait(r"\\x1b")
        path.unlink()
        s.drain(1.5)
        assert s.end("q") == 0
        assert b"\x1b]0;pwned" not in s.raw


def test_paths_are_completed():
    with start() as s:
        field(s, "test_file")
        s.keys("Enter", "t", "Tab")
        s.wait(r"test\.tsv +train\.tsv")
        s.keys("e", "Tab")
        s.wait(r"= test\.tsv")
        s.keys("Enter")
        s.wait(r"● test_file +test\.tsv")


def test_mouse():
    with start(36, 120) as s:
        s.wait("freeze_embeddings")
        lines = s.lines()
        row = next(i for i, line in enumerate(lines) if "freeze_embeddings" in line) + 1
        column = lines[row - 1].index("[ ]") + 1
        s.click(row, 6)
        s.wait(r"├─ model\.freeze_embeddings")
        s.click(row, column)
        s.wait(r"● freeze_embeddings +< \[x\] true >")
        s.click(3 + 1, 4)  # the heading folds
        s.wait(r"▸ model")
        for _ in range(12):
            s.wheel(20, 20)
        s.wait_gone("▸ model")
        s.click(10, 100)
        s.wait("Tab what it would take")
        assert s.end("q", "y") == 0


def test_empty_state():
    with Screen(["--open", "experiment"]) as s:
        s.wait("There is no experiment file in experiments/ yet")
        s.keys("o")
        s.wait("a new, empty experiment")
        s.keys("new", "Enter")
        s.wait("not saved yet")
        s.wait("missing, expected a model: a directory or a name")
        put(s, "name_or_path", "m")
        s.keys("w")
        s.wait("save as: experiments/new.yaml")
        s.keys("C-u", "mine.yaml", "Enter")
        s.wait("mine.yaml saved, with 3 faults in it")
        assert (s.dir / "mine.yaml").read_text() == "model:\n  name_or_path: m\n"


def test_options_that_do_not_apply():
    """What the chosen task does not use says so, and what another task requires is asked for when it is chosen."""
    for size in ((24, 80), (36, 120)):
        with start(*size) as s:
            field(s, "scheme")
            s.wait(r"- scheme +<? *IOB2 >? *needs task\.type: ner|- scheme .*needs task")
            s.wait(r"needs task\.type: ner · ")
            field(s, "what is learnt")
            s.keys("Enter", "Enter")  # regression, ner
            s.wait(r"type +<? *ner")
            field(s, "scheme")
            s.wait_gone(r"needs task\.type: ner")
            field(s, "absa_format")
            s.wait(r"needs task\.type: absa")
            field(s, "what is learnt")
            s.keys("Enter", "Enter")  # qa, absa
            s.wait(r"type +<? *absa")
            s.wait(r"1 unsaved change · ")


def test_columns_of_other_tasks():
    with start() as s:
        field(s, "_column")
        s.wait(r"^│  [·●✗ ] +text_pair_column +null +│")
        s.wait(r"- aspect_column +null +needs task\.type: absa")
        s.wait(r"- tags_column +null +needs task\.type: ner")
        field(s, "what is learnt")
        s.keys("Enter", "Enter")  # regression, ner
        s.wait(r"type +<? *ner")
        field(s, "_column")
        s.wait(r"- text_pair_column +null +unused with task\.type: ner")
        s.wait(r"^│    tags_column +null +│")


def test_help_is_whole_and_the_prediction_stays():
    with start() as s:
        field(s, "scaled down")
        s.wait(r"2\d\d rows · 20 steps|\d+ rows · 20 steps")
        s.keys("Esc")
        field(s, "head_tail keeps")
        s.wait(r"which text of a pair is cut; of single texts head_tail keeps beginning and")
        s.wait(r"^│end, sliding_window reads all in windows that share task\.doc_stride tokens")
        s.keys("Right")
        s.wait(r"truncation +< only_first >")
        assert not re.search("reading the data", s.text()), s.dump()  # the figures stay until others are known
        s.wait(r"\d+ rows · 20 steps .* …")
        s.wait(r"\d+ rows · 20 steps [^…]* │$")
        assert s.end("u", "q") == 0


def test_what_is_wrong_is_told_whole():
    """A message of two lines at 80 columns, before and at the launch, at the field that it names."""
    with start() as s:
        put(s, "label_column", "labels_of_the_rows")
        s.wait(r"no column 'labels_of_the_rows': it has[^│]*│\n│text, label|'labels_of_the_rows'[^│]*│\n│[^│]*text, label")
        s.keys("L")
        s.wait(r"^ not launched: ")
        put(s, "train_file", "a-name-that-is-long-enough-for-the-line-to-be-cut-before-its-end/gone.tsv")
        s.wait(r"gone\.tsv: no such file or directory|gone\.tsv: no +│\n│such file or directory")



main(globals())
