"""A training run of ours beside a plain PyTorch loop over the same examples in the same order, loss by loss.

The order is worked out here once more, from its formulas (engine/base/rng.h, engine/batch/order.c), not taken from the run."""
import math
from dataclasses import dataclass, field
from pathlib import Path

import golden_tools as g
from golden_tools import torch

MASK32, MASK64 = 2**32 - 1, 2**64 - 1
ORDER_STREAM, STRIDE = 2, 16


def mix64(x):
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 & MASK64
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & MASK64
    return x ^ x >> 31


def mix32(x):
    x ^= x >> 16
    x = x * 0x7FEB352D & MASK32
    x ^= x >> 15
    x = x * 0x846CA68B & MASK32
    return x ^ x >> 16


def rng_key(seed, stream, step):
    k = mix64(seed + 0x9E3779B97F4A7C15 & MASK64)
    k = mix64(k ^ (stream * 0xD1342543DE82EF95 + 1) & MASK64)
    k = mix64(k ^ (step * 0x9E3779B97F4A7C15 + 2) & MASK64)
    return k & MASK32, k >> 32


def uniform(key, p):
    hi, lo = (mix32(mix32((2 * p + i & MASK32) ^ key[0]) + key[1] & MASK32) for i in (0, 1))
    return (hi << 21 ^ lo >> 11) * 2.0**-53


def shuffle(items, seed, stream, epoch):
    key = rng_key(seed, stream, epoch)
    for i in range(len(items), 1, -1):
        j = int(uniform(key, i) * i)
        items[i - 1], items[j] = items[j], items[i - 1]


def epoch_order(seed, epoch, lengths, batch, group):
    """Indices of an epoch; grouped: sorted by falling length inside runs of batches, then the full batches shuffled."""
    n = len(lengths)
    index = list(range(n))
    shuffle(index, seed, ORDER_STREAM, epoch)
    if not group:
        return index
    size = batch * min(max(n // (batch * 4), 1), 50)
    index = [i for at in range(0, n, size) for i in sorted(index[at:at + size], key=lambda i: -lengths[i])]
    batches = list(range(n // batch))
    shuffle(batches, seed, ORDER_STREAM + STRIDE, epoch)
    full = [i for b in batches for i in index[b * batch:(b + 1) * batch]]
    return full + index[n // batch * batch:]


def epoch_batches(seed, epoch, lengths, batch, group, most=None):
    """Lists of indices. most: tokens of a batch; then all are sorted by falling length, cut where the next would not fit, and the batches shuffled."""
    if not most:
        order = epoch_order(seed, epoch, lengths, batch, group)
        return [order[at:at + batch] for at in range(0, len(order), batch)]
    index, batches = list(range(len(lengths))), []
    shuffle(index, seed, ORDER_STREAM, epoch)
    for i in sorted(index, key=lambda i: -lengths[i]):
        if not batches or len(batches[-1]) == batch or sum(lengths[k] for k in batches[-1]) + lengths[i] > most:
            batches.append([])
        batches[-1].append(i)
    shuffle(batches, seed, ORDER_STREAM + STRIDE, epoch)
    return batches


@dataclass
class Plan:
    """What both sides do. Names as in experiment files."""
    model: Path
    texts: list
    labels: list  # numbers; of other tasks what loss takes
    steps: int
    seed: int = 7
    batch: int = 32
    accumulation: int = 1
    group: bool = False
    most: int = None  # tokens of a batch
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    warmup_ratio: float = 0.1
    max_grad_norm: float = 1.0
    smoothing: float = 0.0
    optimizer: object = None  # (groups, learning rate) → PyTorch's, instead of AdamW
    trained: object = None  # name of a parameter → is it? instead of all
    prepare: object = None  # model → the one that is trained, of peft's perhaps
    loss: object = None  # (logits, labels) → the sum of their losses, instead of cross-entropy
    weight: object = None  # label → its share of what a step's losses are divided by, instead of 1
    cell: object = str  # label → as it stands in the file
    more: dict = field(default_factory=dict)  # further options for our side


def ours(plan, folder, program):
    """Our loss of every step, of texts with labels in a table."""
    data = folder / "train.tsv"
    data.write_text("".join(f"{t}\t{plan.cell(y)}\n" for t, y in zip(plan.texts, plan.labels, strict=True)), encoding="utf-8")
    columns = {"data.header": "false", "data.quoting": "false", "data.text_column": "1", "data.label_column": "2"}
    return our_losses(plan, data, columns, folder, program)


def our_losses(plan, data, settings, folder, program):
    """Our loss of every step, from the run's event file as TensorBoard reads it. settings: of the task and its data."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    options = {
        "model.name_or_path": plan.model, "model.hidden_dropout_prob": 0, "model.attention_probs_dropout_prob": 0,
        "model.classifier_dropout": 0, "data.train_file": data, **settings, "train.max_steps": plan.steps, "train.seed": plan.seed,
        "train.train_batch_size": plan.batch, "train.gradient_accumulation_steps": plan.accumulation,
        "train.max_grad_norm": plan.max_grad_norm, "train.label_smoothing_factor": plan.smoothing,
        "train.group_by_length": str(plan.group).lower(), "train.max_tokens_per_batch": plan.most or "null", "optim.learning_rate": plan.learning_rate,
        "optim.weight_decay": plan.weight_decay, "optim.warmup_ratio": plan.warmup_ratio, **({} if plan.optimizer else {"optim.adam_epsilon": 1e-8}),
        "eval.eval_strategy": "no", "run.save_strategy": "no", "run.logging_steps": 1, **plan.more}
    experiment = folder / "experiment.yaml"
    experiment.write_text("model: {}\n")
    sets = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    g.run("train", experiment, *sets, "--name", "run", "--runs", folder / "runs", "--json", program=program)
    events = EventAccumulator(str(folder / "runs/run"), size_guidance={"scalars": 0})
    events.Reload()
    points = events.Scalars("train/loss")
    assert [p.step for p in points] == list(range(1, plan.steps + 1))
    return [p.value for p in points]


def optimizer_of(plan, model):
    plain = [p for n, p in model.named_parameters() if n.endswith(".bias") or "LayerNorm" in n]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith(".bias") or "LayerNorm" in n)]
    groups = [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    if plan.optimizer:
        return plan.optimizer(groups, plan.learning_rate)
    return torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.999), eps=1e-8)


def cross_entropy(**options):
    return lambda logits, labels: torch.nn.functional.cross_entropy(logits, torch.tensor(labels), reduction="sum", **options)


NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}


def theirs(plan):
    """PyTorch's loss of every step, of texts with labels, and its last weights."""
    model = g.AutoModelForSequenceClassification.from_pretrained(plan.model, **NO_DROPOUT)
    tokenizer = g.AutoTokenizer.from_pretrained(plan.model)
    lengths = [len(i) for i in tokenizer(plan.texts, truncation=True, max_length=128)["input_ids"]]
    of_logits = plan.loss or cross_entropy(label_smoothing=plan.smoothing)

    def loss(part):
        inputs = tokenizer([plan.texts[i] for i in part], truncation=True, max_length=128, padding=True,
                           return_tensors="pt")
        return of_logits(model(**inputs).logits, [plan.labels[i] for i in part])
    weight = plan.weight and (lambda step: sum(plan.weight(plan.labels[i]) for i in step))
    return their_losses(plan, model, lengths, loss, weight or len)


def their_losses(plan, model, lengths, loss_of, weight_of):
    """loss_of(examples): the sum of their losses; weight_of(examples of a step): what that is divided by."""
    from transformers import get_linear_schedule_with_warmup
    model.train()
    for name, p in model.named_parameters():
        p.requires_grad_(plan.trained is None or plan.trained(name))
    if plan.prepare:
        model = plan.prepare(model)
    optimizer = optimizer_of(plan, model)
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(plan.warmup_ratio * plan.steps), plan.steps)
    losses, epoch, batches = [], 0, []
    while len(losses) < plan.steps:
        if not batches:
            batches = epoch_batches(plan.seed, epoch, lengths, plan.batch, plan.group, plan.most)
            epoch += 1
        parts, batches = batches[:plan.accumulation], batches[plan.accumulation:]
        total, weight = 0.0, weight_of([i for part in parts for i in part])
        for part in parts:
            loss = loss_of(part) / weight
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), plan.max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(total)
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    return losses, model.state_dict()


def compare_weights(checkpoint, theirs_, plan, limit=1e-3):
    """Every parameter: the difference relative to how far the training moved it. What is not trained keeps its bits."""
    from safetensors.torch import load_file
    before, found, worst = load_file(plan.model / "model.safetensors"), load_file(checkpoint / "model.safetensors"), 0.0
    for name, expected in theirs_.items():
        if plan.trained and not plan.trained(name):
            assert torch.equal(found[name], before[name]), f"{name} moved"
            continue
        moved = (expected - before[name]).norm().item()
        apart = (found[name] - expected).norm().item()
        assert moved > 0, f"{name} did not move: nothing would be seen"
        if "key.bias" in name:  # without an influence on the loss: its gradient is rounding
            continue
        worst = max(worst, apart / moved)
        assert apart <= limit * moved, (name, apart, moved)
    print(f"weights: apart by at most {worst:.1e} of their way")


def compare_losses(plan, a, b, limit=1e-3):
    """The largest relative difference of any step's loss; it must be within the limit."""
    apart = [abs(x - y) / abs(y) for x, y in zip(a, b, strict=True)]
    worst = max(range(plan.steps), key=apart.__getitem__)
    print(f"{plan.steps} steps, loss {b[0]:.4f} → {b[-1]:.4f}: largest relative difference {apart[worst]:.1e} "
          f"at step {worst + 1}")
    assert max(b) - min(b) > 1e-3, "the loss hardly moves: nothing would be seen"
    assert apart[worst] <= limit, (worst + 1, a[worst], b[worst])
    return apart[worst]


def compare(plan, folder, program, limit=1e-3):
    a, (b, weights) = ours(plan, folder, program), theirs(plan)
    worst = compare_losses(plan, a, b, limit)
    if plan.more.get("run.save_strategy"):
        compare_weights(folder / "runs/run/last", weights, plan)
    return worst
