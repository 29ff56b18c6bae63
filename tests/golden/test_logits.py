#!/usr/bin/env python3
"""Our logits against transformers', computed here and now on the same files: its batches are padded and masked, ours are not."""
import golden_tools as g

LIMIT = 1e-4  # largest absolute difference of a logit
REVIEWS = g.ROOT / "experiments/data/movie-reviews/dev.tsv"

ODD = [
    "", " ", "a", "ÉCLAIR naïve façade", "你好，世界", "the the the " * 200, "x" * 150, "don't (really) [MASK] [SEP] it!",
    "tabs are no part of this\u00a0line", "🙂 fine", "e\u0301 = é", "İstanbul", "Straße",
]


def sentences(n):
    if (g.SHARED / "sst2/dev.tsv").exists():
        return [r[0] for r in g.rows(g.SHARED / "sst2/dev.tsv")][:n]
    return [r[0] for r in g.rows(REVIEWS, header=True)][:n]


def pairs(n):
    if (g.SHARED / "mrpc").exists():
        found = [(r[3], r[4]) for r in g.rows(g.SHARED / "mrpc/msr_paraphrase_train.txt", header=True)][:n]
    else:
        one = sentences(2 * n)
        found = list(zip(one[::2], one[1::2]))
    return [a for a, _ in found], [b for _, b in found]


def agree(directory, texts, second=None):
    ours, theirs = g.bertty_logits(directory, texts, second), g.hf_logits(directory, texts, second)
    apart = g.largest_difference(ours, theirs)
    print(f"{directory.name}: {len(texts)} inputs, logits {theirs.min():.2f} … {theirs.max():.2f}, "
          f"largest difference {apart:.1e}")
    assert theirs.std(dim=0).min() > 1e-3, "the logits hardly differ: nothing would be seen"
    assert apart <= LIMIT, apart


def test_200_sentences_and_pairs(folder):
    model = g.with_head(g.MODEL, folder / "minilm", ["bad", "good"])
    agree(model, sentences(200))
    agree(model, *pairs(60))


def test_cased(folder):
    texts = [t.title() for t in sentences(100)]
    model = g.tiny(folder / "cased", ["a", "b", "c"], lower=False)
    agree(model, texts)
    uncased = g.tiny(folder / "uncased", ["a", "b", "c"])
    agree(uncased, texts)
    assert g.largest_difference(g.bertty_logits(model, texts), g.bertty_logits(uncased, texts)) > 0.01


def test_odd_texts_and_truncation(folder):
    """Among them empty ones and ones that are longer than the model's positions."""
    model = g.tiny(folder / "odd", ["a", "b", "c", "d", "e"])
    agree(model, ODD)
    agree(model, ODD, ["word " * 400, *ODD[:-1]])


def test_activations(folder):
    for act in "gelu", "gelu_new", "relu":
        agree(g.tiny(folder / act, ["a", "b", "c"], hidden_act=act, initializer_range=0.3), sentences(40))


def test_one_layer_many_labels(folder):
    agree(g.tiny(folder / "one", [f"label {i}" for i in range(77)], num_hidden_layers=1), sentences(40))


def test_shared_tiny_bert(folder):
    model = g.with_head(g.shared("tiny-bert/hf"), folder / "tiny-bert", ["no", "yes"], seed=4)
    agree(model, sentences(200))
    agree(model, *pairs(100))


def test_predict_says_what_the_logits_say(folder):
    labels = ["bad", "so so", "good"]
    model = g.tiny(folder / "m", labels)
    texts = sentences(30)
    for answer in g.bertty_predict(model, texts):
        assert list(answer) == ["label", "scores", "logits"] and list(answer["scores"]) == labels, answer
        logits = g.torch.tensor(answer["logits"])
        scores = g.torch.tensor(list(answer["scores"].values()))
        assert answer["label"] == labels[logits.argmax()], answer
        assert g.largest_difference(scores, logits.softmax(0)) < 1e-6, answer


def test_alone_as_in_a_batch(folder):
    model = g.tiny(folder / "m", ["bad", "good"])
    texts = sentences(3)
    together = g.bertty_predict(model, texts)
    for text, answer in zip(texts, together, strict=True):
        alone = g.json.loads(g.run("predict", model, "--text", text, "--json").stdout)
        apart = g.largest_difference(g.torch.tensor(alone["logits"]), g.torch.tensor(answer["logits"]))
        assert apart <= 1e-5, apart


if __name__ == "__main__":
    g.main(globals())
