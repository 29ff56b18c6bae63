#!/usr/bin/env python3
"""bertty map, annotate, predictions --threshold and --tag, audit --decide: what they say of small runs, and of what is wrong."""
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

from refusal import COUNT, finished, one_line

ROOT = Path(tempfile.mkdtemp(prefix="bertty-rows-"))
check = COUNT.check
LABELS = ("no", "yes")
SCORES = [("yes", 0.9), ("yes", 0.4), ("no", 0.3), ("no", 0.6), ("no", 0.1), ("yes", 0.35)]
AUDITED = 40


def put(path, text):
    path = ROOT / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def row(i, gold, p):
    scores = {"no": round(1 - p, 4), "yes": p}
    return json.dumps({"id": i, "gold": gold, "prediction": max(scores, key=scores.get), "scores": scores, "loss": 0.5}) + "\n"


def make_run(name, rows, split="validation"):
    put(f"runs/{name}/status.json", '{"state": "finished"}')
    put(f"runs/{name}/experiment.yaml", f'run:\n  name: small\nmodel:\n  name_or_path: none\ntask:\n  type: classification\ndata:\n  train_file: "{ROOT}/train.tsv"\n'
        f'  validation_file: "{ROOT}/dev.tsv"\n  text_column: text\n  label_column: label\n')
    sums = {f"{ROOT}/{f}": hashlib.sha256((ROOT / f).read_bytes()).hexdigest() for f in ("train.tsv", "dev.tsv")}
    put(f"runs/{name}/run.json", json.dumps({"data": sums}))
    put(f"runs/{name}/predictions/{split}-step-000010.jsonl", "".join(row(*r) for r in rows))


def prepare():
    put("dev.tsv", "text\tlabel\n" + "".join(f"dev {i}\t{gold}\n" for i, (gold, _) in enumerate(SCORES)))
    put("train.tsv", "text\tlabel\n" + "".join(f"train {i}\t{LABELS[i % 2]}\n" for i in range(1, AUDITED + 1)))
    make_run("small", [(i + 1, gold, p) for i, (gold, p) in enumerate(SCORES)])


def told(*words):
    done = finished(words, ROOT)
    return done, [json.loads(line) for line in done.stdout.splitlines()] if "--json" in words and done.returncode == 0 else []


def thresholds():
    done, lines = told("predictions", "small", "--threshold", "0.4", "--json")
    check("decided anew", [r["predicted"] for r in lines[:-1]] == ["yes", "yes", "no", "yes", "no", "no"], (lines, done.stderr))
    one = lines[-1]["thresholds"]
    check("what comes of it", len(one) == 1 and (one[0]["label"], one[0]["tp"], one[0]["fp"], one[0]["fn"], one[0]["tn"]) == ("yes", 2, 1, 1, 2), one)
    done, _ = told("predictions", "small", "--threshold", "best", "--errors")
    check("for people", len(done.stdout.splitlines()) == 2 and b"yes from 0.35 on: precision 0.7500, recall 1.0000, F1 0.8571" in done.stderr, (done.stdout, done.stderr))
    done, lines = told("predictions", "small", "--threshold", "no=0.65", "--json")
    check("the other label", [r["predicted"] for r in lines[:-1]] == ["yes", "yes", "no", "yes", "no", "no"], lines)
    one_line("beyond 1", told("predictions", "small", "--threshold", "1.5")[0], 1, ["expected a number from 0 to 1, or best"])
    one_line("no such label", told("predictions", "small", "--threshold", "maybe=0.5")[0], 1, ["there is no such label"])
    one_line("both", told("predictions", "small", "--threshold", "no=0.5", "--threshold", "yes=0.5")[0], 1, ["one is the positive one"])
    put("runs/number/status.json", "{}")
    put("runs/number/predictions/validation-step-000010.jsonl", '{"id": 1, "prediction": "1", "value": 1.0, "gold_value": 1.5}\n')
    one_line("numbers", told("predictions", "number", "--threshold", "0.5")[0], 1, ["a threshold decides between two labels"])


def annotations():
    path = ROOT / "runs/small/predictions/validation.notes.jsonl"
    done, lines = told("annotate", "small", "2", "5", "+odd", "+check", "--note", "-- irony?", "--json")
    check("given", done.returncode == 0 and [(r["row"], r["tags"], r["note"]) for r in lines[:-1]] == [(2, ["odd", "check"], "-- irony?"), (5, ["odd", "check"], "-- irony?")], (lines, done.stderr))
    check("where", [json.loads(line)["row"] for line in path.read_text().splitlines()] == [2, 5] and json.loads(path.read_text().splitlines()[0])["data"] == lines[-1]["data"])
    told("annotate", "small", "5", "-odd", "--note", "")
    done, _ = told("annotate", "small")
    check("listed", done.stdout.decode().splitlines() == ["2  odd, check  -- irony?", "5  check"], done.stdout)
    done, lines = told("predictions", "small", "--tag", "ODD", "--json")
    check("by tag", [(r["id"], r["tags"], r["note"]) for r in lines[:-1]] == [(2, ["odd", "check"], "-- irony?")], (lines, done.stderr))
    done, _ = told("predictions", "small", "--filter", 'tags ~ "check"')
    table = [line.split("\t") for line in done.stdout.decode().splitlines()]
    check("a table", [r[-2:] for r in table] == [["tags", "note"], ["odd check", "-- irony?"], ["check", ""]], table)
    done, _ = told("predictions", "small", "--filter", 'note ~ "irony"')
    check("by note", len(done.stdout.splitlines()) == 2, done.stdout)
    before = path.read_text()
    one_line("no such row", told("annotate", "small", "77", "+odd")[0], 1, ["no row 77"])
    one_line("no row", told("annotate", "small", "+odd")[0], 2, ["which rows?"])
    one_line("not a number", told("annotate", "small", "x", "+odd")[0], 2, ["x: expected the number of a row"])
    one_line("no tag", told("annotate", "small", "2", "+a,b")[0], 1, ["'a,b' is no tag"])
    check("nothing was changed", path.read_text() == before)
    path.write_text(before + "[]\n")
    one_line("damaged", told("annotate", "small", "2", "+odd")[0], 1, ["validation.notes.jsonl:3: expected"])
    one_line("damaged, read", told("predictions", "small")[0], 1, ["validation.notes.jsonl:3: expected"])
    path.write_text(before.replace('"data":"', '"data":"0'))
    done, lines = told("annotate", "small", "--json")
    check("other data", lines == [{"split": "validation", "data": lines[-1]["data"], "rows": 0, "of_other_data": 2}], lines)
    told("annotate", "small", "2", "+new")
    check("nothing is lost", len(path.read_text().splitlines()) == 3, path.read_text())
    done = finished(["rm", "small", "--yes"], ROOT)
    check("they go with the run", done.returncode == 0 and not (ROOT / "runs/small").exists(), done.stderr)
    prepare()


def maps():
    for e, p in enumerate((0.2, 0.8)):
        put(f"runs/small/dynamics/epoch-{e + 1}.jsonl", "".join(json.dumps({"id": i, "p": p if i % 4 == 0 else 0.9 if i % 2 else 0.1, "correct": bool(i % 2)}) + "\n" for i in range(1, 21)))
    done, lines = told("map", "small", "--json")
    check("regions", lines[-1]["regions"] == {"easy-to-learn": 10, "ambiguous": 5, "hard-to-learn": 5} and lines[-1]["epochs"] == 2, (lines, done.stderr))
    check("a row", lines[3] == {"id": 4, "region": "ambiguous", "confidence": lines[3]["confidence"], "variability": lines[3]["variability"], "correctness": 0, "forgotten": 0, "learnt": False,
                                "epochs": 2, "p": [0.2, 0.8], "label": "yes" if False else "no", "text": "train 4"}, lines[3])
    done, _ = told("map", "small", "--region", "hard-to-learn", "--sort", "confidence", "-n", "2")
    check("for people", [line.split("\t")[:2] for line in done.stdout.decode().splitlines()] == [["id", "region"], ["2", "hard-to-learn"], ["6", "hard-to-learn"]], done.stdout)
    put("runs/small/dynamics/epoch-2.jsonl", '{"id": 1, "p": -1, "correct": true}\n')
    one_line("damaged", told("map", "small")[0], 1, ['epoch-2.jsonl:1: expected "p"'])
    shutil.rmtree(ROOT / "runs/small/dynamics")
    one_line("none", told("map", "small")[0], 1, ["no figures of training examples"])
    one_line("no region", told("map", "small", "--region", "odd")[0], 2, ["--region"])


def decisions():
    for k in (1, 2):
        make_run(f"small-audit-{k}of2", [(i, LABELS[i % 2], 0.95 if (LABELS[i % 2] == "yes") != (i in (3, 8)) else 0.05) for i in range(1, AUDITED + 1) if i % 2 == k - 1])
    put("small.yaml", (ROOT / "runs/small/experiment.yaml").read_text())
    audit = ["audit", "small.yaml", "--folds", "2", "--json"]
    done, lines = told(*audit)
    check("two are doubted", {r["row"] for r in lines[:-1]} == {3, 8} and lines[-1]["decided"] == 0 and abs(lines[0]["quality"] - 0.05) < 1e-6, (lines, done.stderr))
    done, lines = told(*audit, "--decide", "3=relabel", "--decide", "8=drop")
    check("decided", {r["row"]: (r["decision"], r.get("label")) for r in lines[:-1]} == {3: ("relabel", "no"), 8: ("drop", None)} and lines[-1]["decided"] == 2, (lines, done.stderr))
    path = ROOT / "runs/small.decisions.jsonl"
    check("where", lines[-1]["decisions"].endswith("runs/small.decisions.jsonl") and len(path.read_text().splitlines()) == 3, lines[-1])
    done = finished(["audit", "small.yaml", "--folds", "2"], ROOT)
    check("for people", b"relabel: no" in done.stdout and b"2 of them are decided" in done.stdout, done.stdout)
    told(*audit, "--decide", "3=relabel:yes", "--decide", "8=undo", "--decide", "1=keep")
    check("changed", sorted((r["row"], r["decision"]) for r in map(json.loads, path.read_text().splitlines()[1:])) == [(1, "keep"), (3, "relabel")], path.read_text())
    before = path.read_text()
    for word, said in (("3", "expected ROW=keep"), ("3=maybe", "expected ROW=keep"), ("x=keep", "expected ROW=keep"), ("3=keep:no", "expected ROW=keep"),
                       ("77=keep", "the audit has no row 77"), ("3=relabel:odd", '"odd" is not one of the labels')):
        one_line(word, told(*audit, "--decide", word)[0], 1, [said])
    check("nothing was decided", path.read_text() == before)
    put("train.tsv", (ROOT / "train.tsv").read_text().replace("train 1\t", "other 1\t"))
    done = finished([*audit, "--decide", "3=keep"], ROOT)
    check("other data", done.returncode == 1 and b"training data have changed since small-audit-1of2" in done.stderr and b"nothing is decided about other data" in done.stderr, done.stderr)


if __name__ == "__main__":
    prepare()
    code = COUNT.run([thresholds, annotations, maps, decisions])
    shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
