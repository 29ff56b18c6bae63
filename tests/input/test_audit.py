#!/usr/bin/env python3
"""bertty audit: labels that were flipped on purpose are found; the runs are queued, waited for, gone on with after an interruption and a failure; what it cannot do is said."""
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import tiny_bert
from refusal import BERTTY, COUNT, finished, one_line

ROOT = Path(tempfile.mkdtemp(prefix="bertty-audit-"))
check = COUNT.check
ROWS, FLIPPED, FOLDS = 600, 30, 3
SHARE = 0.6  # of the flipped labels, within as many rows of the list as were flipped
OTHER = {"negative": "positive", "positive": "negative"}


def prepare():
    """Every 20th label is wrong."""
    tiny_bert.experiment(ROOT, {"optim.learning_rate": 3e-3, "train.max_steps": 250, "run.save_steps": 125, "run.num_threads": 1}, train=ROWS)
    rows = [line.split("\t") for line in (ROOT / "train.tsv").read_text().splitlines()[1:]]
    wrong = set(random.Random(7).sample(range(ROWS), FLIPPED))
    (ROOT / "train.tsv").write_text("text\tlabel\n" + "".join(f"{text}\t{OTHER[label] if i in wrong else label}\n" for i, (text, label) in enumerate(rows)))
    return {i + 1 for i in wrong}, rows


def audit(*words, folds=FOLDS):
    return finished(["audit", "tiny.yaml", "--folds", folds, *words], ROOT, timeout=300)


def runs():
    return {p.name: tiny_bert.status(p).get("state") for p in (ROOT / "runs").glob("tiny-audit-*")}


def found():
    wrong, rows = prepare()
    done = audit("--detach", "--json")
    told = json.loads(done.stdout)
    check("detached", done.returncode == 0 and told == {"folds": FOLDS, "finished": 0, "queued": FOLDS}, (told, done.stderr))
    check("the runs", set(runs()) == {f"tiny-audit-{k}of{FOLDS}" for k in (1, 2, 3)}, runs())
    waiting = subprocess.Popen([BERTTY, "audit", "tiny.yaml", "--folds", str(FOLDS)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    tiny_bert.wait_for(lambda: "training" in runs().values() or "finished" in runs().values(), "a run that is trained")
    tiny_bert.wait_for(lambda: int(next(line for line in Path(f"/proc/{waiting.pid}/status").read_text().splitlines() if line.startswith("SigCgt")).split()[1], 16) & 2,
                       "the command to catch SIGINT")
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=60)
    check("interrupted", waiting.returncode in (0, 130) and (waiting.returncode == 0 or b"the runs go on" in err), (waiting.returncode, err))
    done = audit("--json", "--limit", ROWS)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    listed, total = lines[:-1], lines[-1]
    check("every row once", sorted(r["row"] for r in listed) == list(range(1, ROWS + 1)), (len(listed), done.stderr))
    check("the sum", (total["rows"], total["folds"], total["labels"]) == (ROWS, FOLDS, ["negative", "positive"]), total)
    check("the joint is of all rows", sum(map(sum, total["joint"])) == ROWS, total)
    check("flagged come first", [r["flagged"] for r in listed] == [True] * total["flagged"] + [False] * (ROWS - total["flagged"]), total)
    hit = sum(r["row"] in wrong for r in listed[:FLIPPED])
    check("flipped labels are found", hit >= SHARE * FLIPPED, hit)
    print(f"{hit} of {FLIPPED} flipped labels are in the first {FLIPPED} rows")
    at = listed[0]
    check("the text", at["text"] == rows[at["row"] - 1][0] and at["line"] == at["row"] + 1 and at["likelier"] == OTHER[at["given"]], at)
    text = audit("--limit", "5").stdout.decode()
    check("for people", len(text.splitlines()) == 7 and f"{total['flagged']} of {ROWS} labels are probably wrong" in text, text)
    before = {p: p.stat().st_mtime for p in ROOT.glob("runs/*/status.json")}
    audit()
    check("nothing is trained again", before == {p: p.stat().st_mtime for p in ROOT.glob("runs/*/status.json")})
    return wrong


def goes_on():
    """A run that failed is told, and tried again by the next call."""
    shutil.rmtree(ROOT / f"runs/tiny-audit-2of{FOLDS}")
    (ROOT / "model").rename(ROOT / "away")
    done = audit()
    one_line("without its model", done, 1, ["model"])
    (ROOT / "away").rename(ROOT / "model")
    done = audit("--json")
    check("and with it", done.returncode == 0 and set(runs().values()) == {"finished"}, (done.stderr, runs()))
    # Parts of other data: the same row in two of them.
    shutil.copy(next((ROOT / f"runs/tiny-audit-1of{FOLDS}/predictions").glob("validation-step-000250.jsonl")),
                ROOT / f"runs/tiny-audit-2of{FOLDS}/predictions/validation-step-000250.jsonl")
    for extra in (ROOT / f"runs/tiny-audit-2of{FOLDS}/predictions").iterdir():
        if extra.name != "validation-step-000250.jsonl":
            extra.unlink()
    for extra in (ROOT / f"runs/tiny-audit-1of{FOLDS}/predictions").iterdir():
        if extra.name != "validation-step-000250.jsonl":
            extra.unlink()
    one_line("a row of two parts", audit(), 1, ["is in the parts of two runs"])


def refused():
    one_line("a regression", finished(["audit", "tiny.yaml", "--set", "task.type=regression"], ROOT), 1, ["one label of several", "classification or absa"])
    one_line("one fold", finished(["audit", "tiny.yaml", "--folds", "1"], ROOT), 2, ["--folds"])
    one_line("no experiment", finished(["audit", "none.yaml"], ROOT), 1, ["none.yaml"])
    check("nothing was queued", len(runs()) == FOLDS, runs())


if __name__ == "__main__":
    code = COUNT.run([found, goes_on, refused])
    shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
