#!/usr/bin/env python3
"""Adapters that peft wrote, as models: predictions and the start of a run against peft's merge_and_unload; our own exports read back."""
import json

import peft
from safetensors.torch import load_file

import golden_tools as g
from golden_tools import torch
from test_losses import data
from transformers import (AutoModelForQuestionAnswering, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer,
                          BertModel)

LIMIT = 1e-4
EVERYWHERE = ["query", "key", "value", "dense"]


def stir(model, seed):
    """Numbers for everything that an adapter's file holds: peft begins with products of zero."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.add_(torch.randn_like(p) * (0.15 if "lora_" in name else 0.1))


def adapter(base, to, config, safe=True, tokenizer=None):
    """Writes an adapter on a model that transformers loaded; the model that it makes."""
    model = peft.get_peft_model(base, config)
    stir(model, 3)
    model.eval().save_pretrained(to, safe_serialization=safe)
    if tokenizer:
        AutoTokenizer.from_pretrained(tokenizer).save_pretrained(to)
    return model


def labelled(base, n=3):
    return AutoModelForSequenceClassification.from_pretrained(base, num_labels=n, ignore_mismatched_sizes=True)


def logits(model, tokenizer, texts):
    with torch.no_grad():
        return model(**AutoTokenizer.from_pretrained(tokenizer)(texts, padding=True, return_tensors="pt")).logits


def compare(folder, model, base, what):
    """bertty's logits of the directory against the model's own, and against those after merging."""
    texts = data(24)[0]
    ours = g.bertty_logits(folder, texts)
    with_adapter, plain = logits(model, base, texts), logits(model.merge_and_unload().eval(), base, texts)
    apart = max(g.largest_difference(ours, with_adapter), g.largest_difference(ours, plain))
    print(f"{what}: largest difference {apart:.1e}")
    assert apart <= LIMIT, (what, apart)
    return ours


def differs(ours, base_model, base, what):
    assert g.largest_difference(ours, logits(base_model, base, data(24)[0])) > 0.01, f"{what}: the adapter changes nothing"


def test_classifier(folder):
    base = g.tiny(folder / "base", ["a", "b", "c"])
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=16, target_modules=EVERYWHERE, modules_to_save=["classifier", "pooler"])
    model = adapter(labelled(base), folder / "adapter", config, tokenizer=base)
    differs(compare(folder / "adapter", model, base, "everywhere"), labelled(base).eval(), base, "everywhere")
    names = {a["label"] for a in g.bertty_predict(folder / "adapter", data(24)[0])}
    assert names <= {"a", "b", "c"}, names


def test_scales(folder):
    """alpha/sqrt(r), ranks and alphas of some modules, and biases, which the file has under other names."""
    base = g.tiny(folder / "base", ["a", "b", "c"])
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=8, use_rslora=True, target_modules=EVERYWHERE, bias="all",
                             rank_pattern={"layer.1.attention.self.query": 6}, alpha_pattern={"layer.0.output.dense": 2, "key": 3})
    compare(folder / "adapter", adapter(labelled(base), folder / "adapter", config), base, "rslora, patterns, biases")
    keys = set(load_file(folder / "adapter/adapter_model.safetensors"))
    assert any("base_layer.bias" in k for k in keys) and any("LayerNorm.bias" in k for k in keys), sorted(keys)


def test_base_without_head(folder):
    """The base is saved without "bert." and without a head: all of it is the adapter's; other labels than the base's two."""
    tiny = g.tiny(folder / "tiny", ["a", "b", "c"])
    g.save(BertModel.from_pretrained(tiny), tiny, folder / "base")
    base = labelled(folder / "base", 4)
    config = peft.LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query"], modules_to_save=["pooler"], init_lora_weights="gaussian")
    compare(folder / "adapter", adapter(base, folder / "adapter", config), tiny, "without a head")
    assert len(g.bertty_predict(folder / "adapter", ["fine"])[0]["scores"]) == 4


def test_torch_file_and_names(folder):
    """adapter_model.bin; the base beside the adapter, and by its name in the cache."""
    base = g.tiny(folder / "base", ["a", "b"])
    config = peft.LoraConfig(task_type="SEQ_CLS", r=3, lora_alpha=5, target_modules=["value", "output.dense"])
    model = adapter(labelled(base, 2), folder / "adapter", config, safe=False)
    assert (folder / "adapter/adapter_model.bin").exists()
    ours = compare(folder / "adapter", model, base, "adapter_model.bin")
    texts, settings = data(24)[0], folder / "adapter/adapter_config.json"
    told = json.loads(settings.read_text())
    settings.write_text(json.dumps({**told, "base_model_name_or_path": "../base"}))
    assert torch.equal(g.bertty_logits(folder / "adapter", texts), ours)
    commit, cache = "0123456789abcdef0123456789abcdef01234567", folder / "cache/models--some--base"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs/v2").write_text(commit)
    (cache / "snapshots").mkdir()
    (folder / "base").rename(cache / "snapshots" / commit)
    settings.write_text(json.dumps({**told, "base_model_name_or_path": "some/base", "revision": "v2"}))
    done = g.run("predict", folder / "adapter", "--text", texts[0], "--json", env={**g.os.environ, "HF_HUB_CACHE": str(folder / "cache")})
    assert g.largest_difference(torch.tensor(json.loads(done.stdout)["logits"]), ours[0]) < 1e-5


def test_tokens_and_answers(folder):
    base = g.tiny(folder / "base", ["a", "b"])
    tokens = AutoModelForTokenClassification.from_pretrained(base, num_labels=5, ignore_mismatched_sizes=True)
    config = peft.LoraConfig(task_type="TOKEN_CLS", target_modules=["query", "value"])
    model = adapter(tokens, folder / "tokens", config).merge_and_unload().eval()
    found = g.bertty_predict(folder / "tokens", ["Anna saw Paris"])[0]
    best = logits(model, base, ["Anna saw Paris"])[0, 1:-1].softmax(-1).max(-1)
    assert [f"LABEL_{i}" for i in best.indices.tolist()] == found["tags"], (found, best)
    answers = AutoModelForQuestionAnswering.from_pretrained(base)
    config = peft.LoraConfig(task_type="QUESTION_ANS", target_modules=["query", "value"])
    model = adapter(answers, folder / "answers", config).merge_and_unload().eval()
    found = json.loads(g.run("predict", folder / "answers", "--text", "Who?", "--pair", "Anna saw Paris", "--json").stdout)
    with torch.no_grad():
        out = model(**AutoTokenizer.from_pretrained(base)("Who?", "Anna saw Paris", return_tensors="pt"))
    start, end = out.start_logits[0, 4:7].double(), out.end_logits[0, 4:7].double()
    spans = {(s, e): (start[s] + end[e]).item() for s in range(3) for e in range(s, 3)}
    (s, e), _ = max(spans.items(), key=lambda span: span[1])
    assert found["answers"][0]["label"] == " ".join("Anna saw Paris".split()[s:e + 1]), (found, spans)


def test_start_of_a_run(folder):
    """A run that learns nothing keeps the merged weights; with LoRA on top it learns beside them."""
    base = g.tiny(folder / "base", ["negative", "positive"])
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=16, target_modules=EVERYWHERE, modules_to_save=["classifier", "pooler"])
    merged = adapter(labelled(base, 2), folder / "adapter", config).merge_and_unload().state_dict()
    experiment = folder / "experiment.yaml"
    experiment.write_text(f"model: {{name_or_path: adapter}}\ndata: {{train_file: {g.ROOT}/experiments/data/movie-reviews/train.tsv, "
                          "max_train_samples: 40, text_column: text, label_column: label}\ntrain: {max_steps: 2}\n")
    for name, more in (("still", ["optim.learning_rate=1e-30"]), ("beside", ["model.adapter=lora"])):
        sets = [part for s in more for part in ("--set", s)]
        g.run("train", experiment, *sets, "--name", name, "--runs", folder / "runs")
    saved = load_file(folder / "runs/still/last/model.safetensors")
    assert set(saved) <= set(merged), set(saved) - set(merged)
    apart = max(g.largest_difference(saved[k], merged[k]) for k in saved)
    print(f"start of a run: largest difference {apart:.1e}")
    assert apart <= 1e-6, apart
    told = json.loads((folder / "runs/still/run.json").read_text())
    files = {g.Path(p).relative_to(folder.resolve()).as_posix() for p in told["model"]}
    assert {"adapter/adapter_config.json", "adapter/adapter_model.safetensors", "base/model.safetensors"} <= files, files
    refused = g.run("export", folder / "runs/beside", folder / "stacked", "--adapter", ok=False)
    assert refused.returncode == 1 and "an adapter itself" in refused.stderr, refused.stderr
    assert not (folder / "stacked").exists()
    below = load_file(folder / "runs/beside/last/base.safetensors")
    apart = max(g.largest_difference(below[k], merged[k]) for k in below)
    assert below and apart <= 1e-6, apart


def test_our_own_export(folder):
    """predict of an exported adapter is predict of the run, labels by their names; peft loads it as before."""
    base = g.tiny(folder / "base", ["x", "y"])
    experiment = folder / "experiment.yaml"
    experiment.write_text(f"model: {{name_or_path: base, adapter: lora}}\ndata: {{train_file: rows.tsv, text_column: text, label_column: label}}\n"
                          "train: {max_steps: 8}\noptim: {learning_rate: 1e-2}\n")
    rows = [f"{t}\t{'good' if i % 3 else 'bad' if i % 2 else 'so so'}" for i, t in enumerate(data(60)[0])]
    (folder / "rows.tsv").write_text("text\tlabel\n" + "\n".join(rows) + "\n")
    g.run("train", experiment, "--name", "run", "--runs", folder / "runs")
    g.run("export", folder / "runs/run", folder / "adapter", "--adapter")
    texts = data(24)[0]
    of_run, of_export = (g.bertty_predict(d, texts) for d in (folder / "runs/run", folder / "adapter"))
    assert [a["label"] for a in of_run] == [a["label"] for a in of_export], (of_run[0], of_export[0])
    assert {"good"} <= {k for a in of_export for k in a["scores"]} == {"good", "bad", "so so"}, of_export[0]
    loaded = peft.AutoPeftModelForSequenceClassification.from_pretrained(folder / "adapter", num_labels=3, ignore_mismatched_sizes=True)
    ours = torch.tensor([a["logits"] for a in of_export])
    apart = max(g.largest_difference(ours, logits(loaded.eval(), base, texts)),
                g.largest_difference(ours, torch.tensor([a["logits"] for a in of_run])))
    print(f"our own: largest difference {apart:.1e}")
    assert apart <= LIMIT, apart


if __name__ == "__main__":
    g.main(globals())
