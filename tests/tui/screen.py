"""Drives bertty on a pseudo-terminal: keys in, screen out. Waits for a state, never for a time.

    with Screen(["--open", "log"], rows=24, columns=80) as s:
        s.wait("no log yet")
        s.keys("j", "Enter", "C-u", "word")      # names as in tmux: Enter Esc Tab BTab Up Down PgUp F1 C-x M-x Space BSpace
        s.wait(r"1 Runs")                        # a regular expression on the screen's text, all lines
        s.resize(40, 120)
        assert s.quiet(1.0) == b""               # what was sent within a second
        s.end("q")                               # keys; then the exit status: 0, or −15 after SIGTERM

The program starts in a temporary directory that is its HOME too (s.dir); s.raw is all it has sent. A test program:

    def test_help(): …
    main(globals())
"""
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time
import traceback
from pathlib import Path

import pexpect
import pyte

ROOT = Path(__file__).resolve().parent.parent.parent
BERTTY = os.environ.get("BERTTY", str(ROOT / "bertty"))
BERTTY_FAST = os.environ.get("BERTTY_FAST", BERTTY)
WAIT = float(os.environ.get("BT_WAIT", "15"))  # seconds; only a failing test waits that long

TIOCGPTN = 0x80045430  # Linux's: the number of the terminal at the other end

NAMED = {"Enter": "\r", "Esc": "\x1b", "Tab": "\t", "BTab": "\x1b[Z", "Space": " ", "BSpace": "\x7f", "Up": "\x1b[A",
         "Down": "\x1b[B", "Right": "\x1b[C", "Left": "\x1b[D", "Home": "\x1b[H", "End": "\x1b[F", "Del": "\x1b[3~",
         "PgUp": "\x1b[5~", "PgDn": "\x1b[6~", "F1": "\x1bOP", "F2": "\x1bOQ", "F5": "\x1b[15~"}
# Sequences that pyte would print.
UNKNOWN = re.compile(rb"\x1b\[[>=<][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP.*?\x1b\\", re.S)

# What pyte does not know: "print that again", and scrolling, which ncurses asks for at the edge of the scrolled region.
REPEATED = re.compile(rb"([ -~])\x1b\[(\d+)b")
SCROLLED = re.compile(rb"\x1b\[(\d*)([ST])")


def known(part):
    part = REPEATED.sub(lambda m: m[1] * (1 + int(m[2])), UNKNOWN.sub(b"", part))
    return SCROLLED.sub(lambda m: (b"\x1bD" if m[2] == b"S" else b"\x1bM") * int(m[1] or 1), part)


# An escape sequence that is not all there yet.
UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[()*+]|[\]P][^\x07\x1b]*)?\Z", re.S)

# How a frame ends: attributes off, then perhaps the cursor. (xterm's; for other terminals WHOLE passes.)
FRAME_END = re.compile(rb"\x1b\(B\x1b\[m(?:\x1b\[\?(?:12l\x1b\[\?)?25[hl])?(?:\x1b\[5n)?(?:\x1b\[\?2026l)?\Z")
WHOLE = 0.3  # seconds for the rest of a frame


class Display(pyte.Screen):
    def select_graphic_rendition(self, *attributes, private=False):
        if not private:  # CSI ? … m and CSI > … m ask for something else
            super().select_graphic_rendition(*attributes)


def key_bytes(key):
    if key in NAMED:
        return NAMED[key]
    if len(key) == 3 and key.startswith("C-"):
        return chr(ord(key[2]) & 0x1f)
    if len(key) >= 3 and key.startswith("M-"):
        return "\x1b" + key_bytes(key[2:])
    return key


class Gone(AssertionError):
    pass


class Screen:
    def __init__(self, args=(), rows=24, columns=80, env=None, directory=None, program=None, setup=None):
        """env: variables to set (None: to remove). setup(path): called with the working directory before the start."""
        self.own = None if directory else tempfile.mkdtemp(prefix="bertty-tui-")
        self.dir = Path(directory or self.own)
        if setup:
            setup(self.dir)
        self.raw = b""
        self.accepted = 0  # bytes of raw that count as whole, however they end
        self.screen = Display(columns, rows)
        self.held = b""  # bytes that wait for those that follow
        self.stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(program or BERTTY, list(args), cwd=str(self.dir), env=self.environment(env),
                                   dimensions=(rows, columns), timeout=WAIT, echo=False)
        self.child.delaybeforesend = None
        self.child.ptyproc.delayafterclose = 0  # close() waits for the end itself

    def environment(self, changes):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.dir), "TERM": "xterm-256color", "LANG": "C.UTF-8",
               "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "BT_SHARED", "BT_MODEL"):
            if name in os.environ:
                env[name] = os.environ[name]
        for name, value in (changes or {}).items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        return env

    # ── in ──

    def send(self, text):
        self.child.send(text)

    def keys(self, *keys):
        for key in keys:
            if key == "Esc":  # told from the beginning of a sequence by what does not follow it
                self.escape()
                self.drain(0.06)
            else:
                self.send(key_bytes(key))

    def escape(self):
        """Sends it and waits until it has been read: what is sent is on its way for a while, and not to be seen in the program's queue yet."""
        before = self.bytes_read()
        self.send("\x1b")
        self.until(lambda: self.bytes_read() > before and self.is_read(), "the program to read its keys")

    def bytes_read(self):
        """By the program, from whatever it reads."""
        return int(Path(f"/proc/{self.child.pid}/io").read_text().split()[1])

    def is_read(self):
        """Does nothing wait in the program's queue?"""
        number, = struct.unpack("I", fcntl.ioctl(self.child.child_fd, TIOCGPTN, bytes(4)))
        terminal = os.open(f"/dev/pts/{number}", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)) == bytes(4)
        finally:
            os.close(terminal)

    def click(self, row, column, button=0):
        """Counted from 1, as terminals do."""
        self.send(f"\x1b[<{button};{column};{row}M\x1b[<{button};{column};{row}m")

    def wheel(self, row, column, down=True):
        self.send(f"\x1b[<{65 if down else 64};{column};{row}M")

    def paste(self, text):
        self.send(f"\x1b[200~{text}\x1b[201~")

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def kill(self, number):
        self.child.kill(number)

    # ── out ──

    def drain(self, seconds):
        """Takes what comes within that time; returns it."""
        got, until = b"", time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            try:
                part = self.child.read_nonblocking(65536, max(left, 0))
            except pexpect.TIMEOUT:
                part = b""
            except pexpect.EOF:
                break
            got += part
            self.raw += part
            self.answer(len(part))
            self.show(part, 8)  # what is repeated stands before the sequence that says so
            if left <= 0:
                break
        self.show(b"", 0)
        return got

    def answer(self, n):
        """As terminals do that are asked whether they are well: then the program knows that its frame has arrived."""
        for _ in range(self.raw[-n - 3:].count(b"\x1b[5n") if n else 0):
            self.send("\x1b[0n")

    def show(self, part, keep):
        self.held += part
        end = max(len(self.held) - keep, 0)
        if end and self.held[end:end + 1] == b"\x1b":
            end -= 1  # the character that may be repeated
        found = UNFINISHED.search(self.held[:end])
        end = found.start() if found else end
        self.stream.feed(known(self.held[:end]))
        self.held = self.held[end:]

    def settle(self, seconds=0.7):
        """Until nothing has come for so long."""
        self.until(lambda: self.drain(seconds) == b"", f"{seconds} s without output")

    def quiet(self, seconds):
        return self.drain(seconds)

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def wait(self, pattern, seconds=None):
        """Until the pattern is on the screen; returns the match."""
        return self.until(lambda: re.search(pattern, self.text(), re.M), f"'{pattern}' on the screen", seconds)

    def wait_gone(self, pattern, seconds=None):
        self.until(lambda: not re.search(pattern, self.text(), re.M), f"'{pattern}' gone", seconds)

    def until(self, condition, what, seconds=None):
        end = time.monotonic() + (seconds or WAIT)
        while True:
            found = condition()
            if found and self.frame_is_whole():
                return found
            if found:  # of half a frame: on a busy machine the other half comes when it comes
                self.finish_frame()
                continue
            if time.monotonic() > end or not self.alive():
                self.drain(0)
                if condition():
                    return condition()
                raise Gone(f"waited for {what}{'' if self.alive() else ' (the program has ended)'}; there was:\n{self.dump()}")
            self.drain(0.02)

    def frame_is_whole(self):
        return len(self.raw) == self.accepted or bool(FRAME_END.search(self.raw[-32:]))

    def finish_frame(self):
        until = time.monotonic() + WHOLE
        while time.monotonic() < until and self.alive() and not self.frame_is_whole():
            self.drain(0.01)
        self.accepted = len(self.raw)

    def dump(self):
        return "\n".join(f"|{line}" for line in self.lines())

    # ── the process ──

    def alive(self):
        return self.child.isalive()

    def end(self, *keys, seconds=None):
        """Sends keys and waits for the end; the exit status, −n after signal n."""
        self.keys(*keys)
        self.until(lambda: not self.alive() or None, "the end of the program", seconds)
        self.drain(0)
        return -self.child.signalstatus if self.child.signalstatus else self.child.exitstatus

    def close(self):
        if self.alive():
            with contextlib.suppress(OSError):
                os.kill(self.child.pid, signal.SIGKILL)
            with contextlib.suppress(pexpect.ExceptionPexpect):
                self.child.wait()
        self.child.close(force=True)
        if self.own:
            shutil.rmtree(self.own, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fake_run(runs, run_id, log="", **status):
    """A run directory that no engine has; status: members of status.json."""
    run = Path(runs) / run_id
    run.mkdir(parents=True)
    members = {"state": "finished", "pid": 0, "step": 100, "total": 100, "epoch": 1.0, "epochs": 1.0, "tokens_per_s": 2913,
               "eta_s": None, "train_loss": 0.25, "metric": "accuracy", "best": 0.875, "best_step": 100, "last": 0.875,
               "last_step": 100, "started": 1.7e9, "updated": 1.7e9 + 60, "error": None, "steered": False, "name": run_id}
    members.update(status)
    (run / "status.json").write_text(json.dumps(members) + "\n")
    (run / "log.txt").write_text(log)
    return run


def live_status(**status):
    """Members of status.json for a run that is being trained by this very process."""
    me = os.getpid()
    start = int(Path(f"/proc/{me}/stat").read_text().rpartition(")")[2].split()[19])
    members = {"state": "training", "pid": me, "pid_start": start, "host": os.uname().nodename,
               "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(), "updated": time.time()}
    members.update(status)
    return members


class Skip(Exception):
    pass


def main(names):
    """Runs every test_… of a module (those whose name holds argv[1], if given) and prints the counts."""
    passed = failed = skipped = 0
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, test in list(names.items()):
        if not name.startswith("test_") or not callable(test) or word not in name:
            continue
        began = time.monotonic()
        try:
            test()
            passed += 1
            print(f"{name}: passed ({time.monotonic() - began:.1f} s)", flush=True)
        except Skip as why:
            skipped += 1
            print(f"{name}: skipped: {why}", flush=True)
        except Exception:
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)
