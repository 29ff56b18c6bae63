#!/usr/bin/env python3
"""Successive halving beside the grid: 27 points of three options on sst2, one epoch of MiniLM each. Hours of measuring, no test.

    tests/bench/asha_figures.py --work DIR [--threads N]      may be interrupted: the same command goes on
    tests/bench/asha_figures.py --work DIR --table            what there is by now

Both studies lie in DIR/runs; their trials go through its queue. Told: the tokens that ASHA has trained on when its best is within 0.3 points
of the grid's best, as a share of all that the grid takes; and that of the grid itself in its own order."""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("BT_SHARED") or ROOT.parent / "shared").resolve()
BERTTY = os.environ.get("BERTTY_FAST") or ROOT / "bertty"
WITHIN = 0.003
STEPS = 216  # an epoch of 6,920 rows in batches of 32, and a multiple of the rungs' 9
EXPERIMENT = """model: {{name_or_path: {model}}}
data: {{train_file: {data}/train.tsv, validation_file: {data}/dev.tsv, text_column: 1, label_column: 2, header: false}}
train: {{train_batch_size: 32, max_steps: {steps}}}
eval: {{eval_strategy: steps, eval_steps: 24, metric_for_best_model: accuracy}}
run: {{output_dir: runs, num_threads: {threads}, save_steps: {steps}, save_total_limit: 1}}
sweep:
  options:
    optim.learning_rate: [1e-5, 5e-5, 2e-4]
    optim.warmup_ratio: [0.0, 0.1, 0.3]
    optim.weight_decay: [0.0, 0.01, 0.1]
  stopping: {stopping}
"""


def bertty(work, *words):
    done = subprocess.run([BERTTY, *words], cwd=work, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bertty {' '.join(words)}: {done.stderr}")
    return done.stdout


def study(work, name):
    return json.loads(bertty(work, "study", name, "--json"))


def run(work, name, threads):
    path = work / f"{name}.yaml"
    path.write_text(EXPERIMENT.format(model=ROOT / "experiments/models/all-MiniLM-L6-v2", data=SHARED / "data/sst2", steps=STEPS, threads=threads,
                                      stopping=name if name == "asha" else "none"))
    bertty(work, "sweep", path.name)
    while study(work, name)["state"] in ("running", "waiting"):
        bertty(work, "queue", "run")
        time.sleep(2)


def history(work, name):
    """(tokens of all trials so far, best value so far) after each evaluation, in the order of time."""
    tokens, best, found = {}, 0.0, []
    for line in (work / f"runs/.studies/{name}/results.jsonl").read_text().splitlines():
        r = json.loads(line)
        if "value" not in r:
            continue
        tokens[r["trial"]] = max(tokens.get(r["trial"], 0), r["tokens"])
        best = max(best, r["value"])
        found.append((sum(tokens.values()), best))
    return found


def table(work):
    grid, asha = history(work, "grid"), history(work, "asha")
    total, goal = grid[-1][0], grid[-1][1] - WITHIN
    for name, found in (("grid", grid), ("asha", asha)):
        reached = next((tokens for tokens, best in found if best >= goal), None)
        where = f"within 0.3 points of the grid's best after {reached:,} ({reached / total:.2f}×)" if reached else "never within 0.3 points of the grid's best"
        states = [t["state"] for t in study(work, name)["trials"]]
        print(f"{name}: {len(states)} trials, {states.count('finished')} to the end; best {found[-1][1]:.4f}; {found[-1][0]:,} tokens in all ({found[-1][0] / total:.2f}×); {where}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=Path, required=True)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--table", action="store_true")
    a = p.parse_args()
    if not (SHARED / "data/sst2/train.tsv").exists():
        print("skipped: no sst2 under BT_SHARED")
        return 77
    a.work.mkdir(parents=True, exist_ok=True)
    if not a.table:
        for name in ("grid", "asha"):
            run(a.work, name, a.threads)
    table(a.work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
