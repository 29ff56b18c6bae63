#!/usr/bin/env python3
"""`bertty baseline` against scikit-learn: the features and their weights, the probabilities, the accuracy and the time on sst2."""
import json
import random
import subprocess
import time
import warnings
from pathlib import Path

import golden_tools as g

try:
    import numpy as np
    from sklearn.dummy import DummyClassifier
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.multiclass import OneVsRestClassifier
except ImportError as missing:
    print(f"{missing}: `make test-peers` sets up what it needs")
    raise SystemExit(77)

warnings.filterwarnings("ignore")
LIMIT = 1e-12  # of a weight
PROGRAM = "tests/golden/tfidf_tool"
WORDS = ("the film plot a I don't good bad Gut größe ÉTÉ été İzmir ΣΟΦΟΣ σοφος x x2 4 42 snake_case __ — 中文 電影 中 кино café cafe\u0301 ½ 3½ १२ "
         "e-mail U.S.A. naïve ﬁn ª1 Ⅷa 100% @user #tag").split()


def ask(texts, fitted, ngrams=1):
    beside = Path(g.BERTTY).parent
    program = next(p for p in (beside / PROGRAM, beside / "build" / PROGRAM) if p.exists())
    done = subprocess.run([program, str(ngrams), str(fitted)], input="".join(t + "\n" for t in texts), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def made(rng, n):
    return [" ".join(rng.choices(WORDS, k=rng.randrange(1, 15))) for _ in range(n)]


def same_features(got, vectoriser, matrix):
    terms = list(vectoriser.get_feature_names_out())
    assert got["terms"] == terms, sorted(set(got["terms"]) ^ set(terms))
    assert np.abs(np.array(got["idf"]) - vectoriser.idf_).max() <= LIMIT
    assert len(got["rows"]) == matrix.shape[0]
    dense = np.zeros(matrix.shape)
    for i, row in enumerate(got["rows"]):
        columns = [c for c, _ in row]
        assert columns == sorted(set(columns)), row
        for column, value in row:
            dense[i, column] = value
    assert np.abs(dense - matrix.toarray()).max() <= LIMIT


def test_features(folder):
    """Two thirds are learnt from, the others are looked up."""
    for seed in range(6):
        texts = made(random.Random(seed), 150)
        for ngrams in (1, 2):
            v = TfidfVectorizer(ngram_range=(1, ngrams)).fit(texts[:100])
            same_features(ask(texts, 100, ngrams), v, v.transform(texts))


def both(ngrams):
    """An analyzer that keeps the words of a pair's second text apart."""
    words = CountVectorizer(ngram_range=(1, ngrams)).build_analyzer()
    return lambda pair: words(pair[0]) + ["2:" + word for word in words(pair[1])]


def test_features_of_pairs(folder):
    rng = random.Random(9)
    first, second = made(rng, 90), made(rng, 90)
    for ngrams in (1, 2):
        pairs = list(zip(first, second))
        v = TfidfVectorizer(analyzer=both(ngrams)).fit(pairs[:60])
        same_features(ask([f"{a}\t{b}" for a, b in pairs], 60, ngrams), v, v.transform(pairs))


def table(path, rows):
    path.write_text("text\tpair\tlabel\n" + "".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def labelled(rng, labels, n):
    """Texts whose words lean to their label; most rows have the first one."""
    rows = []
    for _ in range(n):
        label = rng.choices(labels, [len(labels)] + [1] * (len(labels) - 1))[0]
        lean = [f"w{labels.index(label)}{rng.randrange(5)}" for _ in range(rng.randrange(3))]
        words = lean + rng.choices(WORDS, k=rng.randrange(1, 9))
        rng.shuffle(words)
        rows.append((" ".join(words), f"{rng.choice(lean or ['none'])} again", label))
    return rows


def baseline(folder, name, *more, pair=False, program=None, **data):
    settings = {"train_file": "train.tsv", "validation_file": "dev.tsv", "text_column": "text", "label_column": "label", **data}
    if pair:
        settings["text_pair_column"] = "pair"
    (folder / "e.yaml").write_text("model: {name_or_path: none/here}\ndata:\n" + "".join(f"  {k}: {v}\n" for k, v in settings.items()))
    done = json.loads(g.run("baseline", "e.yaml", "--name", name, "--json", *more, cwd=folder, program=program).stdout)
    rows = [json.loads(line) for line in (folder / f"runs/{name}/predictions/validation-step-000000.jsonl").read_text().splitlines()]
    return done, rows


def compare(done, rows, model, train, dev, gold):
    want = model.predict_proba(dev)
    labels = list(model.classes_)
    got = np.array([[row["scores"][label] for label in labels] for row in rows])
    assert got.shape == want.shape and np.abs(got - want).max() <= 1e-3, np.abs(got - want).max()
    sure = np.sort(want, 1)[:, -1] - np.sort(want, 1)[:, -2] > 2e-3
    assert [r["prediction"] for r, s in zip(rows, sure) if s] == [p for p, s in zip(model.predict(dev), sure) if s]
    assert abs(done["validation"]["loss"] - log_loss(gold, want, labels=labels)) <= 1e-3
    assert abs(done["validation"]["accuracy"] - model.score(dev, gold)) <= 2 * (~sure).sum() / len(gold)


def test_probabilities(folder):
    for number, labels in enumerate((["no", "yes"], ["a", "b", "c", "d"])):
        rng = random.Random(number)
        train, dev = labelled(rng, labels, 300), labelled(rng, labels, 120)
        table(folder / "train.tsv", train)
        table(folder / "dev.tsv", dev)
        for pair in (False, True):
            for ngrams in (1, 2):
                done, rows = baseline(folder, f"t{number}{pair:d}{ngrams}", "--ngrams", str(ngrams), pair=pair)
                v = TfidfVectorizer(analyzer=both(ngrams)) if pair else TfidfVectorizer(ngram_range=(1, ngrams))
                docs = [[(t, p) if pair else t for t, p, _ in part] for part in (train, dev)]
                model = LogisticRegression(solver="liblinear")
                model = (model if len(labels) == 2 else OneVsRestClassifier(model)).fit(v.fit_transform(docs[0]), [r[2] for r in train])
                compare(done, rows, model, train, v.transform(docs[1]), [r[2] for r in dev])
                assert done["features"] == len(v.idf_)


def test_majority(folder):
    rng = random.Random(3)
    labels = ["a", "b", "c"]
    train, dev = labelled(rng, labels, 200), labelled(rng, labels, 60)
    table(folder / "train.tsv", train)
    table(folder / "dev.tsv", dev)
    done, rows = baseline(folder, "m", "--kind", "majority")
    model = DummyClassifier().fit(train, [r[2] for r in train])
    assert {row["prediction"] for row in rows} == {model.predict(dev)[0]}
    assert abs(done["validation"]["accuracy"] - model.score(dev, [r[2] for r in dev])) <= 1e-12
    shares = [(sum(r[2] == label for r in train) + 1) / (len(train) + 3) for label in labels]
    assert all(np.allclose([row["scores"][label] for label in labels], shares, atol=1e-6) for row in rows)


def test_sst2(folder):
    """The target: the same accuracy to 0.2 points, within two seconds."""
    files = [g.shared(f"sst2/{name}.tsv") for name in ("train", "dev")]
    begin = time.monotonic()
    done, rows = baseline(folder, "sst2", program=g.BERTTY_FAST, train_file=files[0], validation_file=files[1], text_column=1, label_column=2)
    seconds = time.monotonic() - begin
    train, dev = (g.rows(path) for path in files)
    v = TfidfVectorizer()
    model = LogisticRegression(solver="liblinear").fit(v.fit_transform([r[0] for r in train]), [r[1] for r in train])
    theirs = model.score(v.transform([r[0] for r in dev]), [r[1] for r in dev])
    print(f"sst2: accuracy {done['validation']['accuracy']:.4f}, scikit-learn {theirs:.4f}; {seconds:.2f} s")
    assert abs(done["validation"]["accuracy"] - theirs) <= 0.002
    assert done["features"] == len(v.idf_) and len(rows) == len(dev)
    assert seconds <= 2.0, seconds


if __name__ == "__main__":
    g.main(globals())
