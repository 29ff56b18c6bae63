#!/usr/bin/env python3
"""What runs of regression and multilabel leave, in the hands of others: transformers loads the checkpoints and gives our outputs, scipy and scikit-learn our metrics."""
import json

from scipy import stats
from sklearn import metrics as sk

import golden_tools as g
from golden_tools import torch

LIMIT = 1e-4
REVIEWS = g.ROOT / "experiments/data/movie-reviews"


def train(folder, model, data, *sets):
    """A short run on a table with tabs: text, (pair,) label."""
    columns = data.read_text(encoding="utf-8").split("\n", 1)[0].count("\t") + 1
    options = {"model.name_or_path": model, "data.train_file": data, "data.validation_file": data, "data.header": "false",
               "data.delimiter": '"\\t"', "data.quoting": "false", "data.text_column": 1, "data.label_column": columns, "data.max_train_samples": 160,
               "data.max_eval_samples": 40, "data.max_seq_length": 48, "train.max_steps": 8, "optim.learning_rate": 1e-3,
               "eval.eval_strategy": "steps", "eval.eval_steps": 8, **({"data.text_pair_column": 2} if columns > 2 else {})}
    experiment = folder / "experiment.yaml"
    experiment.write_text("model: {}\n")
    told = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    told += [part for s in sets for part in ("--set", s)]
    g.run("train", experiment, *told, "--name", "run", "--runs", folder / "runs", "--json")
    return folder / "runs/run"


def table(folder, rows):
    path = folder / "data.tsv"
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


def reviews(n):
    return [r[0] for r in g.rows(REVIEWS / "dev.tsv", header=True)][:n]


def config_of(checkpoint):
    return json.loads((checkpoint / "config.json").read_text())


def evaluated(run, data):
    lines = [json.loads(line) for line in g.run("eval", run, "--data", data, "--json").stdout.splitlines()]
    return lines[0], lines[-1]


def test_regression_of_pairs(folder):
    rows = [(r[5], r[6], r[4]) for r in g.rows(g.shared("stsb/sts-train.csv"))[:160]]
    run = train(folder, g.tiny(folder / "model", ["LABEL_0"]), table(folder, rows), "task.type=regression")
    config = config_of(run / "best")
    assert config["problem_type"] == "regression" and config["architectures"] == ["BertForSequenceClassification"], config
    texts, pairs, gold = zip(*rows)
    found = torch.tensor([[a["value"]] for a in g.bertty_predict(run, texts, pairs)])
    expected = g.hf_logits(run / "best", list(texts), list(pairs), max_length=48)
    apart = g.largest_difference(found, expected)
    print(f"regression: largest difference {apart:.1e}, spread {expected.std().item():.2f}")
    assert apart <= LIMIT and expected.std() > 0.01
    alone = torch.tensor([[a["value"]] for a in g.bertty_predict((run / "best").resolve(), texts, pairs)])
    assert g.largest_difference(alone, found) <= LIMIT
    _, result = evaluated(run, folder / "data.tsv")
    value, gold = expected.squeeze(1).double().numpy(), [float(x) for x in gold]
    off = ((value - gold) ** 2).mean()
    for name, known in {"loss": off, "mse": off, "rmse": off ** 0.5, "pearson": stats.pearsonr(gold, value)[0],
                        "spearman": stats.spearmanr(gold, value)[0]}.items():
        assert abs(result["metrics"][name] - known) < 1e-4, (name, result, known)


def test_label_sets(folder):
    """Thresholds of two labels of their own, a separator of three characters, labels with a comma and with a =."""
    names = ["film", "good", "story, told", "a=b"]
    sets = [[i for i, w in enumerate(("film", "good", "story", "not")) if w in t] for t in reviews(160)]
    data = table(folder, [(t, " | ".join(names[i] for i in s)) for t, s in zip(reviews(160), sets, strict=True)])
    limits = [0.45, 0.2, 0.45, 0.3]
    run = train(folder, g.tiny(folder / "model", names), data, "task.type=multilabel", "task.label_separator=' | '",
                f"task.labels={json.dumps(names)}", "task.threshold=[0.45, good=0.2, a=b=0.3]")
    config = config_of(run / "best")
    assert config["problem_type"] == "multi_label_classification", config
    assert config["id2label"] == {str(i): n for i, n in enumerate(names)}, config
    answers = g.bertty_predict(run, reviews(160))
    found, expected = torch.tensor([a["logits"] for a in answers]), g.hf_logits(run / "best", reviews(160), max_length=48)
    apart = g.largest_difference(found, expected)
    print(f"multilabel: largest difference {apart:.1e}")
    assert apart <= LIMIT
    p = torch.sigmoid(found.double())
    scores = torch.tensor([[a["scores"][n] for n in names] for a in answers]).double()
    assert g.largest_difference(scores, p) < 1e-6
    guess = (p >= torch.tensor(limits).double()).int().numpy()
    assert [a["labels"] for a in answers] == [[n for n, is_so in zip(names, row) if is_so] for row in guess.tolist()]
    lines = g.run("predict", run, "--text", reviews(1)[0]).stdout
    assert lines == " | ".join(answers[0]["labels"]) + "\n", lines
    gold = torch.zeros(160, 4)
    for i, s in enumerate(sets):
        gold[i, s] = 1
    details, result = evaluated(run, data)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(expected, gold).item()
    gold, own = gold.int().numpy(), result["metrics"]
    for name, value in {"loss": loss, "f1_micro": sk.f1_score(gold, guess, average="micro"),
                        "f1_macro": sk.f1_score(gold, guess, average="macro", zero_division=0),
                        "subset_accuracy": sk.accuracy_score(gold, guess), "hamming_loss": sk.hamming_loss(gold, guess),
                        "auc_macro": sk.roc_auc_score(gold, scores.numpy(), average="macro")}.items():
        assert abs(own[name] - value) < 1e-4, (name, own[name], value)
    expected = sk.precision_recall_fscore_support(gold, guess, zero_division=0)
    for row, *values in zip(details["labels"], *expected, strict=True):
        assert max(abs(a - b) for a, b in zip((row["precision"], row["recall"], row["f1"], row["rows"]), values)) < 1e-9, row
        assert "predicted" not in row, row
    assert 0 < guess.sum() < guess.size
    rows = [json.loads(line) for line in (run / "predictions/validation-step-000008.jsonl").read_text().splitlines()]
    assert len(rows) == 40 and all(r["correct"] == (r["labels"] == r["gold_labels"]) for r in rows), rows[0]
    assert [r["gold_labels"] for r in rows] == [[names[i] for i in s] for s in sets[:40]]
    assert rows[0]["gold"] == " | ".join(rows[0]["gold_labels"]) and rows[0]["prediction"] == " | ".join(rows[0]["labels"])


def long_reviews(n=60):
    """Of one review, of two … of seven."""
    found = reviews(4 * n)
    return [" ".join(found[4 * i:4 * i + 1 + i % 7]) for i in range(n)]


def pieces(texts):
    tokenizer = g.AutoTokenizer.from_pretrained(g.MODEL)
    return tokenizer(texts, add_special_tokens=False, truncation=False)["input_ids"]


def logits_of_pieces(checkpoint, sequences):
    """transformers' logits of each, with [CLS] and [SEP] around it."""
    model = g.AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    with torch.no_grad():
        return torch.cat([model(input_ids=torch.tensor([[101, *ids, 102]])).logits for ids in sequences])


def windows(ids, room, overlap):
    """The last one is moved back, so that it is as long as the others."""
    if len(ids) <= room:
        return [ids]
    begins = list(range(0, len(ids) - room, room - overlap)) + [len(ids) - room]
    return [ids[b:b + room] for b in begins]


def test_head_and_tail(folder):
    texts = long_reviews()
    data = table(folder, [(t, "ab"[i % 2]) for i, t in enumerate(texts)])
    run = train(folder, g.tiny(folder / "model", ["a", "b"]), data, "data.truncation=head_tail")
    room, cut = 46, 0
    ends = []
    for ids in pieces(texts):
        head = (room + 3) // 4
        cut += len(ids) > room
        ends.append(ids if len(ids) <= room else ids[:head] + ids[head - room:])
        assert len(ends[-1]) <= room
    assert 10 < cut < 50, cut
    apart = g.largest_difference(g.bertty_logits(run, texts), logits_of_pieces(run / "best", ends))
    print(f"head_tail: largest difference {apart:.1e}")
    assert apart <= LIMIT


def check_windows(folder, labels, cells, told, *sets):
    """Outputs of each text: the mean over its windows; evaluated with them."""
    texts = long_reviews()
    data = table(folder, list(zip(texts, cells(texts), strict=True)))
    run = train(folder, g.tiny(folder / "model", labels), data, "data.truncation=sliding_window", "task.doc_stride=10", *sets)
    of = [windows(ids, 46, 10) for ids in pieces(texts)]
    assert sum(len(w) > 2 for w in of) > 10
    expected = torch.stack([logits_of_pieces(run / "best", w).mean(0) for w in of])
    apart = g.largest_difference(told(g.bertty_predict(run, texts)), expected)
    print(f"windows: largest difference {apart:.1e}")
    assert apart <= LIMIT
    one = told([json.loads(g.run("predict", run, "--text", texts[6], "--json").stdout)])
    assert g.largest_difference(one, expected[6:7]) <= LIMIT
    return run, expected, evaluated(run, data)[1]["metrics"], of


def test_windows_of_classes(folder):
    run, expected, metrics, of = check_windows(
        folder, ["a", "b", "c"], lambda texts: ["abc"[i % 3] for i in range(len(texts))],
        lambda answers: torch.tensor([a["logits"] for a in answers]))
    gold = [i % 3 for i in range(len(of))]
    assert abs(metrics["accuracy"] - sk.accuracy_score(gold, expected.argmax(1))) < 1e-9, metrics
    loss = sum(torch.nn.functional.cross_entropy(logits_of_pieces(run / "best", w), torch.tensor([y] * len(w)), reduction="sum").item()
               for w, y in zip(of, gold, strict=True)) / sum(map(len, of))
    assert abs(metrics["loss"] - loss) < 1e-4, (metrics, loss)
    row = json.loads((run / "predictions/validation-step-000008.jsonl").read_text().splitlines()[6])
    assert g.largest_difference(torch.tensor([row["logits"]]), expected[6:7]) <= LIMIT


def test_windows_of_numbers(folder):
    _, expected, metrics, of = check_windows(
        folder, ["LABEL_0"], lambda texts: [len(t) / 100 for t in texts],
        lambda answers: torch.tensor([[a["value"]] for a in answers]), "task.type=regression")
    gold = [len(t) / 100 for t in long_reviews()]
    assert abs(metrics["pearson"] - stats.pearsonr(gold, expected.squeeze(1).numpy())[0]) < 1e-4, metrics


def test_windows_of_label_sets(folder):
    check_windows(folder, ["a", "b"], lambda texts: [["", "a", "a,b"][i % 3] for i in range(len(texts))],
                  lambda answers: torch.tensor([a["logits"] for a in answers]), "task.type=multilabel")


if __name__ == "__main__":
    g.main(globals())
