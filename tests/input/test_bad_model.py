#!/usr/bin/env python3
"""Model directories that are cut short, contradict themselves or lie: one clear line that names the file and the tensor."""
import json
import os
import struct
import sys
from pathlib import Path

from refusal import COUNT, Ground, finished, refused

import tiny_bert

GROUND = Ground(train=40, dev=10)
WEIGHTS = (GROUND.root / "good/model/model.safetensors").read_bytes()
HEADER_SIZE = struct.unpack("<Q", WEIGHTS[:8])[0]
HEADER = json.loads(WEIGHTS[8:8 + HEADER_SIZE])
DATA = WEIGHTS[8 + HEADER_SIZE:]
WORDS = "bert.embeddings.word_embeddings.weight"
QUERY = "bert.encoder.layer.1.attention.self.query.weight"
TRAIN = ["train", "tiny.yaml", "--name", "x", "--set", "train.max_steps=1"]


def packed(header, data=DATA):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def edited(change):
    """The header after change(header), packed with the data."""
    header = json.loads(json.dumps(HEADER))
    change(header)
    return packed(header)


FOLDER = GROUND.fresh()  # for cases that spoil one file and put it back
MODEL = FOLDER / "model"


class Spoilt:
    """A file of the model with other content, for a while."""

    def __init__(self, name, content):
        self.path = MODEL / name
        self.content = content if isinstance(content, bytes) else content.encode()

    def __enter__(self):
        self.before = self.path.read_bytes() if self.path.exists() else None
        self.path.write_bytes(self.content)

    def __exit__(self, *_):
        if self.before is None:
            self.path.unlink()
        else:
            self.path.write_bytes(self.before)


def weights(name, content, *said, words=TRAIN):
    with Spoilt("model.safetensors", content):
        refused(name, FOLDER, words, "model.safetensors", *said)


def cut_short():
    """At every boundary that the format has, and at some places between."""
    ends = sorted(t["data_offsets"][1] for t in HEADER.values())
    at = [0, 1, 7, 8, 9, HEADER_SIZE // 2, HEADER_SIZE + 7, HEADER_SIZE + 8, HEADER_SIZE + 9]
    at += [8 + HEADER_SIZE + end + extra for end in ends[::7] for extra in (-1, 0)] + [len(WEIGHTS) - 1]
    for n in sorted({n for n in at if n < len(WEIGHTS)}):
        said = ["tensor"] if n > HEADER_SIZE + 8 else []
        weights(f"cut at {n}", WEIGHTS[:n], *said)
    weights("cut, predict", WEIGHTS[:-4], "tensor", words=["predict", "model", "--text", "good"])


def inconsistent():
    def offsets(name, begin, end):
        return lambda h: h[name].update(data_offsets=[h[name]["data_offsets"][0] + begin, h[name]["data_offsets"][1] + end])
    weights("overlap", edited(offsets(QUERY, -4, -4)), "overlaps")
    weights("hole", edited(lambda h: h.pop(QUERY)), "hole")
    weights("trailing bytes", WEIGHTS + b"\0" * 4, "data bytes, the tensors end at")
    weights("offsets beyond the end", edited(lambda h: h[QUERY].update(data_offsets=[0, len(DATA) + 4])), QUERY, "not inside")
    weights("offsets reversed", edited(lambda h: h[QUERY].update(data_offsets=[8, 4])), QUERY, "not inside")
    weights("offsets negative", edited(lambda h: h[QUERY].update(data_offsets=[-4, 4])), QUERY)
    weights("offsets that overflow", edited(lambda h: h[QUERY].update(data_offsets=[0, 2**63 - 1])), QUERY)
    weights("offsets that are too many", edited(lambda h: h[QUERY].update(data_offsets=[0, 4, 8])), QUERY)
    weights("offsets of another kind", edited(lambda h: h[QUERY].update(data_offsets="0-4")), QUERY)
    weights("shape that overflows", edited(lambda h: h[QUERY].update(shape=[2**62, 2**62])), QUERY, "overflows")
    weights("shape that is negative", edited(lambda h: h[QUERY].update(shape=[-32, -32])), QUERY)
    weights("shape of fractions", edited(lambda h: h[QUERY].update(shape=[32.5, 32])), QUERY)
    weights("shape of many", edited(lambda h: h[QUERY].update(shape=[1] * 1000)), QUERY)
    weights("another size", edited(lambda h: h[QUERY].update(shape=[32, 33])), QUERY, "its shape and dtype need 4224")
    weights("another shape", edited(lambda h: h[QUERY].update(shape=[16, 64])), QUERY, "[16, 64]", "expected [32, 32]")
    weights("no dimension", edited(lambda h: h[QUERY].update(shape=[], dtype="F32", data_offsets=h[QUERY]["data_offsets"])), QUERY)
    weights("unknown dtype", edited(lambda h: h[QUERY].update(dtype="F31")), QUERY, '"F31"')
    weights("integers", edited(lambda h: h[QUERY].update(dtype="I32")), QUERY, "integers", "floating-point")
    weights("no dtype", edited(lambda h: h[QUERY].pop("dtype")), QUERY, "dtype")
    weights("an entry that is a list", edited(lambda h: h.update({QUERY: []})), QUERY)


def headers():
    twice = json.dumps(HEADER)[:-1] + ", " + json.dumps({WORDS: HEADER[WORDS]})[1:]
    weights("duplicate key", packed(twice.encode()), WORDS)
    weights("huge header", struct.pack("<Q", 2**63) + WEIGHTS[8:], "a header of 9223372036854775808 bytes")
    weights("header of the whole file", struct.pack("<Q", len(WEIGHTS) - 8) + WEIGHTS[8:])
    weights("header of 200 MB", struct.pack("<Q", 200 << 20) + WEIGHTS[8:], "a header of")
    weights("header that is a list", packed(b"[]"), "object")
    weights("header that is nothing", packed(b""))
    weights("header that is deep", packed(b'{"a":' + b"[" * 100000))
    weights("header that is no UTF-8", packed(json.dumps(HEADER).encode().replace(b"query", b"qu\xffry", 1)))
    weights("100,000 tensors", packed({f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(100000)}, b""),
            "no tensor bert.embeddings.word_embeddings.weight")
    weights("PyTorch's zip", b"PK\x03\x04" + b"\0" * 100)
    weights("a Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")


def values():
    begin = HEADER[QUERY]["data_offsets"][0]
    for name, value in ("NaN", float("nan")), ("infinity", float("-inf")):
        data = DATA[:begin + 40] + struct.pack("<f", value) + DATA[begin + 44:]
        weights(name, packed(HEADER, data), QUERY, "NaN or infinite")
    left = {name: t for name, t in HEADER.items() if name != QUERY}
    a, b = HEADER[QUERY]["data_offsets"]
    for t in left.values():
        if t["data_offsets"][0] >= b:
            t["data_offsets"] = [n - (b - a) for n in t["data_offsets"]]
    weights("missing tensor", packed(left, DATA[:a] + DATA[b:]), "no tensor " + QUERY)
    refused("no head", FOLDER, ["predict", "model", "--text", "good"], "classifier", "no trained head for classification")


def configs():
    config = json.loads((MODEL / "config.json").read_text())
    both = [TRAIN, ["predict", "model", "--text", "good"]]
    def lies(name, said, commands=(TRAIN,), **fields):
        content = json.dumps({k: v for k, v in {**config, **fields}.items() if v != "absent"})
        with Spoilt("config.json", content):
            for words in commands:
                refused(f"{words[0]}: {name}", FOLDER, words, *said)
    file = "config.json"
    lies("heads", [file, "hidden_size 32", "num_attention_heads 5"], both, num_attention_heads=5)
    lies("no heads", [file, "num_attention_heads is 0"], num_attention_heads=0)
    for field in ("hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size", "max_position_embeddings", "type_vocab_size"):
        lies(f"{field} negative", [file, field], **{field: -1})
    lies("a size as text", [file, "hidden_size", "whole number"], hidden_size="32")
    lies("a size too large", [file, "hidden_size is 1000000000"], hidden_size=1000000000)
    lies("a size beyond 64 bits", [file, "hidden_size"], hidden_size=10**30)
    lies("no size", [file, "no field hidden_size"], hidden_size="absent")
    generous = Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "1"  # the kernel then promises whatever is asked for
    lies("the largest sizes", ["model" if generous else f"model/{file}: no memory for the model's weights: 3776056 MiB"], both,
         hidden_size=16384, num_hidden_layers=256, intermediate_size=65536, vocab_size=10000000,
         max_position_embeddings=65536, num_attention_heads=1024)
    lies("other sizes", ["model.safetensors", "tensor", "expected"], hidden_size=64, intermediate_size=128)
    lies("more layers", ["model.safetensors", "no tensor bert.encoder.layer.2."], num_hidden_layers=3)
    lies("activation", [file, 'hidden_act "swish"', "expected gelu"], hidden_act="swish")
    lies("another model", [file, 'model_type "roberta"', "expected bert"], model_type="roberta")
    lies("positions", [file, "position_embedding_type"], position_embedding_type="relative_key")
    lies("dropout", [file, "hidden_dropout_prob"], hidden_dropout_prob=1.5)
    lies("epsilon", [file, "layer_norm_eps"], layer_norm_eps=-1)
    for name, content in ("cut", json.dumps(config)[:-9]), ("a list", "[]"), ("empty", ""), ("no JSON", "hello"), ("twice", '{"a":1,"a":2}'):
        with Spoilt("config.json", content):
            refused(f"config.json: {name}", FOLDER, TRAIN, "config.json")
    with Spoilt("config.json", json.dumps({**config, "id2label": {"0": "a", "7": "b"}})):
        refused("odd id2label", FOLDER, ["predict", "model", "--text", "x"], "config.json", "id2label", '"7"')


def vocabularies():
    pieces = tiny_bert.VOCAB
    def lines(name, content, *said):
        with Spoilt("vocab.txt", content):
            for words in TRAIN, ["tokenize", "model", "dev.tsv"]:
                refused(f"{words[0]}: {name}", FOLDER, words, *said)
    with Spoilt("vocab.txt", "\n".join(pieces + ["more", "words"])):
        for words in TRAIN, ["check", "tiny.yaml"]:
            refused(f"{words[0]}: vocabulary larger than the embedding", FOLDER, words, "model", f"{len(pieces) + 2} entries", str(len(pieces)))
    lines("empty vocabulary", "", "vocab.txt", "0 pieces")
    lines("no [UNK]", "\n".join(p for p in pieces if p != "[UNK]"), "model", '"[UNK]"')
    lines("no [CLS]", "\n".join("x" if p == "[CLS]" else p for p in pieces), "model", "[CLS]")
    lines("no [SEP]", "\n".join("x" if p == "[SEP]" else p for p in pieces), "model", "[SEP]")
    lines("NUL", "\n".join(pieces) + "\0", "vocab.txt", "NUL")
    with Spoilt("vocab.txt", "\n".join(pieces[:-1] + ["good"])):  # BertTokenizer takes it: the later one wins
        done = finished(["tokenize", "model", "--ids"], FOLDER, stdin=None, input=b"good\n")
        COUNT.check("a word twice", done.returncode == 0 and done.stdout.split()[1] == str(len(pieces) - 1).encode(), done)
    for name in "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json":
        with Spoilt(name, '{"do_lower_case": '):
            refused(f"cut {name}", FOLDER, TRAIN, name)


def missing():
    for name, said in ("config.json", "no such file"), ("model.safetensors", "no weights"), ("vocab.txt", "vocab.txt"):
        folder = GROUND.fresh()
        (folder / "model" / name).unlink()
        refused(f"no {name}", folder, TRAIN, "model", said)
        os.mkfifo(folder / "model" / name)
        refused(f"{name} is a FIFO", folder, TRAIN, name, "not a regular file", seconds=5)
        (folder / "model" / name).unlink()
        (folder / "model" / name).mkdir()
        refused(f"{name} is a directory", folder, TRAIN, name, "not a regular file")
    folder = GROUND.fresh()
    set_to = ["train", "tiny.yaml", "--set"]
    refused("no model", folder, [*set_to, "model.name_or_path=none"], "model.name_or_path", "none", "no such directory")
    refused("a file as the model", folder, [*set_to, "model.name_or_path=dev.tsv"], "dev.tsv", "ot a directory")
    refused("eval: no model", folder, ["eval", "none", "--data", "dev.tsv"], "none")
    refused("predict: no model", folder, ["predict", "./none", "--text", "x"], "none")
    refused("tokenize: no model", folder, ["tokenize", "none", "dev.tsv"], "none")


if __name__ == "__main__":
    code = COUNT.run([cut_short, inconsistent, headers, values, configs, vocabularies, missing])
    GROUND.remove()
    sys.exit(code)
