#!/usr/bin/env python3
"""The loss of every training step against a PyTorch loop: same first weights, same examples in the same order, dropout 0.

A small random model here; MiniLM over 100 steps is in tests/peers."""
from dataclasses import replace

import numpy

import golden_tools as g
from golden_tools import torch
from peer_losses import Plan, compare, cross_entropy, ours, theirs
from sklearn.utils.class_weight import compute_class_weight


def data(n):
    found = g.rows(g.ROOT / "experiments/data/movie-reviews/train.tsv", header=True)
    found = found[::len(found) // n][:n]  # the file begins with one label
    return [r[0] for r in found], [int(r[1] == "positive") for r in found]


def check(folder, rows=330, steps=30, **options):
    texts, labels = data(rows)
    model = g.tiny(folder / "model", ["0", "1"], hidden_size=64, num_hidden_layers=3, initializer_range=0.1)
    compare(Plan(model, texts, labels, steps, **{"learning_rate": 1e-3, **options}), folder, g.BERTTY)


def test_some_epochs(folder):
    """330 rows: the last batch of an epoch has 10."""
    check(folder)


def test_grouped_by_length_and_accumulated(folder):
    check(folder, rows=700, steps=24, batch=16, accumulation=3, group=True)


def test_smoothing_clipping_decay(folder):
    check(folder, steps=24, smoothing=0.1, max_grad_norm=0.05, weight_decay=0.3, warmup_ratio=0.5)


def test_batches_of_tokens(folder):
    """Two epochs, two batches a step; from 6 examples in a batch to 16."""
    check(folder, rows=240, steps=24, batch=16, accumulation=2, group=True, most=200)


def test_batches_in_pieces(folder):
    """About 2,200 tokens a batch, more than are computed together; the last batch of an epoch has 60 examples."""
    check(folder, rows=700, steps=16, batch=80, accumulation=2, group=True, weight_decay=0.1)


def check_weights(folder, told, weights, **options):
    """Three labels of very different frequency; weights: {label: weight}, as PyTorch's CrossEntropyLoss takes them."""
    texts, _ = data(330)
    labels = [0 if len(t) > 60 else 1 if len(t) > 35 else 2 for t in texts]
    weights = weights or dict(enumerate(compute_class_weight("balanced", classes=numpy.arange(3), y=labels).tolist()))
    print("weights", weights)
    assert max(weights.values()) > 2 * min(weights.values()), weights
    model = g.tiny(folder / "model", list("012"), hidden_size=64, num_hidden_layers=3, initializer_range=0.1)
    compare(Plan(model, texts, labels, 24, learning_rate=1e-3, batch=16, accumulation=2, weight=weights.get,
                 loss=cross_entropy(weight=torch.tensor([weights[i] for i in range(3)]), label_smoothing=options.get("smoothing", 0.0)),
                 more={"task.class_weights": told}, **options), folder, g.BERTTY)


def test_balanced_labels(folder):
    check_weights(folder, "balanced", None)


def test_weights_and_smoothing(folder):
    check_weights(folder, "[1=0.25, 2=3]", {0: 1.0, 1: 0.25, 2: 3.0}, smoothing=0.2)


def test_regression(folder):
    """A number for each text; an output, no name, transformers' mean squared error."""
    texts, _ = data(330)
    model = g.tiny(folder / "model", ["LABEL_0"], hidden_size=64, num_hidden_layers=3, initializer_range=0.1)
    numbers = [round(len(t) / 40 - 2, 3) for t in texts]
    compare(Plan(model, texts, numbers, 24, learning_rate=1e-3, weight_decay=0.1, accumulation=2, batch=16, group=True,
                 loss=lambda logits, y: torch.nn.MSELoss(reduction="sum")(logits.squeeze(-1), torch.tensor(y)),
                 more={"task.type": "regression"}), folder, g.BERTTY)


def test_label_sets(folder):
    """Any number of five labels for each text, none for some; transformers' mean over labels and examples."""
    texts, _ = data(330)
    sets = [[float(w in t) for w in ("film", " a", "not", "movie", "good")] for t in texts]
    assert any(not any(s) for s in sets) and any(sum(s) > 2 for s in sets)
    model = g.tiny(folder / "model", list("abcde"), hidden_size=64, num_hidden_layers=3, initializer_range=0.1)
    compare(Plan(model, texts, sets, 24, learning_rate=1e-3, weight_decay=0.1, accumulation=2, batch=16, group=True,
                 loss=lambda logits, y: torch.nn.BCEWithLogitsLoss(reduction="sum")(logits, torch.tensor(y)) / 5,
                 cell=lambda s: "|".join(n for n, there in zip("abcde", s) if there),
                 more={"task.type": "multilabel", "task.label_separator": '"|"', "task.labels": "[a, b, c, d, e]"}),
            folder, g.BERTTY)


class Rounded(torch.autograd.Function):
    """y = x·wᵀ + b whose three products take operands rounded to bf16 and sum in fp32."""

    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return rounded(x) @ rounded(w).T + b

    @staticmethod
    def backward(ctx, dy):
        (x, w), (n, k), dy_, = ctx.saved_tensors, ctx.saved_tensors[1].shape, rounded(dy)
        return dy_ @ rounded(w), dy_.reshape(-1, n).T @ rounded(x).reshape(-1, k), dy.reshape(-1, n).sum(0)


def rounded(x):
    return x.to(torch.bfloat16).float()


def round_encoder(model):
    """All products with weights in the encoder's layers; attention, pooler and classifier stay as they are."""
    for module in model.bert.encoder.modules():
        if isinstance(module, torch.nn.Linear):
            module.forward = lambda x, m=module: Rounded.apply(x, m.weight, m.bias)
    return model


ROUNDED, UNROUNDED = 6e-4, 1e-3  # mean relative difference of a step's loss: at most with the same rounding, at least without it


def test_bf16(folder):
    """The losses are PyTorch's with the same rounding, as far as a sum in another order lets a value be rounded the other way, and are not those of fp32. By
    SGD, since Adam makes steps of equal size of gradients that are nothing but rounding."""
    texts, labels = data(330)
    model = g.tiny(folder / "model", ["0", "1"], hidden_size=64, num_hidden_layers=3, initializer_range=0.1)
    plan = Plan(model, texts, labels, 24, learning_rate=1e-3, group=True, optimizer=lambda groups, lr: torch.optim.SGD(groups, lr=lr),
                prepare=round_encoder, more={"train.precision": "bf16", "optim.optim": "sgd"})
    found = ours(plan, folder, g.BERTTY)

    def apart(prepare):
        losses = theirs(replace(plan, prepare=prepare))[0]
        return sum(abs(a - b) / b for a, b in zip(found, losses, strict=True)) / plan.steps
    same, other = apart(round_encoder), apart(None)
    print(f"mean relative difference of a step's loss: {same:.1e} with the same rounding, {other:.1e} without")
    assert same <= ROUNDED and other >= UNROUNDED, (same, other)


if __name__ == "__main__":
    g.main(globals())
