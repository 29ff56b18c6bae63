#!/usr/bin/env python3
"""`bertty counterfactual` on tiny trained runs of every task: variants and what is said of them, flips, which text is varied, what it refuses."""
import json
import os
import sys
import tempfile
from pathlib import Path

import tiny_bert
from tiny_bert import run

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tui"))
FOLDER = tempfile.TemporaryDirectory()
HERE = Path(FOLDER.name)
KINDS = "drop swap negate typo list".split()
TEXT = "the film was good and the plot was dull"


def told(*words, model="films", here=HERE):
    done = run("counterfactual", model, *words, cwd=here)
    assert done.returncode == 0 and not done.stderr, (words, done.returncode, done.stderr)
    assert "\x1b" not in done.stdout
    return done.stdout


def asked(*words, **options):
    """The variants, and the sum."""
    lines = [json.loads(line) for line in told(*words, "--json", **options).splitlines()]
    assert lines[-1]["variants"] == len(lines) - 1 and lines[-1]["flipped"] == sum(v["flipped"] for v in lines[:-1]), lines[-1]
    return lines[:-1], lines[-1]


def flipped(*words, **options):
    return json.loads(told(*words, "--flip", "--json", **options))


def predicted(text, *more, model="films", here=HERE):
    done = run("predict", model, "--text", text, *more, "--json", cwd=here)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(*words, code=1, model="films", here=HERE):
    done = run("counterfactual", model, *words, cwd=here)
    assert done.returncode == code and not done.stdout, (words, done.returncode, done.stdout)
    assert done.stderr.startswith("bertty: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_training():
    experiment = tiny_bert.experiment(HERE, {"train.max_steps": 200, "optim.learning_rate": 3e-3, "eval.eval_steps": 100, "run.save_steps": 100}, train=600)
    done = run("train", experiment, "--name", "films", cwd=HERE)
    assert done.returncode == 0, done.stderr


def test_variants():
    variants, total = asked("--text", "the film was not good", "--words", "bad, dull ,", "--words", "awful")
    assert {v["kind"] for v in variants} == set(KINDS) and total["swaps"] == "embeddings" and total["lower_case"]
    assert total["forward_passes"] == total["variants"] + 1
    assert [v["change"] for v in variants] == sorted((v["change"] for v in variants), reverse=True)
    assert len({v["text"] for v in variants}) == len(variants) and not any(v["text"] == "the film was not good" for v in variants)
    for v in variants[:12] + variants[-3:]:
        said = predicted(v["text"])
        assert abs(said["scores"][v["of"]] - v["after"]) < 1e-6 and said["label"] == v["said"], (v, said)
    texts = {v["text"]: v["kind"] for v in variants}
    assert texts["the film was good"] in ("negate", "drop") and "film was not good" in texts and "the film was not awful" in texts
    assert total["flipped"] > 0 and any(v["flipped"] and v["text"].endswith(("bad", "awful", "dull")) for v in variants)
    some, total = asked("--text", "the film was not good", "--kind", "drop", "--kind", "negate")
    assert {v["kind"] for v in some} <= {"drop", "negate"} and len(some) == 5, some


def test_typos_are_seeded():
    one, other = (asked("--text", "the brilliant film", "--kind", "typo", "--seed", s)[0] for s in ("1", "2"))
    assert one == asked("--text", "the brilliant film", "--kind", "typo", "--seed", "1")[0]
    assert {v["text"] for v in one} != {v["text"] for v in other}


def test_for_people():
    lines = told("--text", "the film was good", "--limit", "3").splitlines()
    variants, total = asked("--text", "the film was good")
    assert lines[0] == f"{total['said']} {total['score']:.4f}"
    assert lines[1] == f"{len(variants)} variants, {total['flipped']} of them decide otherwise (*); {total['forward_passes']} forward passes"
    assert lines[2] == "swap: nearest word embeddings (the checkpoint has no MLM head)" and lines[3].startswith("case: not tried")
    for line, v in zip(lines[5:8], variants, strict=False):
        assert f"{v['change']:.4f}" in line and v["what"] in line and line.startswith("*") == v["flipped"], (line, v)
    assert lines[8] == f"… and {len(variants) - 3} that change less (--limit)" and len(lines) == 9


def test_rows_of_a_file():
    texts = ["the film was good", "the plot was dull and slow", "a warm clever film"]
    path = HERE / "texts.tsv"
    path.write_text("text\tlabel\n" + "".join(f"{t}\tpositive\n" for t in texts))
    lines = [json.loads(line) for line in told("--file", path, "--kind", "drop", "--json").splitlines()]
    for row, text in enumerate(texts, 1):
        alone, total = asked("--text", text, "--kind", "drop")
        assert [line for line in lines if line["row"] == row] == [{"row": row, **v} for v in (*alone, total)], row
        assert flipped("--file", path, "--row", str(row)) == {"row": row, **flipped("--text", text)}
    some = told("--file", path, "--row", "3", "--row", "1", "--kind", "drop")
    assert [line for line in some.splitlines() if line.startswith("row ")] == ["row 3", "row 1"], some
    assert "no row 4, expected a number from 1 to 3" in refused("--file", path, "--row", "4")
    assert "not both" in refused("--file", path, "--text", "x", code=2)
    assert "--pair was given without --text" in refused("--file", path, "--pair", "x", code=2)
    assert "--row was given without --file" in refused("--text", "x", "--row", "1", code=2)
    path.write_text(f"text\tlabel\n{texts[0]}\tpositive\n\tpositive\n")
    done = run("counterfactual", "films", "--file", path, "--kind", "drop", "--json", cwd=HERE)
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 5 and "row 2" in done.stderr, (done.stdout, done.stderr)


def test_flips():
    found = flipped("--text", "the film was good and clever")
    assert found["said"] == "positive" and found["flipped"] and found["new_said"] == "negative" and 0 < len(found["words"]) <= 5, found
    said = predicted(found["new_text"])
    assert said["label"] == "negative" and abs(said["scores"]["positive"] - found["new_score"]) < 1e-6
    for w in found["words"]:
        assert "the film was good and clever"[w["begin"]:w["end"]] == w["from"]
    assert found["words"][0]["estimate"] < 0 and found["tried"] >= 50 and found["backward_passes"] >= 1
    text = told("--text", "the film was good and clever", "--flip")
    assert f"flipped by {len(found['words'])} word" in text and f"{found['forward_passes']} forward passes" in text, text
    assert flipped("--text", "the film was good and clever", "--target", "negative")["new_said"] == "negative"
    short = flipped("--text", "good great fine lovely brilliant moving clever warm funny honest", "--most", "1")
    assert not short["flipped"] and len(short["words"]) == 1 and short["new_score"] < short["score"], short
    assert "do not suffice" not in told("--text", "the film was good", "--flip", "--most", "3")
    assert "decides for already" in refused("--text", "the film was good", "--flip", "--target", "positive")


def other(task):
    import kinds
    here = HERE / task
    if not (here / "runs").exists():
        kinds.trained(here, task, os.environ["BERTTY_FAST"])
    return {"model": task, "here": here}


def test_entities():
    there = other("ner")
    variants, total = asked("--text", TEXT, **there)
    before = {(a["begin"], a["end"], a["label"]) for a in predicted(TEXT, **there)["answers"]}
    for v in variants:
        if v["kind"] != "drop":
            continue
        after = {(a["begin"], a["end"], a["label"]) for a in predicted(v["text"], **there)["answers"]}
        gone = v["end"] - v["begin"]
        want = {(b - gone * (b >= v["end"]), e - gone * (e > v["begin"]), t) for b, e, t in before}
        want = {(b, e, t) for b, e, t in want if e > b}
        assert v["flipped"] == (after != want), (v, before, after, want)
    assert before and total["said"] != "nothing"
    found = flipped("--text", TEXT, "--most", "2", **there)
    assert found["of"].endswith(("word 4", "word 9")) or " of word " in found["of"], found
    assert found["flipped"] and found["new_said"] != found["said"], found


def test_answers():
    there = other("qa")
    for which in ("text", "pair"):
        variants, total = asked("--text", "was the film good", "--pair", TEXT, "--vary", which, "--kind", "drop", **there)
        assert len(variants) == (4 if which == "text" else 9)
        for v in variants:
            question, passage = (v["text"], TEXT) if which == "text" else ("was the film good", v["text"])
            answer = next(a["label"] for a in predicted(question, "--pair", passage, **there)["answers"] if a["chosen"])
            assert v["said"] == (answer or "no answer"), (v, answer)
            if which == "text":
                assert v["flipped"] == (v["said"] != total["said"]), v
    found = flipped("--text", "was the film good", "--pair", TEXT, "--vary", "pair", **there)
    assert found["of"] == found["said"] and found["new_text"] != TEXT, found


def test_numbers_and_sets():
    there = other("regression")
    variants, total = asked("--text", TEXT, **there)
    assert not total["flipped"] and all(v["of"] is None for v in variants), total
    for v in variants[:3]:
        assert abs(predicted(v["text"], **there)["value"] - v["after"]) < 1e-5 and abs(v["change"] - abs(v["after"] - v["before"])) < 1e-12
    assert "gives a number" in refused("--text", TEXT, "--flip", **there)
    there = other("multilabel")
    variants, total = asked("--text", TEXT, **there)
    for v in variants[:5]:
        assert abs(predicted(v["text"], **there)["scores"][v["of"]] - v["after"]) < 1e-6
        assert v["flipped"] == (v["said"] != total["said"])
    assert flipped("--text", TEXT, "--target", "cold", **there)["of"] == "cold"


def test_choices_and_aspects():
    there = other("multiple_choice")
    two = ("--text", TEXT, "--choice", "good", "--choice", "bad")
    variants, _ = asked(*two, **there)
    said = predicted(variants[0]["text"], *two[2:], **there)
    assert max(said["scores"]) == said["scores"][["good", "bad"].index(variants[0]["said"])], (variants[0], said)
    variants, _ = asked(*two, "--vary", "1", "--kind", "swap", **there)
    assert variants and all("bad" not in v["text"] for v in variants), variants
    assert "no choice 2 to vary, expected a number from 0 to 1" in refused(*two, "--vary", "2", **there)
    flipped(*two, "--vary", "1", "--most", "1", **there)
    there = other("absa")
    variants, _ = asked("--text", "the film was good", "--pair", "film", "--vary", "pair", "--kind", "swap", **there)
    assert variants and all(" " not in v["text"] for v in variants), variants
    assert "--pair is missing" in refused("--text", "the film was good", **there)


def test_masks():
    there = other("mlm")
    variants, total = asked("--text", "the film was [MASK] and so", **there)
    assert total["swaps"] == "mlm" and all("[MASK]" in v["text"] for v in variants), total
    assert total["forward_passes"] == total["variants"] + 1 + 5
    for v in variants[:5]:
        best = next(a["label"] for a in predicted(v["text"], **there)["answers"] if a["chosen"])
        assert v["said"] == best, (v, best)


def test_odd_texts():
    for text in ("\x1b[31mgood\x07", "\u202egood\u200b film", "<&\"'>", "\U000e0041 film", "日本 film", "good " * 300, "...", "a"):
        asked("--text", text, "--kind", "drop", "--kind", "typo", "--kind", "negate")
        told("--text", text, "--kind", "drop", "--kind", "typo")
        flipped("--text", text, "--most", "1", "--tries", "3")


def test_refusals():
    assert "the text is empty" in refused("--text", " \t")
    assert "the text is empty" in refused("--text", "", "--flip")
    assert 'no label "good", expected one of: negative, positive' in refused("--text", "a", "--flip", "--target", "good")
    assert "no second text" in refused("--text", "a", "--vary", "pair")
    assert "nowhere" in refused("--text", "a", model="nowhere")
    for words in ((), ("--text", "a", "--kind", "x"), ("--text", "a", "--vary", "x"), ("--text", "a", "--target", "positive"),
                  ("--text", "a", "--flip", "--kind", "drop"), ("--text", "a", "--flip", "--similarity", "2"), ("--text", "a", "--limit", "0")):
        refused(*words, code=2)


if __name__ == "__main__":
    sys.exit(tiny_bert.counted([t for name, t in list(globals().items()) if name.startswith("test_")]))
