#!/usr/bin/env python3
"""Google's directories, with TensorFlow's checkpoints: predicted from and trained from, and what comes of it in transformers' hands."""
import json
import shutil

import golden_tools as g
from test_checkpoint import LABELS, agree, reviews, train

LIMIT = 1e-5
CLASSES, HIDDEN = 3, 32


def tuned_head():
    """Bundles hold the variables in the order of their names, and nothing comes behind output_bias and output_weights."""
    data = (g.shared("tiny-bert/google-tuned") / "bert_model.ckpt.data-00000-of-00001").read_bytes()
    floats = g.torch.frombuffer(bytearray(data[-4 * (CLASSES + 1) * HIDDEN:]), dtype=g.torch.float32)
    return floats[-CLASSES * HIDDEN:].reshape(CLASSES, HIDDEN), floats[-CLASSES * (HIDDEN + 1):-CLASSES * HIDDEN]


def reference(folder):
    """The same model as transformers would have saved it."""
    weight, bias = tuned_head()
    model = g.with_head(g.shared("tiny-bert/hf"), folder / "reference", ["a", "b", "c"])
    loaded = g.AutoModelForSequenceClassification.from_pretrained(model)
    with g.torch.no_grad():
        loaded.classifier.weight.copy_(weight)
        loaded.classifier.bias.copy_(bias)
    g.save(loaded, g.MODEL, model)
    return model


def renamed(folder, name, listed=True):
    """As run_classifier.py leaves it, with the configuration and the vocabulary put beside."""
    source, to = g.shared("tiny-bert/google-tuned"), folder / name
    to.mkdir()
    for path in source.iterdir():
        shutil.copyfile(path, to / path.name.replace("bert_model.ckpt", "model.ckpt-343"))
    if listed:
        (to / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-343"\nall_model_checkpoint_paths: "model.ckpt-0"\n')
    return to


def test_tuned_head_is_found(folder):
    texts = reviews(40)
    theirs = g.hf_logits(reference(folder), texts)
    for directory in g.shared("tiny-bert/google-tuned"), renamed(folder, "listed"), renamed(folder, "alone", False):
        answers = g.bertty_predict(directory, texts)
        assert list(answers[0]["scores"]) == [f"LABEL_{i}" for i in range(CLASSES)], answers[0]
        apart = g.largest_difference(g.torch.tensor([a["logits"] for a in answers]), theirs)
        print(f"{directory.name}: largest difference {apart:.1e}")
        assert apart <= LIMIT, apart


def test_which_checkpoint(folder):
    """Of several the listed one; without a list nobody guesses."""
    for listed in True, False:
        directory = renamed(folder, str(listed), listed)
        (directory / "model.ckpt-0.index").write_text("not a table")
        done = g.run("predict", directory, "--text", "hello", ok=False)
        assert (done.returncode == 0) == listed, done
    assert "2 checkpoints" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_damage(folder):
    """One line that names what is wrong, whichever file it is."""
    source = g.shared("tiny-bert/google-tuned")
    for i, (kind, change, said) in enumerate((
            ("index", lambda b: b[:-1], "not a checkpoint's index"),
            ("index", lambda b: b[:100] + bytes([b[100] ^ 1]) + b[101:], "the block at byte 0: its checksum is wrong"),
            ("data-00000-of-00001", lambda b: b[:-1], "tensor output_weights: 384 bytes at byte"),
            ("data-00000-of-00001", lambda b: b[:-9] + bytes([b[-9] ^ 64]) + b[-8:], "tensor output_weights: the checksum"),
            ("data-00000-of-00001", None, "data-00000-of-00001: no such file"))):
        directory = folder / str(i)
        shutil.copytree(source, directory, copy_function=shutil.copyfile)
        directory.chmod(0o700)
        path = directory / f"bert_model.ckpt.{kind}"
        if change:
            path.write_bytes(change(path.read_bytes()))
        else:
            path.unlink()
        done = g.run("predict", directory, "--text", "hello", ok=False)
        assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1, (said, done)


def test_head_is_kept_or_drawn(folder):
    """Trained for as many labels as the head has, it goes on from it; for two it begins anew."""
    weight, _ = tuned_head()
    rows = [(t, "xyz"[i % 3]) for i, t in enumerate(reviews(48))]
    data = folder / "three.tsv"
    data.write_text("text\tlabel\n" + "".join(f"{t}\t{y}\n" for t, y in rows), encoding="utf-8")
    for name, more in (("three", [f"data.train_file={data}", f"data.validation_file={data}"]), ("two", [])):
        (folder / name).mkdir()
        run = train(folder / name, g.shared("tiny-bert/google-tuned"), "optim.learning_rate=1e-9", "train.max_steps=1",
                    "eval.eval_strategy=no", *more)
        saved = g.AutoModelForSequenceClassification.from_pretrained(run / "last").classifier.weight.detach()
        if name == "three":
            assert g.largest_difference(saved, weight) < 1e-6
        else:
            assert saved.shape == (2, HIDDEN)


def test_trained_from_google(folder):
    directory = g.shared("tiny-bert/google")
    run = train(folder, directory, "train.max_steps=2", "eval.eval_strategy=no")
    agree(run, run / "last", reviews(40))
    config = json.loads((run / "last/config.json").read_text())
    google = json.loads((directory / "bert_config.json").read_text())
    for key, value in google.items():
        near = isinstance(value, float) and abs(config[key] - value) < 1e-6
        assert config[key] == value or near, (key, config[key], value)
    assert config["model_type"] == "bert" and config["architectures"] == ["BertForSequenceClassification"], config
    assert config["id2label"] == {str(i): n for i, n in enumerate(LABELS)}, config
    assert not (run / "last/bert_config.json").exists()
    of = json.loads((run / "run.json").read_text())
    assert str(directory.resolve() / "bert_config.json") in json.dumps(of), of


if __name__ == "__main__":
    g.main(globals())
