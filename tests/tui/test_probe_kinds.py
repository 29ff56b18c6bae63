#!/usr/bin/env python3
"""The Probe view of every task: it asks for what the task needs, and shows the answers that `bertty predict` gives."""
import contextlib
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from screen import BERTTY_FAST, Screen, main

sys.path.insert(0, str(Path(__file__).parent.parent))
import kinds  # noqa: E402
import tiny_bert  # noqa: E402

MADE = Path(tempfile.mkdtemp(prefix="bertty-probe-kinds-"))
SIZES = ((24, 80), (36, 120))


@contextlib.contextmanager
def probe(task, size, *more, env=None):
    if not (MADE / task).exists():
        kinds.trained(MADE / task, task, BERTTY_FAST)

    def setup(d):
        shutil.copytree(MADE / task / "runs", d / "runs", symlinks=True)
    with Screen(["--open", "probe", *more], setup=setup, rows=size[0], columns=size[1], env=env) as s:
        s.wait(rf"{task} +step")
        yield s
        assert s.end("Esc", "q") == 0


def predicted(task, text, *more):
    done = tiny_bert.run("predict", task, "--text", text, *more, program=BERTTY_FAST, cwd=MADE / task)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_entities():
    for size in SIZES:
        with probe("ner", size) as s:
            s.wait(r"─ Sentence ─")
            s.keys("the film was good")
            found = [row for row in predicted("ner", "the film was good") if row != [""]]
            for kind, _, _, text, p in found:
                s.wait(rf"{kind} +{p[:6]}\d?  {text}")
                s.wait(re.escape(f"{text}]{kind}"))
            if not found:
                s.wait(r"no entities")


def test_question():
    context = "the film was good and the plot was dull"
    for size in SIZES:
        with probe("qa", size) as s:
            s.wait(r"─ Question ─")
            s.wait(r"─ Passage ─")
            s.keys("was the film good", "Tab", context)
            answer, p = predicted("qa", "was the film good", "--pair", context)[0]
            s.wait(rf"▸ {p[:6]}\d?  {re.escape(answer) if answer else '.no answer.'}")
            if answer:
                s.wait(re.escape(f"⟦{answer}⟧")[:20])
            s.keys("Enter", "Esc", "P")
            s.wait(r"this task needs both texts")


def test_number():
    for size in SIZES:
        with probe("regression", size) as s:
            s.keys("a good film")
            s.wait(rf"│ +{re.escape(predicted('regression', 'a good film')[0][0])}")
            s.wait("◆")
            s.keys("Enter", "Esc")
            s.wait(rf"{predicted('regression', 'a good film')[0][0][:4]}\d* +10 +a good film")


def test_label_sets():
    for size in SIZES:
        with probe("multilabel", size) as s:
            s.wait(r"─ Labels ─")
            s.keys("a good film")
            s.wait(r"▸ warm +0\.\d{4}")
            s.wait(r"cold +0\.\d{4}")
            s.wait(r"0\.\d{4}.*│.*│")


def test_choices():
    for size in SIZES:
        with probe("multiple_choice", size) as s:
            s.wait(r"─ Choices, one a line ─")
            s.keys("a good film", "Tab", "good", "Enter", "very bad")
            answer, p = predicted("multiple_choice", "a good film", "--choice", "good", "--choice", "very bad")[0]
            s.wait(rf"▸ {answer} +{p}")
            s.keys("Tab", "Esc", "x")


def test_choices_are_whole():
    """One choice is asked for another; two long ones are told apart; the pieces are those of both texts."""
    with probe("multiple_choice", (24, 80)) as s:
        s.keys("the film was", "Tab", "good and warm and clever")
        s.wait(r"two choices or more, one a line \(Tab\)")
        s.keys("Enter", "good and warm but cold")
        s.wait(r"[▸ ] good and warm and clever +0\.\d{4} ")
        s.wait(r"[▸ ] good and warm but cold +0\.\d{4} ")
        s.wait(r"pieces the film was \[SEP\] good and warm and clever \[SEP\] good and war")


def test_aspect():
    for size in SIZES:
        with probe("absa", size) as s:
            s.wait(r"─ Aspect ─")
            s.keys("the film was good")
            s.wait(r"Aspect: nothing there yet \(Tab\)")
            assert not re.search(r"positive +0\.\d", s.text()), s.dump()  # not asked before there is an aspect
            s.keys("Tab", "film")
            label, p = predicted("absa", "the film was good", "--pair", "film")[0]
            s.wait(rf"▸ {label} +{p}")


def test_masks():
    for size in SIZES:
        with probe("mlm", size) as s:
            s.wait(r"─ Text with \[MASK\] ─")
            s.keys("the film was good")
            s.wait(r"write \[MASK\] where a word is to be found")
            s.keys("C-u", "the [MASK] was good")
            s.wait(r"the ⟦\S+⟧ was good")
            word = re.search(r"the ⟦(\S+)⟧ was good", s.text()).group(1)
            said = "\t".join(predicted("mlm", "the [MASK] was good")[0])
            assert f"the {word} was good" in said, (word, said)
            s.wait(rf"▸ 0\.\d{{4}}  {re.escape(word)}")


def test_every_task_is_explained():
    asked = {"ner": ("the good film",), "qa": ("was the film good", "Tab", "the film was good and warm"), "regression": ("a good film",),
             "multilabel": ("a good film",), "multiple_choice": ("a good film", "Tab", "good", "Enter", "very bad"),
             "absa": ("the film was good", "Tab", "film"), "mlm": ("the [MASK] was good",)}
    of = {"ner": r"\S+ of word \d", "regression": "the number", "mlm": r"\S+ for mask 1", "multiple_choice": r"\d: (?:good|very bad)"}
    for task, keys in asked.items():
        with probe(task, (24, 80)) as s:
            s.keys(*keys)
            s.wait(r"ms +\d+ of \d+ tokens")
            s.keys("Esc", "e")
            s.wait(rf"logit of {of.get(task, '.*')}: -?\d+\.\d{{4}}")
            s.wait(r"integrated, \d+ steps, completeness error")
            s.wait(r"│ \[CLS\] ")
            s.keys("o")
            s.wait(r"logit of the number" if task == "regression" else r"probability of ")


def test_ascii_and_monochrome():
    for task in ("ner", "qa", "regression"):
        with probe(task, (24, 80), "--ascii", env={"NO_COLOR": "1"}) as s:
            s.keys("good", *(("Tab", "the film was good") if task == "qa" else ()))
            s.wait(r"ms +\d+ of \d+ tokens")
            s.keys("Esc", "e")
            s.wait(r"completeness error")
            s.settle(0.3)
            assert s.text().isascii(), s.dump()


def test_only_looks_for_checkpoints_when_something_changed():
    """What is typed is answered by the open model even when its checkpoint is gone."""
    with probe("regression", (24, 80)) as s:
        s.keys("a film")
        s.wait("◆")
        shutil.move(s.dir / "runs/regression/checkpoints", s.dir / "elsewhere")
        s.keys(" good")
        s.wait(rf"│ +{re.escape(predicted('regression', 'a film good')[0][0])}")
        shutil.move(s.dir / "elsewhere", s.dir / "runs/regression/checkpoints")


try:
    main(globals())
finally:
    shutil.rmtree(MADE, ignore_errors=True)
