#!/usr/bin/env python3
"""The main views as text, cell by cell: `bertty shot` of a fixed directory against tests/tui/goldens/.

    tests/tui/test_goldens.py renew       writes them anew; look at the difference before it is committed
"""
import difflib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scalars import write
from screen import BERTTY, ROOT, fake_run, main

GOLDENS = ROOT / "tests/tui/goldens"
SIZES = ((80, 24), (120, 36))
NOW = 1_700_090_000
ALPHA, BETA = "alpha-20231114-221320-3f2a", "beta-20231114-220000-91bc"
EXPERIMENT = """# Film reviews, good or bad.
run:
  name: alpha
model:
  name_or_path: no-such-model
data:
  train_file: rows.tsv
  text_column: text
  label_column: label
optim:
  learning_rate: 5e-5   # tried: 3e-5
"""
SHOTS = {"first-start": ("empty", "runs"), "runs": ("full", "runs"), "runs-marked": ("full", "runs", "--keys", "Space j Space Tab"), "data": ("full", "data", "--open", "rows.tsv"),
         "data-row": ("full", "data", "--open", "rows.tsv", "--keys", "j Enter"), "experiment": ("full", "experiment", "--open", "experiments/alpha.yaml"),
         "charts": ("full", "charts"), "charts-cursor": ("full", "charts", "--keys", "Enter c"), "predictions": ("full", "predictions"), "predictions-audit": ("full", "predictions", "--keys", "A"),
         "predictions-map": ("learnt", "predictions", "--keys", "m"), "predictions-threshold": ("full", "predictions", "--keys", "%"),
         "compare": ("full", "runs", "--keys", "M 6"), "probe": ("empty", "probe"), "log": ("full", "log", "--keys", "/ s a v e d Enter"), "help": ("full", "runs", "--keys", "?"),
         "themes": ("full", "log", "--keys", "T"), "command": ("full", "runs", "--keys", ": p a Tab"), "question": ("full", "runs", "--keys", "D")}


def row(i, wrong):
    labels = ("neg", "pos")
    gold, p = labels[i % 2], 0.55 + i % 40 / 100
    given = labels[1 - i % 2] if wrong else gold
    return json.dumps({"id": i, "gold": gold, "prediction": given, "scores": {given: round(p, 2), labels[given == "neg"]: round(1 - p, 2)}, "loss": round(1 - p / 2, 4)}) + "\n"


def fill(path):
    for name, best, seed in ((ALPHA, 0.8716, 1), (BETA, 0.8642, 2)):
        run = fake_run(path / "runs", name, step=80, total=80, best=best, best_step=60, last=best - 0.01, last_step=80, started=1.7e9 - 800 * seed, train_loss=0.2 / seed,
                       log=f"training on rows.tsv\nstep 60 eval accuracy {best}\ncheckpoint step-000060 saved\nstep 80\ncheckpoint step-000080 saved\n")
        write(run, [scalar for step in range(1, 81) for scalar in (("train/loss", step, (2 + seed) / (2 + step / 9)), ("train/epoch", step, step / 40))]
              + [("eval/accuracy", step, best - 0.2 / (step / 20) + seed / 100) for step in (20, 40, 60, 80)])
        (run / "experiment.yaml").write_text(EXPERIMENT.replace("5e-5", f"{seed}e-5"))
        (run / "predictions").mkdir()
        (run / "predictions/validation-step-000060.jsonl").write_text("".join(row(i, i % (5 + seed) == 0) for i in range(1, 41)))
    (path / "rows.tsv").write_text("text\tlabel\n" + "".join(f"row {n}: a film 漢字 that I {'loved' if n % 2 else 'left'} é\t{n % 2}\n" for n in range(2000)))
    (path / "experiments").mkdir()
    (path / "experiments/alpha.yaml").write_text(EXPERIMENT)


def learn(path):
    """What the epochs said of the training rows."""
    (path / "runs" / ALPHA / "dynamics").mkdir()
    for epoch in (1, 2, 3):
        p = [round(0.5 + (i % 7 - 2) * (0.08 + 0.03 * (i % 3) * (epoch - 2)), 3) for i in range(300)]
        (path / "runs" / ALPHA / f"dynamics/epoch-{epoch}.jsonl").write_text(
            "".join(json.dumps({"id": i + 1, "p": min(p[i], 1), "correct": p[i] > 0.5}) + "\n" for i in range(300)))


def pictures():
    """(name, text) of each."""
    with tempfile.TemporaryDirectory(prefix="bertty-goldens-") as folder:
        path = Path(folder)
        for name in ("full", "learnt", "empty"):
            (path / name).mkdir()
        fill(path / "full")
        fill(path / "learnt")
        learn(path / "learnt")
        for columns, rows in SIZES:
            for name, (where, *arguments) in SHOTS.items():
                done = subprocess.run([BERTTY, "shot", *arguments, f"--size={columns}x{rows}", "--format=txt"], cwd=path / where, stdin=subprocess.DEVNULL, capture_output=True,
                                      check=True, timeout=120, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SOURCE_DATE_EPOCH": str(NOW)})
                yield f"{name}-{columns}x{rows}.txt", done.stdout.decode()


def test_views_look_as_they_did():
    shown = dict(pictures())
    kept = {path.name: path.read_text(encoding="utf-8") for path in GOLDENS.glob("*.txt")}
    assert set(shown) == set(kept), set(shown) ^ set(kept)
    other = [line for name in shown for line in difflib.unified_diff(kept[name].splitlines(), shown[name].splitlines(), f"{name}, kept", f"{name}, now", lineterm="", n=1)]
    assert not other, "\n".join(["it looks otherwise; if it is meant to: tests/tui/test_goldens.py renew", *other])


def renew():
    GOLDENS.mkdir(exist_ok=True)
    for path in GOLDENS.glob("*.txt"):
        path.unlink()
    for name, text in pictures():
        (GOLDENS / name).write_text(text, encoding="utf-8")


if sys.argv[1:] == ["renew"]:
    renew()
else:
    main(globals())
