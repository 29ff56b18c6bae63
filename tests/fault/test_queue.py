#!/usr/bin/env python3
"""The queue with real engines: it goes on at every end of a run, in order, never more at a time than its limit, and whoever is killed at whatever moment
costs no run and starts none twice."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import tiny_bert
from tiny_bert import run, status, wait_for

ROOT = Path(tempfile.mkdtemp(prefix="bertty-queue-"))
BERTTY = os.environ["BERTTY"]
ALIVE = ("starting", "training", "evaluating", "paused", "stopping")
LONG = 1000000


class Place:
    """A directory with an experiment and runs of it."""

    def __init__(self, name, **options):
        self.path = tiny_bert.experiment(ROOT / name, {"eval.eval_strategy": "no", "run.save_strategy": "no", "run.num_threads": 1,
                                                       "train.max_steps": LONG, **options})
        self.folder = self.path.parent

    def at(self, *words, code=0):
        done = run(*words, cwd=self.folder)
        assert done.returncode == code, (words, done)
        return done.stdout if code == 0 else done.stderr

    def dir(self, name):
        return self.folder / "runs" / name

    def queue(self, name, *sets):
        return json.loads(self.at("train", self.path, "--queue", "--json", "--name", name, *(f"--set={s}" for s in sets)))

    def state(self, name):
        return json.loads(self.at("show", name, "--json"))["state"]

    def wait(self, name, *states):
        wait_for(lambda: status(self.dir(name)).get("state") in states, f"{name} to be one of {states}")

    def log(self, name):
        path = self.dir(name) / "log.txt"
        return path.read_text() if path.exists() else ""

    def order(self):
        return [r["run"] for r in json.loads(self.at("queue", "--json"))["queue"]]

    def end(self):
        """No engine is left, whatever a test left behind."""
        if self.folder.exists():
            run("queue", "pause", cwd=self.folder)
        for file in self.folder.glob("runs/*/status.json"):
            pid = status(file.parent).get("pid")
            if pid and Path(f"/proc/{pid}/cmdline").exists() and b"train" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


def placed(name, **options):
    def wrap(test):
        def with_place():
            place = Place(name, **options)
            try:
                test(place)
            finally:
                place.end()
        with_place.__name__ = test.__name__
        return with_place
    return wrap


@placed("ends")
def every_end(p):
    """Stopped, failed at its start, finished: the next is taken each time, and both logs say so."""
    assert p.queue("a")["state"] in ALIVE
    assert p.queue("b")["place"] == 1
    shutil.copytree(p.folder / "model", p.folder / "gone")
    assert p.queue("c", "model.name_or_path=gone")["place"] == 2
    p.queue("d", "train.max_steps=3")
    p.queue("e")
    shutil.rmtree(p.folder / "gone")
    p.path.write_text("nonsense: [")  # what is queued stays what it is
    p.wait("a", "training")
    p.at("stop", "a")
    p.wait("b", "training")
    assert "started b" in p.log("a") and "by the engine of a" in p.log("b"), p.log("a") + p.log("b")
    p.at("stop", "b")
    p.wait("e", "training")
    assert [p.state(n) for n in "abcd"] == ["stopped", "stopped", "failed", "finished"]
    assert "gone" in status(p.dir("c"))["error"], status(p.dir("c"))
    logs = p.log("b") + p.log("c") + p.log("d")  # c ended so soon that b's engine may still have been at it
    assert "started c" in p.log("b") and logs.count("started d") + logs.count(", d") == 1 and "started e" in logs, logs
    assert p.order() == []


@placed("killed")
def killed_engine(p):
    """SIGKILL: nobody is left to go on, so the next command does; at once and once, though several come together."""
    for name in "abcd":
        p.queue(name)
    p.wait("a", "training")
    os.kill(status(p.dir("a"))["pid"], signal.SIGKILL)
    wait_for(lambda: p.state("a") == "lost", "the state lost")
    assert p.order() == ["b", "c", "d"], "a reader that only looks starts nothing"
    takers = [subprocess.Popen([BERTTY, "queue", "run", "--json"], cwd=p.folder, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = [json.loads(t.communicate(timeout=60)[0])["started"] for t in takers]
    assert sorted(told) == [[], [], [], ["b"]], told
    assert p.log("b").count("taken from the queue") == 1
    assert p.order() == ["c", "d"]
    p.wait("b", "training")
    os.kill(status(p.dir("b"))["pid"], signal.SIGKILL)
    wait_for(lambda: p.state("b") == "lost", "the state lost")
    p.queue("e")  # the next queueing goes on with what was first
    assert p.state("c") in ALIVE and p.order() == ["d", "e"]
    assert p.state("b") == "lost" and "b" not in p.order()


@placed("terminated")
def terminated_engine(p):
    """SIGTERM may be the machine going down: the run stops with a checkpoint, and nothing is started."""
    p.queue("a")
    p.queue("b")
    p.wait("a", "training")
    os.kill(status(p.dir("a"))["pid"], signal.SIGTERM)
    p.wait("a", "stopped")
    wait_for(lambda: not Path(f"/proc/{status(p.dir('a'))['pid']}").exists(), "the end of the process")
    assert p.order() == ["b"]


@placed("ten", **{"train.max_steps": 4})
def ten_two_at_a_time(p):
    """All finish, in order, and never three at once."""
    names = [f"r{i}" for i in range(10)]
    p.at("queue", "limit", "2")
    p.at("queue", "pause")
    for name in names:
        p.queue(name)
    most, over = 0, threading.Event()

    def count():
        nonlocal most
        while not over.is_set():
            most = max(most, sum(status(p.dir(n)).get("state") in ALIVE for n in names))
            time.sleep(0.005)
    counter = threading.Thread(target=count)
    counter.start()
    try:
        p.at("queue", "go")
        wait_for(lambda: all(status(p.dir(n)).get("state") == "finished" for n in names), "all ten", 180)
    finally:
        over.set()
        counter.join()
    assert most <= 2, f"{most} at once"
    begun = sorted(names, key=lambda n: status(p.dir(n))["started"])
    assert begun == names, begun
    assert all(p.log(n).count("taken from the queue") == 1 for n in names)


@placed("moment")
def killed_while_taking(p):
    """SIGKILL of the taker at any moment: every run is queued or has one engine, the limit holds, and the next taker is not held up."""
    rng = random.Random(5)
    p.at("queue", "pause")
    names = [f"r{i}" for i in range(12)]
    for name in names:
        p.queue(name)
    for limit in range(1, 5):  # room for one more each time
        (p.folder / "runs/.queue.json").write_text(json.dumps({"limit": limit, "held": False, "order": names}))
        for _ in range(6):
            taker = subprocess.Popen([BERTTY, "queue", "run"], cwd=p.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * 0.25)
            taker.kill()
            taker.wait()
        p.at("queue", "run")
        time.sleep(0.3)  # an engine whose taker was killed has its turn
        p.at("queue", "run")
        taken = [n for n in names if "taken from the queue" in p.log(n)]
        assert all(p.log(n).count("taken from the queue") == 1 for n in taken), taken
        wait_for(lambda: all(status(p.dir(n)).get("state") in ALIVE for n in taken), "all that were taken to be alive")
        assert taken == names[:len(taken)] and p.order() == names[len(taken):], (taken, p.order())
        assert len(taken) == limit, (limit, taken)


@placed("again", **{"run.save_strategy": "steps", "run.save_steps": 5})
def goes_on_later(p):
    """A stopped run in the queue goes on from its checkpoint."""
    p.queue("a")
    wait_for(lambda: status(p.dir("a")).get("step", 0) > 5, "some steps")
    p.at("stop", "a")
    p.wait("a", "stopped")
    at = status(p.dir("a"))["step"]
    p.at("queue", "pause")
    told = json.loads(p.at("resume", "a", "--queue", "--json"))
    assert told["state"] == "queued" and told["place"] == 1, told
    assert status(p.dir("a"))["step"] == at
    p.at("queue", "go")
    p.wait("a", "training")
    assert f"resumed from step-{at:06}" in p.log("a"), p.log("a")


if __name__ == "__main__":
    try:
        code = tiny_bert.counted([every_end, killed_engine, terminated_engine, ten_two_at_a_time, killed_while_taking, goes_on_later])
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
