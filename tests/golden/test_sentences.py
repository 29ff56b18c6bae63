#!/usr/bin/env python3
"""What runs of regression leave, in the hands of others: transformers loads the checkpoints and gives our outputs, scipy our metrics."""
import json

from scipy import stats

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


if __name__ == "__main__":
    g.main(globals())
