#!/usr/bin/env python3
"""Masked language modelling beside a PyTorch loop over BertForMaskedLM: the same packed sequences, the same masks (drawn here once more from their formulas,
engine/tasks/mlm.c), the same order, dropout 0; and what `predict` fills in beside transformers."""
import json
import math

import golden_tools as g
import peer_losses as p
from golden_tools import torch
from transformers import AutoModelForMaskedLM, BertConfig, BertForMaskedLM

MASK_STREAM, GOLDEN = 15, 0x9E3779B97F4A7C15
SEED, BATCH, LENGTH = 7, 8, 40


def tiny_lm(to):
    torch.manual_seed(3)
    config = BertConfig(vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                        initializer_range=0.1)
    g.save(BertForMaskedLM(config), g.MODEL, to)
    return to


def reviews(n):
    return [r[0] for r in g.rows(g.ROOT / "experiments/data/movie-reviews/train.tsv", header=True)[:n]]


def packed(tokenizer, lines):
    """[CLS], lines with a [SEP] behind each, cut at LENGTH - 1, a [SEP] where the cut left none."""
    found, one = [], []
    for line in lines:
        ids = tokenizer(line, add_special_tokens=False)["input_ids"]
        for token in (ids + [tokenizer.sep_token_id]) if ids else []:
            if not one and token == tokenizer.sep_token_id:
                continue
            one = one or [tokenizer.cls_token_id]
            one.append(token)
            if len(one) + 1 >= LENGTH:
                found.append(one if one[-1] == tokenizer.sep_token_id else one + [tokenizer.sep_token_id])
                one = []
    return found + ([one] if len(one) > 2 else [])


def masked(tokenizer, sequence, number, step, whole, inside):
    """(ids, labels) of a step."""
    key = p.rng_key(SEED + GOLDEN * number & p.MASK64, MASK_STREAM, step + 1)
    special = {tokenizer.cls_token_id, tokenizer.sep_token_id}
    ids, labels, n = list(sequence), [-100] * len(sequence), len(sequence)
    want, left, i = max(1, math.floor(0.15 * n + 0.5)), sum(t not in special for t in sequence), 0
    chosen = 0
    while i < n and chosen < want:
        end = i + 1
        while whole and end < n and inside[sequence[end]]:
            end += 1
        if sequence[i] not in special:
            if p.uniform(key, (1 << 30) + i) * left < want - chosen and end - i <= want - chosen:
                chosen += end - i
                for k in range(i, end):
                    labels[k] = sequence[k]
            left -= end - i
        i = end
    for k in range(n):
        if labels[k] == -100:
            continue
        what = p.uniform(key, 2 * k)
        if what < 0.9:
            ids[k] = tokenizer.mask_token_id if what < 0.8 else int(p.uniform(key, 2 * k + 1) * len(inside))
    return ids, labels


def theirs(model_dir, lines, steps, whole):
    from transformers import get_linear_schedule_with_warmup
    tokenizer = g.AutoTokenizer.from_pretrained(model_dir)
    words = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    inside = [w.startswith("##") and len(w) > 2 for w in words]
    sequences = packed(tokenizer, lines)
    model = AutoModelForMaskedLM.from_pretrained(model_dir, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).train()
    plan = p.Plan(model_dir, [], [], steps)
    optimizer = p.optimizer_of(plan, model)
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(0.1 * steps), steps)
    losses, epoch, order = [], 0, []
    for step in range(steps):
        if not order:
            order, epoch = p.epoch_order(SEED, epoch, [len(s) for s in sequences], BATCH, False), epoch + 1
        part, order = order[:BATCH], order[BATCH:]
        rows = [masked(tokenizer, sequences[i], i, step, whole, inside) for i in part]
        longest = max(len(ids) for ids, _ in rows)
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in rows])
        labels = torch.tensor([y + [-100] * (longest - len(y)) for _, y in rows])
        mask = torch.tensor([[1] * len(x) + [0] * (longest - len(x)) for x, _ in rows])
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def ours(model_dir, lines, steps, whole, folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    (folder / "text.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    options = {
        "model.name_or_path": model_dir, "model.hidden_dropout_prob": 0, "model.attention_probs_dropout_prob": 0, "task.type": "mlm",
        "task.whole_word_masking": str(whole).lower(), "data.train_file": folder / "text.txt", "data.max_seq_length": LENGTH,
        "train.max_steps": steps, "train.seed": SEED, "train.train_batch_size": BATCH, "train.group_by_length": "false",
        "optim.learning_rate": 5e-5, "optim.adam_epsilon": 1e-8, "eval.eval_strategy": "no", "run.logging_steps": 1}
    (folder / "experiment.yaml").write_text("model: {}\n")
    sets = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    g.run("train", folder / "experiment.yaml", *sets, "--name", "run", "--runs", folder / "runs", "--json")
    events = EventAccumulator(str(folder / "runs/run"), size_guidance={"scalars": 0})
    events.Reload()
    return [x.value for x in events.Scalars("train/loss")]


def losses_agree(folder, whole):
    model, lines, steps = tiny_lm(folder / "model"), reviews(120), 24
    a, b = ours(model, lines, steps, whole, folder), theirs(model, lines, steps, whole)
    worst = max(abs(x - y) / y for x, y in zip(a, b, strict=True))
    print(f"{steps} steps, loss {b[0]:.4f} → {b[-1]:.4f}: largest relative difference {worst:.1e}")
    assert max(b) - min(b) > 1e-3 and worst <= 1e-3, worst


def test_losses(folder):
    losses_agree(folder, False)


def test_losses_of_whole_words(folder):
    losses_agree(folder, True)


def test_filled_masks(folder):
    """The five likeliest words of each mask and their probabilities, of a checkpoint that a run of ours saved."""
    model = tiny_lm(folder / "model")
    ours(model, reviews(60), 5, False, folder)
    text = "the [MASK] is a very good [MASK], they say"
    found = json.loads(g.run("predict", folder / "runs/run", "--runs", folder / "runs", "--text", text, "--json").stdout)["answers"]
    saved = folder / "runs/run/last"
    tokenizer, lm = g.AutoTokenizer.from_pretrained(saved), AutoModelForMaskedLM.from_pretrained(saved).eval()
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        logits = lm(**inputs).logits[0]
    places = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero()[:, 0].tolist()
    assert len(places) == 2 and len(found) == 10
    for m, place in enumerate(places):
        top = logits[place].softmax(-1).topk(5)
        for k in range(5):
            one = found[m * 5 + k]
            assert one["label"] == tokenizer.convert_ids_to_tokens(top.indices[k].item()), (one, m, k)
            assert abs(one["score"] - top.values[k].item()) <= 1e-6, (one, top.values[k])
            assert text[one["begin"]:one["end"]] == "[MASK]" and one["chosen"] == (k == 0), one


if __name__ == "__main__":
    g.main(globals())
