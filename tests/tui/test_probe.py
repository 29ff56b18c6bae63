#!/usr/bin/env python3
"""The Probe view: what is typed is answered as `bertty predict` answers it; several runs, checkpoints, pairs, kept texts."""
import json
import math
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from screen import BERTTY_FAST, Screen, main

sys.path.insert(0, str(Path(__file__).parent.parent))
import tiny_bert  # noqa: E402

MADE = Path(tempfile.mkdtemp(prefix="bertty-probe-"))


def trained():
    """runs/ with the runs one and two (checkpoints 10 and 20)."""
    if not (MADE / "runs").exists():
        experiment = tiny_bert.experiment(MADE, {"run.save_total_limit": 5})
        for name, seed in (("one", 1), ("two", 2)):
            done = tiny_bert.run("train", experiment, "--name", name, "--set", f"train.seed={seed}", program=BERTTY_FAST, cwd=MADE)
            assert done.returncode == 0, done.stderr
    return MADE / "runs"


def copy_runs(d):
    shutil.copytree(trained(), d / "runs", symlinks=True)


def predicted(run, text, *more):
    done = tiny_bert.run("predict", run, "--text", text, *more, "--json", program=BERTTY_FAST, cwd=MADE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[0])["scores"]


def exported(run):
    """The best checkpoint as a plain model directory."""
    if not (MADE / f"{run}-model").exists():
        done = tiny_bert.run("export", run, f"{run}-model", program=BERTTY_FAST, cwd=MADE)
        assert done.returncode == 0, done.stderr
    return f"{run}-model"


def shows(s, run, text, *more):
    for label, p in predicted(run, text, *more).items():
        s.wait(rf"{label} +{p:.4f}")


def test_no_run():
    with Screen(["--open", "probe"]) as s:
        s.wait(r"There is no run to ask")


def test_answers_what_is_typed():
    with Screen(["--open", "probe"], setup=copy_runs) as s:
        s.wait(r"two step \d0$|two +step")
        s.keys("a good film")
        shows(s, "two", "a good film")
        s.wait(r"pieces a good film")
        s.keys(" and very dull")
        shows(s, "two", "a good film and very dull")
        s.keys("C-u")
        s.wait_gone(r"positive +0\.")
        s.keys("1 q ?")  # nothing but text
        s.wait(r"^│1 q \?")
        s.wait(r" F1 help$")  # which key shows the help now
        s.keys("F1")
        s.wait("─ Keys ─")
        s.keys("Esc", "Esc")
        s.wait(r" \? help$")


def test_checkpoints():
    with Screen(["--open", "probe"], setup=copy_runs) as s:
        s.wait(r"two +step")
        s.keys("a dull plot", "Esc", "c")
        s.wait(r"step 20")
        s.keys("step 10", "Enter")
        s.wait(r"two step 10 ")
        shows(s, "two@10", "a dull plot")
        s.keys("c", "newest", "Enter")
        s.wait(r"two step 20 ")
        shows(s, "two@20", "a dull plot")


def test_runs_side_by_side():
    with Screen(["--open", "runs"], setup=copy_runs, rows=36, columns=120) as s:
        s.wait(r"one")
        s.keys("Space", "j", "Space", "k", "7", "a lovely cast")
        shows(s, "one", "a lovely cast")
        shows(s, "two", "a lovely cast")
        assert len(re.findall(r"(?:one|two) +step", s.text())) == 2


def test_kept_texts():
    with Screen(["--open", "probe"], setup=copy_runs) as s:
        s.wait(r"two +step")
        s.keys("a good plot")
        shows(s, "two", "a good plot")
        s.keys("Enter", "C-u", "a bad ending")
        shows(s, "two", "a bad ending")
        s.keys("Enter", "Esc")
        s.wait(r"(positive|negative) +0\.\d{4} +\d0 +a bad ending")
        s.keys("j", "Enter")
        s.wait(r"^│a good plot +│")
        s.keys("Esc", "d")
        s.wait_gone(r"0\.\d{4} +\d0 +a good plot")
        s.keys("x")
        s.wait_gone(r"^│a good plot +│")
        assert s.end("Esc", "q") == 0


def explained(run, text, *more):
    done = tiny_bert.run("explain", run, "--text", text, *more, "--json", program=BERTTY_FAST, cwd=MADE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shows_why(s, found):
    """The view's line of numbers for the first tokens is the command's scores, in the unit that the view names."""
    items = [i for i in found["items"] if not i["special"]]
    most = max(abs(i["score"]) for i in items)
    unit = 10.0 ** math.floor(math.log10(most)) if most < 0.01 else 1.0
    digits = 2 if most >= 0.1 or unit < 1 else 3
    sign = "" if found["method"] in ("attention", "rollout") else "+"
    number = [f"{i['score'] / unit:{sign}.{digits}f}" for i in items[:3]]
    s.wait(r"[^+\-.\d]+".join(map(re.escape, number)))


def test_explanation():
    text = "a very good film"
    with Screen(["--open", "probe"], setup=copy_runs) as s:
        s.wait(r"two +step")
        s.keys(text)
        shows(s, "two", text)
        s.keys("Esc", "e")
        found = explained("two", text)
        s.wait(rf"logit of {found['target']}: {found['value']:.4f}")
        s.wait(rf"integrated, {found['steps']} steps, completeness error {100 * found['completeness_error']:.2f} %")
        s.wait(r"\[CLS\] +a +very +good +film")
        shows_why(s, found)
        s.keys("E", "occlu", "Enter", "o")
        s.wait(r"probability of .*\n.*occlusion")
        shows_why(s, explained("two", text, "--method", "occlusion", "--of", "probability"))
        s.keys("]")
        s.wait(r"attention of layer 2 of 2, mean of 2 heads")
        s.keys("]", ">")
        s.wait(r"attention of layer 1 of 2, head 1 of 2")
        shows_why(s, explained("two", text, "--method", "attention", "--layer", "1", "--head", "1"))
        s.keys("<", "[")
        s.wait(r"attention of layer 2 of 2, mean of 2 heads")
        s.keys("E", "occlu", "Enter")
        s.wait(r"probability of .*\n.*occlusion")
        other = ({"positive", "negative"} - {found["target"]}).pop()
        s.keys("t", other, "Enter")
        s.wait(rf"probability of {other}: ")
        shows_why(s, explained("two", text, "--method", "occlusion", "--of", "probability", "--target", other))
        s.keys("i", " dull")  # what is typed is explained once nobody types
        s.wait(r"good +film +dull")
        shows_why(s, explained("two", text + " dull", "--method", "occlusion", "--of", "probability", "--target", other))
        s.keys("Esc", "e")
        s.wait(r"Enter keeps a text and its answer here")


def test_explanation_of_a_prediction():
    with Screen(["--open", "predictions"], setup=copy_runs) as s:
        s.wait(r"two")
        s.wait(r"▸5 Predictions")
        s.wait(r"(?:positive|negative)")
        s.keys("E")
        s.wait(r"▸7 Probe")
        s.wait(r"integrated, \d+ steps, completeness error")
        s.wait(r"\[CLS\] +\S")


def varied(run, text, *more):
    done = tiny_bert.run("counterfactual", run, "--text", text, *more, "--json", program=BERTTY_FAST, cwd=MADE)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_variants():
    """The ranked list is the command's; Enter makes one the text."""
    text = "a very good film"
    with Screen(["--open", "probe"], setup=copy_runs, rows=36, columns=120) as s:
        s.wait(r"two +step")
        s.keys(text)
        shows(s, "two", text)
        s.keys("Esc", "v")
        *found, total = varied("two", text)
        s.wait(rf"{total['variants']} variants, {total['flipped']} decide otherwise \(\*\); {total['forward_passes']} passes;")
        s.wait(r"swaps: nearest embeddings")
        for v in found[:5]:
            s.wait(rf"{'[*]' if v['flipped'] else ' '} +{v['change']:.4f} +{v['after']:.4f} +{v['said']} +{v['kind']} +{re.escape(v['what'])}")
        s.keys("j", "Enter")
        s.wait(rf"^│{re.escape(found[1]['text'])} +│")
        shows(s, "two", found[1]["text"])
        s.keys("V", "drop", "Enter")
        *found, total = varied("two", found[1]["text"], "--kind", "drop")
        s.wait(rf"{total['variants']} variants")
        s.keys("V", "words", "Enter", "dull, film", "Enter")
        *found, total = varied("two", s.text().splitlines()[3].strip("│ "), "--kind", "list", "--words", "dull,film")
        s.wait(rf"{total['variants']} variants")
        s.wait(rf"{found[0]['change']:.4f} .*list +{re.escape(found[0]['what'])}")
        s.keys("v")
        s.wait(r"Enter keeps a text")
        assert s.end("Esc", "q") == 0


def test_fewest_words():
    text = "a very good film"
    with Screen(["--open", "probe"], setup=copy_runs, rows=36, columns=120) as s:
        s.wait(r"two +step")
        s.keys(text)
        shows(s, "two", text)
        s.keys("Esc", "f")
        found, = varied("two", text, "--flip")
        s.wait(rf"{found['of']} {found['score']:.4f} → {found['new_said']}")
        s.wait(rf"{found['tried']} variants tried; {found['forward_passes']} passes, {found['backward_passes']} backward")
        s.keys("Enter")
        s.wait(rf"^│{re.escape(found['new_text'])} +│")
        shows(s, "two", found["new_text"])
        s.keys("f")
        s.wait(r"Enter keeps a text")


def test_variants_follow_the_text():
    """Typing on ends what is tried and tries the new text; the field that was typed in last is varied."""
    with Screen(["--open", "probe"], setup=copy_runs, rows=36, columns=120) as s:
        s.wait(r"two +step")
        s.keys("Esc", "v")
        s.wait(r"Variants are tried here")
        s.keys("i", "a good film")
        s.wait(rf"{varied('two', 'a good film')[-1]['variants']} variants")
        s.keys(" and so very dull")
        s.wait(rf"{varied('two', 'a good film and so very dull')[-1]['variants']} variants")
        s.keys("Esc", "P", "the cast")
        shows(s, exported("two"), "a good film and so very dull", "--pair", "the cast")
        total = varied(exported("two"), "a good film and so very dull", "--pair", "the cast", "--vary", "pair")[-1]
        s.wait(rf"{total['variants']} variants")
        for size in ((24, 80), (10, 40), (5, 20), (1, 1), (50, 200)):
            s.resize(*size)
            s.drain(0.1)
        s.wait(rf"{total['variants']} variants")
        assert s.end("Esc", "q") == 0


def changed(before, after):
    """What the tree says of an answer and the one that it is compared with."""
    label, other = (max(p, key=p.get) for p in (before, after))
    return re.escape(f"{label} → {other}" if other != label else label) + rf" {re.escape(f'{after[label] - before[label]:+.4f}')}"


def test_edits():
    """Each text that was asked is a node; going back and editing makes a branch."""
    texts = ["a film", "a good film", "a bad film"]
    with Screen(["--open", "probe"], setup=copy_runs, rows=36, columns=120) as s:
        s.wait(r"two +step")
        s.keys("Esc", "b")
        s.wait(r"No text has been asked yet")
        s.keys("i", texts[0])
        p = [predicted("two", text) for text in texts]
        s.wait(rf"▸ +{texts[0]} +{max(p[0], key=p[0].get)} {max(p[0].values()):.4f}")
        s.keys("C-u", texts[1])
        s.wait(rf"▸ +[+] good +{changed(p[0], p[1])}")
        s.wait(r"a [+]good film")
        s.keys("Esc", "k", "Enter")
        shows(s, "two", texts[0])
        s.keys("i", "C-u", texts[2])
        s.wait(rf"▸ +  [+] bad +{changed(p[0], p[2])}")
        assert re.search(rf"{texts[0]} .*\n.*  [+] good .*\n.*  [+] bad ", s.text()), s.dump()
        s.keys("Esc", "k", "Enter")
        s.wait(rf"^│{texts[1]} +│")
        for size in ((24, 80), (10, 40), (5, 20), (1, 1), (36, 120)):
            s.resize(*size)
            s.drain(0.1)
        s.wait(r"[+] bad ")
        s.quiet(0.7)
        assert s.quiet(1.5) == b""
        s.keys("b")
        s.wait(r"Enter keeps a text")
        assert s.end("Esc", "q") == 0


def test_edits_are_there_again():
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "XDG_STATE_HOME": home}

        def setup(d):
            copy_runs(d)
        with Screen(["--open", "probe"], setup=setup, env=env) as s:
            s.wait(r"two +step")
            s.keys("a film", "Esc", "b")
            s.wait(r"▸ +a film")
            s.keys("i", " was good")
            s.wait(r"▸ +[+] was good")
            s.keys("Esc")
            assert s.end("Esc", "q") == 0
            with Screen(["--open", "probe", "--runs", str(s.dir / "runs")], env=env) as again:
                again.wait(r"two +step")
                again.keys("Esc", "b")
                again.wait(r"a film +\w+ 0\.\d{4}")
                again.wait(r"[+] was good")
                assert again.end("Esc", "q") == 0


def test_pair():
    with Screen(["--open", "probe"], setup=copy_runs) as s:
        s.wait(r"two +step")
        s.keys("a good plot", "Esc", "P")
        s.wait(r"Second text")
        s.keys("a bad cast")
        # the model itself: the command holds a run to what it was trained on
        shows(s, exported("two"), "a good plot", "--pair", "a bad cast")
        s.keys("Esc", "P")
        s.wait_gone(r"Second text")
        shows(s, "two", "a good plot")


def test_new_checkpoint_of_a_living_run():
    """A run that is trained is asked at its newest checkpoint, and followed."""
    from screen import live_status

    def setup(d):
        copy_runs(d)
        run = d / "runs" / "two"
        shutil.move(run / "checkpoints" / "step-000020", d / "step-000020")
        status = json.loads((run / "status.json").read_text())
        (run / "status.json").write_text(json.dumps({**status, **live_status()}))

    with Screen(["--open", "probe"], setup=setup) as s:
        s.wait(r"two step 10 ")
        s.keys("a film")
        shows(s, "two@10", "a film")
        shutil.move(s.dir / "step-000020", s.dir / "runs/two/checkpoints/step-000020")
        s.wait(r"two step 20 ")
        shows(s, "two@20", "a film")


def test_damaged_model():
    def setup(d):
        copy_runs(d)
        for name in ("step-000010", "step-000020"):
            (d / "runs/two/checkpoints" / name / "model.safetensors").write_bytes(b"no model")

    with Screen(["--open", "probe"], setup=setup) as s:
        s.wait(r"no .*checkpoint|bytes")
        assert s.end("Esc", "q") == 0


def test_hostile_text():
    with Screen(["--open", "probe"], setup=copy_runs) as s:
        s.wait(r"two +step")
        s.paste("a \u202e\u0007 film \x9b31m")
        s.wait(r"film")
        assert "\u202e".encode() not in s.raw and b"\x9b31m" not in s.raw


def told(*words):
    """JSON objects that a command prints."""
    done = tiny_bert.run(*words, "--json", program=BERTTY_FAST, cwd=MADE, env={**os.environ, "XDG_CACHE_HOME": str(MADE / "cache")})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_nearest_training_rows():
    with Screen(["--open", "probe"], setup=copy_runs, rows=36, columns=120) as s:
        s.wait(r"two +step")
        s.keys("Esc", "r")
        s.wait(r"The training rows nearest to the text stand here")
        s.keys("i", "a good film")
        found = told("neighbours", "two", "--text", "a good film", "-k", "10")
        s.wait(r"50 of 200 training rows; of")
        labels = [x["neighbour"]["label"] for x in found]
        s.wait(rf"│ {labels[0]} {labels.count(labels[0])},? ")
        for x in found[:5]:
            near = x["neighbour"]
            s.wait(rf"{x['cosine']:.3f} +{near['row']} +{near['label']} +{re.escape(near['text'][:20])}")
        s.keys("Esc", "Enter")
        s.wait(rf"^│{re.escape(found[0]['neighbour']['text'][:20])}")
        s.wait(rf"1\.000 +{found[0]['neighbour']['row']} ")
        s.keys("r")
        s.wait(r"Enter keeps a text")


def test_a_word_in_two_texts():
    with Screen(["--open", "probe"], setup=copy_runs, rows=36, columns=120) as s:
        s.wait(r"two +step")
        s.keys("a good film")
        s.keys("Esc", "L")
        s.wait(r"Keep a text with Enter, then type another")
        s.keys("i", "Enter", "Esc", "x", "the film was a bore")
        for word in ("film", "a"):
            found, = told("context", "two", "--text", "the film was a bore", "--with", "a good film", "--word", word)
            s.wait(rf"“{word}” here and there")
            for layer in found["layers"]:
                name = layer["layer"] or "words"
                s.wait(rf"{name} +{layer['cosine']:.3f} +{layer['usual']:.3f} .*{layer['nearest']} +{layer['nearest_cosine']:.3f}")
            if word == "film":
                s.keys("Esc", "Enter")
                s.wait(r"─ Word ─")
                s.keys("Down", "Enter")
        s.keys("x", "dull")
        s.wait(r"no word in common")


def test_quiet_and_small():
    with Screen(["--open", "probe"], setup=copy_runs) as s:
        s.wait(r"two +step")
        s.keys("a film")
        shows(s, "two", "a film")
        s.quiet(0.7)
        assert s.quiet(1.5) == b""
        for rows, columns in ((10, 40), (5, 20), (1, 1), (50, 200), (24, 80)):
            s.resize(rows, columns)
            s.drain(0.1)
        shows(s, "two", "a film")


try:
    main(globals())
finally:
    shutil.rmtree(MADE, ignore_errors=True)
