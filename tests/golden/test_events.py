"""Event files against TensorBoard's own reader and against the writers of PyTorch and TensorBoard."""
import math
import os
import struct
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from events_files import build, expect_equal, read, same, tensorboard

warnings.filterwarnings("ignore")
try:
    from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    import numpy as np
    from torch.utils.tensorboard import SummaryWriter
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def f32(x):
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


def write(tool, folder, lines):
    subprocess.run([tool, "write", folder], input="".join(line + "\n" for line in lines), text=True, check=True)


VALUES = [0.0, -0.0, 1.5, -3.25e-7, 1e-45, 3.4e38, 1e300, float("nan"), float("inf"), float("-inf"), 0.1]


def test_tensorboard_reads_ours(tool, folder):
    lines = [f"train/loss {i} {1.7e9 + i / 3!r} {v!r}" for i, v in enumerate(VALUES)]
    lines += [f"eval/accuracy {2**33 + i} 1.8e9 {i / 7!r}" for i in range(2000)]
    write(tool, folder, lines)
    theirs = tensorboard(folder)
    assert set(theirs) == {"train/loss", "eval/accuracy"}
    assert len(theirs["eval/accuracy"]) == 2000
    for (step, wall, value), (i, v) in zip(theirs["train/loss"], enumerate(VALUES)):
        assert step == i and wall == 1.7e9 + i / 3 and same(value, f32(v)), (i, v, value)
    expect_equal(read(tool, folder)[0], theirs)


def test_tensorboard_honours_our_resume(tool, folder):
    lines = [f"train/loss {i} 1.7e9 {i}.0" for i in range(1, 31)] + ["eval/loss 25 1.7e9 1.0", "reopen", "resume 20"]
    lines += [f"train/loss {i} 1.8e9 {i}.5" for i in range(21, 26)]
    write(tool, folder, lines)
    theirs = tensorboard(folder)
    assert [p[0] for p in theirs["train/loss"]] == list(range(1, 26)), theirs["train/loss"]
    assert theirs["train/loss"][20][2] == 21.5
    assert not theirs.get("eval/loss"), theirs["eval/loss"]
    expect_equal(read(tool, folder)[0], {"train/loss": theirs["train/loss"]})


def test_tensorboard_reads_on_after_a_torn_tail(tool, folder):
    write(tool, folder, [f"loss {i} 1.7e9 {i}.0" for i in range(10)])
    file = next(Path(folder).iterdir())
    os.truncate(file, file.stat().st_size - 9)
    write(tool, folder, [f"loss {i} 1.7e9 {i}.0" for i in range(9, 12)])
    theirs = tensorboard(folder)
    assert [p[0] for p in theirs["loss"]] == list(range(12))
    expect_equal(read(tool, folder)[0], theirs)


def test_pytorch_writer(tool, folder):
    with SummaryWriter(folder) as w:
        for i, v in enumerate(VALUES):
            w.add_scalar("loss/simple", v, i, walltime=1.7e9 + i)
            w.add_scalar("loss/tensor", v, i, walltime=1.7e9 + i, new_style=True)
            w.add_scalar("double", v, i, walltime=1.7e9 + i, new_style=True, double_precision=True)
        w.add_text("a text", "hello", 1)
        w.add_histogram("a histogram", np.arange(100), 1)
        w.add_hparams({"lr": 0.1}, {"accuracy": 0.5}, run_name=".")
    ours, damage = read(tool, folder)
    theirs = tensorboard(folder)
    assert damage == 0
    for tag, exact in ("loss/simple", f32), ("loss/tensor", f32), ("double", float):
        for (step, wall, value), (i, v) in zip(ours[tag], enumerate(VALUES), strict=True):
            assert step == i and wall == 1.7e9 + i and same(value, exact(v)), (tag, i, v, value)
    assert set(ours) == {"loss/simple", "loss/tensor", "double", "accuracy"}, set(ours)
    expect_equal({t: ours[t] for t in theirs}, theirs)


def test_pytorch_add_scalars(tool, folder):
    """A directory for each curve; together one run."""
    with SummaryWriter(folder) as w:
        for i, v in enumerate(VALUES):
            w.add_scalars("model/loss", {"train": v, "val": i / 3, "warm start": -v}, i, walltime=1.7e9 + i)
            w.add_scalar("rate", i, i, walltime=1.7e9 + i)
    ours, damage = read(tool, folder)
    assert damage == 0
    theirs = {tag: tensorboard(Path(folder, name))[of] for tag, name, of in (
        ("train/model/loss", "model_loss_train", "model/loss"), ("eval/model/loss", "model_loss_val", "model/loss"),
        ("model/loss/warm start", "model_loss_warm start", "model/loss"), ("rate", ".", "rate"))}
    assert all(same(p[2], f32(v)) for p, v in zip(theirs["train/model/loss"], VALUES, strict=True))
    expect_equal(ours, theirs)


def test_pytorch_purge_step(tool, folder):
    for start, value in (0, 1.0), (5, 2.0):
        with SummaryWriter(folder, purge_step=start, filename_suffix=f".{start}") as w:
            for i in range(start, 10):
                w.add_scalar("loss", value, i)
    assert len(list(Path(folder).iterdir())) == 2
    ours, _ = read(tool, folder)
    assert [p[2] for p in ours["loss"]] == [1.0] * 5 + [2.0] * 5
    expect_equal(ours, tensorboard(folder))


def keras_event(tag, step, metadata, **fields):
    tensor = tensor_pb2.TensorProto(tensor_shape=tensor_shape_pb2.TensorShapeProto(), **fields)
    value = summary_pb2.Summary.Value(tag=tag, tensor=tensor)
    if metadata:
        value.metadata.plugin_data.plugin_name = metadata
    return event_pb2.Event(step=step, wall_time=1.7e9, summary=summary_pb2.Summary(value=[value]))


def test_tensors_of_every_kind(tool, folder):
    """What tf.summary.scalar and Keras write: tensors of one element, as content or as a list of numbers."""
    kinds = {
        "float content": dict(dtype=types_pb2.DT_FLOAT, tensor_content=struct.pack("<f", 0.25)),
        "float list": dict(dtype=types_pb2.DT_FLOAT, float_val=[0.25]),
        "double content": dict(dtype=types_pb2.DT_DOUBLE, tensor_content=struct.pack("<d", 0.25)),
        "double list": dict(dtype=types_pb2.DT_DOUBLE, double_val=[0.25]),
        "half": dict(dtype=types_pb2.DT_HALF, half_val=[0x3400]),
        "half content": dict(dtype=types_pb2.DT_HALF, tensor_content=b"\x00\x34"),
        "bfloat16": dict(dtype=types_pb2.DT_BFLOAT16, half_val=[0x3E80]),
    }
    writer = EventFileWriter(folder)
    for step in 1, 2:
        for tag, fields in kinds.items():
            writer.add_event(keras_event(tag, step, "scalars" if step == 1 else None, **fields))
    writer.add_event(keras_event("int", 1, None, dtype=types_pb2.DT_INT32, int_val=[-7]))
    writer.add_event(keras_event("long", 1, None, dtype=types_pb2.DT_INT64, int64_val=[-2**40]))
    writer.add_event(keras_event("zero", 1, None, dtype=types_pb2.DT_FLOAT))
    writer.add_event(keras_event("hparams", 1, "hparams", dtype=types_pb2.DT_FLOAT, float_val=[0]))
    writer.add_event(keras_event("text", 1, None, dtype=types_pb2.DT_STRING, string_val=[b"0.25"]))
    writer.close()
    ours, damage = read(tool, folder)
    assert damage == 0
    for tag in kinds:
        assert ours.pop(tag) == [(1, 1.7e9, 0.25), (2, 1.7e9, 0.25)], tag
    assert {t: p[0][2] for t, p in ours.items()} == {"int": -7.0, "long": -(2.0**40), "zero": 0.0}, ours


def main():
    failed = passed = 0
    with tempfile.TemporaryDirectory() as work:
        tool = build(work)
        for name, test in list(globals().items()):
            if not name.startswith("test_"):
                continue
            try:
                test(tool, tempfile.mkdtemp(dir=work))
                passed += 1
            except Exception as error:  # each test is reported
                failed += 1
                print(f"{name}: {type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
