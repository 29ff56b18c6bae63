#!/usr/bin/env python3
"""Checkpoints in every form: what torch and transformers write is read to the bit, and gives the hidden states of expected.json."""
import json
import os
import pickle
import subprocess
import zipfile
from pathlib import Path

import torch
import transformers

import golden_tools as g

LIMIT = 1e-5
DIRECTORIES = "hf", "hf-bin", "hf-bin-legacy", "google", "google-tuned"
PROGRAM = "tests/golden/weights_tool"


def tool():
    """`make golden-programs` builds it where the program's objects are."""
    beside = Path(g.BERTTY).parent
    program = next((p for p in (beside / PROGRAM, beside / "build" / PROGRAM) if p.exists()), None)
    assert program, f"no {PROGRAM} beside {g.BERTTY}"
    return program


def ours(directory, ok=True):
    """name → tensor, as floats; ok False: what the reader says."""
    out = Path(directory) / "floats"
    done = subprocess.run([tool(), "tensors", directory, out], capture_output=True, text=True)
    if not ok:
        assert done.returncode == 1, done
        return done.stderr
    assert done.returncode == 0, done.stderr
    floats, tensors = torch.frombuffer(bytearray(out.read_bytes()), dtype=torch.float32), {}
    for line in done.stdout.splitlines():
        name, dtype, shape = line.split(" ")
        shape = [int(d) for d in shape.split(",") if d]
        if int(dtype) > 3:  # bt__dtype: integers
            tensors[name] = None
            continue
        n = torch.Size(shape).numel()
        tensors[name], floats = floats[:n].reshape(shape), floats[n:]
    assert not len(floats)
    return tensors


def expect_same(directory, state):
    found = ours(directory)
    assert list(found) == list(state) or sorted(found) == sorted(state), (sorted(found), sorted(state))
    for name, want in state.items():
        if want.is_floating_point():
            assert found[name].shape == want.shape, name
            assert torch.equal(found[name], want.detach().float()), name
        else:
            assert found[name] is None, name


def tiny():
    return transformers.BertForPreTraining.from_pretrained(g.shared("tiny-bert") / "hf")


# ── hidden states ──

def hidden_differences(directory):
    expected = json.loads((g.shared("tiny-bert") / "expected.json").read_text())
    text = "".join(f"{' '.join(map(str, x['input_ids']))}\n{' '.join(map(str, x['token_type_ids']))}\n" for x in expected)
    done = subprocess.run([tool(), "hidden", directory], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = iter(done.stdout.splitlines())
    for x in expected:
        rows = {}
        for _ in x["input_ids"]:
            i, *row = next(lines).split()
            rows[int(i)] = [float(v) for v in row]
        pooled = [float(v) for v in next(lines).split()[1:]]
        sums = [sum(rows[i]) for i in range(len(rows))]
        for a, b in ((pooled, x["pooled"]), (rows[0], x["first_hidden"]), (sums, x["hidden_row_sums"])):
            yield g.largest_difference(torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64))
    assert next(lines, None) is None


def test_hidden_states(folder):
    for name in DIRECTORIES:
        apart = max(hidden_differences(g.shared("tiny-bert") / name))
        print(f"{name}: largest difference {apart:.1e}")
        assert apart <= LIMIT, apart


def variation(folder, name, state, **options):
    """tiny-bert's configuration beside a state dict that torch saved."""
    directory = folder / name
    directory.mkdir()
    (directory / "config.json").write_bytes((g.shared("tiny-bert") / "hf/config.json").read_bytes())
    torch.save(state, directory / "pytorch_model.bin", **options)
    return directory


def test_hidden_states_of_variations(folder):
    """Names with "bert." and without, an encoder alone, inside a training script's checkpoint."""
    state = dict(tiny().state_dict())
    encoder = {k[5:]: v for k, v in state.items() if k.startswith("bert.")}
    for name, saved in (("bare", encoder), ("script", {"epoch": 3, "state_dict": state}), ("model", {"model": encoder})):
        apart = max(hidden_differences(variation(folder, name, saved)))
        assert apart <= LIMIT, (name, apart)


# ── torch.save ──

def strange(dtype):
    """Tensors that lie in memory in every way."""
    base = torch.randn(6, 4, 5).to(dtype)
    return {
        "plain": base.clone(), "turned": base.clone().permute(2, 0, 1), "column": base[:, :, 1], "rows": base[1:3],
        "steps": base.clone()[::2, 1::2], "wide": base[:1].clone().expand(3, 4, 5), "scalar": torch.tensor(1.5, dtype=dtype),
        "empty": torch.zeros(0, 3, dtype=dtype), "one": base[2:3, 1:2, 4:], "parameter": torch.nn.Parameter(base.clone()),
        "ids": torch.arange(7), "shared": base, "ünïcode": base[0].t(),
    }


def test_torch_save(folder):
    torch.manual_seed(5)
    for dtype in torch.float32, torch.float16, torch.bfloat16, torch.float64:
        for new in True, False:
            for protocol in 2, 3, 4, 5:
                state = strange(dtype)
                name = f"{dtype}-{new}-{protocol}"
                expect_same(variation(folder, name, state, _use_new_zipfile_serialization=new, pickle_protocol=protocol), state)


def test_modules_state_dict(folder):
    """An OrderedDict with torch's metadata, weights tied to one another."""
    model = tiny()
    for dtype in torch.float32, torch.bfloat16:
        for new in True, False:
            state = model.to(dtype).state_dict()
            assert state._metadata
            expect_same(variation(folder, f"{dtype}-{new}", state, _use_new_zipfile_serialization=new), state)


def test_without_checksums(folder):
    """torch may be told to write no CRC-32."""
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        state = strange(torch.float32)
        expect_same(variation(folder, "x", state), state)
    finally:
        torch.serialization.set_crc32_options(before)


# ── transformers' directories ──

def test_save_pretrained(folder):
    model = tiny()
    for i, options in enumerate(({}, {"max_shard_size": "100KB"}, {"safe_serialization": False},
                                 {"safe_serialization": False, "max_shard_size": "100KB"})):
        directory = folder / str(i)
        model.save_pretrained(directory, **options)
        shards = list(directory.glob("*-of-*"))
        assert bool(shards) == ("max_shard_size" in options), shards
        apart = max(hidden_differences(directory))
        assert apart <= LIMIT, (options, apart)
        again = transformers.BertForPreTraining.from_pretrained(directory).state_dict()
        found = ours(directory)
        for name, tensor in found.items():
            assert tensor is None or torch.equal(tensor, again[name]), name
        if shards:
            shards[0].unlink()
            assert shards[0].name in ours(directory, ok=False)


# ── what is refused ──

class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_pickles_run_nothing(folder):
    mark = folder / "was-run"
    for i, state in enumerate(({"a": Runs(mark)}, Runs(mark), {"a": torch.ones(2), "b": [Runs(mark)]})):
        for new in True, False:
            directory = variation(folder, f"{i}-{new}", state, _use_new_zipfile_serialization=new)
            said = ours(directory, ok=False)
            assert "posix.system" in said and len(said.splitlines()) == 1, said
    (directory / "pytorch_model.bin").write_bytes(pickle.dumps(Runs(mark)))
    assert "posix.system" in ours(directory, ok=False)
    assert not mark.exists()


def test_whole_modules_are_refused(folder):
    said = ours(variation(folder, "x", torch.nn.Linear(2, 2)), ok=False)
    assert "torch.nn.modules.linear.Linear" in said, said


def test_zipped_again(folder):
    """The same members, compressed by another program; and stored by it."""
    state = strange(torch.float32)
    for kind, fine in ((zipfile.ZIP_STORED, True), (zipfile.ZIP_DEFLATED, False)):
        directory = variation(folder, str(kind), state)
        path = directory / "pytorch_model.bin"
        with zipfile.ZipFile(path) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
        with zipfile.ZipFile(path, "w", kind) as archive:
            for name, data in members:
                archive.writestr(name, data)
        if fine:
            expect_same(directory, state)
        else:
            assert "is compressed" in ours(directory, ok=False)


if __name__ == "__main__":
    g.main(globals())
