#!/usr/bin/env python3
"""The workbench's frame: views, help, command line, sizes, terminals, signals, what reaches the terminal."""
import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time

from screen import BERTTY, BERTTY_FAST, Screen, Skip, fake_run, live_status, main

VIEWS = ["Runs", "Data", "Experiment", "Charts", "Predictions", "Compare", "Probe", "Log", "Study"]
RESTORED = [b"\x1b[?1049l", b"\x1b[?1002l", b"\x1b[?2004l"]


def front(name):
    return rf"▸\d {name}"


def test_views_open():
    with Screen() as s:
        s.wait(front("Runs"))
        for i, name in enumerate(VIEWS):
            s.keys(str(i + 1))
            s.wait(front(name))
        assert s.end("q") == 0
        for sequence in RESTORED:
            assert s.raw.endswith(sequence) or sequence in s.raw[-200:], (sequence, s.raw[-200:])


def test_open_option_and_tabs_by_mouse():
    with Screen(["--open", "log"]) as s:
        s.wait(front("Log"))
        column = s.lines()[1].index("4Charts") + 1
        s.click(2, column)
        s.wait(front("Charts"))
    for args, word in ((["--open", "chart"], "did you mean 'Charts'"), (["--theme", "nine"], "no theme 'nine'"),
                       (["--nonsense"], "no option --nonsense")):
        with Screen(args) as s:
            assert s.end() == 2
            assert word in s.text(), s.dump()


def test_help():
    with Screen(rows=40, columns=120) as s:
        s.wait(front("Runs"))
        s.keys("?")
        s.wait(r"Keys")
        s.wait(r"q Ctrl-c +leave; runs go on")
        s.keys("Esc")
        s.wait_gone(r"leave; runs go on")
        assert s.end("q") == 0


def test_help_names_what_works():
    """Neither panes in a view that has one nor finds where nothing is searched for; a click on `? help` opens it."""
    for view, there, missing in (("compare", "choose the runs", "next pane|next find"), ("log", "next find", "next pane|go in"),
                                 ("predictions", "next pane", "next find")):
        with Screen(["--open", view], rows=36, columns=120) as s:
            s.wait(r"\? help$")
            s.click(36, 117)
            s.wait(r"─ Keys ─")
            s.wait(there)
            s.wait_gone(missing)
            s.keys("Esc")
            s.wait_gone("─ Keys ─")
            assert s.end("q") == 0


def test_help_tells_marks():
    for view, meaning in (("experiment", r"-  +unused with the task"), ("predictions", r"⟦…⟧  +the aspect; of a passage"),
                          ("data", r"«…»  +the answer"), ("charts", r"★  +on the x axis: the best"), ("compare", r"\*  +the best of a metric")):
        with Screen(["--open", view], rows=60, columns=80) as s:
            s.wait(r"\? help$")
            s.keys("?")
            s.wait(r"Marks")
            s.wait(meaning)
            s.keys("Esc")
            assert s.end("q") == 0


def test_help_is_whole():
    """No help of a view is cut off, whatever the width: long lines go on below."""
    for columns in (60, 120):
        for view in ("runs", "data", "experiment", "charts", "predictions", "compare", "probe", "log"):
            with Screen(["--open", view], rows=100, columns=columns) as s:
                s.wait(front(view.capitalize()))
                s.keys("F1")
                s.wait(r"─ Keys ─")
                s.wait(r"leave; runs go on")
                lines = s.lines()
                first = next(i for i, line in enumerate(lines) if "─ Keys ─" in line)
                end = next(i for i, line in enumerate(lines) if "other keys close" in line)
                assert not [line for line in lines[first:end] if re.search(r"[^…]… *│", line)], s.dump()


def test_title_at_80_columns():
    """Of a long name the end stays, and the metric comes before the steps."""
    name = "a-long-name-of-an-experiment-20261124-110859-3f2a"
    with Screen(setup=lambda d: fake_run(d / "runs", name)) as s:
        s.wait(r"^ bertty · a-long-name-of…-3f2a +finished · accuracy 0.8750 · step 100/100$")
        s.resize(24, 120)
        s.wait(rf"^ bertty · {name} +finished · accuracy 0.8750 · step 100/100$")
        s.resize(10, 40)
        s.wait(r"^ bertty · …\S*-3f2a +finished$")


def test_way_out_of_the_text():
    """Where keys are text, the bottom line says how to get at the others, however narrow."""
    name = "movie-reviews-20261124-110859-3f2a"
    with Screen(["--open", "probe"], rows=16, columns=60, setup=lambda d: fake_run(d / "runs", name)) as s:
        s.wait(r"^ Esc leave the text.* F1 help$")
        s.keys("good")
        s.wait(r"● movie-reviews-…-3f2a")


def test_command_line():
    with Screen(rows=30, columns=100) as s:
        s.wait(front("Runs"))
        s.keys(":", "pag", "Tab")
        s.wait(r"^:page-")
        s.wait(r"^│ page-down")  # two candidates share a beginning
        s.keys("C-u", "the", "Tab")
        s.wait(r"^:theme")
        s.keys(" mono", "Tab")
        s.wait(r"^:theme monochrome")
        s.keys("Enter")
        s.wait_gone(r"^:")
        s.keys(":", "Up")
        s.wait(r"^:theme monochrome")
        s.keys("C-u", "data", "Enter")
        s.wait(front("Data"))
        s.keys(":", "nonsense", "Enter")
        s.wait(r"no command 'nonsense'")
        s.keys(":", "open no-such-file", "Enter")
        s.wait(r"no-such-file: No such file or directory")
        s.keys(":", "xyz", "Esc")
        s.wait_gone(r"^:xyz")
        s.keys(":", "quit", "Enter")
        assert s.end() == 0


def test_choose_theme():
    with Screen() as s:
        s.wait(front("Runs"))
        s.keys("T")
        s.wait(r"Theme")
        s.keys("zzz")
        s.wait(r"nothing matches")
        s.keys("C-u", "high")
        s.wait(r"high-contrast")
        s.keys("Enter")
        s.wait_gone(r"Theme")
        assert b"48;5;16" in s.raw  # its black background


def test_the_theme_is_kept():
    """For all runs directories; what belongs to one of them is in test_habits.py. A damaged file is told, and the usual theme taken."""
    with Screen(setup=lambda d: fake_run(d / "runs", "a-run")) as s:
        s.wait(front("Runs"))
        s.keys(":", "theme high-contrast", "Enter")
        s.wait_gone(r"^:")
        assert s.end("q") == 0
        path = s.dir / ".local/state/bertty/state.json"
        assert json.loads(path.read_text()) == {"version": 1, "theme": "high-contrast"}
        with Screen(["--runs", "other"], directory=s.dir) as again:
            again.wait(front("Runs"))
            assert b"48;5;16" in again.raw
            assert again.end("q") == 0
        path.write_text('{"theme": ["damaged", "marks": 7')
        with Screen(directory=s.dir) as again:
            again.wait(front("Runs"))
            again.wait("^ state.json:1:")
            assert again.end("q") == 0


def test_user_keys_and_themes():
    def setup(d):
        (d / ".config/bertty/themes").mkdir(parents=True)
        (d / ".config/bertty/keys.yaml").write_text("workbench:\n  quit: F5\n")
        (d / ".config/bertty/themes/mine.yaml").write_text('title: {fg: "#ff0000", bold: true}\n')
    with Screen(["--theme", "mine"], setup=setup) as s:
        s.wait(front("Runs"))
        s.keys("q", "2")
        s.wait(front("Data"))
        assert s.end("F5") == 0

    def bad_keys(d):
        (d / ".config/bertty").mkdir(parents=True)
        (d / ".config/bertty/keys.yaml").write_text("workbench:\n  quti: F5\n")
    with Screen(setup=bad_keys) as s:
        assert s.end() == 2
        assert "keys.yaml:2:3: 'quti' is no action" in s.text().replace("\n", ""), s.dump()

    def bad_theme(d):
        (d / ".config/bertty/themes").mkdir(parents=True)
        (d / ".config/bertty/themes/mine.yaml").write_text("titel: default\n")
    with Screen(["--theme", "mine"], setup=bad_theme) as s:
        s.wait(front("Runs"))
        s.wait(r"^ mine.yaml:1:1: no role 'titel' \(did you mean 'title'\?\)$")
        assert uses(s, "dark")
        s.keys("j")
        s.wait_gone("mine.yaml")
        s.keys(":", "theme mine", "Enter")
        s.wait(r"^ mine.yaml:1:1: no role 'titel'")
        assert s.end("q") == 0

    def kept_is_bad(d):
        bad_theme(d)
        (d / ".local/state/bertty").mkdir(parents=True)
        (d / ".local/state/bertty/state.json").write_text('{"theme": "mine", "marks": [], "history": {}}')
    with Screen(setup=kept_is_bad) as s:
        s.wait(front("Runs"))
        s.wait(r"^ mine.yaml:1:1: no role 'titel'")
        assert s.end("q") == 0
        assert json.loads((s.dir / ".local/state/bertty/state.json").read_text())["theme"] == "mine"  # mended, it comes back


def uses(s, theme):
    """By the colour of a key's name, 256 of them."""
    colour = {"dark": b"38;5;111m", "light": b"38;5;25m"}[theme]
    return colour in s.raw[s.raw.rindex(b"\x1b[H") if b"\x1b[H" in s.raw else 0:]


QUERY = b"\x1b]11;?\x1b\\\x1b[?2026$p\x1b[c"


def test_background():
    """The terminal is asked only where nobody chose; its answer counts whenever it comes, and more than COLORFGBG."""
    for answers, env, theme in ((["\x1b]11;rgb:ffff/ffff/ffff\x1b\\"], {}, "light"), (["\x1b]11;rgb:1e/1e/2e\x07"], {}, "dark"),
                                (["\x1b]11;rgba:f/f/f/0\x07"], {}, "light"), (["\x1b]11;rgb:fdf6", "/e3e3/d5", "d5\x1b", "\\"], {}, "light"),
                                ([], {}, "dark"), ([], {"COLORFGBG": "0;15"}, "light"), ([], {"COLORFGBG": "15;default;0"}, "dark"),
                                (["\x1b]11;rgb:0000/0000/0000\x1b\\"], {"COLORFGBG": "0;15"}, "dark"), (["\x1b]11;rgb:12\x07"], {}, "dark"),
                                (["\x1b]11;rgb://\x07"], {}, "dark")):
        with Screen(env=env) as s:
            s.wait(front("Runs"))
            assert QUERY in s.raw and s.raw.count(b"]11;?") == 1, s.raw[:200]
            for part in answers:
                s.send(part)
                s.drain(0.1)  # longer than a lone Esc is waited for
            s.send("\x1b[?64;1;2c")
            s.until(lambda: uses(s, theme), theme)
            s.keys("2")  # nothing of it was a key, and keys are keys again
            s.wait(front("Data"))
            s.keys("Esc", "1")
            s.wait(front("Runs"))
            assert s.end("q") == 0
            assert not (s.dir / ".local/state/bertty/state.json").exists()  # nobody has chosen
    for args, setup in ((["--theme", "dark"], None), ([], kept_theme)):
        with Screen(args, setup=setup) as s:
            s.wait(front("Runs"))
            assert b"]11;?" not in s.raw
            s.send("\x1b]11;rgb:ffff/ffff/ffff\x07")
            s.keys("2")
            s.wait(front("Data"))
            assert b"38;5;25m" not in s.raw
    with Screen() as s:
        s.wait(front("Runs"))
        s.keys(":", "theme high-contrast", "Enter")
        s.wait_gone("^:")
        s.send("\x1b]11;rgb:ffff/ffff/ffff\x07")  # late: somebody has chosen meanwhile
        s.keys("2")
        s.wait(front("Data"))
        assert b"38;5;25m" not in s.raw
    for term in ("linux", "vt220"):
        with Screen(env={"TERM": term}) as s:
            s.wait(r"1 Runs")
            assert b"]11;?" not in s.raw


def test_synchronized_frames():
    """Where the terminal has them each frame is bracketed, and what changes nothing sends nothing; elsewhere none is."""
    begin, end = b"\x1b[?2026h", b"\x1b[?2026l"
    for answer, has in (("\x1b[?2026;2$y", True), ("\x1b[?2026;0$y", False), ("\x1b[?2025;2$y", False)):
        with Screen(setup=lambda d: fake_run(d / "runs", "a-run")) as s:
            s.wait(front("Runs"))
            s.wait("a-run")
            s.settle(0.3)
            s.send(answer + "\x1b[?64;1;2c")
            s.until(s.is_read, "the answer read")
            before = len(s.raw)
            s.keys("2")
            s.wait(front("Data"))
            s.settle(0.3)
            sent = s.raw[before:]
            assert (sent.count(begin), sent.count(end)) == ((sent.count(begin),) * 2 if has else (0, 0)), sent
            if has:
                assert sent.startswith(begin) and sent.endswith(end) and 1 <= sent.count(begin) <= 4, sent
            s.keys("1")
            s.wait(front("Runs"))
            s.settle(0.3)
            s.keys("k")  # at the top: nothing moves, nothing is sent
            assert s.quiet(0.8) == b"", s.raw[-200:]
            before = len(s.raw)
            s.keys("C-l")
            s.until(lambda: b"\x1b[2J" in s.raw[before:], "everything anew")
            assert s.end("q") == 0


def kept_theme(d):
    (d / ".local/state/bertty").mkdir(parents=True)
    (d / ".local/state/bertty/state.json").write_text('{"theme": "dark", "marks": [], "history": {}}')


def test_fewer_colours():
    """256 → 16 → 8 → none: the nearest that there is; where a background could hide its text, attributes stand for it."""
    default = ("default", "default", True)
    for args, env, focus, title in (([], {}, b"38;5;111m", ("e4e4e4", "303030", False)), (["--colours", "true"], {}, b"38;5;111m", ("e4e4e4", "303030", False)),
                                    (["--colours", "16"], {}, b"94m", default), (["--colours", "8"], {}, b"34m", default),
                                    ([], {"TERM": "xterm"}, b"34m", default), (["--colours", "0"], {}, None, default), ([], {"NO_COLOR": "1"}, None, default),
                                    (["--theme", "16-colour"], {}, b"96m", ("black", "white", False)),
                                    (["--theme", "16-colour", "--colours", "8"], {}, b"36m", ("black", "white", False)),
                                    (["--theme", "high-contrast", "--colours", "8"], {}, b"33m", ("white", "black", True)),
                                    (["--theme", "gruvbox", "--colours", "16"], {}, b"93m", default), (["--theme", "monochrome"], {}, None, default)):
        with Screen(args, env=env) as s:
            s.wait(front("Runs"))
            s.settle(0.2)
            cell = s.screen.buffer[0][1]
            assert (cell.fg, cell.bg, cell.reverse) == title, (args, env, cell)
            assert focus in s.raw if focus else not COLOUR.search(s.raw), (args, env, s.raw)
            assert s.end("q") == 0


def test_title_shows_the_newest_run():
    def setup(d):
        fake_run(d / "runs", "older-run", started=1.6e9)
        fake_run(d / "runs", "live-run", **live_status(step=412, total=975, epoch=1.27, eta_s=98, started=1.8e9))
    with Screen(setup=setup, columns=120) as s:
        s.wait(r"live-run .*training · step 412/975 · 1m38s left · epoch 1.27 · 2,913 tok/s")
        fake = live_status(step=413, total=975, epoch=1.28, eta_s=95, started=1.8e9)
        path = s.dir / "runs/live-run/status.json"
        (s.dir / "new").write_text(json.dumps(fake))
        os.replace(s.dir / "new", path)
        s.wait(r"step 413/975 · 1m35s left")


def test_sizes():
    with Screen() as s:
        s.wait(front("Runs"))
        for rows, columns in ((1, 1), (9, 80), (9, 30), (24, 39), (2, 200), (10, 40), (1, 300), (200, 300), (24, 80)):
            s.resize(rows, columns)
            if rows >= 10 and columns >= 40:
                s.wait(r"▸1")
            elif columns > 20:
                s.wait(r"^\d+×\d+: bertty needs 40×10$")
        for i in range(200):
            s.resize(10 + i % 37, 40 + i * 7 % 90)
        s.resize(30, 100)
        s.wait(r"└─{98}┘")
        assert s.end("q") == 0
    for rows, columns in ((1, 1), (1, 80), (5, 5)):
        with Screen(rows=rows, columns=columns) as s:
            s.until(lambda: s.raw, "some output")
            s.resize(24, 80)
            s.wait(front("Runs"))
            assert s.end("q") == 0


def test_terminals():
    for term, word in ((None, "TERM is not set"), ("", "TERM is not set"), ("no-such-terminal", "no-such-terminal"),
                       ("dumb", "cannot move its cursor")):
        with Screen(env={"TERM": term}) as s:
            assert s.end() == 1, s.dump()
            assert word in s.text(), s.dump()
            assert b"\x1b" not in s.raw, s.raw
    for term in ("vt100", "linux", "xterm", "screen-256color", "tmux-256color"):
        with Screen(env={"TERM": term}) as s:
            s.wait(front("Runs"))
            s.keys("3")
            s.wait(front("Experiment"))
            assert s.end("q") == 0


COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7])(?:;[0-9;]*)?m")


def test_no_colour():
    with Screen(env={"NO_COLOR": "1"}) as s:
        s.wait(front("Runs"))
        assert not COLOUR.search(s.raw), COLOUR.search(s.raw)
    with Screen() as s:
        s.wait(front("Runs"))
        assert COLOUR.search(s.raw)


DIRECT = r"""xterm-direct|for the test, use=xterm-256color, RGB, colors#0x1000000, pairs#0x10000,
	setab=\E[48;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%dm,
	setaf=\E[38;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%dm,
"""


def test_true_colour():
    if not shutil.which("tic"):
        raise Skip("tic is missing")

    def setup(d):
        subprocess.run(["tic", "-x", "-o", str(d / ".terminfo"), "-"], input=DIRECT.replace(", use=", ",\n\tuse="), text=True, check=True)
    for env, found in (({"COLORTERM": "truecolor"}, True), ({"TERM": "xterm-direct"}, True), ({}, False),
                       ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, False)):
        with Screen(["--theme", "dark"], env=env, setup=setup) as s:
            s.wait(front("Runs"))
            assert (b"38;2;130;170;255" in s.raw) == found, (env, s.raw)


def test_editor():
    """Leaves the screen to $EDITOR and comes back: from the theme's point of view nothing has happened."""
    def setup(d):
        (d / "ed").write_text("#!/bin/sh\necho EDITING $1 $2; read answer; echo changed > $2\n")
        (d / "ed").chmod(0o755)
        (d / "e.yaml").write_text("run: {name: x}\n")
    with Screen(env={"EDITOR": "./ed --wait"}, setup=setup) as s:
        s.wait(front("Runs"))
        s.keys(":", "edit e.yaml", "Enter")
        s.wait(r"EDITING --wait e.yaml")
        s.keys("Enter")
        s.until(lambda: (s.dir / "e.yaml").read_text() == "changed\n", "a changed file")
        s.wait_gone(r"EDITING")
        s.keys("2")
        s.wait(front("Data"))
    with Screen(env={"EDITOR": "no-such-editor"}, setup=setup) as s:
        s.wait(front("Runs"))
        s.keys(":", "edit e.yaml", "Enter")
        s.wait(r"'no-such-editor' could not be started")


def test_ascii():
    for args, env in (([], {"LANG": "C"}), (["--ascii"], {})):
        with Screen(args, env=env) as s:
            s.wait(r">1 Runs")
            s.keys("?")
            s.wait(r"\+- Keys -")
            assert max(s.raw) < 0x80, [b for b in s.raw if b >= 0x80]


def test_no_terminal():
    done = subprocess.run([BERTTY], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert done.returncode == 1 and b"needs a terminal" in done.stderr and not done.stdout, done


def test_signals_restore_the_terminal():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        with Screen() as s:
            s.wait(front("Runs"))
            s.kill(number)
            began = time.monotonic()
            assert s.end() == -number
            assert time.monotonic() - began < 1.5
            for sequence in RESTORED:
                assert sequence in s.raw[-200:], (number, sequence, s.raw[-200:])


def test_a_crash_restores_the_terminal():
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
        with Screen(program=BERTTY_FAST) as s:
            s.wait(front("Runs"))
            s.kill(number)
            assert s.end() == -number
            for sequence in [*RESTORED, b"\x1b[?2026l"]:
                assert sequence in s.raw[-200:], (number, sequence, s.raw[-200:])


NOISE = r"""
#include <pthread.h>
#include <unistd.h>
static const char text[] = "a library \033[31mprints\n";
static void *noise(void *x) { for (;;) { usleep(20000); if (write(2, text, sizeof text - 1) < 0) return x; } }
__attribute__((constructor)) static void begin(void) { pthread_t t; pthread_create(&t, 0, noise, 0); }
"""


def test_stray_prints_do_not_spoil_the_screen():
    if not shutil.which("cc"):
        raise Skip("no C compiler")

    def setup(d):
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(d / "noise.so")], input=NOISE, text=True, check=True)
    with Screen(env={"LD_PRELOAD": "./noise.so"}, setup=setup, program=BERTTY_FAST) as s:
        s.wait(front("Runs"))
        s.settle(0.4)  # it would never come to rest if that reached the screen
        assert s.end("q") == 0
        assert b"a library ?[31mprints" in s.raw[s.raw.index(b"\x1b[?1049l"):], s.raw[-400:]


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return f.read().rpartition(")")[2].split()[0]


def test_stop_and_continue():
    """Ctrl-Z and SIGTSTP give the terminal back first; SIGSTOP cannot, but what follows it is drawn whole again."""
    ways = ((lambda s: s.kill(signal.SIGTSTP), True), (lambda s: s.keys("C-z"), True), (lambda s: s.kill(signal.SIGSTOP), False))
    for stop, polite in ways:
        with Screen() as s:
            s.wait(front("Runs"))
            s.drain(0)
            before = len(s.raw)
            stop(s)
            s.until(lambda: state_of(s.child.pid) == "T", "a stopped process")
            s.drain(0.05)
            assert all(sequence in s.raw[before:] for sequence in RESTORED) == polite, s.raw[before:]
            s.screen.reset()
            s.kill(signal.SIGCONT)
            s.wait(front("Runs"))
            s.keys("4")
            s.wait(front("Charts"))
            assert s.end("q") == 0


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_hang_up():
    """The terminal goes away without a word: no spinning, gone within a second."""
    with tempfile.TemporaryDirectory() as home:
        pid, fd = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # not even that
            os.chdir(home)
            os.execve(BERTTY, [BERTTY], {**os.environ, "HOME": home, "TERM": "xterm", "LANG": "C.UTF-8"})
        seen = b""
        while b"Runs" not in seen:
            seen += os.read(fd, 65536)
        os.close(fd)
        began = time.monotonic()
        end = began + 10
        done = 0
        while not done and time.monotonic() < end:
            done, status = os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)
        if not done:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        assert done and time.monotonic() - began < 1.5, time.monotonic() - began
        assert status != 0


def test_terminal_that_nobody_reads():
    """A full pseudo-terminal blocks its writer: SIGTERM ends it all the same."""
    with Screen(rows=200, columns=300) as s:
        s.until(lambda: s.raw, "some output")
        for _ in range(300):
            s.keys("2", "C-l", "1", "C-l")
        time.sleep(0.2)  # nothing is read meanwhile
        s.kill(signal.SIGTERM)
        end = time.monotonic() + 3
        while s.alive() and time.monotonic() < end:
            time.sleep(0.02)
        assert not s.alive()
        assert s.child.signalstatus == signal.SIGTERM, s.child.signalstatus


def test_idle_is_silent():
    """In every view: all at once, so that it takes a second, not nine."""
    def setup(d):
        for i in range(50):
            fake_run(d / "runs", f"run-{i:02}", log="a line\n" * 100)
    with contextlib.ExitStack() as stack:
        screens = [stack.enter_context(Screen(["--open", view.lower()], setup=setup, program=BERTTY_FAST)) for view in VIEWS]
        for s, view in zip(screens, VIEWS):
            s.wait(front(view))
        for s in screens:
            s.settle()
        screens[0].until(lambda: not any([s.drain(0.7 if s is screens[0] else 0) for s in screens]), "rest in all views at once")
        before = [cpu_ticks(s.child.pid) for s in screens]
        sent = [screens[0].drain(1.5)] + [s.drain(0) for s in screens[1:]]
        for s, ticks, was_sent in zip(screens, before, sent):
            assert was_sent == b"", (s.lines()[1], was_sent)
            assert cpu_ticks(s.child.pid) - ticks <= 6, s.lines()[1]


HOSTILE = "evil\x1b[31m\x1b]52;c;Zm9v\x07\x9b2J\u202egpj\u200b\U000e0041end"


def test_hostile_text():
    name = "a\x1b[2Jb\u202ec\x07"
    with Screen(columns=120, setup=lambda d: fake_run(d / "runs", name, log=HOSTILE + "\n", name=HOSTILE, error=HOSTILE)) as s:
        s.wait(r"a\\x1b\[2Jb\\u202ec\\x07")
        for key in "12345678":
            s.keys("M-" + key)
            s.wait(rf"▸{key}")
        s.keys(":", "open ")
        s.paste("\x1b[31m\x07x\u202ey")
        s.wait(r"^:open \[31mx\\u202ey")
        s.keys("Esc")
        s.drain(0.2)
        for bad in (b"\x1b]52;c;Zm9v", b"\x1b[31m\x1b]52", b"\x1b[2Jb", b"\xe2\x80\xae", b"\xe2\x80\x8b", b"\xf3\xa0\x81\x81"):
            assert bad not in s.raw, bad


def test_keys_before_the_first_frame():
    """Typed ahead of it, while the shell still had the terminal: they wait for their view."""
    for keys in ("j", "8G", "\x1b[<0;5;5M", "\x1b[200~text\x1b[201~", ":view-8\r"):
        for opened in ("runs", "probe", "data"):
            with Screen(["--open", opened], setup=lambda d: fake_run(d / "runs", "a-run", log="a line\n")) as s:
                s.send(keys)
                s.wait(front("Log") if keys in ("8G", ":view-8\r") and opened != "probe" else front("\\w+"))
                s.keys("Esc", "M-1")
                s.wait(front("Runs"))
                assert s.end("q") == 0


def test_counts():
    with Screen() as s:
        s.wait(front("Runs"))
        s.keys("0", "1", "2")
        s.wait(r"12×")
        s.keys("Esc", "2")
        s.wait(front("Data"))


def test_escape_is_a_key_however_late_it_is_seen():
    """The program is held up while it waits for what may follow an Esc; by the time it goes on, the next key is there."""
    for _ in range(3):
        with Screen() as s:
            s.wait("Runs")
            s.escape()
            s.kill(signal.SIGSTOP)
            s.send("q")
            s.drain(0.06)
            s.kill(signal.SIGCONT)
            s.until(lambda: not s.alive(), "the end: q, not Alt-q")


def test_strange_input():
    """Broken sequences and bytes do nothing, and nothing is lost after them."""
    with Screen() as s:
        s.wait(front("Runs"))
        s.child.send(b"\xff\xfe\xc3\x1b[\x1b[999;999;999;999;999~\x1b[<0;0;0M\x1b[<99;1;1M\x1bP1$r0m\x1b\\\x1b]11;rgb:0/0/0\x07\x1b[M\x20\x21\x21")
        s.keys("5")
        s.wait(front("Predictions"))
        s.child.send(b"\x1b[200~no end of this 1 2 3 q")
        s.child.send(b"\x1b[201~")
        s.keys("3")
        s.wait(front("Experiment"))
        s.keys("Esc", "M-6")
        s.wait(front("Compare"))
        assert s.end("q") == 0


main(globals())
