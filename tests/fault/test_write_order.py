#!/usr/bin/env python3
"""The order in which a checkpoint reaches the disk: files and their fsyncs, the manifest last, its directory, rename, the parent; only then is an old one removed."""
import os
import re
import subprocess
import sys

from refusal import BERTTY, COUNT, Ground, can_trace

GROUND = Ground({"train.max_steps": 3, "run.save_steps": 1, "run.save_total_limit": 1, "eval.eval_strategy": "no", "run.num_threads": 1}, train=40, dev=10)
PROGRAM = os.environ.get("BERTTY_FAST", BERTTY)  # LeakSanitizer does not work under strace
CALLS = "openat,mkdir,mkdirat,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,symlink,symlinkat"
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\)\s+= (-?\d+)(?:<(.*)>)?")
QUOTED = re.compile(r'"([^"]*)"')


def traced(folder):
    """[(call, its first path, its second path or "")] of what succeeded, in order."""
    trace = folder / "trace"
    words = ["strace", "-f", "-y", "-qq", "-o", trace, "-e", f"trace={CALLS}", PROGRAM, "train", "tiny.yaml", "--name", "run"]
    done = subprocess.run(words, cwd=folder, capture_output=True, timeout=120)
    COUNT.check("the traced run", done.returncode == 0, done.stderr.decode(errors="replace")[-400:])
    calls = []
    for line in trace.read_text(errors="replace").splitlines():
        found = CALL.match(line)
        if not found or int(found[3]) < 0:
            continue
        name, arguments = found[1].replace("fdatasync", "fsync"), found[2]
        if name == "fsync":
            paths = re.findall(r"<([^>]*)>", arguments)
        else:
            paths = QUOTED.findall(arguments)
            if name == "unlinkat":
                paths = [re.findall(r"<([^>]*)>", arguments)[0] + "/" + paths[0]]
            if name == "openat" and "O_CREAT" not in arguments:
                name = "read"
        calls.append((re.sub(r"at2?$", "", name) if name != "openat" else "create", *(paths + ["", ""])[:2]))
    return calls


def at(calls, name, first="", second="", after=-1):
    """Index of the first such call behind another; paths are compared by their ends. len(calls) if there is none."""
    for i in range(after + 1, len(calls)):
        call = calls[i]
        if call[0] == name and call[1].endswith(first) and call[2].endswith(second):
            return i
    return len(calls)


def checkpoint(calls, step, run):
    name = f"step-{step:06d}"
    begin = at(calls, "mkdir", f"{name}.tmp")
    renamed = at(calls, "rename", f"{name}.tmp", name)
    COUNT.check(f"{name} is made and renamed", begin < renamed < len(calls), (begin, renamed))
    inside = f"checkpoints/{name}.tmp/"
    created = [call[1] for call in calls[begin:renamed] if call[0] == "create" and inside in call[1]]
    synced = [i for i in range(begin, renamed) if calls[i][0] == "fsync" and inside in calls[i][1]]
    names = {re.sub(r"\.[0-9a-f]{16}\.tmp$", "", path.split(inside)[1]) for path in created}
    COUNT.check(f"{name}: what is in it", {"model.safetensors", "optimizer.safetensors", "config.json", "vocab.txt", "trainer.json", "manifest.json"} <= names, names)
    for path in created:
        COUNT.check(f"{name}: fsync of {os.path.basename(path)}", any(calls[i][1].endswith(path.split("runs/")[-1]) for i in synced), path)
    last = synced[-1] if synced else -1
    COUNT.check(f"{name}: the manifest is the last", last >= 0 and "manifest.json" in calls[last][1], calls[last])
    directory = at(calls, "fsync", f"{name}.tmp", after=last)
    COUNT.check(f"{name}: then its directory", last < directory < renamed, (last, directory, renamed))
    parent = at(calls, "fsync", "run/checkpoints", after=renamed)
    verified = at(calls, "read", f"{name}/manifest.json", after=parent)
    link = at(calls, "symlink", f"checkpoints/{name}", after=renamed)
    COUNT.check(f"{name}: parent, verification, link", renamed < parent < verified < link < len(calls), (renamed, parent, verified, link))
    if step > 1:
        old = f"step-{step - 1:06d}"
        removed = min(at(calls, "rename", old), at(calls, "unlink", f"{old}/model.safetensors"))
        # its own rename into place does not count: at() compares the first path, which ended in .tmp then
        COUNT.check(f"{name}: only then goes {old}", link < removed < len(calls), (link, removed))
    COUNT.check(f"{name}: nothing is removed outside of the run", all(str(run) in c[1] or not c[1].startswith("/") for c in calls if c[0] == "unlink"))


def order():
    folder = GROUND.fresh()
    if not can_trace():
        return COUNT.skip("write order", "strace cannot be used here")
    calls = traced(folder)
    for step in 1, 2, 3:
        checkpoint(calls, step, folder / "runs/run")


if __name__ == "__main__":
    code = COUNT.run([order])
    GROUND.remove()
    sys.exit(code)
