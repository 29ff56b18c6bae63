#!/usr/bin/env python3
"""The Hugging Face cache, shared with huggingface_hub: the same tree, byte for byte, and each finds and goes on with what the other fetched."""
import json
import os
import subprocess
import sys

import golden_tools as g
import tiny_bert
from hub_server import Hub, files_of, sha256

OURS = ["config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"]
LOAD = """
import json, sys, torch, huggingface_hub, transformers
where = huggingface_hub.snapshot_download("org/tiny")
file = huggingface_hub.hf_hub_download("org/tiny", "vocab.txt")
tokenizer = transformers.AutoTokenizer.from_pretrained("org/tiny")
model = transformers.AutoModel.from_pretrained("org/tiny")
scan = huggingface_hub.scan_cache_dir()
print(json.dumps({"where": where, "file": file, "ids": tokenizer("a good film")["input_ids"],
                  "sum": float(model(**tokenizer("a good film", return_tensors="pt")).last_hidden_state.double().abs().sum()),
                  "warnings": [str(w) for w in scan.warnings], "repos": [r.repo_id for r in scan.repos],
                  "refs": [sorted(v.refs) for r in scan.repos for v in r.revisions]}))
"""
FETCH = "import huggingface_hub; huggingface_hub.snapshot_download('org/tiny', revision={!r}, allow_patterns={!r})"


def python(code, env):
    env = {**env, "PYTHONPATH": os.environ["PYTHONPATH"], "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def tree(home):
    """{path: what is there} of the whole cache: a link's target, a file's hash."""
    found = {}
    for at, _, files in os.walk(home / "hub"):
        for name in files:
            path = os.path.join(at, name)
            content = os.readlink(path) if os.path.islink(path) else sha256(open(path, "rb").read())
            found[os.path.relpath(path, home / "hub")] = content
    return found


def places(folder):
    files = files_of(tiny_bert.model(folder / "tiny"))
    homes = [folder / "ours", folder / "theirs"]
    for home in homes:
        home.mkdir()
    return Hub({"org/tiny": files}), files, *homes


def test_python_finds_what_we_fetched(folder):
    hub, files, home, _ = places(folder)
    g.run("pull", "org/tiny", env=hub.environment(home))
    hub.close()
    got = json.loads(python(LOAD, hub.environment(home, HF_HUB_OFFLINE="1")).splitlines()[-1])
    snapshot = str(home / "hub/models--org--tiny/snapshots" / hub.commit("org/tiny"))
    assert got["where"] == snapshot and got["file"] == f"{snapshot}/vocab.txt", got
    assert got["warnings"] == [] and got["repos"] == ["org/tiny"] and got["refs"] == [["main"]], got
    vocabulary = files["vocab.txt"].decode().split()
    assert got["ids"] == [vocabulary.index(w) for w in ["[CLS]", "a", "good", "film", "[SEP]"]], got
    model = g.transformers.AutoModel.from_pretrained(folder / "tiny")
    direct = model(g.torch.tensor([got["ids"]])).last_hidden_state.double().abs().sum().item()
    assert abs(got["sum"] - direct) < 1e-3 * direct, (got, direct)


def test_we_find_what_python_fetched(folder):
    hub, _, _, home = places(folder)
    python(FETCH.format(None, None), hub.environment(home))
    hub.close()
    offline = hub.environment(home, HF_HUB_OFFLINE="1")
    done = g.run("tokenize", "org/tiny", "-", env=offline, input="a good film\n")
    assert done.stdout == "[CLS] a good film [SEP]\n", done.stdout
    done = g.run("pull", "org/tiny", "--json", env=offline)
    assert json.loads(done.stdout)["commit"] == hub.commit("org/tiny"), done.stdout


def test_the_same_tree(folder):
    hub, files, ours, theirs = places(folder)
    other = hub.add("org/tiny", {**files, "vocab.txt": files["vocab.txt"] + b"new\n"}, "v1.0")
    for revision in "main", "v1.0", other:
        g.run("pull", f"org/tiny@{revision}", env=hub.environment(ours))
        python(FETCH.format(revision, OURS), hub.environment(theirs))
    hub.close()
    a, b = tree(ours), tree(theirs)
    b = {path: what for path, what in b.items() if not path.endswith("CACHEDIR.TAG")}
    assert len(a) > 15 and a == b, (sorted(set(a.items()) ^ set(b.items())))


def test_each_goes_on_where_the_other_ended(folder):
    hub, files, ours, theirs = places(folder)
    weights = files["model.safetensors"]

    def cut(request):
        return request.where == "cdn" and request.send_file(weights, stop=20000)
    hub.rules.append(cut)
    g.run("pull", "org/tiny", "--retries", "0", env=hub.environment(ours), ok=False)
    hub.rules.clear()
    hub.log.clear()
    python(FETCH.format("main", OURS), hub.environment(ours))
    assert [s.headers.get("Range") for s in hub.log if s.where == "cdn"] == ["bytes=20000-"], hub.log
    first = [True]
    hub.rules.append(lambda r: r.where == "cdn" and (r.send_file(weights, stop=20000) if first and first.pop() else r.reply(500)))
    code = "import huggingface_hub.constants as c, huggingface_hub as h; c.DOWNLOAD_CHUNK_SIZE = 1000; h.hf_hub_download('org/tiny', 'model.safetensors')"
    done = subprocess.run([sys.executable, "-c", code], env=hub.environment(theirs), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert done.returncode, "Python did not see the cut"
    left = theirs / "hub/models--org--tiny/blobs" / f"{sha256(weights)}.incomplete"
    have = left.stat().st_size
    assert 0 < have < len(weights), have
    hub.rules.clear()
    hub.log.clear()
    g.run("pull", "org/tiny", env=hub.environment(theirs))
    assert [s.headers.get("Range") for s in hub.log if s.where == "cdn"] == [f"bytes={have}-"], hub.log
    assert (left.parent / sha256(weights)).read_bytes() == weights


if __name__ == "__main__":
    g.main(globals())
