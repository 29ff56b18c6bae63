#!/usr/bin/env python3
"""`bertty tokenize --ids` against Hugging Face's tokenizers on one thread, alternating in one session: megabytes of text a second."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
try:
    from transformers import BertTokenizerFast
except ImportError as missing:
    print(f"{missing}: `make test-peers` sets up what this test needs")
    sys.exit(77)

BERTTY, MODEL = os.environ["BERTTY_FAST"], Path(os.environ["BT_MODEL"])
REVIEWS = MODEL.parent.parent / "data/movie-reviews/train.tsv"
COPIES, ROUNDS = 5, 3  # a second or so for each of theirs


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    if not REVIEWS.exists() or not (MODEL / "vocab.txt").exists():
        print("the film reviews are missing: `make fetch`")
        return 77
    texts = [line.split("\t")[0] for line in REVIEWS.read_text().splitlines()] * COPIES
    size = sum(len(text.encode()) for text in texts) / 1e6
    backend = BertTokenizerFast.from_pretrained(MODEL).backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(texts) + "\n")
        file.flush()
        command = [BERTTY, "tokenize", str(MODEL), "--ids", file.name]
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(seconds(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True)))
            theirs.append(seconds(lambda: backend.encode_batch_fast(texts)))
    ratio = min(theirs) / min(ours)
    print(f"{size:.1f} MB: bertty {size / min(ours):.1f} MB/s (with starting, reading and printing), HF {size / min(theirs):.1f} MB/s, ratio {ratio:.1f}")
    print(f"{int(ratio >= 2)} passed, {int(ratio < 2)} failed, 0 skipped")
    return ratio < 2


if __name__ == "__main__":
    sys.exit(main())
