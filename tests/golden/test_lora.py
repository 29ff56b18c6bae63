#!/usr/bin/env python3
"""LoRA against peft: the loss of 50 steps from the same first matrices, and adapters and merged models of ours in peft and transformers."""
import json

import peft

import golden_tools as g
from golden_tools import torch
from peer_losses import Plan, compare, rng_key, uniform
from test_losses import data
from transformers import AutoModelForMaskedLM, AutoModelForQuestionAnswering, AutoModelForTokenClassification, AutoTokenizer

INIT_STREAM = 1


def name_hash(name):
    """FNV-1a"""
    h = 0xCBF29CE484222325
    for c in name.encode():
        h = (h ^ c) * 0x100000001B3 & 2**64 - 1
    return h


def first_matrix(name, shape, seed):
    """A as bertty draws it: uniform in ±1/√in, keyed by the parameter's name."""
    key, bound = rng_key(seed, INIT_STREAM, name_hash(name)), shape[1] ** -0.5
    drawn = [bound * (2 * uniform(key, i) - 1) for i in range(shape[0] * shape[1])]
    return torch.tensor(drawn, dtype=torch.float64).float().view(*shape)


def with_adapters(seed, **config):
    def prepare(model):
        model = peft.get_peft_model(model, peft.LoraConfig(task_type="SEQ_CLS", modules_to_save=["classifier", "pooler"], **config))
        drawn = 0
        with torch.no_grad():
            for name, p in model.named_parameters():
                if "lora_A" in name:
                    ours = name.removeprefix("base_model.model.").replace(".default", "")
                    assert p.abs().max() <= p.shape[1] ** -0.5, "peft draws from elsewhere"
                    p.copy_(first_matrix(ours, p.shape, seed))
                    drawn += 1
                assert "lora_B" not in name or not p.any(), name
        assert drawn
        return model.train()
    return prepare


def losses(folder, targets, trained, **lora):
    texts, labels = data(330)
    model = g.tiny(folder / "model", ["0", "1"], hidden_size=48, num_hidden_layers=2, initializer_range=0.1)
    plan = Plan(model, texts, labels, 50, batch=16, learning_rate=5e-3, weight_decay=0.1, max_grad_norm=0.7,
                trained=lambda name: any(part in name for part in (*trained, "pooler", "classifier")),
                prepare=with_adapters(7, r=8, target_modules=targets, **lora),
                more={"model.adapter": "lora", "model.lora_target_modules": f"[{', '.join(targets)}]", "run.save_strategy": "steps",
                      "run.save_only_model": "true", **{f"model.{k}": v for k, v in lora.items()}})
    compare(plan, folder, g.BERTTY_FAST)


def test_query_and_value(folder):
    losses(folder, ["query", "value"], ["query.weight", "value.weight"], lora_alpha=16)


def test_everywhere(folder):
    names = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
    losses(folder, names, [f"{name}.weight" for name in names], lora_alpha=4)


def train(folder, model, train_file, *sets):
    experiment = folder / "experiment.yaml"
    experiment.write_text("model: {}\n")
    options = {"model.name_or_path": model, "model.adapter": "lora", "data.train_file": train_file, "train.max_steps": 12,
               "data.max_train_samples": 200, "data.max_seq_length": 64, "optim.learning_rate": "1e-2"}
    sets = [f"{k}={v}" for k, v in options.items()] + list(sets)
    g.run("train", experiment, *[part for s in sets for part in ("--set", s)], "--name", "run", "--runs", folder / "runs", "--json",
          program=g.BERTTY_FAST)
    run = folder / "runs/run"
    g.run("export", run, folder / "merged")
    g.run("export", run, folder / "adapter", "--adapter")
    return run


def logits(model, tokenizer, texts, *more):
    with torch.no_grad():
        out = model.eval()(**tokenizer(texts, *more, padding=True, truncation=True, max_length=64, return_tensors="pt"))
    return torch.cat([out[k].flatten() for k in ("logits", "start_logits", "end_logits") if k in out])


def agree(a, b, what):
    apart = g.largest_difference(a, b)
    print(f"{what}: largest difference {apart:.1e}")
    assert apart <= 1e-4, (what, apart)


def test_classifier_in_peft(folder):
    """The adapter on its base, the merged model, and the checkpoint itself, which peft's presence must not spoil."""
    model = g.tiny(folder / "model", ["negative", "positive"])
    rows = g.ROOT / "experiments/data/movie-reviews/train.tsv"
    run = train(folder, model, rows, "data.text_column=text", "data.label_column=label", "model.lora_target_modules=[query, value, dense]",
                "model.lora_alpha=32", "model.lora_dropout=0.1")
    texts = data(40)[0]
    ours, tokenizer = g.bertty_logits(run, texts), AutoTokenizer.from_pretrained(run / "last")
    before = g.hf_logits(model, texts, max_length=64)
    assert g.largest_difference(ours, before) > 0.1, "the training changed nothing"
    agree(ours, g.hf_logits(run / "last", texts, max_length=64), "checkpoint")
    agree(ours, g.hf_logits(folder / "merged", texts, max_length=64), "merged")
    base = g.AutoModelForSequenceClassification.from_pretrained(model)
    loaded = peft.PeftModel.from_pretrained(base, folder / "adapter")
    assert isinstance(loaded, peft.PeftModelForSequenceClassification)
    agree(ours.flatten(), logits(loaded, tokenizer, texts), "adapter")
    auto = peft.AutoPeftModelForSequenceClassification.from_pretrained(folder / "adapter")
    agree(ours.flatten(), logits(auto, tokenizer, texts), "adapter, by itself")
    agree(ours.flatten(), logits(loaded.merge_and_unload(), tokenizer, texts), "adapter, merged by peft")


def test_some_layers(folder):
    model = g.tiny(folder / "model", ["negative", "positive"], num_hidden_layers=3)
    rows = g.ROOT / "experiments/data/movie-reviews/train.tsv"
    run = train(folder, model, rows, "data.text_column=text", "data.label_column=label", "model.freeze_layers=1")
    base = g.AutoModelForSequenceClassification.from_pretrained(model)
    loaded = peft.PeftModel.from_pretrained(base, folder / "adapter")
    assert not any("layer.0." in n and "lora" in n for n, _ in loaded.named_parameters())
    texts = data(40)[0]
    agree(g.bertty_logits(run, texts).flatten(), logits(loaded, AutoTokenizer.from_pretrained(run / "last"), texts), "layers 1 and 2")


def test_entities(folder):
    model = g.tiny(folder / "model", ["negative", "positive"])
    rows = folder / "train.jsonl"
    rows.write_text("".join(json.dumps({"tokens": ["Anna", "saw", "Paris", f"{i}"], "tags": ["B-PER", "O", "B-LOC", "O"]}) + "\n"
                            for i in range(64)))
    train(folder, model, rows, "task.type=ner")
    merged = AutoModelForTokenClassification.from_pretrained(folder / "merged")
    base = AutoModelForTokenClassification.from_pretrained(model, num_labels=merged.config.num_labels, ignore_mismatched_sizes=True)
    loaded = peft.PeftModel.from_pretrained(base, folder / "adapter")
    assert isinstance(loaded, peft.PeftModelForTokenClassification)
    tokenizer, texts = AutoTokenizer.from_pretrained(folder / "merged"), ["Anna saw Paris", "nobody saw it"]
    agree(logits(merged, tokenizer, texts), logits(loaded, tokenizer, texts), "entities")


def test_answers(folder):
    model = g.tiny(folder / "model", ["negative", "positive"])
    rows = folder / "train.json"
    context = "Anna saw Paris in spring."
    rows.write_text(json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": [
        {"id": str(i), "question": "What did Anna see?", "answers": [{"text": "Paris", "answer_start": 9}]} for i in range(40)]}]}]}))
    train(folder, model, rows, "task.type=qa", "task.doc_stride=16", "task.max_query_length=16")
    merged = AutoModelForQuestionAnswering.from_pretrained(folder / "merged")
    loaded = peft.PeftModel.from_pretrained(AutoModelForQuestionAnswering.from_pretrained(model), folder / "adapter")
    assert isinstance(loaded, peft.PeftModelForQuestionAnswering)
    tokenizer = AutoTokenizer.from_pretrained(folder / "merged")
    inner = loaded.get_base_model()  # the outer class forgets token_type_ids
    agree(logits(merged, tokenizer, ["What?"], [context]), logits(inner, tokenizer, ["What?"], [context]), "answers")


def test_masked_words(folder):
    """The head goes along whole, with the decoder that is tied to the word embeddings."""
    model = g.tiny(folder / "model", ["negative", "positive"])
    rows = folder / "train.txt"
    rows.write_text("".join(f"the film was good for the {i}th time\n" for i in range(64)))
    train(folder, model, rows, "task.type=mlm")
    merged = AutoModelForMaskedLM.from_pretrained(folder / "merged")
    loaded = peft.PeftModel.from_pretrained(AutoModelForMaskedLM.from_pretrained(model), folder / "adapter")
    tokenizer, texts = AutoTokenizer.from_pretrained(folder / "merged"), ["the film was [MASK]"]
    agree(logits(merged, tokenizer, texts), logits(loaded, tokenizer, texts), "masked words")


if __name__ == "__main__":
    g.main(globals())
