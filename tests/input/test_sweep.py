#!/usr/bin/env python3
"""Sweeps: the section's mistakes told in a line, the trials that it means, and what becomes of them: every decision is checked against the rules as the papers have them."""
import hashlib
import json
import math
import os
import statistics
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run, wait_for

ROOT = Path(tempfile.mkdtemp(prefix="bertty-sweep-"))
FAST = os.environ["BERTTY_FAST"]
COUNT = 0
SHARED = {"train.max_steps": 90, "train.train_batch_size": 4, "eval.eval_steps": 10, "run.save_steps": 45, "run.num_threads": 1, "run.output_dir": "runs"}
THREE = "options: {optim.learning_rate: [1e-5, 1e-3, 1e-2]}"


def text_of(sweep, folder=ROOT):
    """An experiment file with that section; its name."""
    path = folder / "e.yaml"
    path.write_text((folder / "tiny.yaml").read_text() + (f"sweep:\n  {sweep}\n" if sweep else ""))
    return path.name


def at(*words, program=None, **options):
    return run(*words, cwd=ROOT, program=program, **options)


def good(*words, program=FAST, **options):
    done = at(*words, program=program, **options)
    assert done.returncode == 0 and done.stderr == "", (words, done)
    return done.stdout


def result(*words, **options):
    return json.loads(good(*words, "--json", **options))


def refused(sweep, *parts):
    """`sweep` and `check` both say so, in one line with these parts, and make nothing."""
    global COUNT
    file = text_of(sweep)
    for command in ("sweep", "check"):
        done = at(command, file)
        assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, (sweep, done)
        for part in (f"{file}:", *parts):
            assert part in done.stderr, (sweep, part, done.stderr)
    assert not (ROOT / "runs").exists()
    COUNT += 1


def mistakes():
    refused("[]", "expected search, options")
    refused("{}", "nothing varies")
    refused("serch: grid", 'did you mean "search"?')
    refused("search: fast", "grid or random", '"fast"')
    refused("search: grid", "nothing varies")
    refused("seeds: [1]", "nothing varies")
    refused("seeds: []", "not empty")
    refused("seeds: [1, 1]", "each value once")
    refused("seeds: [1, -1]", "train.seed")
    refused("seeds: 42", "a list")
    refused("options: {}", "options with their values")
    refused("options: [optim.learning_rate]", "options with their values")
    refused("options: {optim.learning_rat: [1]}", 'did you mean "optim.learning_rate"?')
    refused("options: {zzzz: [1]}", "an option")
    refused("options: {optim.learning_rate: []}", "not empty")
    refused("options: {optim.learning_rate: 1e-5}", "a list of values")
    refused("options: {optim.learning_rate: [fast]}", "optim.learning_rate", "fast")
    refused("options: {optim.learning_rate: [1e-5, 0.00001]}", "each value once")
    refused("options: {optim.learning_rate: [1e-5, 7000]}", "7000")
    refused("options: {run.output_dir: [a, b]}", "changes what is trained")
    refused("options: {run.name: [a, b]}", "changes what is trained")
    refused("options: {optim.optim: {min: 1, max: 2}}", "only numbers have ranges")
    refused("options: {optim.learning_rate: {min: 1e-5}}", "{min: …, max: …}")
    refused("options: {optim.learning_rate: {min: 1e-3, max: 1e-3, steps: 2}}", "min below max")
    refused("options: {optim.weight_decay: {min: 0, max: 0.1, scale: log, steps: 2}}", "above 0")
    refused("options: {optim.weight_decay: {min: 0, max: 0.1, scale: odd, steps: 2}}", "linear or log")
    refused("options: {optim.weight_decay: {min: 0, max: 0.1, step: 2}}", "min, max, scale or steps")
    refused("options: {optim.weight_decay: {min: 0, max: 0.1, steps: 1}}", "from 2 to")
    refused("options: {optim.weight_decay: {min: 0, max: 0.1}}", "needs steps")
    refused("options: {train.train_batch_size: {min: null, max: 4, steps: 2}}", "train_batch_size")
    refused(f"{THREE}\n  trials: 3", "search: random")
    refused(f"{THREE}\n  seed: 3", "search: random")
    refused(f"{THREE}\n  search: random", "how many")
    refused("seeds: [1, 2]\n  search: random\n  trials: 2", "needs options")
    refused("options: {optim.weight_decay: {min: 0, max: 0.1, steps: 4}}\n  search: random\n  trials: 2", "search: grid")
    refused(f"{THREE}\n  search: random\n  trials: 0", "from 1 to")
    refused(f"{THREE}\n  search: random\n  trials: 10001", "from 1 to 10000")
    refused(f"{THREE}\n  search: random\n  trials: 1\n  seed: 1.5", "a whole number")
    refused(f"{THREE}\n  stopping: early", "none, asha or median")
    refused(f"{THREE}\n  rungs: 2", "stopping: asha")
    refused(f"{THREE}\n  reduction_factor: 2", "stopping: asha")
    refused(f"{THREE}\n  stopping: asha\n  reduction_factor: 1", "from 2 to 100")
    refused(f"{THREE}\n  stopping: asha\n  rungs: 11", "from 1 to 10")
    refused(f"{THREE}\n  startup_trials: 2", "stopping: median")
    refused(f"{THREE}\n  warmup_fraction: 0.5", "stopping: median")
    refused(f"{THREE}\n  stopping: median\n  warmup_fraction: 1.5", "from 0 to 1")
    refused(f"{THREE}\n  stopping: median\n  startup_trials: 0", "from 1 to")
    refused(f"{THREE}\n  max_tokens: 0", "max_tokens")
    refused(f"{THREE}\n  max_time: 30", "max_time", "a time like")
    refused(f"{THREE}\n  metric: null", "metric")
    refused(f"{THREE}\n  metric: [a]", "metric")
    refused("options: {train.seed: [1, 2]}\n  seeds: [1, 2]", "one of them")


def cannot(part, sweep, *settings, code=1):
    """What only the experiment as a whole tells."""
    global COUNT
    sets = [word for setting in settings for word in ("--set", setting)]
    tiny_bert.fails(code, part, "sweep", text_of(sweep), *sets, cwd=ROOT)
    assert not (ROOT / "runs/.studies").exists()
    COUNT += 1


def mistakes_of_the_whole():
    cannot('no section "sweep:"', None)
    cannot("expected validation data", THREE, "eval.eval_strategy=no")
    cannot('metric "nonsense": expected one of loss, accuracy', f"{THREE}\n  metric: nonsense")
    cannot("save_strategy other than no", f"{THREE}\n  stopping: asha", "run.save_strategy=no")
    cannot("more than 10000 points", "options: {optim.weight_decay: {min: 0, max: 0.1, steps: 9999}, optim.learning_rate: [1e-5, 2e-5]}")
    cannot("sweep: with model.name_or_path=", "options: {model.name_or_path: [model, elsewhere]}")
    tiny_bert.fails(1, "expected letters", "sweep", text_of(THREE), "--name", "../x", cwd=ROOT)
    tiny_bert.fails(2, "expected", "sweep", cwd=ROOT)
    tiny_bert.fails(1, "nothing.yaml", "sweep", "nothing.yaml", cwd=ROOT)
    tiny_bert.fails(1, "no such study", "study", "nothing", cwd=ROOT)
    tiny_bert.fails(1, "no such study", "study", "go", "nothing", cwd=ROOT)
    tiny_bert.fails(1, "no such study", "study", "../x", cwd=ROOT)
    tiny_bert.fails(2, "no 'start' here", "study", "start", "x", cwd=ROOT)
    assert "no study in runs" in good("study")
    assert result("study") == {"studies": []}
    assert not (ROOT / "runs/.studies").exists()


# ── the plan ──

def plan(sweep):
    return [dict(one.split("=", 1) for one in trial) for trial in result("sweep", text_of(sweep), "--dry-run")["trials"]]


def plans():
    grid = plan("options:\n    optim.learning_rate: {min: 1e-5, max: 1e-3, scale: log, steps: 3}\n"
                "    train.train_batch_size: {min: 2, max: 8, steps: 4}\n    optim.optim: [adamw, sgd]\n  seeds: [7, 8]")
    expected = [(rate, batch, optim, seed) for rate in (1e-5, 1e-4, 1e-3) for batch in (2, 4, 6, 8) for optim in ("adamw", "sgd") for seed in (7, 8)]
    assert [(float(t["optim.learning_rate"]), int(t["train.train_batch_size"]), t["optim.optim"], int(t["train.seed"])) for t in grid] == expected
    draw = "options:\n    optim.learning_rate: {min: 1e-5, max: 1e-2, scale: log}\n    train.train_batch_size: {min: 2, max: 5}\n" \
           "    optim.weight_decay: [0, 0.1]\n  search: random\n  trials: %d\n  seed: %d"
    many = plan(draw % (400, 1))
    assert plan(draw % (50, 1)) == many[:50], "a longer search begins as the shorter one"
    assert plan(draw % (50, 2)) != many[:50]
    rates = sorted(math.log10(float(t["optim.learning_rate"])) for t in many)
    assert -5 <= rates[0] and rates[-1] <= -2
    # uniform in the logarithm: Kolmogorov and Smirnov's distance, 1 % level
    distance = max(max(abs((i + 1) / 400 - (x + 5) / 3), abs(i / 400 - (x + 5) / 3)) for i, x in enumerate(rates))
    assert distance < 1.63 / math.sqrt(400), distance
    for key, values in (("train.train_batch_size", ("2", "3", "4", "5")), ("optim.weight_decay", ("0", "0.1"))):
        counts = [sum(t[key] in (value, value + ".0") for t in many) for value in values]
        assert sum(counts) == 400, (key, counts)
        share = 1 / len(values)
        assert all(abs(n - 400 * share) < 4 * math.sqrt(400 * share * (1 - share)) for n in counts), (key, counts)
    few = plan("options: {optim.weight_decay: [0, 0.1]}\n  search: random\n  trials: 9")
    assert len(few) == 2, "a combination is tried once"


# ── studies ──

def begin(sweep, name, *more):
    return result("sweep", text_of(sweep), "--name", name, *more)


def ended(name, seconds=120):
    def done():
        found = result("study", name)
        return found if found["state"] not in ("running", "waiting") else None
    return wait_for(done, f"the end of {name}", seconds)


def reports(name):
    return [json.loads(line) for line in (ROOT / f"runs/.studies/{name}/results.jsonl").read_text().splitlines()]


def weights(name):
    return hashlib.sha256((ROOT / "runs" / name / "last/model.safetensors").read_bytes()).hexdigest()


def grid():
    made = begin("options:\n    optim.learning_rate: [1e-5, 1e-3, 1e-2]\n    train.train_batch_size: [4, 8, 16]\n  metric: loss", "grid")
    assert made["added"] == 9 and made["started"] == ["grid-001-learning_rate-1e-5-train_batch_size-4"], made
    if result("study", "grid")["state"] == "running":
        tiny_bert.fails(1, "expected no trial that is queued or running", "study", "remove", "grid", cwd=ROOT)
    study = ended("grid")
    assert study["state"] == "done" and [t["state"] for t in study["trials"]] == ["finished"] * 9, study
    by_status = {t["run"]: tiny_bert.status(ROOT / "runs" / t["run"]) for t in study["trials"]}
    values = {}
    for t in study["trials"]:
        mine = [r["value"] for r in reports("grid") if r["trial"] == t["trial"]]
        assert len(mine) == 9 and t["best"] == min(mine) and t["last"] == mine[-1], t
        config = json.loads(good("show", t["run"], "--json"))
        assert by_status[t["run"]]["state"] == "finished", config
        values.setdefault(t["settings"]["optim.learning_rate"], []).append(t["best"])
    assert study["best"] == min(t["best"] for t in study["trials"]) == study["trials"][study["best_trial"] - 1]["best"]
    rate = next(o for o in study["options"] if o["option"] == "optim.learning_rate")
    for found in rate["values"]:
        mine = values[found["value"]]
        assert found["trials"] == 3 and math.isclose(found["mean"], statistics.mean(mine)) and math.isclose(found["sd"], statistics.stdev(mine)) and \
            found["best"] == min(mine), (found, mine)
    assert math.isclose(rate["spearman"], spearman([(float(t["settings"]["optim.learning_rate"]), t["best"]) for t in study["trials"]]), abs_tol=1e-12)
    return study


def ranks(values):
    order = sorted(values)
    return [statistics.mean(i for i, v in enumerate(order) if v == value) for value in values]


def spearman(pairs):
    return statistics.correlation(ranks([a for a, _ in pairs]), ranks([b for _, b in pairs]))


def check_asha(name, factor, rungs):
    """Every line of the results against the algorithm: who went on was among the best then, who waited was not, nothing new began while somebody could go on."""
    best, promoted = {}, {}  # rung → {trial: value}; {trial: rungs that it has left}
    seen, decided = set(), 0
    lines = reports(name)

    def among(trial, rung):
        order = sorted(best[rung], key=lambda t: (best[rung][t], t))
        return order.index(trial) < len(order) // factor

    for i, r in enumerate(lines):
        trial, rung = r["trial"], r.get("rung", -1)
        if "value" not in r:
            assert r["verdict"] == "on" and among(trial, rung), r
            promoted.setdefault(trial, set()).add(rung)
            continue
        if trial not in seen:  # it was made because nobody could go on
            free = [(t, k) for k in best for t in best[k] if among(t, k) and max(k2 for k2 in best if t in best[k2]) == k and k not in promoted.get(t, ())]
            assert not free, (r, free)
            seen.add(trial)
        at_rung = [k for k in range(rungs) if r["step"] >= r["total"] * factor ** (k - rungs) and r["step"] < r["total"]]
        fresh = [k for k in at_rung if trial not in best.get(k, ())]
        assert (rung == at_rung[-1] if fresh else rung == -1), (r, at_rung)
        for k in fresh:
            best.setdefault(k, {})[trial] = r["value"]
        if rung >= 0:
            decided += 1
            on = i + 1 < len(lines) and "value" not in lines[i + 1] and lines[i + 1]["trial"] == trial and lines[i + 1]["step"] == r["step"]
            assert on or not among(trial, rung), (r, best[rung])
    return seen, decided, best


def asha(whole):
    sweep = "options:\n    optim.learning_rate: [1e-5, 1e-3, 1e-2]\n    train.train_batch_size: [4, 8, 16]\n  metric: loss\n  stopping: asha"
    begin(sweep, "asha")
    study = ended("asha")
    seen, decided, best = check_asha("asha", 3, 2)
    assert study["state"] == "done" and len(seen) == 9 and decided >= 12, (study, decided)
    states = [t["state"] for t in study["trials"]]
    assert 1 <= states.count("finished") <= 3 and states.count("waiting") == 9 - states.count("finished"), states
    assert sum(t["tokens"] for t in study["trials"]) == study["tokens"] < 0.75 * whole["tokens"]
    for t, w in zip(study["trials"], whole["trials"]):
        if t["state"] == "finished":  # it waited at rungs on the way: nothing else is different
            assert weights(t["run"]) == weights(w["run"]), t
            assert t["best"] == w["best"]
    assert len(best[0]) == 9 and sorted(best[1].values())[0] == min(best[1].values())


def several_at_once():
    """Three trials at a time: each is run once, and every decision holds with what stood in the results then."""
    good("queue", "limit", "3")
    sweep = "options:\n    optim.learning_rate: {min: 1e-5, max: 1e-2, scale: log}\n  search: random\n  trials: 12\n  metric: loss\n  stopping: asha\n  reduction_factor: 2"
    begin(sweep, "three")
    study = ended("three")
    good("queue", "limit", "1")
    assert study["state"] == "done" and all(t["state"] in ("finished", "waiting") for t in study["trials"]), study
    per = {}
    for r in reports("three"):
        if "value" in r:
            key = (r["trial"], r["step"])
            assert key not in per, f"evaluated twice: {r}"
            per[key] = r["value"]
    assert {trial for trial, _ in per} == set(range(1, 13))


def median():
    sweep = "options:\n    optim.learning_rate: [1e-3, 2e-3, 3e-3, 1e-5, 2e-5]\n  metric: loss\n  stopping: median\n  startup_trials: 2\n  warmup_fraction: 0.3"
    begin(sweep, "median")
    study = ended("median")
    by_trial, cut = {}, set()
    for r in reports("median"):
        if "value" not in r:
            assert r["verdict"] == "cut" and by_trial[r["trial"]][-1][0] == r["step"]
            cut.add(r["trial"])
            continue
        by_trial.setdefault(r["trial"], []).append((r["step"], r["value"]))
    for trial, mine in by_trial.items():
        for k, (step, _) in enumerate(mine):
            means = [statistics.mean(v for s, v in by_trial[o] if s <= step) for o in by_trial if o < trial and by_trial[o][-1][0] >= step]
            behind = step >= 27 and step < 90 and len(means) >= 2 and min(v for _, v in mine[:k + 1]) > statistics.median(means)
            assert behind == (trial in cut and k == len(mine) - 1), (trial, step, means, mine)
    assert cut, by_trial
    assert [t["state"] for t in study["trials"]] == ["cut" if t["trial"] in cut else "finished" for t in study["trials"]]


def budgets_and_pauses():
    sweep = "options: {optim.learning_rate: [1e-5, 1e-3, 1e-2]}\n  max_tokens: 4000"
    begin(sweep, "budget")
    ended("budget")
    good("queue", "run")
    study = ended("budget")
    states = [t["state"] for t in study["trials"]]
    assert study["state"] == "budget used up" and states == ["finished", "finished", "planned"] and study["tokens"] >= 4000, study
    # more of it, and more trials: the same command; a crash has left half a line
    with open(ROOT / "runs/.studies/budget/results.jsonl", "a") as f:
        f.write('{"trial":1,"st')
    more = begin("options: {optim.learning_rate: [1e-3, 3e-3, 1e-5, 1e-2]}", "budget")
    assert (more["had"], more["added"]) == (3, 1), more
    study = ended("budget")
    whole = [line for line in (ROOT / "runs/.studies/budget/results.jsonl").read_text().splitlines() if line.endswith("}") and '"trial":3,' in line]
    assert len(whole) == 9 and all(line.startswith('{"trial":3,') for line in whole), whole
    assert study["damaged_lines"] == 1 and study["trials"][2]["step"] == 90 and len(study["options"][0]["values"]) == 4, study
    assert [t["state"] for t in study["trials"]] == ["finished"] * 4 and study["trials"][3]["settings"] == {"optim.learning_rate": "0.003"}, study
    tiny_bert.fails(1, "metric is not what it began with", "sweep", text_of(f"{THREE}\n  metric: loss"), "--name", "budget", cwd=ROOT)
    tiny_bert.fails(1, "stopping is not", "sweep", text_of(f"{THREE}\n  stopping: median"), "--name", "budget", cwd=ROOT)
    tiny_bert.fails(1, "optim.weight_decay is not", "sweep", text_of(THREE), "--name", "budget", "--set", "optim.weight_decay=0.3", cwd=ROOT)
    good("study", "remove", "budget")
    assert result("study")["studies"][0]["study"] != "budget" and (ROOT / "runs" / study["trials"][0]["run"] / "status.json").exists()
    tiny_bert.fails(1, "there is a run of that name already", "sweep", text_of(THREE), "--name", "budget", cwd=ROOT)
    good("queue", "pause")
    assert begin(THREE, "held")["started"] == [], "a queue that is held starts no trial"
    good("study", "pause", "held")
    good("queue", "go")
    assert result("study", "held")["state"] == "paused" and [t["state"] for t in result("study", "held")["trials"]] == ["planned"] * 3
    good("study", "go", "held")
    assert [t["state"] for t in ended("held")["trials"]] == ["finished"] * 3


def people_first():
    """A run that a person queued goes before the study's next trial."""
    begin(THREE, "patient")
    name = good("train", "tiny.yaml", "--name", "mine", "--queue")
    study = ended("patient")
    wait_for(lambda: tiny_bert.status(ROOT / "runs/mine").get("state") == "finished", f"the end of {name}")
    started = [tiny_bert.status(ROOT / "runs" / t["run"])["started"] for t in study["trials"]]
    assert tiny_bert.status(ROOT / "runs/mine")["started"] < started[-1], started


def stopped_by_a_person():
    """It is left alone, the others go on; and a trial's run is deleted like any other, after which it is planned again."""
    begin("options: {optim.learning_rate: [1e-5, 1e-3]}", "halted", "--set", "train.max_steps=20000")
    first, second = (t["run"] for t in result("study", "halted")["trials"])
    good("stop", first)
    wait_for(lambda: tiny_bert.status(ROOT / "runs" / second).get("state") == "training", "the second trial")
    assert [t["state"] for t in result("study", "halted")["trials"]] == ["halted", "running"]
    good("study", "pause", "halted")
    good("stop", second)
    wait_for(lambda: tiny_bert.status(ROOT / "runs" / second)["state"] == "stopped", "its end")
    assert result("study", "halted")["state"] == "paused"
    good("rm", first, second, "--yes")
    assert not (ROOT / "runs" / first).exists() and [t["state"] for t in result("study", "halted")["trials"]] == ["planned", "planned"]
    good("study", "remove", "halted")


def failing():
    """Trials that all fail before they have a figure hold the study, which says why; a damaged result is passed over and told."""
    (ROOT / "gone.tsv").write_text((ROOT / "train.tsv").read_text())
    good("queue", "pause")
    begin("options: {optim.learning_rate: [1e-5, 1e-4, 1e-3, 1e-2, 2e-2]}", "failing", "--set", "data.train_file=gone.tsv")
    (ROOT / "gone.tsv").unlink()
    done = at("queue", "go", program=FAST)
    assert "gone.tsv" in done.stderr, done
    study = result("study", "failing")
    assert study["state"] == "paused" and "gone.tsv" in study["why"] and [t["state"] for t in study["trials"]] == ["planned"] * 5, study
    assert "paused: " in good("study", "failing")
    (ROOT / "gone.tsv").write_text("text\tlabel\n")
    at("study", "go", "failing", program=FAST)
    study = ended("failing")
    assert study["state"] == "paused" and study["why"].startswith("3 trials have failed"), study
    assert [t["state"] for t in study["trials"]] == ["failed"] * 3 + ["planned"] * 2, study
    good("study", "remove", "failing")


def damaged():
    folder = ROOT / "runs/.studies/grid"
    before = result("study", "grid")
    with open(folder / "results.jsonl", "a") as f:
        f.write('{"trial":1,"step":5}\n{"trial":99,"step":5,"total":9}\n\x1b[2J\n{"trial":2,"st')
    after = result("study", "grid")
    assert after.pop("damaged_lines") == 3 and before.pop("damaged_lines") == 0 and after == before
    plan_text = (folder / "study.json").read_text()
    for bad, part in (("", "study.json"), ("[]", "an object"), ("{}", '"metric"'), (plan_text.replace('"loss"', "7"), '"metric"'),
                      (plan_text.replace('"reduction_factor":3', '"reduction_factor":1'), "the rules"),
                      (plan_text.replace('"none"', '"some"'), "the rules"), (plan_text.replace('"run":"grid-001', '"run":"../grid-001'), "a run's name"),
                      (plan_text.replace("optim.learning_rate", "optim.\\u001b[2J"), "settings of options"), (plan_text[:90], "study.json")):
        (folder / "study.json").write_text(bad)
        tiny_bert.fails(1, part, "study", "grid", cwd=ROOT)
        assert at("queue", "run").returncode == 1, "whoever takes is told"
    (folder / "study.json").write_text(plan_text)
    assert result("study", "grid")["state"] == "done"


def main():
    tiny_bert.experiment(ROOT, SHARED, train=60, dev=20)
    mistakes()
    mistakes_of_the_whole()
    plans()
    whole = grid()
    asha(whole)
    several_at_once()
    median()
    budgets_and_pauses()
    people_first()
    stopped_by_a_person()
    failing()
    damaged()
    print(f"{COUNT + 11} passed, 0 failed, 0 skipped")


if __name__ == "__main__":
    sys.exit(main())
