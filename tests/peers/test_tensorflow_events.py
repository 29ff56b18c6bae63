#!/usr/bin/env python3
"""Directories that TensorFlow itself writes, read and compared value by value with TensorBoard's reader: tensors and simple values, several
files a run, Keras's train/ and validation/ as one run, a file that grows.

TensorFlow lives in an environment of its own, ${XDG_CACHE_HOME:-~/.cache}/bertty/tensorflow, made once (about two minutes)."""
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = ["tensorflow-cpu==2.21.0", "tensorboard"]  # tf.summary is TensorBoard's
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bertty"
PYTHON = CACHE / "tensorflow/bin/python"
VALUES = [0.0, -0.0, 1.5, -3.25e-7, 1e-45, 3.4e38, float("nan"), float("inf"), float("-inf"), 0.1]


# ── in the environment with TensorFlow: this file as `python FILE KIND FOLDER` ──

def write_tensors(tf, folder):
    """TensorFlow 2: tensors, with other summaries between, in two files one after the other."""
    for part, suffix in enumerate((".a.v2", ".b.v2")):
        writer = tf.summary.create_file_writer(folder, filename_suffix=suffix)
        with writer.as_default():
            for i, v in enumerate(VALUES):
                step = part * len(VALUES) + i
                tf.summary.scalar("loss", v, step=step)
                tf.summary.write("a double", tf.constant(v, tf.float64), step=step)
                tf.summary.write("an integer", tf.constant((step * 3 - 7) * 2**33, tf.int64), step=2**33 + step)
                tf.summary.histogram("weights", [v, 1.0, 2.0] if math.isfinite(v) else [1.0], step=step)
                tf.summary.text("words", "0.25", step=step)
                tf.summary.write("raw", tf.constant(step / 3), step=step)
                tf.summary.write("vector", tf.constant([1.0, 2.0]), step=step)
        writer.close()


def write_simple_values(tf, folder):
    """TensorFlow 1: simple values, several in an event."""
    v1 = tf.compat.v1
    for suffix in ".a", ".b":
        with v1.Graph().as_default(), v1.summary.FileWriter(folder, filename_suffix=suffix) as writer:
            for i, v in enumerate(VALUES):
                values = [v1.Summary.Value(tag="loss", simple_value=v), v1.Summary.Value(tag="model/rate", simple_value=i / 7)]
                writer.add_summary(v1.Summary(value=values), i + (20 if suffix == ".b" else 0))
            writer.add_session_log(v1.SessionLog(status=v1.SessionLog.CHECKPOINT, checkpoint_path="x"), 5)


def write_keras(tf, folder):
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x = tf.random.normal((64, 4))
    model.fit(x, tf.reduce_sum(x, 1), epochs=4, verbose=0, validation_split=0.25,
              callbacks=[tf.keras.callbacks.TensorBoard(folder, update_freq=2, write_graph=False)])


def write_growing(tf, folder):
    """A round for each line of standard input."""
    writer = tf.summary.create_file_writer(folder)
    for round_, _ in enumerate(sys.stdin):
        with writer.as_default():
            for step in range(round_ * 50, round_ * 50 + 50):
                tf.summary.scalar("loss", 1 / (step + 1), step=step)
        writer.flush()
        print("written", flush=True)


# ── in the environment with TensorBoard ──

def start(kind, folder, **more):
    env = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0")
    return subprocess.Popen([PYTHON, __file__, kind, folder], env=env, stderr=subprocess.PIPE, text=True, **more)


def written(kind, folder):
    process = start(kind, folder)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told[-2000:]


def test_tensors(tool, folder):
    written("tensors", folder)
    assert len(list(Path(folder).glob("*tfevents*"))) == 2
    ours, damage = read(tool, folder)
    assert damage == 0 and {"loss", "raw", "an integer"} <= set(ours), (damage, set(ours))
    assert [p[0] for p in ours["loss"]] == list(range(2 * len(VALUES)))
    assert all(math.isclose(p[2], v, rel_tol=1e-6) or same(p[2], v) or abs(v) < 1e-38 for p, v in zip(ours["loss"], VALUES + VALUES))
    expect_equal(ours, tensorboard(folder))


def test_simple_values(tool, folder):
    written("simple_values", folder)
    ours, damage = read(tool, folder)
    assert damage == 0 and len(ours["loss"]) == 2 * len(VALUES) == len(ours["model/rate"])
    expect_equal(ours, tensorboard(folder))


def test_keras(tool, folder):
    written("keras", folder)
    ours, damage = read(tool, folder)
    assert damage == 0
    theirs = {f"{split}/{tag}": points for name, split in (("train", "train"), ("validation", "eval"))
              for tag, points in tensorboard(Path(folder, name)).items()}
    assert {"train/epoch_loss", "eval/epoch_loss", "train/epoch_mae", "eval/epoch_mae"} <= set(theirs), set(theirs)
    assert all(len(theirs[tag]) == 4 for tag in theirs if "epoch_" in tag), theirs
    expect_equal(ours, theirs)


def test_growing(tool, folder):
    process = start("growing", folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    follower = Follower(tool, folder)
    for round_ in range(4):
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "written\n", process.communicate()
        ours, damage = follower.read()
        assert damage == 0 and [p[0] for p in ours["loss"]] == list(range(50 * round_ + 50)), (damage, len(ours["loss"]))
        expect_equal(ours, tensorboard(folder))
    follower.close()
    process.communicate(timeout=60)


def prepare():
    """What is missing, in a word; None: nothing."""
    if subprocess.run([PYTHON, "-c", "import tensorflow, tensorboard"], capture_output=True).returncode == 0 if PYTHON.exists() else False:
        return None
    print(f"making {PYTHON.parent.parent} (some minutes, once)", flush=True)
    for command in ([sys.executable, "-m", "venv", "--clear", PYTHON.parent.parent],
                    [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return f"{PACKAGES[0]} could not be installed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}"
    return None


def main():
    if missing := prepare():
        print(missing)
        return 77
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


if len(sys.argv) == 3:
    import tensorflow
    globals()[f"write_{sys.argv[1]}"](tensorflow, sys.argv[2])
    sys.exit(0)

try:
    from events_files import Follower, build, expect_equal, read, same, tensorboard
    from tensorboard.compat import proto  # noqa: F401
except ImportError as absent:
    print(f"{absent}: `make test-peers` sets up what this test needs")
    sys.exit(77)

if __name__ == "__main__":
    sys.exit(main())
