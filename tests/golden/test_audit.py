#!/usr/bin/env python3
"""Confident learning against the package of its authors, cleanlab: thresholds, the calibrated joint, the same set of flagged rows; on random and on degenerate results.

Where counts are rounded to a given sum, equal remainders are told apart by numpy's unstable sort, another way on another processor: there the joints may differ by one, and
cleanlab prunes by ours."""
import subprocess
import warnings
from pathlib import Path

import golden_tools as g

try:
    import numpy as np
    from cleanlab.count import compute_confident_joint, get_confident_thresholds
    from cleanlab.filter import find_label_issues
except ImportError as missing:
    print(f"{missing}: `make test-peers` sets up what it needs")
    raise SystemExit(77)

warnings.filterwarnings("ignore")
LIMIT = 1e-12  # relative, of a threshold
PROGRAM = "tests/golden/audit_tool"


def ask(given, scores):
    beside = Path(g.BERTTY).parent
    program = next(p for p in (beside / PROGRAM, beside / "build" / PROGRAM) if p.exists())
    rows = "\n".join(f"{label} " + " ".join(repr(float(p)) for p in row) for label, row in zip(given, scores))
    done = subprocess.run([program], input=f"{len(given)} {scores.shape[1]}\n{rows}\n", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    thresholds, joint, flagged, order = done.stdout.split("\n")[:4]
    return ([float(t) for t in thresholds.split()], np.array([int(v) for v in joint.split()]).reshape(scores.shape[1], -1),
            [int(v) for v in flagged.split()], [int(v) for v in order.split()])


def results(rng, n, k, noise, sharp, skew=False):
    """Labels, a part of them wrong, and probabilities of a model that is right now and then."""
    p = rng.dirichlet(np.full(k, 0.4)) if skew else np.full(k, 1 / k)
    true = rng.choice(k, n, p=p)
    given = np.where(rng.random(n) < noise, rng.integers(0, k, n), true)
    logits = rng.normal(0, 1, (n, k))
    logits[np.arange(n), true] += sharp
    e = np.exp(logits - logits.max(1, keepdims=True))
    return given, (e / e.sum(1, keepdims=True)).astype(np.float32)


def compare(given, scores):
    exact = scores.astype(np.float64)
    thresholds, joint, flagged, order = ask(given, scores)
    want = get_confident_thresholds(given, exact)
    assert np.allclose(thresholds, want, rtol=LIMIT, atol=0), (thresholds, want)
    cj = compute_confident_joint(given, exact)
    assert (joint.sum(1) == np.bincount(given, minlength=len(joint))).all() and (np.abs(joint - cj) <= 1).all(), (joint, cj)
    same = (joint == cj).all()
    issues = np.flatnonzero(find_label_issues(given, exact, filter_by="prune_by_noise_rate", n_jobs=1, confident_joint=None if same else joint))
    assert flagged == issues.tolist(), (sorted(set(flagged) ^ set(issues.tolist())), len(issues))
    assert sorted(order) == list(range(len(given))) and set(order[:len(flagged)]) == set(flagged)
    margin = exact[np.arange(len(given)), given] - np.where(np.eye(scores.shape[1], dtype=bool)[given], -1, exact).max(1)
    for part in (order[:len(flagged)], order[len(flagged):]):
        assert (np.diff(margin[part]) >= -1e-7).all()
    return len(flagged), same


def test_random(folder):
    rng = np.random.default_rng(1)
    found = [compare(*results(rng, n, k, noise, sharp, skew))
               for n, k in ((50, 2), (300, 2), (300, 3), (500, 5), (1000, 10), (400, 20))
               for noise in (0.0, 0.05, 0.3) for sharp in (0.5, 2.0, 5.0) for skew in (False, True)]
    assert sum(flagged > 0 for flagged, _ in found) > 60, found
    assert sum(same for _, same in found) > 60, found  # of 72


def test_degenerate(folder):
    rng = np.random.default_rng(2)
    given, scores = results(rng, 40, 4, 0.2, 2.0)
    compare(np.where(given == 3, 0, given), scores)  # nobody has the last label
    compare(np.where(given == 3, 0, given)[:5], scores[:5])
    compare(np.array([0, 1]), np.array([[0.2, 0.8], [0.7, 0.3]], np.float32))
    compare(np.array([0] * 20 + [1]), np.array([[0.1, 0.9]] * 20 + [[0.9, 0.1]], np.float32))  # one row of a label, all wrong
    one = np.zeros((30, 3), np.float32)
    one[np.arange(30), rng.integers(0, 3, 30)] = 1.0
    compare(rng.integers(0, 3, 30), one)  # certain, and wrong
    compare(rng.integers(0, 3, 30), np.full((30, 3), 1 / 3, np.float32))  # knows nothing


def test_refused(folder):
    for text, said in (("1 1\n0 1\n", "expected at least two"), ("0 2\n", "no rows"), ("1 2\n2 0.5 0.5\n", "row 1: label 2 of 2"),
                       ("2 2\n0 0.5 0.5\n1 nan 0.5\n", "row 2: a probability of nan"), ("1 2\n0 1.5 0\n", "a probability of 1.5")):
        beside = Path(g.BERTTY).parent
        program = next(p for p in (beside / PROGRAM, beside / "build" / PROGRAM) if p.exists())
        done = subprocess.run([program], input=text, capture_output=True, text=True)
        assert done.returncode == 1 and said in done.stderr, (text, done)


if __name__ == "__main__":
    g.main(globals())
