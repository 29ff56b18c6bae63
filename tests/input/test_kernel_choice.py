#!/usr/bin/env python3
"""BERTTY_KERNELS limits the vector kernels: `bertty version` says which are used, and each gives the same predictions."""
import json
import os
import sys

from refusal import BERTTY, COUNT, Ground, finished

from tiny_bert import sentences

NAMES = ("base", "avx2", "avx512")
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
        COUNT.check(f"version for people with {name}", f"vector kernels: {expected}," in text, text)
    COUNT.check("an unknown name limits nothing", used("sse9") == best)


def logits(name, program):
    done = finished(["predict", "run", "texts.txt", "--json"], FOLDER, program, env=with_kernels(name))
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


if __name__ == "__main__":
    code = COUNT.run([named, predictions, training])
    GROUND.remove()
    sys.exit(code)
