#!/usr/bin/env python3
"""On a machine that others use: what a run writes is its owner's alone, no link leads a write elsewhere, no temporary name can be foretold, and the token of the
hub stands nowhere."""
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import tiny_bert
from hub_server import Hub
from refusal import can_trace
from tiny_bert import run

ROOT = Path(tempfile.mkdtemp(prefix="bertty-shared-"))
PROGRAM = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))  # LeakSanitizer does not work under strace
OPTIONS = {"train.max_steps": 4, "eval.eval_steps": 2, "run.save_steps": 2, "run.num_threads": 1}
TOKEN = "hf_ThisIsNobodysBusiness"


def ground(name):
    folder = ROOT / name
    tiny_bert.experiment(folder, OPTIONS, train=24, dev=8)
    return folder


def modes(folder):
    """(path, mode) of all that is in folder and is no link."""
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(at, name)
            if not path.is_symlink():
                yield path.relative_to(folder), stat.S_IMODE(path.lstat().st_mode)


def what_a_run_writes_is_its_owners():
    """Whatever the umask lets others do."""
    for mask in 0o000, 0o022, 0o002:
        folder = ground(f"umask-{mask:03o}")
        old = os.umask(mask)
        try:
            for words in (["train", "tiny.yaml", "--name", "a"], ["train", "tiny.yaml", "--name", "b", "--queue"], ["tag", "a", "+good"], ["note", "a", "a note"],
                          ["eval", "a", "--data", "test.tsv"], ["queue", "limit", "2"], ["pause", "a"]):
                done = run(*words, cwd=folder, env=dict(os.environ, HOME=str(folder / "home")))
                assert done.returncode == 0 or words[0] == "pause", (words, done)
        finally:
            os.umask(old)
        tiny_bert.wait_for(lambda f=folder: tiny_bert.status(f / "runs/b").get("state") == "finished", "the queued run")
        found = list(modes(folder / "runs"))
        assert len(found) > 30, found
        open_to_others = [(str(path), oct(mode)) for path, mode in found if mode & 0o077]
        assert not open_to_others, open_to_others


def links():
    """What may be replaced by a link in a run's directory, as (name, is it a directory)."""
    folder = ground("names")
    assert run("train", "tiny.yaml", "--name", "a", "--set", "train.max_steps=2", cwd=folder).returncode == 0
    assert run("tag", "a", "+good", cwd=folder).returncode == 0
    return folder, sorted((p.name, p.is_dir()) for p in (folder / "runs/a").iterdir() if not p.is_symlink())


def no_link_leads_a_write_elsewhere():
    """Each part of a run is replaced by a link to a stranger's file or directory; whatever is done with the run then, that stays as it was."""
    folder, names = links()
    assert {"checkpoints", "status.json", "log.txt", "control", "notes.json"} <= {name for name, _ in names} | {"control"}, names
    kept = folder / "kept"
    shutil.copytree(folder / "runs/a", kept, symlinks=True)
    for name, is_directory in [*names, ("control", False), ("best", True), ("last", True), ("best.tmp", False), ("last.tmp", False)]:
        shutil.rmtree(folder / "runs/a", ignore_errors=True)  # the command may have removed it
        shutil.copytree(kept, folder / "runs/a", symlinks=True)
        victim, at = folder / "victim", folder / "runs/a" / name
        shutil.rmtree(victim, ignore_errors=True)
        victim.unlink(missing_ok=True) if victim.is_symlink() or victim.is_file() else None
        if is_directory and at.is_dir():
            shutil.copytree(at.resolve(), victim, symlinks=True)
        elif at.is_file():
            shutil.copy(at, victim)
        else:
            victim.write_text("a stranger's\n")
        if at.is_dir() and not at.is_symlink():
            shutil.rmtree(at)
        else:
            at.unlink(missing_ok=True)
        at.symlink_to(victim)
        before = contents(victim)
        for words in (["train", "--resume", "runs/a", "--force"], ["tag", "a", "+bad"], ["stop", "a"], ["eval", "a", "--data", "test.tsv"], ["rm", "a", "--yes"]):
            done = run(*words, cwd=folder)
            assert done.returncode in (0, 1), (name, words, done)
            assert contents(victim) == before, (name, words, done.stderr)


def contents(path):
    if path.is_file():
        return path.read_bytes()
    return sorted((str(p.relative_to(path)), os.readlink(p) if p.is_symlink() else p.read_bytes() if p.is_file() else None) for p in path.rglob("*"))


def a_run_is_never_made_where_a_link_is():
    folder = ground("place")
    (folder / "elsewhere").mkdir()
    (folder / "runs").mkdir()
    (folder / "runs/a").symlink_to(folder / "elsewhere")
    done = run("train", "tiny.yaml", "--name", "a", cwd=folder)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done
    assert not list((folder / "elsewhere").iterdir()), list((folder / "elsewhere").iterdir())


def created(folder, *words, **options):
    """[(path, flags)] of the files that a command opens with O_CREAT; None: no strace."""
    trace = folder / "trace"
    wrap = ["strace", "-f", "-qq", "-y", "-o", trace, "-e", "trace=openat,open,creat,mkdir,mkdirat,symlink,mknod", PROGRAM, *words]
    done = subprocess.run(list(map(str, wrap)), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, (words, done.stderr)
    return re.findall(r'open(?:at)?\((?:[^",]*, )?"([^"]*)", (\S*O_CREAT\S*),', trace.read_text(errors="replace"))


def no_temporary_name_is_foretold():
    """What is made outside of a run's directory, or ends in .tmp, is made by nobody else: O_EXCL, under a drawn name, or not through a link."""
    if not can_trace():
        print("without strace")
        return
    folder, seen = ground("temporary"), []
    env = dict(os.environ, HOME=str(folder / "home"), TMPDIR=str(folder))
    for words in (["train", "tiny.yaml", "--name", "a"], ["eval", "a", "--data", "test.tsv"], ["tag", "a", "+x"], ["train", "tiny.yaml", "--name", "b", "--queue"],
                  ["export", "a", "out"], ["report", "a", "-o", "report.html"], ["data", "train.tsv", "--model", "model", "--json"]):
        found = created(folder, *words, env=env)
        seen += found
        for path, flags in found:
            if path.startswith(("/dev/", "/proc/")):
                continue
            assert "O_EXCL" in flags or "O_NOFOLLOW" in flags, (words, path, flags)
            if path.startswith(("/tmp/", "/var/tmp/", "/dev/shm/")) and not path.startswith(str(folder)):
                assert "O_EXCL" in flags and re.search(r"[0-9a-zA-Z]{6}", path), (words, path, flags)
    assert len(seen) > 20, seen


def the_token_is_nowhere():
    """Neither in what is said nor in what is written, whether the hub answers, refuses, or is not there."""
    folder, said = ground("token"), []
    for answer in None, 401, 403, 404, 500:
        hub = Hub({"org/tiny": folder / "model"})
        if answer:
            hub.rules.append(lambda request, answer=answer: request.reply(answer, TOKEN.encode(), X_Error_Message=TOKEN))
        env = hub.environment(folder / "hub", HF_TOKEN=TOKEN, HOME=str(folder / "home"))
        for words in (["pull", "org/tiny", "--retries", "0"], ["check", "tiny.yaml", "--set", "model.name_or_path=org/none"],
                      ["train", "tiny.yaml", "--name", f"t{answer}"]):
            done = run(*words, cwd=folder, env=env)
            said.append(done.stdout + done.stderr)
        assert any(TOKEN in seen.headers.get("Authorization", "") for seen in hub.log), "the token is not even sent"
        hub.close()
    done = run("pull", "org/other", "--retries", "0", cwd=folder, env=dict(env, HF_ENDPOINT="http://127.0.0.1:9"))
    assert done.returncode == 1, done
    said.append(done.stdout + done.stderr)
    assert not any(TOKEN in text for text in said), [text for text in said if TOKEN in text]
    holds = [str(p) for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and TOKEN.encode() in p.read_bytes()]
    assert not holds, holds


if __name__ == "__main__":
    try:
        code = tiny_bert.counted([what_a_run_writes_is_its_owners, no_link_leads_a_write_elsewhere, a_run_is_never_made_where_a_link_is, no_temporary_name_is_foretold,
                                  the_token_is_nowhere])
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
