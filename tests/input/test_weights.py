#!/usr/bin/env python3
"""The same weights in every form that is read: the same run, to the bit; and each form broken: one clear line."""
import json
import os
import random
import shutil
import struct
from pathlib import Path

from refusal import COUNT, Ground, finished, refused

import tf_file
import tiny_bert
import torch_file

GROUND = Ground({"train.max_steps": 3, "eval.eval_steps": 3, "run.save_steps": 1, "run.num_threads": 1}, train=40, dev=10)
FOLDER = GROUND.fresh()
TENSORS = list(tiny_bert.tensors(random.Random(1)))
INDEX = "pytorch_model.bin.index.json"


def model(name):
    """A copy of the model without its weights."""
    folder = FOLDER / name
    shutil.copytree(FOLDER / "model", folder)
    (folder / "model.safetensors").unlink()
    return folder


def safetensors(path, tensors):
    header, data = {}, b""
    for name, shape, values in tensors:
        piece = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def in_shards(folder, write, name):
    """model-00001-of-00002.safetensors and so on, and the index."""
    stem, ending = name.rsplit(".", 1)
    weight_map = {}
    for i, part in enumerate((TENSORS[::2], TENSORS[1::2])):
        file = f"{stem}-{i + 1:05}-of-00002.{ending}"
        write(folder / file, part)
        weight_map |= {tensor[0]: file for tensor in part}
    (folder / f"{name}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def google(name="google"):
    """Google's kind of directory, but for its tokenizer's settings."""
    folder = model(name)
    (folder / "config.json").rename(folder / "bert_config.json")
    return folder


def forms():
    torch_file.save(model("zip") / "pytorch_model.bin", TENSORS)
    torch_file.save(model("stream") / "pytorch_model.bin", TENSORS, stream=True)
    in_shards(model("shards"), safetensors, "model.safetensors")
    in_shards(model("torch-shards"), torch_file.save, "pytorch_model.bin")
    tf_file.save(google() / "bert_model.ckpt", TENSORS)


def trained(name):
    """The weights that a run from this model ends with, and the files it says it read."""
    done = finished(["train", "tiny.yaml", "--name", f"from-{name}", "--set", f"model.name_or_path={name}"], FOLDER)
    if not COUNT.check(f"train from {name}", done.returncode == 0, done.stderr[-800:]):
        return None, set()
    run = FOLDER / "runs" / f"from-{name}"
    files = {Path(path).name for path in json.dumps(json.loads((run / "run.json").read_text())).replace('"', "\n").splitlines()}
    return (run / "last/model.safetensors").read_bytes(), files


def same_runs():
    forms()
    want, files = trained("model")
    COUNT.check("run.json names model.safetensors", "model.safetensors" in files, files)
    for name, read in (("zip", {"pytorch_model.bin"}), ("stream", {"pytorch_model.bin"}),
                       ("shards", {"model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}),
                       ("google", {"bert_config.json", "bert_model.ckpt.index", "bert_model.ckpt.data-00000-of-00001"}),
                       ("torch-shards", {INDEX, "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"})):
        got, files = trained(name)
        COUNT.check(f"{name}: the same bits", got == want and want, (len(got or b""), len(want or b"")))
        COUNT.check(f"{name}: run.json names what was read", read <= files, files)


def order():
    """Of several forms the first counts, or the one that is asked for; the others may be anything."""
    folder = FOLDER / "both"
    shutil.copytree(FOLDER / "model", folder)
    torch_file.save(folder / "pytorch_model.bin", list(tiny_bert.tensors(random.Random(2))))
    ends = {}
    for kind in "auto", "safetensors", "torch_bin":
        words = ["train", "tiny.yaml", "--name", kind, "--set", "model.name_or_path=both", "--set", f"model.checkpoint_format={kind}"]
        done = finished(words, FOLDER)
        COUNT.check(f"checkpoint_format {kind}", done.returncode == 0, done.stderr)
        ends[kind] = (FOLDER / "runs" / kind / "last/model.safetensors").read_bytes()
    COUNT.check("auto: safetensors before torch", ends["auto"] == ends["safetensors"] != ends["torch_bin"])
    run = json.loads((FOLDER / "runs/torch_bin/run.json").read_text())["model"]
    COUNT.check("run.json: what was asked for", any("pytorch" in k for k in run) and not any("safetensors" in k for k in run), run)
    for words in (["predict", "runs/torch_bin", "--text", "good"], ["train", "--resume", "runs/torch_bin@2"]):
        done = finished(words, FOLDER)
        COUNT.check(f"{words[0]} with a run's own checkpoints", done.returncode == 0, done.stderr)
    refused("what is not there", FOLDER, ["train", "tiny.yaml", "--name", "x", "--set", "model.checkpoint_format=tf_ckpt"], "no weights, expected bert_model.ckpt.index")
    (folder / "pytorch_model.bin").write_bytes(b"nothing")
    done = finished(["check", "tiny.yaml", "--set", "model.name_or_path=both"], FOLDER)
    COUNT.check("a second form may be broken", done.returncode == 0, done.stderr)


class Runs:
    def __reduce__(self):
        return os.system, (f"touch {FOLDER / 'was-run'}",)


def broken_ones():
    def train(folder):
        return ["train", "tiny.yaml", "--name", "x", "--set", f"model.name_or_path={folder}"]
    for stream in False, True:
        folder = model(f"broken-{stream}")
        path = folder / "pytorch_model.bin"
        torch_file.save(path, TENSORS, stream, {"a": Runs()})
        refused("a program", FOLDER, train(folder.name), "pytorch_model.bin", "posix.system")
        torch_file.save(path, TENSORS, stream)
        whole = path.read_bytes()
        for n in 0, 3, 10, len(whole) // 2, len(whole) - 1:
            path.write_bytes(whole[:n])
            refused(f"cut at {n}", FOLDER, train(folder.name), "pytorch_model.bin")
        torch_file.save(path, TENSORS[:-1], stream)
        refused("a tensor is missing", FOLDER, ["predict", folder.name, "--text", "a"], "pytorch_model.bin", "no tensor")
        name, shape, values = TENSORS[0]
        torch_file.save(path, [(name, shape, [float("nan")] * len(values)), *TENSORS[1:]], stream)
        refused("NaN", FOLDER, train(folder.name), "pytorch_model.bin", name, "NaN")
        torch_file.save(path, [(name, shape[::-1], values), *TENSORS[1:]], stream)
        refused("turned", FOLDER, train(folder.name), "pytorch_model.bin", name, "shape")
    COUNT.check("nothing was run", not (FOLDER / "was-run").exists())
    (FOLDER / "shards/model-00002-of-00002.safetensors").unlink()
    refused("a shard is missing", FOLDER, train("shards"), "model-00002-of-00002.safetensors", "no such file")
    (FOLDER / "torch-shards" / INDEX).write_text('{"weight_map": {"a": "../model/model.safetensors"}}')
    refused("a shard elsewhere", FOLDER, train("torch-shards"), INDEX, "../model/model.safetensors")


def broken_bundles():
    folder = google("broken-google")
    command = ["train", "tiny.yaml", "--name", "x", "--set", f"model.name_or_path={folder.name}"]
    prefix = folder / "bert_model.ckpt"
    index, data = Path(f"{prefix}.index"), Path(f"{prefix}.data-00000-of-00001")
    name, shape, values = TENSORS[0]
    tf_file.save(prefix, TENSORS, compression=1)
    refused("snappy", FOLDER, command, index.name, "snappy")
    tf_file.save(prefix, TENSORS[:-1])
    refused("a tensor is missing", FOLDER, ["predict", folder.name, "--text", "a"], index.name, "no tensor")
    tf_file.save(prefix, [(name, shape, [float("nan")] * len(values)), *TENSORS[1:]])
    refused("NaN", FOLDER, command, index.name, "word_embeddings", "NaN")
    tf_file.save(prefix, [(name, shape[::-1], values), *TENSORS[1:]])
    refused("turned", FOLDER, command, index.name, name, "shape")
    tf_file.save(prefix, [(name, (shape[0], shape[1] + 1), values), *TENSORS[1:]])
    refused("a shape that needs more", FOLDER, command, index.name, "word_embeddings", "bytes")
    tf_file.save(prefix, TENSORS)
    for path, said in (index, "table"), (data, "tensor"):
        whole = path.read_bytes()
        for n in 0, len(whole) // 2, len(whole) - 1:
            path.write_bytes(whole[:n])
            refused(f"{path.name} cut at {n}", FOLDER, command, index.name, said)
        path.write_bytes(whole)
    data.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    refused("a byte of the data", FOLDER, command, data.name, "tensor bert/", "checksum")
    data.unlink()
    refused("no data", FOLDER, command, data.name, "no such file")


if __name__ == "__main__":
    code = COUNT.run([same_runs, order, broken_ones, broken_bundles])
    GROUND.remove()
    raise SystemExit(code)
