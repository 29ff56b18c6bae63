#!/usr/bin/env python3
"""`make demo` on a terminal: opens the workbench on the run that it started, and on that same run when it is called again."""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from screen import BERTTY_FAST, ROOT, Screen, main

sys.path.insert(0, str(Path(__file__).parent.parent))
import tiny_bert  # noqa: E402


def checkout(folder):
    """What the script sees of a checkout, with a tiny experiment that does not end by itself."""
    experiment = tiny_bert.experiment(folder / "experiments", {"run.name": "movie-reviews", "train.max_steps": 1000000,
                                                               "eval.eval_strategy": "no", "run.save_strategy": "no"})
    experiment.rename(folder / "experiments/movie-reviews.yaml")
    shutil.copy(ROOT / "experiments/demo", folder / "experiments/demo")
    (folder / "bertty").symlink_to(BERTTY_FAST)


def runs(folder):
    done = subprocess.run([BERTTY_FAST, "runs", "--json"], cwd=folder, capture_output=True, text=True, check=True)
    return [row["run"] for row in json.loads(done.stdout)["runs"]]


def test_one_run_however_often():
    folder = Path(tempfile.mkdtemp(prefix="bertty-demo-"))
    checkout(folder)
    try:
        for _ in range(2):
            with Screen(["experiments/demo"], program="/bin/sh", directory=str(folder)) as s:
                s.wait(r"training")
                assert s.end("q") == 0
        assert len(runs(folder)) == 1, runs(folder)
    finally:
        for run in runs(folder):
            subprocess.run([BERTTY_FAST, "stop", run], cwd=folder, capture_output=True)
            tiny_bert.wait_for(lambda r=run: tiny_bert.status(folder / "runs" / r).get("state") == "stopped", "the end")
        shutil.rmtree(folder, ignore_errors=True)


main(globals())
