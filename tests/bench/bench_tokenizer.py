#!/usr/bin/env python3
"""The tokenizer against Hugging Face's `tokenizers`: one thread, English text that neither has seen, a string at a time; every id is compared.

    tests/bench/bench_tokenizer.py [ROUNDS]      (default 5; alternating runs, each a new process)

Needs what `make test-peers` sets up, the model of `make fetch` and the data sets (BT_SHARED). BENCH names another build of bench_tokenizer.
"""
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PEERS = CACHE / "bertty" / "peers" / "bin" / "python"
DATA = Path(os.environ.get("BT_SHARED") or ROOT.parent / "shared") / "data"
MODEL = Path(os.environ.get("BT_MODEL") or ROOT / "experiments/models/all-MiniLM-L6-v2")
PROGRAMS = [os.environ.get("BENCH"), ROOT / "build/test/tests/bench/bench_tokenizer", ROOT / "build/tests/bench/bench_tokenizer"]
TABLES = {"sst2/train.tsv": [0], "sst2/dev.tsv": [0], "cola/in_domain_train.tsv": [3], "mrpc/msr_paraphrase_train.txt": [3, 4],
          "rte/train.tsv": [1, 2], "stsb/sts-train.csv": [5, 6], "vader/movieReviewSnippets_GroundTruth.txt": [2],
          "vader/amazonReviewSnippets_GroundTruth.txt": [2]}


def contexts(path):
    for article in json.loads(path.read_text())["data"]:
        for paragraph in article["paragraphs"]:
            yield paragraph["context"]
            for question in paragraph["qas"]:
                yield question["question"]


def texts():
    found = {}
    for name, columns in TABLES.items():
        for line in (DATA / name).read_text().split("\n"):
            cells = line.split("\t")
            found.update((cells[c], 0) for c in columns if c < len(cells))
    with open(DATA / "ag_news_subset/train.csv", newline="") as file:
        found.update((row[0], 0) for row in csv.reader(file))
    for name in ("squad/train-v1.1.du-test-split.json", "xquad/xquad.en.json", "policyqa/dev.json"):
        found.update((text, 0) for text in contexts(DATA / name))
    return [text.replace("\n", " ") for text in found]


def peer(path, ids):
    """In a process of its own: seconds of the first and of the second pass."""
    from tokenizers import Tokenizer, __version__
    lines = Path(path).read_text().split("\n")[:-1]
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        for line in lines:
            tokenizer.encode(line, add_special_tokens=False)
        seconds.append(time.perf_counter() - start)
    if ids:
        Path(ids).write_text("".join(" ".join(map(str, tokenizer.encode(s, add_special_tokens=False).ids)) + "\n" for s in lines))
    print(__version__, *seconds)


def run(command):
    return subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, check=True,
                          env=dict(os.environ, TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")).stdout.decode().split()


def tell(name, size, pieces, seconds):
    typical = statistics.median(seconds)
    print(f"{name:<28} {size / typical / 1e6:8.1f} MB/s  {pieces / typical / 1e6:7.2f} M pieces/s  (best {size / min(seconds) / 1e6:.1f}, "
          f"least {size / max(seconds) / 1e6:.1f} MB/s)")


def spread(name, theirs, ours):
    ratios = sorted(a / b for a, b in zip(theirs, ours))
    print(f"{name}: {statistics.median(theirs) / statistics.median(ours):.1f}x (pairs {ratios[0]:.1f} to {ratios[-1]:.1f})")


def main(rounds):
    program = next((p for p in PROGRAMS if p and Path(p).exists()), None)
    if not (program and PEERS.exists() and DATA.exists() and MODEL.exists()):
        print("needs `make bench-programs`, `make test-peers`, `make fetch` and the data sets (BT_SHARED)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        path, ids = Path(folder, "texts"), [Path(folder, "ours"), Path(folder, "theirs")]
        lines = texts()
        path.write_text("".join(line + "\n" for line in lines))
        run([program, MODEL, path, ids[0]])
        run([PEERS, __file__, "--peer", path, ids[1]])
        ours, theirs = (p.read_text().split("\n")[:-1] for p in ids)
        assert len(ours) == len(theirs) == len(lines)
        different = sum(a != b for a, b in zip(ours, theirs))
        pairs = [(run([PEERS, __file__, "--peer", path]), run([program, MODEL, path])) for _ in range(rounds)]
        size, pieces = path.stat().st_size, sum(line.count(" ") + 1 for line in ours if line)
        theirs, ours = ([[float(p[k][i]) for p in pairs] for i in at] for k, at in ((0, (1, 2)), (1, (4, 7))))
        print(f"{len(lines)} texts, {size / 1e6:.1f} MB, {pieces} pieces, {different} texts differ; tokenizers {pairs[0][0][0]}")
        print(f"loading: {statistics.median(float(p[1][1]) for p in pairs):.1f} ms")
        for i, name in enumerate(("cold", "second pass")):
            tell(f"tokenizers, {name}", size, pieces, theirs[i])
            tell(f"bertty, {name}", size, pieces, ours[i])
            spread(name, theirs[i], ours[i])
    return int(different > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        peer(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
