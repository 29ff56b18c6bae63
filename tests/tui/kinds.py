"""Runs of every kind of task, written by hand: experiment, data and predictions as an evaluation leaves them.

    ner(d), qa(d), regression(d), sets(d), mlm(d), absa(d), choices(d), pairs(d)     # each makes runs/NAME in d
"""
import json
from pathlib import Path

from screen import fake_run


def run(d, task, files, rows, data, metric, step=20, members=None, **status):
    d = Path(d)
    for name, text in files.items():
        (d / name).write_text(text)
    made = fake_run(d / "runs", f"{task}-run", metric=metric, best_step=step, last_step=step, **status)
    sections = {"model": {"name_or_path": "model"}, "task": {"type": task, **(members or {})}, "data": data}
    text = ""
    for section, options in sections.items():
        text += f"{section}:\n" + "".join(f"  {k}: {json.dumps(v)}\n" for k, v in options.items())
    (made / "experiment.yaml").write_text(text)
    (made / "predictions").mkdir()
    lines = "".join(json.dumps({"id": i + 1, **row}) + "\n" for i, row in enumerate(rows))
    (made / "predictions" / f"validation-step-{step:06}.jsonl").write_text(lines)
    return made


def file_of(d, name):
    return str(Path(d).resolve() / name)


SENTENCES = [  # words, gold, predicted
    ("Angela Merkel visited Paris .", "B-PER I-PER O B-LOC O", "B-PER I-PER O B-LOC O"),
    ("The Bank of Japan rose .", "O B-ORG I-ORG I-ORG O O", "O B-ORG O B-LOC O O"),
    ("Milan won .", "B-ORG O O", "B-LOC O O"),
    ("Rain fell on Monday .", "O O O O O", "O O O B-MISC O"),
    ("東京 の 安倍 晋三 氏", "B-LOC O B-PER I-PER O", "B-LOC O O O O"),
    ("Nothing here .", "O O O", "O O O"),
]


def spans(tags):
    found = []
    for i, tag in enumerate(tags):
        if tag[0] == "B":
            found.append({"type": tag[2:], "begin": i, "end": i + 1, "score": 0.9})
        elif tag[0] == "I":
            found[-1]["end"] = i + 1
    return found


def said(words, tags):
    return "; ".join(f"{s['type']}: {' '.join(words[s['begin']:s['end']])}" for s in spans(tags)) or "no entities"


def ner(d):
    rows, text = [], ""
    for words, gold, tags in SENTENCES:
        words, gold, tags = words.split(), gold.split(), tags.split()
        text += "".join(f"{w} {t}\n" for w, t in zip(words, gold)) + "\n"
        rows.append({"gold": said(words, gold), "prediction": said(words, tags), "correct": gold == tags, "score": 0.75,
                     "tokens": words, "gold_tags": gold, "tags": tags, "spans": spans(tags), "loss": 0.25})
    return run(d, "ner", {"dev.conll": text}, rows, {"train_file": file_of(d, "dev.conll"), "validation_file": file_of(d, "dev.conll")}, "f1",
               best=0.55, last=0.55)


PASSAGE = ("The Normans were the people who in the 10th and 11th centuries gave their name to Normandy, a region in France. "
           "They were descended from Norse raiders and pirates from Denmark, Iceland and Norway. " * 3).strip()
QUESTIONS = [  # question, gold answers, (answer, p) best first, F1
    ("In what country is Normandy located?", ["France"], [("France", 0.8), ("a region in France", 0.1)], 1.0),
    ("When were the Normans in Normandy?", ["10th and 11th centuries"], [("in the 10th and 11th centuries", 0.6), ("", 0.2)], 0.8),
    ("From where were they?", ["Denmark, Iceland and Norway"], [("Norse raiders", 0.5), ("Denmark", 0.4)], 0.0),
    ("Who ruled France?", [], [("Norse raiders", 0.4), ("", 0.3)], 0.0),
    ("Who were pirates?", ["Norse raiders"], [("", 0.7), ("Norse raiders", 0.2)], 0.0),
]


def best(text, p):
    at = PASSAGE.index(text)
    return {"text": text, "score": p, "begin": at, "end": at + len(text)}


def qa(d):
    rows, qas = [], []
    for i, (question, golds, answers, f1) in enumerate(QUESTIONS):
        qas.append({"id": f"q{i}", "question": question, "is_impossible": not golds,
                    "answers": [{"text": g, "answer_start": PASSAGE.index(g)} for g in golds]})
        row = {"name": f"q{i}", "prediction": answers[0][0], "correct": f1 == 1.0, "score": answers[0][1], "golds": golds,
               "exact": int(f1 == 1.0), "f1": f1, "null_odds": -1.5, "nbest": [best(*a) for a in answers]}
        rows.append({"gold": golds[0], **row} if golds else row)
    squad = {"version": "v2.0", "data": [{"title": "Normans", "paragraphs": [{"context": PASSAGE, "qas": qas}]}]}
    return run(d, "qa", {"dev.json": json.dumps(squad)}, rows, {"train_file": file_of(d, "dev.json"), "validation_file": file_of(d, "dev.json")},
               "f1", best=36.0, last=36.0)


PAIRS = [("A plane is taking off.", "An air plane is taking off.", 5.0, 4.75), ("A man plays a flute.", "A man eats bread.", 0.5, 1.75),
         ("A cat sleeps.", "A cat is asleep.", 4.5, 4.25), ("Rain falls.", "The sun shines.", 1.0, 0.5), ("猫が寝る", "犬が走る", 0.0, 2.5)]


def regression(d):
    table = "a\tb\tscore\n" + "".join(f"{a}\t{b}\t{gold}\n" for a, b, gold, _ in PAIRS)
    rows = [{"gold": f"{gold:g}", "gold_value": gold, "prediction": f"{v:g}", "value": v, "loss": (v - gold) ** 2} for _, _, gold, v in PAIRS]
    return run(d, "regression", {"dev.tsv": table}, rows,
               {"train_file": file_of(d, "dev.tsv"), "validation_file": file_of(d, "dev.tsv"), "text_column": "a", "text_pair_column": "b",
                "label_column": "score"}, "pearson", best=0.8, last=0.8)


EMOTIONS = ["anger", "fear", "joy", "love"]
FEELINGS = [("I am so happy and in love", ["joy", "love"], ["joy", "love"]), ("What a terrible, frightening day", ["anger", "fear"], ["fear"]),
            ("Fine.", [], ["joy"]), ("He shouted and wept", ["anger"], []), ("愛しています", ["love"], ["joy"])]


def sets(d):
    table = "text\tlabels\n" + "".join(f"{t}\t{','.join(g)}\n" for t, g, _ in FEELINGS)
    rows = [{"gold": ", ".join(g), "prediction": ", ".join(p), "correct": g == p, "gold_labels": g, "labels": p, "loss": 0.3, "score": 0.8,
             "scores": {e: 0.9 if e in p else 0.1 for e in EMOTIONS}} for _, g, p in FEELINGS]
    return run(d, "multilabel", {"dev.tsv": table}, rows,
               {"train_file": file_of(d, "dev.tsv"), "validation_file": file_of(d, "dev.tsv"), "text_column": "text", "label_column": "labels"},
               "f1_micro", best=0.6, last=0.6)


def mlm(d):
    lines = ["the film was good", "the plot was dull and very cold", "so clever"]
    rows = [{"prediction": "", "masked": m, "right": r, "loss": loss} for m, r, loss in ((1, 1, 0.5), (3, 1, 2.0), (2, 0, 4.0))]
    return run(d, "mlm", {"dev.txt": "\n".join(lines) + "\n"}, rows,
               {"train_file": file_of(d, "dev.txt"), "validation_file": file_of(d, "dev.txt")}, "perplexity", best=9.5, last=9.5)


ASPECTS = [("The food is good but the staff is rude", "food", "positive", "positive"),
           ("The food is good but the staff is rude", "staff", "negative", "positive"), ("Nice bar", "bar", "positive", "positive")]


def absa(d):
    table = "text\taspect\tlabel\n" + "".join(f"{t}\t{a}\t{g}\n" for t, a, g, _ in ASPECTS)
    rows = [{"gold": g, "prediction": p, "correct": g == p, "score": 0.7, "loss": 0.4,
             "scores": {"negative": 0.7 if p == "negative" else 0.3, "positive": 0.7 if p == "positive" else 0.3}} for _, _, g, p in ASPECTS]
    return run(d, "absa", {"dev.tsv": table}, rows,
               {"train_file": file_of(d, "dev.tsv"), "validation_file": file_of(d, "dev.tsv"), "text_column": "text",
                "aspect_column": "aspect", "label_column": "label"}, "accuracy", best=0.66, last=0.66)


def choices(d):
    table = "sent1,sent2,ending0,ending1,label\nA cat sits.,It,barks.,purrs.,1\nA dog runs.,It,barks.,purrs.,0\n"
    rows = [{"gold": g, "prediction": "1", "correct": g == "1", "score": 0.625, "loss": 0.5, "scores": {"0": 0.375, "1": 0.625}} for g in "10"]
    return run(d, "multiple_choice", {"dev.csv": table}, rows, {"train_file": file_of(d, "dev.csv"), "validation_file": file_of(d, "dev.csv")},
               "accuracy", best=0.5, last=0.5)


NLI = ["not_entailment", "entailment"]


def pairs(d):
    """Labels that begin alike or are long."""
    table = "a\tb\tlabel\n" + "".join(f"Rain fell on day {i}.\tIt was wet.\t{NLI[i % 2]}\n" for i in range(4))
    rows = [{"gold": NLI[i % 2], "prediction": NLI[i // 2], "correct": i % 2 == i // 2, "score": 0.6, "loss": 0.5,
             "scores": {NLI[i // 2]: 0.6, NLI[1 - i // 2]: 0.4}} for i in range(4)]
    return run(d, "classification", {"dev.tsv": table}, rows,
               {"train_file": file_of(d, "dev.tsv"), "validation_file": file_of(d, "dev.tsv"), "text_column": "a", "text_pair_column": "b",
                "label_column": "label"}, "accuracy", best=0.5, last=0.5)


# ── tiny models of every task, trained for a few steps ──

def trained(folder, task, program):
    """runs/TASK in folder, by `bertty train` on data that tiny_bert's vocabulary covers."""
    import tiny_bert
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    words = [text.split() for text, _ in tiny_bert.sentences(40, 1)]
    tag = {**{w: "B-GOOD" for w in tiny_bert.GOOD}, **{w: "B-BAD" for w in tiny_bert.BAD}}
    context = "the film was good and the plot was dull"
    question = {"id": "0", "question": "was the film good", "answers": [{"text": "good", "answer_start": context.index("good")}]}
    names = {"text_column": "text", "label_column": "label"}
    made = {  # file, its text, settings
        "ner": ("x.conll", "".join("".join(f"{w} {tag.get(w, 'O')}\n" for w in s) + "\n" for s in words), {}),
        "qa": ("x.json", json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": [
            {"context": context, "qas": [{**question, "id": str(i)} for i in range(16)]}]}]}), {"max_seq_length": 64}),
        "regression": ("x.tsv", "text\tlabel\n" + "".join(f"{' '.join(s)}\t{len(s)}\n" for s in words), names),
        "multilabel": ("x.tsv", "text\tlabel\n" + "".join(f"{' '.join(s)}\t{'warm,cold' if i % 2 else 'warm'}\n" for i, s in enumerate(words)), names),
        "multiple_choice": ("x.tsv", "text\ta\tb\tlabel\n" + "".join(f"{' '.join(s)}\tgood\tbad\t{i % 2}\n" for i, s in enumerate(words)),
                            {**names, "choice_columns": ["a", "b"]}),
        "mlm": ("x.txt", "".join(" ".join(w) + "\n" for w in words), {}),
        "absa": ("x.tsv", "text\taspect\tlabel\n" + "".join(f"the film was {w}\tfilm\t{'positive' if w in tiny_bert.GOOD else 'negative'}\n"
                                                            for w in tiny_bert.GOOD + tiny_bert.BAD), {**names, "aspect_column": "aspect"}),
    }
    name, text, more = made[task]
    (folder / name).write_text(text)
    options = {"task.type": task, "data.train_file": name, "data.validation_file": name, "train.max_steps": 10, "data.text_column": None,
               "data.label_column": None, **{f"data.{k}": v for k, v in more.items()}}
    if task == "qa":
        options.update({"task.doc_stride": 8, "task.max_query_length": 16})
    if task in ("ner", "qa"):
        options.update({"train.max_steps": 60, "optim.learning_rate": 5e-3})
    experiment = tiny_bert.experiment(folder, options)
    done = tiny_bert.run("train", experiment, "--name", task, program=program, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "runs"


def second(run, change):
    """Another run beside one, whose rows change(i, row) alters."""
    import shutil
    other = run.parent / "other-run"
    shutil.copytree(run, other)
    for path in (other / "predictions").iterdir():
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for i, row in enumerate(rows):
            change(i, row)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status = json.loads((other / "status.json").read_text())
    (other / "status.json").write_text(json.dumps({**status, "started": 1.6e9}))
    return other
