"""Every key of every view, as `bertty keys` tells them, and a directory to press them in."""
import json
import os
import subprocess

from scalars import write
from screen import BERTTY, fake_run, key_bytes, live_status

VIEWS = ["Runs", "Data", "Experiment", "Charts", "Predictions", "Compare", "Probe", "Log", "Study"]
ENDING = {"quit", "suspend"}  # pressed by themselves
SPECIAL = {"Enter": "Enter", "Esc": "Esc", "Tab": "Tab", "Shift-Tab": "BTab", "Up": "Up", "Down": "Down", "Left": "Left", "Right": "Right", "Home": "Home",
           "End": "End", "PgUp": "PgUp", "PgDn": "PgDn", "F1": "F1", "F2": "F2", "F5": "F5", "Space": "Space", "Del": "Del", "BSpace": "BSpace"}
EXPERIMENT = "run: {name: x}\nmodel: {name_or_path: no-such-model}\ndata: {train_file: rows.tsv, text_column: text, label_column: label}\n"


def table(*arguments, env=None):
    """{view: [(action, [key])]}"""
    done = subprocess.run([BERTTY, "keys", *arguments, "--json"], capture_output=True, check=True, env={**os.environ, "HOME": "/nonexistent", **(env or {})})
    rows = {}
    for line in done.stdout.decode().splitlines():
        row = json.loads(line)
        rows.setdefault(row["view"], []).append((row["action"], row["keys"]))
    return rows


def bytes_of(key):
    """Of a key as key maps spell it."""
    if key.startswith("Ctrl-"):
        return key_bytes("C-" + key[5:])
    if key.startswith("Alt-"):
        return "\x1b" + bytes_of(key[4:])
    if len(key) > 1:
        return key_bytes(SPECIAL[key])  # a KeyError: a key that this test does not know yet
    return key


def with_runs(path):
    for i in range(30):
        fake_run(path / "runs", f"run-{i:02}-20261124-100000-{i:04x}", log="a line\n" * 50 + "漢字 \u202e evil\x1b[2J\n", started=1.7e9 + i)
    run = fake_run(path / "runs", "newest-20261124-110000-ffff", log="last\n", started=1.8e9, **live_status(step=3, total=80))
    write(run, [row for step in range(1, 60) for row in (("train/loss", step, 2 / step), ("eval/accuracy", step, step / 80), ("train/epoch", step, step / 40))])
    without_runs(path)


def without_runs(path):
    (path / "experiments").mkdir()
    (path / "experiments/e.yaml").write_text(EXPERIMENT)
    (path / "rows.tsv").write_text("text\tlabel\n" + "".join(f"row {n} 漢字 é \x1b[2J\t{n % 2}\n" for n in range(300)))


def pressed(actions):
    return [key for action, keys in actions if action not in ENDING for key in keys if key != "Esc"]
