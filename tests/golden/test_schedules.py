#!/usr/bin/env python3
"""The learning rate of every step against transformers' get_scheduler, and reduce_lr_on_plateau against PyTorch's class fed with the run's own
evaluations."""
import golden_tools as g
from golden_tools import torch
from transformers import get_scheduler

STEPS, RATE = 24, 1e-2
WORDS = ["good", "bad", "fine", "poor", "great", "dull", "bright", "weak"]


def data(folder, name, n, by):
    path = folder / name
    path.write_text("".join(f"{WORDS[i * by % 8]} {WORDS[i * 3 % 8]}\t{i * by % 8 % 2}\n" for i in range(n)))
    return path


def curves(folder, name, **options):
    """{tag: [(step, value), …]} of a run."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    if not (folder / "model").exists():
        g.tiny(folder / "model", ["0", "1"])
    settings = {
        "model.name_or_path": folder / "model", "data.train_file": data(folder, "train.tsv", 40, 1),
        "data.validation_file": data(folder, "dev.tsv", 12, 3), "data.header": "false", "data.text_column": "1",
        "data.label_column": "2", "train.max_steps": STEPS, "train.train_batch_size": 4, "eval.eval_strategy": "no",
        "run.save_strategy": "no", "run.logging_steps": 1, "optim.learning_rate": RATE, **options}
    experiment = folder / "experiment.yaml"
    experiment.write_text("model: {}\n")
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    g.run("train", experiment, *sets, "--name", name, "--runs", folder / "runs", "--json", program=g.BERTTY)
    events = EventAccumulator(str(folder / "runs" / name), size_guidance={"scalars": 0})
    events.Reload()
    return {tag: [(p.step, p.value) for p in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def same(ours, theirs):
    assert [s for s, _ in ours] == list(range(1, STEPS + 1))
    assert max(theirs) > 0 and len(ours) == len(theirs)
    for (step, a), b in zip(ours, theirs, strict=True):
        assert abs(a - b) <= 2e-7 * abs(b) + 1e-12, (step, a, b)


def check(folder, kind, warmup, ours=None, theirs=None):
    options = {"optim.lr_scheduler_type": kind, **(ours or {})}
    if warmup:
        options["optim.warmup_steps"] = warmup
    elif kind != "constant":
        options["optim.warmup_ratio"] = 0
    found = curves(folder, f"{kind}-{warmup}-{len(theirs or {})}", **options)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    schedule = get_scheduler(kind, optimizer, warmup, STEPS, scheduler_specific_kwargs=theirs or {})
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    same(found["train/learning_rate"], rates)


def test_functions_of_the_step(folder):
    for kind in ("linear", "cosine", "polynomial", "constant_with_warmup", "inverse_sqrt", "cosine_with_restarts"):
        check(folder, kind, 5)
    check(folder, "linear", 0)
    check(folder, "constant", 0)


def test_their_arguments(folder):
    check(folder, "cosine_with_restarts", 3, {"optim.num_cycles": 3}, {"num_cycles": 3})
    check(folder, "polynomial", 3, {"optim.power": 2, "optim.lr_end": 1e-3}, {"power": 2.0, "lr_end": 1e-3})


def plateau(folder, name, rate, mode, metric, **options):
    found = curves(folder, name, **{
        "optim.lr_scheduler_type": "reduce_lr_on_plateau", "optim.lr_reduce_patience": 1, "optim.lr_reduce_factor": 0.5,
        "optim.learning_rate": rate, "eval.eval_strategy": "steps", "eval.eval_steps": 2, **options})
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode=mode, factor=0.5, patience=1)
    figure, rates = dict(found[f"eval/{metric}"]), []
    for step in range(1, STEPS + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        if step in figure:
            schedule.step(figure[step])
    same(found["train/learning_rate"], rates)
    print(f"{name}: {rates[0]:g} → {rates[-1]:g}")
    assert rates[-1] < rates[0], "the rate was never reduced: nothing would be seen"
    assert len(figure) == STEPS // 2
    return rates, list(figure.values())


def test_reduce_lr_on_plateau(folder):
    """By the loss unless the experiment names a metric."""
    rates, losses = plateau(folder, "loss", 2e-2, "min", "loss")
    assert losses[1] < losses[0] * 0.9999 or losses[2] < losses[1] * 0.9999, losses  # sometimes it did improve
    plateau(folder, "accuracy", 1e-3, "max", "accuracy", **{"eval.metric_for_best_model": "accuracy"})


if __name__ == "__main__":
    g.main(globals())
