#!/usr/bin/env python3
"""`bertty shot`: the same screen as on a terminal, as text, ANSI and SVG; without a terminal and without a trace."""
import os
import re
import subprocess
import tempfile
import unicodedata
import xml.etree.ElementTree
from pathlib import Path

import pyte

from scalars import write
from screen import BERTTY, ROOT, Screen, fake_run, live_status, main

VIEWS = ["runs", "data", "experiment", "charts", "predictions", "compare", "probe", "log"]
SIZES = ((80, 24), (120, 36))
NAME = "alpha-20261124-100000-3f2a"
SVG = "{http://www.w3.org/2000/svg}"
CELL_W, CELL_H, MARGIN, BASELINE = 8.4, 17, 8, 13


HOSTILE = "evil\x1b[31m\x1b]52;c;Zm9v\x07\x9b2J\u202egpj\u200b\U000e0041 ]]> <!-- &#0; \ufffe\uffff \x01\x0c e\u0301 \U0001f469\u200d\U0001f680 \u6f22\u5b57"


def setup(path):
    run = fake_run(path / "runs", NAME, log=f"step 1\nsaved <a> & \"b\"\n{HOSTILE}\n", step=80, total=80, best_step=60, started=1.7e9)
    write(run, [row for step in range(1, 81) for row in (("train/loss", step, 2 / (1 + step / 20)), ("train/epoch", step, step / 40))])
    fake_run(path / "runs", "beta", started=1.6e9)
    (path / "rows.tsv").write_text("text\tlabel\n" + "".join(f"row {n} 漢字 é <b> & 'c'\t{n % 2}\n" for n in range(50000)))


class Place:
    """A directory with two runs and a file, gone at the end."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="bertty-shot-")
        self.path = Path(self.temporary.name)
        setup(self.path)
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def run(self, *args, env=None):
        """Neither a terminal nor TERM nor a locale."""
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        return subprocess.run([BERTTY, "shot", *args], cwd=self.path, env={**kept, "HOME": str(self.path), **(env or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False, start_new_session=True)

    def shot(self, *args, env=None):
        done = self.run(*args, env=env)
        assert done.returncode == 0 and not done.stderr, (args, done)
        return done.stdout.decode()


def size(columns, rows):
    return f"--size={columns}x{rows}"


def test_the_same_as_on_a_terminal():
    with Place() as p:
        for columns, rows in SIZES:
            for view in VIEWS:
                picture = unicodedata.normalize("NFC", p.shot(view, size(columns, rows), "--format=txt")).splitlines()  # as pyte does
                assert len(picture) == rows, (view, picture)
                with Screen(["--open", view], rows=rows, columns=columns, directory=p.path) as s:
                    s.wait(rf"▸\d {view.capitalize()}")
                    s.settle(0.3)
                    s.until(lambda: s.lines() == picture or not s.drain(0.6), "the picture")
                    assert s.lines() == picture, "\n".join([view, *picture, s.dump()])


def test_keys_are_pressed():
    with Place() as p:
        assert "─ Keys ─" in p.shot("log", "--keys", "?", "--format=txt")
        text = p.shot("runs", "--keys", "j Space", "--format=txt")
        marked = [line for line in text.splitlines() if "beta" in line]
        assert any("●" in line for line in marked) and "─ beta" in text, text
        text = p.shot("runs", "--keys", "/ b e t a Enter", "--format=txt", size(80, 24))
        assert NAME[-4:] not in text.split("┌", 1)[1].split("├")[0] and "1 of 2" in text, text
        assert "▸5 Predictions" in p.shot("runs", "--keys", "  2   5 ", "--format=txt")


def test_work_has_ended():
    """The index of a file is complete, and so is what a key asks for, however often it is drawn."""
    with Place() as p:
        first = p.shot("data", "--open", "rows.tsv", "--keys", "G", "--format=txt")
        assert "row 49999 漢字 é <b> & 'c'" in first and re.search(r"50,000", first), first
        for _ in range(3):
            assert p.shot("data", "--open", "rows.tsv", "--keys", "G", "--format=txt") == first
        counted = p.shot("data", "--open", "rows.tsv", "--keys", "L", "--format=txt")
        assert counted.count("25,000") >= 2, counted


def width(c):
    return 0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1


def svg_lines(root, rows, columns):
    """The page's text by its places alone."""
    grid = [[" "] * columns for _ in range(rows)]
    for run in root.iter(f"{SVG}text"):
        x, y = (float(run.get("x")) - MARGIN) / CELL_W, (float(run.get("y")) - MARGIN - BASELINE) / CELL_H
        assert abs(x - round(x)) < 1e-6 and abs(y - round(y)) < 1e-6, run.attrib
        x, y = round(x), round(y)
        cells = sum(width(c) for c in run.text)
        assert abs(float(run.get("textLength")) - cells * CELL_W) < 1e-6, (run.text, run.attrib)
        for c in run.text:
            if width(c):
                assert grid[y][x] == " ", (run.text, "drawn over", grid[y])
                grid[y][x] = c
                x += 1
                if width(c) == 2:
                    grid[y][x] = ""
                    x += 1
            else:
                grid[y][x - 1] += c
    return ["".join(line).rstrip() for line in grid]


def test_svg():
    with Place() as p:
        for args in (("charts",), ("log",), ("data", "--open", "rows.tsv", "--keys", "j Enter"), ("runs", "--keys", "T")):
            plain = p.shot(*args, "--format=txt", size(100, 30)).replace("\u2800", " ").splitlines()
            page = p.shot(*args, size(100, 30))
            root = xml.etree.ElementTree.fromstring(page)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\ufffe\uffff]", page), page
            assert svg_lines(root, 30, 100) == [line.rstrip() for line in plain], page
            assert float(root.get("width")) == 2 * MARGIN + 100 * CELL_W and float(root.get("height")) == 2 * MARGIN + 30 * CELL_H
            assert not re.search(r"href|url\(|<script|@import", page)  # nothing from elsewhere
            assert root.findall(f"{SVG}rect"), page
            used = {run.get("class") for run in root.iter(f"{SVG}text")}
            styles = root.find(f"{SVG}style").text
            assert len(used) > 2 and all(re.search(rf"\.{name} {{ fill: #[0-9a-f]{{6}}", styles) for name in used), styles


def test_ansi():
    with Place() as p:
        for args in (("charts",), ("data", "--open", "rows.tsv")):
            plain = p.shot(*args, "--format=txt", size(100, 30)).splitlines()
            coloured = p.shot(*args, "--format=ansi", size(100, 30))
            screen = pyte.Screen(100, 31)
            pyte.Stream(screen).feed(coloured.replace("\n", "\r\n"))
            assert [line.rstrip() for line in screen.display[:30]] == [line.rstrip() for line in plain]
            assert screen.buffer[1][screen.display[1].index("▸")].fg == "82aaff"  # focus, of the dark theme
            assert screen.buffer[0][50].bg == "2b3245"  # bar
            assert all(line.endswith("\x1b[0m") for line in coloured.splitlines())
        codes = {"256": r"38;5;\d", "16": r"\x1b\[0[;0-9]*;9[0-7]m", "8": r"\x1b\[0[;0-9]*;3[0-7]m"}
        for count, pattern in codes.items():
            text = p.shot("charts", "--format=ansi", "--colours", count)
            assert re.search(pattern, text) and "38;2" not in text, count
            assert (count == "256") == ("38;5" in text) and not (count == "8" and re.search(r";9[0-7]m", text)), count
        assert not re.search(r"\x1b\[0(;\d+)*;[349]\d", p.shot("charts", "--format=ansi", "--colours=0"))
        plain = p.shot("log", "--format=ansi", env={"NO_COLOR": "1"})
        assert plain == p.shot("log", "--format=ansi", "--colours=0") != p.shot("log", "--format=ansi", "--colours=8", env={"NO_COLOR": "1"})
        own = p.shot("charts", "--format=ansi", "--theme=16-colour")  # with 24 bits too
        assert not re.search(r"[34]8;", own) and re.search(r"\x1b\[0;30;47m bertty", own) and "\x1b[0;1;96m" in own, own


def test_themes_and_ascii():
    with Place() as p:
        (p.path / "mine.yaml").write_text('text: {fg: "#010203", bg: "#fefefe"}\n')
        page = p.shot("log", "--theme", "./mine.yaml")
        assert "<rect width='100%' height='100%' fill='#fefefe'/>" in page and "fill: #010203" in page, page
        for theme, ground in (("dark", "101216"), ("light", "ffffff")):  # what suits a theme that leaves it to the terminal
            assert f"<rect width='100%' height='100%' fill='#{ground}'/>" in p.shot("log", "--theme", theme), theme
        assert p.shot("charts", "--ascii", "--format=txt").isascii()


def test_reversed_text_is_seen():
    """Black text that is reversed on the terminal's own background is a black bar with text that may be black too."""
    with Place() as p:
        for theme in ("16-colour", "colour-blind", "dark", "gruvbox", "high-contrast", "light", "monochrome", "solarized"):
            for colours in ("8", "16"):
                text = p.shot("runs", "--keys", "T", "--format=ansi", "--theme", theme, "--colours", colours)
                looks = set(re.findall(r"\x1b\[0([;0-9]*)m", text))
                assert len(looks) > 2 and not [look for look in looks if ";7;30" in look + ";" and ";4" not in look[1:]], (theme, colours, looks)


def test_every_theme_has_its_picture():
    """Those that the README links: small, whole, and in the theme's colours."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for theme in (ROOT / "themes").glob("*.yaml"):
        path = theme.with_suffix(".svg")
        page = path.read_text(encoding="utf-8")
        assert f"(themes/{path.name})" in readme and len(page.encode()) <= 30 * 1024, path
        lines = svg_lines(xml.etree.ElementTree.fromstring(page), 18, 80)
        assert "▸4 Charts" in lines[1] and "─ loss ─" in lines[3], lines
        styles = set(re.findall(r"fill: (#[0-9a-f]{6})", page))
        text = theme.read_text(encoding="utf-8")
        wanted = set(re.findall(r'^(?:series[0-5]|key|dim): "(#[0-9a-f]{6})"', text, re.M))
        assert wanted <= styles, (path, wanted - styles, "make pictures renews it")


def test_ages_of_a_picture():
    with Place() as p:
        for days, clock in (("1d", 1_700_000_060 + 86_400), ("2d", 1_700_000_060 + 2 * 86_400)):
            assert re.search(rf"alpha.* {days}│", p.shot("runs", "--format=txt", env={"SOURCE_DATE_EPOCH": str(clock)})), days


def test_into_a_file():
    with Place() as p:
        for name, begin in (("a.svg", "<svg "), ("a.txt", " bertty"), ("a.ansi", "\x1b[0")):
            assert p.shot("log", "-o", name) == ""
            assert (p.path / name).read_text().startswith(begin)
        assert p.shot("log", "-o", "a.svg", "--format", "txt") == "" and (p.path / "a.svg").read_text().startswith(" bertty")
        done = p.run("log", "-o", "no/such/a.svg")
        assert done.returncode == 1 and b"no/such/a.svg" in done.stderr, done


def test_no_trace():
    """What is kept between starts is neither read nor written."""
    with Place() as p:
        state = p.path / ".local/state/bertty"
        before = p.shot("runs", size(80, 24))
        p.shot("experiment", "--keys", "j Enter 4 T")
        assert not state.exists() and not (p.path / ".local").exists()
        state.mkdir(parents=True)
        (state / "state.json").write_text('{"theme": "light", "marks": ["%s"], "history": {}}' % (p.path / "runs/beta").resolve())
        assert p.shot("runs", size(80, 24)) == before
        assert sorted(path.name for path in state.iterdir()) == ["state.json"]
        (p.path / "e.yaml").write_text("run: {name: x}\n")
        text = p.shot("experiment", "--open", "e.yaml", "--keys", ": e d i t Space e . y a m l Enter", "--format=txt", env={"EDITOR": "touch ran"})
        assert "an editor needs a terminal" in text and not (p.path / "ran").exists(), text


def test_a_live_run_ends():
    with Place() as p:
        fake_run(p.path / "runs", "live", **live_status(step=5, total=9, started=1.8e9))
        assert "live" in p.shot("runs", "--format=txt")


def test_mistakes():
    with Place() as p:
        for args, word in ((("chart",), "no view 'chart' (did you mean 'Charts'?)"), (("xyzzy",), "no view 'xyzzy': there are runs, data"),
                           ((), "VIEW"), (("runs", "--size", "80"), "--size: found '80', expected COLUMNSxROWS"),
                           (("runs", "--size", "0x24"), "1x1 to 1000x500"), (("runs", "--size", "80x501"), "1x1 to 1000x500"),
                           (("runs", "--keys", "j Entr"), "no key 'Entr' (did you mean 'Enter'?)"), (("runs", "--keys", "word"), "no key 'word'"),
                           (("runs", "-o", "a.png"), "-o: found 'a.png'"), (("runs", "--open", "rows.tsv"), "opened in data or experiment"),
                           (("runs", "--theme", "nine"), "no theme 'nine'"), (("runs", "--theme", "drak"), "(did you mean 'dark'?)"), (("runs", "--colours", "12"), "--colours")):
            done = p.run(*args)
            assert done.returncode == 2 and word.encode() in done.stderr and len(done.stderr.splitlines()) == 1, (args, done)
            assert not done.stdout and not (p.path / "a.png").exists()
        for columns, rows in ((1, 1), (39, 9), (40, 10), (300, 100)):
            assert len(p.shot("runs", "--format=txt", size(columns, rows)).splitlines()) == rows


main(globals())
