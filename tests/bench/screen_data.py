"""What the figures of the workbench are measured on: runs, curves, tables; and a run that is being trained, as far as a watcher can tell.

    tests/bench/screen_data.py live RUN RATE METRICS SECONDS BEFORE     RATE logged steps a second, after BEFORE at once
"""
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/tui"), str(ROOT / "tests")]
import events_files  # noqa: E402
import scalars  # noqa: E402
from meter import BERTTY  # noqa: E402
from screen import fake_run, live_status  # noqa: E402

WORDS = "the of and to in is that it was for on are as with his they be at one have this from".split()
TABLE = "big.csv"
STATUS_S = 0.5  # between two status.json, as the engine writes it


def predictions(run, step, n=2000):
    (run / "predictions").mkdir()
    with open(run / f"predictions/validation-step-{step:06}.jsonl", "w") as f:
        for i in range(n):
            gold, p = ("good", "bad")[i % 2], (i * 37 % 100) / 100
            f.write(json.dumps({"id": i + 1, "gold": gold, "prediction": "good" if p > 0.5 else "bad", "scores": {"good": p, "bad": 1 - p},
                                "loss": round(1 - (p if gold == "good" else 1 - p), 4)}) + "\n")


def experiment(path, i=0):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"""model: {{name_or_path: model}}
data: {{train_file: {TABLE}, validation_file: {TABLE}, text_column: text, label_column: label}}
task: {{type: classification}}
optim: {{learning_rate: {i // 5 + 1}e-6}}
train: {{seed: {i % 5}}}
""")


def many_runs(folder, n):
    """n runs, groups of five seeds, with figures of 1,000 steps, of which the newest three have predictions and a long log; and an experiment."""
    runs = folder / "runs"
    if runs.exists():
        return folder
    events = b"".join(scalars.event(tag, k, k, 1 - k / 2000) for k in range(1000) for tag in ("train/loss", "train/grad_norm"))
    events += b"".join(scalars.event(f"eval/m{i}", k, k, k / 1000) for k in range(0, 1000, 50) for i in range(10))
    runs.mkdir(parents=True)
    experiment(folder / "experiments/x.yaml")
    for i in range(n):
        run = fake_run(runs, f"run-{i:03}", log="12:00:00 step 10\n" * (10000 if i >= n - 3 else 1), started=1.7e9 + i, best=i / n)
        experiment(run / "experiment.yaml", i)
        (run / "events.out.tfevents.1.x").write_bytes(events)
        if i >= n - 3:
            predictions(run, 100)
    return folder


def study(folder, n):
    """One of n trials of the runs that are there, 20 evaluations each; its directory, to be removed again."""
    place = folder / "runs/.studies/s"
    shutil.rmtree(place.parent, ignore_errors=True)
    place.mkdir(parents=True)
    trials = [{"run": f"run-{i:03}", "set": {"optim.learning_rate": f"{i % 9 + 1}e-5", "optim.weight_decay": str(i % 4 / 10), "train.seed": str(i % 5)}} for i in range(n)]
    (place / "study.json").write_text(json.dumps({
        "study": "s", "created": 1.7e9, "held": True, "metric": "accuracy", "greater_is_better": True, "stopping": "none", "reduction_factor": 3, "rungs": 2,
        "startup_trials": 5, "warmup_fraction": 0.2, "trials": trials}))
    (place / "results.jsonl").write_text("".join(
        json.dumps({"trial": i + 1, "step": 50 * k, "total": 1000, "value": (i * 7919 + k) % 1000 / 1000, "tokens": 1000 * k, "seconds": 1.0 * k, "time": 1.7e9 + 30 * i + k}) + "\n"
        for i in range(n) for k in range(1, 21)))
    (place / "experiment.yaml").write_text("optim: {learning_rate: 1e-5}\n")
    return place.parent


def table(folder):
    """1,000,000 rows, about 110 MB; one word occurs once, 1,000 rows before the end."""
    path = folder / TABLE
    if path.exists():
        return path
    rng = random.Random(7)
    texts = [" ".join(rng.choice(WORDS) for _ in range(24)) for _ in range(1000)]
    with open(path.with_suffix(".part"), "w", buffering=1 << 20) as f:
        f.write("id,text,label\n")
        for i in range(1_000_000):
            rare = "zyzzyva " if i == 999_000 else ""
            f.write(f"{i},{rare}{texts[i % 1000][:92 - len(rare)]},{('good', 'bad', 'neutral')[i % 3]}\n")
    return path.with_suffix(".part").rename(path)


def large_table(folder, gigabytes):
    """The table again and again, with tabs; (path, rows)."""
    head, _, body = table(folder).read_bytes().replace(b",", b"\t").partition(b"\n")
    times = max(1, round(gigabytes * 1e9 / len(body)))
    with open(folder / "large.tsv", "wb") as f:
        f.write(head + b"\n")
        for _ in range(times):
            f.write(body)
    return folder / "large.tsv", times * 1_000_000


# ── models and what they said ──

def two_models(folder):
    """Two runs of MiniLM, one and two, that learned two steps each."""
    if (folder / "runs/two/status.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.tsv").write_text("text\tlabel\n" + "".join(f"{' '.join(WORDS[i % 9:])}\t{('good', 'bad')[i % 2]}\n" for i in range(64)))
    (folder / "x.yaml").write_text(f"""model: {{name_or_path: {ROOT / "experiments/models/all-MiniLM-L6-v2"}}}
data: {{train_file: train.tsv, validation_file: train.tsv, text_column: text, label_column: label}}
train: {{max_steps: 2}}
""")
    for seed, name in enumerate(("one", "two")):
        subprocess.run([BERTTY, "train", "x.yaml", "--name", name, "--set", f"train.seed={seed}"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
    return folder


def answered(folder, n):
    """A run that was asked about n rows."""
    run = folder / "runs/run-000"
    if run.exists():
        return folder
    fake_run(folder / "runs", run.name, started=1.7e9, best=0.5)
    experiment(run / "experiment.yaml")
    text = (run / "experiment.yaml").read_text().replace(TABLE, "dev.csv")
    (run / "experiment.yaml").write_text(text)
    rng = random.Random(7)
    texts = [" ".join(rng.choice(WORDS) for _ in range(24)) for _ in range(1000)]
    (folder / "dev.csv").write_text("text,label\n" + "".join(f"{texts[i % 1000]},{('good', 'bad')[i % 2]}\n" for i in range(n)))
    predictions(run, 100, n)
    return folder


# ── event files ──

def events_tool(folder):
    """tests/golden/events_tool.c, optimised."""
    return events_files.build(folder, ["-O2"])


def curves(tool, folder, n, steps, metrics):
    """n runs of the same curves."""
    first = None
    for i in range(0 if (folder / "runs").exists() else n):
        run = fake_run(folder / "runs", f"run-{i:03}", started=1.7e9 + i, step=steps, total=steps)
        if first:
            os.link(first, run / first.name)
        else:
            subprocess.run([tool, "make", run, str(steps), str(metrics)], check=True)
            first = next(run.glob("events*"))
    return folder


# ── a run that goes on ──

def live(run, rate, metrics, seconds, before):
    """Logs so many steps a second, after those that it logged before: events of every metric, a line in the log, status.json as the engine
    renews it."""
    began, due, written, rng = time.time(), time.time(), 0.0, random.Random(1)
    with open(run / "events.out.tfevents.1.live", "ab", buffering=0) as events, open(run / "log.txt", "a", buffering=1) as log:
        for step in range(1, before + int(rate * seconds) + 1):
            now = time.time() - max(0, before - step) / rate
            loss = 2 / (1 + step / 200) + 0.05 * rng.random()
            events.write(b"".join(scalars.event(f"{('train', 'eval')[m % 2]}/m{m:02}", step, now, loss + m) for m in range(metrics)))
            log.write(f"{time.strftime('%H:%M:%S')} step {step} loss {loss:.4f}\n")
            if step <= before:
                due = now
                continue
            if now - written >= STATUS_S:
                written = now
                members = live_status(step=step, total=100000, epoch=step / 1000, epochs=100.0, tokens_per_s=2900 + rng.randrange(99),
                                      eta_s=100000 - step, train_loss=loss, metric="accuracy", best=0.5, best_step=1, last=0.5, last_step=1,
                                      started=began, error=None, steered=False, name=run.name)
                (run / ".status").write_text(json.dumps(members) + "\n")
                (run / ".status").rename(run / "status.json")
            due += 1 / rate
            time.sleep(max(0, due - time.time()))


class Live:
    """A process that is the engine of folder/runs/live, which has gone on for five minutes."""

    def __init__(self, folder, rate, metrics, seconds, before=3000):
        self.run = fake_run(folder / "runs", "live", started=1.9e9)
        experiment(self.run / "experiment.yaml")
        self.process = subprocess.Popen([sys.executable, __file__, "live", self.run, str(rate), str(metrics), str(seconds),
                                         str(before)])
        while '"training"' not in (self.run / "status.json").read_text():
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        subprocess.run(["rm", "-rf", self.run], check=True)


if __name__ == "__main__":
    live(Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6]))
