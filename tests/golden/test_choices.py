#!/usr/bin/env python3
"""Aspects and multiple choice beside PyTorch: the loss of every training step, and the saved checkpoints in transformers' Auto classes."""
import csv
import json
import random

from transformers import AutoModelForMultipleChoice, BertConfig, BertForMultipleChoice

import golden_tools as g
from golden_tools import torch
from peer_losses import NO_DROPOUT, Plan, compare_losses, our_losses, their_losses

LIMIT = 1e-4
LABELS = ["-1", "0", "1"]
FORMATS = {
    "spc": lambda aspect: aspect,
    "nli_m": lambda aspect: " - ".join(aspect.split("#")),
    "qa_m": lambda aspect: "what do you think of the {1} of {0} ?".format(*(aspect.split("#") if "#" in aspect else ("it", aspect)))}


def train(folder, settings):
    experiment = folder / "experiment.yaml"
    experiment.write_text("model: {}\n")
    told = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    g.run("train", experiment, *told, "--name", "run", "--runs", folder / "runs", "--json")
    return folder / "runs/run"


def config_of(checkpoint):
    return json.loads((checkpoint / "config.json").read_text())


def foreign(directory):
    """Makes a model directory one of another program's: nothing of bertty's stands in it."""
    config = config_of(directory)
    del config["bertty"]
    (directory / "config.json").write_text(json.dumps(config))
    return directory


def evaluated(run, *arguments):
    return json.loads(g.run("eval", run, *arguments, "--json").stdout.splitlines()[-1])


# ── aspects ──


def segments(n):
    """Sentence, aspect, label of the first records, some aspects with a target; what stands in the file."""
    lines = g.shared("absa_semeval14/Restaurants_Train.xml.seg").read_text(encoding="utf-8").split("\n")[:3 * n]
    lines[1::9] = [f"place#{aspect}" for aspect in lines[1::9]]
    rows = [(lines[i].replace("$T$", lines[i + 1].strip()), lines[i + 1].strip(), lines[i + 2].strip()) for i in range(0, 3 * n, 3)]
    return rows, "\n".join(lines) + "\n"


def test_aspect_losses(folder):
    rows, text = segments(300)
    (folder / "train.seg").write_text(text, encoding="utf-8")
    model = g.tiny(folder / "model", LABELS, hidden_size=64, num_hidden_layers=3, initializer_range=0.1)
    tokenizer = g.AutoTokenizer.from_pretrained(model)
    texts, labels = [r[0] for r in rows], [LABELS.index(r[2]) for r in rows]
    for format_ in ("spc", "qa_m"):
        pairs = [FORMATS[format_](r[1]) for r in rows]
        plan = Plan(model, texts, labels, 20, batch=16, accumulation=2, group=True, learning_rate=1e-3, smoothing=0.05,
                    weight_decay=0.1)
        here = folder / format_
        here.mkdir()
        ours = our_losses(plan, folder / "train.seg", {"task.type": "absa", "task.absa_format": format_}, here, g.BERTTY)
        theirs = g.AutoModelForSequenceClassification.from_pretrained(model, **NO_DROPOUT)
        lengths = [len(i) for i in tokenizer(texts, pairs, truncation=True, max_length=128)["input_ids"]]

        def loss(part):
            inputs = tokenizer([texts[i] for i in part], [pairs[i] for i in part], truncation=True, max_length=128, padding=True,
                               return_tensors="pt")
            return torch.nn.functional.cross_entropy(theirs(**inputs).logits, torch.tensor([labels[i] for i in part]), reduction="sum",
                                                     label_smoothing=plan.smoothing)
        compare_losses(plan, ours, their_losses(plan, theirs, lengths, loss, len)[0])


def test_aspect_checkpoints(folder):
    rows, text = segments(120)
    (folder / "train.seg").write_text(text, encoding="utf-8")
    model = g.tiny(folder / "model", ["LABEL_0", "LABEL_1"])
    more = [("The soup of the day was cold .", "SOUP#QUALITY"), ("C# is a fine tool", "C"), ("slow but kind staff", "staff")]
    texts, aspects = [[r[i] for r in rows + more] for i in (0, 1)]
    for format_, second in FORMATS.items():
        here = folder / format_
        here.mkdir()
        run = train(here, {"model.name_or_path": model, "task.type": "absa", "task.absa_format": format_, "data.train_file": folder / "train.seg",
                           "data.val_set_size": 0.2, "data.max_seq_length": 40, "train.max_steps": 6, "optim.learning_rate": 1e-3})
        config = config_of(run / "best")
        assert list(config["id2label"].values()) == LABELS and config["problem_type"] == "single_label_classification", config
        mine = g.bertty_logits(run, texts, aspects)
        theirs = g.hf_logits(run / "best", texts, [second(a) for a in aspects], max_length=40)
        apart = g.largest_difference(mine, theirs)
        print(f"absa, {format_}: largest difference {apart:.1e}")
        assert apart <= LIMIT and theirs.std() > 0.01
        g.run("export", run, here / "model")  # keeps what its run was told of the task
        assert g.largest_difference(g.bertty_logits(here / "model", texts, aspects), theirs) <= LIMIT
        alone, seconds = foreign(here / "model"), [second(a) for a in aspects]  # takes pairs: the second text is what stands there
        assert g.largest_difference(g.bertty_logits(alone, texts, seconds), g.hf_logits(alone, texts, seconds)) <= LIMIT
        gold = torch.tensor([LABELS.index(r[2]) for r in rows])
        accuracy = (theirs[:len(rows)].argmax(-1) == gold).double().mean().item()
        found = evaluated(run, "--data", folder / "train.seg")["metrics"]["accuracy"]
        assert abs(found - accuracy) < 1e-9, (found, accuracy)


def test_aspects_of_a_table(folder):
    """The same rows in columns: the same run."""
    rows, text = segments(100)
    (folder / "train.seg").write_text(text, encoding="utf-8")
    (folder / "train.jsonl").write_text("".join(json.dumps({"aspect": a, "sentence": t, "polarity": y}) + "\n" for t, a, y in rows), encoding="utf-8")
    model = g.tiny(folder / "model", ["LABEL_0", "LABEL_1"])
    settings = {"model.name_or_path": model, "task.type": "absa", "train.max_steps": 3}
    found = []
    for name, more in (("train.seg", {}), ("train.jsonl", {"data.text_column": "sentence", "data.aspect_column": "aspect",
                                                           "data.label_column": "polarity"})):
        here = folder / name.split(".")[1]
        here.mkdir()
        run = train(here, {**settings, "data.train_file": folder / name, **more})
        found.append((run / "last/model.safetensors").read_bytes())
    assert found[0] == found[1]
    by_hand = evaluated(folder / "seg/runs/run", "--data", folder / "train.jsonl", "--text", "sentence", "--aspect", "aspect", "--label", "polarity")
    assert by_hand["metrics"] == evaluated(folder / "jsonl/runs/run", "--data", folder / "train.jsonl")["metrics"]


# ── choices ──


def choice_model(folder):
    torch.manual_seed(2)
    config = BertConfig(vocab_size=30522, hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64,
                        max_position_embeddings=64, initializer_range=0.1)
    model = BertForMultipleChoice(config)
    g.draw_head(model, 3, 0.5)
    g.save(model, g.MODEL, folder)
    return folder


def questions(n, choices=4, seed=1):
    """Text, start of the ending, endings, number of the right one."""
    source = random.Random(seed)
    words = "the a cook dog pan water fire red cold runs cuts stirs falls slowly again table cup street rain laughs".split()

    def some(low, high):
        return " ".join(source.choice(words) for _ in range(source.randint(low, high)))
    return [(some(3, 30), some(0, 2), [some(1, 14) for _ in range(choices)], source.randrange(choices)) for _ in range(n)]


def swag(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as f:
        w = csv.writer(f)
        w.writerow(["", "video-id", "sent1", "sent2", *(f"ending{i}" for i in range(len(rows[0][2]))), "label"])
        for i, (text, start, endings, right) in enumerate(rows):
            w.writerow([i, f"v{i}", text, start, *endings, right])
    return path


def choices_of(row):
    return [f"{row[1]} {e}" for e in row[2]]


def encoded(tokenizer, rows, length):
    """As run_swag: the text beside each choice, groups of them."""
    n = len(rows[0][2])
    e = tokenizer([r[0] for r in rows for _ in range(n)], [c for r in rows for c in choices_of(r)], truncation=True, max_length=length,
                  padding=True, return_tensors="pt")
    return {k: v.view(len(rows), n, -1) for k, v in e.items()}


def test_choice_losses(folder):
    """Batches of 7 questions with 3 choices: their 21 sequences are cut into shards in the middle of questions."""
    model = choice_model(folder / "model")
    tokenizer = g.AutoTokenizer.from_pretrained(model)
    for what, n, more in (("plain", 4, {"batch": 8}), ("grouped", 3, {"batch": 7, "accumulation": 2, "group": True, "smoothing": 0.1})):
        rows = questions(150, n)
        here = folder / what
        here.mkdir()
        plan = Plan(model, [], [], 24, learning_rate=1e-3, weight_decay=0.1, **more)
        ours = our_losses(plan, swag(here / "train.csv", rows), {"task.type": "multiple_choice", "data.max_seq_length": 32}, here, g.BERTTY)
        theirs = AutoModelForMultipleChoice.from_pretrained(model, **NO_DROPOUT)
        lengths = [int(encoded(tokenizer, [r], 32)["attention_mask"].sum()) for r in rows]

        def loss(part):
            logits = theirs(**encoded(tokenizer, [rows[i] for i in part], 32)).logits
            return torch.nn.functional.cross_entropy(logits, torch.tensor([rows[i][3] for i in part]), reduction="sum",
                                                     label_smoothing=plan.smoothing)
        compare_losses(plan, ours, their_losses(plan, theirs, lengths, loss, len)[0])


def asked(model, rows, folder):
    """Our answers to lines of a text and its choices."""
    (folder / "lines.txt").write_text("".join("\t".join([r[0], *choices_of(r)]) + "\n" for r in rows), encoding="utf-8")
    return [json.loads(line) for line in g.run("predict", model, folder / "lines.txt", "--json").stdout.splitlines()]


def test_choice_checkpoints(folder):
    rows = questions(60)
    data = swag(folder / "train.csv", rows)
    run = train(folder, {"model.name_or_path": choice_model(folder / "model"), "task.type": "multiple_choice", "data.train_file": data,
                         "data.validation_file": data, "data.max_seq_length": 32, "train.max_steps": 6, "optim.learning_rate": 1e-3})
    assert config_of(run / "best")["architectures"] == ["BertForMultipleChoice"]
    model = AutoModelForMultipleChoice.from_pretrained(run / "best").eval()
    tokenizer = g.AutoTokenizer.from_pretrained(run / "best")
    mixed = [*questions(9, 2, 5), *questions(9, 5, 6), *questions(70, 4, 7), *questions(3, 2, 8)]  # as many choices as one likes
    g.run("export", run, folder / "exported")
    g.run("export", run, folder / "alone")
    for asked_of, length in ((run, 32), (folder / "exported", 32), (foreign(folder / "alone"), 64)):  # 64 is all that it can
        answers, worst = asked(asked_of, mixed, folder), 0.0
        assert len(answers) == len(mixed)
        for row, answer in zip(mixed, answers, strict=True):
            with torch.no_grad():
                theirs = model(**encoded(tokenizer, [row], length)).logits[0]
            worst = max(worst, g.largest_difference(torch.tensor(answer["logits"]), theirs),
                        g.largest_difference(torch.tensor(answer["scores"]), theirs.softmax(-1)))
            assert answer["label"] == choices_of(row)[answer["choice"]]
            assert theirs.max() - theirs[answer["choice"]] <= LIMIT
        print(f"multiple choice: {len(mixed)} questions, largest difference {worst:.1e}")
        assert worst <= LIMIT
    with torch.no_grad():
        logits = model(**encoded(tokenizer, rows, 32)).logits
    gold = torch.tensor([r[3] for r in rows])
    metrics = evaluated(run, "--data", data)["metrics"]
    assert abs(metrics["accuracy"] - (logits.argmax(-1) == gold).double().mean().item()) < 1e-9, metrics
    assert abs(metrics["loss"] - torch.nn.functional.cross_entropy(logits, gold).item()) < 1e-5, metrics
    table = folder / "table.jsonl"
    table.write_text("".join(json.dumps({"q": r[0], "options": choices_of(r), "right": r[3]}) + "\n" for r in rows))
    same = evaluated(run, "--data", table, "--text", "q", "--choice", "options", "--label", "right")["metrics"]
    assert same == metrics, (same, metrics)


if __name__ == "__main__":
    g.main(globals())
