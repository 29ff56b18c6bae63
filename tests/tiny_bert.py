"""A tiny BERT, data for it and an experiment, made from nothing: for tests that train for real, in a second.

    folder = Path(tempfile.mkdtemp())
    experiment = tiny_bert.experiment(folder, {"train.max_steps": 20})
    subprocess.run([os.environ["BERTTY"], "train", experiment], cwd=folder)

Also a few words for tests of the program: run(), wait_for(), counted().
"""
import json
import math
import os
import random
import struct
import subprocess
import time
import traceback
from pathlib import Path

GOOD = "good great fine lovely brilliant moving clever warm funny honest".split()
BAD = "bad poor dull awful boring weak empty cold stupid false".split()
OTHER = "the a film plot cast music ending was is and very so it this of in".split()
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + OTHER + GOOD + BAD
HIDDEN, LAYERS, HEADS, MIDDLE, POSITIONS = 32, 2, 2, 64, 128


def shapes():
    h = HIDDEN
    yield "embeddings.word_embeddings.weight", (len(VOCAB), h)
    yield "embeddings.position_embeddings.weight", (POSITIONS, h)
    yield "embeddings.token_type_embeddings.weight", (2, h)
    yield "embeddings.LayerNorm", h
    for i in range(LAYERS):
        at = f"encoder.layer.{i}."
        for name in ("query", "key", "value"):
            yield f"{at}attention.self.{name}", (h, h)
        yield f"{at}attention.output.dense", (h, h)
        yield f"{at}attention.output.LayerNorm", h
        yield f"{at}intermediate.dense", (MIDDLE, h)
        yield f"{at}output.dense", (h, MIDDLE)
        yield f"{at}output.LayerNorm", h
    yield "pooler.dense", (h, h)


def tensors(rng):
    """(name, shape, floats)"""
    for name, shape in shapes():
        if isinstance(shape, int):
            yield f"bert.{name}.weight", (shape,), [1.0] * shape
            yield f"bert.{name}.bias", (shape,), [0.0] * shape
            continue
        weight = [rng.gauss(0, 0.1) for _ in range(shape[0] * shape[1])]
        plain = name.endswith(".weight")
        yield f"bert.{name}" if plain else f"bert.{name}.weight", shape, weight
        if not plain:
            yield f"bert.{name}.bias", (shape[0],), [0.0] * shape[0]


def safetensors(tensors):
    """The bytes of a file of (name, shape, floats)."""
    header, data = {}, b""
    for name, shape, values in tensors:
        piece = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def packed(shapes, value=None):
    """A safetensors file of drawn floats (or all of one value): {name: shape}."""
    rng = random.Random(5)
    return safetensors((name, shape, [value if value is not None else rng.gauss(0, 0.5) for _ in range(math.prod(shape))])
                       for name, shape in shapes.items())


def model(folder, seed=1):
    """Writes a Hugging Face directory; returns it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(safetensors(tensors(random.Random(seed))))
    (folder / "vocab.txt").write_text("\n".join(VOCAB) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    (folder / "config.json").write_text(json.dumps({
        "model_type": "bert", "architectures": ["BertModel"], "vocab_size": len(VOCAB), "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": MIDDLE,
        "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "pad_token_id": 0}))
    return folder


def sentences(n, seed):
    """(text, label): which kind of word is in it decides."""
    rng = random.Random(seed)
    for _ in range(n):
        label = rng.choice(("negative", "positive"))
        words = [rng.choice(OTHER) for _ in range(rng.randint(2, 12))]
        words.insert(rng.randint(0, len(words)), rng.choice(GOOD if label == "positive" else BAD))
        yield " ".join(words), label


def data(folder, train=200, dev=40):
    folder = Path(folder)
    for name, n, seed in (("train", train, 1), ("dev", dev, 2), ("test", dev, 3)):
        rows = "".join(f"{text}\t{label}\n" for text, label in sentences(n, seed))
        (folder / f"{name}.tsv").write_text("text\tlabel\n" + rows)
    return folder


def experiment(folder, options=None, **sizes):
    """model/, train.tsv, dev.tsv, test.tsv and tiny.yaml in folder; options: {"group.name": value}. Returns the path of tiny.yaml."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model(folder / "model")
    data(folder, **sizes)
    settings = {
        "model.name_or_path": "model", "data.train_file": "train.tsv", "data.validation_file": "dev.tsv",
        "data.text_column": "text", "data.label_column": "label", "train.train_batch_size": 8, "optim.learning_rate": 1e-3,
        "eval.eval_strategy": "steps", "eval.eval_steps": 10, "run.save_strategy": "steps", "run.save_steps": 10,
        "run.logging_steps": 5, "train.max_steps": 20, **(options or {})}
    return written(folder / "tiny.yaml", settings)


def written(path, settings):
    """An experiment file of {"group.name": value}; its path."""
    text, group = "", None
    for key, value in sorted(settings.items()):
        section, name = key.split(".")
        text += "" if section == group else f"{section}:\n"
        text += f"  {name}: {json.dumps(value)}\n"
        group = section
    path.write_text(text)
    return path


# ── words for tests ──

def run(*words, program=None, **options):
    """The finished process, with text output. The program is $BERTTY."""
    command = [program or os.environ["BERTTY"], *map(str, words)]
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 120, **options}
    return subprocess.run(command, **options)


def fails(code, part, *words, **options):
    """One line on standard error that has this part, nothing else, and this exit code."""
    done = run(*words, **options)
    assert done.returncode == code, (words, done)
    assert done.stdout == "", (words, done.stdout)
    assert done.stderr.count("\n") == 1 and part in done.stderr, (words, done.stderr)
    assert "\x1b" not in done.stderr, done.stderr


def wait_for(condition, what, seconds=60):
    """The first true value of condition()."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


def status(run_dir):
    """status.json, or {}."""
    try:
        return json.loads(Path(run_dir, "status.json").read_text())
    except (OSError, ValueError):
        return {}


def counted(tests):
    """Runs functions, prints what fails and the last line that tests/run reads; the exit code."""
    failed = 0
    for test in tests:
        try:
            test()
            print(f"ok    {test.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {test.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0
