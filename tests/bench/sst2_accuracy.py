#!/usr/bin/env python3
"""Dev accuracy of MiniLM on SST-2 after 3 epochs, over 3 seeds: a measurement of some ten minutes, no test.

    tests/bench/sst2_accuracy.py [--seeds 1,2,3] [--set KEY=VALUE]…

Settings: lr 5e-5, batch 32, warm-up 10 %, linear decay, weight decay 0.01; the last epoch counts, as in hf_finetune.py."""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("BT_SHARED") or ROOT.parent / "shared") / "data/sst2"
SETTINGS = {"model.name_or_path": ROOT / "experiments/models/all-MiniLM-L6-v2", "data.train_file": DATA / "train.tsv",
            "data.validation_file": DATA / "dev.tsv", "data.header": "false", "data.text_column": "1",
            "data.label_column": "2", "train.num_train_epochs": 3, "optim.learning_rate": 5e-5}


def one(folder, seed, more):
    (folder / "experiment.yaml").write_text("model: {}\n")
    options = [f"{k}={v}" for k, v in SETTINGS.items()] + [f"train.seed={seed}", *more]
    sets = [part for o in options for part in ("--set", o)]
    done = subprocess.run([os.environ.get("BERTTY_FAST") or ROOT / "bertty", "train", folder / "experiment.yaml", *sets, "--name",
                           f"seed-{seed}", "--runs", folder / "runs", "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--set", action="append", default=[])
    arguments = parser.parse_args()
    last = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds.split(","):
            r = one(Path(folder), seed, arguments.set)
            last.append(100 * r["last"]["metrics"]["accuracy"])
            print(f"seed {seed}: accuracy {last[-1]:.2f} (best epoch {100 * r['best']['metrics']['accuracy']:.2f}), "
                  f"{r['tokens_per_s']:.0f} tokens/s, {r['max_rss_mib']:.0f} MiB", flush=True)
    print(f"mean {statistics.mean(last):.2f}")


if __name__ == "__main__":
    main()
