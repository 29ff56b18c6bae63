#!/usr/bin/env python3
"""bertty audit: labels that were flipped on purpose are found; the runs are queued, waited for, gone on with after an interruption and a failure; what it cannot do is said."""
import json
import math
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


def evaluations():
    """{row: what each evaluation of its run said}"""
    said = {}
    for path in ROOT.glob(f"runs/tiny-audit-*of{FOLDS}/predictions/validation-step-*.jsonl"):
        for r in map(json.loads, path.read_text().splitlines()):
            said.setdefault(r["id"], []).append(r["scores"])
    return said


def geometric(scores, label):
    mean = {k: math.exp(sum(math.log(s[k]) for s in scores) / len(scores)) for k in scores[0]}
    return mean[label] / sum(mean.values())


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
    said = evaluations()
    apart = max(abs(geometric(said[r["row"]], r["given"]) - r["p_given"]) for r in listed)
    check("the mean of several evaluations", len(said[1]) > 1 and apart < 1e-5, (len(said[1]), apart))
    at = listed[0]
    check("the text", at["text"] == rows[at["row"] - 1][0] and at["line"] == at["row"] + 1 and at["likelier"] == OTHER[at["given"]], at)
    text = audit("--limit", "5").stdout.decode()
    check("for people", len(text.splitlines()) == 7 and f"{total['flagged']} of {ROWS} labels are probably wrong" in text, text)
    before = {p: p.stat().st_mtime for p in ROOT.glob("runs/*/status.json")}
    audit()
    check("nothing is trained again", before == {p: p.stat().st_mtime for p in ROOT.glob("runs/*/status.json")})
    return wrong


def train(name, *more):
    return finished(["train", "tiny.yaml", "--name", name, "--set", "train.max_steps=2", "--set", "eval.eval_strategy=no", "--set", "run.save_strategy=no", *more], ROOT)


def decisions():
    """Decisions in a file beside the data are applied to training rows, and only where they fit."""
    listed = [json.loads(line) for line in audit("--json", "--limit", "6").stdout.splitlines()][:-1]
    listed[0]["decision"], listed[1]["decision"], listed[2]["decision"] = "relabel", "drop", "keep"
    listed[3].update(decision="relabel", label=listed[3]["given"])
    path = ROOT / "decided.jsonl"

    def write(lines):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    write([*listed, {"rows": ROWS}])
    with_file = ["--set", "data.label_decisions=decided.jsonl"]
    done = train("decided", *with_file)
    check("applied", done.returncode == 0 and b"decided.jsonl: 2 labels changed, 1 rows dropped, 1 labels kept" in done.stdout, (done.stdout, done.stderr))
    check("rows", f"{ROWS - 1} training rows".encode() in done.stdout, done.stdout)
    # The same as data in which that was done by hand.
    rows = (ROOT / "train.tsv").read_text().splitlines()
    text, label = rows[listed[0]["row"]].split("\t")
    rows[listed[0]["row"]] = f"{text}\t{OTHER[label]}"
    del rows[listed[1]["row"]]
    (ROOT / "by-hand.tsv").write_text("\n".join(rows) + "\n")
    done = train("by-hand", "--set", "data.train_file=by-hand.tsv")
    losses = [[line.split("loss ")[1].split()[0] for line in (ROOT / f"runs/{name}/log.txt").read_text().splitlines() if " loss " in line] for name in ("decided", "by-hand")]
    check("as by hand", losses[0] == losses[1] and losses[0], losses)
    done = train("cut", *with_file, "--set", "data.validation_file=[]", "--set", "data.num_folds=4")
    check("with parts", done.returncode == 0 and f"{(ROWS - 1) * 3 // 4} training rows".encode() in done.stdout or f"{(ROWS - 1) * 3 // 4 + 1} training rows".encode() in done.stdout, done.stdout)
    for name, line, *said in (
            ("no such row", {"row": ROWS + 1, "given": "positive", "decision": "keep"}, f"row {ROWS + 1} of {ROWS} rows"),
            ("other data", {**listed[0], "given": OTHER[listed[0]["given"]]}, "in the data, the decision was about"),
            ("no verdict", {**listed[0], "decision": "perhaps"}, 'decision "perhaps", expected keep, relabel or drop'),
            ("no label", {**listed[0], "label": "neutral"}, '"neutral" is not one of the labels'),
            ("no object", [1], "not a JSON object")):
        write([{}, line])
        one_line(name, train("x", *with_file), 1, ["decided.jsonl:2:", *said])
    write([listed[0], listed[0]])
    one_line("twice", train("x", *with_file), 1, ["decided.jsonl:2:", "a second decision about row"])
    path.write_text('{"row": 1')
    one_line("half a line", train("x", *with_file), 1, ["decided.jsonl:1:"])
    path.unlink()
    one_line("no file", train("x", *with_file), 1, ["data.label_decisions", "decided.jsonl"])
    one_line("another task", train("x", *with_file, "--set", "task.type=regression"), 1, ["data.label_decisions"])


def compared():
    """The rows of a part have their texts in the training data, whatever compares them."""
    one, other = ROOT / f"runs/tiny-audit-1of{FOLDS}", ROOT / "runs/copy"
    shutil.copytree(one, other, symlinks=True)
    done = finished(["compare", one.name, other.name, "--slice", "length(text) > 0", "--json"], ROOT)
    slices = {s["name"]: s["rows"] for line in done.stdout.splitlines() for s in json.loads(line).get("predictions", {}).get("slices", [])}
    check("texts of a part's rows", slices.get("length(text) > 0") == ROWS // FOLDS, (slices, done.stdout[-300:], done.stderr))
    shutil.rmtree(other)


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
    code = COUNT.run([found, compared, decisions, goes_on, refused])
    shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
