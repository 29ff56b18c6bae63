#!/usr/bin/env python3
"""What `bertty compare` computes of two runs' predictions, against scipy, scikit-learn, seqeval and own numpy: McNemar's exact test, the metrics with
their ECE, and the paired bootstrap. The indices of the bootstrap are computed here from what include/bertty/bootstrap.h says."""
import json
import math
import subprocess
from fractions import Fraction

import golden_tools as g

try:
    import numpy as np
    import scipy.stats
    import seqeval.metrics as se
    import sklearn.metrics as sk
except ImportError as missing:
    print(f"{missing}: `make test-peers` sets up what it needs")
    raise SystemExit(77)

LIMIT = 1e-12
DRAWS, SEED = 1000, 1


# ── the rows that are drawn ──


def mix64(x):
    m = 2 ** 64 - 1
    x ^= x >> 30
    x = x * 0xbf58476d1ce4e5b9 & m
    x ^= x >> 27
    x = x * 0x94d049bb133111eb & m
    return x ^ (x >> 31)


def key(seed, stream, step):
    m = 2 ** 64 - 1
    k = mix64(seed + 0x9e3779b97f4a7c15 & m)
    k = mix64(k ^ (stream * 0xd1342543de82ef95 + 1 & m))
    k = mix64(k ^ (step * 0x9e3779b97f4a7c15 + 2 & m))
    return k & 0xffffffff, k >> 32


def mix32(x):
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7feb352d)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846ca68b)
    return x ^ (x >> np.uint32(16))


def indices(n, draw):
    k0, k1 = key(SEED, 0, draw)
    u = mix32(mix32(np.arange(n, dtype=np.uint32) ^ np.uint32(k0)) + np.uint32(k1))
    return (u.astype(np.uint64) * np.uint64(n) >> np.uint64(32)).astype(int)


# ── runs ──


def run(folder, rows):
    (folder / "predictions").mkdir(parents=True)
    (folder / "status.json").write_text("{\"state\": \"finished\"}")
    (folder / "predictions/validation-step-000010.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return str(folder)


def asked(folder, first, second, *more):
    command = [g.BERTTY, "compare", run(folder / "a", first), run(folder / "b", second), "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().split("\n")[-1])["predictions"]


def same(a, b, what, limit=LIMIT):
    """None in JSON is NaN."""
    a = math.nan if a is None else a
    if math.isnan(a) or math.isnan(b):
        assert math.isnan(a) and math.isnan(b), (what, a, b)
    else:
        assert a == b or abs(a - b) <= limit * max(abs(a), abs(b)) + 1e-14, (what, a, b)


def expect(got, name, of, n):
    """of(side, indices): the metric of the rows drawn."""
    every = np.arange(n)
    first, second = of(0, every), of(1, every)
    same(got["first"], first, name)
    same(got["second"], second, name)
    same(got["difference"], second - first, name)
    d = np.array([of(1, i) - of(0, i) for i in (indices(n, b) for b in range(DRAWS))])
    d = d[~np.isnan(d)]
    assert got["draws"] == len(d), (name, got["draws"], len(d))
    low, high = np.quantile(d, [0.025, 0.975]) if len(d) else (math.nan, math.nan)
    same(got["low"], low, name)
    same(got["high"], high, name)
    # a difference that is 0 but for rounding is counted by either side as it fell: the p may differ by those draws
    near = int((abs(d) < 1e-12).sum()) if name not in ("accuracy", "exact") else 0
    p = min(1, 2 * (1 + min((d <= 0).sum(), (d >= 0).sum())) / (1 + len(d))) if len(d) else math.nan
    if near and got["p"] is not None:
        assert abs(got["p"] - p) <= 2 * near / (1 + len(d)), (name, got["p"], p)
    else:
        same(got["p"], p, name)


# ── labels ──


def f1_macro(gold, said, classes):
    f = [2 * (t := ((gold == c) & (said == c)).sum()) / s for c in range(classes) if (s := (gold == c).sum() + (said == c).sum()) or (t := 0)]
    return float(np.mean(f)) if f else 0.0


def mcc(gold, said, classes):
    t, p = np.bincount(gold, minlength=classes).astype(float), np.bincount(said, minlength=classes).astype(float)
    c, s = float((gold == said).sum()), float(len(gold))
    under = (s * s - p @ p) * (s * s - t @ t)
    return (c * s - p @ t) / math.sqrt(under) if under > 0 else 0.0


def ece(sure, right):
    """Guo et al. 2017; 15 bins (lower, upper]."""
    bins = np.clip(np.ceil(sure * 15).astype(int) - 1, 0, 14)
    gap = np.bincount(bins, weights=right - sure, minlength=15)
    return float(abs(gap).sum() / len(sure))


def label_rows(gold, scores, labels):
    """float32, as a prediction file has them."""
    said = scores.argmax(1)
    return [{"id": i + 1, "gold": labels[k], "prediction": labels[said[i]], "loss": 0.5,
             "scores": {name: float(p) for name, p in zip(labels, scores[i])}} for i, k in enumerate(gold)]


def label_cases():
    random = np.random.default_rng(3)
    for i in range(9):
        n, classes = int(random.integers(1, 250)), int(random.integers(2, 6))
        gold = random.integers(0, classes, n)
        scores = []
        for _ in range(2):
            x = np.exp(random.normal(size=(n, classes)) + 1.5 * np.eye(classes)[gold] * random.random())
            scores.append((x / x.sum(1, keepdims=True)).astype(np.float32))
        if i == 1:
            scores[1] = scores[0].copy()  # the same run twice
        if i == 2:
            gold[:] = gold[0]
        if i == 3:
            scores = [np.eye(classes, dtype=np.float32)[s.argmax(1)] for s in scores]  # sure of all
        if i == 4:
            scores[1] = np.eye(classes, dtype=np.float32)[gold]  # always right
        if i == 5:
            gold, scores = gold[:1], [s[:1] for s in scores]
        yield gold, scores, classes


def test_labels(folder):
    for case, (gold, scores, classes) in enumerate(label_cases()):
        labels = [f"label {k}" for k in range(classes)]
        got = asked(folder / str(case), *(label_rows(gold, s, labels) for s in scores))
        said = [s.argmax(1) for s in scores]
        sure = [s.max(1).astype(float) for s in scores]
        right = [k == gold for k in said]
        of = {"accuracy": lambda k, i: float(right[k][i].mean()),
              "f1_macro": lambda k, i: f1_macro(gold[i], said[k][i], classes),
              "mcc": lambda k, i: mcc(gold[i], said[k][i], classes),
              "ece": lambda k, i: ece(sure[k][i], right[k][i])}
        assert list(got["metrics"]) == list(of)
        for name, fn in of.items():
            expect(got["metrics"][name], name, fn, len(gold))
        for k, side in enumerate(("first", "second")):
            same(got["metrics"]["accuracy"][side], sk.accuracy_score(gold, said[k]), "accuracy")
            same(got["metrics"]["f1_macro"][side], sk.f1_score(gold, said[k], average="macro", zero_division=0), "f1_macro")
            same(got["metrics"]["mcc"][side], sk.matthews_corrcoef(gold, said[k]), "mcc")
        b, c = int((right[0] & ~right[1]).sum()), int((~right[0] & right[1]).sum())
        same(got["mcnemar_p"], scipy.stats.binomtest(b, b + c).pvalue if b + c else 1.0, "mcnemar")
        used = [labels[k] for k in sorted(set(said[0]) | set(said[1]))]
        assert got["labels"] == used
        assert got["matrix"] == [[int(((said[0] == labels.index(x)) & (said[1] == labels.index(y))).sum()) for y in used] for x in used]


def test_mcnemar_of_many(folder):
    """Against whole numbers: 2·Σ C(n, i) / 2^n."""
    for case, (b, c) in enumerate(((700, 800), (2, 3000), (9000, 9200), (0, 60))):
        gold = np.zeros(b + c, int)
        scores = np.tile(np.array([[0.75, 0.25]], np.float32), (b + c, 1))
        other = scores.copy()
        scores[b:] = scores[b:, ::-1]
        other[:b] = other[:b, ::-1]
        got = asked(folder / str(case), *(label_rows(gold, s, ["x", "y"]) for s in (scores, other)))
        term, total = 1, 0
        for i in range(min(b, c) + 1):
            total += term
            term = term * (b + c - i) // (i + 1)
        same(got["mcnemar_p"], float(Fraction(2 * total, 2 ** (b + c))), (b, c))


# ── the other kinds ──


def pearson(x, y):
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    r = float(x @ y / math.sqrt((x @ x) * (y @ y)))
    return float(round(r)) if len(x) == 2 else max(-1.0, min(1.0, r))


def test_numbers(folder):
    random = np.random.default_rng(4)
    for case in range(5):
        n = (120, 40, 3, 50, 60)[case]
        gold = random.normal(size=n).round(1 if case == 1 else 6)  # ties
        value = [(gold + random.normal(size=n) * w).round(1 if case == 1 else 6) for w in (0.5, 0.7)]
        if case == 3:
            gold[:] = 2.0  # nothing to correlate with
        rows = [[{"id": i + 1, "gold": str(x), "gold_value": float(x), "prediction": str(y), "value": float(y)}
                 for i, (x, y) in enumerate(zip(gold, v))] for v in value]
        got = asked(folder / str(case), *rows)

        def of(ranked, k, i, gold=gold, value=value):
            x, y = gold[i], value[k][i]
            return pearson(scipy.stats.rankdata(x), scipy.stats.rankdata(y)) if ranked else pearson(x, y)
        expect(got["metrics"]["pearson"], "pearson", lambda k, i: of(False, k, i), n)
        expect(got["metrics"]["spearman"], "spearman", lambda k, i: of(True, k, i), n)
        for k, side in enumerate(("first", "second")):
            if np.ptp(gold):
                same(got["metrics"]["pearson"][side], float(scipy.stats.pearsonr(gold, value[k]).statistic), "pearson")
                same(got["metrics"]["spearman"][side], float(scipy.stats.spearmanr(gold, value[k]).statistic), "spearman")
        expect(got["metrics"]["mse"], "mse", lambda k, i, gold=gold, value=value: float(((gold[i] - value[k][i]) ** 2).mean()), n)


def test_spans(folder):
    random = np.random.default_rng(5)
    tags = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    for case, scheme in enumerate((tags, ["O", "B-X", "I-X", "L-X", "U-X"])):
        sentences = [[str(t) for t in random.choice(scheme, random.integers(1, 9), p=[.5, .2, .1, .1, .1])] for _ in range(60)]
        said = [[[t if random.random() < 0.8 else str(random.choice(scheme)) for t in s] for s in sentences] for _ in range(2)]
        rows = [[{"id": i + 1, "gold": " ".join(a), "prediction": " ".join(b), "correct": a == b, "tokens": ["w"] * len(a),
                  "gold_tags": a, "tags": b} for i, (a, b) in enumerate(zip(sentences, side))] for side in said]
        got = asked(folder / str(case), *rows)
        for k, side in enumerate(("first", "second")):
            gold, mine = (sentences, said[k]) if case == 0 else \
                ([[t.replace("L-", "E-").replace("U-", "S-") for t in s] for s in x] for x in (sentences, said[k]))
            same(got["metrics"]["f1"][side], se.f1_score(gold, mine), "f1")
            same(got["metrics"]["precision"][side], se.precision_score(gold, mine), "precision")
            same(got["metrics"]["accuracy"][side], se.accuracy_score(gold, mine), "accuracy")
        counts = []
        for k in range(2):
            entities = [[set(se.sequence_labeling.get_entities([t.replace("L-", "E-").replace("U-", "S-") for t in s])) for s in x]
                        for x in (sentences, said[k])]
            counts.append(np.array([[len(a & b), len(a), len(b)] for a, b in zip(*entities)], float))

        def f1(k, i, counts=counts):
            right, golds, found = counts[k][i].sum(0)
            return 2 * right / (golds + found) if golds + found else 0.0
        expect(got["metrics"]["f1"], "f1", f1, 60)


def test_answers_and_sets(folder):
    random = np.random.default_rng(6)
    n = 80
    quality = random.choice([0, 0.4, 2 / 3, 1.0], (2, n))
    rows = [[{"id": i + 1, "gold": "x", "prediction": "y", "correct": bool(q == 1), "f1": float(q), "golds": ["x"], "nbest": []}
             for i, q in enumerate(side)] for side in quality]
    got = asked(folder / "answers", *rows)["metrics"]
    expect(got["f1"], "f1", lambda k, i: 100 * float(quality[k][i].mean()), n)
    expect(got["exact"], "exact", lambda k, i: 100 * float((quality[k][i] == 1).mean()), n)
    labels = ["p", "q", "r"]
    gold, said = random.random((n, 3)) < 0.4, random.random((2, n, 3)) < 0.4

    def listed(row):
        return [name for name, on in zip(labels, row) if on]
    rows = [[{"id": i + 1, "gold": ",".join(listed(gold[i])), "prediction": ",".join(listed(s)), "gold_labels": listed(gold[i]),
              "labels": listed(s), "correct": bool((s == gold[i]).all()), "scores": dict.fromkeys(labels, 0.5)}
             for i, s in enumerate(side)] for side in said]
    got = asked(folder / "sets", *rows)["metrics"]

    def micro(k, i):
        return 2 * (gold[i] & said[k][i]).sum() / max(1, gold[i].sum() + said[k][i].sum())

    def macro(k, i):
        both, sides = (gold[i] & said[k][i]).sum(0), gold[i].sum(0) + said[k][i].sum(0)
        return float(np.mean([2 * b / s if s else 0.0 for b, s in zip(both, sides)]))
    expect(got["f1_micro"], "f1_micro", micro, n)
    expect(got["f1_macro"], "f1_macro", macro, n)
    expect(got["subset_accuracy"], "subset_accuracy", lambda k, i: float((gold[i] == said[k][i]).all(1).mean()), n)
    for k, side in enumerate(("first", "second")):
        same(got["f1_micro"][side], sk.f1_score(gold, said[k], average="micro", zero_division=0), "micro")
        same(got["f1_macro"][side], sk.f1_score(gold, said[k], average="macro", zero_division=0), "macro")


def test_slices(folder):
    random = np.random.default_rng(7)
    gold, labels = random.integers(0, 2, 90), ["neg", "pos"]
    scores = [np.where(random.random(90)[:, None] < 0.75, np.eye(2)[gold], np.eye(2)[1 - gold]).astype(np.float32) * 0.5 + 0.25
              for _ in range(2)]
    got = asked(folder, *(label_rows(gold, s, labels) for s in scores), "--slice", "a = pos and b = neg", "--slice", "row <= 30", "--rows")
    right = [s.argmax(1) == gold for s in scores]
    want = {"neg": gold == 0, "pos": gold == 1, "a = pos and b = neg": (scores[0].argmax(1) == 1) & (scores[1].argmax(1) == 0),
            "row <= 30": np.arange(90) < 30}
    assert [s["name"] for s in got["slices"]] == list(want)
    for s in got["slices"]:
        of = want[s["name"]]
        assert s["ids"] == (np.flatnonzero(of) + 1).tolist(), s
        b, c = int((right[0] & ~right[1] & of).sum()), int((~right[0] & right[1] & of).sum())
        assert (s["rows"], s["only_first_right"], s["only_second_right"]) == (of.sum(), b, c), s
        same(s["first"], float(right[0][of].mean()), s)
        same(s["mcnemar_p"], scipy.stats.binomtest(b, b + c).pvalue if b + c else 1.0, s)


def test_groups_of_seeds(folder):
    """Each group beside the best: Welch's t test as scipy has it."""
    random = np.random.default_rng(3)
    values = {}
    for k, n in enumerate((5, 2, 3, 9, 4, 30, 6, 2)):
        rate = f"{k + 1}e-5"
        values[rate] = random.normal(0.8 + 0.01 * k * (k % 3), 10.0 ** -random.integers(1, 7), n)
        for i, v in enumerate(values[rate]):
            run = folder / "runs" / f"g{k}-{i:02}"
            run.mkdir(parents=True)
            (run / "status.json").write_text(json.dumps({"state": "finished", "best": float(v), "metric": "f1", "started": 1}))
            (run / "experiment.yaml").write_text(f"optim: {{learning_rate: {rate}}}\ntrain: {{seed: {i}}}\n")
    done = subprocess.run([g.BERTTY, "runs", "--runs", folder / "runs", "--groups", "--json"], capture_output=True, text=True, check=True)
    best = max(values, key=lambda rate: values[rate].mean())
    found = json.loads(done.stdout)["groups"]
    assert len(found) == len(values)
    for group in found:
        rate = group["settings"]["optim.learning_rate"]
        if rate == best:
            assert group["versus_best"] is None
            continue
        want = scipy.stats.ttest_ind(values[best], values[rate], equal_var=False)
        low, high = want.confidence_interval(0.95)
        got = group["versus_best"]
        for name, value in (("t", want.statistic), ("df", want.df), ("p", want.pvalue), ("low", low), ("high", high), ("difference", values[best].mean() - values[rate].mean())):
            same(got[name], float(value), (rate, name), limit=1e-10)  # of means that cancel


if __name__ == "__main__":
    g.main(globals())
