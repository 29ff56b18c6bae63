#!/usr/bin/env python3
"""Engines killed at any moment of training, saving, resuming, pruning and queueing: no run becomes unloadable, no best checkpoint is lost, and the weights at the
end are those of a run that was left in peace.

`make test` kills some dozens of times; `test_crash.py KILLS` so often and at every system call of one save (`make crash`: 1,000).
"""
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from refusal import COUNT, can_trace

import tiny_bert
from tiny_bert import status

PROGRAM = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))
ROOT = Path(tempfile.mkdtemp(prefix="bertty-crash-"))
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 0
SHORT = KILLS == 0
EVER = 120  # seconds that nothing here takes
COMMON = {"train.max_steps": 40, "eval.eval_steps": 2, "run.save_steps": 2, "run.logging_steps": 1, "train.train_batch_size": 4, "optim.learning_rate": 5e-3}
# Every save removes the one before; best and last are far apart; parts of the model; two threads and summed batches.
CASES = {
    "pruned": {"run.save_total_limit": 1, "run.num_threads": 1},
    "adapter": {"run.save_total_limit": 2, "run.num_threads": 2, "model.adapter": "lora", "train.gradient_accumulation_steps": 2},
    "kept": {"run.num_threads": 2, "eval.metric_for_best_model": "loss"},
}
# What a save changes on the disk, and the calls between which it does so.
CHANGING = ("openat", "mkdir", "mkdirat", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "symlink", "symlinkat", "unlink", "unlinkat",
            "rmdir", "ftruncate")
BESIDE = ("read", "pread64", "close", "lseek", "newfstatat", "fstat", "readlink", "readlinkat", "getdents64", "flock", "fcntl", "mmap", "munmap")


def finished(*words, folder, **options):
    return subprocess.run([PROGRAM, *map(str, words)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=EVER, **options)


def started(*words, folder):
    return subprocess.Popen([PROGRAM, *map(str, words)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def digest(run):
    name = "adapter_model.safetensors" if (run / "last/adapter_model.safetensors").exists() else "model.safetensors"
    return hashlib.sha256((run / "last" / name).read_bytes()).hexdigest()


def step_of(link):
    """The step that best or last points to; −1: nowhere."""
    found = re.search(r"step-(\d+)$", os.readlink(link)) if link.is_symlink() else None
    return int(found[1]) if found else -1


class Case:
    """An experiment, and how it ends when nobody disturbs it."""

    def __init__(self, name, options):
        self.folder = ROOT / name
        tiny_bert.experiment(self.folder, {**COMMON, **options}, train=60, dev=20)
        self.n, began = 0, time.monotonic()
        done = finished("train", "tiny.yaml", "--name", "reference", "--json", folder=self.folder)
        self.seconds = time.monotonic() - began
        assert done.returncode == 0, done.stderr
        run = self.folder / "runs/reference"
        told = [json.loads(line) for line in done.stdout.splitlines()]
        metric = told[-1]["best"]["metrics"]
        self.metric = next(iter(m for m in ("accuracy", "loss") if m == CASES[name].get("eval.metric_for_best_model", "accuracy") and m in metric))
        self.at = {e["step"]: e["metrics"][self.metric] for e in told if e.get("event") == "eval"}
        self.weights, self.best = digest(run), step_of(run / "best")
        assert self.best > 0 and len(self.at) == 20, (self.best, self.at)

    def better(self, a, b):
        """Whether step a is at least as good as b."""
        return self.at[a] <= self.at[b] if self.metric == "loss" else self.at[a] >= self.at[b]

    def begin(self):
        self.n += 1
        self.run = self.folder / f"runs/run-{self.n}"
        self.best_seen = -1
        return started("train", "tiny.yaml", "--name", self.run.name, folder=self.folder)

    def resume(self):
        """Before its first checkpoint a run begins anew, under another name."""
        return started("train", "--resume", self.run, folder=self.folder) if (self.run / "last").exists() else self.begin()

    def wrong(self):
        """What is wrong with the run as it lies there; nothing of it is alive."""
        wrong = []
        if not (self.run / "status.json").exists():  # no run yet: nothing of one may be there, and it begins anew under another name
            there = sorted(names_in(self.run))
            return [f"no run, and {there}"] if {"checkpoints", "best", "last"} & set(there) else []
        shown = finished("show", self.run, "--json", folder=self.folder)
        state = json.loads(shown.stdout)["state"] if shown.returncode == 0 else shown.stderr
        if state not in ("lost", "finished", "unknown"):
            wrong.append(f"its state is {state}")
        if finished("runs", folder=self.folder).returncode != 0:
            wrong.append("the list of runs cannot be read")
        for link in "best", "last":
            if not (self.run / link).is_symlink():
                continue
            done = finished("predict", f"{self.run}@{step_of(self.run / link)}", "--text", "a good film", folder=self.folder)
            if done.returncode != 0:
                wrong.append(f"{link} cannot be loaded: {done.stderr}")
        best = step_of(self.run / "best")
        if self.best_seen >= 0 and (best < 0 or not self.better(best, self.best_seen)):
            wrong.append(f"best was step {self.best_seen} ({self.at[self.best_seen]}) and is {best}")
        self.best_seen = best if best >= 0 else self.best_seen
        return wrong

    def wrong_at_its_end(self):
        wrong = self.wrong()
        if status(self.run).get("state") != "finished":
            return [*wrong, f"it ended as {status(self.run)}"]
        if digest(self.run) != self.weights:
            wrong.append("other weights than without a kill")
        if step_of(self.run / "best") != self.best:
            wrong.append(f"best is {step_of(self.run / 'best')}, without a kill {self.best}")
        left = [str(p) for p in self.run.rglob("*.tmp")]
        return [*wrong, f"leaves {left}"] if left else wrong

    def leave(self):
        shutil.rmtree(self.run, ignore_errors=True)


# ── moments ──

def names_in(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def wait_until(seconds, seen, process):
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None and not seen():
        pass


def at_any_time(case, rng, process):
    wait_until(rng.random() * case.seconds, lambda: False, process)


def while_saving(case, rng, process):
    before = {n for n in names_in(case.run / "checkpoints") if n.endswith(".tmp")}
    wait_until(case.seconds, lambda: any(n.endswith(".tmp") and ".old" not in n and n not in before for n in names_in(case.run / "checkpoints")), process)
    wait_until(rng.random() * 0.004, lambda: False, process)


def while_pruning(case, rng, process):
    there = set(names_in(case.run / "checkpoints"))
    wait_until(case.seconds, lambda: there - set(names_in(case.run / "checkpoints")) or any(".old" in n for n in names_in(case.run / "checkpoints")), process)
    wait_until(rng.random() * 0.0005, lambda: False, process)


def at_its_start(case, rng, process):
    wait_until(rng.random() * 0.05, lambda: False, process)


MOMENTS = (at_any_time, while_saving, while_pruning, at_its_start)


def kills_of_training(case, kills, rng):
    """So many kills, a dozen or fewer in each run, which then goes to its end."""
    tally = dict.fromkeys(MOMENTS, 0)
    while sum(tally.values()) < kills:
        process = case.begin()
        for _ in range(rng.randint(1, 12)):
            moment = rng.choices(MOMENTS, (5, 4, 4, 2))[0]
            moment(case, rng, process)
            process.kill()
            if process.wait() == 0:
                break  # it had come to its end
            tally[moment] += 1
            wrong = case.wrong()
            COUNT.check(f"{case.folder.name}: killed {moment.__name__.replace('_', ' ')}", not wrong, wrong)
            process = case.resume()
        process.wait(timeout=EVER)
        wrong = case.wrong_at_its_end()
        COUNT.check(f"{case.folder.name}: a run that was killed and resumed", not wrong, wrong)
        case.leave()
    print(f"{case.folder.name}: " + ", ".join(f"{n} {m.__name__.replace('_', ' ')}" for m, n in tally.items()), flush=True)
    return sum(tally.values())


# ── every call of a save ──

def traced(case, *more):
    trace = ROOT / "trace"
    words = ["strace", "-f", "-qq", "-o", trace, "-e", f"trace={','.join(CHANGING + BESIDE)}", *more, PROGRAM, "train", "--resume", case.run]
    subprocess.run(list(map(str, words)), cwd=case.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=EVER)
    return trace.read_text(errors="replace").splitlines()


def calls_of_the_last_save(lines):
    """[(call, its number among those of that name, line)] of the main thread, from the making of the last checkpoint's directory to the end of what follows it."""
    main, count, found, inside = lines[0].split()[0], {}, [], False
    last = max(i for i, line in enumerate(lines) if re.search(r"mkdir(at)?\(.*step-\d+\.tmp", line))
    for i, line in enumerate(lines):
        call = re.match(rf"{main} +(\w+)\(", line)
        if not call:
            continue
        count[call[1]] = count.get(call[1], 0) + 1
        inside |= i == last
        if inside:
            found.append((call[1], count[call[1]], line))
    return found


def every_call_of_a_save(case):
    """A run that stands before its last save is copied, killed in that save, looked at and resumed."""
    if not can_trace():
        COUNT.skip("every call of a save", "strace cannot be used here")
        return 0
    process = case.begin()
    wait_until(EVER, lambda: (case.run / "checkpoints/step-000038").exists(), process)
    process.kill()
    process.wait()
    kept = case.folder / "before"
    shutil.rmtree(case.run / "checkpoints/step-000040.tmp", ignore_errors=True)
    if (case.run / "checkpoints/step-000040").exists():  # it was faster than we
        case.leave()
        return every_call_of_a_save(case)
    shutil.copytree(case.run, kept, symlinks=True)
    calls = calls_of_the_last_save(traced(case))
    if SHORT:
        changing = [c for c in calls if c[0] in CHANGING]
        calls = changing[::max(1, len(changing) // 12)]
    for call, number, line in calls:
        case.leave()
        shutil.copytree(kept, case.run, symlinks=True)
        case.best_seen = step_of(case.run / "best")
        traced(case, "-e", f"inject={call}:signal=SIGKILL:when={number}")
        wrong = case.wrong()
        if status(case.run).get("state") != "finished":
            case.resume().wait(timeout=EVER)
        wrong += case.wrong_at_its_end()
        COUNT.check(f"killed at {line[:150]}", not wrong, wrong)
    case.leave()
    shutil.rmtree(kept)
    print(f"killed at each of {len(calls)} calls of a save", flush=True)
    return len(calls)


# ── the queue ──

def alive(run):
    """The process that trains a run; 0: none."""
    pid = status(run).get("pid") or 0
    try:
        return pid if pid and b"bertty" in Path(f"/proc/{pid}/cmdline").read_bytes() else 0
    except OSError:
        return 0


def kills_of_the_queue(case, kills, rng):
    """Six runs wait, two train at a time; who trains and who takes the next one is killed at any moment. Each comes to its end, from one beginning."""
    done, runs = 0, case.folder / "queued"
    while done < kills:
        names = [f"q{i}" for i in range(6)]
        shutil.rmtree(runs, ignore_errors=True)
        finished("queue", "limit", 2, "--runs", runs, folder=case.folder)
        for name in names:
            finished("train", "tiny.yaml", "--queue", "--name", name, "--runs", runs, folder=case.folder)
        for _ in range(rng.randint(6, 18)):
            time.sleep(rng.random() * case.seconds / 2)
            taker = started("queue", "run", "--runs", runs, folder=case.folder) if rng.random() < 0.5 else None
            victims = [pid for pid in map(alive, map(runs.joinpath, names)) if pid]
            time.sleep(rng.random() * 0.03)
            if taker:
                taker.kill()
                done += taker.wait() != 0
            elif victims:
                try:
                    os.kill(rng.choice(victims), 9)
                    done += 1
                except OSError:
                    pass  # it had come to its end
        wrong = all_go_on(case, runs, names)
        COUNT.check("the queue after kills", not wrong, wrong)
    print(f"queue: {done} kills", flush=True)
    return done


def all_go_on(case, runs, names):
    until = time.monotonic() + EVER
    for turn in itertools.count():
        states = {}
        for name in names:
            shown = finished("show", runs / name, "--json", folder=case.folder)
            states[name] = json.loads(shown.stdout)["state"] if shown.returncode == 0 else shown.stderr
        if all(state == "finished" for state in states.values()):
            break
        if time.monotonic() > until:
            return [f"after {turn} turns: {states}"]
        for name, state in states.items():
            if state == "lost" and (runs / name / "last").exists():
                finished("resume", runs / name, "--queue", folder=case.folder)
            elif state == "lost":
                finished("rm", runs / name, "--yes", folder=case.folder)
                finished("train", "tiny.yaml", "--queue", "--name", name, "--runs", runs, folder=case.folder)
        finished("queue", "run", "--runs", runs, folder=case.folder)
        time.sleep(0.05)
    return [f"{name}: other weights" for name in names if digest(runs / name) != case.weights]


def main():
    rng = random.Random(9)
    cases = [Case(name, options) for name, options in CASES.items()]
    kills = every_call_of_a_save(cases[0])
    kills += kills_of_the_queue(cases[0], 8 if SHORT else KILLS // 5, rng)
    for case in cases:
        kills += kills_of_training(case, 8 if SHORT else max(1, (KILLS - kills) // (len(cases) - cases.index(case))), rng)
    print(f"{kills} kills", flush=True)


if __name__ == "__main__":
    try:
        code = COUNT.run([main])
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
