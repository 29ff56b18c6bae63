#!/usr/bin/env python3
"""Questions: windows and gold positions as transformers' run_qa.py makes them, answers as its postprocess_qa_predictions() finds them (with the
maximum-context rule and without repetitions, as Google's run_squad.py), losses as PyTorch's, checkpoints in transformers, files in SQuAD's scripts.

The references are written here, from what those scripts do."""
import collections
import json
import math
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, BertForQuestionAnswering
from transformers.data.metrics import squad_metrics

import golden_tools as g
from peer_losses import Plan, epoch_order, optimizer_of

Window = collections.namedtuple("Window", "question ids offsets first start end types")


# ── what run_qa.py does ──

def read(path, n=None):
    found = [(str(q["id"]), q["question"], p["context"], [(a["text"], a["answer_start"]) for a in q["answers"]])
             for a in json.loads(Path(path).read_text(encoding="utf-8"))["data"] for p in a["paragraphs"] for q in p["qas"]]
    return found if n is None else found[::max(len(found) // n, 1)][:n]


def write(path, questions):
    paragraphs = [{"context": c, "qas": [{"id": i, "question": q, "answers": [{"text": t, "answer_start": s} for t, s in a]}]}
                  for i, q, c, a in questions]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}, ensure_ascii=False), encoding="utf-8")
    return path


def gold(offsets, first, n, answers):
    """Start and end token; the first answer counts."""
    if not answers:
        return 0, 0
    begin, end = answers[0][1], answers[0][1] + len(answers[0][0])
    context = range(first, first + n)
    if not n or not (offsets[first][0] <= begin and offsets[first + n - 1][1] >= end):
        return 0, 0
    return max(t for t in context if offsets[t][0] <= begin), min(t for t in context if offsets[t][1] >= end)


def windows_of(tokenizer, questions, length, stride):
    """As prepare_train_features() and prepare_validation_features()."""
    e = tokenizer([q[1] for q in questions], [q[2] for q in questions], truncation="only_second", max_length=length,
                  stride=stride, return_overflowing_tokens=True, return_offsets_mapping=True)
    out = []
    for i, ids in enumerate(e["input_ids"]):
        k, sequence = e["overflow_to_sample_mapping"][i], e.sequence_ids(i)
        first, n = (sequence.index(1), sequence.count(1)) if 1 in sequence else (len(ids) - 1, 0)
        offsets = e["offset_mapping"][i]
        out.append(Window(k, ids, offsets, first, *gold(offsets, first, n, questions[k][3]), e["token_type_ids"][i]))
    return out


def google_windows(tokenizer, questions, length, step, longest):
    """As convert_examples_to_features() of run_squad.py cuts, with the tokens and the gold positions of the above."""
    out = []
    for k, (_, question, context, answers) in enumerate(questions):
        query = tokenizer(question, add_special_tokens=False)["input_ids"][:longest]
        c = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
        room, at = length - len(query) - 3, 0
        while True:
            n = min(room, len(c["input_ids"]) - at)
            ids = [tokenizer.cls_token_id, *query, tokenizer.sep_token_id, *c["input_ids"][at:at + n], tokenizer.sep_token_id]
            first = len(query) + 2
            offsets = [(0, 0)] * first + c["offset_mapping"][at:at + n] + [(0, 0)]
            out.append(Window(k, ids, offsets, first, *gold(offsets, first, n, answers), [0] * first + [1] * (n + 1)))
            if at + n == len(c["input_ids"]):
                break
            at += min(n, step)
    return out


def shown_best(windows):
    """For each window of one question the tokens of which it shows more than any other."""
    places = collections.defaultdict(list)
    for w, window in enumerate(windows):
        n = len(window.ids) - 1 - window.first
        for i in range(n):
            t = window.first + i
            places[window.offsets[t]].append((min(i, n - 1 - i) + 0.01 * n, -w))
    return [{t for t in range(window.first, len(window.ids) - 1) if max(places[window.offsets[t]])[1] == -w}
            for w, window in enumerate(windows)]


def answers_of(context, windows, logits, negative, threshold, n_best=20, longest=30):
    """What is answered, its alternatives [(text, probability)] and the odds of no answer."""
    found, null = [], math.inf
    for window, (start, end), best in zip(windows, logits, shown_best(windows), strict=True):
        null = min(null, start[0] + end[0])
        for s in np.argsort(-start, kind="stable")[:n_best]:
            for t in np.argsort(-end, kind="stable")[:n_best]:
                context_tokens = range(window.first, len(window.ids) - 1)
                if s in context_tokens and t in context_tokens and s <= t < s + longest and s in best:
                    found.append((start[s] + end[t], window.offsets[s][0], window.offsets[t][1]))
    if negative:
        found.append((null, 0, 0))
    kept, texts = [], set()
    for score, begin, end in sorted(found, key=lambda f: -f[0]):
        if len(kept) < n_best and context[begin:end] not in texts:
            kept.append((score, context[begin:end]))
            texts.add(context[begin:end])
    if negative and "" not in texts:
        kept.append((null, ""))
    if not kept:  # where run_qa.py makes one up
        kept = [(0.0, "")]
    odds = null - next((score for score, text in kept if text), 0.0)
    weights = np.exp(np.array([score for score, _ in kept]) - max(score for score, _ in kept))
    nbest = [(text, p) for (_, text), p in zip(kept, weights / weights.sum(), strict=True)]
    none = negative and odds > threshold or not any(text for text, _ in nbest)
    first = next(i for i, (text, _) in enumerate(nbest) if none == (text == ""))
    return [nbest.pop(first), *nbest], odds


# ── our side ──

def tool(*arguments):
    program = "tests/golden/qa_tool"
    beside = Path(g.BERTTY).parent
    program = next(p for p in (beside / program, beside / "build" / program) if p.exists())
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def experiment(folder, length, task, model=g.MODEL, **more):
    options = "".join(f"  {k}: {v}\n" for k, v in task.items())
    path = folder / "experiment.yaml"
    path.write_text(f"model: {{name_or_path: {model}}}\ntask:\n  type: qa\n{options}data:\n  max_seq_length: {length}\n" +
                    "".join(f"  {k}: {v}\n" for k, v in more.items()))
    return path


def our_windows(folder, file, length, **task):
    lines = [[int(v) for v in line.split()] for line in tool("windows", experiment(folder, length, task), file)]
    return [(k, s, t, ids) for k, s, t, *ids in lines]


def plain(windows):
    return [(w.question, w.start, w.end, w.ids) for w in windows]


def short(tokenizer, questions, longest):
    """Those that run_qa.py, which cuts no question, sees as we do."""
    return [q for q in questions if len(tokenizer.tokenize(q[1])) <= longest]


# ── tests ──

def test_windows(folder):
    tokenizer = AutoTokenizer.from_pretrained(g.MODEL)
    count = split = 0
    for name, n, length, stride in (("squad/train-v1.1.du-test-split.json", 400, 384, 128), ("policyqa/dev.json", 150, 100, 33),
                                    ("squad/train-v1.1.du-test-split.json", 150, 120, 50), ("xquad/xquad.zh.json", 120, 160, 0)):
        longest = min(64, length - stride - 4)
        questions = short(tokenizer, read(g.shared(name), n), longest)
        file = write(folder / "data.json", questions)
        expected = plain(windows_of(tokenizer, questions, length, stride))
        found = our_windows(folder, file, length, doc_stride=stride, max_query_length=longest)
        assert found == expected, next((a, b) for a, b in zip(found, expected) if a != b)
        count += len(found)
        split += sum(1 for k, s, *_ in found if s == 0)
    print(f"{count} windows alike, {split} of them without their answer")
    assert count > 1000 and split > 100


def test_windows_of_google(folder):
    """doc_step instead of doc_stride, and questions that are cut."""
    tokenizer = AutoTokenizer.from_pretrained(g.MODEL)
    questions = read(g.shared("squad/train-v1.1.du-test-split.json"), 120)
    questions += [("none", "Is it?", "It is not said here.", []), ("empty", "Is it?", "", [])]
    file = write(folder / "data.json", questions)
    for length, step, longest in (120, 30, 9), (200, 500, 64), (64, 1, 40):
        some = questions if step > 1 else questions[::12]
        file = write(folder / "data.json", some)
        found = our_windows(folder, file, length, doc_step=step, max_query_length=longest)
        assert found == plain(google_windows(tokenizer, some, length, step, longest)), (length, step)


def grouped(windows):
    out = collections.defaultdict(list)
    for i, w in enumerate(windows):
        out[w.question].append(i)
    return out


def score(questions, predictions, negative):
    """What the official scripts say."""
    if negative:
        examples = [SimpleNamespace(qas_id=i, answers=[{"text": t} for t, _ in a]) for i, _, _, a in questions]
        return squad_metrics.squad_evaluate(examples, predictions)
    same, both = 0.0, 0.0
    for i, _, _, answers in questions:
        same += max(squad_metrics.compute_exact(t, predictions[i]) for t, _ in answers)
        both += max(squad_metrics.compute_f1(t, predictions[i]) for t, _ in answers)
    return {"exact_match": 100.0 * same / len(questions), "f1": 100.0 * both / len(questions)}


def test_answers(folder):
    """From random logits: every text, probability and decision."""
    tokenizer, random = AutoTokenizer.from_pretrained(g.MODEL), np.random.default_rng(5)
    decided = collections.Counter()
    for negative, threshold, length, stride, more in ((False, 0, 384, 128, {}), (True, 0, 100, 60, {}), (True, 1.5, 100, 20, {}),
                                                      (False, 0, 90, 70, {"n_best_size": 7, "max_answer_length": 4})):
        longest = min(64, length - stride - 4)
        questions = short(tokenizer, read(g.shared("squad/train-v1.1.du-test-split.json"), 150), longest)
        if negative:
            questions = [(*q[:3], [] if i % 3 == 0 else q[3]) for i, q in enumerate(questions)]
        windows = windows_of(tokenizer, questions, length, stride)
        logits = [random.normal(0, 2, (len(w.ids), 2)).astype(np.float32) for w in windows]
        for window, one in zip(windows, logits, strict=True):
            one[0] += 3 * (window.question % 3)
        (folder / "logits").write_bytes(np.concatenate(logits).tobytes())
        task = {"doc_stride": stride, "max_query_length": longest, "null_score_diff_threshold": threshold, **more}
        *rows, figures = map(json.loads, tool("answers", experiment(folder, length, task), write(folder / "data.json", questions),
                                              folder / "logits"))
        predictions, belongs = {}, grouped(windows)
        for k, (row, question) in enumerate(zip(rows, questions, strict=True)):
            own = belongs[k]
            both = [logits[i].astype(np.float64).T for i in own]
            expected, odds = answers_of(question[2], [windows[i] for i in own], both, negative, threshold,
                                        more.get("n_best_size", 20), more.get("max_answer_length", 30))
            assert [a["text"] for a in row["nbest"]] == [text for text, _ in expected], (row["nbest"], expected)
            assert np.allclose([a["score"] for a in row["nbest"]], [p for _, p in expected], rtol=1e-9)
            assert all(question[2][a["begin"]:a["end"]] == a["text"] for a in row["nbest"])
            assert row["prediction"] == expected[0][0] and ("null_odds" in row) == negative
            assert not negative or math.isclose(row["null_odds"], odds, rel_tol=1e-9)
            predictions[question[0]] = row["prediction"]
            decided[row["prediction"] == ""] += 1
        expected = score(questions, predictions, negative)
        assert figures["f1"] == expected["f1"], (figures, expected)
        same = [k for k in expected if k in figures and not k.startswith("best_")]
        assert len(same) >= (9 if negative else 2) and all(figures[k] == expected[k] for k in same), (figures, expected)
    print(f"{decided[False]} answers and {decided[True]} times none alike")
    assert min(decided.values()) > 40, decided


def tiny(to, **size):
    config = {"vocab_size": 30522, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
              "initializer_range": 0.1, **size}
    torch.manual_seed(3)
    g.save(BertForQuestionAnswering(g.BertConfig(**config)), g.MODEL, to)
    return to


def mixed(n):
    """Questions of which every fifth has no answer."""
    questions = short(AutoTokenizer.from_pretrained(g.MODEL), read(g.shared("squad/train-v1.1.du-test-split.json"), n), 40)
    return [(*q[:3], [] if i % 5 == 0 else q[3]) for i, q in enumerate(questions)]


def train(folder, questions, model, steps, *sets, length=128, stride=40, **more):
    file = write(folder / "train.json", questions)
    path = experiment(folder, length, {"doc_stride": stride, "max_query_length": 40, **more}, model, train_file=file)
    options = ("train.max_steps=" + str(steps), "model.hidden_dropout_prob=0", "model.attention_probs_dropout_prob=0", "run.logging_steps=1")
    g.run("train", path, *[p for s in options + sets for p in ("--set", s)], "--name", "run", "--runs", folder / "runs")
    return folder / "runs/run"


def test_losses(folder):
    """As in test_losses.py; the items of a batch are windows, the loss is the mean of both cross-entropies over a window's tokens: what transformers'
    own loss adds where it pads a batch, the padding's logits, is taken out."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from transformers import get_linear_schedule_with_warmup
    questions, steps = mixed(150), 24
    model = tiny(folder / "model", hidden_size=64)
    plan = Plan(model, [], [], steps, learning_rate=2e-3, batch=16)
    run = train(folder, questions, model, steps, f"train.train_batch_size={plan.batch}", f"train.seed={plan.seed}",
                "train.group_by_length=false", f"optim.learning_rate={plan.learning_rate}", "optim.adam_epsilon=1e-8",
                "run.save_strategy=no")
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    ours = [p.value for p in events.Scalars("train/loss")]
    windows = windows_of(AutoTokenizer.from_pretrained(model), questions, 128, 40)
    peer = AutoModelForQuestionAnswering.from_pretrained(model, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).train()
    optimizer = optimizer_of(plan, peer)
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(plan.warmup_ratio * steps), steps)
    order, theirs, epoch = [], [], 0
    while len(theirs) < steps:
        if not order:
            order = epoch_order(plan.seed, epoch, [len(w.ids) for w in windows], plan.batch, False)
            epoch += 1
        some, order = [windows[i] for i in order[:plan.batch]], order[plan.batch:]
        inputs = padded(some)
        out, padding = peer(**inputs), inputs["attention_mask"] == 0
        loss = sum(torch.nn.functional.cross_entropy(l.masked_fill(padding, -math.inf), torch.tensor(gold_)) / 2 for l, gold_ in
                   ((out.start_logits, [w.start for w in some]), (out.end_logits, [w.end for w in some])))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(peer.parameters(), plan.max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        theirs.append(loss.item())
    apart = max(abs(a - b) / b for a, b in zip(ours, theirs, strict=True))
    print(f"{steps} steps, loss {theirs[0]:.3f} → {theirs[-1]:.3f}: largest relative difference {apart:.1e}")
    assert max(theirs) - min(theirs) > 0.1 and apart <= 1e-3, (ours, theirs)


def padded(windows):
    pad = torch.nn.utils.rnn.pad_sequence
    return {"input_ids": pad([torch.tensor(w.ids) for w in windows], batch_first=True),
            "token_type_ids": pad([torch.tensor(w.types) for w in windows], batch_first=True),
            "attention_mask": pad([torch.ones(len(w.ids), dtype=torch.long) for w in windows], batch_first=True)}


def test_checkpoint(folder):
    """transformers loads it; its logits, read as above, are the answers that `bertty eval` writes for SQuAD's scripts, with the figures that it tells."""
    questions = mixed(120)
    dev = write(folder / "dev.json", questions[:80])
    run = train(folder, questions, tiny(folder / "model"), 30, f"data.validation_file={dev}", "eval.eval_strategy=steps",
                "eval.eval_steps=15", "optim.learning_rate=3e-3", null_score_diff_threshold="auto")
    checkpoint = run / "best"
    peer, loading = AutoModelForQuestionAnswering.from_pretrained(checkpoint, output_loading_info=True)
    assert not loading["missing_keys"] and not loading["unexpected_keys"] and not loading["mismatched_keys"], loading
    config = json.loads((checkpoint / "config.json").read_text())
    assert config["architectures"] == ["BertForQuestionAnswering"] and config["bertty"]["version_2_with_negative"] == 1, config
    windows = windows_of(AutoTokenizer.from_pretrained(checkpoint), questions[:80], 128, 40)
    with torch.no_grad():
        out = peer.eval()(**padded(windows))
    ours = our_logits(checkpoint, windows)
    theirs = torch.cat([torch.stack((out.start_logits[i], out.end_logits[i]), -1)[:len(w.ids)] for i, w in enumerate(windows)])
    apart = g.largest_difference(ours, theirs)
    print(f"logits of {len(windows)} windows: largest difference {apart:.1e}")
    assert apart <= 1e-4, apart
    done = g.run("eval", run, "--data", dev, "--squad", folder / "out", "--json")
    figures = json.loads(done.stdout.splitlines()[-1])["metrics"]
    predictions, odds, nbest = (json.loads((folder / "out" / name).read_text())
                                for name in ("predictions.json", "null_odds.json", "nbest_predictions.json"))
    assert list(predictions) == [q[0] for q in questions[:80]] == list(odds) == list(nbest)
    belongs, threshold = grouped(windows), config["bertty"]["null_score_diff_threshold"]
    for k, question in enumerate(questions[:80]):
        logits = [torch.stack((out.start_logits[i], out.end_logits[i]))[:, :len(windows[i].ids)].double().numpy() for i in belongs[k]]
        expected, expected_odds = answers_of(question[2], [windows[i] for i in belongs[k]], logits, True, threshold)
        assert math.isclose(odds[question[0]], expected_odds, abs_tol=1e-4)
        if abs(expected_odds - threshold) > 1e-4 and expected[0][1] > 1.001 * max(p for t, p in expected[1:] if t):
            assert predictions[question[0]] == expected[0][0], (k, expected[:3])
    official = score(questions[:80], predictions, True)
    same = [k for k in official if k in figures and not k.startswith("best_")]
    assert len(same) >= 9 and all(math.isclose(figures[k], official[k], rel_tol=1e-12) for k in same), (figures, official)
    last = g.run("eval", f"{run}@best", "--data", dev, "--json").stdout.splitlines()[-1]
    assert json.loads(last)["metrics"]["f1"] == figures["f1"] >= figures["best_f1"] - 1e-9, figures


def our_logits(checkpoint, windows):
    from test_heads import ours
    sequences = [(w.ids, w.types, [1] * len(w.ids)) for w in windows]
    return torch.cat([ours(checkpoint, "plain", "qa_outputs", 2, sequences[i:i + 60]) for i in range(0, len(sequences), 60)])


if __name__ == "__main__":
    g.main(globals())
