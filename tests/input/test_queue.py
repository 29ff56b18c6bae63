#!/usr/bin/env python3
"""The queue's commands, used wrongly or on damaged files: one clear line, the right exit code, and nothing changed."""
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run

ROOT = Path(tempfile.mkdtemp(prefix="bertty-queue-"))
QUEUE = ROOT / "runs/.queue.json"


def at(*words, **options):
    return run(*words, cwd=ROOT, **options)


def fails(code, part, *words):
    tiny_bert.fails(code, part, *words, cwd=ROOT)


def good(*words):
    done = at(*words)
    assert done.returncode == 0 and done.stderr == "", (words, done)
    return done.stdout


def put(name, **status):
    folder = ROOT / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "status.json").write_text(json.dumps({"state": "queued", "host": os.uname().nodename, **status}))


def nothing_yet():
    assert "nothing is queued" in good("queue", "--runs", "nowhere")
    assert json.loads(good("queue", "--json", "--runs", "nowhere"))["queue"] == []
    good("queue", "run", "--runs", "nowhere")
    assert not (ROOT / "nowhere").exists(), "looking made a directory"


def words():
    put("a", updated=1)
    put("b", updated=2)
    put("ended", state="stopped")
    good("queue", "pause")
    fails(2, "did you mean 'first'?", "queue", "frist", "a")
    fails(2, "no 'nonsense\\x1b[2J'", "queue", "nonsense\x1b[2J")
    for word in ("up", "down", "first", "last", "remove"):
        fails(2, f"{word}: expected a RUN", "queue", word)
        fails(1, "no run 'nothing-like-it'", "queue", word, "nothing-like-it")
        fails(1, "ended: the run is stopped, not queued", "queue", word, "ended")
        fails(1, "..", "queue", word, "../a")
    fails(2, "up: expected a RUN", "queue", "up", "a", "b")
    fails(2, "go: expected nothing", "queue", "go", "a")
    fails(2, "limit: expected a number", "queue", "limit")
    for number in ("0", "65", "-1", "two", "1e3", "99999999999999999999", ""):
        fails(2, "expected a number from 1 to 64", "queue", "limit", "--", number)
    fails(1, "ended", "queue", "run", "ended")
    assert [r["run"] for r in json.loads(good("queue", "--json"))["queue"]] == ["a", "b"]


def other_commands():
    for word in ("pause", "resume"):
        fails(1, "a: the run is queued: it has no engine", word, "a")
    fails(1, "take it out of the queue first", "rm", "a", "--yes")
    fails(1, "queued already", "resume", "a", "--queue")
    put("done", state="finished")
    fails(1, "has finished", "resume", "done", "--queue")
    fails(2, "--queue does not go with --resume", "train", "--resume", "a", "--queue")
    fails(2, "--queue and --detach together", "train", "x.yaml", "--queue", "--detach")
    fails(1, "x.yaml", "train", "x.yaml", "--queue")
    listed = {r["run"]: r for r in json.loads(good("runs", "--json"))["runs"]}
    assert listed["b"]["place"] == 2 and listed["b"]["alive"] is False and "place" not in listed["ended"], listed
    assert "queued 2" in good("runs") and "queued 1" in good("show", "a")
    ended = json.loads(good("runs", "--json", "--state", "ended"))["runs"]
    assert {r["run"] for r in ended} == {"ended", "done"}, "what waits has not ended"


def experiments():
    path = tiny_bert.experiment(ROOT / "place")
    before = sorted(p.name for p in (ROOT / "runs").iterdir())
    fails(1, "learning_rat", "train", path, "--queue", "--set", "optim.learning_rat=1")
    fails(1, "nothing.tsv", "train", path, "--queue", "--set", "data.train_file=nothing.tsv")
    fails(1, "run name", "train", path, "--queue", "--runs", "runs", "--name", ".queue.json")
    fails(1, "there is such a run already", "train", path, "--queue", "--runs", "runs", "--name", "a")
    assert sorted(p.name for p in (ROOT / "runs").iterdir()) == before, "something was left behind"
    told = json.loads(good("train", path, "--queue", "--runs", "runs", "--name", "fine", "--json"))
    assert told["state"] == "queued" and told["place"] == 3, told
    assert "out of the queue" in good("stop", "fine")
    assert good("show", "fine").count("stopped") == 1
    good("rm", "fine", "--yes")


def damage():
    kept = QUEUE.read_text()
    for text in ("", "{", "[1]", '{"limit": 0}', '{"limit": 1.5}', '{"order": ["../../x"]}', '{"order": ["a\\u001b[2J"]}', '{"held": "no"}',
                 "[" * 100000):
        QUEUE.write_text(text)
        for command in (("queue",), ("queue", "up", "b"), ("queue", "go"), ("queue", "run"), ("queue", "limit", "2")):
            fails(1, ".queue.json", *command)
        assert QUEUE.read_text() == text
        assert good("runs").count("queued") == 2, "the list does without"
    QUEUE.unlink()
    QUEUE.symlink_to("/dev/zero")
    fails(1, ".queue.json", "queue")
    QUEUE.unlink()
    QUEUE.mkdir()
    fails(1, ".queue.json", "queue")
    QUEUE.rmdir()
    os.mkfifo(QUEUE)
    fails(1, ".queue.json", "queue")
    QUEUE.unlink()
    lock = ROOT / "runs/.queue.lock"
    lock.unlink()
    lock.symlink_to(ROOT / "elsewhere")
    fails(1, ".queue.lock", "queue", "first", "b")
    assert not (ROOT / "elsewhere").exists(), "a link was followed"
    lock.unlink()
    os.mkfifo(lock)
    fails(1, ".queue.lock", "queue", "first", "b")
    lock.unlink()
    QUEUE.write_text(kept)
    good("queue", "first", "b")
    assert [r["run"] for r in json.loads(good("queue", "--json"))["queue"]] == ["b", "a"]


if __name__ == "__main__":
    try:
        code = tiny_bert.counted([nothing_yet, words, other_commands, experiments, damage])
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
