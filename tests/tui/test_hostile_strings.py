#!/usr/bin/env python3
"""Five hundred hostile strings in every place where a string can come from a file: what a terminal gets is, byte by byte, only what the program itself sends."""
import functools
import itertools
import json
import os
import re
import tempfile
import unicodedata
from pathlib import Path

import tiny_bert
from refusal import on_terminal
from scalars import write
from screen import BERTTY_FAST, Screen, fake_run, main

# ── the strings ──

C1 = {name: chr(code) for name, code in zip(("PAD HOP BPH NBH IND NEL SSA ESA HTS HTJ VTS PLD PLU RI SS2 SS3 DCS PU1 PU2 STS CCH MW SPA EPA SOS SGCI SCI CSI ST OSC PM APC").split(), range(0x80, 0xa0))}
CSI = ["2J", "H", "31m", "?1049h", "?1049l", "?25l", "?1000h", "?2004h", "6n", "c", ">c", "=c", "5n", "?6n", "21t", "18t", "22;0t", "8;5;5t", "3;0;0t", "!p", "?1;2$y", "4h",
       "20h", "r", "1;5r", "s", "u", "10S", "10T", "1000b", "?5h", "?3h", "0 q", ">4;2m", "?47h", "1;1;5;5$x", "?1004h", "1 @", "i", "5i", "?5i", "9;1t", "x", "?996n", ">q"]
OSC = ["0;title", "2;title", "1;icon", "4;1;rgb:00/00/00", "10;?", "11;?", "11;#ff0000", "7;file://host/etc", "8;;http://evil/", "9;notify", "50;font", "52;c;UFdO", "52;p;?",
       "104", "112", "133;A", "633;E;rm", "777;notify;a;b", "1337;File=inline=1:AAAA", "1337;SetMark", "22;pointer", "66;s=2;big", "99;i=1;hello", "5522;type=read"]
STRINGS_IN = ["P$q\"p", "P+q544e", "P=1s", "Pq#0;2;0;0;0~", "_Ga=T;AAAA", "^private", "Xsos", "P1000p", "Ptmux;\x1b\x1b]52;c;UFdO\x07"]
SHORT = ["c", "7", "8", "D", "E", "M", "Z", "=", ">", "#8", "(0", ")0", "%G", "%@", "n", "o", "|", "}", "~", "N", "O", "l", "m", " F", "6", "9", "\x1b", "\x1b[", "\\"]


def bodies():
    for code in [*range(1, 0x20), 0x7f]:
        yield chr(code)
    for each in C1.values():
        yield each
        yield each + "31mx"
    for body in CSI:
        yield "\x1b[" + body
        yield C1["CSI"] + body
    for body in OSC:
        for begin, end in (("\x1b]", "\x07"), ("\x1b]", "\x1b\\"), (C1["OSC"], C1["ST"]), ("\x1b]", "")):
            yield begin + body + end
    for body in STRINGS_IN:
        yield "\x1b" + body + "\x1b\\"
        yield "\x1b" + body
    for body in SHORT:
        yield "\x1b" + body
    for code in [0xad, 0x61c, 0x180e, *range(0x200b, 0x2010), *range(0x2028, 0x202f), *range(0x2060, 0x2070), 0xfeff, *range(0xfff9, 0xfffc), *range(0x1d173, 0x1d17b), 0xe0001, *range(0xe0020, 0xe007f, 4)]:
        yield chr(code)
    for code in [0xe000, 0xf8ff, 0xf0000, 0x10fffd, 0xfdd0, 0xfffe, 0xffff, 0x1fffe, 0x10ffff, 0x378, 0xe01f0]:
        yield chr(code)
    yield "e" + "\u0301" * 300
    yield "\u0bcc" * 40 + "\ufdfd" * 3
    yield "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    yield "\u202e\u2066\u2067\u2068\u202d" * 20
    yield "x" * 5000
    yield "\x1b" * 100
    for first, second in itertools.product(("\r", "\n", "\b", "\x0e", "\x1b[A", "\x1b[1G"), ("fake line", "\x1b[K", "bertty: all is well", "\t\t")):
        yield "shown" + first + second
    for cover, body in itertools.product(("\U000e0041", "\u200d", "\u2066", "\x85", "\x18", "\x1b%"), ("\x1b[", C1["CSI"], "\x1b]", C1["OSC"], "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1b(")):
        yield cover + body + "1;2m"
    for raw in (b"\x80", b"\xff\xfe", b"\xc0\x9b31m", b"\xe0\x80\x9b", b"\xf8\x88\x80\x80\x80", b"\xed\xa0\x80", b"\xc2", b"\xe2\x80", b"\xf4\x90\x80\x80", b"\x9b31m", b"\x9d52;c;UFdO\x9c", b"\x90q\x9c"):
        yield raw.decode(errors="surrogateescape")


STRINGS = [f"q{i:03}{body}z{i:03}" for i, body in enumerate(bodies())]
ONE_LINE = [s for s in STRINGS if "\n" not in s and "\r" not in s]


def as_bytes(text):
    return text.encode(errors="surrogateescape")


def as_text(text):
    """Without what is no UTF-8."""
    return as_bytes(text).decode(errors="replace")


# ── what may arrive ──

OWN = re.compile(r"\x1b\[[0-9;?>]*[A-Za-z@`]|\x1b\[\?[0-9;]*\$p|\x1b[()][0AB]|\x1b[=>78M]|\x1b\]11;\?(?:\x07|\x1b\\)|\x1b\]52;c;[A-Za-z0-9+/=]*\x1b\\|\x1bP\+q[0-9a-f;]*\x1b\\|[\r\n\b\t\x0f\x0e]")


def check(where, raw, shown):
    """shown: at least so many of the strings must be there in their visible form, or the test would prove nothing."""
    text = raw.decode()  # or it is no UTF-8
    rest = OWN.sub("", text)
    bad = sorted({f"U+{ord(c):04X}" for c in rest if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")})
    if bad:
        at = next(i for i, c in enumerate(rest) if f"U+{ord(c):04X}" in bad)
        raise AssertionError(f"{where}: {bad[:9]}: {rest[max(0, at - 60):at + 60]!r}")
    for s in STRINGS:
        if not s.isprintable() and as_bytes(s) in raw:
            raise AssertionError(f"{where}: {s[:60]!r} as it is")
    seen = {m for m in re.findall(r"[qz](\d{3})", rest)}
    assert len(seen) >= shown, f"{where}: {len(seen)} of the strings are seen, expected {shown}"


# ── the files ──

def csv(rows):
    return b"text,label\n" + b"".join(b'"' + as_bytes(s).replace(b'"', b'""') + b'",' + (b"pos\n", b"neg\n")[i % 2] for i, s in enumerate(rows))


def prediction(i, s):
    s = as_text(s)
    return json.dumps({"id": i, "gold": s, "prediction": s, "scores": {s: 0.6, "b": 0.4}, "loss": 0.5, "tags": [s], "note": s}) + "\n"


def fill(path):
    tiny_bert.experiment(path, {"train.max_steps": 2, "eval.eval_strategy": "no", "run.num_threads": 1}, train=8, dev=8)
    (path / "rows.csv").write_bytes(csv(STRINGS))
    (path / "rows.jsonl").write_text("".join(json.dumps({"text": as_text(s), "label": as_text(s)}) + "\n" for s in STRINGS))
    (path / "words.conll").write_bytes(b"\n\n".join(as_bytes(s.replace(" ", "").replace("\t", "")) + b" B-" + as_bytes(s.replace(" ", "").replace("\t", "")) for s in ONE_LINE) + b"\n")
    (path / "lines.txt").write_bytes(b"\n".join(map(as_bytes, ONE_LINE)) + b"\n")
    (path / "columns.csv").write_bytes(b",".join(b'"' + as_bytes(s).replace(b'"', b'""') + b'"' for s in STRINGS if len(s) < 500) + b"\n" + b",".join(b"1" for s in STRINGS if len(s) < 500) + b"\n")
    run = fake_run(path / "runs", "one", name=as_text(STRINGS[40]), error=as_text(STRINGS[41]), metric=as_text(STRINGS[42]), host=as_text(STRINGS[43]))
    (run / "log.txt").write_bytes(b"\n".join(map(as_bytes, ONE_LINE)) + b"\n")
    write(run, [(as_text(s), step, 1.0 + step) for s in STRINGS if len(s) < 200 for step in (1, 2)])
    (run / "predictions").mkdir()
    (run / "predictions/validation-step-000100.jsonl").write_text("".join(prediction(i, s) for i, s in enumerate(STRINGS)))
    for i, s in enumerate(ONE_LINE):
        name = as_bytes(s).replace(b"/", b"-")
        if len(name) < 200:
            made = os.fsencode(path / "runs") + b"/" + name
            os.mkdir(made)
            Path(os.fsdecode(made), "status.json").write_text((run / "status.json").read_text().replace('"one"', json.dumps(as_text(s))))
            Path(os.fsdecode(made), "notes.json").write_text(json.dumps({"note": as_text(s), "tags": []}))
            Path(os.fsdecode(path / "more"), "").mkdir(exist_ok=True)
            Path(os.fsdecode(os.fsencode(path / "more") + b"/" + name + b".csv")).write_bytes(csv(STRINGS[i:i + 1]))


def printed(folder, words):
    """What a command prints on a terminal."""
    return on_terminal(words, folder, BERTTY_FAST, {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "HOME": str(folder)})[1]


# ── the tests ──

def test_there_are_five_hundred():
    assert len(set(STRINGS)) >= 500, len(set(STRINGS))


def test_what_commands_print():
    folder = Path(filled())
    with tempfile.TemporaryDirectory() as home, Screen(["--open", "log"], directory=folder, env={"HOME": home}) as s:
        done = tiny_bert.run("train", "tiny.yaml", "--name", "trained", "--runs", "own", program=BERTTY_FAST, cwd=folder)
        assert done.returncode == 0, done.stderr
        names = sorted(p.name for p in (folder / "more").iterdir())
        for shown, *words in ((0, "data", "rows.csv"), (0, "data", "rows.jsonl"), (0, "data", "words.conll"), (450, "data", "columns.csv"), (0, "data", "rows.csv", "--json"),
                              (0, "predict", "own/trained", "lines.txt"), (0, "predict", "own/trained", "lines.txt", "--json"), (0, "tokenize", "model", "lines.txt"),
                              (400, "log", "one"), (400, "runs"), (400, "runs", "--json"), (1, "show", "one"), (1, "show", "one", "--json"),
                              (300, "predictions", "one"), (300, "predictions", "one", "--json"), (0, "compare", "one", "one"), (300, "data", *[f"more/{n}" for n in names]),
                              (1, "help", *map(as_text, ONE_LINE[:1])), (1, "show", *map(as_text, ONE_LINE[100:101])), (1, "nonsense" + as_text(ONE_LINE[60])),
                              (0, "check", "tiny.yaml", "--set", "task.type=" + as_text(ONE_LINE[61])), (1, "options", as_text(ONE_LINE[90]))):
            check(" ".join(words)[:60], printed(folder, words), shown)
        assert s.end("q") == 0


def paged(s, *keys, pages=22):
    """Keys, then a page at a time to the end and back."""
    s.keys(*keys)
    s.quiet(0.2)
    s.keys("g")
    for _ in range(pages):
        s.keys("PgDn")
        s.quiet(0.03)
    s.keys("Home", "g")
    s.quiet(0.1)


FOLDER = tempfile.TemporaryDirectory(prefix="bertty-hostile-")  # nothing that is done here changes what lies in it


@functools.cache
def filled():
    fill(Path(FOLDER.name))
    return FOLDER.name


def walked(opened, shown, *visits, rows=36):
    with tempfile.TemporaryDirectory() as home, Screen(["--open", opened], rows=rows, columns=150, env={"LC_ALL": "C.UTF-8", "HOME": home}, directory=filled(), program=BERTTY_FAST) as s:
        s.wait("1 Runs")
        for visit in visits:
            paged(s, *visit)
        check(f"the workbench at {opened}", s.raw, shown)
        assert s.end("Esc", "Esc", "q") == 0


def test_runs():
    walked("runs", 350, (), ("i",), ("Enter",))


def test_data():
    walked("rows.csv", 440, (), ("Enter",), ("Esc", "w"), ("Esc", "L"), ("Esc", "f"))


def test_data_of_other_kinds():
    walked("columns.csv", 20, (), ("$",), ("Enter",))
    walked("rows.jsonl", 440, (), ("L",))


def test_log():
    walked("log", 400, ())


def test_charts():
    walked("charts", 100, (), ("Enter",))


def test_predictions():
    walked("predictions", 10, (), ("Enter",), ("Esc", "m"))


def test_compare():
    walked("compare", 1, (), ("Enter",))


def test_files_of_the_data_view():
    walked("data", 1, ("O",), ("o", "more/", "Tab", "Tab"))


if __name__ == "__main__":
    main(globals())
