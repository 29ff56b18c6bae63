#!/usr/bin/env python3
"""How many of the labels that were made wrong on purpose `bertty audit` finds: 5 % of SST-2's training labels are flipped, MiniLM is trained on
five parts as experiments/movie-reviews.yaml does, and those flipped labels are counted that stand in the first 5 % of the list. Some twenty
minutes, no test.

    tests/bench/audit_flips.py [--work DIR] [--share 0.05] [--folds 5] [--seed 42] [--epochs 3] [--set KEY=VALUE]…

With --work the runs stay there, and the same command goes on where it was interrupted."""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("BT_SHARED") or ROOT.parent / "shared").resolve()
BERTTY = os.path.abspath(os.environ.get("BERTTY_FAST") or ROOT / "bertty")
AIM = 0.6  # of the flipped labels within the first part of the list that is as large as theirs


def flipped(to, share, seed):
    """Writes the training file; the rows (from 0) whose label was changed."""
    lines = (SHARED / "data/sst2/train.tsv").read_text().splitlines()
    wrong = sorted(random.Random(seed).sample(range(len(lines)), round(share * len(lines))))
    for i in wrong:
        text, label = lines[i].rsplit("\t", 1)
        lines[i] = f"{text}\t{1 - int(label)}"
    to.write_text("\n".join(lines) + "\n")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--set", action="append", default=[])
    o = parser.parse_args()
    if not (SHARED / "data/sst2").exists():
        print(f"{SHARED}/data/sst2 is missing: BT_SHARED says where the data are")
        return 77
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(o.work or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        wrong = flipped(folder / "train.tsv", o.share, o.seed)
        (folder / "flips.yaml").write_text(f"""model: {{name_or_path: {ROOT / "experiments/models/all-MiniLM-L6-v2"}}}
data: {{train_file: train.tsv, validation_file: {SHARED / "data/sst2/dev.tsv"}, header: false, text_column: "1", label_column: "2"}}
train: {{num_train_epochs: {o.epochs}, group_by_length: true}}
optim: {{learning_rate: 1.0e-4, warmup_ratio: 0.1}}
""")
        settings = [part for s in o.set for part in ("--set", s)]
        began = time.monotonic()
        done = subprocess.run([BERTTY, "audit", "flips.yaml", "--folds", str(o.folds), "--limit", str(len(wrong)), *settings, "--json"],
                              cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    listed = [r["row"] for r in rows if "row" in r]
    found = len(set(listed) & {i + 1 for i in wrong})
    print(f"{len(wrong)} labels flipped, {o.folds} folds, {time.monotonic() - began:.0f} s: "
          f"{found / len(wrong):.1%} of them are in the first {len(listed)} of the list (aim: {AIM:.0%}); {json.dumps(rows[-1])}")
    return 0 if len(listed) == len(wrong) else 1


if __name__ == "__main__":
    sys.exit(main())
