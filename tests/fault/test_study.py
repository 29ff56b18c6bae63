#!/usr/bin/env python3
"""A study whose engines and takers are killed at random moments: no trial is lost or run twice, and the table at the end is that of a study that was left in peace.

    test_study.py [KILLS]   default: 20
"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tiny_bert

FAST = os.environ["BERTTY_FAST"]
SWEEP = """sweep:
  options:
    optim.learning_rate: [1e-5, 1e-3, 1e-2]
    train.train_batch_size: [4, 8, 16]
  metric: loss
  stopping: asha
"""


def command(*words, folder):
    return subprocess.run([FAST, *words], cwd=folder, capture_output=True, text=True, timeout=120)


def study(folder):
    done = command("study", "s", "--json", folder=folder)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def engines(folder):
    """Processes in whose command line the path of a run below folder stands."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if entry.name.isdigit() and any(str(folder / "runs").encode() in word for word in words):
            found.append(int(entry.name))
    return found


def begin(folder):
    tiny_bert.experiment(folder, {"train.max_steps": 270, "train.train_batch_size": 4, "eval.eval_steps": 10, "run.save_steps": 50,
                                  "run.num_threads": 1, "run.output_dir": "runs"}, train=60, dev=20)
    with open(folder / "tiny.yaml", "a") as f:
        f.write(SWEEP)
    done = command("sweep", "tiny.yaml", "--name", "s", folder=folder)
    assert done.returncode == 0, done


def wait_for_end(folder):
    until = time.monotonic() + 200
    while study(folder)["state"] in ("running", "waiting"):
        assert time.monotonic() < until, study(folder)
        time.sleep(0.1)
    return study(folder)


def kill_one(rng, folder):
    """An engine, at whatever it does, or a taker that has just begun; then somebody looks at the queue again."""
    taker = subprocess.Popen([FAST, "queue", "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if rng.random() < 0.3:
        time.sleep(rng.random() * 0.02)
        taker.kill()
    taker.wait()
    time.sleep(rng.random() * 0.6)
    alive = engines(folder)
    for pid in alive:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return len(alive)


def table(found):
    """What a person sees at the end."""
    return [(t["trial"], t["run"], t["state"], t["step"], t["last"], t["best"], t.get("rung"), t["tokens"]) for t in found["trials"]]


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(os.environ.get("STUDY_SEED", time.time_ns() % 10**6))
    print(f"seed {seed}")
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="bertty-study-") as name:
        peace, war = Path(name, "peace"), Path(name, "war")
        begin(peace)
        reference = wait_for_end(peace)
        assert reference["state"] == "done" and {t["state"] for t in reference["trials"]} == {"finished", "waiting"}, reference
        hit = again = 0
        while hit < kills:
            begin(war)
            while hit < kills and study(war)["state"] in ("running", "waiting"):
                hit += kill_one(rng, war)
            again += 1
            command("queue", "run", folder=war)
            found = wait_for_end(war)
            assert table(found) == table(reference), f"seed {seed}: {table(found)}\n{table(reference)}"
            runs = sorted(p.name for p in (war / "runs").iterdir() if p.name[0] != ".")
            assert runs == sorted(t["run"] for t in found["trials"]), runs
            for log in (war / "runs").glob("*/log.txt"):
                text = log.read_text()
                assert text.count("finished after") <= 1, f"{log}: finished twice"
            subprocess.run(["rm", "-rf", str(war)], check=True)
        print(f"{hit} kills in {again} studies")
    print("1 passed, 0 failed, 0 skipped")


if __name__ == "__main__":
    sys.exit(main())
