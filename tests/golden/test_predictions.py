#!/usr/bin/env python3
"""What `bertty map` and `bertty predictions --threshold` compute, against numpy and scikit-learn: confidence, variability, correctness, forgetting events and regions of training
rows; precision, recall, F1, accuracy and counts at a threshold, the best threshold, and who is given which label."""
import json
import math
import subprocess
import warnings

import golden_tools as g

try:
    import numpy as np
    import sklearn.metrics as sk
except ImportError as missing:
    print(f"{missing}: `make test-peers` sets up what it needs")
    raise SystemExit(77)

warnings.filterwarnings("ignore")
LIMIT = 1e-12


def lines_of(*command):
    done = subprocess.run([g.BERTTY, *map(str, command), "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def near(a, b, what):
    if b is None or (isinstance(b, float) and math.isnan(b)):
        assert a is None, (what, a, b)
    else:
        assert a is not None and abs(a - b) <= LIMIT * max(1, abs(b)), (what, a, b)


def shortest(p):
    """The text of a float as the engine writes it."""
    return float(str(np.float32(p)))


# ── the data map ──


def dynamics(folder, p, right):
    """p [rows, epochs], NaN where an epoch did not see a row."""
    (folder / "dynamics").mkdir(parents=True)
    (folder / "status.json").write_text('{"state": "finished"}')
    for e in range(p.shape[1]):
        seen = [i for i in range(len(p)) if not np.isnan(p[i, e])]
        (folder / f"dynamics/epoch-{e + 1}.jsonl").write_text(
            "".join(json.dumps({"id": int(i) + 1, "p": shortest(p[i, e]), "correct": bool(right[i, e])}) + "\n" for i in np.random.default_rng(e).permutation(seen)))
    return folder


def forgetting(right, seen):
    """Toneva et al. 2019: transitions from right to wrong."""
    r = right[seen].astype(int)
    return int((np.diff(r) < 0).sum())


def compare_map(folder, p, right):
    *rows, total = lines_of("map", dynamics(folder, p, right))
    p = p.astype(np.float32).astype(np.float64)
    seen = ~np.isnan(p)
    some = np.flatnonzero(seen.any(1))
    assert [r["id"] for r in rows] == (some + 1).tolist()
    spread = np.array([np.std(p[i][seen[i]]) for i in some])
    falling, third = np.sort(spread)[::-1], len(some) // 3
    while third and falling[third - 1] == falling[third]:  # equal ones stay together
        third -= 1
    limit = falling[third - 1] if third else 0
    for r, i, sigma in zip(rows, some, spread):
        near(r["confidence"], np.mean(p[i][seen[i]]), i)
        near(r["variability"], sigma, i)
        near(r["correctness"], np.mean(right[i][seen[i]]), i)
        assert (r["forgotten"], r["epochs"], r["learnt"]) == (forgetting(right[i], seen[i]), seen[i].sum(), bool(right[i][seen[i]].any())), (i, r)
        if abs(sigma - limit) > 1e-9 and abs(r["confidence"] - 0.5) > 1e-9:
            wanted = "ambiguous" if limit > 0 and sigma > limit else "easy-to-learn" if r["confidence"] > 0.5 else "hard-to-learn"
            assert r["region"] == wanted, (r, limit)
    near(total["ambiguous_from"], float(limit) if limit > 0 else None, "limit")
    assert sum(total["regions"].values()) == total["rows"] == len(some) and total["epochs"] == p.shape[1]
    return total


def test_map(folder):
    for k, (n, epochs, missing) in enumerate(((1, 1, 0), (2, 3, 0), (50, 2, 0), (400, 5, 0.1), (300, 12, 0.3), (90, 1, 0))):
        rng = np.random.default_rng(k)
        p = rng.beta(0.7, 0.5, (n, epochs))
        p[rng.random((n, epochs)) < missing] = np.nan
        total = compare_map(folder / f"map-{k}", p, rng.random((n, epochs)) < p)
        if epochs == 1:
            assert total["regions"]["ambiguous"] == 0 and total["ambiguous_from"] is None, total


# ── thresholds ──


def predictions(folder, rows):
    (folder / "predictions").mkdir(parents=True)
    (folder / "status.json").write_text('{"state": "finished"}')
    (folder / "predictions/validation-step-000010.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return folder


def compare_counts(told, gold, given):
    tn, fp, fn, tp = sk.confusion_matrix(gold.ravel(), given.ravel(), labels=[False, True]).ravel()
    assert (told["tp"], told["fp"], told["fn"], told["tn"]) == (tp, fp, fn, tn), (told, tp, fp, fn, tn)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(gold.ravel(), given.ravel(), average="binary", zero_division=np.nan)
    near(told["precision"], precision, told)
    near(told["recall"], recall, told)
    near(told["f1"], f1 if tp + fp + fn else None, told)
    near(told["accuracy"], sk.accuracy_score(gold, given), told)


def best_f1(gold, score):
    precision, recall, thresholds = sk.precision_recall_curve(gold.ravel(), score.ravel())
    with np.errstate(invalid="ignore"):
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))[:-1]
    return f1.max(), thresholds


def two_labels(folder, k, n, gold, score):
    rows = [{"id": i + 1, "gold": ("no", "yes")[int(gold[i])], "prediction": ("no", "yes")[int(score[i] > 0.5)],
             "scores": {"no": shortest(1 - score[i]), "yes": shortest(score[i])}, "loss": 0.5} for i in range(n)]
    run = predictions(folder / f"two-{k}", rows)
    score = np.array([r["scores"]["yes"] for r in rows], np.float32)
    for t in (0, 0.1, 0.5, rows[0]["scores"]["yes"], 0.77, 1):
        *told, total = lines_of("predictions", run, "--threshold", repr(t))
        given = score >= np.float32(t)
        assert [r["predicted"] == "yes" for r in told] == given.tolist()
        assert [r["confidence"] for r in told] == [rows[i]["scores"][("no", "yes")[int(given[i])]] for i in range(n)]
        compare_counts(total["thresholds"][0], gold, given)
    other = np.array([r["scores"]["no"] for r in rows], np.float32)
    *told, total = lines_of("predictions", run, "--threshold", "no=0.3", "--errors")
    compare_counts(total["thresholds"][0], ~gold, other >= np.float32(0.3))
    assert len(told) == ((other >= np.float32(0.3)) != ~gold).sum()
    if gold.any():
        total = lines_of("predictions", run, "--threshold", "best")[-1]["thresholds"][0]
        near(total["f1"], best_f1(gold, score)[0], total)
        assert np.float32(total["threshold"]) in score
        compare_counts(total, gold, score >= np.float32(total["threshold"]))


def test_two_labels(folder):
    for k, n in enumerate((1, 2, 10, 300, 300, 300)):
        rng = np.random.default_rng(k)
        gold = rng.random(n) < (0.0 if k == 4 else 0.4)
        score = np.round(rng.beta(0.5, 0.5, n), 1 if k == 5 else 6)  # the last ones: many equal probabilities
        two_labels(folder, k, n, gold, np.where(gold, np.sqrt(score), score))


def test_sets(folder):
    names = ["a", "b, c", "d"]
    for k, n in enumerate((1, 40, 300)):
        rng = np.random.default_rng(k)
        gold = rng.random((n, 3)) < 0.3
        score = np.round(np.where(gold, np.sqrt(rng.random((n, 3))), rng.random((n, 3))), 3)
        rows = [{"id": i + 1, "gold": "; ".join(np.array(names)[gold[i]]), "prediction": "", "correct": not gold[i].any(), "gold_labels": [x for x, y in zip(names, gold[i]) if y],
                 "labels": [], "scores": dict(zip(names, map(shortest, score[i]))), "loss": 0.1} for i in range(n)]
        run = predictions(folder / f"sets-{k}", rows)
        score = np.array([list(r["scores"].values()) for r in rows], np.float32)
        for t in (0, 0.25, 0.5, 0.9, 1):
            *told, total = lines_of("predictions", run, "--threshold", t)
            given = score >= np.float32(t)
            assert [r["labels"] for r in told] == [[x for x, y in zip(names, row) if y] for row in given]
            assert [r["correct"] for r in told] == (given == gold).all(1).tolist()
            compare_counts(total["thresholds"][0], gold, given)
        *told, total = lines_of("predictions", run, "--threshold", "d=0.4", "--threshold", "a=0.7")
        assert [r["labels"] for r in told] == [[x for x, y in zip(names, (row[0] >= np.float32(0.7), False, row[2] >= np.float32(0.4))) if y] for row in score]
        for one, j, t in zip(total["thresholds"], (0, 2), (0.7, 0.4)):
            compare_counts(one, gold[:, j], score[:, j] >= np.float32(t))
        if n > 1:
            assert any("; " in r["prediction"] for r in lines_of("predictions", run, "--threshold", "0.1")[:-1])
            total = lines_of("predictions", run, "--threshold", "best")[-1]["thresholds"][0]
            near(total["f1"], best_f1(gold, score)[0], total)


if __name__ == "__main__":
    g.main(globals())
