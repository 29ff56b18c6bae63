#!/usr/bin/env python3
"""Metrics against scikit-learn, scipy, seqeval and SQuAD's scripts, on random and on degenerate results.

SQuAD 2.0's script is the one that transformers carries (transformers.data.metrics.squad_metrics); 1.1's and conlleval's are a few lines here.
"""
import collections
import math
import re
import string
import subprocess
import unicodedata
import warnings
from pathlib import Path
from types import SimpleNamespace

import golden_tools as g

try:
    import numpy as np
    import scipy.stats
    import seqeval.metrics as se
    import seqeval.scheme
    import sklearn.metrics as sk
    from transformers.data.metrics import squad_metrics
except ImportError as missing:
    print(f"{missing}: `make test-peers` sets up what it needs")
    raise SystemExit(77)

warnings.filterwarnings("ignore")
LIMIT = 1e-12
PROGRAM = "tests/golden/metrics_tool"
SCHEMES = "IOB1", "IOB2", "IOE1", "IOE2", "IOBES", "BILOU"
FAMILIES = "labels", "choices", "sets", "numbers", "spans", "answers", "language"


def tool():
    beside = Path(g.BERTTY).parent
    program = next((p for p in (beside / PROGRAM, beside / "build" / PROGRAM) if p.exists()), None)
    assert program, f"no {PROGRAM} beside {g.BERTTY}"
    return program


def words(x):
    return " ".join(repr(float(v)) if isinstance(v, (float, np.floating)) else str(int(v)) for v in np.asarray(x).ravel())


def text(s):
    return "!" if s is None else s.encode().hex() or "-"


def ask(commands):
    """The lines that answer each command."""
    done = subprocess.run([tool()], input="\n".join(commands) + "\n", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = [[]]
    for line in done.stdout.split("\n"):
        if line == ".":
            answers.append([])
        else:
            answers[-1].append(line)
    assert len(answers) == len(commands) + 1, (len(answers), len(commands))
    return answers[:-1]


def values(lines):
    return {name: float(value) for name, value in (line.split(" ", 1) for line in lines if line.count(" ") == 1)}


def same(a, b):
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= LIMIT * max(abs(a), abs(b)) + 1e-14


def compare(got, wanted, what):
    assert list(got) == list(wanted), (what, list(got), list(wanted))
    for name, value in wanted.items():
        assert same(got[name], float(value)), (what, name, got[name], float(value))


# ── labels ──


def probabilities(random, n, classes, kind):
    """kind "tied": few different ones; "sure": 0 and 1."""
    if kind == "sure":
        return np.eye(classes)[random.integers(0, classes, n)].astype(np.float32)
    x = np.exp(random.normal(size=(n, classes)) * 2)
    if kind == "tied":
        x = random.integers(1, 4, (n, classes)).astype(float)
    return (x / x.sum(1, keepdims=True)).astype(np.float32)


def ece(gold, predicted, scores):
    """Guo et al. 2017; 15 bins (lower, upper]."""
    sure, right = scores[np.arange(len(gold)), predicted], gold == predicted
    total = 0.0
    for b in range(15):
        inside = (sure > b / 15) & (sure <= (b + 1) / 15)
        if inside.any():
            total += abs(right[inside].mean() - sure[inside].mean()) * inside.mean()
    return total


def labels_wanted(gold, predicted, scores, classes):
    def prf(of, average):
        return of(gold, predicted, average=average, zero_division=0)
    p, r, f = sk.precision_score, sk.recall_score, sk.f1_score
    wanted = {"accuracy": sk.accuracy_score(gold, predicted)}
    if classes == 2:
        wanted["f1"] = f(gold, predicted, zero_division=0)
    wanted |= {"f1_macro": prf(f, "macro"), "f1_micro": prf(f, "micro"), "mcc": sk.matthews_corrcoef(gold, predicted),
               "f1_weighted": prf(f, "weighted")}
    if classes == 2:
        wanted |= {"precision": p(gold, predicted, zero_division=0), "recall": r(gold, predicted, zero_division=0)}
    for average in "macro", "micro", "weighted":
        wanted |= {f"precision_{average}": prf(p, average), f"recall_{average}": prf(r, average)}
    if scores is None:
        return wanted
    s, every = scores.astype(float), range(classes)
    wanted["auc"] = sk.roc_auc_score(gold, s[:, 1]) if classes == 2 else \
        sk.roc_auc_score(gold, s, multi_class="ovr", average="macro", labels=every)
    return wanted | {"ece": ece(gold, predicted, s), "brier": sk.brier_score_loss(gold, s, labels=every),
                     "log_loss": sk.log_loss(gold, s, labels=every)}


def label_cases():
    random = np.random.default_rng(1)
    for i in range(120):
        n, classes = int(random.integers(1, 60)), int(random.integers(2, 7))
        gold, predicted = random.integers(0, classes, (2, n))
        scores = None if i % 5 == 0 else probabilities(random, n, classes, ("spread", "tied", "sure")[i % 3])
        if scores is not None and i % 2:
            predicted = scores.argmax(1)
        if i % 7 == 0:
            gold[:] = gold[0]  # one class alone
        if i % 11 == 0:
            predicted[:] = predicted[0]
        if i % 13 == 0:
            predicted = gold.copy()
        yield gold, predicted, scores, classes
    gold, predicted = random.integers(0, 40, (2, 3000))
    yield gold, predicted, probabilities(random, 3000, 40, "spread"), 40
    scores = probabilities(random, 5000, 2, "spread")
    yield (random.random(5000) < scores[:, 1]).astype(int), scores.argmax(1), scores, 2


def labels_command(gold, predicted, scores, classes):
    tail = "" if scores is None else words(scores)
    return f"labels {len(gold)} {classes} {int(scores is not None)} {words(gold)} {words(predicted)} {tail}"


def test_labels(_):
    cases = list(label_cases())
    for case, lines in zip(cases, ask([labels_command(*c) for c in cases]), strict=True):
        compare(values(lines), labels_wanted(*case), case)


def test_labels_without_gold_are_left_out(_):
    cases = [c for c in label_cases() if c[2] is not None][:20]
    commands = []
    for gold, predicted, scores, classes in cases:
        hole = np.full(len(gold), -1)
        commands.append(labels_command(np.stack([hole, gold], 1).ravel(), np.repeat(predicted, 2),
                                       np.repeat(scores, 2, 0), classes))
    for case, lines in zip(cases, ask(commands), strict=True):
        compare(values(lines), labels_wanted(*case), case)


def test_choices(_):
    cases = [c for c in label_cases()][:20]
    answers = ask([f"choices {len(c[0])} {c[3]} {words(c[0])} {words(c[1])}" for c in cases])
    for (gold, predicted, *_), lines in zip(cases, answers, strict=True):
        compare(values(lines), {"accuracy": sk.accuracy_score(gold, predicted)}, gold)


# ── sets ──


def sets_wanted(gold, predicted, scores):
    def prf(of, average):
        return of(gold, predicted, average=average, zero_division=0)
    p, r, f = sk.precision_score, sk.recall_score, sk.f1_score
    wanted = {f"f1_{average}": prf(f, average) for average in ("micro", "macro", "weighted", "samples")}
    wanted |= {"precision_micro": prf(p, "micro"), "precision_macro": prf(p, "macro"), "recall_micro": prf(r, "micro"),
               "recall_macro": prf(r, "macro"), "subset_accuracy": sk.accuracy_score(gold, predicted),
               "hamming_loss": sk.hamming_loss(gold, predicted)}
    if scores is None:
        return wanted
    s = scores.astype(float)
    return wanted | {"auc_macro": sk.roc_auc_score(gold, s, average="macro"),
                     "auc_micro": sk.roc_auc_score(gold, s, average="micro"),
                     "average_precision": sk.average_precision_score(gold, s, average="macro")}


def set_cases():
    random = np.random.default_rng(2)
    for i in range(90):
        n, wide = int(random.integers(2, 50)), int(random.integers(2, 8))
        gold = (random.random((n, wide)) < random.random(wide)).astype(int)
        scores = random.random((n, wide)).astype(np.float32)
        if i % 3 == 0:
            scores = (np.round(scores * 4) / 4).astype(np.float32)
        predicted = (scores > 0.5).astype(int)
        if i % 5 == 0:
            gold[:, 0] = 0  # a label that nothing has
        if i % 7 == 0:
            gold[:, 1] = 1
        if i % 11 == 0:
            gold[:] = 0
        if i % 13 == 0:
            predicted[:] = 0
        if i % 17 == 0:
            predicted = gold.copy()
        yield gold, predicted, None if i % 4 == 3 else scores


def test_sets(_):
    cases = list(set_cases())
    commands = [f"sets {len(a)} {a.shape[1]} {int(s is not None)} {words(a)} {words(b)} {'' if s is None else words(s)}"
                for a, b, s in cases]
    for (gold, predicted, scores), lines in zip(cases, ask(commands), strict=True):
        compare(values(lines), sets_wanted(gold, predicted, scores), (gold, predicted, scores))
        p, r, f, _ = sk.precision_recall_fscore_support(gold, predicted, average=None, zero_division=0)
        rows = [line.split()[1:] for line in lines if line.startswith("class")]
        for row, wanted in zip(rows, zip(p, r, f, strict=True), strict=True):
            assert all(same(float(a), b) for a, b in zip(row, wanted, strict=True)), (row, wanted)


# ── numbers ──


def numbers_wanted(gold, predicted):
    pearson = scipy.stats.pearsonr(gold, predicted).statistic if len(gold) > 1 else math.nan
    mse = sk.mean_squared_error(gold, predicted)
    return {"pearson": pearson, "spearman": scipy.stats.spearmanr(gold, predicted).statistic, "mse": mse,
            "rmse": sk.root_mean_squared_error(gold, predicted), "mae": sk.mean_absolute_error(gold, predicted),
            "r2": sk.r2_score(gold, predicted)}


def number_cases():
    random = np.random.default_rng(3)
    for i in range(120):
        n = int(random.integers(1, 200)) if i % 4 else int(random.integers(1, 5))
        gold, noise = random.normal(size=(2, n)) * 10.0 ** random.integers(-3, 4)
        predicted = gold + noise * random.random() * 2 + random.normal()
        if i % 3 == 0:
            gold, predicted = np.round(gold), np.round(predicted)  # ties
        if i % 7 == 0:
            gold = np.full(n, 2.5)
        if i % 9 == 0:
            predicted = np.full(n, -0.75)
        if i % 14 == 0:
            predicted = gold.copy()
        yield gold, predicted
    for n in 3, 7, 10:
        yield np.full(n, 0.1), random.normal(size=n)
    yield np.array([0.0, 1e-3, 2e-3]) + 4.0, np.array([5e200, -3e200, 1e150])
    yield random.random((2, 20000)) * 5


def test_numbers(_):
    cases = list(number_cases())
    answers = ask([f"numbers {len(a)} {words(a)} {words(b)}" for a, b in cases])
    for (gold, predicted), lines in zip(cases, answers, strict=True):
        wanted = numbers_wanted(gold, predicted)
        if not np.isfinite(predicted @ predicted):  # a square that overflows
            wanted |= {k: values(lines)[k] for k in ("mse", "rmse", "r2")}
        if len(gold) > 1 and (gold == 0.1).all():  # scikit-learn takes the rounding of 0.1's mean for a variance
            wanted["r2"] = 0.0
        compare(values(lines), wanted, (gold, predicted))


def test_numbers_unknown_and_nan(_):
    nan, gold, predicted = math.nan, [1.0, 2.0, 4.0], [1.5, 1.0, 3.0]
    left_out, broken = ask([f"numbers 5 {words([gold[0], nan, *gold[1:], nan])} {words([1.5, 9.0, 1.0, 3.0, 7.0])}",
                            f"numbers 3 {words(gold)} {words([1.5, nan, 3.0])}"])
    compare(values(left_out), numbers_wanted(np.array(gold), np.array(predicted)), "left out")
    assert all(math.isnan(v) for v in values(broken).values()), broken


def test_language(_):
    losses = [0.0, 1.0, 2.302585092994046, 700.0, 800.0, math.inf]
    for loss, lines in zip(losses, ask([f"language {loss} 8 3" for loss in losses]), strict=True):
        wanted = math.exp(loss) if loss < 709 else math.inf
        compare(values(lines), {"perplexity": wanted, "accuracy": 3 / 8}, loss)


# ── entities ──

LETTERS = {"IOB1": "IOB", "IOB2": "IOB", "IOE1": "IOE", "IOE2": "IOE", "IOBES": "IOBES", "BILOU": "BILOU"}


def random_tags(random, letters, types, n):
    drawn = random.choice(list(letters), n)
    return [str(t) if t == "O" else f"{t}-{random.choice(types)}" for t in drawn]


def spell(random, scheme, types, n):
    """A valid sequence; entities of 1 to 3 words, often one after the other."""
    spans, at = [], int(random.integers(0, 3))
    while at < n:
        end = min(n, at + int(random.integers(1, 4)))
        spans.append((at, end, str(random.choice(types))))
        at = end + int(random.choice([0, 0, 1, 2]))
    return spelled(scheme, spans, n), spans


def spelled(scheme, spans, n):
    tags = ["O"] * n
    for k, (a, b, kind) in enumerate(spans):
        after = k > 0 and spans[k - 1][1:] == (a, kind)
        followed = k + 1 < len(spans) and spans[k + 1][0] == b and spans[k + 1][2] == kind
        letters = ["I"] * (b - a)
        if scheme in ("IOB2", "IOBES", "BILOU") or (scheme == "IOB1" and after):
            letters[0] = "B"
        if scheme == "IOE2" or scheme in ("IOBES", "BILOU") or (scheme == "IOE1" and followed):
            letters[-1] = "L" if scheme == "BILOU" else "E"
        if scheme in ("IOBES", "BILOU") and b - a == 1:
            letters[0] = "S" if scheme == "IOBES" else "U"
        tags[a:b] = [f"{letter}-{kind}" for letter in letters]
    return tags


def spans_command(gold, predicted, scheme, strict):
    names = sorted({t for s in gold + predicted for t in s} | {"B-absent"})
    number = {t: i for i, t in enumerate(names)}
    lengths = " ".join(str(len(s)) for s in gold)
    ids = [" ".join(str(number[t]) for s in side for t in s) for side in (gold, predicted)]
    tags = " ".join(map(text, names))
    return f"spans {len(gold)} {len(names)} {scheme} {int(strict)} {tags} {lengths} {ids[0]} {ids[1]}"


def spans_wanted(gold, predicted, scheme, strict):
    how = {"mode": "strict", "scheme": getattr(seqeval.scheme, scheme)} if strict else {}
    def score(of, average):
        return of(gold, predicted, average=average, zero_division=0, **how)
    p, r, f = se.precision_score, se.recall_score, se.f1_score
    wanted = {"f1": score(f, "micro"), "precision": score(p, "micro"), "recall": score(r, "micro"),
              "accuracy": se.accuracy_score(gold, predicted), "f1_macro": score(f, "macro"), "f1_weighted": score(f, "weighted"),
              "precision_macro": score(p, "macro"), "recall_macro": score(r, "macro"),
              "precision_weighted": score(p, "weighted"), "recall_weighted": score(r, "weighted")}
    if strict:
        both = [seqeval.scheme.Entities(side, how["scheme"]).unique_tags for side in (gold, predicted)]
    else:
        both = [{e[0] for e in se.sequence_labeling.get_entities(side)} for side in (gold, predicted)]
    types = sorted(both[0] | both[1])
    each = [score(of, None) for of in (p, r, f)]
    _, _, _, support = se.sequence_labeling.precision_recall_fscore_support(gold, predicted) if not strict else \
        seqeval.metrics.v1.precision_recall_fscore_support(gold, predicted, scheme=how["scheme"])
    rows = {t: (each[0][i], each[1][i], each[2][i], support[i]) for i, t in enumerate(types)}
    return wanted | {f"f1_{t}": rows[t][2] for t in types}, rows


def check_spans(cases):
    """cases: gold, predicted, scheme, strict."""
    for case, lines in zip(cases, ask([spans_command(*c) for c in cases]), strict=True):
        wanted, rows = spans_wanted(*case)
        compare(values(lines), wanted, case)
        got = {line.split()[0][5:]: list(map(float, line.split()[1:])) for line in lines if line.startswith("type:")}
        assert list(got) == list(rows), case
        assert all(same(a, b) for t in rows for a, b in zip(got[t], rows[t], strict=True)), (got, rows)


def span_sides(random, draw, types):
    lengths = [int(random.integers(1, 12)) for _ in range(int(random.integers(1, 6)))]
    gold = [draw(n, types) for n in lengths]
    predicted = [s if random.random() < 0.4 else draw(len(s), types) for s in gold]
    return gold, predicted


def test_spans_of_any_tags(_):
    random, cases = np.random.default_rng(4), []
    for i in range(180):
        scheme, types = SCHEMES[i % 6], ["PER", "LOC", "X-Y", "ä"][:1 + i % 4]
        letters = LETTERS[scheme]
        gold, predicted = span_sides(random, lambda n, t: random_tags(random, letters, t, n), types)
        cases.append((gold, predicted, scheme, True))
        cases.append((gold, predicted, "IOB2", False))  # L and U as they are
    check_spans(cases)


def test_spans_of_valid_tags(_):
    random, cases = np.random.default_rng(5), []
    for i in range(120):
        scheme = SCHEMES[i % 6]
        gold, predicted = span_sides(random, lambda n, t: spell(random, scheme, t, n)[0], ["PER", "LOC"])
        cases.append((gold, predicted, scheme, True))
        if scheme != "BILOU":
            cases.append((gold, predicted, scheme, False))
    check_spans(cases)


def test_spans_degenerate(_):
    nothing, some = [["O", "O"], ["O"]], [["B-A", "I-A"], ["B-B"]]
    check_spans([(a, b, "IOB2", strict) for a in (nothing, some) for b in (nothing, some) for strict in (False, True)]
                + [([["B", "I", "O"]], [["B", "O", "I"]], "IOB2", False), ([["I-a-b", "Ix"]], [["B-a-b", "O"]], "IOB2", False),
                   ([["B-X", "äX", "ä", "O"]], [["B-X", "O", "äX", "O"]], "IOB2", False)])
    (lines,) = ask([spans_command([["B-A", "E-A"]], [["B-A", "I-A"]], "IOB2", True)])
    assert lines[0].startswith("error tag E-A"), lines


def test_bilou_leniently_is_iobes(_):
    random, cases = np.random.default_rng(6), []
    for _ in range(40):
        cases.append(span_sides(random, lambda n, t: random_tags(random, "BILOU", t, n), ["PER", "LOC"]))
    as_iobes = {"L": "E", "U": "S"}
    for case, lines in zip(cases, ask([spans_command(*c, "BILOU", False) for c in cases]), strict=True):
        turned = [[[as_iobes.get(t[0], t[0]) + t[1:] for t in s] for s in side] for side in case]
        compare(values(lines), spans_wanted(*turned, "IOBES", False)[0], case)


def conlleval(gold, predicted):
    """type → right, predicted, gold; token by token as the Perl script counts, for the letters B, I, E and O."""
    def ends(a, b):
        return a[0] == "E" or (a[0] in "BI" and b[0] in "BO") or (a[0] != "O" and a[1] != b[1])

    def starts(a, b):
        return b[0] == "B" or (a[0] in "EO" and b[0] in "EI") or (b[0] != "O" and a[1] != b[1])
    counts, inside = collections.defaultdict(lambda: [0, 0, 0]), False
    last = (("O", ""), ("O", ""))
    for g_tags, p_tags in zip(gold, predicted, strict=True):
        for pair in zip([*g_tags, "O"], [*p_tags, "O"], strict=True):
            now = tuple(tuple(t.split("-", 1)) if "-" in t else (t, "") for t in pair)
            over = [ends(a, b) for a, b in zip(last, now, strict=True)]
            if inside and all(over) and last[0][1] == last[1][1]:
                inside = False
                counts[last[0][1]][0] += 1
            elif inside and (over[0] != over[1] or now[0][1] != now[1][1]):
                inside = False
            begun = [starts(a, b) for a, b in zip(last, now, strict=True)]
            if all(begun) and now[0][1] == now[1][1]:
                inside = True
            for side in 0, 1:
                if begun[side]:
                    counts[now[side][1]][2 - side] += 1
            last = now
    return counts


def test_conlleval(_):
    random = np.random.default_rng(7)
    cases = [span_sides(random, lambda n, t: random_tags(random, "BIEO", t, n), ["PER", "LOC"]) for _ in range(100)]
    for case, lines in zip(cases, ask([spans_command(*c, "IOB1", False) for c in cases]), strict=True):
        counts = conlleval(*case)
        got = {line.split()[0][5:]: list(map(float, line.split()[1:])) for line in lines if line.startswith("type:")}
        assert set(got) == set(counts), (case, got, dict(counts))
        for t, (right, guessed, found) in counts.items():
            assert same(got[t][0], right / guessed if guessed else 0.0), (case, t)
            assert same(got[t][1], right / found if found else 0.0) and got[t][3] == found, (case, t)


def test_tags_convert_and_check(_):
    """Valid sequences: nothing to complain of, and every scheme's spelling of the same entities."""
    random, commands, wanted = np.random.default_rng(8), [], []
    for i in range(60):
        a, n = SCHEMES[i % 6], int(random.integers(0, 14))
        tags, spans = spell(random, a, ["PER", "LOC"], n)
        sent = f"{n} {' '.join(map(text, tags))}"
        commands.append(f"check {a} {sent}")
        wanted.append([])
        for b in SCHEMES:
            commands.append(f"convert {a} {b} {sent}")
            wanted.append(spelled(b, spans, n))
        commands.append(f"entities {a} 0 {sent}")
        wanted.append([f"{x} {y} {kind}" for x, y, kind in spans])
        if a != "IOE1":  # seqeval's strict IOE1 overlooks some
            commands.append(f"entities {a} 1 {sent}")
            wanted.append([f"{x} {y} {kind}" for x, y, kind in spans])
    for command, lines, right in zip(commands, ask(commands), wanted, strict=True):
        assert lines == right, (command, lines, right)


def test_tags_outside_the_scheme(_):
    cases = {("IOB2", "O I-PER"): ["1 B-PER"], ("IOB2", "B-PER E-PER X"): ["1 O", "2 O"], ("IOB1", "B-PER O"): ["0 I-PER"],
             ("IOE2", "I-PER O"): ["0 E-PER"], ("IOBES", "B-PER O S-LOC"): ["0 S-PER"], ("IOE1", "I-PER E-PER O"): ["1 I-PER"],
             ("BILOU", "B-A I-A O U-A"): ["1 L-A"], ("IOB2", "B-A I-B"): ["1 B-B"], ("IOB2", "ä-A"): ["0 O"]}
    commands = [f"check {scheme} {len(tags.split())} {' '.join(map(text, tags.split()))}" for scheme, tags in cases]
    for (case, right), lines in zip(cases.items(), ask(commands), strict=True):
        assert lines == right, (case, lines)


# ── answers ──

SEEDS = ("the", "The", "a", "an", "A.", "cat", "Cat,", "cats", "the-cat", "42", "1,000", "don't", "ΟΔΟΣ", "Σ", "İzmir", "naïve",
         "a\u0301", "the\u00a0end", "\u3000x", "_the_", "--", "", " ", "''", "“the”", "\u1680", "ａ", "東京", "a b", "\u2028the")


def make_text(random, most=5):
    return " ".join(random.choice(SEEDS, int(random.integers(0, most))))


def squad_1_1(items):
    def f1(a, b):
        a, b = squad_metrics.normalize_answer(a).split(), squad_metrics.normalize_answer(b).split()
        both = sum((collections.Counter(a) & collections.Counter(b)).values())
        return 2 * (both / len(a)) * (both / len(b)) / (both / len(a) + both / len(b)) if both else 0.0
    exact = total = 0.0
    for predicted, _, golds in items:
        if predicted is not None:
            exact += max(squad_metrics.normalize_answer(predicted) == squad_metrics.normalize_answer(x) for x in golds)
            total += max(f1(predicted, x) for x in golds)
    return {"f1": 100.0 * total / len(items), "exact_match": 100.0 * exact / len(items)}


def squad_2_0(items, odds, threshold):
    examples = [SimpleNamespace(qas_id=str(i), answers=[{"text": x} for x in golds]) for i, (_, _, golds) in enumerate(items)]
    predictions = {str(i): p for i, (p, _, _) in enumerate(items)}
    null = {str(i): o for i, (_, o, _) in enumerate(items)} if odds else None
    found = squad_metrics.squad_evaluate(examples, predictions, null, threshold)
    order = ["f1", "exact", "total", *(k for k in found if k.startswith(("HasAns_", "NoAns_")))]
    return {k: found[k] for k in order + [k for k in found if k.startswith("best_") and odds]}


def answers_command(items, v2, odds, threshold):
    rows = [f"{text(p)} {o!r} {len(golds)} {' '.join(map(text, golds))}" for p, o, golds in items]
    return f"answers {len(items)} {int(v2)} {int(odds)} {threshold!r} {' '.join(rows)}"


def answer_items(random, v2):
    items = []
    for _ in range(int(random.integers(1, 25))):
        golds = [make_text(random) for _ in range(int(random.integers(0 if v2 else 1, 4)))]
        predicted = str(random.choice(golds)) if golds and random.random() < 0.3 else make_text(random)
        items.append(("" if v2 and random.random() < 0.3 else predicted, float(np.round(random.normal(), 1)), golds))
    return items


def test_squad_1_1(_):
    random = np.random.default_rng(9)
    cases = [answer_items(random, False) for _ in range(60)] + [[(None, 0.0, ["x"]), ("x", 0.0, ["the x"])], [("", 0.0, ["the"])]]
    for items, lines in zip(cases, ask([answers_command(c, False, False, 1.0) for c in cases]), strict=True):
        assert values(lines) == squad_1_1(items), (items, lines)  # to the last bit, so that it is written alike


def test_squad_2_0(_):
    random, cases = np.random.default_rng(10), []
    for i in range(120):
        cases.append((answer_items(random, True), bool(i % 2), float(np.round(random.normal(), 1)) if i % 2 else 1.0))
    cases += [([("", 0.0, [])], True, 0.0), ([("x", 0.5, [])], True, 0.5), ([("the", 0.0, ["a"])], False, 1.0),
              ([("", 2.0, ["x"]), ("x", -1.0, ["x"])], True, 0.0)]
    commands = [answers_command(items, True, odds, threshold) for items, odds, threshold in cases]
    for (items, odds, threshold), lines in zip(cases, ask(commands), strict=True):
        wanted = squad_2_0(items, odds, threshold)
        assert values(lines) == wanted, (items, odds, threshold, values(lines), wanted)
        best = {line.split()[0]: list(map(float, line.split()[1:])) for line in lines if line.startswith("threshold")}
        if odds:
            assert best["threshold0"] == [wanted["best_exact_thresh"], wanted["best_exact"]], (items, best)
            assert best["threshold1"] == [wanted["best_f1_thresh"], wanted["best_f1"]], (items, best)


def test_squad_2_0_passes_over_what_has_no_prediction(_):
    items = [(None, 0.0, ["x"]), ("x", 0.0, ["x"]), ("", 0.0, [])]
    (lines,) = ask([answers_command(items, True, False, 1.0)])
    assert values(lines) == squad_2_0(items[1:], False, 1.0), lines


def test_normalize(_):
    random = np.random.default_rng(11)
    texts = [make_text(random, 9) for _ in range(400)] + ["ΑΣ'Α", "ΑΣ.", "ΣΑΣ ΣΣ", "ªΣ", "ⅧΣ", "A\u0301Σ\u0301", "x" * 10000]
    for raw, (line,) in zip(texts, ask([f"normalize {text(t)}" for t in texts]), strict=True):
        assert line == text(squad_metrics.normalize_answer(raw)), (raw, line)


def test_normalize_every_character(_):
    """Case, spaces and what belongs to a word, of every assigned code point."""
    assert string.punctuation == "".join(c for c in map(chr, range(33, 127)) if not c.isalnum())
    old = tuple(map(int, unicodedata.unidata_version.split("."))) <= (15, 0, 0)  # utf8proc's may be older than a newer Python's
    known = unicodedata if old else unicodedata.ucd_3_2_0
    points = [chr(c) for c in range(0x110000) if known.category(chr(c)) not in ("Cn", "Cs")]
    lines = [" ".join(f"B{c}Σ{c} the{c}an" for c in points[i:i + 200]) for i in range(0, len(points), 200)]
    for raw, (line,) in zip(lines, ask([f"normalize {text(t)}" for t in lines]), strict=True):
        wanted = text(squad_metrics.normalize_answer(raw))
        if line != wanted:
            a, b = bytes.fromhex(line).decode().split(" "), bytes.fromhex(wanted).decode().split(" ")
            raise AssertionError([pair for pair in zip(a, b) if pair[0] != pair[1]][:3])


# ── the table ──


def test_names(_):
    """Every family has a metric of its own and names none twice."""
    for family, (line,) in zip(FAMILIES, ask([f"names {i}" for i in range(len(FAMILIES))]), strict=True):
        names = re.split(", ", line)
        assert names[0] == "loss" and len(names) > 1 and len(set(names)) == len(names), (family, names)


if __name__ == "__main__":
    g.main(globals())
