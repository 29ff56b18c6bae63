#!/usr/bin/env python3
"""Writes train.csv and val.csv in the format of SWAG's files: what somebody does, the start of the next sentence, four endings.

    make_choices.py FOLDER [--shared DIR]

Each scene has ways to begin and ways to go on; the wrong endings come from other scenes. In val.csv stand the (beginning, ending)
pairs that train.csv never joins, so that it takes knowing the scene, not the pair."""
import argparse
import csv
import random
from pathlib import Path

COLUMNS = ["", "video-id", "fold-ind", "startphrase", "sent1", "sent2", "gold-source", *(f"ending{i}" for i in range(4)), "label"]
PEOPLE = [("A woman", "She"), ("A man", "He"), ("A girl", "She"), ("A boy", "He"), ("An old woman", "She"), ("A young man", "He"),
          ("Anna", "She"), ("Peter", "He"), ("The teacher", "She"), ("The neighbour", "He")]
SCENES = {
    "tea": (["puts a kettle on the stove", "takes a teapot from the shelf", "opens a box of tea leaves", "boils water for a hot drink"],
            ["pours hot water into a cup.", "waits until the tea is strong enough.", "stirs a spoon of sugar into the cup.",
             "blows on the steaming drink."]),
    "bicycle": (["turns a bicycle upside down", "finds that a tyre is flat", "takes a wheel off a bike", "oils a rusty chain"],
                ["pumps air into the tyre.", "spins the pedals with one hand.", "tightens the bolts of the wheel.",
                 "rides a round to try the brakes."]),
    "garden": (["digs a row of small holes", "kneels on the lawn with a spade", "carries pots of seedlings outside",
                "opens a packet of flower seeds"],
               ["covers the roots with soil.", "waters the young plants.", "pulls some weeds from the flower bed.",
                "presses the earth down around the stems."]),
    "piano": (["sits down on a piano bench", "opens a book of sheet music", "lifts the lid of the piano", "stretches the fingers over the keys"],
              ["plays a slow melody.", "hits a wrong note and starts again.", "presses the pedal and lets the chord ring.",
               "turns the page of the score."]),
    "swim": (["stands at the edge of a pool", "puts on goggles and a swimming cap", "climbs onto a diving board", "tests the cold water with a toe"],
             ["dives in and swims a length.", "comes up for air, dripping.", "floats on the back for a while.",
              "kicks the legs and splashes everybody."]),
    "bread": (["mixes flour, yeast and water", "kneads dough on a wooden board", "heats the oven for baking", "greases a loaf tin"],
              ["lets the dough rise under a towel.", "cuts a slice of the crusty loaf.", "dusts the dough with more flour.",
               "slides the loaf into the oven."]),
    "photo": (["puts a camera on a tripod", "looks through a lens", "asks the family to stand closer together", "waits for the light to be right"],
              ["presses the shutter.", "asks everybody to smile once more.", "looks at the picture on the display.",
               "changes the focus and takes another shot."]),
    "dog": (["spreads foam on a dog's coat", "lifts a wet dog out of a tub", "brushes a shaggy poodle", "holds a puppy under the tap"],
              ["rubs the fur with a towel.", "laughs as the dog shakes itself.", "gives the dog a biscuit.", "combs the knots out of the fur."]),
    "fish": (["sits on a pier with a rod", "puts a worm on a hook", "casts a line into the lake", "waits in a small boat"],
             ["reels in a large trout.", "feels a pull at the line.", "throws the little fish back.", "drops the catch into a bucket."]),
    "paint": (["sets an easel by the window", "squeezes colours onto a palette", "stretches a blank canvas", "sketches a landscape in pencil"],
              ["mixes blue and yellow.", "dips the brush again.", "paints the sky in broad strokes.", "steps back to look at the canvas."]),
    "snow": (["waxes a pair of skis", "takes the lift up a white slope", "fastens the bindings of a snowboard", "stands on top of the ski run"],
             ["glides down the hill.", "falls into the deep snow.", "carves wide turns.", "brakes at the foot of the slope."]),
    "shoes": (["polishes a leather boot", "takes an old shoe to the bench", "opens a tin of black polish", "pulls at a worn-out sole"],
              ["glues a new heel on.", "brushes the leather until it shines.", "ties the laces in a bow.", "walks up and down in the boots."]),
    "letter": (["takes a sheet of writing paper", "fills a fountain pen", "thinks about how to thank an aunt", "looks for an envelope"],
               ["signs at the bottom of the page.", "sticks a stamp in the corner.", "writes the address in neat letters.",
                "drops the envelope into the postbox."]),
    "hair": (["drapes a cape around a customer", "takes scissors and a comb", "washes somebody's long hair", "plugs in a hair dryer"],
             ["trims the fringe.", "shows the back of the head in a mirror.", "cuts another inch off.", "sweeps the cut locks from the floor."]),
    "tennis": (["bounces a ball on the baseline", "grips a racket with both hands", "walks onto a clay court", "tightens the net"],
               ["serves an ace.", "hits a backhand across the court.", "runs to return the ball.", "loses the set in a tie-break."]),
    "fire": (["gathers dry branches", "stacks logs in a ring of stones", "strikes a match", "opens the door of the wood stove"],
             ["warms both hands over the flames.", "blows until the twigs glow.", "adds another log.", "watches the sparks fly up."]),
}


def rows(rng, n, held):
    """held: the joined (beginning, ending) pairs are those kept for val.csv."""
    names, made = list(SCENES), []
    for i in range(n):
        scene = rng.choice(names)
        begin, end = rng.randrange(4), rng.randrange(4)
        while ((begin + end) % 4 == 3) != held:
            begin, end = rng.randrange(4), rng.randrange(4)
        who, she = rng.choice(PEOPLE)
        sent1 = f"{who} {SCENES[scene][0][begin]}."
        wrong = [rng.choice(SCENES[other][1]) for other in rng.sample([s for s in names if s != scene], 3)]
        label = rng.randrange(4)
        endings = wrong[:label] + [SCENES[scene][1][end]] + wrong[label:]
        made.append([i, f"made_{scene}_{i}", i, f"{sent1} {she}", sent1, she, "gold", *endings, label])
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shared", help="not needed: everything is made here")
    folder = parser.parse_args().folder
    rng = random.Random(16)
    for name, n, held in (("train.csv", 1500, False), ("val.csv", 400, True)):
        with open(folder / name, "w", encoding="utf-8", newline="") as f:
            csv.writer(f, lineterminator="\n").writerows([COLUMNS, *rows(rng, n, held)])


if __name__ == "__main__":
    main()
