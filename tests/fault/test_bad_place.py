#!/usr/bin/env python3
"""Runs in bad places: a full disk, no permission, another engine on the run, a resume that cannot be, a loss that is no number."""
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path

from refusal import BERTTY, COUNT, Ground, broken, finished, listing, one_line, refused

import tiny_bert
from tiny_bert import status, wait_for

GROUND = Ground({"run.save_steps": 2, "eval.eval_strategy": "no", "train.max_steps": 6, "run.num_threads": 1,
                 "run.save_total_limit": 10}, train=40, dev=10)
NOBODY = 65534
TRAIN = ["train", "tiny.yaml", "--name", "run"]
MIB = 1 << 20


def lines_of(name, done, code):
    """All lines on standard error: each is ours, there is no crash, the exit code is right."""
    lines = done.stderr.decode(errors="replace").splitlines()
    COUNT.check(f"{name}: exit code", done.returncode == code and not broken(done.stderr), (done.returncode, lines))
    COUNT.check(f"{name}: lines", lines and all(line.startswith("bertty: ") for line in lines), lines)
    return lines


def no_temporary(name, folder):
    left = [str(p) for p in Path(folder).rglob("*.tmp")]
    COUNT.check(f"{name}: no temporary files", not left, left)


def steps(run):
    return sorted(p.name for p in (run / "checkpoints").iterdir()) if (run / "checkpoints").is_dir() else []


def stopped_run(folder, step=4):
    """A run in folder that was stopped after a step; its directory."""
    with subprocess.Popen([BERTTY, *TRAIN, "--set", "train.max_steps=100000", "--set", "run.save_total_limit=2", "--set", "run.save_steps=1"],
                          cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as engine:
        run = folder / "runs/run"
        wait_for(lambda: status(run).get("step", 0) >= step and len(steps(run)) > 1 or engine.poll() is not None, "some steps")
        engine.send_signal(signal.SIGINT)
        _, err = engine.communicate(timeout=60)
    COUNT.check("a run that is stopped", engine.returncode == 130 and status(run)["state"] == "stopped", err)
    return run


# ── no room ──

class Disk:
    """A file system of its own, with so much room; None where that cannot be had."""

    def __init__(self, folder, size):
        self.at = folder / "disk"
        self.at.mkdir()
        self.ok = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.at],
                                                       capture_output=True).returncode == 0

    def __enter__(self):
        return self.at if self.ok else None

    def __exit__(self, *_):
        if self.ok:
            subprocess.run(["umount", self.at], check=True)


def no_room(folder, place, free):
    """Refused before anything is made, by train and check, with the room that there is and the room that is needed."""
    name = f"no room in {place.name}"
    refused(name, folder, [*TRAIN, "--runs", place], f"{place}: {free} MiB free, the run needs ", "two checkpoints")
    done = finished(["check", "tiny.yaml", "--set", f"run.output_dir={place}"], folder)
    one_line(f"check: {name}", done, 1, ["not enough room on the disk"])
    COUNT.check(f"check: {name}: said in figures", f", {free} free\n".encode() in done.stdout, done.stdout)


def disk_too_small():
    folder = GROUND.fresh()
    no_room(folder, Path("/proc/runs"), 0)  # a file system without any room, for everybody; and a directory that is not there yet
    with Disk(folder, MIB) as disk:
        if not disk:
            return COUNT.skip("full disk", "only root can mount a small file system")
        no_room(folder, disk, 1)
        COUNT.check("check leaves nothing", not list(disk.iterdir()), list(disk.iterdir()))


def disk_fills_up():
    """Full while the run goes on: a warning for each checkpoint that is lost, the run fails at its end, and can be resumed."""
    folder = GROUND.fresh()
    words = [*TRAIN, "--set", "train.max_steps=100000", "--set", "run.save_steps=20", "--set", "run.logging_steps=20"]
    with Disk(folder, 64 * MIB) as disk:
        if not disk:
            return COUNT.skip("disk fills up", "only root can mount a small file system")
        with subprocess.Popen([BERTTY, *words, "--runs", disk], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as engine:
            run = disk / "run"
            wait_for(lambda: len(steps(run)) > 1 or engine.poll() is not None, "checkpoints")
            with open(disk / "ballast", "wb", buffering=0) as ballast:
                try:
                    while ballast.write(b"\0" * 4096):
                        pass
                except OSError:
                    pass
            engine.stderr.readline()  # the first warning
            engine.send_signal(signal.SIGINT)
            _, err = engine.communicate(timeout=60)
        COUNT.check("a full disk: exit code", engine.returncode in (1, 130) and not broken(err), (engine.returncode, err))
        no_temporary("a full disk", disk)
        (disk / "ballast").unlink()
        left = max(int(name[5:]) for name in steps(run))
        with subprocess.Popen([BERTTY, "train", "--resume", run], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as engine:
            wait_for(lambda: (status(run).get("pid") == engine.pid and status(run)["step"] > left + 20) or engine.poll() is not None,
                     "steps after the resume")
            engine.send_signal(signal.SIGINT)
            _, err = engine.communicate(timeout=60)
        COUNT.check("resumed after a full disk", engine.returncode == 130 and not err, (engine.returncode, err))
        no_temporary("resumed after a full disk", disk)


def limit(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def file_size_limit():
    folder = GROUND.fresh()
    for size in 10, 500, 1500:
        refused(f"no file beyond {size} bytes", folder, TRAIN, "runs/run", "File too large", preexec_fn=limit(size))
        refused(f"no file beyond {size} bytes, detached", folder, [*TRAIN, "--detach"], "runs/run", "File too large", preexec_fn=limit(size))
    done = finished(TRAIN, folder, preexec_fn=limit(20000))
    lines = lines_of("no checkpoint may be written", done, 1)
    COUNT.check("each lost checkpoint is told", sum(line.startswith("bertty: no checkpoint at step") and "File too large" in line for line in lines) == 3, lines)
    COUNT.check("the end is told", "last weights could not be saved" in lines[-1], lines)
    COUNT.check("its state", status(folder / "runs/run").get("state") == "failed", status(folder / "runs/run"))
    no_temporary("no checkpoint may be written", folder)
    done = finished(["train", "--resume", "run"], folder)
    COUNT.check("it can begin again", done.returncode == 0 and status(folder / "runs/run")["state"] == "finished", done)
    refused("export without room", folder, ["export", "run", "to"], "to", "File too large", preexec_fn=limit(20000))
    refused("export into a directory that is in use", folder, ["export", "run", "model"], "model")


# ── no permission ──

def as_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def permissions():
    folder, root = GROUND.fresh(), os.geteuid() == 0
    GROUND.root.chmod(0o755)
    program = GROUND.root / "bertty"  # where nobody may run it
    shutil.copy(BERTTY, program)
    who = {"program": program, "preexec_fn": as_nobody if root else None}
    if root:
        shutil.chown(folder, NOBODY)
    def denied(name, path, words, *said):
        """With no right to the path."""
        before = path.stat().st_mode
        path.chmod(0o555 if path.is_dir() else 0)
        refused(name, folder, words, *said, "Permission denied", **who)
        path.chmod(before)
    (folder / "runs").mkdir()
    denied("runs without write permission", folder / "runs", TRAIN, "runs/run")
    denied("no permission to make the runs' directory", folder, [*TRAIN, "--runs", "new/runs"], "new")
    denied("detached, no permission", folder / "runs", [*TRAIN, "--detach"], "runs/run")
    for name in "tiny.yaml", "train.tsv", "dev.tsv", "model/config.json", "model/vocab.txt", "model/model.safetensors":
        denied(f"no permission to read {name}", folder / name, TRAIN, Path(name).name)
    run = stopped_run(folder)
    run.chmod(0o755)
    (run / "control").chmod(0o444)
    refused("resume of somebody else's run", folder, ["train", "--resume", "run"], "runs/run", "Permission denied", **who)
    refused("stop of somebody else's run", folder, ["stop", "run"], "run", **who)


# ── another engine, and resumes ──

def second_engine():
    folder = GROUND.fresh()
    with subprocess.Popen([BERTTY, *TRAIN, "--set", "train.max_steps=100000"], cwd=folder, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as engine:
        run = folder / "runs/run"
        wait_for(lambda: status(run).get("step", 0) > 2 or engine.poll() is not None, "some steps")
        for words in (["train", "--resume", "run"], ["train", "--resume", "run", "--force"], ["train", "--resume", "run", "--detach"]):
            one_line("a second engine", finished(words, folder), 1, ["runs/run", "another engine works on this run"])
        one_line("a second run of that name", finished(TRAIN, folder), 1, ["runs/run", "such a run already"])
        now = status(run)
        COUNT.check("the first engine goes on", now["state"] == "training" and now["pid"] == engine.pid, now)
        engine.send_signal(signal.SIGTERM)
        _, err = engine.communicate(timeout=60)
        COUNT.check("the first engine ends well", engine.returncode == 130 and not err, (engine.returncode, err))


def resumes():
    folder = GROUND.fresh()
    refused("resume of nothing", folder, ["train", "--resume", "none"], "none")
    refused("resume of a folder", folder, ["train", "--resume", "./model"], "model")
    run = stopped_run(folder)
    refused("resume of a step that is not there", folder, ["train", "--resume", "run@99999"], "99999")
    refused("resume with --set", folder, ["train", "--resume", "run", "--set", "optim.learning_rate=1"], "--resume", code=2)
    refused("--force alone", folder, ["train", "tiny.yaml", "--force"], "--force", code=2)
    (run / "experiment.yaml").rename(run / "kept.yaml")
    refused("resume without an experiment", folder, ["train", "--resume", "run"], "run", "experiment.yaml")
    (run / "experiment.yaml").write_text((run / "kept.yaml").read_text().replace("learning_rate", "learnin_rate", 1))
    refused("resume with a spoilt experiment", folder, ["train", "--resume", "run"], "experiment.yaml:", "learnin_rate")
    (run / "kept.yaml").rename(run / "experiment.yaml")
    changed_data(folder, run)


def changed_data(folder, run):
    with open(folder / "train.tsv", "a") as rows:
        rows.write("a good film\tpositive\n")
    step = max(int(name[5:]) for name in steps(run))
    experiment = (run / "experiment.yaml").read_text()
    end = step // 6 * 6 + 6  # the data is one row longer: batches and epochs are others
    (run / "experiment.yaml").write_text(experiment.replace("max_steps: 100000", f"max_steps: {end}"))
    refused("resume with other data", folder, ["train", "--resume", "run"], "train.tsv", "--force")
    COUNT.check("it stays what it was", status(run)["state"] == "stopped", status(run))
    done = finished(["train", "--resume", "run", "--force"], folder)
    said = done.stderr.decode()
    COUNT.check("--force", "train.tsv" in said and "going on all the same" in said and not broken(done.stderr), said)
    COUNT.check("--force goes on", done.returncode == 0 and status(run)["state"] == "finished", (done.returncode, said))
    COUNT.check("--force is written down", "going on all the same" in (run / "log.txt").read_text())
    refused("resume of a finished run", folder, ["train", "--resume", "run"], "runs/run", "finished", "run@STEP")


def damaged():
    folder = GROUND.fresh()
    run = stopped_run(folder)
    first, newest = steps(run)[-2:]
    weights = run / "checkpoints" / newest / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    refused("the checkpoint that was asked for is damaged", folder, ["train", "--resume", f"run@{int(newest[5:])}"], "runs/run",
            f"no complete checkpoint of step {int(newest[5:])}: there are {int(first[5:])}")
    text = (run / "experiment.yaml").read_text()
    (run / "experiment.yaml").write_text(text.replace("max_steps: 100000", f"max_steps: {int(newest[5:]) + 2}"))
    (run / "status.json").write_text('{"state": "trai')  # torn: what it says is made anew
    done = finished(["train", "--resume", "run"], folder)
    said = done.stderr.decode()
    COUNT.check("the newest checkpoint is damaged", done.returncode == 0 and "passed over" in said and newest in said, (done.returncode, said))
    COUNT.check("the one before it is taken", f"resumed from {first}" in (run / "log.txt").read_text())


def all_damaged():
    folder = GROUND.fresh()
    run = stopped_run(folder)
    for name in steps(run):
        (run / "checkpoints" / name / "manifest.json").write_text("{")
    refused("predict with damaged checkpoints only", folder, ["predict", "run", "--text", "x"], "run")
    refused("eval with damaged checkpoints only", folder, ["eval", "run", "--data", "dev.tsv"], "run")


# ── numbers that are none ──

def poisoned(folder):
    """The word "cast" overflows in the first LayerNorm."""
    path = folder / "model/model.safetensors"
    content = bytearray(path.read_bytes())
    size = struct.unpack("<Q", content[:8])[0]
    begin = json.loads(content[8:8 + size])["bert.embeddings.word_embeddings.weight"]["data_offsets"][0] + 8 + size
    at = begin + 4 * tiny_bert.HIDDEN * tiny_bert.VOCAB.index("cast")
    content[at:at + 4 * tiny_bert.HIDDEN] = struct.pack("<f", 3e38) * tiny_bert.HIDDEN
    path.write_bytes(content)


def without_cast(path, but=None):
    rows = path.read_text().replace("cast", "plot").splitlines()
    if but is not None:
        rows[but] = "the cast " + rows[but]
    path.write_text("\n".join(rows) + "\n")


def diverges():
    folder = GROUND.fresh()
    poisoned(folder)
    for name in "train", "dev":
        without_cast(folder / f"{name}.tsv", 23 if name == "train" else None)
    done = finished([*TRAIN, "--json", "--set", "run.save_steps=1", "--set", "train.train_batch_size=2", "--set", "train.max_steps=20"], folder)
    one_line("a loss that is no number", done, 1, ["loss", "step"])
    run, last = folder / "runs/run", json.loads(done.stdout.splitlines()[-1])
    COUNT.check("its state", last["state"] == status(run)["state"] == "diverged", last)
    COUNT.check("its error", status(run)["error"] and last["error"] == status(run)["error"], last)
    kept = steps(run)
    COUNT.check("the last finite checkpoint is kept", kept and kept[-1] == (run / "last").resolve().name and
                int(kept[-1][5:]) == last["last"]["step"], (kept, last))
    answer = finished(["predict", "run", "--text", "a good film", "--json"], folder)
    COUNT.check("and answers", answer.returncode == 0 and all(abs(x) < 1e6 for x in json.loads(answer.stdout)["logits"]), answer)
    no_temporary("a loss that is no number", folder)


def diverges_in_evaluation():
    folder = GROUND.fresh()
    poisoned(folder)
    without_cast(folder / "train.tsv")
    without_cast(folder / "dev.tsv", 3)
    done = finished([*TRAIN, "--json", "--set", "eval.eval_strategy=steps", "--set", "eval.eval_steps=2"], folder)
    state = json.loads(done.stdout.splitlines()[-1])["state"]
    one_line("a validation loss that is no number", done, 1, ["validation", "loss"])
    COUNT.check("its state", state == "diverged" == status(folder / "runs/run")["state"], state)


def large_rate():
    """The largest rate that is allowed: whatever comes of it, no weights are saved that are no numbers."""
    folder = GROUND.fresh()
    done = finished([*TRAIN, "--set", "optim.learning_rate=10", "--set", "optim.warmup_ratio=0", "--set", "train.max_grad_norm=0",
                     "--set", "optim.weight_decay=10", "--set", "train.max_steps=60"], folder)
    COUNT.check("learning rate 10", done.returncode in (0, 1) and not broken(done.stderr), done)
    state = status(folder / "runs/run")["state"]
    COUNT.check("learning rate 10: state", state == ("finished" if done.returncode == 0 else "diverged"), state)
    answer = finished(["predict", "run@last", "--text", "a good film"], folder)
    COUNT.check("learning rate 10: its weights are numbers", answer.returncode == 0, answer)


if __name__ == "__main__":
    code = COUNT.run([disk_too_small, disk_fills_up, file_size_limit, permissions, second_engine, resumes, damaged, all_damaged,
                      diverges, diverges_in_evaluation, large_rate])
    GROUND.remove()
    sys.exit(code)
