#!/usr/bin/env python3
"""The line drops in every view, in all that any key opens, and while something is typed there: the workbench is gone within a second, told by the signal or, where that is
ignored, by the terminal's end. Keys are those of `bertty keys`: a new one is pressed without a change here. A part of it is done by a build with sanitizers, all of it by
`test_hang_up.py sanitized`."""
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from keys import VIEWS, bytes_of, pressed, table, with_runs
from screen import BERTTY, BERTTY_FAST, main

WORKERS = 6
GONE = 1.0  # seconds
LATER = 2.0  # … more for a build that looks for leaks or writes what it has counted at its end
SANITIZED = "sanitized" in sys.argv[1:]
FORKING = threading.Lock()


def start(program, path, ignored):
    environment = {**os.environ, "HOME": str(path), "TERM": "xterm-256color", "LANG": "C.UTF-8", "EDITOR": "sleep 60", "VISUAL": "sleep 60",
                   "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:log_path={path}/sanitizer"}
    with FORKING:
        pid, fd = pty.fork()
        if pid == 0:
            if ignored:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.chdir(path)
            os.execve(program, [program], environment)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    return pid, fd


def read_until_still(fd, seconds, word=b""):
    """What it says, up to a pause after that word."""
    seen, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([fd], [], [], seconds)
        if ready:
            seen += os.read(fd, 65536)
        elif word in seen:
            return seen
    raise AssertionError(f"{word!r} never came: {seen[-1000:]!r}")


def children(pid):
    return [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]


def until_gone(pid, seconds):
    """(time that it took, status); killed after all if it does not go."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return time.monotonic() - began, status
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return time.monotonic() - began, None


def hang_up(program, path, view, keys, ignored):
    """None, or what is wrong."""
    pid, fd = start(program, path, ignored)
    read_until_still(fd, 0.05, b"Runs")
    os.write(fd, f"\x1b{view}".encode())
    read_until_still(fd, 0.05)
    for key in keys:
        os.write(fd, key.encode())
        try:
            read_until_still(fd, 0.05)
        except OSError:
            break  # it has ended
    below = children(pid)
    os.close(fd)
    took, status = until_gone(pid, 5)
    left = [child for child in below if Path(f"/proc/{child}").exists() and "sleep" in Path(f"/proc/{child}/comm").read_text()] if not ignored else []
    for child in below:
        try:
            os.kill(child, signal.SIGKILL)
        except OSError:
            pass
    what = f"{VIEWS[view - 1]}, {keys!r}, SIGHUP {'ignored' if ignored else 'as usual'}"
    if status is None or took > GONE + (0 if "/build/test/" in program else LATER):
        return f"{what}: not gone after {took:.2f} s"
    told = "".join(file.read_text(errors="replace") for file in path.glob("sanitizer.*"))
    if os.waitstatus_to_exitcode(status) != 1 or told:
        return f"{what}: ended with {os.waitstatus_to_exitcode(status)}, not with 1\n{told[:4000]}"
    return f"{what}: left {left} behind" if left else None


def everywhere(sequences):
    with tempfile.TemporaryDirectory(prefix="bertty-hang-up-") as folder:
        def one(number, view, keys):
            path = Path(folder) / str(number)
            path.mkdir()
            with_runs(path)
            try:
                return hang_up(BERTTY if SANITIZED or number % 3 == 0 else BERTTY_FAST, path, view, keys, number % 2 == 1)
            finally:
                shutil.rmtree(path, ignore_errors=True)
        jobs = [(i, view, keys) for i, (view, keys) in enumerate(sequences)]
        with ThreadPoolExecutor(WORKERS) as workers:
            found = list(workers.map(lambda job: one(*job), jobs))
        late = [job for job, what in zip(jobs, found) if what and "not gone" in what]
        wrong = [what for what in found if what and "not gone" not in what]
        wrong += [what for what in (one(*job) for job in late[:5]) if what]  # once more, alone: the session's state waits for a disk that others keep busy
    assert not wrong and len(late) <= 5, "\n".join(wrong or filter(None, found))


def keys_of(view):
    rows = table()
    ending = {key for action, keys in rows["Workbench"] if action in ("quit", "suspend") for key in keys}
    return [key for key in pressed(rows[view] + (rows["Workbench"] if view == "Runs" else [])) if key not in ending]


def test_in_every_view():
    everywhere([(view, []) for view in range(1, len(VIEWS) + 1) for _ in (0, 1)])


def test_after_every_key():
    """After every other one a letter and Down are typed into whatever it has opened."""
    sequences = [(view, bytes_of(key)) for view, name in enumerate(VIEWS, 1) for key in keys_of(name)]
    everywhere([(view, [key, "a", "\x1b[B"] if i // 2 % 2 else [key]) for i, (view, key) in enumerate(sequences)])


if SANITIZED:
    sys.argv.remove("sanitized")
main(globals())
