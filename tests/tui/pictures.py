#!/usr/bin/env python3
"""Renews the pictures of the themes, themes/NAME.svg: Charts on eight made-up runs, one for each series. `make pictures` is the way in."""
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from scalars import write
from screen import BERTTY, ROOT, fake_run

SERIES, STEPS = 8, 60
KEYS = " ".join(["Space"] * SERIES + ["4"])


def make_runs(runs):
    for i in range(SERIES):
        run = fake_run(runs, f"run-{chr(97 + i)}", step=STEPS, total=STEPS, best_step=STEPS - 10, started=1.7e9 - i)
        rows = []
        for step in range(1, STEPS + 1):
            left = math.exp(-step / (12 + 3 * i))
            rows.append(("train/loss", step, 0.1 + 0.07 * i + 0.6 * left))
            if step % 10 == 0:
                rows.append(("eval/accuracy", step, 0.95 - 0.04 * i - 0.3 * left))
        write(run, rows)


def main():
    with tempfile.TemporaryDirectory() as place:
        make_runs(Path(place) / "runs")
        for theme in sorted((ROOT / "themes").glob("*.yaml")):
            subprocess.run([Path(BERTTY).resolve(), "shot", "charts", "--size", "80x18", "--theme", theme, "--keys", "1 " + KEYS, "-o",
                            theme.with_suffix(".svg")], cwd=place, check=True)


if __name__ == "__main__":
    sys.exit(main())
