#!/usr/bin/env python3
"""What `train`, `check` and `options` take and say: the lines that scripts rely on, and one clear line for what cannot be."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run

os.environ["BERTTY"] = os.path.abspath(os.environ["BERTTY"])
ROOT = Path(tempfile.mkdtemp(prefix="bertty-train-"))
EXPERIMENT = tiny_bert.experiment(ROOT, {"data.test_file": "test.tsv"})


def last_line(done):
    return json.loads(done.stdout.splitlines()[-1])


def trained(name, *words):
    done = run("train", EXPERIMENT, "--runs", ROOT / "runs", "--name", name, "--json", *words, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return last_line(done), [json.loads(line) for line in done.stdout.splitlines()[:-1]]


def the_last_line_of_train():
    result, events = trained("whole")
    assert list(result) == ["state", "run", "dir", "best", "last", "test", "train_tokens", "train_seconds", "tokens_per_s",
                            "max_rss_mib"], list(result)
    assert result["state"] == "finished" and result["run"] == "whole" and Path(result["dir"]) == (ROOT / "runs/whole").resolve()
    assert result["last"]["step"] == 20 and result["best"]["step"] in (10, 20)
    assert {"loss", "accuracy", "f1", "f1_macro", "f1_micro", "mcc"} == set(result["last"]["metrics"])
    assert 0 <= result["test"]["metrics"]["accuracy"] <= 1
    steps = [e["step"] for e in events if e["event"] == "step"]
    assert steps == [5, 10, 15, 20], steps


def tokens_are_counted_with_cls_and_sep():
    """One whole epoch: every word of the data is one piece."""
    result, _ = trained("tokens", "--set", "train.max_steps=-1", "--set", "train.num_train_epochs=1")
    texts = [line.split("\t")[0] for line in (ROOT / "train.tsv").read_text().splitlines()[1:]]
    assert result["train_tokens"] == sum(len(text.split()) + 2 for text in texts), result


def without_evaluation_there_is_no_best():
    result, _ = trained("plain", "--set", "eval.eval_strategy=no", "--set", "data.test_file=[]")
    assert result["best"] is None and result["last"] == {"step": 20, "metrics": {}} and "test" not in result
    assert (ROOT / "runs/plain/last/model.safetensors").is_file() and not (ROOT / "runs/plain/best").exists()


def files_of_a_run():
    folder = ROOT / "runs/whole"
    for name in ("experiment.yaml", "run.json", "status.json", "log.txt", "best/model.safetensors", "last/manifest.json",
                 "predictions/validation-step-000010.jsonl", "dynamics/epoch-1.jsonl"):
        assert (folder / name).is_file(), name
    about = json.loads((folder / "run.json").read_text())
    assert about["labels"] == ["negative", "positive"] and about["command"][1] == "train" and len(about["data"]) == 3
    row = json.loads((folder / "predictions/validation-step-000010.jsonl").read_text().splitlines()[0])
    assert row["id"] == 1 and set(row["scores"]) == {"negative", "positive"} and abs(sum(row["scores"].values()) - 1) < 1e-5
    assert "checkpoint step-000020 saved" in (folder / "log.txt").read_text()


def refused():
    """(words, what the one line says): nothing is made."""
    runs = ROOT / "refused"
    changed = ROOT / "changed.yaml"
    changed.write_text(EXPERIMENT.read_text().replace("learning_rate", "learning_rat"))
    cases = [((EXPERIMENT, "--set", "optim.learnig_rate=1"), "learning_rate"), ((changed,), "learning_rate"),
             ((EXPERIMENT, "--set", "train.seed=x"), "train.seed"), ((ROOT / "none.yaml",), "none.yaml"),
             ((EXPERIMENT, "--set", "data.train_file=none.tsv"), "none.tsv"),
             ((EXPERIMENT, "--set", "data.label_column=lable"), "label"),
             ((EXPERIMENT, "--set", "data.max_seq_length=129"), "128 positions"),
             ((EXPERIMENT, "--name", "../x"), "../x"), (("--resume", "nothing"), "nothing"),
             ((EXPERIMENT, "--set", "task.labels=[positive, other]"), "negative")]
    for words, expected in cases:
        done = run("train", *words, "--runs", runs, cwd=ROOT)
        told = done.stderr.strip().splitlines()
        assert done.returncode in (1, 2) and len(told) == 1 and expected in told[0], (words, done.returncode, done.stderr)
        assert not runs.exists() or not any(runs.iterdir()), words


def used_wrongly():
    for words in ((), (EXPERIMENT, "--resume", "x"), ("--resume", "x", "--set", "a=b"), (EXPERIMENT, "--force"), ("--bad",)):
        assert run("train", *words).returncode == 2, words


def resume_of_a_step_that_is_not_there():
    done = run("train", "--resume", f"{ROOT}/runs/whole@7")
    assert done.returncode == 1 and "there are 10, 20" in done.stderr, done.stderr


def one_file_for_two_splits():
    """It is named once in what is kept of the data, so that the run goes on from its checkpoint."""
    result, _ = trained("twice", "--set", "data.validation_file=train.tsv")
    about = json.loads((ROOT / "runs/twice/run.json").read_text(), object_pairs_hook=list)
    names = [name for name, _ in dict(about)["data"]]
    assert len(names) == len(set(names)) == 2, names
    done = run("train", "--resume", f"{ROOT}/runs/twice@10", "--json")
    assert done.returncode == 0, done.stderr
    assert last_line(done)["last"] == result["last"]


def check_tells():
    done = run("check", EXPERIMENT, "--json", cwd=ROOT)
    said = last_line(done)
    assert done.returncode == 0 and said["can_run"], done.stderr
    assert said["train_rows"] == 200 and said["steps"] == 20 and said["steps_per_epoch"] == 25
    assert sum(said["labels"].values()) == 200 and said["fresh_tensors"] == 2 and said["seconds"] > 0
    assert said["memory_mib"] < said["available_mib"] and not (ROOT / "check").exists()
    people = run("check", EXPERIMENT, cwd=ROOT)
    assert people.returncode == 0 and "the experiment can run" in people.stdout


def checked_within(time, *words):
    done = run("check", EXPERIMENT, "--json", "--set", "eval.eval_strategy=no", "--within", time, *words, cwd=ROOT)
    said = last_line(done)
    assert done.returncode == (0 if said["within"]["fits"] else 3), (done.returncode, done.stdout, done.stderr)
    return said, said["within"]


def check_tells_what_fits():
    lengths = [len(line.split("\t")[0].split()) + 2 for line in (ROOT / "train.tsv").read_text().splitlines()[1:]]
    epochs = ("--set", "train.max_steps=-1", "--set", "train.num_train_epochs=4")
    said, fit = checked_within("500d", *epochs)
    assert fit["fits"] and fit["seconds"] == 500 * 86400 and fit["rows"] == 200 and fit["max_seq_length"] == max(lengths), fit
    for time in ("0.01s", "0.05s", "0.1s"):
        said, fit = checked_within(time, *epochs)
        tokens = fit["seconds"] * said["tokens_per_s"]
        assert not fit["fits"] and said["seconds"] > fit["seconds"], (said, fit)
        assert abs(fit["epochs"] - tokens / said["train_tokens"]) < 1e-9 * fit["epochs"], (said, fit)
        assert fit["steps"] == int(fit["epochs"] * said["steps_per_epoch"]) and fit["rows"] == int(200 * tokens / (4 * said["train_tokens"])), (said, fit)
        best = max([n for n in range(4, max(lengths)) if 4 * sum(min(n, length) for length in lengths) <= tokens], default=0)
        assert fit["max_seq_length"] == best, (said, fit, best)
    assert checked_within("0.001s")[1]["rows"] == 0
    for words in (("--within", "5"), ("--within", "soon"), ("--within", "")):
        done = run("check", EXPERIMENT, *words, cwd=ROOT)
        assert done.returncode == 2 and "expected a time like 45m" in done.stderr, done.stderr
    people = run("check", EXPERIMENT, "--within", "0.001s", cwd=ROOT)
    assert people.returncode == 3 and "it does not fit; it leaves time for" in people.stdout and "max_train_samples" not in people.stdout, people.stdout


def time_is_limited():
    """The engine stops by itself with a checkpoint, goes on where it stopped, and comes to the weights of a run that had time."""
    fast = os.environ.get("BERTTY_FAST")
    long = ("--set", "train.max_steps=1500", "--set", "eval.eval_strategy=no", "--set", "run.save_steps=100000", "--set", "run.num_threads=1", "--set", "data.test_file=[]")
    done = run("train", EXPERIMENT, "--runs", ROOT / "runs", "--name", "unhurried", "--json", *long, cwd=ROOT, program=fast)
    assert done.returncode == 0, done.stderr
    limit = max(0.2, last_line(done)["train_seconds"] / 4)
    run_folder, words, sessions = ROOT / "runs/hurried", ["train", EXPERIMENT, "--runs", ROOT / "runs", "--name", "hurried", *long, "--set", f"run.max_time={limit:.2f}s"], []
    while not sessions or (sessions[-1]["state"] == "stopped" and len(sessions) < 40):
        done = run(*words, "--json", cwd=ROOT, program=fast)
        assert done.returncode == 0, done.stderr
        sessions.append(last_line(done))
        assert sessions[-1]["train_seconds"] > sum(s["train_seconds"] for s in sessions[-2:-1]), "it goes forward"
        words = ["train", "--resume", run_folder]
    assert sessions[-1]["state"] == "finished" and 2 <= len(sessions) < 40, sessions
    text = (run_folder / "log.txt").read_text()
    assert text.count("is nearly over: `bertty train --resume` goes on from here") == len(sessions) - 1, text
    assert (run_folder / "last/model.safetensors").read_bytes() == (ROOT / "runs/unhurried/last/model.safetensors").read_bytes()
    waits = subprocess.Popen([fast or os.environ["BERTTY"], "train", str(EXPERIMENT), "--runs", str(ROOT / "runs"), "--name", "paused", *long, "--set", "train.max_steps=1000000",
                              "--set", "run.max_time=4s"], cwd=ROOT, stdout=subprocess.DEVNULL)
    tiny_bert.wait_for(lambda: tiny_bert.status(ROOT / "runs/paused").get("state") == "training", "its training")
    assert run("pause", ROOT / "runs/paused", cwd=ROOT).returncode == 0
    assert waits.wait(60) == 0 and tiny_bert.status(ROOT / "runs/paused")["state"] == "stopped", "a pause takes time too"
    assert "paused after step" in (ROOT / "runs/paused/log.txt").read_text()
    for value, said in (("soon", "expected a time like 45m, 1h30m or 12:00:00"), ("1m --set run.save_strategy=no", "needs a run.save_strategy")):
        done = run("check", EXPERIMENT, "--set", *f"run.max_time={value}".split(), cwd=ROOT)
        assert done.returncode == 1 and said in done.stderr, done.stderr


def check_finds_leaks():
    (ROOT / "leak.tsv").write_text("\n".join((ROOT / "train.tsv").read_text().splitlines()[:21]) + "\n")
    done = run("check", EXPERIMENT, "--set", "data.validation_file=leak.tsv", "--json", cwd=ROOT)
    assert any("20 of 20 rows of leak.tsv stand in train.tsv" in w for w in last_line(done)["warnings"]), done.stdout


def memory_is_predicted():
    """The peak is what was predicted, at most; and not far below."""
    said = last_line(run("check", EXPERIMENT, "--json", cwd=ROOT, program=os.environ.get("BERTTY_FAST")))
    done = run("train", EXPERIMENT, "--runs", ROOT / "runs", "--json", cwd=ROOT, program=os.environ.get("BERTTY_FAST"))
    peak = last_line(done)["max_rss_mib"]
    assert said["memory_mib"] - 40 < peak <= said["memory_mib"], (said["memory_mib"], peak)


def options_are_listed():
    lines = [json.loads(line) for line in run("options", "--json").stdout.splitlines()]
    keys = [o["key"] for o in lines]
    assert len(keys) == len(set(keys)) and "optim.learning_rate" in keys
    assert all(set(o) >= {"key", "type", "default", "help"} for o in lines)
    one = run("options", "learning_rate")
    assert one.returncode == 0 and "2e-5" in one.stdout
    table = run("options", "optim", "--markdown").stdout.splitlines()
    assert len(table) == 2 + sum(k.startswith("optim.") for k in keys)
    wrong = run("options", "learnig_rate")
    assert wrong.returncode == 2 and "learning_rate" in wrong.stderr


if __name__ == "__main__":
    sys.exit(tiny_bert.counted([
        the_last_line_of_train, tokens_are_counted_with_cls_and_sep, without_evaluation_there_is_no_best, files_of_a_run, refused,
        used_wrongly, resume_of_a_step_that_is_not_there, one_file_for_two_splits, check_tells, check_tells_what_fits, time_is_limited, check_finds_leaks, memory_is_predicted, options_are_listed]))
