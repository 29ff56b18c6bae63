"""What the comparisons with transformers share: models with a head that both sides load, sentences, and both sides' logits."""
import csv
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
import transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForSequenceClassification

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

MODEL = Path(os.environ["BT_MODEL"])
SHARED = Path(os.environ["BT_SHARED"]) / "data"
BERTTY = os.environ["BERTTY"]
BERTTY_FAST = os.environ["BERTTY_FAST"]
ROOT = Path(__file__).resolve().parent.parent


class Skip(Exception):
    """What a test lacks."""


def shared(name):
    path = SHARED / name
    if not path.exists():
        raise Skip(f"{path} is missing")
    return path


def rows(path, header=False):
    """Tab-separated cells, no quoting."""
    with open(path, encoding="utf-8-sig", newline="") as f:
        found = [r for r in csv.reader(f, delimiter="\t", quoting=csv.QUOTE_NONE) if r]
    return found[1:] if header else found


def draw_head(model, seed, scale=0.1):
    """Weights of the classifier from numbers of the test's own; large enough that the logits differ."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.classifier.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) * scale)


def with_head(source, to, labels, seed=1, lower=None, **config):
    """A directory with the encoder of source and a fresh head for labels (names), as transformers saves it."""
    names = {"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}}
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=len(labels), **names, **config)
    draw_head(model, seed)
    save(model, source, to, lower)
    return to


def tiny(to, labels, seed=1, lower=None, **config):
    """A BERT of two small layers with random weights and the vocabulary of the film reviews' model."""
    size = {"vocab_size": 30522, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
            "intermediate_size": 64, "max_position_embeddings": 512, "initializer_range": 0.2}
    names = {"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}}
    torch.manual_seed(seed)
    model = BertForSequenceClassification(BertConfig(**{**size, **config}, num_labels=len(labels), **names))
    draw_head(model, seed, 0.5)
    save(model, MODEL, to, lower)
    return to


def save(model, tokenizer_of, to, lower=None):
    model.save_pretrained(to)
    options = {} if lower is None else {"do_lower_case": lower}
    AutoTokenizer.from_pretrained(tokenizer_of, **options).save_pretrained(to)


def hf_logits(directory, texts, pairs=None, max_length=512, batch=32):
    """transformers' logits of padded batches, with an attention mask."""
    model = AutoModelForSequenceClassification.from_pretrained(directory).eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    out = []
    with torch.no_grad():
        for at in range(0, len(texts), batch):
            second = pairs[at:at + batch] if pairs else None
            inputs = tokenizer(texts[at:at + batch], second, truncation=True, max_length=max_length, padding=True,
                               return_tensors="pt")
            out.append(model(**inputs).logits)
    return torch.cat(out)


def run(*arguments, program=None, ok=True, **options):
    """The program's output; ok: it must end with 0."""
    done = subprocess.run([program or BERTTY, *map(str, arguments)], capture_output=True, text=True, **options)
    if ok and done.returncode:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit {done.returncode}: {done.stderr[-2000:]}")
    return done


def bertty_predict(model, texts, pairs=None):
    """predict's JSON objects, one for each text."""
    lines = [f"{a}\t{b}" for a, b in zip(texts, pairs, strict=True)] if pairs else texts
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as f:
        f.write("".join(line + "\n" for line in lines))
        f.flush()
        done = run("predict", model, f.name, "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(texts), (len(answers), len(texts))
    return answers


def bertty_logits(model, texts, pairs=None):
    return torch.tensor([a["logits"] for a in bertty_predict(model, texts, pairs)])


def largest_difference(a, b):
    assert a.shape == b.shape, (a.shape, b.shape)
    assert torch.isfinite(a).all() and torch.isfinite(b).all()
    return (a.double() - b.double()).abs().max().item()


def main(tests, threads=1):
    """Runs the functions called test_… of a module's globals(), each with a new directory; prints the counts. Small models are
    no slower with one thread, and on a busy machine much faster."""
    passed = failed = skipped = 0
    torch.set_num_threads(threads)
    for name, test in list(tests.items()):
        if not name.startswith("test_"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(Path(folder))
                passed += 1
            except Skip as why:
                skipped += 1
                print(f"{name}: skipped: {why}")
            except Exception:  # each test is reported
                failed += 1
                print(f"{name}:")
                traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed != 0)
