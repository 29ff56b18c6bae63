#!/usr/bin/env python3
"""Speed and memory of a short fine-tuning run of MiniLM on SST-2 beside Hugging Face's Trainer (hf_finetune.py --group), in turn on this machine."""
import json
import os
import subprocess
import sys
import tempfile

import golden_tools as g

ROWS, EVAL_ROWS, ROUNDS = 640, 200, 3
SPEED, MEMORY = 1.0, 0.4  # at least so fast, at most so large, as a multiple of the peer's


def measured(command):
    """The last line of its output as JSON, and its peak resident memory in MiB."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=subprocess.PIPE, text=True)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, errors[-2000:]
        out.seek(0)
        return json.loads(out.read().splitlines()[-1]), usage.ru_maxrss / 1024


def peer(script, data):
    line, rss = measured([sys.executable, script, "--model", g.MODEL, "--train", data / "train.tsv", "--eval",
                          data / "dev.tsv", "--group", "--n", ROWS, "--n-eval", EVAL_ROWS, "--epochs", 1])
    return line["train_tok_per_s"], rss, line["train_tokens"]


def ours(data, folder, name):
    options = {"model.name_or_path": g.MODEL, "data.train_file": data / "train.tsv",
               "data.validation_file": data / "dev.tsv", "data.header": "false", "data.text_column": "1",
               "data.label_column": "2", "data.max_train_samples": ROWS, "data.max_eval_samples": EVAL_ROWS,
               "train.num_train_epochs": 1, "optim.learning_rate": 5e-5}
    sets = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    line, rss = measured([g.BERTTY_FAST, "train", folder / "experiment.yaml", *sets, "--name", name, "--runs",
                          folder / "runs", "--json"])
    return line["tokens_per_s"], rss, line["train_tokens"]


def test_speed_and_memory(folder):
    script, data = g.shared("../peers/hf_finetune.py"), g.shared("sst2")
    (folder / "experiment.yaml").write_text("model: {}\n")
    theirs, mine = [], []
    for i in range(ROUNDS):
        mine.append(ours(data, folder, f"run-{i}"))
        theirs.append(peer(script, data))
        print(f"round {i + 1}: {mine[-1][0]:.0f} tokens/s in {mine[-1][1]:.0f} MiB, "
              f"Trainer {theirs[-1][0]:.0f} in {theirs[-1][1]:.0f} MiB", flush=True)
    assert {m[2] for m in mine} == {t[2] for t in theirs}, "not the same tokens"
    speed = max(m[0] for m in mine) / max(t[0] for t in theirs)
    memory = max(m[1] for m in mine) / min(t[1] for t in theirs)
    print(f"speed {speed:.2f} × Trainer's (≥ {SPEED}), memory {memory:.2f} × (≤ {MEMORY})")
    assert speed >= SPEED and memory <= MEMORY


if __name__ == "__main__":
    g.main(globals())
