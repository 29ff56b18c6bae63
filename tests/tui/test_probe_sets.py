#!/usr/bin/env python3
"""Probe sets in the Probe view: scored as `bertty probe` scores them, with their past; new checkpoints, several models, sets with errors."""
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from screen import BERTTY_FAST, Screen, live_status, main

sys.path.insert(0, str(Path(__file__).parent.parent))
import tiny_bert  # noqa: E402

MADE = Path(tempfile.mkdtemp(prefix="bertty-probe-sets-"))
WIDE = {"rows": 36, "columns": 120}
SET = """probes:
  - name: praise
    text: a good film
    expect: positive
    at_least: 0.7
  - text: a bad film
    expect: negative
  - name: the noun
    text: the film was good
    same_for: [the plot was good, the cast was bad]
  - name: more
    text: the film was
    rises_for: the film was good
    label: positive
  - name: wrong
    text: the music was good
    expect: negative
"""


def trained():
    """runs/ with films (checkpoints 50 to 200) and other (one)."""
    if not (MADE / "runs").exists():
        experiment = tiny_bert.experiment(MADE, {"optim.learning_rate": 3e-3, "train.max_steps": 200, "run.save_steps": 50, "eval.eval_steps": 50,
                                                 "run.save_total_limit": 5, "run.num_threads": 1}, train=600)
        for name, more in (("other", ["--set", "train.seed=5", "--set", "train.max_steps=50"]), ("films", [])):
            done = tiny_bert.run("train", experiment, "--name", name, *more, program=BERTTY_FAST, cwd=MADE)
            assert done.returncode == 0, done.stderr
    return MADE / "runs"


def with_sets(sets=None, then=None):
    def setup(d):
        shutil.copytree(trained(), d / "runs", symlinks=True)
        (d / "experiments").mkdir()
        for name, text in ({"words": SET} if sets is None else sets).items():
            (d / f"experiments/{name}.probe.yaml").write_text(text)
        if then:
            then(d)
    return setup


def told(model, *more):
    """What the command says, in a copy of the runs."""
    with tempfile.TemporaryDirectory() as d:
        with_sets()(Path(d))
        done = tiny_bert.run("probe", "experiments/words.probe.yaml", model, "--json", *more, program=BERTTY_FAST, cwd=d)
        assert done.returncode in (0, 3), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def opened(setup, **size):
    return Screen(["--open", "probe"], setup=setup, **(size or WIDE))


def test_a_set_and_its_probes():
    with opened(with_sets()) as s:
        s.wait(r"films +step")
        s.keys("Esc", "s")
        *probes, total = told("films")
        s.wait(rf"words +{total['passed']} of {total['probes']} .*experiments")
        s.keys("Enter")
        for p in probes:
            s.wait(rf"{'[+]' if p['passed'] else 'x'} +{p['score']:.4f} +\S+ +{p['kind']} +{re.escape(p['probe'])}")
        s.keys("End")
        s.wait(rf"{probes[4]['said']}; expected {probes[4]['expected']}")
        s.keys("Enter")
        s.wait(r"^│the music was good +│")
        s.wait(r"positive +0\.\d{4}")
        s.keys("k", "k", "Enter")  # it fails for a variant: that becomes the text
        s.wait(rf"^│{probes[2]['worst'] if not probes[2]['passed'] else 'the film was good'} +│")
        s.keys("Esc")
        s.wait(r"─ Probe sets ─")
        s.keys("s")
        s.wait(r"Enter keeps a text")
        assert s.end("Esc", "q") == 0


def test_past_and_flips():
    """Checkpoints that are not known yet are scored meanwhile; what all said is kept in the run."""
    rows = told("films", "--all")
    flips = [r for r in rows if "flip" in r]
    assert flips, "nothing flips: nothing would be seen"
    marks = {p: "".join("+" if r["passed"] else "x" for r in rows if r.get("probe") == p and "step" in r and "flip" not in r) for p in ("praise", "wrong")}
    with opened(with_sets()) as s:
        s.wait(r"films +step")
        s.keys("Esc", "s")
        for f in flips[-3:]:
            s.wait(rf"step {f['flip']}: {'mended' if f['passed'] else 'broken'} {re.escape(f['probe'])}: {re.escape(f['said'])}")
        s.keys("Enter")
        s.wait(rf"{re.escape(marks['praise'])}  step 50 … 200")
        kept = s.dir / "runs/films/probes/words.jsonl"
        lines = [json.loads(line) for line in kept.read_text().splitlines()]
        assert [line["step"] for line in lines] == [50, 100, 150, 200] and all(len(line["results"]) == 5 for line in lines), lines
        s.keys("End")
        s.wait(rf"{re.escape(marks['wrong'])}  step 50 … 200")
        s.quiet(0.7)
        assert s.quiet(1.5) == b""


def test_new_checkpoint():
    def setup(d):
        run = d / "runs/films"
        shutil.move(run / "checkpoints/step-000200", d / "step-000200")
        status = json.loads((run / "status.json").read_text())
        (run / "status.json").write_text(json.dumps({**status, **live_status()}))
    with opened(with_sets(then=setup)) as s:
        s.wait(r"films step 150 ")
        s.keys("Esc", "s")
        total = told("films@150")[-1]
        s.wait(rf"words +{total['passed']} of {total['probes']} ")
        s.keys("Enter")
        s.wait(r"step 50 … 150")
        shutil.move(s.dir / "step-000200", s.dir / "runs/films/checkpoints/step-000200")
        s.wait(r"films step 200 ")
        s.wait(r"step 50 … 200")
        for p in told("films@200")[:-1]:
            s.wait(rf"{'[+]' if p['passed'] else 'x'} +{p['score']:.4f} +\S+ +{p['kind']} +{re.escape(p['probe'])}")


def test_two_models():
    with Screen(["--open", "runs"], setup=with_sets(), **WIDE) as s:
        s.wait(r"other")
        s.keys("Space", "j", "Space", "k", "7", "Esc")
        s.wait(r"other +step")
        s.keys("s")
        first, second = told("films"), told("other")
        s.wait(rf"words +{first[-1]['passed']} of 5, {second[-1]['passed']} of 5")
        s.keys("Enter")
        for a, b in zip(first[:-1], second[:-1], strict=True):
            s.wait(rf"{re.escape(''.join('+' if p['passed'] else 'x' for p in (a, b)))} +{a['score']:.4f}")


def test_sets_with_errors():
    sets = {"damaged": "probes:\n  - text: a good film\n    expcet: positive\n", "unfit": "probes:\n  - text: a\n    expect: neutral\n",
            "fine": "probes:\n  - text: \"a\\e[2J \\u202e film\"\n    expect: positive\n"}
    with opened(with_sets(sets)) as s:
        s.wait(r"films +step")
        s.keys("Esc", "s")
        s.wait(r"damaged.probe.yaml:2: nothing is")
        s.wait(r"fine +\d of 1")
        s.wait(r"unfit +- ")
        s.keys("Enter", "End")  # a damaged set does not open
        s.wait(r"unfit.probe.yaml:2: the model has")
        s.keys("Up", "Enter")
        s.wait(r"─ fine ─")
        assert "\u202e".encode() not in s.raw and b"\x1b[2J \xe2" not in s.raw
        (s.dir / "experiments/fine.probe.yaml").unlink()
        s.keys("s", "s")
        s.wait(r"─ Probe sets ─")
        s.wait_gone(r"fine +\d of 1")


def test_no_set():
    with opened(with_sets({}), rows=24, columns=80) as s:
        s.wait(r"films +step")
        s.keys("Esc", "s")
        s.wait(r"There is no probe set")
        s.wait(r"bertty help probe")


def test_typing_goes_on():
    """Scoring waits for those who type, and goes on."""
    many = SET + "".join(f"  - name: more {i}\n    text: the film {'was ' * (i % 20)}good\n    expect: positive\n" for i in range(400))
    with opened(with_sets({"many": many}), rows=24, columns=80) as s:
        s.wait(r"films +step")
        s.keys("Esc", "s", "i")
        for word in "the film was good and the plot was dull".split():
            s.keys(word + " ")
            s.drain(0.05)
        s.wait(r"^│the film was good and the plot was dull")
        s.wait(r"positive +0\.\d{4}")
        s.wait(r"many +\d+ of 405")
        for size in ((10, 40), (5, 20), (1, 1), (50, 200), (24, 80)):
            s.resize(*size)
            s.drain(0.1)
        s.wait(r"many +\d+ of 405")
        assert s.end("Esc", "q") == 0


try:
    main(globals())
finally:
    shutil.rmtree(MADE, ignore_errors=True)
