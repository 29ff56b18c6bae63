#!/usr/bin/env python3
"""Explanations against PyTorch: gradients to the word embeddings, integrated gradients beside Captum's, occlusion, attention and rollout,
for every task. The tolerances are LIMITS."""
import json
import tempfile

import numpy as np
import torch
from transformers import (AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForMaskedLM, BertForMultipleChoice,
                          BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification)

import golden_tools as g

LIMITS = {"gradient": 1e-3, "integrated": 1e-3, "occlusion": 1e-3, "attention": 1e-4, "completeness": 0.05, "share": 0.95}

WORDS = ("the film a plot cast music ending was is and very so it remarkably unfunny brilliant dull charming story director of in "
         "without sense heart laughter not never expensive forgettable").split()


def sentences(n, seed, least=3, most=14):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(least, most + 1))) + "." for _ in range(n)]


def explain(model, *options, program=None, rows=None):
    """Objects: one, or one for each row."""
    if rows is None:
        return json.loads(g.run("explain", model, "--json", *options, program=program).stdout)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as f:
        f.write("".join(row + "\n" for row in rows))
        f.flush()
        done = g.run("explain", model, "--file", f.name, "--json", *options, program=program)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(rows), (len(found), len(rows))
    return found


def scores(found):
    return np.array([item["score"] for item in found["items"]])


def apart(mine, theirs):
    """The largest difference, relative to the largest score of the row."""
    theirs = np.asarray(theirs, dtype=float)
    assert mine.shape == theirs.shape, (mine.shape, theirs.shape)
    assert np.isfinite(mine).all() and np.abs(theirs).max() > 0
    return np.abs(mine - theirs).max() / np.abs(theirs).max()


def near(what, limit, pairs):
    worst = max(apart(mine, theirs) for mine, theirs in pairs)
    print(f"{what}: {len(pairs)} rows, largest relative difference {worst:.1e}")
    assert worst <= LIMITS[limit], worst


class Peer:
    """A model of transformers' with one number that it is asked for: f(output) of a batch of inputs."""

    def __init__(self, folder, model, f):
        self.model, self.f = model.eval(), f
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.table = model.get_input_embeddings().weight

    def inputs(self, *texts):
        return self.tokenizer(*texts, return_tensors="pt")

    def value(self, inputs, x):
        n = len(x)
        more = {k: v.expand(n, *v.shape[1:]) for k, v in inputs.items() if k != "input_ids"}
        return self.f(self.model(inputs_embeds=x, **more))

    def gradient(self, inputs, x):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(self.value(inputs, x).sum(), x)[0]

    def times_input(self, inputs):
        x = self.table[inputs["input_ids"]]
        return (self.gradient(inputs, x) * x).sum(-1)[0].detach().numpy()

    def base(self, inputs, keep=()):
        t = self.tokenizer
        stay = [t.cls_token_id, t.sep_token_id, *keep]
        ids = inputs["input_ids"]
        return torch.where(torch.isin(ids, torch.tensor(stay)), ids, t.pad_token_id)

    def integrated(self, inputs, steps, base=None):
        """With numpy's points of Gauss and Legendre; base: vectors."""
        x = self.table[inputs["input_ids"]].detach()
        base = self.table[self.base(inputs)].detach() if base is None else base
        at, weight = np.polynomial.legendre.leggauss(steps)
        at, weight = torch.tensor((at + 1) / 2, dtype=torch.float32), torch.tensor(weight / 2, dtype=torch.float32)
        gradient = self.gradient(inputs, base + at[:, None, None] * (x - base))
        return ((weight[:, None, None] * gradient).sum(0) * (x - base)[0]).sum(-1).numpy()


def label(which, probability=False):
    def f(out):
        return out.logits.softmax(-1)[:, which] if probability else out.logits[:, which]
    return f


def classifier(folder, which, probability=False):
    return Peer(folder, AutoModelForSequenceClassification.from_pretrained(folder), label(which, probability))


def test_gradients_of_minilm(folder):
    model = g.with_head(g.MODEL, folder, ["neg", "pos"])
    texts = sentences(50, 1)
    found = explain(model, "--method", "gradient", "--target", "pos", program=g.BERTTY_FAST, rows=texts)
    peer = classifier(model, 1)
    near("gradient x input, MiniLM", "gradient",
         [(scores(a), peer.times_input(peer.inputs(text))) for a, text in zip(found, texts, strict=True)])


def test_gradients_of_tiny(folder):
    model = g.tiny(folder, ["a", "b", "c"], hidden_act="gelu_new")
    texts = sentences(50, 2)
    for of, probability in (("logit", False), ("probability", True)):
        found = explain(model, "--method", "gradient", "--target", "c", "--of", of, rows=texts)
        peer = classifier(model, 2, probability)
        near(f"gradient x input of the {of}, tiny", "gradient",
             [(scores(a), peer.times_input(peer.inputs(text))) for a, text in zip(found, texts, strict=True)])
        with torch.no_grad():
            value = [float(peer.value(peer.inputs(t), peer.table[peer.inputs(t)["input_ids"]])) for t in texts]
        assert np.allclose([a["value"] for a in found], value, atol=1e-4)


def captum(peer, inputs, base, which, steps):
    """LayerIntegratedGradients on the word embeddings: positions, segments and mask stay."""
    try:
        from captum.attr import LayerIntegratedGradients
    except ImportError as missing:
        raise g.Skip(f"{missing.name} is missing: tests/peers_env installs it") from missing
    def forward(ids, types, mask):
        return peer.model(input_ids=ids, token_type_ids=types, attention_mask=mask).logits[:, which]
    layer = LayerIntegratedGradients(forward, peer.model.bert.embeddings.word_embeddings)
    found = layer.attribute(inputs["input_ids"], baselines=base, n_steps=steps, method="gausslegendre",
                            additional_forward_args=(inputs["token_type_ids"], inputs["attention_mask"]))
    return found.sum(-1)[0].detach().numpy()


def test_captum(folder):
    for name, model, program, n, numbers in (("MiniLM", g.with_head(g.MODEL, folder / "m", ["neg", "pos"]), g.BERTTY_FAST, 3, (20,)),
                                             ("tiny", g.tiny(folder / "t", ["neg", "pos"]), None, 10, (7, 50))):
        peer, texts = classifier(model, 1), sentences(n, 3)
        for steps in numbers:
            found = explain(model, "--steps", steps, "--most-steps", steps, "--target", "pos", rows=texts, program=program)
            theirs = [captum(peer, i, peer.base(i), 1, steps) for i in map(peer.inputs, texts)]
            near(f"integrated gradients beside Captum's, {name}, {steps} steps", "integrated",
                 [(scores(a), b) for a, b in zip(found, theirs, strict=True)])
            assert {a["steps"] for a in found} == {steps}


def test_completeness(folder):
    model = g.with_head(g.MODEL, folder, ["neg", "pos"])
    found = explain(model, "--steps", 8, "--target", "pos", program=g.BERTTY_FAST, rows=sentences(200, 4, 2, 5))
    for a in found:
        whole = a["value"] - a["baseline_value"]
        assert abs(abs(whole - scores(a).sum()) / abs(whole) - a["completeness_error"]) < 1e-6 * (1 + a["completeness_error"])
        assert a["capped"] == (a["completeness_error"] > LIMITS["completeness"]), a
    share = np.mean([a["completeness_error"] <= LIMITS["completeness"] for a in found])
    print(f"completeness within {LIMITS['completeness']:.0%}: {share:.1%} of {len(found)} rows; "
          f"steps {sorted({a['steps'] for a in found})}")
    assert share >= LIMITS["share"], share
    assert len({a["steps"] for a in found}) > 1, "no row needed more steps: nothing would be seen"


def test_baselines_and_rules(folder):
    model = g.tiny(folder, ["neg", "pos"])
    peer, text = classifier(model, 0), "a brilliant film, remarkably unfunny"
    inputs = peer.inputs(text)
    x = peer.table[inputs["input_ids"]].detach()
    fixed = ("--text", text, "--target", "neg", "--steps", 12, "--most-steps", 12)
    near("from zeros", "integrated", [(scores(explain(model, *fixed, "--baseline", "zero")),
                                       peer.integrated(inputs, 12, torch.zeros_like(x)))])
    base = peer.table[peer.base(inputs)].detach()
    at = torch.linspace(0, 1, 12)
    weight = torch.full((12,), 1 / 11)
    weight[0] = weight[-1] = 1 / 22
    gradient = peer.gradient(inputs, base + at[:, None, None] * (x - base))
    theirs = ((weight[:, None, None] * gradient).sum(0) * (x - base)[0]).sum(-1).numpy()
    near("by trapezia", "integrated", [(scores(explain(model, *fixed, "--rule", "trapezoid")), theirs)])
    pieces, words = explain(model, *fixed), explain(model, *fixed, "--by", "word")
    at = [item["first"] for item in words["items"]]
    assert any(item["tokens"] > 1 for item in words["items"])
    assert [item["text"] for item in words["items"]][-3:] == ["remarkably", "unfunny", "[SEP]"]
    assert np.allclose(np.add.reduceat(scores(pieces), at), scores(words), atol=1e-9)
    for item in words["items"]:
        if not item["special"]:
            assert text[item["begin"]:item["end"]] == item["text"], item


def test_occlusion(folder):
    model = g.tiny(folder, ["neg", "pos"])
    peer, text = classifier(model, 1, True), "a brilliant film, remarkably unfunny"
    ids = peer.inputs(text)["input_ids"][0].tolist()

    def value(these):
        with torch.no_grad():
            return float(peer.f(peer.model(input_ids=torch.tensor([these]))))

    for how, by in (("mask", "piece"), ("pad", "word"), ("delete", "word"), ("delete", "piece")):
        found = explain(model, "--method", "occlusion", "--of", "probability", "--target", "pos", "--text", text, "--occlude", how,
                        "--by", by)
        put = {"mask": [peer.tokenizer.mask_token_id], "pad": [peer.tokenizer.pad_token_id], "delete": []}[how]
        theirs = [0.0 if item["special"] else value(ids) - value(ids[:item["first"]] + put * item["tokens"]
                                                                 + ids[item["first"] + item["tokens"]:])
                  for item in found["items"]]
        near(f"occlusion, {how} by {by}", "occlusion", [(scores(found), theirs)])


def test_attention(folder):
    model = g.tiny(folder, ["neg", "pos"])
    text = "a brilliant film, remarkably unfunny"
    peer = classifier(model, 0)
    peer.model.set_attn_implementation("eager")
    with torch.no_grad():
        layers = [a[0].double().numpy() for a in peer.model(**peer.inputs(text), output_attentions=True).attentions]
    found = explain(model, "--method", "attention", "--text", text)
    near("attention, last layer, mean", "attention", [(scores(found), layers[-1].mean(0)[0])])
    assert apart(np.array(found["matrix"]), layers[-1].mean(0)) <= LIMITS["attention"]
    found = explain(model, "--method", "attention", "--layer", 1, "--head", 3, "--text", text)
    near("attention, layer 1, head 3", "attention", [(np.array(found["matrix"]), layers[0][2])])
    rolled = np.eye(len(layers[0][0]))
    for a in layers:
        half = 0.5 * a.mean(0) + 0.5 * np.eye(len(rolled))
        rolled = half / half.sum(-1, keepdims=True) @ rolled
    found = explain(model, "--method", "rollout", "--text", text)
    near("rollout", "attention", [(np.array(found["matrix"]), rolled), (scores(found), rolled[0])])
    words = explain(model, "--method", "rollout", "--text", text, "--by", "word")
    assert np.allclose(np.array(words["matrix"]).sum(-1), 1.0)


def tiny(cls, folder, seed=5, **more):
    size = {"vocab_size": 30522, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
            "max_position_embeddings": 512, "initializer_range": 0.2}
    torch.manual_seed(seed)
    model = cls(BertConfig(**size, **more)).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("bias"):
                p.normal_(0, 0.2)
    g.save(model, g.MODEL, folder)
    return model


def both_methods(what, folder, peer, inputs, options, keep=(), row=0):
    """Gradient and integral of one input; row: of several sequences of an example."""
    one = {k: v[row:row + 1] for k, v in inputs.items()}
    found = explain(folder, *options, "--method", "gradient")
    near(f"{what}: gradient x input of {found['target']}", "gradient", [(scores(found), peer.times_input(one))])
    found = explain(folder, *options, "--steps", 20, "--most-steps", 20)
    base = peer.table[peer.base(one, keep)].detach()
    near(f"{what}: integrated gradients", "integrated", [(scores(found), peer.integrated(one, 20, base))])
    occluded = explain(folder, *options, "--method", "occlusion", "--occlude", "delete", "--by", "word")
    assert abs(occluded["value"] - found["value"]) < 1e-4 and np.abs(scores(occluded)).max() > 0
    return found


OFS = (("logit", False), ("probability", True))


def test_regression(folder):
    peer = Peer(folder, tiny(BertForSequenceClassification, folder, num_labels=1, problem_type="regression"), lambda out: out.logits[:, 0])
    text = "a dull plot"
    both_methods("regression", folder, peer, peer.inputs(text), ("--text", text))


def test_sets(folder):
    names = {"id2label": {0: "x", 1: "y", 2: "z"}, "label2id": {"x": 0, "y": 1, "z": 2}}
    model = tiny(BertForSequenceClassification, folder, problem_type="multi_label_classification", **names)
    for of, probability in OFS:
        peer = Peer(folder, model, lambda out, p=probability: (out.logits.sigmoid() if p else out.logits)[:, 1])
        both_methods(f"multilabel, {of}", folder, peer, peer.inputs("a dull plot", "it was"),
                     ("--text", "a dull plot", "--pair", "it was", "--target", "y", "--of", of))


def test_tags(folder):
    names = {"id2label": {0: "O", 1: "B-X", 2: "I-X"}, "label2id": {"O": 0, "B-X": 1, "I-X": 2}}
    model = tiny(BertForTokenClassification, folder, **names)
    text = "a remarkably unfunny film"  # word 3 begins at token 3
    for of, probability in OFS:
        peer = Peer(folder, model, lambda out, p=probability: (out.logits.softmax(-1) if p else out.logits)[:, 3, 2])
        assert peer.tokenizer.tokenize(text)[2] == "un"
        found = both_methods(f"tags, {of}", folder, peer, peer.inputs(text),
                             ("--text", text, "--word", 3, "--target", "I-X", "--of", of))
        assert found["target"] == "I-X of word 3"


def test_answers(folder):
    model = tiny(BertForQuestionAnswering, folder)
    question, passage = "who is dull", "the director of it was not so dull"
    options = ("--text", question, "--pair", passage)
    target = explain(folder, *options, "--method", "gradient")["target"]
    for of, probability in OFS:
        peer = Peer(folder, model, None)
        inputs = peer.inputs(question, passage)
        at = passage.index(target)
        a = inputs.char_to_token(0, at, 1)
        b = inputs.char_to_token(0, at + len(target) - 1, 1)

        def f(out, p=probability, a=a, b=b):
            if p:
                return out.start_logits.softmax(-1)[:, a] * out.end_logits.softmax(-1)[:, b]
            return out.start_logits[:, a] + out.end_logits[:, b]
        peer.f = f
        both_methods(f"answers, {of}", folder, peer, inputs, (*options, "--of", of))


def test_choices(folder):
    model = tiny(BertForMultipleChoice, folder)
    text, choices = "the film was", ["dull", "remarkably unfunny", "a plot"]
    options = ("--text", text, *(part for choice in choices for part in ("--choice", choice)), "--target", 1)
    for of, probability in OFS:
        peer = Peer(folder, model, None)
        inputs = peer.tokenizer([text] * 3, choices, return_tensors="pt", padding=True)
        with torch.no_grad():
            others = model(**{k: v[None] for k, v in inputs.items()}).logits[0]
        one = peer.tokenizer([text], [choices[1]], return_tensors="pt")

        def f(out, p=probability, others=others):
            own = out.logits[:, 0]
            return own.exp() / (own.exp() + others[0].exp() + others[2].exp()) if p else own

        def value(inputs, x, peer=peer):
            more = {k: v[None].expand(len(x), *v[None].shape[1:]) for k, v in inputs.items() if k != "input_ids"}
            return peer.f(peer.model(inputs_embeds=x[:, None], **more))
        peer.f, peer.value = f, value
        found = both_methods(f"choices, {of}", folder, peer, one, (*options, "--of", of))
        assert found["target"] == "1: remarkably unfunny"


def test_masks(folder):
    model = tiny(BertForMaskedLM, folder)
    text = "the [MASK] was [MASK] dull"  # the second mask is token 4
    for of, probability in OFS:
        peer = Peer(folder, model, None)
        word = peer.tokenizer.convert_tokens_to_ids("plot")
        peer.f = lambda out, p=probability, w=word: (out.logits.softmax(-1) if p else out.logits)[:, 4, w]
        inputs = peer.inputs(text)

        def base(inputs, keep=(), peer=peer):
            ids = Peer.base(peer, inputs, keep).clone()
            ids[0, 4] = peer.tokenizer.mask_token_id
            return ids
        peer.base = base
        both_methods(f"masks, {of}", folder, peer, inputs, ("--text", text, "--word", 2, "--target", "plot", "--of", of))


if __name__ == "__main__":
    g.main(globals(), threads=2)
