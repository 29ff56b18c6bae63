#!/usr/bin/env python3
"""Named entities beside transformers: a model of theirs here, a model of ours there, and the loss of every training step."""
import json
import zlib

import golden_tools as g
from golden_tools import torch
from peer_losses import NO_DROPOUT, Plan, compare_losses, our_losses, their_losses
from transformers import AutoModelForTokenClassification, BertConfig, BertForTokenClassification, pipeline

TAGS = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
ZERO_WIDTH = "\u200b"


def reviews(n):
    """Words of the film reviews with made-up tags: a word's first letter decides, and a run of the same type is one entity."""
    found = g.rows(g.ROOT / "experiments/data/movie-reviews/train.tsv", header=True)
    sentences = [r[0].split()[:40] for r in found[::len(found) // n][:n]]
    out = []
    for words in sentences:
        types = [{0: "PER", 1: "LOC"}.get(zlib.crc32(w[:2].encode()) % 6) for w in words]
        before = [None, *types]
        out.append((words, ["O" if not t else f"{'I' if t == b else 'B'}-{t}" for t, b in zip(types, before)]))
    return out


def conll(path, sentences):
    path.write_text("".join("".join(f"{w}\t{t}\n" for w, t in zip(*s)) + "\n" for s in sentences), encoding="utf-8")
    return path


def tiny(to, seed=1, **config):
    size = {"vocab_size": 30522, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
            "intermediate_size": 64, "max_position_embeddings": 512, "initializer_range": 0.2}
    torch.manual_seed(seed)
    names = {"id2label": dict(enumerate(TAGS)), "label2id": {n: i for i, n in enumerate(TAGS)}}
    model = BertForTokenClassification(BertConfig(**{**size, **config}, num_labels=len(TAGS), **names))
    g.draw_head(model, seed, 0.5)
    g.save(model, g.MODEL, to)
    return to


def first_pieces(tokenizer, words):
    encoded = tokenizer(words, is_split_into_words=True, return_tensors="pt")
    ids = encoded.word_ids(0)
    return encoded, {w: i for i, w in reversed(list(enumerate(ids))) if w is not None}


def theirs(directory, sentences):
    """For each sentence the logits of the words' first pieces, by the word's number."""
    model = AutoModelForTokenClassification.from_pretrained(directory).eval()
    tokenizer = g.AutoTokenizer.from_pretrained(directory)
    names = [model.config.id2label[i] for i in range(len(model.config.id2label))]
    with torch.no_grad():
        for words in sentences:
            encoded, first = first_pieces(tokenizer, words)
            logits = model(**encoded).logits[0]
            yield {w: logits[i] for w, i in sorted(first.items())}, names


def compare_model(directory, folder, model):
    """model: what bertty is asked for; directory: where transformers finds it. Returns how many entities there were."""
    sentences = [words for words, _ in reviews(60)]
    sentences[3:3] = [["a", ZERO_WIDTH, "Zürich", "unaffable-tokenization's"], [ZERO_WIDTH, "\ufeff"], ["日本", "[MASK]", "x" * 200]]
    asked = folder / "asked.jsonl"
    asked.write_text("".join(json.dumps({"tokens": s}) + "\n" for s in sentences), encoding="utf-8")
    done = g.run("predict", model, "--words", asked, "--json", "--runs", folder / "runs")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    worst = found = 0
    for words, answer, (rows, names) in zip(sentences, answers, theirs(directory, sentences), strict=True):
        assert answer["tokens"] == words
        got = torch.tensor(answer["logits"]).view(-1, len(names))
        assert len(got) == len(rows), words
        if rows:
            worst = max(worst, g.largest_difference(got, torch.stack(list(rows.values()))))
        tags = [names[rows[i].argmax()] if i in rows else "O" for i in range(len(words))]
        assert answer["tags"] == tags, (words, answer["tags"], tags)
        found += len(answer["answers"])
    print(f"{len(sentences)} sentences, {found} entities: logits apart by {worst:.1e}")
    assert worst <= 1e-4
    return found


def test_their_model_here(folder):
    """A directory that has no run: the task, the tags and the length are those of config.json."""
    assert compare_model(tiny(folder / "model", seed=1, hidden_size=64), folder, folder / "model") > 50


def compare_pipeline(directory, answers, texts):
    """Their pipeline reads the raw text; "first" takes a word's tag from its first piece, as we do, and joins words as their tags say."""
    ask = pipeline("token-classification", model=str(directory), aggregation_strategy="first")
    for text, answer in zip(texts, answers, strict=True):
        ours = [(a["label"], a["begin"], a["end"]) for a in answer["answers"]]
        assert ours == [(e["entity_group"], e["start"], e["end"]) for e in ask(text)], (text, ours)
    return sum(len(a["answers"]) for a in answers)


def test_our_checkpoint_there(folder):
    """A trained run's checkpoint, as they load it: the same logits, and in their pipeline the same entities of raw text."""
    data = conll(folder / "train.conll", reviews(120))
    experiment = folder / "x.yaml"
    experiment.write_text(f"""
model: {{name_or_path: {tiny(folder / 'start', hidden_size=64, initializer_range=0.1)}}}
task: {{type: ner}}
data: {{train_file: {data}}}
train: {{max_steps: 60, train_batch_size: 16}}
optim: {{learning_rate: 3e-3}}
""")
    g.run("train", experiment, "--name", "run", "--runs", folder / "runs")
    directory = folder / "runs/run/last"
    assert compare_model(directory, folder, "run") > 50
    texts = [" ".join(words) for words, _ in reviews(40)] + ["It's Zürich's day, isn't it? 日本 x"]
    asked = folder / "raw.txt"
    asked.write_text("\n".join(texts) + "\n", encoding="utf-8")
    done = g.run("predict", "run", asked, "--json", "--runs", folder / "runs")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert compare_pipeline(directory, answers, texts) > 30


def check_losses(folder, steps=24, rows=330, **options):
    sentences = reviews(rows)
    model = tiny(folder / "model", hidden_size=64, num_hidden_layers=3, initializer_range=0.1)
    plan = Plan(model, [], [], steps, **{"learning_rate": 1e-3, **options})
    data = conll(folder / "train.conll", sentences)
    a = our_losses(plan, data, {"task.type": "ner"}, folder, g.BERTTY)
    net = AutoModelForTokenClassification.from_pretrained(model, **NO_DROPOUT)
    tokenizer = g.AutoTokenizer.from_pretrained(model)
    encoded = [first_pieces(tokenizer, words) for words, _ in sentences]
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=plan.smoothing, reduction="sum")

    def loss(part):
        inputs = tokenizer([sentences[i][0] for i in part], is_split_into_words=True, padding=True, return_tensors="pt")
        logits = net(**inputs).logits
        picked = [logits[k, place] for k, i in enumerate(part) for place in encoded[i][1].values()]
        gold = [TAGS.index(sentences[i][1][w]) for i in part for w in encoded[i][1]]
        return loss_of(torch.stack(picked), torch.tensor(gold))

    lengths = [e["input_ids"].shape[1] for e, _ in encoded]
    b, _ = their_losses(plan, net, lengths, loss, lambda step: sum(len(encoded[i][1]) for i in step))
    compare_losses(plan, a, b)


def test_losses(folder):
    """A step's loss is the mean over its words, not over its sentences."""
    check_losses(folder)


def test_losses_grouped_accumulated_smoothed(folder):
    check_losses(folder, batch=8, accumulation=3, group=True, smoothing=0.1)


if __name__ == "__main__":
    g.main(globals())
