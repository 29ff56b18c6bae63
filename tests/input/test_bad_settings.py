#!/usr/bin/env python3
"""Bad experiment files, options and run names: one clear line with file, line and column, what was found and what was expected."""
import os
import sys

from refusal import COUNT, Ground, finished, refused

GROUND = Ground(train=40, dev=10)
GOOD = (GROUND.root / "good/tiny.yaml").read_text()


def place(text, word):
    """"LINE:COLUMN" of word in text."""
    at = text.index(word)
    return f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"


def bad_file(name, text, *said, seconds=5, command="train"):
    """The experiment file holds text; a said that begins with @ is a word whose place is told."""
    folder = GROUND.fresh()
    (folder / "tiny.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    told = [f"tiny.yaml:{place(text, s[1:])}: " if s.startswith("@") else s for s in said]
    refused(name, folder, [command, "tiny.yaml"], *told, seconds=seconds)


def changed(name, old, new, *said, **options):
    assert old in GOOD, old
    bad_file(name, GOOD.replace(old, new, 1), *said, **options)


def yaml_itself():
    changed("missing colon", "train_batch_size: 8", "train_batch_size 8", "tiny.yaml:")
    changed("tab", "  train_batch_size", "\ttrain_batch_size", "tiny.yaml:")
    changed("open bracket", '"train.tsv"', "[train.tsv", "tiny.yaml:")
    changed("open quote", '"train.tsv"', '"train.tsv', "tiny.yaml:")
    changed("duplicate key", "  max_steps", "  train_batch_size: 9\n  max_steps", "tiny.yaml:", 'key "', "again")
    changed("duplicate group", "train:\n", "train:\n  seed: 3\ntrain:\n", 'key "train"', "again")
    changed("anchor", "train_batch_size: 8", "train_batch_size: &a 8", "@&a 8", "anchors")
    changed("alias", "train_batch_size: 8", "train_batch_size: *a", "@*a", "aliases")
    changed("tag", "train_batch_size: 8", "train_batch_size: !!int 8", "@!!int 8", "tags")
    changed("NUL", "train_batch_size: 8", 'train_batch_size: "8\\0"', '@"8\\0"', "NUL")
    bad_file("two documents", GOOD + "---\ntrain: {}\n", "tiny.yaml:", "second document")
    bad_file("nested in brackets", "train: " + "[" * 50000 + "]" * 50000, "tiny.yaml:1:", "nested deeper than 64")
    bad_file("nested in braces", "train: " + "{a: " * 50000, "tiny.yaml:1:", "nested deeper than 64")
    bad_file("nested in lines", "".join(" " * i + "a:\n" for i in range(1000)), "tiny.yaml:", "nested deeper than 64")
    bad_file("nested in dashes", "train:\n  " + "- " * 50000, "tiny.yaml:2:", "nested deeper than 64")
    many = GROUND.fresh()
    (many / "tiny.yaml").write_text(GOOD + "# " + "[" * 5000 + "\n")
    done = finished(["check", "tiny.yaml"], many)
    COUNT.check("brackets in a comment", done.returncode == 0 and not done.stderr, done.stderr)
    bad_file("invalid UTF-8", GOOD.encode().replace(b"train.tsv", b"tr\xffain.tsv", 1), "tiny.yaml", "UTF-8")
    bad_file("UTF-16", GOOD.encode("utf-16"), "tiny.yaml")
    bad_file("a list", "- train\n- eval\n", "tiny.yaml:1:1: ", "list")
    bad_file("a text", "train", "tiny.yaml:1:1: ", "text")
    bad_file("empty", "", "tiny.yaml", "model.name_or_path")
    bad_file("too large", "#" * (2 << 20), "tiny.yaml", "expected at most")


def keys():
    changed("typo in a key", "learning_rate", "learnin_rate", "@learnin_rate", 'did you mean "learning_rate"')
    changed("typo in a group", "optim:", "optm:", "@optm", 'did you mean "optim"')
    changed("unknown key", "learning_rate: 0.001", "zzzz: 1", "@zzzz", "optim has no option")
    changed("key of another group", "learning_rate: 0.001", "max_steps: 1", "@max_steps", "train:")
    changed("key without a group", "optim:\n", "learning_rate: 1\noptim:\n", "@learning_rate", "optim:")
    changed("a group that is no map", "optim:\n  learning_rate: 0.001", "optim: 3", "@3\n", "expected options below it")


def values():
    changed("word for a number", "train_batch_size: 8", "train_batch_size: eight", "@eight", '"eight"', "a whole number from 1 to 65536")
    changed("fraction", "train_batch_size: 8", "train_batch_size: 8.5", "@8.5", "a whole number")
    changed("below the range", "train_batch_size: 8", "train_batch_size: -3", "@-3", "from 1 to 65536")
    changed("above the range", "learning_rate: 0.001", "learning_rate: 11", "@11", "from 0 to 10")
    changed("overflow", "train_batch_size: 8", "train_batch_size: 99999999999999999999", "@9999999999", "a whole number")
    changed("NaN", "learning_rate: 0.001", "learning_rate: .nan", "@.nan", "a number")
    changed("NaN as others write it", "learning_rate: 0.001", "learning_rate: nan", "@nan", "a number")
    changed("infinity", "learning_rate: 0.001", "learning_rate: .inf", "@.inf", "a number")
    changed("list for a number", "train_batch_size: 8", "train_batch_size: [8]", "@[8]", "a list", "a whole number")
    changed("map for a file", '"train.tsv"', "{a: b}", "@{a: b}", "a map", "a text or a list")
    changed("list in a list of files", '"train.tsv"', "[a, [b]]", "tiny.yaml:", "a list of texts")
    changed("misspelt choice", 'eval_strategy: "steps"', 'eval_strategy: "stpes"', '@"stpes"', "no, epoch or steps", "did you mean")
    changed("neither true nor false", "train_batch_size: 8", "group_by_length: 2", "@2\n", "true or false")
    changed("nothing to read", "  text_column: \"text\"\n", "", "tiny.yaml", "data.text_column", "missing")
    changed("steps without their number", "  eval_steps: 10\n", "", "tiny.yaml:", "eval.eval_steps", "missing")


def files():
    folder = GROUND.fresh()
    (folder / "dir.yaml").mkdir()
    os.mkfifo(folder / "fifo.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    for name, said in (("dir.yaml", "not a regular file"), ("fifo.yaml", "not a regular file"), ("none.yaml", "no such file"),
                       ("loop.yaml", "symbolic links"), ("/dev/zero", "not a regular file")):
        for command in "train", "check":
            refused(f"{command} {name}", folder, [command, name], name, said, seconds=5)


def options():
    folder = GROUND.fresh()
    for command in "train", "check":
        def sets(name, value, *said):
            refused(f"{command} --set {name}", folder, [command, "tiny.yaml", "--set", value], *said)
        sets("unknown key", "optim.learnin_rate=1", 'no option "optim.learnin_rate"', "did you mean \"optim.learning_rate\"")
        sets("no key", "=1", "no option")
        sets("no value", "optim.learning_rate", "expected GROUP.NAME=VALUE")
        sets("wrong type", "train.train_batch_size=x", "train.train_batch_size", '"x"', "a whole number from 1 to 65536")
        sets("out of range", "optim.learning_rate=-1", "optim.learning_rate", '"-1"', "from 0 to 10")
        sets("bad YAML", "data.train_file=[a", "data.train_file")
        sets("choice", "eval.eval_strategy=sometimes", "eval.eval_strategy", "no, epoch or steps")
        sets("conflict", "data.val_set_size=0.5", "data.val_set_size", "data.validation_file")
        sets("folds beside a file", "data.num_folds=5", "data.num_folds", "data.validation_file")
    for name, words, said in (
            ("unknown option", ["train", "tiny.yaml", "--nmae", "x"], "did you mean --name?"),
            ("option without its value", ["train", "tiny.yaml", "--name"], "--name: nothing found, expected NAME"),
            ("no experiment", ["train"], "expected an experiment file"),
            ("two experiments", ["train", "tiny.yaml", "tiny.yaml"], "one argument too many"),
            ("resume and name", ["train", "--resume", "x", "--name", "y"], "--resume"),
            ("unknown command", ["trian", "tiny.yaml"], "train"),
            ("a number with a tail", ["eval", "model", "--data", "dev.tsv", "--threads", "2x"], "expected a whole number"),
            ("a number too large", ["eval", "model", "--data", "dev.tsv", "--threads", "9999999999999999999"], "--threads"),
            ("eval without data", ["eval", "model"], "--data")):
        refused(name, folder, words, said, code=2)


def run_names():
    folder = GROUND.fresh()
    odd = ["../evil", "/tmp/evil", "a/b", "", ".", "..", ".hidden", "a b", "a\nb", "\x1b]52;c;x\x07", "naïve", "x" * 101,
           "a\u202eb", "*", "~", "$(id)"]
    for name in odd:
        refused(f"--name {name!r}", folder, ["train", "tiny.yaml", f"--name={name}"], "run name", "expected letters")
    refused("--name -x", folder, ["train", "tiny.yaml", "--name=-x"], "run name", "expected letters")
    refused("--name, detached", folder, ["train", "tiny.yaml", "--detach", "--name=../evil"], "run name", "expected letters")
    done = finished(["train", "tiny.yaml", "--name", "twice", "--set", "train.max_steps=1"], folder)
    COUNT.check("a good name", done.returncode == 0, done.stderr)
    refused("a name that is taken", folder, ["train", "tiny.yaml", "--name", "twice"], "runs/twice", "such a run already")
    (folder / "file").write_text("")
    refused("a file as the runs' directory", folder, ["train", "tiny.yaml", "--runs", "file"], "file", "ot a directory")
    refused("a file inside of the runs' path", folder, ["train", "tiny.yaml", "--runs", "file/x"], "file", "ot a directory")


if __name__ == "__main__":
    code = COUNT.run([yaml_itself, keys, values, files, options, run_names])
    GROUND.remove()
    sys.exit(code)
