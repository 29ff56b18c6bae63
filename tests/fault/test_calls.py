#!/usr/bin/env python3
"""Each system call of a command fails once: it goes on, or ends with a clear line; what is left loads, no temporary file is, and the terminal is as it was.

`make test` takes some calls of each kind, the last ones, which are those of the last save and the run's end; `test_calls.py all [COMMAND…]` takes every one.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import termios
import time

import pexpect
from refusal import COUNT, Ground, can_trace

from tiny_bert import status

# LeakSanitizer does not work under strace.
PROGRAM = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))
GROUND = Ground({"train.max_steps": 2, "run.save_steps": 1, "run.save_total_limit": 1, "eval.eval_strategy": "no", "run.num_threads": 1,
                 "run.logging_steps": 1}, train=16, dev=4)
CALLS = {"fsync": "EIO", "rename": "EACCES", "symlink": "EACCES", "mkdir": "ENOSPC", "write": "ENOSPC", "openat": "EMFILE", "read": "EIO", "mmap": "ENOMEM",
         "clone3": "EAGAIN", "clone": "EAGAIN", "unlink": "EACCES", "unlinkat": "EACCES", "newfstatat": "EACCES", "getdents64": "EIO", "flock": "ENOLCK", "lseek": "EIO",
         "ftruncate": "EIO", "pipe2": "EMFILE", "dup2": "EBADF", "poll": "ENOMEM", "execve": "ENOMEM"}
ALL = "all" in sys.argv[1:]
ONLY = [word for word in sys.argv[1:] if word != "all"]
SAMPLE = 10_000 if ALL else 2
SAID = re.compile(r"^bertty: ", re.M)


class Train:
    """A new run."""
    words = ["train", "tiny.yaml", "--name", "run"]
    sample = 4

    def prepare(self, folder):
        shutil.rmtree(folder / "runs", ignore_errors=True)

    def wrong(self, folder, done, told):
        run, wrong = folder / "runs/run", said_well(done, told)
        state = status(run).get("state")
        if run.exists() and state != ("failed" if done.returncode else "finished"):
            wrong.append(f"the state is {state}")
        return wrong + loads(folder, run)


class Resume(Train):
    """From the first step of a run of two."""
    words = ["train", "--resume", "runs/run@1"]
    sample = SAMPLE

    def prepare(self, folder):
        kept = folder / "two-steps"
        super().prepare(folder)
        if not kept.exists():
            command(folder, "train", "tiny.yaml", "--name", "run", "--set", "run.save_total_limit=5")
            (folder / "runs/run").rename(kept)
        shutil.copytree(kept, folder / "runs/run", symlinks=True)

    def wrong(self, folder, done, told):
        state = status(folder / "runs/run").get("state")
        wrong = said_well(done, told)
        if state not in ("failed", "finished") or (done.returncode == 0 and state != "finished"):
            wrong.append(f"the state is {state}")
        return wrong + loads(folder, folder / "runs/run")


class Launch(Train):
    """An engine of its own."""
    words = ["train", "tiny.yaml", "--name", "run", "--detach"]
    sample = SAMPLE

    def wrong(self, folder, done, told):  # strace waits for the engine too, whose calls fail like those of who starts it
        run, wrong = folder / "runs/run", said_well(done, False)
        state = status(run).get("state")
        if run.exists() and state not in ("failed", "finished"):
            wrong.append(f"the state is {state}")
        if done.returncode == 0 and not run.exists():
            wrong.append("there is no run")
        return wrong + loads(folder, run)


class Sweep(Train):
    """A study is made, in a queue that is held: all of it or nothing."""
    words = ["sweep", "sweep.yaml", "--name", "s"]
    sample = SAMPLE

    def prepare(self, folder):
        super().prepare(folder)
        (folder / "sweep.yaml").write_text((folder / "tiny.yaml").read_text() + "sweep: {seeds: [1, 2, 3]}\n")
        command(folder, "queue", "pause")

    def wrong(self, folder, done, told):
        wrong = said_well(done, told)
        found = subprocess.run([PROGRAM, "study", "s", "--json"], cwd=folder, capture_output=True, text=True, timeout=60)
        whole = found.returncode == 0 and len(json.loads(found.stdout)["trials"]) == 3
        if not whole and (done.returncode == 0 or "no such study" not in found.stderr):
            wrong.append(f"exit code {done.returncode}, and the study: {found.returncode} {found.stderr}{found.stdout[:80]}")
        return wrong


class Predict(Train):
    """A model is loaded."""
    words = ["predict", "kept", "--text", "a good film"]
    sample = SAMPLE
    answer = None

    def prepare(self, folder):
        if not (folder / "kept").exists():
            super().prepare(folder)
            command(folder, "train", "tiny.yaml", "--name", "run")
            (folder / "runs/run").rename(folder / "kept")

    def wrong(self, folder, done, told):
        answer = (folder / "said").read_text()
        Predict.answer = Predict.answer or answer
        wrong = said_well(done, told)
        if done.returncode == 0 and answer != Predict.answer:
            wrong.append(f"answers {answer}")
        return wrong


class Export(Predict):
    """A model is written elsewhere."""
    words = ["export", "./kept", "to"]

    def prepare(self, folder):
        super().prepare(folder)
        shutil.rmtree(folder / "to", ignore_errors=True)

    def wrong(self, folder, done, told):
        wrong = said_well(done, told)
        if (folder / "to").exists() != (done.returncode == 0):
            wrong.append(f"exit code {done.returncode}, and {'a' if (folder / 'to').exists() else 'no'} directory")
        return wrong


class Start(Predict):
    """The workbench, until it shows its views; then it is left."""
    words = ["--runs", "runs"]

    def prepare(self, folder):
        super().prepare(folder)
        if not (folder / "runs/run").exists():
            shutil.copytree(folder / "kept", folder / "runs/run", symlinks=True)
        shutil.rmtree(folder / "home", ignore_errors=True)

    def wrong(self, folder, done, told):
        text = (folder / "said").read_bytes().decode(errors="replace")
        wrong = [] if done.returncode in (0, 1) else [f"exit code {done.returncode}"]
        if done.returncode == 1 and not re.search(r"bertty: ", text):
            wrong.append(f"says nothing: {text[-200:]!r}")
        if done.restored is False:
            wrong.append("the terminal is not as it was")
        return wrong


COMMANDS = {"train": Train(), "resume": Resume(), "launch": Launch(), "sweep": Sweep(), "predict": Predict(), "export": Export(), "start": Start()}


def command(folder, *words):
    subprocess.run([PROGRAM, *words], cwd=folder, check=True, capture_output=True, timeout=60)


def said_well(done, told):
    """told: a failure must be told on standard error."""
    wrong = []
    if done.returncode not in (0, 1) or any(not SAID.match(line) for line in done.stderr.splitlines()):
        wrong.append(f"exit code {done.returncode}")
    if done.returncode == 1 and told and not done.stderr:
        wrong.append("says nothing")
    return wrong


def loads(folder, run):
    """What is left of a run."""
    wrong = []
    if (run / "last").exists():
        seen = subprocess.run([PROGRAM, "predict", run, "--text", "a good film"], cwd=folder, capture_output=True, text=True, timeout=60)
        if seen.returncode != 0:
            wrong.append(seen.stderr)
    left = [str(path) for path in folder.rglob("*.tmp")]
    return [*wrong, f"leaves {left}"] if left else wrong


def on_a_terminal(words, folder, said):
    env = dict(os.environ, HOME=str(folder / "home"), TERM="xterm-256color", LANG="C.UTF-8")
    child = pexpect.spawn(str(words[0]), [str(w) for w in words[1:]], cwd=str(folder), env=env, dimensions=(24, 80), timeout=20, echo=True)
    child.logfile_read = said
    before = termios.tcgetattr(child.child_fd)
    try:
        child.expect([rb"8[^8]*Log", pexpect.EOF])
        child.send("q")
        child.expect(pexpect.EOF)
        after = termios.tcgetattr(child.child_fd)
    except (pexpect.TIMEOUT, termios.error):
        after = before
    child.close(force=True)
    done = subprocess.CompletedProcess(words, child.exitstatus if child.exitstatus is not None else -(child.signalstatus or 0), "", "")
    done.restored = after[:4] == before[:4]
    return done


def traced(job, folder, call, *more):
    job.prepare(folder)
    words = ["strace", "-f", "-qq", "-o", folder / "trace", "-e", f"trace={call}", *more, PROGRAM, *job.words]
    with open(folder / "said", "wb") as said:
        if isinstance(job, Start):
            done = on_a_terminal(words, folder, said)
        else:
            done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.PIPE, text=True, timeout=60)
    lines = (folder / "trace").read_text(errors="replace").splitlines()
    return done, [line for line in lines if re.match(rf"\d+ +{call}\(", line)]


def before_main(folder):
    """Calls of the loader of programs, which are not ours: those of a command that does nothing."""
    class Nothing(Predict):
        words = ["help"]

        def prepare(self, folder):
            pass
    return {call: len(traced(Nothing(), folder, call)[1]) for call in CALLS}


def thread_counts(calls):
    """[(number among the calls of its thread, line)]: that is how strace counts."""
    count = {}
    for line in calls:
        thread = line.split()[0]
        count[thread] = count.get(thread, 0) + 1
        yield count[thread], line


def each_call(name, job, folder, loader):
    failures, start = 0, time.monotonic()
    for call, error in CALLS.items():
        done, calls = traced(job, folder, call)
        wrong = job.wrong(folder, done, True)
        if not COUNT.check(f"{name}: nothing fails", not wrong, (wrong, done.stderr)):
            return
        # standard output has a test of its own
        skipped = loader[call] if call != "execve" else 1
        places = sorted({number for number, line in thread_counts(calls) if number > skipped and f"{call}(1," not in line})
        for at in places if ALL else places[-job.sample:]:
            done, now = traced(job, folder, call, "-e", f"inject={call}:error={error}:when={at}")
            wrong = job.wrong(folder, done, call != "write")
            failed = next((line for line in now if "INJECTED" in line), "none")
            COUNT.check(f"{name}: {call} number {at} fails: {failed[:150]}", not wrong, (wrong, done.stderr))
            failures += 1
    COUNT.check(f"{name}: calls failed", failures > (20 if ALL else 5), failures)
    print(f"{name}: {failures} calls failed in {time.monotonic() - start:.1f} s", flush=True)


def every_call():
    folder = GROUND.fresh()
    if not can_trace():
        return COUNT.skip("calls that fail", "strace cannot be used here")
    loader = before_main(folder)
    for name, job in COMMANDS.items():
        if not ONLY or name in ONLY:
            each_call(name, job, folder, loader)


if __name__ == "__main__":
    code = COUNT.run([every_call])
    GROUND.remove()
    sys.exit(code)
