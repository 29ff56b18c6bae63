"""A tiny random BERT and a few labelled rows, with nothing but Python's own library."""
import json
import random
import struct
from pathlib import Path

WORDS = [a + b for a in "abcdefgh" for b in "aeiou"]
HIDDEN, INNER, LAYERS, POSITIONS = 16, 32, 2, 32


def shapes(vocabulary):
    yield "embeddings.word_embeddings.weight", [vocabulary, HIDDEN]
    yield "embeddings.position_embeddings.weight", [POSITIONS, HIDDEN]
    yield "embeddings.token_type_embeddings.weight", [2, HIDDEN]
    yield from norm("embeddings.LayerNorm")
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}."
        for name in ("query", "key", "value"):
            yield from dense(f"{layer}attention.self.{name}", HIDDEN, HIDDEN)
        yield from dense(layer + "attention.output.dense", HIDDEN, HIDDEN)
        yield from norm(layer + "attention.output.LayerNorm")
        yield from dense(layer + "intermediate.dense", INNER, HIDDEN)
        yield from dense(layer + "output.dense", HIDDEN, INNER)
        yield from norm(layer + "output.LayerNorm")
    yield from dense("pooler.dense", HIDDEN, HIDDEN)


def dense(name, rows, columns):
    yield name + ".weight", [rows, columns]
    yield name + ".bias", [rows]


def norm(name):
    yield name + ".weight", [HIDDEN]
    yield name + ".bias", [HIDDEN]


def write_model(folder):
    folder.mkdir(parents=True)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    (folder / "config.json").write_text(json.dumps({
        "model_type": "bert", "vocab_size": len(pieces), "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": 2, "intermediate_size": INNER, "max_position_embeddings": POSITIONS, "type_vocab_size": 2}))
    draw, header, data = random.Random(1), {}, b""
    for name, shape in shapes(len(pieces)):
        n = shape[0] * (shape[1] if len(shape) > 1 else 1)
        centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        values = [draw.gauss(centre, 0.1 if len(shape) > 1 else 0.0) for _ in range(n)]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * n]}
        data += struct.pack(f"<{n}f", *values)
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_rows(path, n, seed):
    draw, lines = random.Random(seed), ["text\tlabel"]
    for _ in range(n):
        words = draw.choices(WORDS, k=draw.randint(1, 12))
        lines.append(" ".join(words) + "\t" + ("vowel" if words[0][1] in "ae" else "other"))
    path.write_text("\n".join(lines) + "\n")


def write_all(folder: Path, **settings):
    """model/, train.tsv, dev.tsv and experiment.yaml in folder; settings: group__name=value."""
    write_model(folder / "model")
    write_rows(folder / "train.tsv", 60, 2)
    write_rows(folder / "dev.tsv", 20, 3)
    options = {"model__name_or_path": folder / "model", "data__train_file": folder / "train.tsv",
               "data__validation_file": folder / "dev.tsv", "data__text_column": "text", "data__label_column": "label",
               "data__max_seq_length": 16, "train__train_batch_size": 4, "run__output_dir": folder / "runs", **settings}
    groups = {}
    for key, value in options.items():
        group, name = key.split("__")
        groups.setdefault(group, []).append(f"  {name}: {value}")
    text = "".join(f"{group}:\n" + "\n".join(lines) + "\n" for group, lines in groups.items())
    (folder / "experiment.yaml").write_text(text)
    return folder / "experiment.yaml"
