#!/usr/bin/env python3
"""The Data view on files that are not what they should be: shown for what they are, and every key is answered."""
import os
import subprocess
import tempfile
import time
from pathlib import Path

from keys import table
from screen import BERTTY, Screen, main

MB = 1 << 20


def answers(s):
    """Keys do what they do, at once."""
    began = time.monotonic()
    s.keys("?")
    s.wait(r"Keys")
    s.keys("Esc")
    s.wait_gone(r"Keys")
    assert time.monotonic() - began < 10


def rows(path, n, text="some text of number {}"):
    with open(path, "w", encoding="utf-8") as f:
        f.write("id,text,label\n")
        for i in range(1, n + 1):
            f.write(f"{i},{text.format(i)},{'pos' if i % 2 else 'neg'}\n")


def test_every_key_on_hardly_any_file():
    """Empty, one line, one cell: each key on a file as it was opened, and all of them one after the other."""
    files = {"empty.tsv": b"", "newline.csv": b"\n", "header.csv": b"text,label\n", "cell.csv": b"x", "nul.tsv": b"\0", "blank.jsonl": b"\n\n", "object.jsonl": b"{}\n",
             "words.conll": b"-DOCSTART- O\n", "squad.json": b'{"data": []}', "one.csv": b"text,label\na film,pos\n"}
    keys = [key for _, all_keys in table()["Data"] for key in all_keys]
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        for name, pressed in [(name, f"{key} Esc") for name in ("empty.tsv", "header.csv") for key in keys] + [(name, " Esc ".join(keys)) for name in files]:
            done = subprocess.run([BERTTY, "shot", "data", "--open", name, "--keys", pressed, "--format=txt"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, env={**os.environ, "HOME": folder})
            assert done.returncode == 0 and not done.stderr, (name, pressed, done.returncode, done.stderr)


def test_a_line_of_100_mb():
    """It is a row like others: found, searched past, measured, sorted, its beginning shown."""
    def long(d):
        with open(d / "long.csv", "wb") as f:
            f.write(b"id,text,label\n1,first,pos\n2," + b"x" * 100_000_000 + b",neg\n3,third,pos\n")
    with Screen(["--open", "long.csv"], setup=long) as s:
        s.wait(r"long\.csv · 3 rows ─", 60)
        s.wait(r"^│ +2 +2  x{40,}….* neg ", 60)
        s.keys("j", "Enter")
        s.wait(r"row 2 · line 3", 60)
        s.wait(r"^│ +x{60,}", 60)
        s.keys("PgDn", "Esc", "/", "third", "Enter")
        s.wait(r"row 3 · text", 60)
        s.keys("/", "C-u", "/x[yz]/", "Enter")
        s.wait(r"is in no row", 60)
        s.keys("l", "f")
        s.wait(r"Values of label · 2 in 3 rows ─", 60)
        s.keys("Esc", "h", "s")
        s.wait(r"by text ↑ ─", 60)
        answers(s)
        assert s.end("q") == 0


def test_a_line_that_never_ends():
    """More than a record may have: the rows before it are there, and it is said why there are no others."""
    def endless(d):
        rows(d / "endless.csv", 1000)
        with open(d / "endless.csv", "r+b") as f:
            f.seek(0, os.SEEK_END)
            f.write(b'1001,"never closed,pos\n')
            f.seek(200 * MB, os.SEEK_CUR)
            f.write(b"\n1002,behind it,pos\n")
    with Screen(["--open", "endless.csv"], setup=endless, columns=120) as s:
        s.wait(r"endless\.csv · 1,000 rows · not read to its end", 60)
        s.wait(r"endless\.csv:1002: a record of more than 128 MiB; is a quote in it never closed\?")
        s.keys("G")
        s.wait(r"^│ *1000 +1000  some text of number 1000 ")
        s.keys("l", "l", "f")
        s.wait(r"Values of .* in 1,000 rows · not all could be read")
        answers(s)
        assert s.end("q") == 0


def test_a_quote_that_is_never_closed():
    """The rest of the file is one record then, which says so; the rows before it are as they were."""
    def unclosed(d):
        rows(d / "open.csv", 50000, '"quoted, number {}"')
        with open(d / "open.csv", "a", encoding="ascii") as f:
            f.write('50001,"never closed,pos\n' + "".join(f"{i},plain number {i},neg\n" for i in range(200000)))
    with Screen(["--open", "open.csv"], setup=unclosed, columns=120) as s:
        s.wait(r"open\.csv · 50,001 rows ─", 60)
        s.keys("G")
        s.wait(r'^│ *50001! 50001,"never closed,pos\\n0,plain number 0', 60)
        s.wait(r"^│ *50000 +50000  quoted, number 50000 +neg")
        s.keys("Enter")
        s.wait(r"This record cannot be parsed:")
        s.wait(r"open\.csv:50002: a quote opens")
        answers(s)
        assert s.end("q") == 0


def test_a_file_that_shrinks_and_goes():
    """What is shown stays; what is looked for then says that it is gone, and anew the file is what it is now."""
    def many(d):
        rows(d / "rows.csv", 100000)
    with Screen(["--open", "rows.csv"], setup=many, columns=120) as s:
        s.wait(r"100,000 rows ─", 60)
        path = Path(s.dir) / "rows.csv"
        os.truncate(path, 2000)
        s.keys("G")
        s.wait(r"^│ *100000! rows\.csv: became shorter while it was read: it ends at byte 2000, expected")
        s.keys("Enter")
        s.wait(r"This row cannot be read:")
        s.keys("Esc", "l", "f")
        s.wait(r"not all could be read")
        s.keys("Esc", "s")
        s.wait(r"became shorter while it was read")
        s.wait_gone(r"by label")
        s.keys("&", "number 5", "Enter")
        s.wait(r"with “number 5” · not all rows could be read")
        s.keys("Esc", "H")
        s.wait(r"not all rows could be read")
        s.keys("Esc", "R")
        s.wait(r"rows\.csv · \d\d rows ─")
        path.unlink()
        s.keys("g", "R")
        s.wait(r"rows\.csv: no such file")
        s.wait(r"^│ +1 +1  some text of number 1 ")
        answers(s)
        assert s.end("q") == 0


def test_a_file_that_shrinks_while_it_is_read():
    def large(d):
        with open(d / "large.csv", "wb") as f:
            f.write(b"id,text,label\n" + b"1,some text,pos\n" * 200000)
            f.truncate(3_000_000_000)  # a hole: NUL bytes up to there
    with Screen(["--open", "large.csv"], setup=large, columns=120) as s:
        s.wait(r"^│ +1 +1  some text")
        os.truncate(Path(s.dir) / "large.csv", 3_200_014)
        s.wait(r"not read to its end", 60)
        s.wait(r"large\.csv:?\d*: (became shorter while it was read|a record of more than)")
        s.keys("G")
        s.wait(r"^│ *200000 +1  some text")
        answers(s)
        assert s.end("q") == 0


def test_nul_bytes_and_wrong_encodings():
    def odd(d):
        (d / "latin.csv").write_bytes("id,text,label\n1,Café crème,pos\n2,naïve,neg\n3,plain,pos\n".encode("latin-1"))
        (d / "nul.csv").write_bytes(b"id,text,label\n1,a\0b\0,pos\n2,\0,neg\n3,plain,p\0s\n")
        (d / "wide.csv").write_bytes("id,text\n1,a\n".encode("utf-16"))
        (d / "zip.csv").write_bytes(b"PK\x03\x04" + b"\0" * 40)
        (d / "cut.csv").write_bytes("id,text\n1,half of 日".encode()[:-1] + b"\n2,\xff\xfe\xc0\x80\xed\xa0\x80\n")
    with Screen(["--open", "latin.csv"], setup=odd) as s:
        s.wait(r"^│ +1 +1  Caf\\xe9 cr\\xe8me +pos")
        s.keys("/", "crème", "Enter")
        s.wait(r"“crème” is in no row")
        s.keys("o", "C-u", "nul.csv", "Enter")
        s.wait(r"^│ +1 +1  a\\x00b\\x00 +pos")
        s.wait(r"^│ +3 +3  plain +p\\x00s")
        s.keys("l", "f")
        s.wait(r"p\\x00s +1 +33\.3 %")
        s.keys("j", "Enter")
        s.wait(r"a value with a NUL byte cannot be looked for")
        s.keys("Esc", "o", "C-u", "cut.csv", "Enter")
        s.wait(r"^│ +1 +1  half of \\xe6\\x97")
        s.wait(r"^│ +2 +2  \\xff\\xfe\\xc0\\x80\\xed\\xa0\\x80")
        s.keys("o", "C-u", "wide.csv", "Enter")
        s.wait(r"wide\.csv: UTF-16 text, expected text in UTF-8")
        s.keys("o", "C-u", "zip.csv", "Enter")
        s.wait(r"zip\.csv: a ZIP archive or a spreadsheet")
        s.wait(r"cut\.csv · 2 rows")
        answers(s)
        assert s.end("q") == 0


def test_marks_that_combine_and_turn():
    """Columns stay where they are, whatever the cells are made of."""
    cells = ["e\u0301" * 10, "a" + "\u0301" * 200, "\u202eabc\u202c", "\u2066x\u2069", "👩\u200d👩\u200d👧", "\ufeffmark", "שלום", "日本語", "x\u200by",
             "\U000e0041tag", "\u0301alone", "a\u00adb"]

    def odd(d):
        (d / "rows.csv").write_text("text,label\n" + "".join(f"{c},END{i}\n" for i, c in enumerate(cells)), encoding="utf-8")
    with Screen(["--open", "rows.csv"], setup=odd) as s:
        s.wait(r"END11")
        raw = s.raw.decode("utf-8", "replace")
        for sign in "\u202e\u202c\u2066\u2069\u200b\U000e0041\ufeff":
            assert sign not in raw, hex(ord(sign))
        for i in range(len(cells)):
            s.wait(rf"END{i} ")
        edge = [line for line in s.lines() if "END" in line]
        assert all(line.endswith("│") for line in edge), s.dump()
        for keys in (("W",), ("W", "Enter"), ("j",) * 3, ("Esc", "f"), ("Esc", "s"), ("s",)):
            s.keys(*keys)
            s.drain(0.1)
        s.wait(r"by text ↓")
        assert "\u202e" not in s.raw.decode("utf-8", "replace")
        answers(s)
        assert s.end("q") == 0


main(globals())
