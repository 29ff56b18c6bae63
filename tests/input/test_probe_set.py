#!/usr/bin/env python3
"""bertty probe: what is expected, what is told, exit codes, what is kept of a run's checkpoints, and sets that are wrong or do not fit the model."""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import tiny_bert
from refusal import COUNT, broken, finished, one_line

ROOT = Path(tempfile.mkdtemp(prefix="bertty-probe-"))
check = COUNT.check

GOOD = """probes:
  - name: praise
    text: a good film
    expect: positive
    at_least: 0.7
  - text: a bad film
    expect: [negative, other]
  - name: the noun
    text: the film was good
    same_for: [the plot was good, {text: the cast was good}]
    tolerance: 0.3
  - name: more
    text: the film was
    rises_for: the film was good
    label: positive
    by: 0.05
  - name: less
    text: the film was good
    falls_for: [the film was bad, the film was awful]
    label: positive
"""
FOUR = GOOD.replace(", other]", "]")


def probe(text, *words, model="r", name="set"):
    path = ROOT / f"{name}.probe.yaml"
    path.write_text(text)
    return finished(["probe", path.name, model, *words], ROOT)


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def prepare():
    tiny_bert.experiment(ROOT, {"optim.learning_rate": 3e-3, "train.max_steps": 200, "run.save_steps": 50, "eval.eval_steps": 50, "run.save_total_limit": 5,
                                "run.num_threads": 1}, train=600)
    done = finished(["train", "tiny.yaml", "--name", "r"], ROOT)
    check("the run", done.returncode == 0, done.stderr[-800:])


def as_expected():
    done = probe(FOUR, "--json")
    found = rows(done)
    check("all is as expected", done.returncode == 0 and all(r["passed"] for r in found[:-1]), (done.returncode, found, done.stderr))
    check("names and kinds", [(r["probe"], r["kind"]) for r in found[:-1]] ==
          [("praise", "minimum"), ("a bad film", "minimum"), ("the noun", "invariance"), ("more", "direction"), ("less", "direction")], found)
    check("the sum", {**found[-1], "step": 0} == {"set": "set", "model": "r", "step": 0, "probes": 5, "passed": 5}, found[-1])

    def ask(*texts):
        return [json.loads(finished(["predict", "r", "--text", t, "--json"], ROOT).stdout)["scores"] for t in texts]
    good, noun, plot, cast, bare, bad, awful = ask("a good film", "the film was good", "the plot was good", "the cast was good", "the film was", "the film was bad", "the film was awful")
    want = [good["positive"], None, max(abs(noun[k] - other[k]) for k in noun for other in (plot, cast)),
            noun["positive"] - bare["positive"], min(noun["positive"] - bad["positive"], noun["positive"] - awful["positive"])]
    for r, w in zip(found, want):
        check(f"the score of {r['probe']}", w is None or abs(r["score"] - w) < 1e-6, (r, w))


def not_as_expected():
    wrong = FOUR.replace("expect: positive", "expect: negative").replace("tolerance: 0.3", "tolerance: 0").replace("by: 0.05", "by: 0.999") \
        .replace("falls_for", "rises_for").replace("expect: [negative]", "expect: negative\n    at_most: 0.01")
    done = probe(wrong, "--json")
    found = rows(done)
    check("nothing is as expected", done.returncode == 3 and not any(r["passed"] for r in found[:-1]), (done.returncode, found))
    check("what was expected", [r["expected"] for r in found[:-1]] ==
          ["negative, at least 0.7", "negative, at most 0.01", "the same, within 0", "to rise by 0.999", "to rise"], found)
    check("what was said", found[0]["said"] == "positive" and " → " in found[2]["said"] and found[4]["said"].startswith("positive "), found)
    check("the worst variant", found[2]["worst"] in ("the plot was good", "the cast was good"), found[2])
    text = probe(wrong).stdout.decode()
    check("for people", text.count("FAIL") == 5 and "r: 0 of 5 as expected at step" in text and "(minimum 0 of 2, invariance 0 of 1, direction 0 of 2)" in text, text)


def history():
    shutil.rmtree(ROOT / "runs/r/probes", ignore_errors=True)
    done = probe(FOUR, "--all", "--json")
    found = rows(done)
    steps = sorted({r["step"] for r in found[:-1] if "step" in r})
    check("every checkpoint", steps == [50, 100, 150, 200] and found[-1]["steps"] == 4, found[-1])
    kept = ROOT / "runs/r/probes/set.jsonl"
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    check("a line a step", [line["step"] for line in lines] == [50, 100, 150, 200] and all(len(line["results"]) == 5 for line in lines), lines)
    for step in steps:
        alone = rows(probe(FOUR, "--json", model=f"r@{step}"))
        check(f"step {step}: as when it is asked alone", [(r["probe"], r["passed"], r["score"]) for r in alone[:-1]] ==
              [(r["probe"], r["passed"], r["score"]) for r in found[:-1] if r.get("step") == step], alone)
    shutil.rmtree(ROOT / "runs/r/checkpoints/step-000050")
    again = rows(probe(FOUR, "--all", "--json"))
    check("a checkpoint that is gone is remembered", again == found, again)
    flips = [(r["flip"], r["before"], r["probe"], r["passed"]) for r in found if "flip" in r]
    verdicts = {name: [(r["step"], r["passed"]) for r in found if r.get("probe") == name and "flip" not in r] for name in ("praise", "a bad film", "the noun", "more", "less")}
    want = [(to, frm, name, passed) for name, v in verdicts.items() for (frm, was), (to, passed) in zip(v, v[1:]) if was != passed]
    check("the flips", flips == sorted(want, key=lambda f: f[0]) and any(f[2] == "praise" and f[3] for f in flips), (flips, want))
    text = probe(FOUR, "--all").stdout.decode()
    check("for people", "steps 50, 100, 150, 200" in text and "mended praise: positive (step 50: negative)" in text, text)
    # Half a line, as a full disk leaves it, and a probe that was not asked at a step.
    lines[2]["results"] = {}
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines[:3]) + "{half")
    again = probe(FOUR, "--all", "--json")
    check("what is missing is asked again", rows(again) == found, (rows(again), again.stderr))
    # Another question under the same name is another probe.
    done = probe(FOUR.replace("a good film", "a great film"), "--all", "--json")
    first = [r for r in rows(done) if r.get("probe") == "praise" and "step" in r and "flip" not in r]
    check("a changed probe has no past", [r["step"] for r in first] == [100, 150, 200], first)
    check("nothing is forgotten", len(json.loads(kept.read_text().splitlines()[-1])["results"]) == 6, kept.read_text())


def refused(name, text, *said, model="r"):
    one_line(name, probe(text, model=model, name="bad"), 1, ["bad.probe.yaml", *said])


def wrong_sets():
    one = "probes:\n  - text: a\n    "
    for name, text, *said in (
            ("no list", "probes: 3\n", ":1:", "expected probes: and a list"),
            ("an empty list", "probes: []\n", "expected probes: and a list"),
            ("something beside it", "probes:\n  - {text: a, expect: b}\nother: 1\n", ':3: "other"'),
            ("no text", "probes:\n  - expect: positive\n", ":2: no text"),
            ("nothing expected", "probes:\n  - text: a\n", ":2: nothing is expected"),
            ("two expectations", one + "expect: b\n    same_for: [c]\n", "2 expectations"),
            ("an unknown member", one + "expcet: b\n", "nothing is expected"),
            ("a misspelt member", one + "expect: b\n    at_lest: 1\n", ':4: "at_lest"', "did you mean at_least?"),
            ("a member of another kind", one + "expect: b\n    tolerance: 1\n", ":4: tolerance: of no use with expect"),
            ("a tolerance below 0", one + "same_for: [b]\n    tolerance: -1\n", ":4: tolerance: expected a number from 0 on"),
            ("no number", one + "expect: b\n    at_least: much\n", ":4: at_least: expected a number"),
            ("an empty interval", one + "expect: b\n    at_least: 0.8\n    at_most: 0.2\n", "at_least is above at_most"),
            ("no variant", one + "same_for: []\n", "0 inputs, expected 1 to 1000"),
            ("an odd variant", one + "same_for: [{txt: b}]\n", '"txt" is not part of an input'),
            ("one choice", one + "expect: b\n    choices: [b]\n", "expected at least two"),
            ("twice the same name", "probes:\n  - {text: a, expect: b}\n  - {text: a, expect: c}\n", ":3: a second probe", "line 2"),
            ("no YAML", "probes: [\n", ":"),
            ("an unknown label", one + "expect: neutral\n", ':2: the model has no label "neutral", expected one of negative, positive'),
            ("no label", one + "rises_for: [b]\n", ":2: no label"),
            ("a choice", one + "expect: positive\n    choices: [a, b]\n", "does not choose"),
            ("a probability of 2", one + "expect: positive\n    at_least: 2\n", "between 0 and 1"),
            ("a number alone", one + "at_least: 0.5\n", "expected expect too"),
            ("an empty expectation", one + "expect: []\n", "an empty list")):
        refused(name, text, *said)
    one_line("no such run", probe(FOUR, model="nothing"), 1, ["no run 'nothing' in runs"])
    one_line("no such set", finished(["probe", "none.yaml", "r"], ROOT), 1, ["none.yaml", "no such file"])
    one_line("a model without a head", probe(FOUR, model="model"), 1, ["classifier"])
    one_line("all of a model", probe(FOUR, "--all", model="model"), 1, ["--all is for a run"])
    done = probe("probes:\n  - name: \"a\\e[2J\"\n    text: \"\\e]0;x\\a good\"\n    expect: positive\n")
    check("hostile texts", not broken(done.stderr) and b"\x1b" not in done.stdout, (done.stdout, done.stderr))


def other_tasks():
    """Labels sets, numbers: what fits them."""
    rng = [(text, str({"negative": -1.0, "positive": 1.0}[label])) for text, label in tiny_bert.sentences(600, 4)]
    (ROOT / "numbers.tsv").write_text("text\tlabel\n" + "".join(f"{t}\t{v}\n" for t, v in rng))
    sets = [(text, label if i % 3 else f"{label},film") for i, (text, label) in enumerate(tiny_bert.sentences(600, 5))]
    (ROOT / "sets.tsv").write_text("text\tlabel\n" + "".join(f"{t}\t{v}\n" for t, v in sets))
    for name, task in (("numbers", "regression"), ("sets", "multilabel")):
        done = finished(["train", "tiny.yaml", "--name", name, "--set", f"data.train_file={name}.tsv", "--set", f"data.validation_file={name}.tsv",
                         "--set", f"task.type={task}"], ROOT)
        check(f"train {task}", done.returncode == 0, done.stderr[-800:])
    numbers = ("probes:\n  - {text: a good film, at_least: 0.3}\n  - {text: a bad film, at_most: -0.3}\n"
               "  - {name: up, text: the film was bad, rises_for: [the film was good], by: 0.5}\n"
               "  - {name: same, text: the film was good, same_for: [the plot was good], tolerance: 2}\n")
    done = probe(numbers, "--json", model="numbers")
    check("numbers", done.returncode == 0, (done.stdout, done.stderr))
    done = probe(numbers.replace("at_least: 0.3", "at_least: 9"), "--json", model="numbers")
    check("a number that is not reached", done.returncode == 3 and rows(done)[0]["expected"] == "at least 9", done.stdout)
    refused("a label of a number", numbers.replace("by: 0.5", "label: positive"), "label: the model gives a number", model="numbers")
    refused("a number without a tolerance", numbers.replace(", tolerance: 2", ""), "expected a tolerance", model="numbers")
    chosen = json.loads(finished(["predict", "sets", "--text", "a good film", "--json"], ROOT).stdout)
    said = [k for k, v in chosen["scores"].items() if v >= 0.5]
    done = probe(f"probes:\n  - text: a good film\n    expect: {json.dumps(said)}\n", "--json", model="sets")
    check("a label set", done.returncode == 0, (done.stdout, done.stderr, chosen))
    done = probe(f"probes:\n  - text: a good film\n    expect: {json.dumps(said[1:] + ['film'] * ('film' not in said))}\n", "--json", model="sets")
    check("a part of a label set is not the set", done.returncode == 3, done.stdout)
    done = probe("probes:\n  - text: a good film\n    expect: []\n", "--json", model="sets")
    check("more than the set is not the set", said and done.returncode == 3 and rows(done)[0]["expected"] == "nothing", (said, done.stdout))


if __name__ == "__main__":
    code = COUNT.run([prepare, as_expected, not_as_expected, history, wrong_sets, other_tasks])
    shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
