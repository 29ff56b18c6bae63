#!/usr/bin/env python3
"""Output that nobody takes: a closed pipe ends a command quietly, a full device is told once, and neither is a crash."""
import os
import signal
import subprocess
import sys

from refusal import BERTTY, COUNT, Ground, broken, finished

from tiny_bert import sentences, status, wait_for

GROUND = Ground({"train.max_steps": 4, "eval.eval_steps": 2, "run.num_threads": 1}, train=40, dev=10)
FOLDER = GROUND.fresh()
LINES = 20000  # more than a pipe holds


def prepare():
    for name in "run", "other":
        done = finished(["train", "tiny.yaml", "--name", name], FOLDER)
        COUNT.check(f"train {name}", done.returncode == 0, done.stderr)
    (FOLDER / "lines.txt").write_text("".join(f"{text}\n" for text, _ in sentences(500, 1)) * (LINES // 500))


def commands():
    """Every command that prints, with a short output."""
    return {"help": ["help"], "version": ["version"], "options": ["options"], "options --json": ["options", "--json"], "train --help": ["train", "--help"],
            "check": ["check", "tiny.yaml"], "data": ["data", "train.tsv"], "runs": ["runs"], "runs --json": ["runs", "--json"], "show": ["show", "run"],
            "log": ["log", "run"], "compare": ["compare", "run", "other"],
            "report": ["report", "run", "other"], "report --text": ["report", "run", "--text"], "eval": ["eval", "run", "--data", "dev.tsv"],
            "eval --json": ["eval", "run", "--data", "dev.tsv", "--json"], "predict": ["predict", "run", "--text", "good"],
            "tokenize": ["tokenize", "model", "dev.tsv"], "export": ["export", "run", "to"]}


def full_device():
    for name, words in commands().items():
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BERTTY, *words], cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=60)
        lines = done.stderr.decode().splitlines()
        COUNT.check(f"full device: {name}", done.returncode == 1 and lines == ["bertty: standard output: No space left on device"],
                    (done.returncode, lines))


def closed_pipe(name, words, **options):
    """The reader is gone before the first line."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([BERTTY, *words], cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE, timeout=60, **options)
    finally:
        os.close(write)
    COUNT.check(f"closed pipe: {name}", done.returncode == 0 and not done.stderr, (done.returncode, done.stderr))


def closed_pipes():
    for name, words in commands().items():
        closed_pipe(name, words if name != "export" else ["export", "run", "to2"])


def head():
    """The reader goes away in the middle: the rest is not worked on."""
    for words in ["tokenize", "model", "lines.txt"], ["predict", "run", "lines.txt"], ["predict", "run", "lines.txt", "--json"]:
        with subprocess.Popen([BERTTY, *words], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            first = p.stdout.readline()
            p.stdout.close()
            err = p.stderr.read()
            code = p.wait(60)
        COUNT.check(f"head -1: {' '.join(words)}", first and code == 0 and not err, (first, code, err))


def training_goes_on():
    """A run is not ended because nobody reads what it prints."""
    for name, out in ("pipe", None), ("device", "/dev/full"):
        run = FOLDER / "runs" / name
        words = [BERTTY, "train", "tiny.yaml", "--name", name]
        if out:
            with open(out, "wb") as full:
                done = subprocess.run(words, cwd=FOLDER, stdout=full, stderr=subprocess.PIPE, timeout=60)
            code, err = done.returncode, done.stderr
            COUNT.check("train: full device is told", code == 1 and err == b"bertty: standard output: No space left on device\n", (code, err))
        else:
            with subprocess.Popen(words, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
                p.stdout.close()
                err, code = p.stderr.read(), p.wait(60)
            COUNT.check("train: closed pipe", code == 0 and not err, (code, err))
        COUNT.check(f"train: {name}: it is finished all the same", status(run).get("state") == "finished", status(run))


def no_streams():
    """Started without standard streams at all: files of ours must not take their places."""
    done = subprocess.run(["/bin/sh", "-c", f'exec "{BERTTY}" train tiny.yaml --name bare 0<&- 1>&- 2>&-'], cwd=FOLDER, timeout=60)
    COUNT.check("closed streams", done.returncode == 0 and status(FOLDER / "runs/bare").get("state") == "finished", done.returncode)


def log_follows():
    """`log --follow` ends when its reader has gone."""
    engine = subprocess.Popen([BERTTY, "train", "tiny.yaml", "--name", "long", "--set", "train.max_steps=1000000", "--set", "eval.eval_strategy=no"],
                              cwd=FOLDER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: status(FOLDER / "runs/long").get("step", 0) > 2, "training")
        with subprocess.Popen([BERTTY, "log", "long", "--follow"], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdout.readline()
            p.stdout.close()
            err, code = p.stderr.read(), p.wait(30)
        COUNT.check("log --follow", code in (0, 130) and not broken(err), (code, err))
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait(60)


if __name__ == "__main__":
    code = COUNT.run([prepare, full_device, closed_pipes, head, training_goes_on, no_streams, log_follows])
    GROUND.remove()
    sys.exit(code)
