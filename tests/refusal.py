"""For tests of bad input: one clear line on standard error, the right exit code, no sanitizer report, and nothing left behind."""
import os
import shutil
import subprocess
import tempfile
import threading
import time
import traceback
from pathlib import Path

import tiny_bert

BERTTY = os.environ["BERTTY"]


class Count:
    """What passed, failed and was skipped; end() prints the line that tests/run reads."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.test = ""  # "function: "

    def check(self, name, ok, seen=""):
        self.passed += bool(ok)
        self.failed += not ok
        if not ok:
            print(f"FAILED {self.test}{name}: {seen!r}", flush=True)
        return ok

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped: {name}: {why}")

    def run(self, tests):
        for test in tests:
            self.test = f"{test.__name__}: "
            try:
                test()
            except Exception:
                self.check("an exception", False, traceback.format_exc())
        return self.end()

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0


COUNT = Count()


def listing(folder):
    """Every path below folder with its kind and size: what a refusal must not change."""
    found = []
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(at, name)
            if name == "log.txt":
                continue  # a refused resume is written down there
            info = os.lstat(path)
            kind = "dir" if name in folders else "file"
            found.append((os.path.relpath(path, folder), kind, 0 if kind == "dir" else info.st_size))
    return sorted(found)


def finished(words, folder, program=BERTTY, **options):
    options = {"stdin": subprocess.DEVNULL, "timeout": 60, **options}
    return subprocess.run([program, *map(str, words)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def on_terminal(words, folder, program=BERTTY, env=None):
    """(exit code, all that a terminal gets)"""
    master, slave = os.openpty()
    process = subprocess.Popen([program, *map(str, words)], cwd=folder, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    timer = threading.Timer(60, process.kill)
    timer.start()
    out = b""
    try:
        while part := os.read(master, 65536):
            out += part
    except OSError:
        pass  # the other end is closed
    code = process.wait()
    timer.cancel()
    os.close(master)
    return code, out


def broken(output):
    """Does the output tell of a crash?"""
    return b"Sanitizer" in output or b"runtime error" in output


def one_line(name, done, code, said):
    """Exactly one line, with everything in said; a text after "not:" must be absent."""
    text = done.stderr.decode(errors="replace")
    lines = text.splitlines()
    ok = COUNT.check(f"{name}: exit code {code}", done.returncode == code and not broken(done.stderr),
                     (done.returncode, text[-1500:]))
    ok &= COUNT.check(f"{name}: one line", len(lines) == 1 and text.startswith("bertty: ") and text.endswith("\n"), text)
    missing = [word for word in said if word not in text]
    ok &= COUNT.check(f"{name}: says {missing}", not missing, text)
    return ok


def refused(name, folder, words, *said, code=1, seconds=20, **options):
    """Runs the program in folder: one line with every text of said, the exit code, and the folder as it was."""
    before, start = listing(folder), time.monotonic()
    done = finished(words, folder, **options)
    took = time.monotonic() - start
    one_line(name, done, code, said)
    COUNT.check(f"{name}: at once", took < seconds, took)
    after = listing(folder)
    COUNT.check(f"{name}: nothing is left behind", before == after, sorted(set(after) ^ set(before)))


def can_trace():
    """Is strace there, and may it trace?"""
    return shutil.which("strace") and subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True).returncode == 0


def preloaded(folder, name):
    """tests/fault/NAME.c, compiled for LD_PRELOAD."""
    made, source = Path(folder) / f"{name}.so", Path(__file__).parent / "fault" / f"{name}.c"
    words = [os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-o", made, source]
    done = subprocess.run(words, capture_output=True, text=True)
    COUNT.check(f"{name}.c compiles", done.returncode == 0 and not done.stderr, done.stderr)
    return str(made)


class Ground:
    """A folder with the tiny model, its data and its experiment; fresh() is a copy to spoil."""

    def __init__(self, options=None, **sizes):
        self.root = Path(tempfile.mkdtemp(prefix="bertty-bad-"))
        tiny_bert.experiment(self.root / "good", options, **sizes)
        self.n = 0

    def fresh(self):
        self.n += 1
        folder = self.root / f"case-{self.n}"
        shutil.copytree(self.root / "good", folder, symlinks=True)
        return folder

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)
