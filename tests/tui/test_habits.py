#!/usr/bin/env python3
"""Habits of the whole workbench: borders that move, what is kept between starts, slow terminals, the mouse, the command line."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pyte

from scalars import write
from screen import BERTTY, BERTTY_FAST, Display, Screen, fake_run, live_status, main


def front(name):
    return rf"▸\d {name}"


def runs(path, n=3, folder="runs"):
    for i in range(n):
        fake_run(path / folder, f"run-{i}", log=f"line of run {i}\n" * 30, started=1.7e9 + i)


def state_files(path):
    return sorted(p.name for p in (path / ".local/state/bertty").glob("*")) if (path / ".local").exists() else []


def session(path):
    found, = (path / ".local/state/bertty").glob("session-*.json")
    return found, json.loads(found.read_text())


# ── borders ──


def border_row(s, title):
    """Row of the screen, from 1, of a pane's upper edge; 0: it is not there."""
    return next((i for i, line in enumerate(s.lines(), 1) if f"─ {title}" in line), 0)


def drag(s, begin, end):
    s.send(f"\x1b[<0;{begin[1]};{begin[0]}M\x1b[<32;{end[1]};{end[0]}M\x1b[<0;{end[1]};{end[0]}m")


def test_borders_are_dragged():
    with Screen(["--open", "runs"], rows=30, columns=100, setup=lambda d: runs(d, 20)) as s:
        s.wait(r"─ run-19")
        usual = border_row(s, "run-19")
        drag(s, (usual, 50), (usual - 6, 50))
        s.until(lambda: border_row(s, "run-19") == usual - 6, "a border six rows higher")
        s.keys("G")  # the table has the focus still
        s.wait("─ run-0 ─")
        s.keys("g")
        s.wait("─ run-19 ─")
        s.click(usual - 6, 50)  # and gives it away only to a click
        s.keys("G")
        s.settle(0.3)
        assert "─ run-19 ─" in s.text(), s.dump()
        s.keys("Esc")
        drag(s, (usual - 6, 50), (1, 50))
        s.until(lambda: border_row(s, "run-19") == 6, "the table's least: four rows")
        s.resize(60, 100)
        s.until(lambda: border_row(s, "run-19") in (10, 11), "the same share of a larger screen")
        s.resize(30, 100)
        s.until(lambda: border_row(s, "run-19") == 6, "and back")
        drag(s, (6, 50), (30, 50))
        s.until(lambda: border_row(s, "run-19") == 26, "the detail's least")
        s.resize(60, 100)
        s.until(lambda: 30 < border_row(s, "run-19") < 55, "the same share of a larger screen")
        s.resize(30, 100)
        s.until(lambda: border_row(s, "run-19") == 26, "and back")
        time.sleep(0.5)  # longer than between the presses of a double click
        s.click(26, 50)
        s.click(26, 50)  # a double click: the usual place
        s.until(lambda: border_row(s, "run-19") == usual, "the usual place")
        drag(s, (usual + 3, 50), (usual - 3, 50))  # not on the border
        s.settle(0.3)
        assert border_row(s, "run-19") == usual, s.dump()
        assert s.end("q") == 0


def test_borders_of_every_view():
    """Between columns too; at any size the other pane keeps a part."""
    with Screen(["--open", "experiment"], rows=36, columns=160, setup=experiment) as s:
        s.wait(r"┬─ Text of the file")
        column = s.lines()[2].index("┬") + 1
        drag(s, (10, column), (10, column - 20))
        s.until(lambda: s.lines()[2].index("┬") + 1 == column - 20, "a border twenty columns further left")
        s.keys("}")  # the form has the focus: larger
        s.until(lambda: s.lines()[2].index("┬") + 1 == column - 18, "two columns back")
        row = border_row(s, "What it would take")
        s.keys("Tab", "{", "{")
        s.until(lambda: border_row(s, "What it would take") == row - 2, "the text's lower border two rows up")
        s.keys("0", "4", "}")
        s.until(lambda: border_row(s, "What it would take") == row + 2, "four rows down")
        s.resize(36, 140)
        s.wait(r"┬─ ")
        s.keys("|")
        s.resize(36, 160)
        s.until(lambda: s.lines()[2].find("┬") + 1 == column, "the usual place")
        assert s.end("q") == 0
    with Screen(["--open", "log"], rows=24, columns=80, setup=runs) as s:  # one pane: nothing to move
        s.wait(front("Log"))
        s.keys("}")
        s.wait("no border to move")
        s.keys("?")
        s.wait("─ Keys ─")
        s.wait_gone("the pane larger")


def experiment(path):
    (path / "experiments").mkdir()
    (path / "experiments/e.yaml").write_text("run: {name: x}\n")


# ── between starts ──


def test_a_session_is_kept():
    """View, chosen run, marks, filter, order, zoom, borders, typed lines: of this runs directory alone; the theme is everybody's."""
    def setup(path):
        runs(path)
        runs(path, 2, "other")
    with Screen(setup=setup, rows=30, columns=100) as s:
        s.wait(r"run-2")
        assert state_files(s.dir) == []
        s.keys("j", "Space", "/", "run-", "Enter", "s", "{", ":", "theme high-contrast", "Enter")
        s.wait_gone("^:")
        s.keys("Tab", "z", "4")
        s.wait(front("Charts"))
        s.keys("x", "2", "8")
        s.wait(front("Log"))
        s.keys("w")
        assert s.end("q") == 0
        assert len(state_files(s.dir)) == 2, state_files(s.dir)
        assert json.loads((s.dir / ".local/state/bertty/state.json").read_text()) == {"version": 1, "theme": "high-contrast"}
        path, kept = session(s.dir)
        assert kept["view"] == "Log" and kept["marks"] == [str((s.dir / "runs/run-1").resolve())], kept
        assert kept["history"]["command"] == ["theme high-contrast"] and kept["history"]["runs-filter"] == ["run-"], kept
        assert kept["views"]["Runs"]["own"]["filter"] == "run-" and kept["views"]["Runs"]["zoom"] is True and kept["views"]["Charts"]["own"]["axis"] == 1, kept
        assert path.stat().st_mode & 0o077 == 0
        with Screen(directory=s.dir, rows=30, columns=100) as again:
            again.wait(front("Log"))
            again.keys(":", "Up")
            again.wait("^:theme high-contrast")
            again.keys("Esc", "1")
            again.wait(front("Runs"))
            again.wait("─ run-")  # zoomed: the detail alone
            again.keys("z")
            again.wait(r"Runs .*run-")
            again.keys("4")
            again.wait("x: epoch")
            assert again.end("q") == 0
        _, kept = session(s.dir)
        assert kept["views"]["Charts"]["own"]["axis"] == 1 and kept["views"]["Data"]["focus"] == 0, "what was not opened is kept as it was"
        with Screen(["--runs", "other"], directory=s.dir, rows=30, columns=100) as other:
            other.wait(front("Runs"))
            other.wait("run-1")
            other.keys(":", "Up")
            other.settle(0.2)
            assert not re.search("^:theme", other.text(), re.M), other.dump()
            other.keys("C-u", "runs runs", "Enter")  # the other session, in the same program
            other.wait(r"Runs .*“?run-")
            other.keys(":", "Up")
            other.wait("^:theme high-contrast")
            other.keys("Esc", ":", "runs other", "Enter")
            other.wait_gone("^:")
            other.keys(":", "Up")
            other.wait("^:runs runs")
            other.keys("Esc")
            assert other.end("q") == 0
        assert len(list((s.dir / ".local/state/bertty").glob("session-*.json"))) == 2


def test_open_comes_before_the_session():
    with Screen(setup=runs) as s:
        s.wait("run-2")
        s.keys("8")
        s.wait(front("Log"))
        assert s.end("q") == 0
        with Screen(["--open", "charts"], directory=s.dir) as again:
            again.wait(front("Charts"))
            assert again.end("q") == 0


def test_damaged_sessions():
    """Told once and passed over; of another version: left as it is."""
    with Screen(setup=runs) as s:
        s.wait("run-2")
        s.keys("8")
        s.wait(front("Log"))
        assert s.end("q") == 0
        path, _ = session(s.dir)
        for text, word, stays in (('{"version": 1, "view": "Data", "marks": [', r"session-\w+.json:1:\d+: .*passed over", False),
                                  ('{"version": 2, "view": "Data"}', "found version 2, expected 1; what was kept is passed over", True),
                                  ("\0\1\2", "session-.*passed over", False)):
            path.write_text(text)
            with Screen(directory=s.dir, columns=160) as again:
                again.wait(word)
                again.wait(front("Runs"))
                again.keys("j")
                again.wait_gone("passed over")
                again.keys("4")
                again.wait(front("Charts"))
                assert again.end("q") == 0
                assert (path.read_text() == text) == stays, path.read_text()
        wrong = {"version": 1, "view": 7, "run": "/nowhere", "marks": ["/nowhere", 3, None], "history": {"command": 7, "x": [[], {}]},
                 "views": {"Runs": {"focus": 99, "zoom": "x", "panes": [-5, 1e300, 99999, "x", 1, 2, 3], "own": {"sort": 999, "filter": "(((", "reference": 5}},
                           "Charts": {"own": {"axis": -1, "smoothing": 1000000000, "columns": 99, "rows": -3, "from": 5, "to": 1}}, "Data": {"own": {"file": "/dev/zero"}},
                           "Predictions": {"focus": -1, "own": {"kind": 77, "order": 3, "split": 0}}, "Log": [], "Probe": {"focus": 2}}}
        path.write_text(json.dumps(wrong))
        with Screen(directory=s.dir, columns=100) as again:
            again.wait(front("Runs"))
            for key in "24578":
                again.keys("M-" + key)
                again.wait(rf"▸{key}")
            again.keys("M-1")
            again.wait("run-2")
            assert again.end("q") == 0


def test_nowhere_to_keep():
    """Told at the start, once."""
    def setup(path):
        runs(path)
        (path / ".local").write_text("")
    with Screen(setup=setup, columns=120) as s:
        s.wait(r"\.local/state/bertty cannot be written: nothing is kept for the next time")
        s.keys("j")
        s.wait_gone("cannot be written")
        assert s.end("q") == 0
        assert "nothing is kept" not in s.raw[s.raw.rindex(b"\x1b[?1049l"):].decode()


# ── the mouse ──


def click_on(s, text, line=None, offset=0):
    """The first place of a text on the screen, or in a row (from 1, or -1: the last)."""
    rows = s.lines()
    for i, row in enumerate(rows):
        if text in row and line in (None, i + 1, i - len(rows)):
            s.click(i + 1, row.index(text) + 1 + offset)
            return
    raise AssertionError(f"no {text!r}\n{s.dump()}")


def test_clicks_on_what_lies_over_a_view():
    with Screen(setup=runs, rows=30, columns=100) as s:
        s.wait("run-2")
        s.keys(":", "pag", "Tab")
        s.wait("page-down")
        click_on(s, "page-down")
        s.wait("^:page-down$")
        s.click(30, 3)  # the cursor behind ":p"
        s.keys("X")
        s.wait("^:pXage-down$")
        s.wheel(30, 3, down=False)
        s.keys("Esc", ":", "theme mono", "Tab", "Enter", ":")
        s.wait("^:$")
        s.wheel(30, 3, down=False)
        s.wait("^:theme monochrome$")
        s.keys("Esc", "T")
        s.wait("─ Theme ─")
        s.click(4, 2)  # outside: as Esc
        s.wait_gone("─ Theme ─")
        s.keys("T")
        s.wait("─ Theme ─")
        row = next(i for i, line in enumerate(s.lines(), 1) if re.search("│ gruvbox", line))
        s.wheel(row, 50)
        s.click(row, 50)
        s.click(row, 50)
        s.wait_gone("─ Theme ─")
        assert s.end("q") == 0
        assert json.loads((s.dir / ".local/state/bertty/state.json").read_text())["theme"] == "gruvbox"


def test_questions_and_hints_are_clicked():
    with Screen(setup=runs, rows=24, columns=100) as s:
        s.wait("D delete")
        click_on(s, "D delete", line=-1)
        s.wait(r"y/n")
        click_on(s, "y/n", offset=2)
        s.wait_gone(r"y/n")
        assert (s.dir / "runs/run-2").exists()
        click_on(s, "D delete", line=-1)
        s.wait(r"y/n")
        click_on(s, "y/n")
        s.until(lambda: not (s.dir / "runs/run-2").exists(), "run-2 deleted")
        s.wait_gone("y/n")
        s.keys("j")
        s.wait("/ filter")
        click_on(s, "/ filter", line=-1)
        s.wait("^filter:")
        s.keys("Esc")
        click_on(s, "? help", line=-1)
        s.wait("─ Keys ─")
        s.wheel(10, 10)
        s.wait_gone("mark it for Charts")
        s.click(10, 10)
        s.wait_gone("─ Keys ─")
        click_on(s, "8 Log")
        s.wait(front("Log"))
        assert s.end("q") == 0


def test_every_list_is_clicked():
    """A click puts the cursor there, a double click goes in, the wheel moves, a title sorts."""
    with Screen(setup=lambda d: runs(d, 40), rows=24, columns=100) as s:
        s.wait("run-39")
        click_on(s, "run-37")
        s.wait("─ run-37 ─")
        s.wheel(8, 20)
        s.wait("─ run-34 ─")
        click_on(s, "age")
        s.wait("age ↓")
        s.keys("g")
        s.wait("─ run-0 ─")
        click_on(s, "run-1")
        click_on(s, "run-1")
        s.wait(front("Charts"))
        s.keys("8")
        s.wait("line of run 1")
        s.click(8, 20)
        s.wait("line 1[5-7] of 30")
        assert s.end("q") == 0


def test_a_wrapped_log_is_clicked():
    with Screen(["--open", "log"], setup=lambda d: fake_run(d / "runs", "a", log="".join(f"{i} {'x' * 190}\n" for i in range(9))), columns=80) as s:
        s.wait("8 xxx")
        s.keys("w", "g")
        s.wait("line 1 of 9")
        for row, line in ((4, 1), (6, 1), (7, 2), (12, 3)):  # three rows each
            s.click(row, 20)
            s.wait(f"line {line} of 9")
        assert s.end("q") == 0


def test_the_cursor_of_a_text_is_put_by_a_click():
    with Screen(["--open", "probe"], setup=runs, rows=24, columns=100) as s:
        s.wait(front("Probe"))
        s.keys("abcdef ghi")
        s.wait("abcdef ghi")
        click_on(s, "abcdef", offset=3)
        s.keys("X")
        s.wait("abcXdef ghi")
        assert s.end("Esc", "q") == 0


def test_kept_texts_are_clicked():
    """The row that is clicked, not one beside it; a zoomed pane takes no clicks for those that it hides."""
    with Screen(["--open", "probe"], setup=runs, rows=30, columns=100) as s:
        s.wait(front("Probe"))
        for text in ("one", "two", "three"):
            s.keys("C-u", text, "Enter")
            s.wait(rf"- .*{text} ")
        click_on(s, "two ")
        click_on(s, "two ")
        s.wait(r"^│two ")
        s.keys("Esc", "z")
        s.wait_gone("─ Text")
        s.click(5, 50)
        s.keys("j", "z")
        s.wait(r"^│two +│$")
        assert s.end("q") == 0


# ── the command line ──


def test_names_are_completed():
    def setup(path):
        runs(path)
        experiment(path)
    with Screen(setup=setup, rows=30, columns=100) as s:
        s.wait("run-2")
        for typed, line in (("run r", "run run-"), ("mark run-1", "mark run-1"), ("option lear", "option learning_rate"), ("option train.se", "option train.seed"),
                            ("theme hi", "theme high-contrast"), ("open experiments/", "open experiments/e.yaml"), ("cha", "charts"), ("queue-f", "queue-first"),
                            ("usual", "usual-size"), ("runs exp", "runs experiments/")):
            s.keys(":", typed, "Tab")
            s.wait(f"^:{line}")
            s.keys("C-g")
            s.wait_gone("^:")
        s.keys(":", "run run-1", "Enter")
        s.wait("^ bertty · run-1 ")
        s.keys(":", "run run", "Enter")
        s.wait("'run' fits 3 runs")
        s.keys(":", "run nothing", "Enter")
        s.wait("no run 'nothing'")
        s.keys(":", "option learning_rate", "Enter")
        s.wait(front("Experiment"))
        s.wait("├─ optim.learning_rate ─")
        s.keys(":", "option nothing", "Enter")
        s.wait("no option 'nothing'")
        s.keys(":", "luanch", "Enter")
        s.wait(r"no command 'luanch' \(did you mean 'launch'\?\)")
        s.keys("8", ":", "run", "Enter")  # without a name: what the view has under it
        s.wait("run-0")
        s.keys("Esc")
        assert s.end(":", "q", "Enter") == 0


def test_every_action_is_a_command():
    """Of the view in front and of all, as `bertty keys` tells them."""
    rows = {}
    for line in subprocess.run([BERTTY, "keys", "--json"], capture_output=True, check=True).stdout.decode().splitlines():
        row = json.loads(line)
        rows.setdefault(row["view"], []).append(row["action"])
    with Screen(rows=24, columns=80) as s:
        for number, view in ((1, "Runs"), (4, "Charts"), (8, "Log"), (9, "Study")):
            s.keys("M-" + str(number))
            s.wait(front(view))
            for name in rows[view] + rows["Workbench"][:-9]:
                s.keys(":", name[:-1], "Tab")
                s.wait(rf"^:{name[:-1]}|^│ {name}$")
                s.until(lambda n=name: re.search(rf"^:{n}$|^│ {n} ", s.text(), re.M), f"{name} offered")
                s.keys("C-g")
        assert s.end("q") == 0


# ── slow terminals ──


class Slow:
    """A terminal at the end of a slow line. It answers as xterm does, when what was asked arrives."""

    show = Screen.show

    def __init__(self, args, directory, rows, columns, rate):
        self.rate, self.budget, self.seen, self.held = rate, 0.0, b"", b""
        self.screen = Display(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execve(BERTTY_FAST, [BERTTY_FAST, *args], {"PATH": os.environ["PATH"], "HOME": str(directory), "TERM": "xterm-256color", "LANG": "C.UTF-8"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        """As much as the line carries in that time."""
        end = last = time.monotonic()
        end += seconds
        while (now := time.monotonic()) < end:
            self.budget = min(self.budget + (now - last) * self.rate, 256)
            last = now
            part = os.read(self.fd, int(self.budget)) if self.budget >= 1 and select.select([self.fd], [], [], 0.01)[0] else b""
            self.take(part)
            time.sleep(0.005)

    def take(self, part):
        before = self.seen[-3:]
        self.seen += part
        self.budget -= len(part)
        self.show(part, 8)
        for question, answer in ((b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[5n", b"\x1b[0n")):
            os.write(self.fd, answer * (before + part).count(question))

    def shown(self):
        self.show(b"", 0)
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, pattern, seconds):
        end = began = time.monotonic()
        end += seconds
        while not re.search(pattern, self.shown(), re.M):
            assert time.monotonic() < end, (pattern, self.shown())
            self.read(0.1)
        return time.monotonic() - began

    def under_way(self, seconds=0.6):
        """Bytes that come to a terminal that is suddenly fast, before it answers anything."""
        part, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.02)[0]:
                part += os.read(self.fd, 65536)
        self.take(part)
        self.budget = 0
        return len(part)

    def ended(self):
        """The exit status."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                self.read(0.05)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                with contextlib.suppress(OSError):
                    while part := os.read(self.fd, 65536):
                        self.seen += part
                return os.waitstatus_to_exitcode(status)
        return None

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def live(path, step):
    status = {"state": "training", "step": step, "total": 9999, "epoch": step / 100, "epochs": 9.0, "tokens_per_s": 2000 + step % 97, "eta_s": 9999 - step,
              "train_loss": 1 / (1 + step), "metric": "accuracy", "best": 0.5, "best_step": 1, "last": 0.5, "last_step": 1, "started": 1.8e9, "error": None,
              "steered": False, "name": "live", **live_status()}
    (path / "new").write_text(json.dumps(status))
    os.replace(path / "new", path / "runs/live/status.json")


def test_a_slow_line():
    """2 KB/s, and a run that always has something new: keys are answered, no more than about a frame is under way, and in the end the screen is right."""
    with Screen(setup=lambda d: fake_run(d / "runs", "live", **live_status(step=1, total=9999)), program="/bin/true") as place:
        path = place.dir
        write(path / "runs/live", [("train/loss", step, 1 / step) for step in range(1, 50)])
        s = Slow(["--open", "charts"], path, 36, 120, 2000)
        try:
            s.until(front("Charts") + "(?s:.)*● live", 20)
            for step in range(2, 40):
                live(path, step)
                s.read(0.1)
            asked = s.seen.count(b"\x1b[5n")
            assert 1 <= asked < 25, asked
            took = []
            for key, view in ((b"8", "Log"), (b"1", "Runs"), (b"4", "Charts"), (b"1", "Runs")):
                live(path, 60 + len(took))
                os.write(s.fd, key)
                took.append(s.until(front(view), 15))
            assert sorted(took)[1] < 3, took
            for step, key in enumerate(b"4114814181481418", 70):
                live(path, step)
                os.write(s.fd, bytes([key]))
                time.sleep(0.1)  # nobody reads
            under_way = s.under_way()
            assert 0 < under_way < 9000, under_way
            live(path, 4321)
            s.rate = 1e6
            s.until(r"step 4321/9999", 10)
            os.write(s.fd, b"q")
            assert s.ended() == 0
        finally:
            s.close()


def test_a_terminal_that_loses_answers():
    """It said that it answers, and does not: after some seconds it is not waited for."""
    with Screen(setup=lambda d: runs(d, 40), rows=50, columns=200) as s:
        s.answer = lambda n: None
        s.wait("run-39")
        while s.quiet(0.5):  # a frame that something else brings would be the one that is not answered
            pass
        began = time.monotonic()
        s.send("\x1b[?62c")
        s.until(s.is_read, "the answer read")
        before = len(s.raw)
        s.keys("C-l")
        s.until(lambda: s.raw[before:].count(b"\x1b[5n") == 1 and len(s.raw) > before + 3000, "a frame that is no small one")
        s.keys("4")
        s.drain(0.5)
        assert not re.search(front("Charts"), s.text()) or time.monotonic() - began > 4, "it does not wait for the answer"
        s.wait(front("Charts"), 20)
        assert s.end("q") == 0


def test_a_terminal_that_stops_reading():
    """Nothing is held up: it follows the run, takes its keys, and what it shows when somebody reads again is of now."""
    def setup(path):
        fake_run(path / "runs", "live", **live_status(step=1, total=9999))
        fake_run(path / "runs", "old", started=1.6e9)
    with Screen(setup=setup, program="/bin/true") as place:
        s = Slow([], place.dir, 60, 200, 1e6)
        try:
            s.until("live", 15)
            for key in b"84145182"[:8] * 20:  # far more than a terminal's queue takes
                os.write(s.fd, bytes([key]))
                time.sleep(0.005)
            live(place.dir, 1234)
            for key in b"1GDy":
                os.write(s.fd, bytes([key]))
                time.sleep(0.1)
            end = time.monotonic() + 10
            while (place.dir / "runs/old").exists():
                assert time.monotonic() < end, "it waits for the terminal"
                time.sleep(0.05)
            s.until(r"step 1234/9999", 15)
            s.until(front("Runs"), 15)
            for key in b"84145182" * 20:
                os.write(s.fd, bytes([key]))
            os.write(s.fd, b"q")
            time.sleep(1)
            assert s.ended() == 0
            assert all(b"\x1b[?" + mode + b"l" in s.seen[-300:] for mode in (b"1002", b"2004", b"1049")), s.seen[-300:]
        finally:
            s.close()


main(globals())
