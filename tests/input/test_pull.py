#!/usr/bin/env python3
"""bertty pull, against a hub of its own on the loopback interface: the cache's layout, redirects, the token, cut connections, refusals,
hostile answers, two pulls at once, interruption."""
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import refusal
import tiny_bert
from hub_server import Hub, files_of, git_sha1, sha256
from refusal import BERTTY, COUNT, broken, finished, one_line

ROOT = Path(tempfile.mkdtemp(prefix="bertty-pull-"))
FILES = files_of(tiny_bert.model(ROOT / "tiny"))
FILES["README.md"] = b"not for bertty"
FILES["tf_model.h5"] = b"nor this"
WEIGHTS = FILES["model.safetensors"]
OURS = sorted(["config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"])
LOCK, plain_check = threading.Lock(), COUNT.check


def check(*what):
    """The tests run side by side: most of their time they wait."""
    with LOCK:
        return plain_check(*what)


COUNT.check = check


class Place:
    """A hub with org/tiny, and an empty cache."""
    numbers = itertools.count(1)

    def __init__(self, files=None, tls=None):
        self.hub = Hub({"org/tiny": dict(files or FILES)}, tls)
        self.home = ROOT / f"home-{next(Place.numbers)}"
        self.home.mkdir()
        self.folder = self.home / "hub/models--org--tiny"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hub.close()

    def env(self, **more):
        return self.hub.environment(self.home, **more)

    def pull(self, *words, name="org/tiny", env=None, **more):
        return finished(["pull", name, *words], self.home, env=env or self.env(**more))

    def blobs(self):
        return sorted(p.name for p in (self.folder / "blobs").glob("*")) if self.folder.exists() else []

    def snapshot(self, revision="main"):
        return self.folder / "snapshots" / self.hub.commit("org/tiny", revision)

    def on(self, where, path, act, times=1, method="GET"):
        """The first so many requests for path are answered by act(request)."""
        left = [times]

        def rule(request):
            if request.where != where or request.command != method or not re.search(path, request.place) or left[0] == 0:
                return False
            left[0] -= 1
            return act(request)
        self.hub.rules.append(rule)


def fine(name, done):
    return check(f"{name}: exit code 0", done.returncode == 0 and not broken(done.stderr), (done.returncode, done.stderr.decode()[-1500:]))


def refused(name, p, *said, words=("--retries", "0"), model="org/tiny", code=1, **more):
    """One line; no file that looks whole, and the name stays unknown."""
    done = p.pull(*words, name=model, **more)
    one_line(name, done, code, said)
    check(f"{name}: no weights", not any(len(b) == 64 for b in p.blobs()), p.blobs())
    check(f"{name}: the name is not known", not list(p.folder.glob("refs/*")))


def layout():
    with Place() as p:
        done = p.pull("--json")
        fine("pull", done)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        check("a line a file", sorted(r["file"] for r in rows[:-1]) == OURS and all(r["fetched"] for r in rows[:-1]), rows)
        commit = p.hub.commit("org/tiny")
        size = sum(len(FILES[name]) for name in OURS)
        want = {"name": "org/tiny", "commit": commit, "dir": str(p.snapshot()), "files": 4, "fetched": 4, "bytes": size}
        check("the result", rows[-1] == want, rows[-1])
        check("refs/main", (p.folder / "refs/main").read_text() == commit)
        check("the snapshot", sorted(f.name for f in p.snapshot().iterdir()) == OURS)
        for name in OURS:
            digest = sha256(FILES[name]) if name == "model.safetensors" else git_sha1(FILES[name])
            check(f"{name}: a link", os.readlink(p.snapshot() / name) == f"../../blobs/{digest}")
            check(f"{name}: its bytes", (p.folder / "blobs" / digest).read_bytes() == FILES[name])
        check("the locks", sorted(f.name for f in (p.home / "hub/.locks/models--org--tiny").iterdir()) == sorted(f"{b}.lock" for b in p.blobs()))
        check("modes as the umask says", (p.folder / "refs/main").stat().st_mode & 0o44 == 0o44 and p.folder.stat().st_mode & 0o55 == 0o55)
        p.hub.log.clear()
        done = p.pull()
        fine("again", done)
        check("again: nothing fetched", [s.method for s in p.hub.log] == ["GET"] and b"nothing to fetch" in done.stdout, p.hub.log)
        done = finished(["predict", "org/tiny", "--text", "a good film"], p.home, env=p.env(HF_HUB_OFFLINE="1"))
        one_line("a command knows the name", done, 1, ["classifier"])
        done = finished(["tokenize", "org/tiny@main", "-"], p.home, env=p.env(), stdin=None, input=b"a good film\n")
        check("tokenize", done.stdout == b"[CLS] a good film [SEP]\n", (done.stdout, done.stderr))


def used():
    """In an experiment file; the run keeps the snapshot's directory."""
    with Place() as p:
        path = tiny_bert.experiment(p.home / "x", {"model.name_or_path": "org/tiny", "train.max_steps": 2, "run.num_threads": 1}, train=40, dev=10)
        words = ["train", path.name, "--name", "r"]
        done = finished(words, path.parent, env=p.env())
        one_line("not fetched yet", done, 1, ["tiny.yaml:", "model.name_or_path: org/tiny: no such directory", str(p.home / "hub"), "`bertty pull org/tiny` fetches it"])
        one_line("a command", finished(["predict", "org/tiny", "--text", "a"], path.parent, env=p.env()), 1, ["no such run", "bertty pull org/tiny"])
        fine("pull", p.pull())
        fine("train", finished(words, path.parent, env=p.env()))
        text = (path.parent / "runs/r/experiment.yaml").read_text()
        check("the run has the directory", str(p.snapshot()) in text, text[:300])
        fine("predict", finished(["predict", "r", "--text", "good"], path.parent, env=p.env()))
        fine("data", done := finished(["data", "train.tsv", "--model", "org/tiny", "--text", "1", "--label", "2"], path.parent, env=p.env()))
        check("data: pieces", b"piece" in done.stdout, done.stdout)


def authorization(seen):
    return seen.headers.get("Authorization")


def token():
    with Place() as p:
        fine("pull", p.pull(HF_TOKEN="hf_secret"))
        at_hub = [authorization(s) for s in p.hub.log if s.where == "hub"]
        at_cdn = [s for s in p.hub.log if s.where == "cdn"]
        check("the hub gets the token", at_hub and set(at_hub) == {"Bearer hf_secret"}, at_hub)
        check("the other host is asked", len(at_cdn) == 1, at_cdn)
        check("and gets no token", not any("secret" in str(s) for s in at_cdn), at_cdn)
    with Place() as p:
        (p.home / "token").write_text("hf_file\n")
        fine("pull", p.pull())
        check("HF_HOME/token", authorization(p.hub.log[0]) == "Bearer hf_file", p.hub.log[0])
    with Place() as p:
        (p.home / "elsewhere").write_text("hf_other")
        (p.home / "token").write_text("hf_file\n")
        fine("pull", p.pull(HF_TOKEN_PATH=str(p.home / "elsewhere")))
        check("HF_TOKEN_PATH", authorization(p.hub.log[0]) == "Bearer hf_other", p.hub.log[0])
    with Place() as p:
        fine("pull", p.pull())
        check("no token", {authorization(s) for s in p.hub.log} == {None})
        refused("a token with a newline inside", Place(), "HF_TOKEN", HF_TOKEN="hf_a\x01X-Evil: 1")
    with Place() as p:  # sent away and back again by another host: it must not bring the token out
        p.on("cdn", "/blob/", lambda r: r.reply(302, Location=f"{p.hub.hub.url}/echo"))
        p.on("hub", "/echo", lambda r: r.send_file(WEIGHTS))
        fine("there and back", p.pull(HF_TOKEN="hf_secret"))
        check("no token on the way back", [authorization(s) for s in p.hub.log if s.path == "/echo"] == [None], p.hub.log)


def redirects():
    with Place() as p:  # a renamed model: relative redirects within the hub, with the token
        p.hub.models["new/tiny"] = p.hub.models["org/tiny"]

        def moved(request):
            old = "org/tiny/"
            if request.where != "hub" or old not in request.path:
                return False
            return request.reply(307, Location=request.path.replace(old, "new/tiny/"))
        p.hub.rules.append(moved)
        fine("renamed", p.pull(HF_TOKEN="t"))
        check("under the name that was asked for", (p.snapshot() / "model.safetensors").exists())
        check("the token goes along", all(authorization(s) for s in p.hub.log if s.where == "hub"))
    with Place() as p:
        p.on("hub", "/api/", lambda r: r.reply(302, Location=r.path), times=-1)
        refused("for ever", p, "sent on more than 10 times")
    with Place() as p:
        p.on("hub", "/api/", lambda r: r.reply(302, Location="file:///etc/passwd"), times=-1)
        refused("to a file", p, "none of HTTP")
    with Place() as p:  # a mirror that sends everything to another host before it has said anything of the file
        def away(request):
            if request.where != "hub" or "/resolve/" not in request.place:
                return False
            return request.reply(308, Location=f"{p.hub.cdn.url}{request.path}")

        def there(request):
            return request.where == "cdn" and "/resolve/" in request.place and p.hub.as_hub(request) is not None
        p.hub.rules += [away, there]
        fine("a mirror", p.pull(HF_TOKEN="hf_secret"))
        check("a mirror: no token elsewhere", not any(authorization(s) for s in p.hub.log if s.where == "cdn"), p.hub.log)


def encrypted():
    """TLS: whom to trust; and what came over TLS does not go on without it."""
    if not shutil.which("openssl"):
        COUNT.skip("encrypted", "no openssl to make a certificate")
        return
    key, certificate = ROOT / "key.pem", ROOT / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with Place(tls=tls) as p:
        refused("nobody's certificate", p, "https://127.0.0.1", "certificate")
        refused("from TLS to none", p, "sent to an address that is not encrypted", SSL_CERT_FILE=str(certificate))
        check("from TLS to none: not asked", not [s for s in p.hub.log if s.where == "cdn"])
        p.on("hub", "model.safetensors", lambda r: r.send_file(WEIGHTS, ETag=f'"{sha256(WEIGHTS)}"'), times=-1)
        p.on("hub", "model.safetensors", lambda r: r.send_file(WEIGHTS, ETag=f'"{sha256(WEIGHTS)}"'), times=-1, method="HEAD")
        fine("all over TLS", p.pull(CURL_CA_BUNDLE=str(certificate)))


def resumed():
    n = len(WEIGHTS)
    with Place() as p:
        for _ in range(3):
            p.on("cdn", "/blob/", lambda r: r.send_file(WEIGHTS, stop=n // 5))
        done = p.pull("--json", "--retries", "1")
        fine("cut three times, growing each time", done)
        ranges = [s.headers.get("Range") for s in p.hub.log if s.where == "cdn"]
        check("goes on where it ended", len(ranges) == 4 and ranges[0] is None and ranges[3] == f"bytes={3 * (n // 5)}-", ranges)
        check("every byte once", json.loads(done.stdout.splitlines()[-1])["bytes"] == sum(len(FILES[f]) for f in OURS), done.stdout)
        check("its bytes", (p.snapshot() / "model.safetensors").read_bytes() == WEIGHTS)
        check("is told", b"trying again" in done.stderr, done.stderr)
    with Place() as p:  # what an earlier call left behind; the file has the name that huggingface_hub gives it
        (p.folder / "blobs").mkdir(parents=True)
        left = p.folder / "blobs" / f"{sha256(WEIGHTS)}.incomplete"
        left.write_bytes(WEIGHTS[:1000])
        fine("left behind", p.pull())
        check("left behind: Range", [s.headers.get("Range") for s in p.hub.log if s.where == "cdn"] == ["bytes=1000-"])
        check("left behind: gone", not left.exists() and (p.snapshot() / "model.safetensors").read_bytes() == WEIGHTS)
    for what, rest in (("spoiled", b"x" * 1000), ("too long", WEIGHTS + b"x"), ("whole", WEIGHTS), ("whole but wrong", b"x" * n)):
        with Place() as p:
            (p.folder / "blobs").mkdir(parents=True)
            (p.folder / "blobs" / f"{sha256(WEIGHTS)}.incomplete").write_bytes(rest)
            fine(what, p.pull())
            check(f"{what}: its bytes", (p.snapshot() / "model.safetensors").read_bytes() == WEIGHTS)
            check(f"{what}: requests", len([s for s in p.hub.log if s.where == "cdn"]) == {"spoiled": 2, "whole": 0}.get(what, 1))
    with Place() as p:  # a server without Range
        p.on("cdn", "/blob/", lambda r: r.send_file(WEIGHTS, stop=n // 2, ranges=False))
        p.on("cdn", "/blob/", lambda r: r.send_file(WEIGHTS, ranges=False))
        fine("without Range", p.pull("--retries", "1"))
        check("without Range: its bytes", (p.snapshot() / "model.safetensors").read_bytes() == WEIGHTS)
    with Place() as p:  # the same, always cut at the same place: it must end
        p.on("cdn", "/blob/", lambda r: r.send_file(WEIGHTS, stop=n // 2, ranges=False), times=-1)
        done = p.pull("--retries", "1")
        check("never beyond the middle", done.returncode == 1 and b"after 2 attempts" in done.stderr, done.stderr)
    with Place() as p:  # other bytes than those that were asked for
        p.on("cdn", "/blob/", lambda r: r.send_file(WEIGHTS, stop=1000))
        p.on("cdn", "/blob/", lambda r: r.reply(206, WEIGHTS[500:], Content_Range=f"bytes 500-{n - 1}/{n}"))
        done = p.pull("--retries", "1")
        check("a wrong range", done.returncode == 1 and b"asked for the bytes from 1000 on, got those from 500" in done.stderr, done.stderr)


def fails(request, status, **headers):
    return request.reply(status, b"no", **headers)


def busy():
    with Place() as p:
        p.on("hub", "/api/", lambda r: fails(r, 429, Retry_After=1))
        start = time.monotonic()
        done = p.pull("--retries", "1")
        fine("429", done)
        check("Retry-After is waited for", time.monotonic() - start >= 1.0)
        check("429: is told", b"429" in done.stderr and b"trying again in 1.0 s" in done.stderr, done.stderr)
    with Place() as p:
        p.on("hub", "/api/", lambda r: fails(r, 429, Retry_After=3600), times=-1)
        refused("429 for an hour", p, "answers 429", "wait for 3600 seconds", words=())
        check("429 for an hour: asked once", len(p.hub.log) == 1, p.hub.log)
    with Place() as p:
        p.on("hub", "/api/", lambda r: fails(r, 503))
        p.on("hub", "vocab.txt", lambda r: fails(r, 500), method="HEAD")
        p.on("cdn", "/blob/", lambda r: fails(r, 502))
        fine("5xx, each once", p.pull("--retries", "1"))
    with Place() as p:
        p.on("hub", "/api/", lambda r: fails(r, 503), times=-1)
        done = p.pull("--retries", "2")
        check("503 for ever", done.returncode == 1 and done.stderr.decode().splitlines()[-1].endswith("answers 503, after 3 attempts"), done.stderr)
        check("503 for ever: back-off", [b"0.5 s" in line for line in done.stderr.splitlines()] == [True, False, False] and b"1.0 s" in done.stderr)
        check("503 for ever: asked three times", len(p.hub.log) == 3)


def no_answer():
    with Place() as p:
        p.on("cdn", "/blob/", lambda r: r.cut(), times=-1)
        refused("cut at once, always", p, "127.0.0.1")
    with Place() as p:
        p.on("cdn", "/blob/", lambda r: time.sleep(4) or r.cut(), times=-1)
        start = time.monotonic()
        refused("silence", p, "127.0.0.1", HF_HUB_DOWNLOAD_TIMEOUT="1")
        check("silence: not for ever", time.monotonic() - start < 4, time.monotonic() - start)
    p = Place()
    p.hub.close()
    start = time.monotonic()
    refused("nobody there", p, p.hub.hub.url, words=())
    check("nobody there: at once", time.monotonic() - start < 3)
    refused("no such host", p, "does-not-exist.invalid", words=(), HF_ENDPOINT="http://does-not-exist.invalid")
    refused("no address", p, "HF_ENDPOINT", HF_ENDPOINT="ftp://x")
    refused("a proxy that is not there", p, "127.0.0.1", http_proxy="http://127.0.0.1:1")


def not_allowed():
    for status, code, env, said in (
            (401, "RepoNotFound", {}, ["does not know it, or it is private", "set HF_TOKEN", "401"]),
            (401, "", {"HF_TOKEN": "t"}, ["the token that is set", "401"]),
            (403, "GatedRepo", {}, ["gated", "accept its conditions on", "/org/tiny", "set HF_TOKEN", "403"]),
            (401, "GatedRepo", {"HF_TOKEN": "t"}, ["gated", "same account"]),
            (403, "", {}, ["private or gated", "set HF_TOKEN", "403"]),
            (418, "", {}, ["answers 418"])):
        with Place() as p:
            p.on("hub", "/api/", lambda r: fails(r, status, X_Error_Code=code), times=-1)
            refused(f"{status} {code} {env}", p, "org/tiny", *said, words=(), **env)
            check(f"{status}: asked once", len(p.hub.log) == 1)
    with Place() as p:
        p.on("hub", "config.json", lambda r: fails(r, 403, X_Error_Code="GatedRepo"), method="HEAD")
        refused("gated files", p, "gated", words=())
    with Place() as p:
        refused("no such model", p, "org/none: no such model on", "404", model="org/none", words=())
        refused("no such revision", p, 'no revision "v9"', model="org/tiny@v9", words=())
        refused("a file is missing", p, "no such model", model="none", words=())
        p.on("hub", "vocab.txt", lambda r: fails(r, 404, X_Error_Code="EntryNotFound"), method="HEAD")
        refused("a file that is not there", p, "no file vocab.txt", words=())
        p.on("cdn", "/blob/", lambda r: fails(r, 403))
        refused("the other host refuses", p, "has sent us answers 403", words=())
    for name in ("../x", "a/b/c", "/etc", "a--b", "a/b@../../x", "a b", "https://x/y"):
        with Place() as p:
            refused(f"name {name}", p, "not the name of a model", model=name)
            check(f"name {name}: nobody asked", not p.hub.log)


def wrong_bytes():
    wrong = bytes([WEIGHTS[100] ^ 1]) + WEIGHTS[1:]
    with Place() as p:
        p.on("cdn", "/blob/", lambda r: r.send_file(wrong), times=-1)
        refused("wrong weights", p, "model.safetensors: its hash is", sha256(wrong), f"expected {sha256(WEIGHTS)}")
        check("wrong weights: thrown away", not any("incomplete" in b for b in p.blobs()), p.blobs())
    with Place() as p:
        text = FILES["vocab.txt"].replace(b"good", b"evil")
        p.on("hub", "vocab.txt", lambda r: r.send_file(text), times=-1)
        refused("wrong vocabulary", p, "vocab.txt: its hash is", git_sha1(text), git_sha1(FILES["vocab.txt"]))
    with Place() as p:
        p.on("cdn", "/blob/", lambda r: r.reply(200, WEIGHTS + b"more"), times=-1)
        refused("too many bytes", p, "more bytes came than the")
    with Place() as p:
        p.hub.rules.append(lambda r: r.where == "hub" and r.command == "HEAD" and r.place.endswith("model.safetensors")
                           and r.reply(302, Location=f"{p.hub.cdn.url}/x", X_Linked_Etag=f'"{sha256(WEIGHTS)}"', X_Linked_Size=1 << 55))
        refused("no room", p, "are free in", str(p.home / "hub"))
        check("no room: not begun", not [s for s in p.hub.log if s.where == "cdn"])
    with Place() as p:  # some mirrors name a file by the sha1 of its bytes, some by something else
        plain = hashlib.sha1(FILES["vocab.txt"]).hexdigest()
        p.on("hub", "vocab.txt", lambda r: r.send_file(FILES["vocab.txt"], ETag=f'W/"{plain}"'), method="HEAD")
        p.on("hub", "tokenizer_config.json", lambda r: r.send_file(FILES["tokenizer_config.json"], ETag='"abc-1"'), method="HEAD")
        fine("other names", p.pull())
        check("other names: as they are", {plain, "abc-1"} < set(p.blobs()), p.blobs())


def hostile():
    def info(**body):
        return lambda r: r.reply(200, json.dumps({"sha": "a" * 40, "siblings": [], **body}).encode())
    for what, act, said in (
            ("a commit that leads out", info(sha="../../../../evil"), "expected 40 hex digits"),
            ("no JSON", lambda r: r.reply(200, b"<html>log in</html>"), "not what a hub answers"),
            ("no list", info(siblings=7), "does not list its files"),
            ("no files", info(), "no config.json"),
            ("an escape", info(sha="\x1b]52;c;UFdO\x07"), "\\x1b]52")):
        with Place() as p:
            p.on("hub", "/api/", act)
            refused(what, p, said)
    names = ["../../evil.json", "/evil", "..", ".evil", "a/../../evil", "sub/config.json", "evil\n", ""]
    with Place() as p:
        rows = [{"rfilename": n} for n in [*names, *FILES]] + [7, {"rfilename": 7}, {}]
        p.on("hub", "/api/", info(sha=p.hub.commit("org/tiny"), siblings=rows))
        fine("names that lead out are not looked at", p.pull())
        check("nothing outside", not [f for f in ROOT.rglob("*evil*")])
        check("only ours", sorted(f.name for f in p.snapshot().iterdir()) == OURS)
    with Place({k: v for k, v in FILES.items() if k != "model.safetensors"}) as p:  # every NAME.index is a file of TensorFlow's
        rows = [{"rfilename": n} for n in ["a.index", "../../evil.index", "../../../../evil.data-00000-of-00001", *FILES] if n != "model.safetensors"]
        p.on("hub", "/api/", info(sha=p.hub.commit("org/tiny"), siblings=rows))
        p.hub.rules.append(lambda r: ("evil" in r.place or "a.index" in r.place) and r.send_file(b"x", ETag='"abc"'))
        fine("names like TensorFlow's", p.pull())
        check("names like TensorFlow's: not asked for", not any("evil" in s.path for s in p.hub.log) and not [f for f in ROOT.rglob("*evil*")])
    for etag in ("../../../../evil", "", "a/b", ".hidden", "x" * 200, "a b"):
        with Place() as p:
            p.hub.rules.append(lambda r: r.command == "HEAD" and r.place.endswith("vocab.txt") and r.send_file(b"", ETag=f'"{etag}"'))
            refused(f"ETag {etag!r}", p, "vocab.txt", "expected a hash")
            check(f"ETag {etag!r}: nothing outside", not [f for f in ROOT.rglob("*evil*")])
    with Place() as p:
        p.on("hub", "vocab.txt", lambda r: r.send_file(b"", ETag='"a"', X_Repo_Commit="b" * 40), method="HEAD")
        refused("another commit", p, "of the commit bbbb")
    for name in ("../../evil", "/etc/passwd", "README.md/../x", "not-there.safetensors"):
        files = {k: v for k, v in FILES.items() if k != "model.safetensors"}
        files["model.safetensors.index.json"] = json.dumps({"weight_map": {"a": name}}).encode()
        with Place(files) as p:
            refused(f"a shard {name}", p, "model.safetensors.index.json", "not one of the model's files")


def what_is_fetched():
    small = {k: FILES[k] for k in ("config.json", "vocab.txt", "tokenizer_config.json")}

    def with_files(**more):
        return {**small, **{k.replace("__", "."): v for k, v in more.items()}}
    index = json.dumps({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-1.safetensors"}}).encode()
    cases = [
        ("safetensors first", {**small, "model.safetensors": b"s", "pytorch_model.bin": b"t", "model.safetensors.index.json": index}, ["model.safetensors"]),
        ("shards", {**small, "model.safetensors.index.json": index, "m-1.safetensors": b"1", "m-2.safetensors": b"2", "m-3.safetensors": b"3", "pytorch_model.bin": b"t"},
         ["m-1.safetensors", "m-2.safetensors", "model.safetensors.index.json"]),
        ("torch", {**small, "pytorch_model.bin": b"t", "bert_model.ckpt.index": b"i", "flax_model.msgpack": b"f"}, ["pytorch_model.bin"]),
        ("tensorflow", {**small, "bert_model.ckpt.index": b"i", "bert_model.ckpt.data-00000-of-00001": b"d", "bert_model.ckpt.meta": b"m"},
         ["bert_model.ckpt.data-00000-of-00001", "bert_model.ckpt.index"]),
        ("all small ones", {**small, "tokenizer.json": b"{}", "special_tokens_map.json": b"{}", "added_tokens.json": b"{}", "bert_config.json": b"{}", "merges.txt": b"", "model.safetensors": b"s"},
         ["added_tokens.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json"]),
    ]
    for what, files, want in cases:
        with Place(files) as p:
            fine(what, p.pull())
            got = sorted(f.name for f in p.snapshot().iterdir())
            check(what, got == sorted([*small, *want]), got)
    for what, files, said in (
            ("no weights", {**small, "tf_model.h5": b"x"}, "no weights that bertty reads"),
            ("no vocabulary", {"config.json": FILES["config.json"], "model.safetensors": b"s"}, "neither vocab.txt nor tokenizer.json"),
            ("no configuration", {"vocab.txt": b"a", "model.safetensors": b"s"}, "no config.json"),
            ("another architecture", {**small, "config.json": b'{"model_type": "gpt2"}', "model.safetensors": b"s"}, "gpt2")):
        with Place(files) as p:
            refused(what, p, "org/tiny", said)
            check(f"{what}: the weights are not asked for", not [s for s in p.hub.log if s.where == "cdn" or "model" in s.path.rsplit("/", 1)[-1]])


def adapters():
    """An adapter of peft's: its settings and weights, and the base that it is for, unless that is there."""
    settings = {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": "org/tiny", "r": 2, "lora_alpha": 4, "target_modules": ["query"]}
    query, h = "base_model.model.bert.encoder.layer.1.attention.self.query", tiny_bert.HIDDEN
    weights = tiny_bert.packed({f"{query}.lora_A.weight": (2, h), f"{query}.lora_B.weight": (h, 2),
                                "base_model.model.classifier.weight": (2, h), "base_model.model.classifier.bias": (2,)})

    def adapter(p, name="org/tiny-lora", without=(), **more):
        files = {"adapter_config.json": json.dumps({**settings, **more}).encode(), "adapter_model.safetensors": weights, "README.md": b"no"}
        p.hub.add(name, {k: v for k, v in files.items() if k not in without})

    with Place() as p:
        adapter(p)
        fine("an adapter", done := p.pull("--json", name="org/tiny-lora"))
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        want = [("org/tiny", name) for name in OURS] + [("org/tiny-lora", name) for name in ("adapter_config.json", "adapter_model.safetensors")]
        check("an adapter: its files and its base's", sorted((r["repo"], r["file"]) for r in rows[:-1]) == want, rows)
        check("an adapter: both count", (rows[-1]["files"], rows[-1]["fetched"]) == (6, 6), rows[-1])
        fine("an adapter answers", done := finished(["predict", "org/tiny-lora", "--text", "good"], p.home, env=p.env(HF_HUB_OFFLINE="1")))
        p.hub.log.clear()
        fine("an adapter again", done := p.pull(name="org/tiny-lora"))
        check("an adapter again: nothing to fetch", b"nothing to fetch" in done.stdout and len(p.hub.log) == 1, (done.stdout, p.hub.log))
    with Place() as p:
        commit = p.hub.add("org/tiny", {**FILES, "vocab.txt": FILES["vocab.txt"] + b"new\n"}, "v1")
        adapter(p, revision="v1")
        fine("the base's revision", done := p.pull(name="org/tiny-lora"))
        check("the base's revision: that snapshot", [f.name for f in (p.folder / "snapshots").iterdir()] == [commit])
        check("the base's files are named in full", b"org/tiny/vocab.txt" in done.stdout and b"\nadapter_model.safetensors" in done.stdout, done.stdout)
    for what, more, said in (
            ("another method", {"peft_type": "IA3"}, 'peft_type "IA3", expected LORA'),
            ("no base", {"base_model_name_or_path": None}, "no base_model_name_or_path"),
            ("a base on its author's disk", {"base_model_name_or_path": "/data/author/bert"}, "/data/author/bert"),
            ("a base that is not there", {"base_model_name_or_path": "org/none"}, "org/none"),
            ("a base that is an adapter", {"base_model_name_or_path": "org/tiny-lora"}, "an adapter itself"),
            ("no weights", {"without": ["adapter_model.safetensors"]}, "expected adapter_model.safetensors")):
        with Place() as p:
            adapter(p, **more)
            p.folder = p.home / "hub/models--org--tiny-lora"
            refused(what, p, said, model="org/tiny-lora")


def revisions():
    with Place() as p:
        other = {**FILES, "model.safetensors": WEIGHTS[:-4] + b"\0\0\x80\x3f"}
        commit = p.hub.add("org/tiny", other, "refs/pr/1")
        fine("a branch", p.pull(name="org/tiny@refs/pr/1"))
        check("a branch: escaped", any("/revision/refs/pr/1" in s.path for s in p.hub.log))
        check("a branch: its ref", (p.folder / "refs/refs/pr/1").read_text() == commit)
        check("main is not known", not (p.folder / "refs/main").exists())
        fine("main beside it", done := p.pull("--json"))
        check("only what differs", json.loads(done.stdout.splitlines()[-1])["fetched"] == 1, done.stdout)
        check("two snapshots", len(list((p.folder / "snapshots").iterdir())) == 2)
        fine("a commit", done := p.pull(name=f"org/tiny@{commit}"))
        check("a commit: no ref", sorted(f.name for f in (p.folder / "refs").iterdir()) == ["main", "refs"])
        for revision, data in (("refs/pr/1", other), ("main", FILES), (commit, other)):
            done = finished(["tokenize", f"org/tiny@{revision}", "-"], p.home, env=p.env(), stdin=None, input=b"good\n")
            check(f"{revision} is found", done.stdout == b"[CLS] good [SEP]\n", (done.stdout, done.stderr))
        moved = p.hub.add("org/tiny", {**other, "vocab.txt": FILES["vocab.txt"] + b"new\n"})
        fine("main has moved", p.pull())
        check("main has moved: its ref", (p.folder / "refs/main").read_text() == moved)


def offline():
    with Place() as p:
        refused("offline, not there", p, "HF_HUB_OFFLINE is set", str(p.home / "hub"), HF_HUB_OFFLINE="1")
        check("offline: nobody asked", not p.hub.log)
        fine("pull", p.pull())
        p.hub.log.clear()
        fine("offline, there", done := p.pull(HF_HUB_OFFLINE="yes"))
        check("offline, there: nobody asked", not p.hub.log and str(p.snapshot()).encode() in done.stdout, done.stdout)
        os.unlink((p.snapshot() / "model.safetensors").resolve())
        done = p.pull(HF_HUB_OFFLINE="1")
        one_line("offline, not whole", done, 1, ["does not have it"])
        fine("mended", done := p.pull("--json"))
        check("mended: only what lacked", json.loads(done.stdout.splitlines()[-1])["fetched"] == 1, done.stdout)
        check("mended: its bytes", (p.snapshot() / "model.safetensors").read_bytes() == WEIGHTS)
    with Place() as p:
        fine("HF_HUB_CACHE", p.pull(HF_HUB_CACHE=str(p.home / "a/b c")))
        check("HF_HUB_CACHE: there", (p.home / "a/b c/models--org--tiny/refs/main").exists() and not p.folder.exists())


def at_once():
    with Place() as p:
        p.on("cdn", "/blob/", lambda r: r.send_file(WEIGHTS, pace=(len(WEIGHTS) // 8, 0.05)), times=-1)
        both = [subprocess.Popen([BERTTY, "pull", "org/tiny", "--json"], cwd=p.home, env=p.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        ends = [(b.communicate(timeout=60), b.returncode) for b in both]
        check("both are fine", [code for _, code in ends] == [0, 0], ends)
        check("each file came once", sorted(p.hub.content_gets()) == sorted(set(p.hub.content_gets())), p.hub.content_gets())
        fetched = [json.loads(out.splitlines()[-1])["fetched"] for (out, _), _ in ends]
        check("shared between them", sum(fetched) == 4, fetched)
        check("its bytes", (p.snapshot() / "model.safetensors").read_bytes() == WEIGHTS)


def interrupted():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Place() as p:
            p.on("cdn", "/blob/", lambda r: r.send_file(WEIGHTS, pace=(5000, 0.3)))
            process = subprocess.Popen([BERTTY, "pull", "org/tiny"], cwd=p.home, env=p.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            left = p.folder / "blobs" / f"{sha256(WEIGHTS)}.incomplete"
            tiny_bert.wait_for(lambda: left.exists() and left.stat().st_size >= 5000, "the first bytes", 30)
            start = time.monotonic()
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            check("interrupted: 130", process.returncode == 130, (process.returncode, err))
            check("interrupted: soon", time.monotonic() - start < 2, time.monotonic() - start)
            check("interrupted: one line", err.decode().splitlines() == ["bertty: org/tiny: interrupted: the next pull goes on from here"], err)
            have = left.stat().st_size
            check("interrupted: not known", not (p.folder / "refs/main").exists())
            p.hub.log.clear()
            fine("afterwards", p.pull())
            check("afterwards: goes on", [s.headers.get("Range") for s in p.hub.log if s.where == "cdn"] == [f"bytes={have}-"], p.hub.log)
            check("afterwards: its bytes", (p.snapshot() / "model.safetensors").read_bytes() == WEIGHTS)
    with Place() as p:  # while it waits
        p.on("hub", "/api/", lambda r: fails(r, 429, Retry_After=60))
        process = subprocess.Popen([BERTTY, "pull", "org/tiny"], cwd=p.home, env=p.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        check("interrupted while waiting", process.returncode == 130, process.returncode)


def on_terminal():
    """A bar with bytes, rate and time left; nothing of it elsewhere."""
    with Place() as p:
        p.on("cdn", "/blob/", lambda r: r.send_file(WEIGHTS, pace=(len(WEIGHTS) // 10, 0.15)))
        code, out = refusal.on_terminal(["pull", "org/tiny"], p.home, env=p.env(TERM="xterm"))
        check("on a terminal: 0", code == 0, out)
        check("a bar", re.search(rb"model.safetensors \[=+> *\] [0-9.]+ KiB of [0-9.]+ KiB", out), out)
        check("rate and time", re.search(rb"KiB/s  \d+s left", out), out)
        check("wiped at the end", out.rstrip().endswith(str(p.snapshot()).encode()), out[-300:])
    with Place() as p:
        done = p.pull()
        check("elsewhere: none", done.stderr == b"" and b"\r" not in done.stdout and b"[=" not in done.stdout, (done.stdout, done.stderr))


def without_curl():
    """The same program, linked with the HTTP part that a build without libcurl has."""
    build = Path(os.environ["BERTTY_FAST"]).parent
    made = ROOT / "none.o"
    cc = os.environ.get("CC", "gcc")
    command = [cc, "-std=c11", "-D_GNU_SOURCE", "-Iinclude", "-Iengine", "-I.", "-Wall", "-Wextra", "-Werror", "-c", "engine/formats/hub_http.c", "-o", made]
    subprocess.run(command, check=True)
    libs = "-lyaml -lcsv -lpcre2-8 -lutf8proc -ljansson -lncursesw -ltinfo -ldl -lpthread -lm".split()
    program = ROOT / "bertty-without"
    objects = [str(o) for o in (build / "tui").rglob("*.o")]
    subprocess.run([cc, "-o", program, made, *objects, build / "libbertty.a", *libs], check=True)
    with Place() as p:
        done = finished(["pull", "org/tiny"], p.home, program=program, env=p.env())
        one_line("without libcurl", done, 1, ["built without libcurl", "libcurl4-openssl-dev"])
        version = finished(["version"], p.home, program=program).stdout
        check("version says so", b"pull: none (built without libcurl)" in version, version)
        check("version of the other", b"pull: libcurl " in finished(["version"], p.home).stdout)
        check("the test's program has no libcurl", b"libcurl.so" not in program.read_bytes() and b"libcurl.so" in Path(BERTTY).read_bytes())


def curl_that_does_not_load():
    """A damaged library is told by pull alone; nothing else looks for it."""
    with Place() as p:
        for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
            (p.home / name).write_text("no library")
        env, program = {**p.env(), "LD_LIBRARY_PATH": str(p.home)}, os.environ["BERTTY_FAST"]
        done = finished(["pull", "org/tiny"], p.home, program=program, env=env)
        one_line("a damaged libcurl", done, 1, ["libcurl cannot be loaded (", "libcurl.so.4", "install libcurl4"])
        check("a damaged libcurl: the rest starts", finished(["version"], p.home, program=program, env=env).returncode == 0)


def run(test):
    start = time.monotonic()
    try:
        test()
    except Exception:
        check(test.__name__, False, traceback.format_exc())
    print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    tests = [layout, used, token, redirects, encrypted, resumed, busy, no_answer, not_allowed, wrong_bytes, hostile, what_is_fetched, adapters, revisions, offline, at_once,
             interrupted, on_terminal, without_curl, curl_that_does_not_load]
    wanted = sys.argv[1:]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, [t for t in tests if not wanted or t.__name__ in wanted]))
    code = COUNT.end()
    shutil.rmtree(ROOT, ignore_errors=True)
    raise SystemExit(code)
