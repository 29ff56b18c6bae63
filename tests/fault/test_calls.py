#!/usr/bin/env python3
"""Each call that a checkpoint takes fails once: training goes on, or ends with a clear line; what is left loads, and no temporary file is. So does each that
loading, resuming, launching and exporting take: they do without it, or say in a line what failed.

`make test` takes the last calls of each kind, which are those of the last save and the run's end; `test_calls.py all` takes every one.
"""
import os
import re
import shutil
import subprocess
import sys

from refusal import COUNT, Ground, can_trace

from tiny_bert import status

# LeakSanitizer does not work under strace.
PROGRAM = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))
GROUND = Ground({"train.max_steps": 2, "run.save_steps": 1, "run.save_total_limit": 1, "eval.eval_strategy": "no", "run.num_threads": 1,
                 "run.logging_steps": 1}, train=16, dev=4)
# openat counts from the first file of the run on: what the loader of programs opens before is not ours
CALLS = {"fsync": "EIO", "rename": "EACCES", "symlink": "EACCES", "mkdir": "ENOSPC", "write": "ENOSPC", "openat": "EMFILE"}
SAMPLE = 10_000 if "all" in sys.argv[1:] else 4


def traced(folder, call, *more):
    """A new run in the place of all that there were."""
    shutil.rmtree(folder / "runs", ignore_errors=True)
    return executed(folder, ["train", "tiny.yaml", "--name", "run"], call, *more)


def executed(folder, words, call, *more):
    """(the finished process, the lines about that call)"""
    command = ["strace", "-f", "-qq", "-o", folder / "trace", "-e", f"trace={call}", *more, PROGRAM, *words]
    with open(folder / "said", "wb") as said:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.PIPE, text=True, timeout=60)
    return done, [line for line in (folder / "trace").read_text(errors="replace").splitlines() if f"{call}(" in line]


def wrong_with(folder, done, told):
    """told: a failure must be told on standard error."""
    run, wrong = folder / "runs/run", []
    state = status(run).get("state")
    if done.returncode not in (0, 1) or any(not line.startswith("bertty: ") for line in done.stderr.splitlines()):
        wrong.append(f"exit code {done.returncode}")
    if (done.returncode == 1) and told and not done.stderr:
        wrong.append("says nothing")
    if run.exists() and state != ("failed" if done.returncode else "finished"):
        wrong.append(f"the state is {state}")
    if (run / "last").exists():
        seen = subprocess.run([PROGRAM, "predict", "run", "--text", "a good film"], cwd=folder, capture_output=True, text=True, timeout=60)
        if seen.returncode != 0:
            wrong.append(seen.stderr)
    left = [str(path) for path in folder.rglob("*.tmp")]
    if left:
        wrong.append(f"leaves {left}")
    return wrong


def every_call():
    folder = GROUND.fresh()
    if not can_trace():
        return COUNT.skip("calls that fail", "strace cannot be used here")
    for call, error in CALLS.items():
        done, calls = traced(folder, call)
        COUNT.check(f"{call}: without a failure", done.returncode == 0, done.stderr)
        first = next((i for i, line in enumerate(calls) if "runs" in line), 0) if call == "openat" else 0
        # standard output has a test of its own, and what cannot be removed goes at the next start
        places = [i for i in range(first, len(calls)) if f"{call}(1," not in calls[i] and ".old.tmp" not in calls[i]]
        COUNT.check(f"{call}: is used", places, calls)
        for at in places[-SAMPLE:]:
            done, _ = traced(folder, call, "-e", f"inject={call}:error={error}:when={at + 1}")
            wrong = wrong_with(folder, done, call != "write")
            COUNT.check(f"{call} number {at + 1} fails: {calls[at][:150]}", not wrong, (wrong, done.stderr))


# What else must do without a call: the command, the calls and how they fail.
OTHERS = {
    "loading": (["predict", "kept", "--text", "a good film"], {"openat": "EMFILE", "read": "EIO", "pread64": "EIO", "newfstatat": "EIO"}),
    "resuming": (["train", "--resume", "kept@1"], {"openat": "EMFILE", "read": "EIO", "rename": "EIO", "fsync": "EIO", "flock": "ENOLCK"}),
    "launching": (["train", "tiny.yaml", "--name", "run", "--detach"], {"openat": "EMFILE", "pipe2": "EMFILE", "clone": "EAGAIN", "fcntl": "EMFILE",
                                                                        "setsid": "EPERM", "execve": "ENOMEM"}),
    "exporting": (["export", "kept", "to"], {"openat": "EMFILE", "read": "EIO", "mkdir": "EACCES", "rename": "EIO", "fsync": "EIO"}),
}
LOADER = re.compile(r"\.so\b|/etc/|/proc/|/sys/|locale|execve\(\"[^\"]*\", \[\"[^\"]*\", \"train\", \"tiny.yaml\"")


def told_or_done(folder, done):
    """It has worked, or a line says why not; and the run that was there is still a model."""
    wrong, lines, state = [], done.stderr.splitlines(), status(folder / "runs/run").get("state")
    if done.returncode not in (0, 1) or any(not line.startswith("bertty: ") for line in lines):
        wrong.append(f"exit code {done.returncode}")
    if done.returncode == 1 and not lines:
        wrong.append("says nothing")
    if state not in (None, "finished", "failed"):
        wrong.append(f"the state is {state}")
    seen = subprocess.run([PROGRAM, "predict", "kept", "--text", "a good film"], cwd=folder, capture_output=True, text=True, timeout=60)
    return wrong + ([seen.stderr] if seen.returncode else [])


def other_calls():
    folder = GROUND.fresh()
    if not can_trace():
        return COUNT.skip("other calls", "strace cannot be used here")
    subprocess.run([PROGRAM, "train", "tiny.yaml", "--name", "kept", "--set", "run.save_total_limit=9"], cwd=folder, check=True, capture_output=True, timeout=60)
    shutil.copytree(folder / "runs", folder / "before", symlinks=True)

    def anew(words, call, *more):
        shutil.rmtree(folder / "to", ignore_errors=True)
        shutil.rmtree(folder / "runs", ignore_errors=True)
        shutil.copytree(folder / "before", folder / "runs", symlinks=True)
        return executed(folder, words, call, *more)
    for name, (words, calls) in OTHERS.items():
        for call, error in calls.items():
            done, lines = anew(words, call)
            COUNT.check(f"{name}: {call}: without a failure", done.returncode == 0, done.stderr)
            for at in [i for i in range(len(lines)) if not LOADER.search(lines[i])][-SAMPLE:]:
                done, _ = anew(words, call, "-e", f"inject={call}:error={error}:when={at + 1}")
                if "error while loading shared libraries" in done.stderr:
                    continue  # main() has not begun
                wrong = told_or_done(folder, done)
                COUNT.check(f"{name}: {call} number {at + 1} fails: {lines[at][:150]}", not wrong, (wrong, done.stderr))


if __name__ == "__main__":
    code = COUNT.run([every_call, other_calls])
    GROUND.remove()
    sys.exit(code)
