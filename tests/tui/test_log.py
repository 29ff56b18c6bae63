#!/usr/bin/env python3
"""The Log view: follows a growing log, searches, wraps, copies, shows other runs and what a process printed."""
import base64
import re
import time

from screen import Screen, fake_run, main

LINES = "".join(f"12:00:{i % 60:02} step {i} loss 0.5\n" for i in range(500))
LONG = "12:09:00 warning: " + "a long story " * 12 + "END\n"


def runs(d):
    fake_run(d / "runs", "new-run", log=LINES, started=1.8e9)
    other = fake_run(d / "runs", "old-run", log="the old log\n" + LONG, started=1.7e9)
    (other / "launch.log").write_text("printed by the process\n")
    fake_run(d / "runs", "silent-run", started=1.6e9)


def add(s, run, text):
    with open(s.dir / "runs" / run / "log.txt", "a", encoding="utf-8") as f:
        f.write(text)


def test_nothing_yet():
    with Screen(["--open", "log"]) as s:
        s.wait(r"There is no log yet")


def test_follows():
    with Screen(["--open", "log"], setup=runs) as s:
        s.wait(r"Log · new-run · following")
        s.wait(r"step 499 ")
        add(s, "new-run", "half a li")
        add(s, "new-run", "ne\nnews 1\n")
        s.wait(r"half a line")
        s.wait(r"news 1")
        s.keys("g")
        s.wait(r"line 1 of 502")
        s.wait(r"step 0 ")
        add(s, "new-run", "news 2\n")
        s.wait(r"line 1 of 503")
        assert "news 2" not in s.text()
        s.keys("f")
        s.wait(r"news 2")
        s.keys("k", "k")
        s.wait(r"line 501 of 503")
        s.keys("G")
        s.wait(r"following")
        s.wheel(10, 10, down=False)
        s.wait(r"line 500 of 503")
        s.click(5, 10)
        s.wait_gone(r"line 500 of")


def test_a_stream_is_drawn_now_and_then():
    """Two hundred lines a second make a few frames, and a key in between is answered."""
    with Screen(["--open", "log"], setup=runs) as s:
        s.wait(r"step 499 ")
        bursts, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            add(s, "new-run", f"stream {time.monotonic()}\n" * 2)
            bursts += s.drain(0.01) != b""
        assert 0 < bursts <= 8, bursts
        add(s, "new-run", "the last line\n")
        s.wait(r"the last line")


def test_truncated_log_is_read_anew():
    with Screen(["--open", "log"], setup=runs) as s:
        s.wait(r"step 499 ")
        (s.dir / "runs/new-run/log.txt").write_text("a new beginning\n")
        s.wait(r"a new beginning")
        s.wait_gone(r"step 499 ")


def test_search():
    with Screen(["--open", "log"], setup=runs) as s:
        s.wait(r"step 499 ")
        s.keys("g", "/", "STEP 25")
        s.wait(r"^/ \(text, or /re/\): STEP 25")
        s.wait(r"line 26 of 500")
        s.keys("C-u", "/step (25")
        s.wait(r"line 1 of 500 ─")  # not searched for yet
        s.keys("/")
        s.wait(r"regular expression, at character 9: missing closing parenthesis")
        s.keys("Enter")  # waits for a better one
        s.keys("BSpace", "[0-9])/")
        s.wait_gone(r"regular expression")
        s.wait(r"line 251 of 500")
        s.keys("Enter", "n")
        s.wait(r"line 252 of 500")
        s.keys("N", "N")
        s.wait(r"line 260 of 500")
        s.keys("/", "C-u", "no such (thing", "Enter")
        s.wait(r"'no such \(thing' is not in the log")
        s.keys("Esc")
        s.wait_gone(r"/no such")
        s.keys("0", "7", "7", "g")
        s.wait(r"line 77 of 500")
        s.keys("/", "loss", "Esc")
        s.wait(r"line 77 of 500 ─")


def test_other_run_wrap_sideways_copy_and_output():
    with Screen(["--open", "log"], setup=runs) as s:
        s.wait(r"step 499 ")
        s.keys("r")
        s.wait(r"Log of which run")
        s.keys("old", "Enter")
        s.wait(r"Log · old-run")
        s.wait(r"the old log")
        assert "END" not in s.text()
        s.keys("w")
        s.wait(r"END")
        s.keys("w")
        s.wait_gone(r"END")
        s.keys(*["l"] * 20)
        s.wait(r"END")
        s.keys("y")
        s.wait(r"clipboard")
        copied = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x1b\\", s.raw)
        assert base64.b64decode(copied[-1]).decode() == LONG.rstrip("\n"), copied
        s.keys("o")
        s.wait(r"Output · old-run")
        s.wait(r"printed by the process")
        with open(s.dir / "runs/old-run/launch.log", "a", encoding="utf-8") as f:
            f.write("and more\n")
        s.wait(r"and more")
        s.keys("o")
        s.wait(r"the old log")
        s.keys("r", "silent", "Enter")
        s.wait(r"This run has no log")
        s.keys("o")
        s.wait(r"printed nothing")
        assert s.end("q") == 0


def test_long_log():
    """Only the end of a long log is read at first, and little is kept."""
    with Screen(["--open", "log"], setup=lambda d: fake_run(d / "runs", "big", log="x" * 99 + "\n" + "y" * 99 + "\n" + LINES * 2000)) as s:
        s.wait(r"step 499 ", 5)
        s.keys("g")
        s.wait(r"line 1 of ")
        with open(f"/proc/{s.child.pid}/statm", encoding="ascii") as f:
            pages = int(f.read().split()[1])
        assert s.end("q") == 0
        assert pages * 4096 < 400e6, pages


main(globals())
