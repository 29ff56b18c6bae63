#!/usr/bin/env python3
"""Every key of every view, as `bertty keys` tells them: with runs and without, at four sizes, on four kinds of terminal, among resizes. A new key is
pressed without a change here. The program lives, what it sends is text that the terminal can show, and the screen is whole after every view."""
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from keys import VIEWS, bytes_of, pressed, table, with_runs, without_runs
from screen import BERTTY, Display, Screen, UNFINISHED, known, main

import pyte

SIZES = [(24, 80), (36, 120), (60, 200), (10, 40)]
TERMINALS = [{"TERM": "xterm-256color"}, {"TERM": "screen"}, {"TERM": "vt100"}, {"TERM": "xterm-256color", "LC_ALL": "C"}]


class Walk(Screen):
    """Keys without waiting for a state: what is sent is looked at as bytes, and the screen as a whole only after it was drawn anew."""

    def __init__(self, args, size, env, setup):
        self.plain = env.get("LC_ALL") == "C"
        self.rows, self.columns = size
        super().__init__(args, rows=size[0], columns=size[1], env={"EDITOR": "true", "VISUAL": None, **env}, setup=setup)
        self.checked = 0

    def show(self, part, keep):
        pass

    def frame_is_whole(self):
        return True

    def sync(self):
        """It has taken its keys and sent what it had to say to them."""
        end = time.monotonic() + 20
        while not self.is_read():
            assert self.alive() and time.monotonic() < end, f"it does not read its keys\n{self.raw[-2000:]!r}"
            self.drain(0.002)
        while self.drain(0.004):
            pass

    def press(self, text):
        self.send(text)
        self.sync()

    def check_bytes(self):
        new = self.raw[self.checked:]
        found = UNFINISHED.search(new)
        new = new[:found.start()] if found else new
        while new and new[-1] >= 0x80:
            new = new[:-1]
        self.checked += len(new)
        text = new.decode()  # an error: no UTF-8
        assert "\ufffd" not in text
        assert not self.plain or text.isascii(), [c for c in text if ord(c) > 126]
        assert "Sanitizer" not in text and "runtime error" not in text, text[-3000:]

    def redrawn(self):
        """All lines of the screen, drawn anew."""
        end = time.monotonic() + 20
        while True:
            before = len(self.raw)
            self.press("\x0c")
            cleared = max(self.raw.rfind(b"\x1b[2J", before), self.raw.rfind(b"\x1b[J", before), self.raw.rfind(b"\x1b[H\x1b[J", before))
            if cleared >= 0:
                screen = Display(self.columns, self.rows)
                pyte.ByteStream(screen).feed(known(self.raw[before:]))
                lines = [line.rstrip() for line in screen.display]
                if re.match(" bertty", lines[0]) and re.search(r"[▸>]\d", lines[1]) and lines[-1]:
                    return lines, [screen.buffer[y][self.columns - 1].data for y in range(self.rows)]
            assert self.alive() and time.monotonic() < end, f"it is not drawn anew\n{self.raw[-1500:]!r}"

    def check_screen(self, number):
        lines, edge = self.redrawn()
        picture = "\n".join(lines)
        assert re.search(rf"[▸>]{number}", lines[1]), picture
        # (A grid of panels may have a place without one.)
        for line, last in zip(lines[2:-1], edge[2:-1]):
            assert number == 4 or not re.match(r"[│├]", line) or last in "│┤┐", f"a line of a box does not end: {line}\n{picture}"

    def size_to(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.child.setwinsize(rows, columns)
        self.sync()


BACK = "\x07\x07"  # Ctrl-g leaves what lies over a view, and does nothing in one


def walk_view(s, number, keys):
    s.press(BACK + f"\x1b{number}")
    if VIEWS[number - 1] in ("Experiment", "Probe"):
        leave_text(s)
    for key in keys:
        s.press(bytes_of(key))
        s.press(BACK + f"\x1b{number}")
        if VIEWS[number - 1] == "Probe":
            leave_text(s)
    s.check_bytes()


def leave_text(s):
    s.press("\x1b")
    s.drain(0.04)  # longer than what follows a sequence's Esc


def storm(s, size):
    for i in range(12):
        s.child.setwinsize(1 + i * 5 % 40, 1 + i * 29 % 200)
    s.size_to(*size)


def walk(terminal, sizes, setup, rotation):
    rows = table()
    common = pressed(rows["Workbench"])
    with Walk([], sizes[0], terminal, setup) as s:
        s.until(lambda: b"Runs" in s.raw, "a first screen")
        for k, size in enumerate(sizes):
            storm(s, size)
            for number, view in enumerate(VIEWS, 1):
                shared = common if (number + k) % 4 == rotation else []
                walk_view(s, number, pressed(rows[view]) + shared)
                s.check_screen(number)
        leave(s)


def leave(s):
    """Esc leads back, q leaves, whatever was changed."""
    for _ in range(8):
        leave_text(s)
    s.press("\x1b1")
    s.check_screen(1)
    s.press("q")
    if s.alive():
        s.send("y")
    Screen.until(s, lambda: not s.alive(), "the end")
    s.check_bytes()
    assert s.child.exitstatus == 0, (s.child.exitstatus, s.child.signalstatus, s.raw[-2000:])


def together(*walks):
    with ThreadPoolExecutor(4) as workers:
        for done in [workers.submit(*w) for w in walks]:
            done.result()


def test_every_key_with_runs():
    together(*[(walk, terminal, SIZES if i == 0 else SIZES[i - 1:i + 1] if i < 3 else SIZES[2:], with_runs, i) for i, terminal in enumerate(TERMINALS)])


def test_every_key_without_runs():
    together((walk, TERMINALS[0], [SIZES[0], SIZES[3]], without_runs, 1), (walk, TERMINALS[3], [SIZES[1]], lambda path: None, 2))


def escape_from(s, number, key):
    """However deep the key leads: Esc comes out, up to the view itself."""
    s.press(f"\x1b{number}")
    s.press(bytes_of(key))
    for _ in range(3):
        leave_text(s)
    s.press(f"\x1b{number}")


def test_escape_leads_back():
    """From all that any key opens, to where keys are the view's again."""
    rows = table()

    def escape(numbers):
        with Walk([], SIZES[0], TERMINALS[0], with_runs) as s:
            s.until(lambda: b"Runs" in s.raw, "a first screen")
            for number in numbers:
                for key in pressed(rows[VIEWS[number - 1]] + [row for row in rows["Workbench"] if row[0] in ("search", "command", "help", "theme", "enter")]):
                    escape_from(s, number, key)
                s.check_screen(number)
                s.check_bytes()
            leave(s)
    together((escape, [1, 8]), (escape, [2, 5, 6]), (escape, [3, 7]), (escape, [4]))


def test_the_keys_that_end():
    rows = dict(table()["Workbench"])
    for key in rows["suspend"]:
        with Walk([], SIZES[0], TERMINALS[0], with_runs) as s:
            s.until(lambda: b"Runs" in s.raw, "a first screen")
            s.send(bytes_of(key))
            s.until(lambda: b"\x1b[?1049l" in s.raw, "the shell's screen")
            s.kill(signal.SIGCONT)
            s.check_screen(1)
    for key in rows["quit"]:
        with Walk([], SIZES[0], TERMINALS[0], with_runs) as s:
            s.until(lambda: b"Runs" in s.raw, "a first screen")
            assert s.end(bytes_of(key)) == 0


def test_keys_are_told():
    """By name, as the user's own map has them, and as the help shows them."""
    rows = table()
    assert set(rows) == {*VIEWS, "Workbench"} and ("mark", ["Space"]) in rows["Runs"] and ("up", ["k", "Up"]) in rows["Workbench"], rows
    assert set(table("runs")) == {"Runs"} and set(table("workbench")) == {"Workbench"}
    for view, actions in rows.items():
        names, keys = [name for name, _ in actions], [key for _, some in actions for key in some]
        assert len(names) == len(set(names)) and len(keys) == len(set(keys)), (view, "a name or a key is there twice")

    def setup(path):
        (path / ".config/bertty").mkdir(parents=True)
        (path / ".config/bertty/keys.yaml").write_text("runs: {mark: m F5}\n")
    with Screen(setup=setup) as s:
        assert ("mark", ["m", "F5"]) in table("runs", env={"HOME": str(s.dir)})["Runs"]
    done = subprocess.run([BERTTY, "keys", "run"], capture_output=True, check=False)
    assert done.returncode == 2 and b"did you mean 'Runs'" in done.stderr, done
    text = subprocess.run([BERTTY, "keys", "log"], capture_output=True, check=True).stdout.decode()
    assert re.match(r"Log\n  f +follow +follow the end", text), text


main(globals())
