#!/usr/bin/env python3
"""Integrated gradients beside Captum's: MiniLM, one input of 20 words, 50 steps, fp32, the same cores, alternating in one session.

    tests/bench/bench_explain.py [ROUNDS]      (default 5)

Ours is the time of a row more in a file of `bertty explain --file` (tokens, answer, explanation and JSON); theirs that of attribute(), the
tokens given. Needs what `make test-peers` sets up and the model of `make fetch`. BERTTY_FAST names another build."""
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
MODEL = Path(os.environ.get("BT_MODEL") or ROOT / "experiments/models/all-MiniLM-L6-v2")
BERTTY = os.environ.get("BERTTY_FAST") or ROOT / "build/test/bertty"
TEXT = "the film is a remarkably honest story of a small town and the cast was brilliant but the ending came late"
STEPS, ROWS, MOST, TIMES = 50, 4, 0.4, 2.0  # MOST: seconds; TIMES: as fast as Captum


def cores():
    return len(os.sched_getaffinity(0))


def peer(folder):
    """In a process of its own: writes a model; then for each line that comes the seconds of one explanation, and at the end its scores."""
    os.environ["BERTTY"] = os.environ["BERTTY_FAST"] = str(BERTTY)
    os.environ["BT_MODEL"], os.environ["BT_SHARED"] = str(MODEL), "/"
    sys.path.insert(0, str(ROOT / "tests"))
    import golden_tools
    import torch
    from captum.attr import LayerIntegratedGradients
    torch.set_num_threads(cores())
    golden_tools.with_head(MODEL, folder, ["neg", "pos"])
    model = golden_tools.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = golden_tools.AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(TEXT, return_tensors="pt")
    ids = inputs["input_ids"]
    base = torch.where((ids == tokenizer.cls_token_id) | (ids == tokenizer.sep_token_id), ids, tokenizer.pad_token_id)

    def forward(ids, types, mask):
        return model(input_ids=ids, token_type_ids=types, attention_mask=mask).logits[:, 1]
    layer = LayerIntegratedGradients(forward, model.bert.embeddings.word_embeddings)

    def explain():
        found = layer.attribute(ids, baselines=base, n_steps=STEPS, method="gausslegendre",
                                additional_forward_args=(inputs["token_type_ids"], inputs["attention_mask"]))
        return found.sum(-1)[0].tolist()
    explain()
    print(json.dumps(explain()), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        explain()
        print(time.perf_counter() - start, flush=True)


def ours(folder, rows):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write((TEXT + "\n") * rows)
        file.flush()
        start = time.perf_counter()
        done = subprocess.run([str(BERTTY), "explain", folder, "--file", file.name, "--target", "pos", "--steps", str(STEPS),
                               "--most-steps", str(STEPS), "--json"], stdout=subprocess.PIPE, check=True)
        took = time.perf_counter() - start
    return took, json.loads(done.stdout.splitlines()[0])


def main(rounds):
    if not PEERS.exists() or not (MODEL / "vocab.txt").exists():
        print("PyTorch or the model is missing: `make test-peers` and `make fetch` set them up")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([str(PEERS), __file__, "--peer", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            expected = json.loads(other.stdout.readline())
            mine, theirs = [], []
            for _ in range(rounds):
                mine.append((ours(folder, 1 + ROWS)[0] - ours(folder, 1)[0]) / ROWS)
                other.stdin.write("\n")
                other.stdin.flush()
                theirs.append(float(other.stdout.readline()))
            found = ours(folder, 1)[1]
            other.stdin.close()
    scores = [item["score"] for item in found["items"]]
    apart = max(abs(a - b) for a, b in zip(scores, expected, strict=True)) / max(map(abs, expected))
    ratio = statistics.median(b / a for a, b in zip(mine, theirs, strict=True))
    print(f"{found['tokens']} tokens, {STEPS} steps, {cores()} cores: bertty {statistics.median(mine):.3f} s (best {min(mine):.3f}), "
          f"Captum {statistics.median(theirs):.3f} s (best {min(theirs):.3f}), ratio {ratio:.2f} "
          f"(aim: {MOST} s, {TIMES}); scores apart by {apart:.1e}")
    return 0 if apart <= 1e-3 else 1


if __name__ == "__main__":
    if "--peer" in sys.argv:
        peer(sys.argv[2])
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
