#!/usr/bin/env python3
"""What hf_finetune.py has not: multiple choice (SWAG's CSV, as run_swag.py does it) and SQuAD 2.0 with questions that have no answer
(as run_qa.py does it). Same options, same Trainer; the last line printed is one JSON object. For tests/bench/task_figures.py."""
import argparse
import collections
import csv
import json
import re
import string
import tempfile
import time

import numpy
import torch
import transformers

CHOICES = [f"ending{i}" for i in range(4)]
BEST, LONGEST = 20, 30


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=["choice", "qa2"], required=True)
    for name in "model", "train", "eval":
        parser.add_argument(f"--{name}", required=True)
    for name, kind, usual in (("epochs", float, 3), ("batch", int, 32), ("lr", float, 5e-5), ("wd", float, 0.01), ("warmup", float, 0.1),
                              ("max-len", int, 128), ("stride", int, 128), ("seed", int, 42), ("threads", int, 2)):
        parser.add_argument(f"--{name}", type=kind, default=usual)
    parser.add_argument("--group", action="store_true")
    return parser.parse_args()


def choice_items(path, tokenizer, a, _):
    """One item a row: four encodings of (first sentence, start of the second + ending)."""
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    items = []
    for row in rows:
        second = [f"{row['sent2']} {row[ending]}" for ending in CHOICES]
        e = tokenizer([row["sent1"]] * len(CHOICES), second, truncation=True, max_length=a.max_len)
        items.append({**e, "labels": int(row["label"])})
    return items, rows


def questions(path):
    with open(path, encoding="utf-8") as f:
        articles = json.load(f)["data"]
    return [(q["question"].strip(), p["context"], [(x["text"], x["answer_start"]) for x in q["answers"]])
            for article in articles for p in article["paragraphs"] for q in p["qas"]]


def span(offsets, sequence, answer):
    """First and last token of the answer in this window; (0, 0) if it is not whole there."""
    if answer is None:
        return 0, 0
    start, end = answer[1], answer[1] + len(answer[0])
    inside = [i for i, s in enumerate(sequence) if s == 1]
    if offsets[inside[0]][0] > start or offsets[inside[-1]][1] < end:
        return 0, 0
    return (max(i for i in inside if offsets[i][0] <= start), min(i for i in inside if offsets[i][1] >= end))


def qa_items(path, tokenizer, a, training):
    asked = questions(path)
    e = tokenizer([q for q, _, _ in asked], [c for _, c, _ in asked], truncation="only_second", max_length=a.max_len, stride=a.stride,
                  return_overflowing_tokens=True, return_offsets_mapping=True)
    items = []
    for i, which in enumerate(e["overflow_to_sample_mapping"]):
        item = {key: e[key][i] for key in ("input_ids", "attention_mask", "token_type_ids")}
        if training:
            answers = asked[which][2]
            item["start_positions"], item["end_positions"] = span(e["offset_mapping"][i], e.sequence_ids(i), answers[0] if answers else None)
        items.append(item)
    return items, (asked, e)


def normal(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def overlap(prediction, gold):
    p, g = normal(prediction), normal(gold)
    if not p or not g:
        return float(p == g)
    same = sum((collections.Counter(p) & collections.Counter(g)).values())
    return 2 * same / (len(p) + len(g))


def answered(asked, e, starts, ends):
    """The best span of each question, or "" where the weakest null score of its windows beats it."""
    null, best = {}, {}
    for i, which in enumerate(e["overflow_to_sample_mapping"]):
        null[which] = min(null.get(which, float("inf")), starts[i][0] + ends[i][0])
        sequence, offsets = e.sequence_ids(i), e["offset_mapping"][i]
        n = len(sequence)
        for s in numpy.argsort(-starts[i][:n])[:BEST]:
            for t in numpy.argsort(-ends[i][:n])[:BEST]:
                if sequence[s] == 1 and sequence[t] == 1 and s <= t < s + LONGEST:
                    score = starts[i][s] + ends[i][t]
                    if which not in best or score > best[which][0]:
                        best[which] = (score, asked[which][1][offsets[s][0]:offsets[t][1]])
    return [best[k][1] if k in best and best[k][0] >= null[k] else "" for k in range(len(asked))]


def qa_scores(raw, predictions):
    asked, e = raw
    found = answered(asked, e, *predictions)
    exact, f1 = [], []
    for text, (_, _, answers) in zip(found, asked):
        golds = [a for a, _ in answers if normal(a)] or [""]
        exact.append(max(float(normal(text) == normal(g)) for g in golds))
        f1.append(max(overlap(text, g) for g in golds))
    parts = {"": numpy.ones(len(asked), bool), "HasAns_": numpy.array([bool(x[2]) for x in asked])}
    parts["NoAns_"] = ~parts["HasAns_"]
    return {prefix + name: 100 * float(numpy.mean(numpy.array(values)[mask]))
            for prefix, mask in parts.items() if mask.any() for name, values in (("exact_match", exact), ("f1", f1))}


def choice_scores(rows, predictions):
    gold = numpy.array([int(row["label"]) for row in rows])
    return {"accuracy": float((predictions.argmax(-1) == gold).mean())}


def main():
    a = parsed()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(a.threads)
    transformers.set_seed(a.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(a.model)
    choice = a.task == "choice"
    items = choice_items if choice else qa_items
    train, _ = items(a.train, tokenizer, a, True)
    held, raw = items(a.eval, tokenizer, a, False)
    kind = transformers.AutoModelForMultipleChoice if choice else transformers.AutoModelForQuestionAnswering
    collate = transformers.DataCollatorForMultipleChoice(tokenizer) if choice else transformers.DataCollatorWithPadding(tokenizer)
    settings = transformers.TrainingArguments(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=a.batch, per_device_eval_batch_size=64, num_train_epochs=a.epochs,
        learning_rate=a.lr, weight_decay=a.wd, warmup_ratio=a.warmup, report_to=[], save_strategy="no", group_by_length=a.group,
        use_cpu=True, disable_tqdm=True, seed=a.seed, remove_unused_columns=False)
    trainer = transformers.Trainer(kind.from_pretrained(a.model), settings, train_dataset=train, processing_class=tokenizer,
                                   data_collator=collate)
    start = time.time()
    trainer.train()
    out = {"task": a.task, "seed": a.seed, "train_rows": len(train), "train_s": round(time.time() - start, 2)}
    trainer.args.group_by_length = False
    predictions = trainer.predict(held).predictions
    out.update(eval_rows=len(held), **(choice_scores if choice else qa_scores)(raw, predictions))
    print(json.dumps(out))


if __name__ == "__main__":
    main()
