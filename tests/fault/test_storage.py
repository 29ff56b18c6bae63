#!/usr/bin/env python3
"""What a file system may do: an fsync that fails once, writes that are short, no locks, handles that went stale, a file that is cut while it is read, and links
where a directory of the run's own should be."""
import errno
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from refusal import COUNT, Ground, finished, listing, one_line, preloaded

import tf_file
import tiny_bert
import torch_file
from tiny_bert import status, wait_for

# A sanitizer wants to be loaded first.
PROGRAM = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))
GROUND = Ground({"train.max_steps": 6, "run.save_steps": 2, "run.save_total_limit": 10, "eval.eval_strategy": "steps", "eval.eval_steps": 3,
                 "run.num_threads": 2, "run.logging_steps": 1}, train=40, dev=10)
LIBRARY = preloaded(GROUND.root, "failing_io")
TRAIN = ["train", "tiny.yaml", "--name", "run"]
LONG = [*TRAIN, "--set", "train.max_steps=1000000", "--set", "eval.eval_strategy=no"]
BUSY = "another engine works on this run"


def env(**settings):
    """With what failing_io.c is to do."""
    return {**os.environ, "LD_PRELOAD": LIBRARY, **{name: str(value) for name, value in settings.items()}}


def at(folder, words, **settings):
    return finished(words, folder, program=PROGRAM, env=env(**settings))


def contents(run, *names):
    """{path: bytes}: what is the same in every run of the experiment."""
    found = [path for name in names for path in sorted((run / name).rglob("*")) if path.is_file()]
    return {str(path.relative_to(run)): path.read_bytes() for path in found}


def weights(run):
    """Of all checkpoints, without the times that trainer.json tells, and its hash in the manifest."""
    return {name: data for name, data in contents(run, "checkpoints").items() if not name.endswith(("trainer.json", "manifest.json"))}


def reference(folder):
    done = finished([*TRAIN[:-1], "reference"], folder, program=PROGRAM)
    COUNT.check("a run that is left in peace", done.returncode == 0 and not done.stderr, done.stderr)
    return folder / "runs/reference"


def one_fsync_fails():
    """The file is given up, another one is written in its place, and the checkpoint is there."""
    folder = GROUND.fresh()
    whole, run, log = weights(reference(folder)), folder / "runs/run", folder / "calls"
    for name in "model.safetensors", "optimizer.safetensors", "trainer.json", "manifest.json":
        shutil.rmtree(run, ignore_errors=True)
        log.unlink(missing_ok=True)
        done = at(folder, TRAIN, IO_CALLS="fsync", IO_PATH=f"step-000002.tmp/{name}", IO_ERROR=errno.EIO, IO_LAST=1, IO_LOG=log)
        calls = log.read_text().splitlines()
        failed = next((i for i, line in enumerate(calls) if line.startswith("fsync") and line.endswith(" failed")), len(calls))
        then = [line.split()[0] for line in calls[failed + 1:]]
        COUNT.check(f"{name}: its fsync fails; then it is opened anew", then[:2] in (["open", "fsync"], ["open", "open"]), calls)
        COUNT.check(f"{name}: nothing is lost", done.returncode == 0 and not done.stderr, (done.returncode, done.stderr))
        COUNT.check(f"{name}: the checkpoints are there", weights(run) == whole, sorted(weights(run)))


def short_writes():
    """Seven bytes at a time, and signals between: files are what they are otherwise."""
    folder = GROUND.fresh()
    whole, run = reference(folder), folder / "runs/run"
    done = at(folder, TRAIN, IO_PATH=folder, IO_SHORT=7)
    COUNT.check("exit code", done.returncode == 0 and not done.stderr, (done.returncode, done.stderr))
    COUNT.check("checkpoints", weights(run) == weights(whole), sorted(weights(run)))
    for name in "predictions", "dynamics":
        COUNT.check(name, contents(run, name) == contents(whole, name), sorted(contents(run, name)))
    COUNT.check("batches", (run / "batches").read_bytes() == (whole / "batches").read_bytes())
    sizes = [[path.stat().st_size for path in place.glob("events.out.tfevents.*")] for place in (run, whole)]
    COUNT.check("events", sizes[0] == sizes[1], sizes)
    logs = [[re.sub(r"[-+.:\d]+(e[-+]\d+)?", "#", line) for line in (place / "log.txt").read_text().splitlines()] for place in (run, whole)]
    COUNT.check("log", logs[0] == logs[1], logs)
    COUNT.check("status", status(run).get("state") == "finished", status(run))
    again = at(folder, ["train", "--resume", "run@4"], IO_PATH=folder, IO_SHORT=7)
    COUNT.check("resumed", again.returncode == 0 and not again.stderr and weights(run) == weights(whole), again.stderr)
    exported = at(folder, ["export", "run", "to"], IO_PATH=folder, IO_SHORT=7)
    same = exported.returncode == 0 and (folder / "to/model.safetensors").read_bytes() == (run / "best/model.safetensors").read_bytes()
    COUNT.check("exported", same, exported.stderr)


class Engine:
    """One that trains until it is ended."""

    def __init__(self, folder, **settings):
        self.run = folder / "runs/run"
        self.process = subprocess.Popen([PROGRAM, *LONG], cwd=folder, env=env(**settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        wait_for(lambda: status(self.run).get("step", 0) > 2 or self.process.poll() is not None, "some steps")
        COUNT.check("it trains", self.process.poll() is None, self.process.returncode)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def no_locks():
    """NFS without its lock manager: the status tells whether an engine lives, and the second one is refused all the same."""
    for name in "ENOLCK", "EOPNOTSUPP":
        folder = GROUND.fresh()
        locks = {"IO_CALLS": "flock", "IO_PATH": folder, "IO_ERROR": getattr(errno, name)}
        resume = ["train", "--resume", "run", "--set", "train.max_steps=1"][:3]
        with Engine(folder, **locks) as engine:
            one_line(f"{name}: a second engine", at(folder, resume, **locks), 1, ["runs/run", BUSY])
            one_line(f"{name}: removal", at(folder, ["rm", "run", "--yes"], **locks), 1, ["an engine works on this run"])
            at(folder, ["pause", "run"])
            wait_for(lambda: status(engine.run)["state"] == "paused", "the pause")
            one_line(f"{name}: a second engine beside a paused one", at(folder, resume, **locks), 1, [BUSY])
        ended(folder / "runs/run")
        done = at(folder, resume, **locks)
        COUNT.check(f"{name}: the engine is gone: it goes on", done.returncode == 0, done.stderr)
        COUNT.check(f"{name}: to its end", status(folder / "runs/run")["state"] == "finished", status(folder / "runs/run"))


def ended(run):
    """The experiment ends at the next steps."""
    path = run / "experiment.yaml"
    path.write_text(path.read_text().replace("max_steps: 1000000", f"max_steps: {status(run)['step'] + 2}"))


def engine_of_another_host():
    """Locks do not reach there: an engine that wrote its status lately lives, one that was silent for long does not."""
    folder = GROUND.fresh()
    with Engine(folder):
        pass
    run = folder / "runs/run"
    ended(run)
    now = {**status(run), "host": "elsewhere", "updated": time.time() - 30}
    (run / "status.json").write_text(json.dumps(now))
    one_line("it wrote half a minute ago", at(folder, ["train", "--resume", "run"]), 1, [BUSY])
    (run / "status.json").write_text(json.dumps({**now, "updated": time.time() - 3000}))
    done = at(folder, ["train", "--resume", "run"])
    COUNT.check("it has been silent for fifty minutes", done.returncode == 0, done.stderr)


def stale_handles():
    """A file that was replaced on the server: it is opened again. Where it stays stale that is told."""
    folder = GROUND.fresh()
    reference(folder)
    stale = {"IO_ERROR": errno.ESTALE}
    for call in "open", "read":
        once = at(folder, ["show", "reference", "--json"], IO_CALLS=call, IO_PATH="status.json", IO_LAST=1, **stale)
        COUNT.check(f"{call}: once", once.returncode == 0 and json.loads(once.stdout)["state"] == "finished", once)
        ever = at(folder, ["show", "reference", "--json"], IO_CALLS=call, IO_PATH="status.json", **stale)
        told = json.loads(ever.stdout.splitlines()[-1]) if ever.stdout else {}
        COUNT.check(f"{call}: for ever", told.get("state") == "unknown" and "Stale file handle" in told.get("error", ""), ever)
        for name in "tiny.yaml", "config.json", "vocab.txt":
            done = at(folder, ["check", "tiny.yaml"], IO_CALLS=call, IO_PATH=name, IO_LAST=1, **stale)
            COUNT.check(f"{call}: {name}", done.returncode == 0 and not done.stderr, done.stderr)
    done = at(folder, TRAIN, IO_CALLS="write", IO_PATH="log.txt", IO_LAST=1, **stale)
    COUNT.check("the log is opened again", done.returncode == 0 and "finished after 6 steps" in (folder / "runs/run/log.txt").read_text(), done.stderr)


def cut_while_read():
    """Weights that become shorter between two reads: told with the file, in every format; no signal."""
    folder = GROUND.fresh()
    model = folder / "model"
    made = list(tiny_bert.tensors(random.Random(1)))
    safetensors = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").unlink()

    words = ["context", "model", "--text", "a good film", "--with", "a bad film", "--word", "film"]

    def cut(name, *first):
        path, size = model / name, (model / name).stat().st_size
        kept = path.read_bytes()
        for n in first:
            path.write_bytes(kept)
            done = at(folder, words, IO_CALLS="read", IO_PATH=name, IO_FIRST=n, IO_CUT=f"{path}:{size // 2}")
            COUNT.check(f"{name}, read {n}: it was cut", path.stat().st_size == size // 2, path.stat().st_size)
            one_line(f"{name}, read {n}", done, 1, [name])
        path.unlink()

    (model / "model.safetensors").write_bytes(safetensors)
    cut("model.safetensors", 1, 2, 3, 20)
    torch_file.save(model / "pytorch_model.bin", made)
    cut("pytorch_model.bin", 2, 5, 90)
    (model / "config.json").rename(model / "bert_config.json")
    tf_file.save(model / "bert_model.ckpt", made)
    cut("bert_model.ckpt.data-00000-of-00001", 1, 3, 20)


def links_in_a_run():
    """Whoever may write into the run's directory cannot have an engine remove or write anything elsewhere."""
    for name in "checkpoints", "predictions", "dynamics":
        folder = GROUND.fresh()
        run, outside = reference(folder), folder / "outside"
        shutil.move(run / name, outside)
        (outside / "step-000001.tmp").mkdir()
        (outside / "status.json.0123456789abcdef.tmp").write_text("somebody's")
        (run / name).symlink_to(outside)
        before = listing(outside)
        done = at(folder, ["train", "--resume", "reference@4" if name != "checkpoints" else "reference", "--force"])
        one_line(f"{name} is a link", done, 1, [f"{name}: a symbolic link, expected a directory"])
        COUNT.check(f"{name}: nothing has changed", listing(outside) == before, sorted(set(listing(outside)) ^ set(before)))
        COUNT.check(f"{name}: rm", at(folder, ["rm", "reference", "--yes"]).returncode == 0 and not run.exists(), run)
        COUNT.check(f"{name}: rm leaves what is elsewhere", listing(outside) == before)


def links_for_checkpoints():
    """A link with a checkpoint's name is neither pruned through nor taken for one."""
    folder = GROUND.fresh()
    run, outside = reference(folder), folder / "outside"
    shutil.copytree(run / "checkpoints/step-000004", outside)
    for name in "step-000001", "step-000003.tmp", "step-000005.old.tmp":
        (run / "checkpoints" / name).symlink_to(outside)
    before = listing(outside)
    text = (run / "experiment.yaml").read_text()
    (run / "experiment.yaml").write_text(text.replace("save_total_limit: 10", "save_total_limit: 1").replace("max_steps: 6", "max_steps: 8"))
    done = at(folder, ["train", "--resume", "reference@6"])
    COUNT.check("it goes on", done.returncode == 0, done.stderr)
    COUNT.check("old checkpoints are gone", not (run / "checkpoints/step-000002").exists(), list((run / "checkpoints").iterdir()))
    COUNT.check("what the links lead to is as it was", listing(outside) == before, listing(outside))


if __name__ == "__main__":
    code = COUNT.run([one_fsync_fails, short_writes, no_locks, engine_of_another_host, stale_handles, cut_while_read, links_in_a_run, links_for_checkpoints])
    GROUND.remove()
    sys.exit(code)
