#!/usr/bin/env python3
"""Counterfactuals beside PyTorch and transformers: words of an MLM head beside fill-mask, nearest embeddings, the probabilities of variants, and
HotFlip's first-order estimate beside autograd, with the replacement that it leads to."""
import json
import re

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForMaskedLM, pipeline

import golden_tools as g

LIMITS = {"probability": 1e-4, "estimate": 1e-3}
TEXT = "the film was remarkably dull, so it is not a brilliant story"
WORDS = [(m.start(), m.end()) for m in re.finditer(r"\w+", TEXT)]
SWAPS = 5


def asked(model, *options, program=None):
    lines = g.run("counterfactual", model, "--json", *options, program=program).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    return found[:-1], found[-1]


def is_word(piece):
    return piece.isalpha()


def masked_lm(folder, seed=3):
    torch.manual_seed(seed)
    model = BertForMaskedLM(BertConfig(vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                                       max_position_embeddings=512, initializer_range=0.2)).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("bias"):
                p.normal_(0, 0.2)
    g.save(model, g.MODEL, folder)
    return folder


def filled(folder, text, begin, end):
    """The words of fill-mask for the mask in the place of text[begin:end]; masks that the text has stand as they are."""
    fill = pipeline("fill-mask", model=str(folder), top_k=SWAPS)
    found = fill(text[:begin] + "[MASK]" + text[end:])
    if isinstance(found[0], list):
        found = found[text[:begin].count("[MASK]")]
    return [f["token_str"] for f in found]


def swaps_of(variants, text):
    swaps = {}
    for v in variants:
        assert v["kind"] == "swap" and v["text"][:v["begin"]] == text[:v["begin"]]
        swaps.setdefault((v["begin"], v["end"]), set()).add(v["text"][v["begin"]:len(v["text"]) - (len(text) - v["end"])])
    return swaps


def same_as_fill_mask(folder, text, words):
    variants, total = asked(folder, "--text", text, "--kind", "swap")
    assert total["swaps"] == "mlm", total
    swaps, n = swaps_of(variants, text), 0
    for begin, end in words:
        theirs = {w for w in filled(folder, text, begin, end) if is_word(w) and w != text[begin:end]}
        assert swaps.get((begin, end), set()) == theirs, (text[begin:end], swaps.get((begin, end)), theirs)
        n += len(theirs)
    assert n > len(words), "hardly a word to compare"
    print(f"words of the MLM head: {n} in {len(words)} places as fill-mask's")


def test_words_of_a_masked_lm(folder):
    text = "the film was [MASK] dull"
    same_as_fill_mask(masked_lm(folder), text, [m.span() for m in re.finditer(r"\b(?!MASK)\w+", text)])


def test_words_of_a_classifier_with_that_head(folder):
    """A checkpoint with both heads: its encoder answers for both."""
    lm, model = masked_lm(folder / "lm"), g.tiny(folder / "both", ["neg", "pos"])
    heads = {k: v.clone() for k, v in load_file(model / "model.safetensors").items() if not k.startswith("bert.") or "pooler" in k}
    both = {k: v.clone() for k, v in load_file(lm / "model.safetensors").items()}
    save_file({**both, **heads}, model / "model.safetensors", metadata={"format": "pt"})
    variants, total = asked(model, "--text", TEXT, "--kind", "swap")
    assert total["swaps"] == "mlm" and total["said"] in ("neg", "pos"), total
    swaps = swaps_of(variants, TEXT)
    for begin, end in WORDS:
        theirs = {w for w in filled(lm, TEXT, begin, end) if is_word(w) and w != TEXT[begin:end]}
        assert swaps.get((begin, end), set()) == theirs, TEXT[begin:end]
    right_probabilities(model, variants)


def probabilities(folder, texts):
    return g.hf_logits(folder, texts).softmax(-1).numpy()


def right_probabilities(folder, variants):
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    place = {name: i for i, name in model.config.id2label.items()}
    theirs = probabilities(folder, [v["text"] for v in variants])
    worst = max(abs(v["after"] - p[place[v["of"]]]) for v, p in zip(variants, theirs, strict=True))
    print(f"probabilities of {len(variants)} variants: largest difference {worst:.1e}")
    assert worst <= LIMITS["probability"], worst
    first = probabilities(folder, [TEXT])[0]
    for v, p in zip(variants, theirs, strict=True):
        assert place[v["said"]] == p.argmax() or abs(p[0] - p[1]) < 1e-4
        assert abs(v["change"] - np.abs(p - first).max()) <= 2 * LIMITS["probability"]


def test_variants(folder):
    model = g.tiny(folder, ["a", "b", "c"])
    variants, total = asked(model, "--text", TEXT, "--words", "cast, plot")
    assert {v["kind"] for v in variants} == {"drop", "swap", "negate", "typo", "list"} and total["lower_case"]
    assert total["variants"] == len(variants) and total["flipped"] == sum(v["flipped"] for v in variants)
    assert [v["change"] for v in variants] == sorted((v["change"] for v in variants), reverse=True)
    right_probabilities(model, variants)


def vocabulary(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return tokenizer, [tokenizer.convert_ids_to_tokens(i) for i in range(tokenizer.vocab_size)]


def test_nearest_embeddings(folder):
    model = g.with_head(g.MODEL, folder, ["neg", "pos"])
    variants, total = asked(model, "--text", TEXT, "--kind", "swap", program=g.BERTTY_FAST)
    assert total["swaps"] == "embeddings"
    swaps = swaps_of(variants, TEXT)
    tokenizer, vocab = vocabulary(model)
    table = AutoModelForSequenceClassification.from_pretrained(model).get_input_embeddings().weight.detach()
    words = torch.tensor([i for i, piece in enumerate(vocab) if is_word(piece)])
    for begin, end in WORDS:
        mean = table[tokenizer(TEXT[begin:end], add_special_tokens=False)["input_ids"]].mean(0)
        near = torch.nn.functional.cosine_similarity(table[words], mean[None])
        best = [vocab[words[i]] for i in near.topk(SWAPS + 1).indices]
        assert swaps[(begin, end)] == set([w for w in best if w != TEXT[begin:end]][:SWAPS]), (TEXT[begin:end], swaps[(begin, end)], best)
    assert "movie" in swaps[WORDS[1]], swaps[WORDS[1]]


class Estimates:
    """(word of the text, word of the vocabulary) → the first-order estimate of a label's probability, by autograd."""

    def __init__(self, folder, text):
        self.model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        self.tokenizer, self.vocab = vocabulary(folder)
        self.ids = [i for i, piece in enumerate(self.vocab) if is_word(piece) and self.tokenizer.tokenize(piece) == [piece]]
        inputs = self.tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
        offsets = inputs.pop("offset_mapping")[0].tolist()
        table = self.model.get_input_embeddings().weight
        x = table[inputs["input_ids"]].detach().requires_grad_()
        p = self.model(inputs_embeds=x, attention_mask=inputs["attention_mask"]).logits.softmax(-1)[0]
        self.label = int(p.argmax())
        gradient, = torch.autograd.grad(p[self.label], x)
        old, new = (gradient * x).sum(-1)[0].detach(), (table[self.ids] @ gradient[0].T).detach()
        self.of = {}
        for begin, end in WORDS:
            tokens = [k for k, (a, b) in enumerate(offsets) if b > a and begin <= a and b <= end]
            self.of[(begin, end)] = (new[:, tokens[0]] - old[tokens].sum()).numpy()

    def best(self, n):
        """The n lowest, as (place, word)."""
        every = [(e, place, self.ids[k]) for place, row in self.of.items() for k, e in enumerate(row)
                 if self.vocab[self.ids[k]] != TEXT[slice(*place)]]
        return [(place, self.vocab[i]) for _, place, i in sorted(every, key=lambda c: c[0])[:n]]


def flipped(model, *options, program=None):
    return json.loads(g.run("counterfactual", model, "--text", TEXT, "--flip", "--json", *options, program=program).stdout)


def test_estimates_and_the_best_of_them(folder):
    tries = 20
    for name, model, program in (("tiny", g.tiny(folder / "t", ["a", "b", "c"]), None),
                                 ("MiniLM", g.with_head(g.MODEL, folder / "m", ["neg", "pos"]), g.BERTTY_FAST)):
        found, theirs = flipped(model, "--most", 1, "--tries", tries, program=program), Estimates(model, TEXT)
        word = found["words"][0]
        place = (word["begin"], word["end"])
        row = theirs.of[place]
        estimate = row[theirs.ids.index(theirs.tokenizer.convert_tokens_to_ids(word["to"]))]
        difference = abs(word["estimate"] - estimate) / np.abs(row).max()
        print(f"estimate of {word['from']} → {word['to']}, {name}: relative difference {difference:.1e}")
        assert difference <= LIMITS["estimate"], (word, estimate)
        best = theirs.best(tries)
        p = probabilities(model, [TEXT[:a] + to + TEXT[b:] for (a, b), to in best])
        others = p.argmax(-1) != theirs.label
        order = sorted(range(tries), key=lambda i: (not others[i], p[i][theirs.label]))
        assert (place, word["to"]) == best[order[0]], (word, best[order[0]])
        assert abs(word["score"] - p[order[0]][theirs.label]) <= LIMITS["probability"]
        assert found["tried"] == tries and found["backward_passes"] == 1
        assert found["forward_passes"] == 1 + 2 + tries + 1, found  # the text, its explanation with its gradient, the tries, the result


def test_flips(folder):
    """What is said to flip does so in transformers, and every word of it is needed."""
    model = g.tiny(folder, ["a", "b", "c"])
    names = AutoModelForSequenceClassification.from_pretrained(model).config.id2label
    said = names[int(probabilities(model, [TEXT])[0].argmax())]
    n = 0
    for target in (None, "a", "b", "c"):
        if target == said:
            continue
        found = flipped(model, "--most", 6, *(("--target", target) if target else ()))
        p = probabilities(model, [found["new_text"]])[0]
        assert found["said"] == said and names[int(p.argmax())] == found["new_said"]
        assert found["flipped"] == (found["new_said"] == target if target else found["new_said"] != said)
        n += found["flipped"]
    assert n >= 2, "hardly anything flips: nothing would be seen"


def test_similar_words(folder):
    model = g.with_head(g.MODEL, folder, ["neg", "pos"])
    found = flipped(model, "--most", 2, "--similarity", 0.5, program=g.BERTTY_FAST)
    tokenizer, _ = vocabulary(model)
    table = AutoModelForSequenceClassification.from_pretrained(model).get_input_embeddings().weight.detach()
    assert found["words"]
    for word in found["words"]:
        old, new = (table[tokenizer(w, add_special_tokens=False)["input_ids"]].mean(0) for w in (word["from"], word["to"]))
        assert torch.nn.functional.cosine_similarity(old, new, dim=0) >= 0.5 - 1e-5, word


if __name__ == "__main__":
    g.main(globals(), threads=2)
