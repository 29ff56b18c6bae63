#!/usr/bin/env python3
"""What a run of ours leaves, in the hands of others: transformers loads the checkpoints and gives our logits, scikit-learn our metrics."""
import json
import shutil

from safetensors.torch import load_file
from sklearn import metrics as sk

import golden_tools as g

LIMIT = 1e-4
LABELS = ["negative", "positive"]
REVIEWS = g.ROOT / "experiments/data/movie-reviews"


def train(folder, model, *sets):
    experiment = folder / "experiment.yaml"
    experiment.write_text(f"""
model: {{name_or_path: {model}}}
data:
  train_file: {REVIEWS}/train.tsv
  validation_file: {REVIEWS}/dev.tsv
  text_column: text
  label_column: label
  max_train_samples: 256
  max_eval_samples: 100
  max_seq_length: 32
train: {{max_steps: 8}}
optim: {{learning_rate: 1e-3}}
eval: {{eval_strategy: steps, eval_steps: 4}}
""")
    more = [part for s in sets for part in ("--set", s)]
    g.run("train", experiment, *more, "--name", "run", "--runs", folder / "runs", "--json")
    return folder / "runs/run"


def reviews(n):
    return [r[0] for r in g.rows(REVIEWS / "dev.tsv", header=True)][:n]


def agree(run, checkpoint, texts, what=""):
    ours = g.bertty_logits(f"{run}{what}", texts)
    theirs = g.hf_logits(checkpoint, texts, max_length=32)
    apart = g.largest_difference(ours, theirs)
    print(f"{checkpoint.name}: largest difference {apart:.1e}")
    assert apart <= LIMIT, apart
    return ours


def test_transformers_loads_checkpoints(folder):
    run = train(folder, g.tiny(folder / "model", LABELS))
    texts = reviews(60)
    steps = {int(p.name[5:]): p for p in (run / "checkpoints").iterdir()}
    logits = [agree(run, path, texts, f"@{step}") for step, path in sorted(steps.items())]
    assert len(logits) == 2 and g.largest_difference(*logits) > 1e-3
    agree(run, run / "best", texts, "@best")
    agree(run, run / "last", texts, "@last")
    config = json.loads((run / "last/config.json").read_text())
    assert config["id2label"] == {str(i): n for i, n in enumerate(LABELS)}, config
    assert config["architectures"] == ["BertForSequenceClassification"], config


def test_tokenizer_goes_with_the_checkpoint(folder):
    """Also where the experiment overrides what the model's files say."""
    model = g.tiny(folder / "model", LABELS)
    texts = [f"{t.title()} Éclair naïve" for t in reviews(20)]
    for i, option in enumerate(("model.do_lower_case=false", "model.strip_accents=false")):
        (folder / str(i)).mkdir()
        run = train(folder / str(i), model, option, "eval.eval_strategy=no", "train.max_steps=1")
        agree(run, run / "last", texts)


def test_vocabulary_alone(folder):
    """A model directory with no more than vocab.txt is uncased; the checkpoint says so."""
    model = g.tiny(folder / "model", LABELS)
    for name in "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json":
        (model / name).unlink()
    run = train(folder, model, "eval.eval_strategy=no", "train.max_steps=1")
    agree(run, run / "last", [t.title() for t in reviews(20)])


def test_bare_encoder_gets_a_head(folder):
    """An encoder alone, in the usual form of a download: names without "bert." and no id2label."""
    bare = folder / "bare"
    model = g.transformers.BertModel.from_pretrained(g.tiny(folder / "model", LABELS))
    g.save(model, g.MODEL, bare)
    run = train(folder, bare, "eval.eval_strategy=no")
    agree(run, run / "last", reviews(40))


def test_mean_pooling(folder):
    """No class of transformers has this head: its encoder, the mean over the tokens, the classifier of the file. With and without the run."""
    run = train(folder, g.tiny(folder / "model", LABELS), "model.pooling=mean", "eval.eval_strategy=no")
    texts = reviews(40)
    state = load_file(run / "last/model.safetensors")
    assert not [name for name in state if "pooler" in name], list(state)
    encoder = g.transformers.BertModel.from_pretrained(run / "last", add_pooling_layer=False).eval()
    inputs = g.AutoTokenizer.from_pretrained(run / "last")(texts, truncation=True, max_length=32, padding=True, return_tensors="pt")
    with g.torch.no_grad():
        hidden, mask = encoder(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
        theirs = (hidden * mask).sum(1) / mask.sum(1) @ state["classifier.weight"].T + state["classifier.bias"]
    alone = folder / "alone"
    shutil.copytree(run / "last", alone)
    short = [t for t, n in zip(texts, inputs["attention_mask"].sum(1)) if n < 32]
    assert short
    for model, chosen in ((f"{run}@last", texts), (alone, short)):
        apart = g.largest_difference(g.bertty_logits(model, chosen), theirs[[texts.index(t) for t in chosen]])
        print(f"mean: largest difference {apart:.1e}")
        assert apart <= LIMIT, apart


def test_eval_against_scikit_learn(folder):
    model = g.tiny(folder / "model", LABELS)
    run = train(folder, model)
    data = g.rows(REVIEWS / "test.tsv", header=True)
    done = g.run("eval", run, "--data", REVIEWS / "test.tsv", "--json")
    result = json.loads(done.stdout.splitlines()[-1])
    assert list(result) == ["rows", "metrics", "tokens_per_s"] and result["rows"] == len(data), result
    gold = [LABELS.index(r[1]) for r in data]
    logits = g.hf_logits(run / "best", [r[0] for r in data], max_length=32, batch=64)
    guess = logits.argmax(1).tolist()
    expected = {"loss": g.torch.nn.functional.cross_entropy(logits.double(), g.torch.tensor(gold)).item(),
                "accuracy": sk.accuracy_score(gold, guess), "f1": sk.f1_score(gold, guess),
                "f1_macro": sk.f1_score(gold, guess, average="macro"),
                "f1_micro": sk.f1_score(gold, guess, average="micro"), "mcc": sk.matthews_corrcoef(gold, guess)}
    assert set(result["metrics"]) >= set(expected), result
    for name, value in expected.items():
        assert abs(result["metrics"][name] - value) < 1e-5, (name, result["metrics"][name], value)


def test_metrics_of_many_labels(folder):
    """Labels that never occur, or are never predicted, count as scikit-learn counts them."""
    labels = [f"l{i}" for i in range(9)]
    model = g.tiny(folder / "model", labels)
    texts = reviews(150)
    gold = [i * i % 7 for i in range(150)]
    data = folder / "data.tsv"
    data.write_text("".join(f"{t}\t{labels[y]}\n" for t, y in zip(texts, gold)), encoding="utf-8")
    done = g.run("eval", model, "--data", data, "--text", 1, "--label", 2, "--header", "false", "--json")
    *_, details, last = map(json.loads, done.stdout.splitlines())
    guess = g.hf_logits(model, texts).argmax(1).tolist()
    assert abs(last["metrics"]["f1_macro"] - sk.f1_score(gold, guess, average="macro", zero_division=0)) < 1e-9
    assert abs(last["metrics"]["mcc"] - sk.matthews_corrcoef(gold, guess)) < 1e-9
    assert "f1" not in last["metrics"], last
    matrix = sk.confusion_matrix(gold, guess, labels=range(9)).tolist()
    assert [row["predicted"] for row in details["labels"]] == matrix
    table = sk.precision_recall_fscore_support(gold, guess, labels=range(9), zero_division=0)
    for row, *values in zip(details["labels"], *table):
        ours = row["precision"], row["recall"], row["f1"], row["rows"]
        assert max(abs(a - b) for a, b in zip(ours, values, strict=True)) < 1e-9, (row, values)


if __name__ == "__main__":
    g.main(globals())
