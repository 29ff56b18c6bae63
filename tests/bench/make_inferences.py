#!/usr/bin/env python3
"""Writes a small natural-language-inference set in MNLI's manner: train.tsv, dev_matched.tsv and dev_mismatched.tsv
(sentence1, sentence2, gold_label in words). The mismatched file speaks of people, things and places that the others never name.

    make_inferences.py FOLDER [--shared DIR]

A premise tells some of a scene's facts. The hypothesis takes up one: the premise's own value (or its kind) is entailment, another
value contradiction, a fact that the premise leaves out neutral; negation swaps the first two. So neither sentence alone tells."""
import argparse
import random
from pathlib import Path

MATCHED = {
    "who": {"woman": "adult", "man": "adult", "boy": "child", "girl": "child", "farmer": "worker", "nurse": "worker",
            "painter": "artist", "singer": "artist"},
    "what": {"buying apples": "buying fruit", "buying pears": "buying fruit", "repairing a bicycle": "repairing something",
             "repairing a chair": "repairing something", "eating soup": "having a meal", "eating rice": "having a meal",
             "playing the piano": "making music", "playing the drums": "making music"},
    "where": {"in a kitchen": "indoors", "in a library": "indoors", "in a classroom": "indoors", "in a garden": "outdoors",
              "on a beach": "outdoors", "in a forest": "outdoors"},
}
MISMATCHED = {
    "who": {"queen": "noblewoman", "king": "nobleman", "sailor": "seaman", "soldier": "fighter", "pilot": "aviator",
            "dentist": "doctor", "lawyer": "jurist", "plumber": "craftsman"},
    "what": {"reading a novel": "reading", "reading a newspaper": "reading", "feeding the horses": "looking after animals",
             "feeding the ducks": "looking after animals", "washing a car": "cleaning something",
             "washing the windows": "cleaning something", "writing a letter": "writing", "writing a poem": "writing"},
    "where": {"in a castle": "indoors", "in an office": "indoors", "in a museum": "indoors", "at a harbour": "outdoors",
              "on a mountain": "outdoors", "in a desert": "outdoors"},
}
SHARED = {
    "when": ["in the morning", "at noon", "in the evening", "at night"],
    "weather": ["It is raining.", "It is snowing.", "The sun is shining.", "It is foggy."],
    "coat": ["a red coat", "a blue coat", "a green coat", "a black coat"],
    "company": ["alone", "with a friend", "with a large dog"],
}
LABELS = ["entailment", "neutral", "contradiction"]


def scene(rng, world):
    facts = {key: rng.choice(list(values)) for key, values in {**world, **SHARED}.items()}
    kept = {"who", "what"} | set(rng.sample(["where", *SHARED], rng.randint(2, 4)))
    return facts, kept


def article(noun):
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def premise(rng, facts, kept):
    text = f"{article(facts['who'])} is {facts['what']}"
    for key in rng.sample(["where", "when", "company"], 3):
        if key in kept:
            text += f" {facts[key]}"
    text = text[0].upper() + text[1:] + "."
    if "coat" in kept:
        text += rng.choice([f" The {facts['who']} wears {facts['coat']}.", f" There is {facts['coat']} on the {facts['who']}'s shoulders."])
    if "weather" in kept:
        text = rng.choice([f"{text} {facts['weather']}", f"{facts['weather']} {text}"])
    return text


def statement(rng, who, key, value, negated):
    """A sentence about one fact."""
    is_not = " not" if negated else ""
    if key == "weather":
        kind, rest = value.rstrip(".").split(" is ")
        return f"{kind} is{is_not} {rest}."
    if key == "coat":
        return f"The {who} does not wear {value}." if negated else f"The {who} wears {value}."
    if key == "when" or (key == "where" and rng.random() < 0.5):
        return f"This does not happen {value}." if negated else f"This happens {value}."
    return f"The {who} is{is_not} {value}."


def pair(rng, world, label):
    facts, kept = scene(rng, world)
    told = [key for key in ("what", "where", *SHARED) if key in kept]
    untold = [key for key in ("where", *SHARED) if key not in kept]
    key = rng.choice(untold if label == "neutral" else told)
    values = list(world[key]) if key in world else SHARED[key]
    negated = rng.random() < 0.3
    same = label == "entailment" if not negated else label == "contradiction"
    if label == "neutral":
        value = rng.choice(values)
    elif same:
        value = facts[key]
    else:
        kind = world[key][facts[key]] if key in world else None
        value = rng.choice([v for v in values if v != facts[key] and (kind is None or world[key][v] != kind)])
    if key in world and rng.random() < 0.3:
        value = world[key][value]
    return premise(rng, facts, kept), statement(rng, facts["who"], key, value, negated), label


def write(path, rng, world, n):
    rows = [pair(rng, world, LABELS[i % len(LABELS)]) for i in range(n)]
    rng.shuffle(rows)
    path.write_text("sentence1\tsentence2\tgold_label\n" + "".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shared", help="not needed: everything is made here")
    folder = parser.parse_args().folder
    rng = random.Random(20)
    write(folder / "train.tsv", rng, MATCHED, 6000)
    write(folder / "dev_matched.tsv", rng, MATCHED, 600)
    write(folder / "dev_mismatched.tsv", rng, MISMATCHED, 600)


if __name__ == "__main__":
    main()
