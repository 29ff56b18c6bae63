#!/usr/bin/env python3
"""The Study view: the trials and their order, what options make of the metric, the pictures, and the ways to a run, to a new experiment and to a finer sweep."""
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny_bert
from screen import BERTTY, BERTTY_FAST, Screen, fake_run, live_status, main

RATES = ["1e-5", "1e-4", "0.001"]
VALUES = {1: (0.7, 0.71), 2: (0.6, 0.65), 3: (0.8, 0.9), 4: (0.5, 0.55), 5: (0.62,)}  # by trial: accuracy of its evaluations
STATES = {1: "stopped", 2: "stopped", 3: "finished", 4: "failed", 5: "training"}


def plan(name, **more):
    trials = [{"run": f"{name}-{i + 1:03}", "set": {"optim.learning_rate": RATES[i // 2], "optim.optim": ("adamw", "sgd")[i % 2]}} for i in range(6)]
    return {"study": name, "created": 1.8e9, "held": False, "metric": "accuracy", "greater_is_better": True, "stopping": "asha", "reduction_factor": 3,
            "rungs": 2, "startup_trials": 5, "warmup_fraction": 0.2, "max_tokens": 0, "max_seconds": 0, "trials": trials, **more}


def study(runs, name="sst", **more):
    folder = runs / ".studies" / name
    folder.mkdir(parents=True)
    (folder / "study.json").write_text(json.dumps(plan(name, **more)))
    (folder / "experiment.yaml").write_text("data:\n  train_file: /data/rows.tsv\n\noptim:\n  weight_decay: 0.1\n")
    lines = [{"trial": t, "step": 10 * (k + 1), "total": 90, "value": v, "tokens": 100 * (k + 1), "seconds": 3.0 * (k + 1), "time": 1.8e9 + 60 * t + 10 * k,
              **({"rung": 0} if k == 0 else {})} for t, values in VALUES.items() for k, v in enumerate(values)]
    lines.insert(2, {"trial": 1, "step": 20, "time": 1.8e9 + 80, "verdict": "cut"})
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def setup(path):
    runs = path / "runs"
    study(runs)
    for t, state in STATES.items():
        more = live_status(step=10, total=90, started=100 + t) if state == "training" else {"state": state, "step": 10 * len(VALUES[t]), "total": 90, "started": 100 + t}
        run = fake_run(runs, f"sst-{t:03}", **more)
        (run / "experiment.yaml").write_text(f"optim: {{learning_rate: {RATES[(t - 1) // 2]}}}\ntrain: {{seed: {t}}}\n")


def order(s):
    """The numbers of the trials as they stand in the list."""
    return [int(m[1]) for m in re.finditer(r"(?m)^│\s+\*?(\d)  (?:planned|queued|running|waiting|cut|finished|failed|halted|lost)", s.text())]


def ordered(s, numbers):
    s.until(lambda: order(s) == numbers, f"the order {numbers}, not {order(s)}")


def test_trials_and_their_order():
    for rows, columns in ((24, 80), (36, 120), (50, 200)):
        with Screen(["--open", "study"], rows=rows, columns=columns, setup=setup) as s:
            s.wait(r"Study · sst · running · 3 of 6 trials ended · best accuracy 0\.9000")
            s.wait(r"3  finished .*0\.9000 ◂")
            assert order(s) == [3, 1, 2, 5, 4, 6], s.text()
            for number, state, done in ((1, "cut", "22%"), (2, "halted", "22%"), (4, "failed", "22%"), (5, "running", "11%"), (6, "planned", " ")):
                assert re.search(rf"│ +{number}  {state} +{done}", s.text()), s.text()
            s.keys("S")
            ordered(s, [4, 5, 2, 1, 3, 6])  # what has no figure is last, either way
            s.keys("s")
            ordered(s, [1, 2, 3, 4, 5, 6])
            if columns > 80:
                s.keys("s")
                ordered(s, [1, 3, 5, 2, 4, 6])
            s.end("q")


def test_sorted_by_an_option():
    with Screen(["--open", "study"], rows=36, columns=160, setup=setup) as s:
        s.wait("best accuracy")
        y = next(y for y, text in enumerate(s.lines(), 1) if "optim " in text and "State" in text)
        titles = s.lines()[y - 1]
        s.click(y, titles.index("optim ") + 1)
        ordered(s, [1, 3, 5, 2, 4, 6])
        s.click(y, titles.index("optim ") + 1)
        ordered(s, [2, 4, 6, 1, 3, 5])
        s.click(y, titles.index("learning_rate") + 1)
        ordered(s, [1, 2, 3, 4, 5, 6])
        s.click(y + 3, 10)
        s.keys("Enter")
        s.wait("sst-003")
        s.end("9", "q")


def test_options_and_pictures():
    with Screen(["--open", "study"], rows=36, columns=120, setup=setup) as s:
        s.wait(r"optim\.learning_rate  rank correlation [-+]0\.\d\d")
        s.wait(r"1e-5 +0\.6800 ±0\.0424 n 2 │▇")  # the best of trials 1 and 2: 0.71, 0.65
        s.wait(r"1e-4 +0\.7250 ±0\.2475 n 2 │▇+")
        s.wait(r"0\.001 +0\.6200 +n 1 ")
        s.keys("v")
        s.wait("trials over options")
        s.wait(r"lear\S+ +optim +accuracy")
        assert re.search(r"[\u2801-\u28ff]{3}", s.text()), s.text()
        s.keys("v")
        s.wait("best so far")
        s.wait(r"0 +\d+s|0 +\d+m")
        s.keys("v")
        s.wait("what each option makes of it")
        s.keys("Tab", "j", "j")
        s.resize(24, 80)
        s.wait(r"Study · sst · running")
        s.resize(10, 40)
        s.quiet(0.5)
        s.resize(36, 120)
        s.wait("what each option makes of it")


def test_ways_to_runs():
    with Screen(["--open", "study"], rows=36, columns=120, setup=setup) as s:
        s.wait(r"3  finished")
        s.keys("Space")
        s.wait(r"\*3  finished")
        s.keys("Enter")
        s.wait("▸4 Charts")
        s.keys("9", "j", "e")
        s.wait("▸3 Experiment")
        s.wait(r"seed: *2|seed +2")
        s.keys("9")
        s.wait("▸9 Study")
        for _ in range(9):
            s.keys("j")
        s.keys("Enter")
        s.wait("trial 6 has no run yet")
        s.keys("y")
        s.wait("in the clipboard")


def test_finer():
    with Screen(["--open", "study"], rows=36, columns=120, setup=setup) as s:
        s.wait(r"3  finished")
        s.keys("f")
        s.wait("experiment file of the finer sweep: sst-finer.yaml")
        s.keys("Enter")
        s.wait("written: sst-finer.yaml")
        text = (s.dir / "sst-finer.yaml").read_text()
        # half-way, in the logarithm, to 1e-5 and to 1e-3; the optimiser as it is
        assert "optim.learning_rate: [3.162e-5, 1e-4, 3.162e-4]" in text and "  optim: adamw" in text, text
        assert "weight_decay: 0.1" in text and "stopping: asha" in text and "metric: accuracy" in text, text
        s.keys("9")
        s.wait("▸9 Study")
        s.keys("f", "Enter")
        s.wait(r"sst-finer\.yaml exists\. Replace it\?")
        s.keys("n")
        s.end("q")
        # it is a sweep that can be begun
        tiny_bert.experiment(s.dir, {"train.max_steps": 20})
        (s.dir / "sst-finer.yaml").write_text(text.replace("/data/rows.tsv", "train.tsv") + "model: {name_or_path: model}\n")
        words = ["sweep", "sst-finer.yaml", "--dry-run", "--json", "--set", "data.validation_file=dev.tsv", "--set", "data.text_column=text",
                 "--set", "data.label_column=label", "--set", "eval.eval_strategy=steps", "--set", "eval.eval_steps=10"]
        done = subprocess.run([BERTTY, *words], cwd=s.dir, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done
        assert [t[0] for t in json.loads(done.stdout)["trials"]] == [f"optim.learning_rate={v}" for v in ("3.162e-5", "1e-4", "3.162e-4")], done.stdout


def test_choosing_holding_and_nothing():
    def two(path):
        setup(path)
        study(path / "runs", "other", created=1.9e9, held=True, why="3 trials have failed\x1b[2J before their first evaluation: no room")

    with Screen(["--open", "study"], rows=30, columns=100, setup=two) as s:
        s.wait(r"Study · other · paused")
        s.wait(r"paused: 3 trials have failed\\x1b\[2J before")
        s.keys("c")
        s.wait("Which study?")
        s.keys("s", "s", "t", "Enter")
        s.wait(r"Study · sst · running")
        s.keys("p")
        s.wait("no further trial is started")
        s.wait(r"Study · sst · paused")
        assert json.loads((s.dir / "runs/.studies/sst/study.json").read_text())["held"] is True
        (s.dir / "runs/.studies/sst/study.json").write_text("{")
        fake_run(s.dir / "runs", "new", started=999)
        s.wait(r"study\.json")
        s.wait("c chooses another study")
        s.end("q")
    with Screen(["--open", "study"], program=BERTTY_FAST) as s:
        s.wait("There is no study yet")
        s.wait("bertty sweep FILE")
        s.keys("c")
        s.wait("there is no study in")
        s.end("q")


def test_a_real_one():
    """From the command to the last trial, in front of the view."""
    def begun(path):
        experiment = tiny_bert.experiment(path, {"train.max_steps": 30, "eval.eval_steps": 10, "run.save_steps": 10, "run.num_threads": 1, "run.output_dir": "runs"},
                                          train=40, dev=10)
        experiment.write_text(experiment.read_text() + "sweep: {options: {optim.learning_rate: [1e-5, 1e-3]}, seeds: [1, 2]}\n")
        subprocess.run([BERTTY_FAST, "queue", "pause"], cwd=path, check=True, capture_output=True)
        subprocess.run([BERTTY_FAST, "sweep", "tiny.yaml"], cwd=path, check=True, capture_output=True)

    with Screen(["--open", "study"], rows=30, columns=110, setup=begun, program=BERTTY_FAST) as s:
        s.wait(r"Study · tiny · waiting · 0 of 4 trials ended")
        subprocess.run([BERTTY_FAST, "queue", "go"], cwd=s.dir, check=True, capture_output=True)
        s.wait(r"Study · tiny · done · 4 of 4 trials ended", seconds=60)
        s.end("q")


def test_a_lost_trial_is_taken_up():
    """No engine is left, nothing is queued: the workbench sees that the study has more."""
    def lost(path):
        experiment = tiny_bert.experiment(path, {"train.max_steps": 20000, "eval.eval_steps": 1000, "run.save_steps": 1000, "run.num_threads": 1, "run.output_dir": "runs"},
                                          train=40, dev=10)
        experiment.write_text(experiment.read_text() + "sweep: {seeds: [1, 2]}\n")
        subprocess.run([BERTTY_FAST, "sweep", "tiny.yaml"], cwd=path, check=True, capture_output=True)
        run = path / "runs/tiny-001-seed-1"
        tiny_bert.wait_for(lambda: tiny_bert.status(run).get("state") == "training", "the first trial")
        os.kill(tiny_bert.status(run)["pid"], signal.SIGKILL)

    with Screen(["--open", "study"], rows=30, columns=110, setup=lost, program=BERTTY_FAST) as s:
        s.wait("tiny-001-seed-1 has left the queue and starts")
        s.wait(r"1  running")
        subprocess.run([BERTTY_FAST, "study", "pause", "tiny"], cwd=s.dir, check=True, capture_output=True)
        subprocess.run([BERTTY_FAST, "stop", "tiny-001-seed-1"], cwd=s.dir, check=True, capture_output=True)
        s.wait(r"1  halted")
        s.end("q")


def test_begun_from_the_text():
    """In Experiment: counted, asked about, begun, and shown; once more there is nothing to add."""
    def with_sweep(path):
        experiment = tiny_bert.experiment(path, {"train.max_steps": 20, "eval.eval_steps": 10, "run.save_steps": 10, "run.num_threads": 1}, train=40, dev=10)
        experiment.write_text(experiment.read_text() + "sweep: {options: {optim.learning_rate: [1e-5, 1e-3]}, seeds: [1, 2]}\n")

    with Screen(["--open", "tiny.yaml"], rows=30, columns=110, setup=with_sweep, program=BERTTY_FAST) as s:
        s.wait("tiny.yaml")
        s.keys("S")
        s.wait("Begin study tiny with 4 trials, each a run\\?")
        s.keys("n")
        s.quiet(0.3)
        assert not (s.dir / "runs").exists()
        s.keys("S")
        s.wait("Begin study tiny with 4 trials")
        s.keys("y")
        s.wait("▸9 Study")
        s.wait("study tiny: 4 trials; the first has started")
        s.wait(r"Study · tiny · done · 4 of 4 trials ended", seconds=60)
        s.keys("3", "S")
        s.wait("study tiny has all of these trials already")
        (s.dir / "tiny.yaml").write_text((s.dir / "tiny.yaml").read_text().split("sweep:")[0])
        s.wait("tiny.yaml was changed: read again")
        s.keys("S")
        s.wait('no section "sweep:"')
        s.end("q")


if __name__ == "__main__":
    main(globals())
