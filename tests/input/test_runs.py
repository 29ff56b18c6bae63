#!/usr/bin/env python3
"""The commands about runs, used wrongly: one clear line on standard error, the right exit code, and nothing changed."""
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tui"))
import scalars
import tiny_bert
from tiny_bert import run

ROOT = Path(tempfile.mkdtemp(prefix="bertty-runs-"))
COMMANDS = ("show", "log", "stop", "pause", "resume", "tag", "note")


def put(path, text):
    path = ROOT / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def at(*words, **options):
    return run(*words, cwd=ROOT, **options)


def fails(code, part, *words):
    tiny_bert.fails(code, part, *words, cwd=ROOT)


def prepare():
    put("runs/movie-1-3f2a/status.json", json.dumps({"state": "finished", "started": 1000, "best": 0.5, "metric": "accuracy"}))
    put("runs/movie-1-3f2a/log.txt", "".join(f"00:00:0{i} line {i} \x1b[31m\n" for i in range(5)))
    put("runs/movie-2-91bc/status.json", json.dumps({"state": "stopped", "started": 2000, "best": 0.75, "metric": "accuracy"}))
    put("runs/odd/status.json", "{")
    put("runs/keras/events.out.tfevents.1.x", "")
    put("outside/precious", "text")


def names():
    for word in COMMANDS:
        fails(1, "did you mean 'keras'?", word, "kears")
        fails(1, "could be any of 2: movie-1-3f2a, movie-2-91bc", word, "movie")
        fails(1, "..", word, "../runs/odd")
        fails(1, "control characters", word, "a\x1b[2Jb")
        fails(1, "empty", word, "")
        fails(1, "expected a run", word, "odd@best")
        fails(1, "no such run", word, "/nonexistent/run")
        fails(1, "not a run", word, str(ROOT / "outside"))
        fails(2, "RUN", word)
    fails(1, "there are no runs in nowhere", "show", "x", "--runs", "nowhere")
    fails(1, "is no step", "export", "odd@x", "new")


def without_an_engine():
    for word in ("stop", "pause", "resume"):
        fails(1, "finished", word, "3f2a")
        fails(1, "unknown", word, "keras")
    fails(1, "bertty train --resume movie-2-91bc", "resume", "91bc")
    done = at("stop", "3f2a", "nothing-like-it", "91bc")
    assert done.returncode == 1 and done.stderr.count("\n") == 3, done


def deletion():
    fails(2, "--yes", "rm", "odd")
    fails(1, "no run", "rm", "odd", "nothing-like-it", "--yes")  # and odd is still there:
    assert (ROOT / "runs/odd/status.json").exists()
    fails(1, "not a run of bertty's", "rm", "keras", "--yes")
    put("runs/odd/mine.txt", "")
    fails(1, "mine.txt", "rm", "odd", "--yes")
    (ROOT / "runs/odd/mine.txt").unlink()
    (ROOT / "runs/odd/checkpoints").symlink_to(ROOT / "outside")
    done = at("rm", "odd", "--yes", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["deleted"] is True, done
    assert not (ROOT / "runs/odd").exists() and (ROOT / "outside/precious").exists()
    put("runs/odd/status.json", "{")


def answer(text):
    """The exit code of rm on a terminal where text is typed."""
    child, master = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execl(os.environ["BERTTY"], "bertty", "rm", "asked")
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(master, 1000)
    assert b"\x1b" not in shown, shown
    os.write(master, text)
    try:
        while os.read(master, 1000):
            pass
    except OSError:
        pass
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def deletion_asks():
    put("runs/asked/status.json", "{}")
    assert answer(b"n\n") == 1 and (ROOT / "runs/asked").exists()
    assert answer(b"\n") == 1 and (ROOT / "runs/asked").exists()
    assert answer(b"y\n") == 0 and not (ROOT / "runs/asked").exists()


def listing():
    fails(2, "--sort", "runs", "--sort", "colour")
    fails(2, "--state", "runs", "--state", "asleep")
    fails(2, "too many", "runs", "x")
    put("file", "")
    fails(1, "Not a directory", "runs", "--runs", "file")
    found = [r["run"] for r in json.loads(at("runs", "--json", "--sort", "best").stdout)["runs"]]
    assert found[:2] == ["movie-2-91bc", "movie-1-3f2a"] and set(found[2:]) == {"keras", "odd"}, found
    found = [r["run"] for r in json.loads(at("runs", "--json", "--sort", "name").stdout)["runs"]]
    assert found == sorted(found), found
    found = [r["run"] for r in json.loads(at("runs", "--json", "--state", "stopped").stdout)["runs"]]
    assert found == ["movie-2-91bc"], found
    found = [r["run"] for r in json.loads(at("runs", "--json", "--sort", "best", "--reverse").stdout)["runs"]]
    assert found[:2] == ["movie-1-3f2a", "movie-2-91bc"] and set(found[2:]) == {"keras", "odd"}, found
    none = at("runs", "--runs", "nowhere")
    assert none.returncode == 0 and "no runs in nowhere yet" in none.stdout
    odd = json.loads(at("show", "odd", "--json").stdout)
    assert odd["state"] == "unknown" and "status.json" in odd["error"], odd


def filters():
    def found(*words):
        done = at("runs", "--json", *words)
        assert done.returncode == 0, done
        return [r["run"] for r in json.loads(done.stdout)["runs"]]
    for name, rate, value in (("movie-1-3f2a", "1e-3", 0.5), ("movie-2-91bc", "3e-5", 0.75)):
        put(f"runs/{name}/experiment.yaml", f"optim: {{learning_rate: {rate}}}\n")
        (ROOT / "runs" / name / "events.out.tfevents.1.x").write_bytes(scalars.event("eval/accuracy", 10, 1.0, value))
    assert found("--filter", "cfg.learning_rate>=1e-3") == ["movie-1-3f2a"]
    assert found("--filter", "accuracy>=0.5", "--sort", "accuracy") == ["movie-2-91bc", "movie-1-3f2a"]
    assert found("--filter", "accuracy>=0.5", "--sort", "cfg.learning_rate", "--reverse") == ["movie-1-3f2a", "movie-2-91bc"]
    assert sorted(found("-f", "(state:fin or keras) -/z$/")) == ["keras", "movie-1-3f2a"]
    fails(2, "did you mean cfg.learning_rate?", "runs", "--filter", "cfg.learnin_rate>1")
    fails(2, "did you mean accuracy?", "runs", "--filter", "acuracy>1")
    fails(2, "/(/: ", "runs", "--filter", "/(/")
    fails(2, "expected )", "runs", "--filter", "(a")
    fails(2, "is no number", "runs", "--sort", "cfg.optim")
    fails(2, "no run has such a figure", "runs", "--sort", "beauty")
    none = at("runs", "--filter", "nothing-like-it")
    assert none.returncode == 0 and "what the filter asks for" in none.stdout
    for name in ("movie-1-3f2a", "movie-2-91bc"):
        (ROOT / "runs" / name / "experiment.yaml").unlink()
        (ROOT / "runs" / name / "events.out.tfevents.1.x").unlink()


def groups():
    for i, (rate, best) in enumerate((("1e-3", 0.5), ("1e-3", 0.75), ("1e-3", None), ("3e-5", 0.5))):
        put(f"seeds/r{i}/status.json", json.dumps({"state": "finished", "started": 1000 - i, "best": best, "metric": "f1", "name": "imdb"}))
        put(f"seeds/r{i}/experiment.yaml", f"optim: {{learning_rate: {rate}}}\ntrain: {{seed: {i}}}\n")
    done = at("runs", "--runs", "seeds", "--groups", "--json")
    first, second = json.loads(done.stdout)["groups"]
    assert first == {"runs": ["r0", "r1", "r2"], "seeds": [0, 1, 2], "settings": {}, "metric": "f1", "n": 2, "mean": 0.625, "sd": first["sd"], "versus_best": None}, first
    assert abs(first["sd"] - 0.1767766952966369) < 1e-12
    assert second == {"runs": ["r3"], "seeds": [3], "settings": {}, "metric": "f1", "n": 1, "mean": 0.5, "sd": None, "versus_best": None}, second
    for name, best in (("r4", 0.9), ("r5", 0.3)):
        put(f"seeds/{name}/status.json", json.dumps({"state": "finished", "started": 1, "best": best, "metric": "f1"}))
        put(f"seeds/{name}/experiment.yaml", f"optim: {{learning_rate: 7e-5}}\ntrain: {{seed: {name[1]}}}\n")
    told = json.loads(at("runs", "--runs", "seeds", "--groups", "--json", "--sort", "best").stdout)["groups"]
    assert [len(g["runs"]) for g in told] == [3, 2, 1] and told[1]["settings"] == {"optim.learning_rate": "7e-5"}, told
    done = at("runs", "--runs", "seeds", "--groups", "--filter", "-r0 -r4 -r5")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[1:] == [["2", "imdb", "0.7500", "-", "-", "f1", "1", "2"], ["1", "r3", "0.5000", "-", "-", "f1", "3"]], rows
    # 0.5, 0.75 beside 0.9, 0.3: equal means within rounding, and no more than seeds
    versus = [g["versus_best"] for g in told]
    assert versus[0] is None and 0.9 < versus[1]["p"] <= 1 and versus[1]["low"] < 0 < versus[1]["high"] and versus[2] is None, versus
    assert "0.9" in at("runs", "--runs", "seeds", "--groups").stdout


def notes():
    def tags(run):
        return json.loads(at("tag", run, "--json").stdout)["tags"]
    before = {p.name: p.read_bytes() for p in (ROOT / "runs/movie-1-3f2a").iterdir()}
    assert at("tag", "3f2a", "+base", "+paper", "-never").stdout == "base, paper\n"
    assert at("tag", "3f2a", "-base", "+new").stdout == "paper, new\n" and tags("3f2a") == ["paper", "new"]
    assert at("note", "3f2a", "a \x1b[31mred\x1b[0m word").returncode == 1  # control characters
    assert at("note", "3f2a").stdout == "no note\n"
    assert at("note", "3f2a", "two words").stdout == "two words\n"
    done = json.loads(at("show", "3f2a", "--json").stdout)
    assert done["tags"] == ["paper", "new"] and done["note"] == "two words", done
    after = {p.name: p.read_bytes() for p in (ROOT / "runs/movie-1-3f2a").iterdir()}
    assert after.pop("notes.json") and after == before
    assert at("tag", "3f2a", "91bc").stdout == "movie-1-3f2a: paper, new\nmovie-2-91bc: no tags\n"
    assert json.loads(at("runs", "--json", "-f", "note:two").stdout)["runs"][0]["tags"] == ["paper", "new"]
    fails(1, "is no tag", "tag", "3f2a", "+a b")
    fails(1, "is no tag", "tag", "3f2a", "+")
    fails(2, "RUN", "tag")
    fails(2, "too many", "note", "3f2a", "a", "b")
    at("tag", "91bc", "+hidden")
    listed = json.loads(at("runs", "--json").stdout)
    assert "movie-2-91bc" not in [r["run"] for r in listed["runs"]] and listed["hidden"] == 1
    assert "1 hidden: --all shows them" in at("runs").stdout
    for words in (("--all",), ("--filter", "tag:hidden")):
        assert "movie-2-91bc" in at("runs", *words).stdout
    at("tag", "91bc", "-hidden")
    put("runs/odd/notes.json", '{"tags": "\\u001b[31m"}')
    fails(1, "expected a list of words", "tag", "odd")
    fails(1, "notes.json", "tag", "odd", "+x")
    assert "notes_fault" in json.loads(at("show", "odd", "--json").stdout)
    (ROOT / "runs/odd/notes.json").unlink()
    at("tag", "3f2a", "-paper", "-new")
    at("note", "3f2a", "")
    assert not (ROOT / "runs/movie-1-3f2a/notes.json").exists()


def logs():
    done = at("log", "3f2a", "-n", "2")
    assert done.stdout == "00:00:03 line 3 \\x1b[31m\n00:00:04 line 4 \\x1b[31m\n", done.stdout
    assert at("log", "3f2a", "-n", "0").stdout == ""
    assert at("log", "3f2a", "-f").stdout.count("\n") == 5  # it has ended: so does -f
    fails(2, "lines", "log", "3f2a", "-n", "-1")
    assert at("log", "keras").stdout == ""


def keras():
    """train/ and validation/ of another tool are one run, under its parent and by itself."""
    for folder, more in ("train", 0), ("validation", 0.5):
        scalars.write(ROOT / "logs/fit" / folder, [("epoch_loss", i, more + 1 / i) for i in range(1, 5)])
    for runs_dir in "logs", "logs/fit":
        listed = json.loads(at("runs", "--runs", runs_dir, "--json").stdout)
        assert [r["run"] for r in listed["runs"]] == ["fit"], listed
        shown = json.loads(at("show", "fit", "--runs", runs_dir, "--json").stdout)
        assert shown["metrics"]["last"] == {"step": 4, "metrics": {"epoch_loss": 0.75}}, shown["metrics"]
    done = at("runs", "--runs", "logs", "--filter", "last.epoch_loss<0.8")
    assert "fit" in done.stdout, done
    fails(1, "not removed", "rm", "fit", "--runs", "logs", "--yes")


def export():
    fails(1, "no complete checkpoint", "export", "3f2a", "new")
    fails(1, "not empty", "export", "3f2a", "outside")
    fails(1, "file of that name", "export", "3f2a", "file")
    assert not (ROOT / "new").exists()
    path = tiny_bert.experiment(ROOT / "real", {"train.max_steps": 4, "eval.eval_steps": 2, "run.save_steps": 2})
    done = run("train", path, "--name", "r", cwd=path.parent)
    assert done.returncode == 0, done.stderr
    run_dir = path.parent / "runs/r"
    done = at("export", run_dir, "new/", "--json")
    assert done.returncode == 0, done.stderr
    kept = {p.name for p in (ROOT / "new").iterdir()}
    assert {"config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"} <= kept, kept
    assert not kept & {"trainer.json", "optimizer.safetensors", "manifest.json"}, kept
    assert json.loads(done.stdout)["step"] == json.loads((run_dir / "status.json").read_text())["best_step"]
    weights = run_dir / "checkpoints/step-000002/model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1  # the same size: only its sum tells
    weights.write_bytes(data)
    fails(1, "SHA-256", "export", f"{run_dir}@2", "again")
    assert not [p for p in ROOT.iterdir() if p.name.startswith("again")]
    words = subprocess.run(["du", "-sb", run_dir / "checkpoints"], capture_output=True, text=True).stdout
    shown = json.loads(at("show", run_dir, "--json").stdout)
    assert [c["step"] for c in shown["checkpoints"]] == [2, 4] and 0 < shown["checkpoints"][0]["bytes"] < int(words.split()[0])
    assert shown["settings"]["train.max_steps"] == "4" and shown["metrics"]["last"]["step"] == 4, shown


if __name__ == "__main__":
    try:
        prepare()
        code = tiny_bert.counted([names, without_an_engine, deletion, deletion_asks, listing, filters, groups, notes, logs, keras, export])
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(code)
