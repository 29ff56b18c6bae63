#!/usr/bin/env python3
"""BERTTY_KERNELS limits the vector kernels: `bertty version` says which are used, and each gives the same predictions; bf16 near ones."""
import json
import os
import sys

from refusal import BERTTY, COUNT, Ground, finished

from tiny_bert import sentences

NAMES = ("base", "avx2", "avx512", "avx512bf16")
IMITATED = "bf16 is imitated"
NEAR = 0.05  # bf16's logits to those of fp32, which lie between −1 and 1
GROUND = Ground({"train.max_steps": 10, "eval.eval_strategy": "no"}, train=40, dev=10)
FOLDER = GROUND.fresh()
FAST = os.environ.get("BERTTY_FAST", "")


def with_kernels(name):
    env = {k: v for k, v in os.environ.items() if k != "BERTTY_KERNELS"}
    return env if name is None else {**env, "BERTTY_KERNELS": name}


def used(name):
    done = finished(["version", "--json"], FOLDER, env=with_kernels(name))
    return json.loads(done.stdout)["kernels"]


def named():
    best = used(None)
    COUNT.check("the best are one of them", best in NAMES, best)
    for i, name in enumerate(NAMES):
        expected = NAMES[min(i, NAMES.index(best))]  # a processor without them uses what it has
        COUNT.check(f"version with {name}", used(name) == expected, (name, used(name)))
        text = finished(["version"], FOLDER, env=with_kernels(name)).stdout.decode()
        COUNT.check(f"version for people with {name}", f"vector kernels: {expected} (bf16 " in text, text)
        COUNT.check(f"bf16 with {name}", ("in hardware" in text) == (expected == NAMES[-1]), text)
    COUNT.check("an unknown name limits nothing", used("sse9") == best)


def logits(name, program, *more):
    done = finished(["predict", "run", "texts.txt", "--json", *more], FOLDER, program, env=with_kernels(name))
    COUNT.check(f"predict with {name}", done.returncode == 0 and not done.stderr, done)
    return [json.loads(line)["logits"] for line in done.stdout.splitlines()]


def predictions():
    done = finished(["train", "tiny.yaml", "--name", "run"], FOLDER)
    COUNT.check("a run", done.returncode == 0, done.stderr)
    (FOLDER / "texts.txt").write_text("".join(text + "\n" for text, _ in sentences(50, 7)))
    names = [name for name in NAMES if used(name) == name]
    if len(names) < 2:
        return COUNT.skip("predictions", "this processor has one set of kernels")
    for program in filter(os.path.exists, (BERTTY, FAST)):
        results = {name: logits(name, program) for name in names}
        base = results["base"]
        COUNT.check("50 predictions that differ", len(base) == 50 and len({tuple(row) for row in base}) > 10, len(base))
        for name, rows in results.items():
            apart = max(abs(a - b) for x, y in zip(base, rows) for a, b in zip(x, y))
            COUNT.check(f"{program}: {name} agrees with base", len(rows) == 50 and apart <= 1e-4, apart)
        if program == FAST:  # the other one's compiler may be told to round all alike
            COUNT.check("they are different kernels", results["avx2"] != base)


def training():
    """They learn alike: the losses agree."""
    losses = {}
    for name in NAMES:
        if used(name) != name:
            continue
        done = finished(["train", "tiny.yaml", "--name", f"train-{name}", "--json"], FOLDER, env=with_kernels(name))
        steps = [json.loads(line) for line in done.stdout.splitlines()]
        losses[name] = [s["loss"] for s in steps if s.get("event") == "step"]
        told = json.loads((FOLDER / f"runs/train-{name}/run.json").read_text())
        COUNT.check(f"run.json with {name}", name in json.dumps(told), told)
    base = losses["base"]
    for name, got in losses.items():
        COUNT.check(f"losses with {name}", len(got) == len(base) > 0 and all(abs(a - b) <= 1e-4 for a, b in zip(base, got)), (base, got))


def bf16():
    """It learns and answers alike with every set; where it is imitated, check and the log say so; a run is asked as it was trained."""
    losses = {}
    for name in filter(lambda n: used(n) == n, NAMES):
        env, hardware = with_kernels(name), name == NAMES[-1]
        checked = finished(["check", "tiny.yaml", "--set", "train.precision=bf16"], FOLDER, env=env).stdout.decode()
        COUNT.check(f"check of bf16 with {name}", (IMITATED in checked) != hardware, checked)
        done = finished(["train", "tiny.yaml", "--set", "train.precision=bf16", "--name", f"bf16-{name}", "--json"], FOLDER, env=env)
        losses[name] = [s["loss"] for s in map(json.loads, done.stdout.splitlines()) if s.get("event") == "step"]
        log = (FOLDER / f"runs/bf16-{name}/log.txt").read_text()
        COUNT.check(f"the log of bf16 with {name}", (IMITATED in log) != hardware, log)
    base = losses["base"]
    for name, got in losses.items():
        COUNT.check(f"bf16's losses with {name}", len(got) == len(base) > 0 and all(abs(a - b) <= NEAR for a, b in zip(base, got)), (base, got))
    fp32, rounded, told = (logits(None, BERTTY, *more) for more in ((), ("--precision", "bf16"), ("--precision", "fp32")))
    apart = max(abs(a - b) for x, y in zip(fp32, rounded) for a, b in zip(x, y))
    COUNT.check("--precision bf16 is near fp32 and not the same", 0 < apart <= NEAR, apart)
    COUNT.check("a run of fp32 is asked in fp32", fp32 == told)
    plain = finished(["eval", "bf16-base", "--data", "dev.tsv", "--json"], FOLDER).stdout.splitlines()[-1]
    same, other = (finished(["eval", "bf16-base", "--data", "dev.tsv", "--json", "--precision", p], FOLDER).stdout.splitlines()[-1] for p in ("bf16", "fp32"))
    loss = [json.loads(line)["metrics"]["loss"] for line in (plain, same, other)]
    COUNT.check("a run of bf16 is evaluated in bf16", loss[0] == loss[1] != loss[2] and abs(loss[0] - loss[2]) <= NEAR, loss)
    done = finished(["predict", "run", "texts.txt", "--precision", "fp16"], FOLDER)
    COUNT.check("no other precision", done.returncode == 2 and b"fp16" in done.stderr and b"bf16" in done.stderr, done)


if __name__ == "__main__":
    code = COUNT.run([named, predictions, training, bf16])
    GROUND.remove()
    sys.exit(code)
