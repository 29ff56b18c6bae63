#!/usr/bin/env python3
"""Bad data files given to train, check, eval, predict and tokenize: one clear line that names the file and the row, before a run exists."""
import os
import shutil
import sys

from refusal import COUNT, Ground, finished, refused

GROUND = Ground(train=40, dev=10)
ROWS = "text\tlabel\ngood film\tpositive\nbad film\tnegative\n"


def make_run():
    """A finished run in the folder that cases are copies of."""
    done = finished(["train", "tiny.yaml", "--name", "run", "--set", "train.max_steps=2", "--set", "eval.eval_strategy=no"],
                    GROUND.root / "good")
    COUNT.check("a run to begin with", done.returncode == 0, done.stderr)


def write(folder, content):
    path = folder / "bad.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def everywhere(name, content, *said, commands=("train", "eval")):
    """The same file as training data, and for eval of a run."""
    folder = GROUND.fresh()
    write(folder, content)
    words = {"train": ["train", "tiny.yaml", "--name", "x", "--set", "data.train_file=bad.tsv"],
             "check": ["check", "tiny.yaml", "--set", "data.train_file=bad.tsv"],
             "validation": ["train", "tiny.yaml", "--name", "x", "--set", "data.validation_file=bad.tsv"],
             "eval": ["eval", "run", "--data", "bad.tsv"]}
    for command in commands:
        refused(f"{command}: {name}", folder, words[command], "bad.tsv", *said)


def rows():
    everywhere("empty", "", "is empty", commands=("train", "check", "eval"))
    everywhere("header only", "text\tlabel\n", "no rows", commands=("train", "check", "eval"))
    everywhere("blank lines only", "\n\n\n", "bad.tsv")
    everywhere("missing column", ROWS.replace("text", "txt", 1), "no column 'text'", "did you mean 'txt'?", "It has: txt, label")
    everywhere("missing label column", ROWS.replace("label", "zz", 1), "no column 'label': it has text, zz")
    everywhere("a column twice", ROWS.replace("label", "text\tlabel", 1), "bad.tsv")
    everywhere("ragged", ROWS + "only a text\n", ":4: found 1 column, expected 2: 'label' is missing")
    everywhere("no label", ROWS + "good\t\n", ":4: the label is empty")
    everywhere("UTF-16", ROWS.encode("utf-16"), "UTF-16")
    everywhere("UTF-16 without a mark", ROWS.encode("utf-16-le"), "UTF-16")
    everywhere("gzip", b"\x1f\x8b\x08\0\0\0\0\0", "gzip")
    everywhere("NUL in a label", ROWS.encode() + b"good\tpositive\0\n", ":4:", "NUL")
    everywhere("one class", ROWS.replace("negative", "positive"), 'every row has the label "positive"', "two labels",
               commands=("train", "check"))
    everywhere("unknown label", ROWS + "so so\tneutral\n", 'bad.tsv:4: label "neutral"', '"negative", "positive"',
               commands=("validation", "eval"))
    everywhere("unknown label, long", ROWS + "so so\t" + "x" * 5000 + "\n", "bad.tsv:4: label \"xxx", commands=("validation", "eval"))
    everywhere("empty validation", "text\tlabel\n", "no rows", commands=("validation",))


def formats():
    folder = GROUND.fresh()
    for name, content, said in (
            ("open quote", 'text,label\n"a",positive\n"b,negative\nc,positive\n', ":3: a quote opens a cell here and is never closed"),
            ("NaN label", '{"text":"a","label":NaN}\n', ":1:"),
            ("cut JSON", '{"text":"a","label":"positive"}\n{"text":"b","la', ":2:"),
            ("lone surrogate", '{"text":"a","label":"positive"}\n{"text":"\\ud800","label":"negative"}\n', ":2:"),
            ("nested JSON", '{"text":"a","label":"positive"}\n{"text":' + "[" * 100000 + "\n", ":2:"),
            ("missing field", '{"text":"a","label":"positive"}\n{"text":"b"}\n', ":2:"),
            ("a label that is a list", '{"text":"a","label":"positive"}\n{"text":"b","label":[1]}\n', ":2:")):
        write(folder, content)
        kind = "jsonl" if content.startswith("{") else "csv"
        refused(name, folder, ["train", "tiny.yaml", "--set", "data.train_file=bad.tsv", "--set", f"data.format={kind}"], "bad.tsv", said)


def numbers():
    """A regression's labels are finite numbers."""
    for text in "abc", "nan", "inf", "-Infinity", "1e999", "1,5", "0x", "4.5 stars":
        folder = GROUND.fresh()
        write(folder, f"text\tlabel\ngood film\t1.5\nbad film\t{text}\n")
        rest = ["tiny.yaml", "--set", "task.type=regression", "--set", "eval.eval_strategy=no"]
        for command in ["train", *rest, "--name", "x"], ["check", *rest]:
            refused(f"{command[0]}: {text} as a number", folder, [*command, "--set", "data.train_file=bad.tsv"],
                    f'bad.tsv:3: label "{text}", expected a finite number')
    folder = GROUND.fresh()
    write(folder, "text\tlabel\ngood film\t1.5\nbad film\t2\n")
    refused("smoothing of numbers", folder, ["train", "tiny.yaml", "--set", "task.type=regression", "--set", "train.label_smoothing_factor=0.1"],
            "train.label_smoothing_factor", "no labels to smooth")


def label_sets():
    folder = GROUND.fresh()
    write(folder, "text\tlabel\ngood film\tpositive,fine\nbad film\t\nso so\tfine,unheard of\n")
    sets = ["--set", "task.type=multilabel"]
    for command in "train", "check":
        rest = ["--name", "x"] if command == "train" else []
        base = [command, "tiny.yaml", *rest, *sets]
        refused(f"{command}: a label that is not known", folder, [*base, "--set", "task.labels=[positive, fine, negative]", "--set", "data.train_file=bad.tsv"],
                'bad.tsv:4: label "unheard of" is not one of the 3 labels')
        refused(f"{command}: a label of the validation data", folder, [*base, "--set", "data.validation_file=bad.tsv"],
                'bad.tsv:2: label "fine" is not one of the 2 labels')
        for value, said in (("1.5", '"1.5"'), ("x", "LABEL=NUMBER"), ("positive=", "LABEL=NUMBER"), ("=0.5", "LABEL=NUMBER"), ("nan", "LABEL=NUMBER"),
                            ("positive=-1", "LABEL=NUMBER"), ("[0.4, 0.5]", '"0.5": said twice'), ("unheard=0.5", "no such label")):
            said = "from 0 to 1" if said == '"1.5"' else said
            refused(f"{command}: a threshold of {value}", folder, [*base, "--set", f"task.threshold={value}"], "task.threshold", said)
    refused("nothing between labels", folder, [*base, "--set", "task.label_separator=''"], "task.label_separator", "empty")
    refused("smoothing of sets", folder, [*base, "--set", "train.label_smoothing_factor=0.1"], "train.label_smoothing_factor", "no smoothing")
    refused("a threshold for one label of several", folder, ["check", "tiny.yaml", "--set", "task.threshold=0.4"], "task.threshold", "needs task.type: multilabel")
    write(folder, '{"text": "a", "label": ["x", {"y": 1}]}\n')
    refused("an object among labels", folder, [*base, "--set", "data.train_file=bad.tsv"], "bad.tsv:1:", "label 2 of the list")
    write(folder, "text\tlabel\ngood film\tx\nbad film\t\n")
    refused("one label", folder, [*base, "--set", "data.train_file=bad.tsv"], "bad.tsv: 1 label in all rows", "at least two")


def class_weights():
    folder = GROUND.fresh()
    for command in "train", "check":
        base = [command, "tiny.yaml", *(["--name", "x"] if command == "train" else []), "--set"]
        for value, said in (("ballanced", "expected balanced, none, or LABEL=WEIGHT"), ("[balanced, positive=2]", "expected balanced"),
                            ("positive=-1", "expected balanced"), ("positive=inf", "expected balanced"), ("unheard=2", "no such label"),
                            ("[positive=2, positive=3]", "said twice"), ("0", "0 for every label")):
            refused(f"{command}: weights {value}", folder, [*base, f"task.class_weights={value}"], "task.class_weights", said)
    refused("weights of numbers", folder, [*base, "task.class_weights=balanced", "--set", "task.type=regression"], "task.class_weights",
            "needs task.type: classification")


def long_texts():
    folder = GROUND.fresh()
    base = ["train", "tiny.yaml", "--name", "x", "--set"]
    pair = ["--set", "data.text_pair_column=text"]
    for how in "head_tail", "sliding_window":
        refused(f"{how} of pairs", folder, [*base, f"data.truncation={how}", *pair], "data.truncation", f"{how} needs single texts")
        refused(f"{how} of words", folder, [*base, f"data.truncation={how}", "--set", "task.type=ner"], "data.truncation", f"{how} needs single texts")
    refused("doc_stride without windows", folder, [*base, "task.doc_stride=64"], "task.doc_stride", "data.truncation: sliding_window")


def tokens_of_a_batch():
    folder = GROUND.fresh()
    base = ["train", "tiny.yaml", "--name", "x", "--set"]
    refused("fewer tokens than a text", folder, [*base, "train.max_tokens_per_batch=127"], "train.max_tokens_per_batch", "below data.max_seq_length")
    tokens = [*base, "train.max_tokens_per_batch=128", "--set"]
    refused("tokens without grouping", folder, [*tokens, "train.group_by_length=false"], "train.max_tokens_per_batch", "needs train.group_by_length")
    refused("tokens and drop_last", folder, [*tokens, "train.dataloader_drop_last=true"], "train.dataloader_drop_last")


def invalid_utf8():
    """Counted and reported, not refused: a stray byte in a text is no reason to lose a corpus."""
    folder = GROUND.fresh()
    write(folder, ROWS.encode() + b"good \xff\xfe film\tpositive\nbad \xc3\tnegative\n")
    done = finished(["check", "tiny.yaml", "--set", "data.train_file=bad.tsv"], folder)
    COUNT.check("invalid UTF-8", done.returncode == 0 and b"bad.tsv: 2 of 4 rows are not valid UTF-8" in done.stdout, done)


def no_files():
    folder = GROUND.fresh()
    os.mkfifo(folder / "fifo")
    (folder / "dir").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "gone").symlink_to("nowhere")
    for path, said in (("none.tsv", "no such file"), ("fifo", "FIFO"), ("/dev/zero", "device"), ("dir", "a directory"),
                       ("loop", "symbolic links"), ("gone", "no such file")):
        for key in "train", "validation", "test":
            refused(f"{key}_file {path}", folder, ["train", "tiny.yaml", "--set", f"data.{key}_file={path}"], path, said, seconds=5)
        refused(f"eval {path}", folder, ["eval", "run", "--data", path], path, said, seconds=5)
    for path, said in (("none.txt", "No such file"), ("fifo", "no regular file"), ("/dev/zero", "no regular file"), ("dir", "a directory")):
        for words in ["predict", "run", path], ["tokenize", "model", path]:
            refused(f"{words[0]} {path}", folder, words, path, said, seconds=5, timeout=20)


def odd_names():
    """A directory whose name is no UTF-8: experiment.yaml could not name it."""
    folder = GROUND.fresh()
    odd = os.fsencode(folder) + b"/caf\xe9"
    os.mkdir(odd)
    shutil.copy(folder / "train.tsv", odd + b"/train.tsv")
    os.symlink(odd + b"/train.tsv", os.fsencode(folder) + b"/link")
    for name in "caf*/train.tsv", "link":
        refused(f"no UTF-8: {name}", folder, ["train", "tiny.yaml", "--set", f"data.train_file={name}"], "data.train_file", name, "not valid UTF-8")


def settings():
    """What only model and data together show."""
    folder = GROUND.fresh()
    base = ["train", "tiny.yaml", "--set"]
    refused("longer than the positions", folder, [*base, "data.max_seq_length=129"], "data.max_seq_length", "129", "128 positions")
    refused("column number too large", folder, [*base, "data.text_column=3"], "train.tsv", "3")
    refused("column number 0", folder, [*base, "data.text_column=0"], "train.tsv", "0")
    refused("frozen layers", folder, [*base, "model.freeze_layers=3"], "model.freeze_layers", "2 layers")
    refused("labels that are not there", folder, [*base, "task.labels=[a, b]"], "train.tsv:2", "is not one of the 2 labels")
    refused("a label twice", folder, [*base, "task.labels=[negative, positive, positive]"], "positive", "twice")
    refused("class names", folder, [*base, "data.class_names_file=none"], "none", "no such file")
    refused("delimiter", folder, [*base, "data.delimiter=ab"], "data.delimiter", "one character")


if __name__ == "__main__":
    code = COUNT.run([make_run, rows, formats, numbers, label_sets, class_weights, long_texts, tokens_of_a_batch, invalid_utf8, no_files, odd_names, settings])
    GROUND.remove()
    sys.exit(code)
