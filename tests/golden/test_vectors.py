#!/usr/bin/env python3
"""Vectors of words and rows against transformers' hidden states: `context` layer by layer, `neighbours` by [CLS] and by the mean."""
import json
import os
import tempfile

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

import golden_tools as g

LIMITS = {"cosine": 1e-4}
TEXTS = ["He sat on the bank of the river and watched the boats.", "The bank raised the rate of interest on its unforgettable loans.",
         "A film that is remarkably unfunny, and too long.", "The plot is charming; the cast, brilliant.", "It is dull without sense."]


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


class Peer:
    def __init__(self, folder):
        self.model, self.tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)

    def states(self, text):
        """[layers + 1, tokens, hidden]"""
        with torch.no_grad():
            out = self.model(**self.tokenizer(text, return_tensors="pt", truncation=True, max_length=512), output_hidden_states=True)
        return torch.stack(out.hidden_states)[:, 0].numpy().astype(float)

    def words(self, text):
        """[(word, [layers + 1, hidden])], the mean of its pieces."""
        pieces, states, found = self.tokenizer.convert_ids_to_tokens(self.tokenizer(text)["input_ids"]), self.states(text), []
        for i, piece in enumerate(pieces):
            if piece.startswith("##"):
                found[-1][0] += piece[2:]
                found[-1][1].append(i)
            else:
                found.append([piece, [i]])
        return [(word, states[:, at].mean(1)) for word, at in found]

    def row(self, text, pooling):
        last = self.states(text)[-1]
        return unit(last[0] if pooling == "cls" else last.mean(0))


def context(model, *options):
    return json.loads(g.run("context", model, "--json", *options).stdout)


def compared(peer, text, with_text, word, other, nth=0):
    """What `context` should say, from the words that are not special."""
    a, b = ([w for w in peer.words(t) if w[0] not in ("[CLS]", "[SEP]")] for t in (text, with_text))
    i, j = [k for k, w in enumerate(a) if w[0] == word][0], [k for k, w in enumerate(b) if w[0] == other][nth]
    va, vb = (unit(np.stack([v for _, v in side], 1)) for side in (a, b))
    cosine = np.einsum("lih,ljh->lij", va, vb)
    others = np.array([[p != i and q != j and a[p][0] != b[q][0] for q in range(len(b))] for p in range(len(a))])
    return cosine[:, i, j], cosine[:, others].mean(1), [b[k][0] for k in cosine[:, i].argmax(1)], cosine[:, i].max(1)


def check(found, expected):
    for key, values in zip(("cosine", "usual", "nearest", "nearest_cosine"), expected, strict=True):
        mine = [layer[key] for layer in found["layers"]]
        assert len(mine) == len(values)
        if key == "nearest":
            assert mine == list(values), (mine, values)
        else:
            assert np.abs(np.array(mine) - values).max() <= LIMITS["cosine"], (key, mine, values)


def test_words_of_minilm(_folder):
    peer = Peer(g.MODEL)
    found = context(g.MODEL, "--text", TEXTS[0], "--with", TEXTS[1], "--word", "bank")
    check(found, compared(peer, TEXTS[0], TEXTS[1], "bank", "bank"))
    assert len(found["layers"]) == 7 and found["layers"][0]["cosine"] > found["layers"][6]["cosine"]
    found = context(g.MODEL, "--text", TEXTS[1], "--with", TEXTS[2], "--word", "Unforgettable", "--with-word", "unfunny")
    check(found, compared(peer, TEXTS[1], TEXTS[2], "unforgettable", "unfunny"))
    found = context(g.MODEL, "--text", TEXTS[0], "--word", "the")  # its second time in the same text
    check(found, compared(peer, TEXTS[0], TEXTS[0], "the", "the", 1))


def test_words_of_tiny(folder):
    model = g.tiny(folder, ["a", "b"], hidden_act="gelu_new")
    found = context(model, "--text", TEXTS[0], "--with", TEXTS[1], "--word", "of", "--with-word", "rate")
    check(found, compared(Peer(model), TEXTS[0], TEXTS[1], "of", "rate"))


def neighbours(model, *options, cache):
    done = g.run("neighbours", model, "--json", *options, program=g.BERTTY_FAST, env={**os.environ, "XDG_CACHE_HOME": str(cache)})
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows_file(texts):
    f = tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt")
    f.write("".join(text + "\n" for text in texts))
    f.flush()
    return f


def test_nearest_rows(folder):
    rng = np.random.default_rng(3)
    words = " ".join(TEXTS).lower().replace(".", "").replace(",", "").replace(";", "").split()
    texts = [" ".join(rng.choice(words, rng.integers(1, 30))) for _ in range(300)]
    for model, pooling, option in ((g.MODEL, "mean", []), (g.MODEL, "cls", ["--pooling", "cls"]),
                                   (g.tiny(folder / "tiny", ["a", "b"]), "cls", [])):
        peer = Peer(model)
        vectors = np.stack([peer.row(text, pooling) for text in texts])
        with rows_file(texts) as f:
            for text in TEXTS:
                cosine = vectors @ peer.row(text, pooling)
                for _ in range(2):  # the second time from the cache
                    found = neighbours(model, "--in", f.name, "--text", text, "-k", "7", *option, cache=folder)
                    order = [x["neighbour"]["row"] - 1 for x in found]
                    mine = np.array([x["cosine"] for x in found])
                    assert len(found) == 7 and [x["neighbour"]["text"] for x in found] == [texts[i] for i in order]
                    assert np.abs(mine - cosine[order]).max() <= LIMITS["cosine"], (model, pooling, mine, cosine[order])
                    assert np.abs(mine - np.sort(cosine)[::-1][:7]).max() <= LIMITS["cosine"]
        assert list((folder / "bertty/vectors").iterdir())


def test_across(folder):
    rng = np.random.default_rng(4)
    words = " ".join(TEXTS).lower().split()
    one = [" ".join(rng.choice(words, 12)) for _ in range(90)]
    other = [" ".join(rng.choice(words, 12)) for _ in range(60)]
    other[5], other[40], other[41] = one[7] + " .", one[80], one[80]
    peer = Peer(g.MODEL)
    a, b = (np.stack([peer.row(text, "mean") for text in texts]) for texts in (one, other))
    with rows_file(one) as f, rows_file(other) as h:
        cosine = b @ a.T
        found = neighbours(g.MODEL, "--in", f.name, "--across", h.name, "--min", "0.9", cache=folder)
        *pairs, last = found
        expected = np.where(cosine.max(1) >= 0.9)[0]
        assert last == {"rows": 60, "near": len(expected)} and len(pairs) == len(expected)
        assert {p["row"]["row"] - 1 for p in pairs} == set(expected) >= {5, 40, 41}
        for p in pairs:
            assert abs(p["cosine"] - cosine[p["row"]["row"] - 1].max()) <= LIMITS["cosine"]
            assert p["neighbour"]["row"] - 1 == cosine[p["row"]["row"] - 1].argmax()
        assert [p["cosine"] for p in pairs] == sorted((p["cosine"] for p in pairs), reverse=True)
        own = b @ b.T - 3 * np.eye(60)  # a row is no neighbour of itself
        *pairs, last = neighbours(g.MODEL, "--in", h.name, "--across", h.name, "--min", "0.999", cache=folder)
        assert [(p["row"]["row"] - 1, p["neighbour"]["row"] - 1) for p in pairs] == [(40, 41)] and own.max() > 0.999


if __name__ == "__main__":
    g.main(globals())
