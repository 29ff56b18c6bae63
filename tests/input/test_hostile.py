#!/usr/bin/env python3
"""Hostile text in cells, labels, file names, run names, models and logs: on a terminal nothing of it arrives as it is, whatever the command.

The bytes that the terminal gets are looked at. Where text is to be seen at all its visible form must be there, or the test would prove nothing."""
import json
import os
import re
import shutil
import struct
import sys
import unicodedata
from pathlib import Path

from refusal import COUNT, Ground, broken, finished, on_terminal

import tiny_bert
import torch_file

sys.path.insert(0, str(Path(__file__).parent.parent / "tui"))
from screen import Screen  # noqa: E402

# OSC 52 (sets the clipboard), a colour, C1's CSI, a bidi override, zero width, a tag character, a line separator
HOSTILE = "\x1b]52;c;UFdO\x07\x1b[31m\u009b2J\u202e\u2066\u200b\U000e0041\u2028"
NAME = "a" + HOSTILE + "z"
SEEN = r"\x1b]52"
GROUND = Ground({"train.max_steps": 2, "eval.eval_steps": 2, "run.save_steps": 2, "run.num_threads": 1}, train=40, dev=10)
FOLDER = GROUND.fresh()
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
OURS = re.compile(rb"\r?\x1b\[K|\r\n|\r")  # the progress line, and ends of lines


def quoted(text):
    """As YAML writes it, all escaped."""
    return '"' + "".join(c if c.isalnum() and c.isascii() or c in " ./" else f"\\U{ord(c):08x}" for c in text) + '"'


def unsafe(text):
    return sorted({f"U+{ord(c):04X}" for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")})


def clean(name, words, code=0, seen=(SEEN,), folder=FOLDER):
    got, out = on_terminal(words, folder, env=ENVIRONMENT)
    COUNT.check(f"{name}: exit code", got == code and not broken(out), (got, out[-600:]))
    try:
        text = OURS.sub(b"\n", out).decode()
    except UnicodeDecodeError as e:
        COUNT.check(f"{name}: UTF-8", False, (str(e), out[-300:]))
        return
    COUNT.check(f"{name}: safe", not unsafe(text), (unsafe(text), text[-600:]))
    missing = [s for s in seen if s not in text]
    COUNT.check(f"{name}: shown", not missing, text[-600:])


def csv_rows(labels):
    text = f'"text{HOSTILE}","label{HOSTILE}"\n'
    return text + "".join(f'"good {HOSTILE}\nfilm {i}","{labels[i % 2]}"\n' for i in range(20))


def make():
    labels = [f"pos{HOSTILE}", f"neg{HOSTILE}\nline"]
    (FOLDER / f"{NAME}.csv").write_text(csv_rows(labels))
    (FOLDER / "data.csv").write_text(csv_rows(labels))
    (FOLDER / "h.conll").write_text("".join(f"w{HOSTILE.replace(chr(0x2028), '')} B-{HOSTILE}\n\n" for _ in range(3)))
    (FOLDER / "h.seg").write_text(f"a $T$ {HOSTILE}\ncord{HOSTILE}\n1\n" * 2)
    answers = [{"text": HOSTILE + "\nx", "answer_start": 9}]
    (FOLDER / "h.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": HOSTILE, "qas": [
        {"id": "q" + HOSTILE, "question": HOSTILE, "answers": answers}]}]}]}))
    (FOLDER / "bad.seg").write_text(f"a $T$\ncord\n1\na $T$\ncord\n{HOSTILE}\n")
    (FOLDER / "data.jsonl").write_text("".join(json.dumps({f"text{HOSTILE}": f"good {HOSTILE}\n{i}", f"label{HOSTILE}": labels[i % 2]}) + "\n" for i in range(20)))
    yaml = (FOLDER / "tiny.yaml").read_text()
    for old, new in (('"train.tsv"', NAME + ".csv"), ('"dev.tsv"', "data.csv"), ('"text"', "text" + HOSTILE), ('"label"', "label" + HOSTILE)):
        yaml = yaml.replace(old, quoted(new))
    (FOLDER / "hostile.yaml").write_text(yaml.replace("run:\n", f"run:\n  name: {quoted(NAME)}\n"))


def training():
    clean("check", ["check", "hostile.yaml"])
    clean("data", ["data", f"{NAME}.csv", "data.jsonl"])
    clean("data --json", ["data", f"{NAME}.csv", "--json"], seen=())
    for name in "h.conll", "h.seg", "h.json":
        clean(f"data of {name}", ["data", name])
        clean(f"data of {name} --json", ["data", name, "--json"], seen=())
    clean("a hostile label", ["data", "bad.seg"], 1)
    clean("data of an experiment", ["data", "hostile.yaml"])
    clean("train", ["train", "hostile.yaml", "--name", "run"])
    clean("train --json", ["train", "hostile.yaml", "--name", "json", "--json"], seen=())
    clean("train, a made name", ["train", "hostile.yaml"])
    for name in "experiment.yaml", "log.txt":  # people read them with cat
        text = (FOLDER / "runs/run" / name).read_text()
        COUNT.check(f"{name} itself", not unsafe(text), unsafe(text))
    again = finished(["train", "runs/run/experiment.yaml", "--name", "again"], FOLDER)
    same = (FOLDER / "runs/again/experiment.yaml").read_bytes() == (FOLDER / "runs/run/experiment.yaml").read_bytes()
    COUNT.check("experiment.yaml loads back to the same run", again.returncode == 0 and same, again.stderr)


def results():
    clean("eval", ["eval", "run", "--data", "data.csv"])
    clean("eval --json", ["eval", "run", "--data", "data.csv", "--json"], seen=())
    clean("predict", ["predict", "run", "--text", NAME])
    clean("predict --json", ["predict", "run", "--text", NAME, "--json"], seen=())
    (FOLDER / "lines.txt").write_text(f"good {HOSTILE}\nbad\n")
    clean("predict a file", ["predict", "run", "lines.txt"])
    clean("tokenize", ["tokenize", "model", "lines.txt"], seen=())
    clean("show", ["show", "run"])
    clean("runs", ["runs"], seen=())
    clean("log", ["log", "run"], seen=())
    clean("export", ["export", "run", NAME])
    model = shutil.copytree(FOLDER / "model", FOLDER / "pieces")
    vocabulary = (model / "vocab.txt").read_text().replace("good", "go" + HOSTILE.replace("\u2028", "") + "od")
    (model / "vocab.txt").write_text(vocabulary)
    (model / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": {str(tiny_bert.VOCAB.index("bad")): {"content": "bad", "special": True}}}))
    clean("tokenize, hostile pieces", ["tokenize", "pieces", "lines.txt"], seen=())


def forged():
    """A run that somebody else wrote."""
    for name in "forged", NAME.replace("/", ""):
        run = FOLDER / "runs" / name
        shutil.copytree(FOLDER / "runs/run", run, symlinks=True)
        now = json.loads((run / "status.json").read_text())
        now.update(name=NAME, host=NAME, error=NAME, metric=NAME, best=0.5, state="failed")
        (run / "status.json").write_text(json.dumps(now))
        told = json.loads((run / "run.json").read_text())
        told.update({key: NAME for key, value in told.items() if isinstance(value, str)})
        (run / "run.json").write_text(json.dumps(told))
        with open(run / "log.txt", "a") as log:
            log.write(f"12:00:00 {HOSTILE}\n")
    (FOLDER / "runs/forged/experiment.yaml").write_text((FOLDER / "runs/run/experiment.yaml").read_text().replace("learning_rate: 0.001", "learning_rate: 0.002"))
    study = FOLDER / "runs/.studies/forged"
    study.mkdir(parents=True)
    (study / "study.json").write_text(json.dumps({
        "study": NAME, "created": 1, "held": True, "why": NAME, "metric": NAME, "stopping": "none", "reduction_factor": 3, "rungs": 2, "startup_trials": 5,
        "warmup_fraction": 0.2, "trials": [{"run": "forged", "set": {"data.text_column": NAME}}, {"run": "other", "set": {"data.text_column": NAME}}]}))
    (study / "results.jsonl").write_text(json.dumps({"trial": 1, "step": 1, "total": 2, "value": 0.5, "verdict": NAME}) + f"\n{NAME}\n")
    clean("study, forged", ["study", "forged"])
    clean("study --json, forged", ["study", "forged", "--json"], seen=())
    clean("studies, forged", ["study"])
    (FOLDER / "sweep.yaml").write_text((FOLDER / "tiny.yaml").read_text() + f"sweep:\n  options: {{data.text_pair_column: [{quoted(HOSTILE)}, b]}}\n")
    clean("sweep --dry-run", ["sweep", "sweep.yaml", "--dry-run"])
    clean("runs, forged", ["runs"])
    clean("runs --json, forged", ["runs", "--json"], seen=())
    clean("show, forged", ["show", "forged"])
    clean("show --json, forged", ["show", "forged", "--json"], seen=())
    clean("log, forged", ["log", "forged"])
    clean("compare, forged", ["compare", "run", "forged", "--rows"], seen=("learning_rate",))
    clean("report, forged", ["report", "run", "forged"], seen=("learning_rate",))
    clean("report --text, forged", ["report", "run", "forged", "--text"], seen=("learning_rate",))
    clean("a hostile run's path", ["show", f"runs/{NAME}"], code=1, seen=(SEEN, "control characters"))
    clean("stop, forged", ["stop", "forged"], code=1, seen=())
    clean("rm, a hostile run", ["rm", f"runs/{NAME}", "--yes"], code=1)


def refusals():
    def refused(name, words, code=1, seen=(SEEN,)):
        clean(name, words, code, seen)
    refused("no such file", ["train", NAME + ".yaml"])
    refused("no such command", [NAME], 2)
    refused("no such option", ["train", "--" + NAME], 2)
    refused("an odd value", ["train", "tiny.yaml", "--set", f"optim.{NAME}=1"])
    refused("an odd number", ["train", "tiny.yaml", "--set", f"optim.learning_rate={quoted(NAME)}"])
    refused("an odd name", ["train", "tiny.yaml", "--name", NAME])
    for command in "show", "log", "stop", "pause", "resume", "rm":
        refused(f"{command} of nothing", [command, NAME], seen=())
    for words in ["eval", NAME + "x", "--data", "x"], ["predict", NAME + "x", "--text", "x"], ["tokenize", NAME + "x"], ["export", NAME + "x", "x"], ["data", NAME]:
        refused(f"{words[0]} of nothing", words, seen=())
    refused("options of nothing", ["options", NAME], 2, seen=())
    refused("help of nothing", ["help", NAME], 2, seen=())
    refused("eval of no file", ["eval", "run", "--data", NAME])
    refused("an unknown label", ["eval", "run", "--data", write("unknown.csv", csv_rows(["other" + HOSTILE, "x"]))])
    refused("a missing column", ["train", "tiny.yaml", "--set", "data.train_file=data.csv"])
    for i, text in enumerate((f"{quoted(NAME)}: 1\n", f"optim:\n  {quoted(NAME)}: 1\n", f"optim:\n  learning_rate: {quoted(NAME)}\n",
                              f"eval:\n  eval_strategy: {quoted(NAME)}\n", f"{quoted(NAME)}: 1\n{quoted(NAME)}: 2\n")):
        refused(f"an experiment of hostile words {i}", ["train", write(f"h{i}.yaml", text)])
    refused("ESC itself in YAML", ["train", write("esc.yaml", f"optim:\n  {NAME}: 1\n")], seen=("control characters",))


def write(name, text):
    (FOLDER / name).write_text(text)
    return name


def models():
    def spoilt(name, file, content, seen=(SEEN,)):
        kept = (FOLDER / "model" / file).read_bytes()
        (FOLDER / "model" / file).write_bytes(content)
        clean(name, ["train", "tiny.yaml", "--name", "x"], 1, seen)
        (FOLDER / "model" / file).write_bytes(kept)
    weights = (FOLDER / "model/model.safetensors").read_bytes()
    size = struct.unpack("<Q", weights[:8])[0]
    header = json.loads(weights[8:8 + size])
    def packed(change):
        copy = json.loads(json.dumps(header))
        change(copy)
        text = json.dumps(copy).encode()
        return struct.pack("<Q", len(text)) + text + weights[8 + size:]
    spoilt("a tensor's name", "model.safetensors", packed(lambda h: h.update({NAME: {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}})))
    spoilt("a tensor's dtype", "model.safetensors", packed(lambda h: h.update({"a": {"dtype": NAME, "shape": [1], "data_offsets": [0, 4]}})))
    (FOLDER / "model/model.safetensors").unlink()
    torch_file.save(FOLDER / "model/pytorch_model.bin", [], more={"a": torch_file.stand_in("torch", NAME)}, protocol=4)
    clean("a global of a pickle", ["train", "tiny.yaml", "--name", "x"], 1)
    (FOLDER / "model/pytorch_model.bin").unlink()
    (FOLDER / "model/model.safetensors").write_bytes(weights)
    config = json.loads((FOLDER / "model/config.json").read_text())
    for field in "model_type", "hidden_act", "position_embedding_type":
        spoilt(field, "config.json", json.dumps({**config, field: NAME}).encode())
    spoilt("no JSON", "config.json", HOSTILE.encode(), seen=())
    spoilt("a label's number", "config.json", json.dumps({**config, "id2label": {NAME: "a"}}).encode())


def workbench():
    """All views on all of it."""
    for first, keys in (("runs", "12345678"), ("hostile.yaml", "32"), (f"{NAME}.csv", "jj")):
        with Screen(["--open", first], rows=36, columns=120, env={"LC_ALL": "C.UTF-8"}, directory=FOLDER) as s:
            s.wait("1 Runs")
            for key in keys:
                s.keys(key)
                s.quiet(0.15)
                for more in ("Down", "Enter", "Esc"):
                    s.keys(more)
                    s.quiet(0.05)
            raw = s.raw
            s.keys("q")
        COUNT.check(f"workbench {first!r}: something hostile is shown", SEEN[:4].encode() in raw, raw[-300:])
        for name, bad in (("OSC 52", b"]52;c;UFdO\x07"), ("its colour", b"\x1b[31m\\"), ("C1", "\u009b".encode()), ("bidi", "\u202e".encode()),
                          ("isolates", "\u2066".encode()), ("zero width", "\u200b".encode()), ("tags", "\U000e0041".encode()),
                          ("line separators", "\u2028".encode()), ("ESC ]52", b"\x1b]52")):
            COUNT.check(f"workbench {first!r}: no {name}", bad not in raw, raw[max(0, raw.find(bad) - 100):][:200])


if __name__ == "__main__":
    code = COUNT.run([make, training, results, forged, refusals, models, workbench])
    GROUND.remove()
    sys.exit(code)
