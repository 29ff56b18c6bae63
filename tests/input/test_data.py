#!/usr/bin/env python3
"""`bertty data`: what it reports, what it guesses, and bad input: one clear line and exit code 1 or 2, at once."""
import json
import os
import pty
import select
import signal
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


SQUAD = {"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "Zo\u00eb came.", "qas": [
    {"id": 1, "question": "who?", "answers": [{"text": "Zo\u00eb", "answer_start": 0}, {"text": "came", "answer_start": 5}]},
    {"id": "b", "question": "why?", "is_impossible": True, "answers": []}]}]}]}


def kinds(folder):
    """Files that are no tables: what they are is found, and told with the reason."""
    conll = write(folder, "c.txt", "-DOCSTART- -X- O\n\nEU NNP B-ORG\nis VB O\n\nZ NN B-PER\n")
    files, result = reported(conll)
    check("words", (result["kind"], result["format"], files[0]["rows"], files[0]["total_parts"]) == ("words", "conll", 2, 3), (files, result))
    check("entities", files[0]["entities"] == [{"name": "ORG", "rows": 1}, {"name": "PER", "rows": 1}] and files[0]["scheme"] == "IOB2", files)
    check("why words", files[0]["found"] == "conll: 3 columns separated by blanks, word in 1, tag in 3, empty lines end sentences, "
          "-DOCSTART- lines", files)
    files, _ = reported(conll, "--tags", "2")
    check("tags in another column", {l["label"] for l in files[0]["labels"]} == {"NNP", "VB", "NN"} and files[0]["scheme"] is None, files)
    files, result = reported(write(folder, "q.json", json.dumps(SQUAD)))
    check("questions", (result["kind"], files[0]["impossible"], files[0]["misaligned"], files[0]["total_parts"]) == ("question", 1, 1, 2), files)
    check("why questions", files[0]["found"] == "squad: SQuAD 2.0 JSON, 2 questions in 1 paragraph, 1 without an answer, "
          "1 misaligned answer", files)
    check("an odd answer", "q.json:1: question 1: answer 'came' is not at 5 but at 4" in files[0]["odd"][0], files)
    files, result = reported(write(folder, "a.seg", "the $T$ .\ncord\n1\na $T$ , $T$\nrope\n-1\n"))
    check("aspects", (result["kind"], files[0]["rows"], files[0]["unmarked"]) == ("aspect", 2, 0), files)
    check("counts of aspects", files[0]["aspects"] == [{"name": "cord", "rows": 1}, {"name": "rope", "rows": 1}], files)
    files, result = reported(write(folder, "s.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,1\n"))
    check("choices", (result["kind"], result["format"], files[0]["parts"]["max"]) == ("choices", "swag", 2), (files, result))
    files, result = reported(write(folder, "w.jsonl", '{"tokens": ["a"], "ner_tags": [1]}\n'), "--class-names", write(folder, "n", "O\nB-X\n"))
    check("words in JSONL", result["kind"] == "words" and files[0]["labels"] == [{"label": "B-X", "rows": 1}], (files, result))
    files, result = reported(write(folder, "q.jsonl", '{"question": "q", "context": "c", "answers": {"text": ["c"], "answer_start": [0]}}\n'))
    check("questions in JSONL", result["kind"] == "question" and files[0]["misaligned"] == 0, (files, result))
    files, result = reported(write(folder, "p.txt", "a b\n\nc\n"), "--kind", "plain")
    check("plain text", (result["format"], files[0]["rows"]) == ("text", 2), (files, result))
    files, _ = reported(write(folder, "l.tsv", "text\tl\na\tx;y\nb\ty\n"), "--kind", "labels", "--label", "l", "--separator", ";", "--text", "text")
    check("sets of labels", files[0]["labels"] == [{"label": "y", "rows": 2}, {"label": "x", "rows": 1}] and files[0]["parts"]["mean"] == 1.5, files)
    said = data(folder / "q.json").stdout.decode()
    check("questions for people", "2 questions\n  recognised as squad: SQuAD 2.0 JSON" in said and "answers a question" in said
          and "questions without an answer: 1, 50.0 %" in said and "is not at 5 but at 4" in said, said)
    said = data(conll).stdout.decode()
    check("words for people", "2 sentences" in said and "tags: 3, scheme IOB2" in said and "entities: 2 of 2 types" in said, said)


def labels_in_front(folder):
    """A label, a blank and a text on each line: recognised where labels look like labels and come again, else not."""
    trec = "".join(f"{label} {text} ?\n" for _ in range(4) for label, text in (("DESC:manner", "How , oh how"), ("ENTY:x", "What")))
    files, result = reported(write(folder, "trec.label", trec))
    check("label in front", (result["text"], result["label"], result["delimiter"]) == ("2-", "1", " ") and files[0]["rows"] == 8
          and {l["label"] for l in files[0]["labels"]} == {"DESC:manner", "ENTY:x"} and files[0]["characters"]["max"] == 14, files)
    said = data(folder / "trec.label").stdout.decode()
    check("options for it", "--delimiter ' ' --text 2- --label 1" in said and 'data.delimiter: " "' in said, said)
    for name, text, label in (("numbers", "".join(f"{i % 2} a film {i}\n" for i in range(12)), "0"),
                              ("fasttext", "__label__a it is\n__label__b so\n" * 4, "__label__a")):
        files, result = reported(write(folder, name, text))
        check(name, result["label"] == "1" and label in [l["label"] for l in files[0]["labels"]], files)
    for name, text in (("prose", "The film is good\nA film is bad\n" * 6), ("times", "at 12:30 it was\n" * 8), ("one label", "x:y it is\n" * 8),
                       ("numbered", "".join(f"{i} a film\n" for i in range(50))), ("no text", "1 \n2 x\n" * 9), ("words", "a:b\nc:d\n" * 9)):
        files, result = reported(write(folder, name, text))
        check(f"{name}: no label", result["text"] == "1" and result["label"] is None and "begins with" not in files[0]["found"], (files, result))
    files, result = reported(folder / "trec.label", "--text", "1")
    check("told with a column too", "each line begins with a label ('DESC:manner') and a blank" in files[0]["found"], files)
    done = data(folder / "trec.label", "--text", "1", "--label", "2")
    check("hint", done.returncode == 1 and done.stderr.count(b"\n") == 1 and b"text column 2- and label column 1" in done.stderr, done.stderr)
    yaml = write(folder, "x.yaml", f"model: {{name_or_path: none}}\ndata: {{train_file: {folder / 'trec.label'}, text_column: 2, label_column: 1}}\n")
    done = data(yaml)
    check("hint in an experiment", b"begin with a label ('DESC:manner') and a blank" in done.stderr, done.stderr)


def options(folder):
    """data's options in an experiment file."""
    def of(kind, file, **more):
        lines = [f"model:\n  name_or_path: none\ndata:\n  train_file: {folder / file}\n"]
        lines += [f"  {key}: {json.dumps(value)}\n" for key, value in more.items() if key != "label_separator"]
        lines += [f"task:\n  label_separator: {json.dumps(more['label_separator'])}\n"] if "label_separator" in more else []
        yaml = write(folder, "x.yaml", "".join(lines))
        return reported(yaml, "--kind", kind)
    write(folder, "c", "1|a|X|O\n2|b|Y|B-Z\n")
    files, result = of("words", "c", format="conll", delimiter="|", tokens_column=2, tags_column=3)
    check("tokens_column, tags_column", [l["label"] for l in files[0]["labels"]] == ["X", "Y"] and "word in 2, tag in 3" in files[0]["found"], files)
    write(folder, "t", "DESC:manner How is it ?\nENTY:x What ?\n")
    files, _ = of("text", "t", delimiter=" ", text_column="2-", label_column=1, label_until=":")
    check("2- and label_until", [l["label"] for l in files[0]["labels"]] == ["DESC", "ENTY"] and files[0]["characters"]["max"] == 11, files)
    write(folder, "t", "id\ts\ta\tl\n7\tthe cord\tcord\tp\n8\tthe cord\trope\tn\n")
    files, _ = of("aspect", "t", text_column="s", aspect_column="a", label_column="l", id_column="id")
    check("aspect_column", files[0]["unmarked"] == 1, files)
    files, _ = of("question", "t", text_column="a", context_column="s")
    check("context_column", files[0]["characters"]["max"] == 12, files)
    files, _ = of("choices", "t", text_column="s", choice_columns=["a", "l"])
    check("choice_columns", files[0]["parts"]["max"] == 2 and files[0]["characters"]["max"] == 12, files)
    files, _ = of("labels", "t", text_column="s", label_column="a", label_separator="o")
    check("label_separator", sorted(l["label"] for l in files[0]["labels"]) == ["c", "pe", "r", "rd"], files)
    write(folder, "q", json.dumps(SQUAD))
    files, _ = of("question", "q", format="squad")
    check("not strict", files[0]["misaligned"] == 1, files)
    write(folder, "vocab.txt", "\n".join(VOCAB))
    one_line("strict", write(folder, "x.yaml", f"model: {{name_or_path: {folder}}}\ndata: {{train_file: {folder / 'q'}, strict: true}}\n"), 1,
             "is not at 5 but at 4, which strict mode refuses", "--kind", "question")
    one_line("strict, invalid UTF-8", write(folder, "x.yaml", f"model: {{name_or_path: {folder}}}\ndata: {{train_file: "
             f"{write(folder, 'u', b'a' + bytes([255]))}, strict: true}}\n"), 1, "u:1: not valid UTF-8, which strict mode refuses", "--kind", "plain")


def colours(folder):
    hostile = write(folder, "h.tsv", "text\tlabel\n\x1b]52;c;x\x07a\t\x1b[31mred\nb\tok\n")
    done = data(hostile)
    check("escapes", done.returncode == 0 and b"\x1b" not in done.stdout and b"\\x1b[31mred" in done.stdout, done.stdout)


def one_line(name, path, code, said, *arguments, seconds=10):
    start = time.monotonic()
    done = data(path, *arguments)
    lines = done.stderr.decode(errors="replace").splitlines()
    check(f"{name}: exit code", done.returncode == code, done)
    check(f"{name}: one line", len(lines) == 1 and lines[0].startswith("bertty: "), lines)
    check(f"{name}: says {said!r}", any(said in line for line in lines), lines)
    check(f"{name}: at once", time.monotonic() - start < seconds, time.monotonic() - start)


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
    cases = {
        "a short row of words": ("c.conll", "a O\n\nb\n", ":3: found 1 column, expected 2"),
        "a cut .seg file": ("a.seg", "the $T$\ncord\n1\nthe $T$\n", ":4: the record has 1 line, expected 3"),
        "a label of a .seg file": ("a.seg", "the $T$\ncord\n1\nthe $T$\ncord\n5\n", ":6: label '5', expected -1, 0 or 1"),
        "cut SQuAD": ("q.json", json.dumps(SQUAD)[:-3], "q.json:1:"),
        "SQuAD without a context": ("q.json", '{"data": [{"paragraphs": [\n{"qas": []}]}]}', ":2: a paragraph without context or qas"),
        "deep SQuAD": ("q.json", '{"data": [], "x": ' + "[" * 100000, "nested deeper than"),
        "words without tags": ("w.jsonl", '{"tokens": ["a"], "tags": []}\n', ":1: 1 words but 0 tags"),
        "a choice out of range": ("s.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,4\n", ":2: label '4', expected 0 … 1"),
    }
    for name, (file, content, said) in cases.items():
        one_line(name, write(folder, file, content), 1, said)
    long = write(folder, "long.csv", 'text,label\n"a",1\n"')
    os.truncate(long, 1 << 30)
    one_line("a field of 1 GB", long, 1, ":3: a record of more than 128 MiB", *text, seconds=30)  # all 128 are read, once


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


def printed(*arguments):
    done = data("--json", *arguments)
    check(f"exit code of {arguments}", done.returncode == 0, done.stderr)
    *rows, result = [json.loads(line) for line in done.stdout.decode().splitlines()] or [{}]
    return [row["row"] for row in rows], rows, result


def rows(folder):
    lines = [f'{i},"text {i % 7}, ""q""",{"pos" if i % 3 else "neg"},{(i * 37) % 100 / 10}' for i in range(1, 501)]
    table = write(folder, "t.csv", "id,the text,label,score\n" + "\n".join(lines) + "\nragged\n")
    want = [i for i in range(1, 501) if i % 3 and (i * 37) % 100 >= 50]
    got, cells, result = printed(table, "--filter", "label = pos and score >= 5")
    check("filter", got == want and result["matching"] == len(want) and result["rows"] == 501, result)
    check("cells", cells[0] == {"row": want[0], "line": want[0] + 1, "cells": {
        "id": str(want[0]), "the text": f'text {want[0] % 7}, "q"', "label": "pos",
        "score": str(want[0] * 37 % 100 / 10)}}, cells[0])
    got, _, result = printed(table, "--filter", "`the text` ~ /^text [26],/", "--limit", 3)
    check("limit", got == [2, 6, 9] and result["matching"] == sum(i % 7 in (2, 6) for i in range(1, 501)), result)
    got, _, result = printed(table, "--sort", "score", "--reverse", "-n2")
    check("limit of sorted rows", got == [27, 127] and result["matching"] == 501, (got, result))
    got, _, result = printed(table, "--filter", "id <= 9", "--limit", "0")
    check("limit 0", got == [] and result["matching"] == 9, (got, result))
    got, _, _ = printed(table, "--filter", "id <= 9", "--limit", "100")
    check("limit beyond the rows", got == list(range(1, 10)), got)
    done = data(table, "--sort", "score", "--limit", "1")
    check("limit for people", done.stdout.decode().splitlines()[1:] == ["501 of 501 rows"], done.stdout)
    one_line("limit below 0", table, 2, "expected 0 to", "--sort", "score", "--limit=-1")
    got, _, _ = printed(table, "--sort", "score", "--filter", "score >= 0")
    order = sorted(range(1, 501), key=lambda i: (i * 37) % 100)
    check("sort", got == order, got[:9])
    got, _, _ = printed(table, "--sort", "score", "--reverse")
    check("reverse", got == sorted(range(1, 501), key=lambda i: -((i * 37) % 100)) + [501], got[:9])
    done = data(table, "--filter", "id = 3 or id = 4")
    check("for people", done.stdout.decode() == '3\t3\ttext 3, "q"\tneg\t1.1\n4\t4\ttext 4, "q"\tpos\t4.8\n2 of 501 rows\n',
          done.stdout)
    write(folder, "vocab.txt", "\n".join(VOCAB))
    texts = write(folder, "p.tsv", "text\tlabel\ngood film\ta\nbad\tb\ngood good bad\ta\n")
    got, _, _ = printed(texts, "--filter", "pieces(text) >= 2", "--model", folder)
    check("pieces", got == [1, 3], got)
    one_line("no model", texts, 1, "pieces() needs a --model", "--filter", "pieces(text) >= 2")
    one_line("filter", table, 1, "filter, at character 7: expected a value", "--filter", "id == ")
    one_line("sort", table, 1, "no column nowhere to sort by", "--sort", "nowhere")
    one_line("files", table, 2, "found 2 files, expected one", table, "--filter", "id = 1")
    one_line("limit alone", table, 2, "go with --filter or --sort", "--limit", "1")


def until(fd, wanted):
    """What came up to that."""
    seen = b""
    while wanted not in seen and select.select([fd], [], [], 60)[0]:
        try:
            seen += os.read(fd, 4096)
        except OSError:  # the other end is closed
            break
    return seen


def interrupted(folder):
    """Ctrl-C ends it at once; a terminal is told how far it has come, a file is not."""
    big = write(folder, "big.tsv", "text\tlabel\n" + "".join(f"a text of which number {i} is one\tpos\n" for i in range(300000)))
    ours, theirs = pty.openpty()
    child = subprocess.Popen([BERTTY, "data", big], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    seen = until(ours, b"reading big.tsv: ")
    child.send_signal(signal.SIGINT)
    seen += until(ours, b"interrupted")
    out, _ = child.communicate(timeout=60)
    os.close(ours)
    check("interrupted", child.returncode == 130 and out == b"", (child.returncode, out))
    check("progress", b"reading big.tsv: " in seen and b" %" in seen and b"interrupted" in seen, seen)
    small = write(folder, "small.tsv", "text\tlabel\na\t1\n")
    done = data(small)
    check("no progress in a file", done.returncode == 0 and done.stderr == b"", done.stderr)


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
    for test in (reports, guesses, kinds, labels_in_front, options, colours, bad_input, bad_files, rows, interrupted,
                 bad_use):
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
