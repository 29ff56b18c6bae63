#!/usr/bin/env python3
"""`bertty tokenize` as a command: lines, output, options, runs, and what is refused in one line."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BERTTY = os.environ["BERTTY"]
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "##s", "a", "A", "é"]
ID = {piece: i for i, piece in enumerate(VOCAB)}
passed = failed = 0


def check(name, found, expected):
    global passed, failed
    passed, failed = passed + (found == expected), failed + (found != expected)
    if found != expected:
        print(f"{name}: found {found!r}, expected {expected!r}")


def tokenize(*arguments, text=None, code=0, **more):
    done = subprocess.run([BERTTY, "tokenize", *map(str, arguments)], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    check(f"exit code of {arguments}: {done.stderr.decode()}", done.returncode, code)
    return done.stdout if code == 0 else done.stderr.decode()


def ids(*pieces):
    return " ".join(str(ID[p]) for p in ("[CLS]", *pieces, "[SEP]")).encode() + b"\n"


def make_model(folder):
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(VOCAB))  # no final newline
    return folder


def make_run(runs, tokenizer_case):
    """A run with one checkpoint, as far as finding its tokenizer goes."""
    run = runs / "films-1"
    model = make_model(run / "checkpoints/step-000005")
    (model / "model.safetensors").write_bytes(b"12345678")
    files = {p.name: {"bytes": p.stat().st_size, "sha256": "0" * 64} for p in model.iterdir()}
    (model / "manifest.json").write_text(json.dumps({"step": 5, "files": files}))
    (run / "last").symlink_to("checkpoints/step-000005")
    (run / "status.json").write_text('{"state": "finished", "step": 5}')
    (run / "experiment.yaml").write_text(f"model:\n  name_or_path: x\n  do_lower_case: {tokenizer_case}\n")
    return run


def lines(model, folder):
    check("lines", tokenize(model, "--ids", text=b"The films\n\nfilm"), ids("the", "film", "##s") + ids() + ids("film"))
    check("CRLF", tokenize(model, "--ids", text=b"the\r\nthe\rfilm\r\n"), ids("the") + ids("the", "film"))
    check("nothing", tokenize(model, "--ids", text=b""), b"")
    check("pieces", tokenize(model, text="filmS xyz".encode()), b"[CLS] film ##s [UNK] [SEP]\n")
    check("bytes that are no text", tokenize(model, "--ids", text=b"t\xffh\0e\n\xc3\n"), ids("the") + ids())
    check("other line ends", tokenize(model, "--ids", text="the\u2028the\x85the\x0bfilm\n".encode()), ids("the", "[UNK]"))
    long = b"the " * 50000
    check("a long line", tokenize(model, "--ids", text=long + b"\nthe"), ids(*["the"] * 50000) + ids("the"))
    file = folder / "texts"
    file.write_bytes(b"the\nfilm\n")
    check("a file", tokenize(model, file, "-i"), ids("the") + ids("film"))
    rows = [json.loads(line) for line in tokenize(model, "--json", file).splitlines()]
    check("json", rows[0], {"ids": [2, 5, 3], "pieces": ["[CLS]", "the", "[SEP]"]})
    check("json's result", rows[-1], {"lines": 2, "tokens": 6, "unknown": 0})


def options(model):
    check("cased", tokenize(model, "--ids", "--do-lower-case", "false", text="A the THE é".encode()), ids("A", "the", "[UNK]", "é"))
    check("accents", tokenize(model, "--ids", "--strip-accents=false", text="A É".encode()), ids("a", "é"))
    check("hf", tokenize(model, "--ids", text=b"a[MASK]"), ids("a", "[MASK]"))
    check("google", tokenize(model, "--ids", "--compat", "google", text=b"a[MASK]"), ids("a", "[UNK]", "[UNK]", "[UNK]"))


def runs(folder):
    run = make_run(folder / "runs", "false")
    for name in (run, "films-1", "films-1@5", "films-1@last"):
        check(f"run {name}", tokenize(name, "--ids", "--runs", folder / "runs", text=b"A a"), ids("A", "a"))
    check("the command line before the run", tokenize(run, "--ids", "--do-lower-case", "true", text=b"A a"), ids("a", "a"))
    tokenize("films-1@7", "--runs", folder / "runs", text=b"a", code=1)
    tokenize("film", "--runs", folder / "none", text=b"a", code=1)


def refused(model, folder):
    for name, arguments, code, part in (
            ("no such model", [folder / "nothing"], 1, "nothing"),
            ("no vocabulary", [folder], 1, "neither tokenizer.json nor vocab.txt"),
            ("no such file", [model, folder / "nothing"], 1, "No such file"),
            ("a directory", [model, folder], 1, "is a directory, expected a text file"),
            ("no model", [], 2, "MODEL"),
            ("two outputs", [model, "--ids", "--json"], 2, "--json"),
            ("another tokenizer", [model, "--compat", "spm"], 2, "hf")):
        told = tokenize(*arguments, text=b"", code=code)
        check(f"{name}: one line with {part!r}: {told!r}", (told.count("\n"), part in told), (1, True))
    done = subprocess.run(f"yes the | {BERTTY} tokenize {model} --ids | head -n 2", shell=True, capture_output=True, timeout=60)
    check("a reader that leaves", (done.stdout, done.stderr), (ids("the") * 2, b""))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BERTTY, "tokenize", model], input=b"the\n", stdout=full, stderr=subprocess.PIPE)
    check("no room", (done.returncode, b"No space left" in done.stderr), (1, True))


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        model = make_model(folder / "model")
        lines(model, folder)
        options(model)
        runs(folder)
        refused(model, folder)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
