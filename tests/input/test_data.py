#!/usr/bin/env python3
"""`bertty data`: what it reports, what it guesses, and bad input: one clear line and exit code 1 or 2, at once."""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BERTTY = os.environ["BERTTY"]
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
passed = failed = 0


def check(name, ok, seen=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"{name}: {seen!r}")


def data(*arguments, **more):
    return subprocess.run([BERTTY, "data", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, **more)


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def reported(*arguments):
    done = data("--json", *arguments)
    check(f"exit code of {arguments}", done.returncode == 0, done.stderr)
    *files, result = [json.loads(line) for line in done.stdout.decode().splitlines()] or [{}]
    return files, result


def reports(folder):
    train = write(folder, "train.tsv", "text\tlabel\ngood film\tpos\nbad film\tneg\ngood film\tpos\nbad film\tpos\n")
    test = write(folder, "test.csv", 'text,label\n"good film",pos\nbad film,neg\n"new, film",neg\n')
    write(folder, "vocab.txt", "\n".join(VOCAB))
    files, result = reported(train, test, "--model", folder, "--max-length", "4")
    check("files", [f["rows"] for f in files] == [4, 3] and result["rows"] == 7, files)
    check("labels", files[0]["labels"] == [{"label": "pos", "rows": 3}, {"label": "neg", "rows": 1}], files[0]["labels"])
    check("duplicates", (files[0]["duplicates"], files[0]["conflicts"]) == (2, 1), files[0])
    check("pieces", files[1]["pieces"]["max"] == 5 and files[1]["truncated"] == 1, files[1])
    check("unknown", (files[1]["unknown_pieces"], files[1]["total_pieces"]) == (2, 7), files[1])
    check("overlap", result["overlaps"] == [{"first": str(train), "second": str(test), "inputs": 2, "with_label": 2}],
          result["overlaps"])
    check("guess", (result["text"], result["label"], result["guessed"]) == ("text", "label", True), result)
    _, given = reported(train, "--text", "1", "--label", "label")
    check("given", (given["text"], given["guessed"]) == ("1", False), given)
    yaml = write(folder, "x.yaml", f"model:\n  name_or_path: {folder}\ndata:\n  train_file: {train}\n"
                 f"  test_file: {test}\n  text_column: text\n  label_column: label\n  max_seq_length: 4\n")
    files, result = reported(yaml)
    check("experiment", [f.get("truncated") for f in files] == [0, 1], files)
    yaml.write_text(yaml.read_text().replace(str(folder), str(folder / "none"), 1))
    done = data(yaml, "--json")
    check("experiment without its model", done.returncode == 0 and b"word pieces are not counted" in done.stderr, done)
    text = data(train, test).stdout.decode()
    check("for people", "overlap: 2 rows of" in text and "75.0 %" in text and "header" in text, text)


def guesses(folder):
    _, result = reported(write(folder, "g.tsv", "".join(f"a text of number {i}\t{i % 2}\n" for i in range(40))))
    check("no header", (result["text"], result["label"], result["header"]) == ("1", "2", False), result)
    _, result = reported(write(folder, "g.jsonl", '{"sentence1":"a","sentence2":"b","label":1}\n'))
    check("pair", (result["text"], result["pair"], result["format"]) == ("sentence1", "sentence2", "jsonl"), result)
    two = write(folder, "g.tsv", "".join(f"one text {i}\tanother text {i}\t{i}\n" for i in range(40)))
    done = data(two)
    check("no guess", done.returncode == 2 and b"which column is the text?" in done.stderr, done)
    check("columns shown", b"another text 0" in done.stdout and b"integer" in done.stdout, done.stdout)


def colours(folder):
    hostile = write(folder, "h.tsv", "text\tlabel\n\x1b]52;c;x\x07a\t\x1b[31mred\nb\tok\n")
    done = data(hostile)
    check("escapes", done.returncode == 0 and b"\x1b" not in done.stdout and b"\\x1b[31mred" in done.stdout, done.stdout)


def one_line(name, path, code, said, *arguments):
    start = time.monotonic()
    done = data(path, *arguments)
    lines = done.stderr.decode(errors="replace").splitlines()
    check(f"{name}: exit code", done.returncode == code, done)
    check(f"{name}: one line", len(lines) == 1 and lines[0].startswith("bertty: "), lines)
    check(f"{name}: says {said!r}", any(said in line for line in lines), lines)
    check(f"{name}: at once", time.monotonic() - start < 10, time.monotonic() - start)


def bad_input(folder):
    text = ("--text", "text", "--label", "label")
    cases = {
        "ragged": ("text\tlabel\na\t1\nb\n", 1, ":3: found 1 column, expected 2: 'label' is missing"),
        "empty label": ("text\tlabel\na\t1\nb\t\n", 1, ":3: the label is empty"),
        "open quote": ('text,label\n"a",1\n"b,1\nc,2\n', 1, ":3: a quote opens a cell here and is never closed"),
        "missing column": ("txt\tlabel\na\t1\n", 1, "no column 'text', did you mean 'txt'? It has: txt, label"),
        "UTF-16": ("text\tlabel\na\t1\n".encode("utf-16"), 1, "UTF-16 text"),
        "UTF-16 without a mark": ("text\tlabel\na\t1\n".encode("utf-16-be"), 1, "UTF-16 text"),
        "gzip": (b"\x1f\x8b\x08\0\0\0\0\0", 1, "gzip-compressed"),
        "empty": ("", 1, "is empty"),
        "cut JSON": ('{"text":"a","label":1}\n{"text":"b","la', 1, ":2:"),
        "lone surrogate": ('{"text":"a","label":1}\n{"text":"\\udc00","label":1}\n', 1, ":2:"),
        "deep JSON": ('{"text":"a","label":1}\n{"text":' + "[" * 100000 + "\n", 1, ":2:"),
        "no object": ('{"text":"a","label":1}\n["b",1]\n', 1, ":2: not a JSON object"),
        "duplicate key": ('{"text":"a","label":1}\n{"text":"a","text":"b","label":1}\n', 1, ":2:"),
        "NUL in a label": (b"text\tlabel\na\t1\nb\t1\0\n", 1, ":3: a NUL byte in the label"),
    }
    for name, (content, code, said) in cases.items():
        one_line(name, write(folder, "bad", content), code, said, *text)
    long = write(folder, "long.csv", 'text,label\n"a",1\n"')
    os.truncate(long, 1 << 30)
    one_line("a field of 1 GB", long, 1, ":3: a record of more than 64 MiB", *text)


def bad_files(folder):
    fifo, loop = folder / "fifo", folder / "loop"
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    locked = write(folder, "locked", "a")
    one_line("FIFO", fifo, 1, "a FIFO, socket or device")
    one_line("/dev/zero", "/dev/zero", 1, "a FIFO, socket or device")
    one_line("directory", folder, 1, "a directory, expected a regular file")
    one_line("symlink loop", loop, 1, "symbolic links")
    one_line("no such file", folder / "none", 1, "no such file")
    if os.geteuid() != 0:
        locked.chmod(0)
        one_line("no permission", locked, 1, "Permission denied")


def bad_use(folder):
    good = write(folder, "good.tsv", "text\tlabel\na\t1\n")
    one_line("delimiter", good, 2, "expected one character", "--delimiter", "ab")
    one_line("format", good, 2, "--format", "--format", "xml")
    one_line("model", good, 1, "none", "--model", folder / "none")
    one_line("class names", good, 1, "none", "--label", "label", "--text", "text", "--class-names", folder / "none")
    names = write(folder, "names", "only\n")
    one_line("too few class names", good, 1, "label '1', expected 0 … 0", "--label", "label", "--text", "text",
             "--class-names", names)
    done = data()
    check("no file", done.returncode == 2, done)


def main():
    for test in (reports, guesses, colours, bad_input, bad_files, bad_use):
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
