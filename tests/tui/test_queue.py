#!/usr/bin/env python3
"""The queue in the workbench: places, what a run waits for, the keys that change it; and a workbench that goes on where no engine is left to do so."""
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny_bert
from screen import BERTTY, Screen, fake_run, key_bytes, live_status, main

HOST = os.uname().nodename
LONG = {"train.max_steps": 1000000, "eval.eval_strategy": "no", "run.save_strategy": "no", "run.num_threads": 1}


def waiting(folder, limit=1):
    """busy is alive; a, b and c wait; old has stopped."""
    runs = folder / "runs"
    fake_run(runs, "busy", **live_status(step=10, started=100))
    for i, name in enumerate("abc"):
        fake_run(runs, name, state="queued", host=HOST, started=200 + i, updated=200 + i, step=0, total=0, best=None, last=None)
        (runs / name / "experiment.yaml").write_text("train: {seed: 7}\n")
    fake_run(runs, "old", state="stopped", step=40, started=50)
    (runs / "old/experiment.yaml").write_text("train: {seed: 7}\n")
    (runs / ".queue.json").write_text(json.dumps({"limit": limit, "held": False, "order": ["a", "b", "c"]}))
    (runs / ".queue.lock").write_text("")


def saved(s):
    return json.loads((s.dir / "runs/.queue.json").read_text())


def state(s, name):
    return tiny_bert.status(s.dir / "runs" / name).get("state")


def test_places_and_moving():
    with Screen(setup=waiting) as s:
        s.wait(r"Runs 5 · 3 queued")
        s.wait(r"○ queued 3 +c ")
        s.wait(r"├─ c ─")
        s.wait("2 before it in the queue; waits for busy to end: 1 running, 1 at a time")
        s.keys("K")
        s.wait("c is number 2 in the queue")
        s.wait(r"○ queued 2 +c ")
        s.wait(r"○ queued 3 +b ")
        s.keys("F")
        s.wait("c is number 1 in the queue")
        assert saved(s)["order"] == ["c", "a", "b"], saved(s)
        s.keys("J")
        s.wait("c is number 2 in the queue")
        assert saved(s)["order"] == ["a", "c", "b"], saved(s)
        s.quiet(0.8)
        assert s.quiet(1.5) == b"", "bytes although nothing changed"
        s.keys("/", "state:queued", "Enter")
        s.wait("Runs 3 of 5")
        s.keys("s", "s")  # from age on: mark, state
        s.wait(r"state ↑")
        s.until(lambda: re.findall(r"queued \d +(\w)", s.text())[-3:] == ["a", "c", "b"], "sorted by the state: in the queue's order")
        s.keys("/", "C-u", "state:ended", "Enter")
        s.wait("Runs 1 of 5")
        s.send("?" + key_bytes("PgDn"))  # in one piece: before the first drawing
        s.wait("earlier in the queue")
        s.keys("Esc")
        assert s.end("q") == 0


def test_hold_and_limit():
    with Screen(setup=waiting) as s:
        s.wait(r"○ queued 3 +c ")
        s.keys("W")
        s.wait("the queue is held: W lets it go on")
        s.wait("3 queued, held")
        assert saved(s)["held"] is True
        s.keys("*", "many", "Enter")
        s.wait('"many": expected a number from 1 to 64')
        s.keys("*", "0", "Enter")
        s.wait('"0": expected a number from 1 to 64')
        s.keys("*", "7", "Enter")
        s.wait("7 of the queue's runs at a time")
        assert saved(s)["limit"] == 7 and saved(s)["held"] is True
        assert [state(s, n) for n in "abc"] == ["queued"] * 3, "a queue that is held starts nothing"
        s.keys("*", "1", "Enter")
        s.wait("1 of the queue's runs at a time")
        s.keys("W")
        s.wait_gone("held")
        s.wait("waits for busy to end")
        assert s.end("q") == 0


def test_in_and_out():
    with Screen(setup=waiting) as s:
        s.wait(r"○ queued 3 +c ")
        s.keys("D")
        s.wait("c is queued: stop it first")
        s.keys("p")
        s.wait("c is queued: nothing to pause")
        s.keys("Q")
        s.wait("c: the run is queued already")
        s.keys("x")
        s.wait("Take c out of the queue")
        s.keys("n")
        assert state(s, "c") == "queued"
        s.keys("x", "y")
        s.wait(r"■ stopped +c ")
        assert state(s, "c") == "stopped"
        s.keys("K")
        s.wait("c is stopped, not queued")
        s.keys("G")
        s.wait(r"├─ old ─")
        s.keys("Q")
        s.wait(r"○ queued 3 +old .* 40%")
        s.keys("g", "j", "j", "j")
        s.wait(r"├─ busy ─")
        s.keys("Q")
        s.wait("busy: the run is training: it has an engine")
        assert s.end("q") == 0


def test_what_it_waits_for():
    def setup(folder):
        waiting(folder)
        status = folder / "runs/c/status.json"
        status.write_text(status.read_text().replace(HOST, "another.host"))
    with Screen(setup=setup) as s:
        s.wait(r"it was queued on another\.host, which takes it; R +│\n│starts it here")
        (s.dir / "runs/.queue.json").write_text('{"limit": 0, "order": ["\\u001b[2Jx"]}')
        s.wait(r"│runs/\.queue\.json: \"limit\": expected a number from 1 to 64")
        s.keys("K")
        s.wait(r"\.queue\.json: ")
        assert s.end("q") == 0


def really(folder):
    tiny_bert.experiment(folder, LONG)
    for name in "abc":
        done = subprocess.run([BERTTY, "train", "tiny.yaml", "--name", name, "--queue"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def end_all(s):
    subprocess.run([BERTTY, "queue", "pause"], cwd=s.dir, capture_output=True)
    for file in (s.dir / "runs").glob("*/status.json"):
        if (pid := tiny_bert.status(file.parent).get("pid")) and Path(f"/proc/{pid}/cmdline").exists():
            if b"train" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


def test_goes_on_after_a_kill():
    with Screen(setup=really) as s:
        try:
            s.wait("● training +a ")
            os.kill(tiny_bert.status(s.dir / "runs/a")["pid"], signal.SIGKILL)
            s.wait(r"\? lost +a ")
            s.wait("● training +b ", 60)
            s.wait("○ queued 1 +c ")
            assert "by the workbench" in (s.dir / "runs/b/log.txt").read_text()
            s.keys("g", "j")
            s.wait(r"├─ c ─")
            s.keys("R")  # now, although the limit is one
            s.wait("● training +c ", 60)
            s.wait("● training +b ")
            assert s.end("q") == 0
        finally:
            end_all(s)


def test_experiment_queues():
    def setup(folder):
        really(folder)
        (folder / "experiments").mkdir()
        text = (folder / "tiny.yaml").read_text()
        for name in ("model", "train.tsv", "dev.tsv"):
            text = text.replace(f'"{name}"', f'"../{name}"')
        (folder / "experiments/mine.yaml").write_text(text)
    with Screen(setup=setup, args=("--open", "experiments/mine.yaml")) as s:
        try:
            s.wait("mine.yaml")
            s.keys("/", "max_steps", "Enter")
            s.keys("Enter", "C-a", "C-k", "5", "Enter")
            s.wait(r"● max_steps +< 5 >")
            s.keys("Q")
            s.wait(r"mine-\S+ is queued; Runs \(1\) shows its place", 60)
            s.keys("1")
            s.wait(r"○ queued 3 +mine")
            run = next((s.dir / "runs").glob("mine-*"))
            assert "max_steps: 5" in (run / "experiment.yaml").read_text()
            assert "max_steps: 1000000" in (s.dir / "experiments/mine.yaml").read_text(), "the file was changed"
            s.keys("3", "u")
            s.wait_gone("unsaved")
            assert s.end("q") == 0
        finally:
            end_all(s)


if __name__ == "__main__":
    sys.exit(main(globals()))
