#!/usr/bin/env python3
"""Every head's logits against transformers', on tiny models with random weights: token classification, question answering, multiple
choice; and the mean over tokens. Our batches have no padding, and only the rows that are read are computed."""
import subprocess
from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM, BertForMultipleChoice, BertForQuestionAnswering, BertForTokenClassification

import golden_tools as g

LIMIT = 1e-5
LENGTHS = [9, 2, 31, 14, 3, 22, 17]
PROGRAM = "tests/golden/heads_tool"


def config(**more):
    size = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
            "max_position_embeddings": 40, "initializer_range": 0.2, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return BertConfig(**{**size, **more})


def batch(seed=3):
    """Sequences of ids, types and which tokens are read; none of one of them."""
    generator = torch.Generator().manual_seed(seed)
    out = []
    for i, n in enumerate(LENGTHS):
        ids = torch.randint(5, 99, (n,), generator=generator)
        types = (torch.arange(n) > n // 2).long()
        reads = torch.rand(n, generator=generator) < (0.0 if i == 1 else 0.4)
        out.append((ids, types, reads))
    return out


def tool():
    beside = Path(g.BERTTY).parent
    program = next((p for p in (beside / PROGRAM, beside / "build" / PROGRAM) if p.exists()), None)
    assert program, f"no {PROGRAM} beside {g.BERTTY}"
    return program


def lines(sequences):
    return "".join(" ".join(str(int(v)) for v in part) + "\n" for sequence in sequences for part in sequence)


def ours(directory, kind, name, outputs, sequences):
    done = subprocess.run([tool(), kind, name, str(outputs), directory], input=lines(sequences), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return torch.tensor([[float(v) for v in line.split()] for line in done.stdout.splitlines()])


def padded(sequences):
    ids = torch.nn.utils.rnn.pad_sequence([s[0] for s in sequences], batch_first=True)
    types = torch.nn.utils.rnn.pad_sequence([s[1] for s in sequences], batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(s[0]) for s in sequences], batch_first=True)
    return {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}


def saved(model, folder):
    """With biases that are not zero."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("bias"):
                p.normal_(0, 0.2)
    model.eval().save_pretrained(folder)
    return model


def everything(sequences):
    return [(ids, types, torch.ones_like(ids)) for ids, types, _ in sequences]


def compare(what, mine, theirs):
    apart = g.largest_difference(mine, theirs)
    print(f"{what}: {len(theirs)} rows, largest difference {apart:.1e}")
    assert theirs.std(dim=0).min() > 1e-3, "the logits hardly differ: nothing would be seen"
    assert apart <= LIMIT, apart


def test_token_classification(folder):
    torch.manual_seed(1)
    model = saved(BertForTokenClassification(config(num_labels=5)), folder)
    some = batch()
    for what, sequences in (("some rows", some), ("all rows", everything(some))):
        with torch.no_grad():
            theirs = model(**padded(sequences)).logits
        rows = torch.cat([theirs[i][: len(s[0])][s[2].bool()] for i, s in enumerate(sequences)])
        compare(what, ours(folder, "tokens", "classifier", 5, sequences), rows)


def test_question_answering(folder):
    torch.manual_seed(2)
    model = saved(BertForQuestionAnswering(config()), folder)
    sequences = everything(batch())
    with torch.no_grad():
        out = model(**padded(sequences))
    theirs = torch.stack([out.start_logits, out.end_logits], dim=-1)
    rows = torch.cat([theirs[i][: len(s[0])] for i, s in enumerate(sequences)])
    compare("start and end", ours(folder, "plain", "qa_outputs", 2, sequences), rows)


def test_multiple_choice(folder):
    torch.manual_seed(3)
    model = saved(BertForMultipleChoice(config()), folder)
    sequences = [(ids, types, (torch.arange(len(ids)) == 0).long()) for ids, types, _ in batch()]
    inputs = {k: v[None] for k, v in padded(sequences).items()}
    with torch.no_grad():
        theirs = model(**inputs).logits
    compare("choices", ours(folder, "pooled", "classifier", 1, sequences), theirs.T)


def test_mean(folder):
    """No class of transformers has this head: its encoder, the mean over the tokens that are read, a linear layer."""
    torch.manual_seed(4)
    model = saved(BertForTokenClassification(config(num_labels=3)), folder)
    sequences = [s for s in batch() if s[2].any()]
    with torch.no_grad():
        hidden = model.bert(**padded(sequences)).last_hidden_state
        means = torch.stack([hidden[i][: len(s[0])][s[2]].mean(dim=0) for i, s in enumerate(sequences)])
        theirs = model.classifier(means)
    compare("means", ours(folder, "mean", "classifier", 3, sequences), theirs)


def test_first_of_what_is_read(folder):
    """The pooler takes the first token that is read, which need not be the sequence's first."""
    torch.manual_seed(5)
    model = saved(BertForMultipleChoice(config()), folder)
    sequences = [s for s in batch() if s[2].any()]
    with torch.no_grad():
        hidden = model.bert(**padded(sequences)).last_hidden_state
        first = torch.stack([hidden[i][int(s[2].int().argmax())] for i, s in enumerate(sequences)])
        theirs = model.classifier(torch.tanh(model.bert.pooler.dense(first)))
    compare("first reads", ours(folder, "pooled", "classifier", 1, sequences), theirs)


def ours_lm(directory, folder, sequences):
    """Losses of the reads, their three likeliest words, those words' logits, and name → gradient of the mean loss."""
    file = folder / "gradients"
    done = subprocess.run([tool(), "lm", file, directory], input=lines(sequences), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines()]
    reads = [[float(v) for v in line] for line in found if len(line) == 7]
    floats, gradients = torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.float32), {}
    for name, n in (line for line in found if len(line) == 2):
        gradients[name], floats = floats[: int(n)], floats[int(n):]
    assert not len(floats)
    reads = torch.tensor(reads, dtype=torch.float64)
    return reads[:, 0], reads[:, 1::2].long(), reads[:, 2::2], gradients


def test_masked_language_model(folder):
    """Losses, likeliest words, and every gradient; the decoder is tied to the word embeddings."""
    torch.manual_seed(6)
    for act in "gelu", "gelu_new", "relu":
        model = saved(BertForMaskedLM(config(vocab_size=5000, hidden_act=act)), folder / act)
        sequences = [(ids, types, torch.where(reads, torch.randint(0, 5000, ids.shape), -1)) for ids, types, reads in batch()]
        losses, words, logits, gradients = ours_lm(folder / act, folder, sequences)
        inputs = padded(sequences)
        targets = torch.nn.utils.rnn.pad_sequence([s[2] for s in sequences], batch_first=True, padding_value=-1)
        theirs = model(**inputs).logits
        read = targets >= 0
        expected = torch.nn.functional.cross_entropy(theirs[read], targets[read], reduction="none")
        top = theirs[read].topk(3)
        expected.mean().backward()
        apart = g.largest_difference(losses, expected.detach())
        assert apart <= LIMIT, apart
        assert g.largest_difference(logits, top.values.detach()) <= LIMIT and torch.equal(words, top.indices)
        largest, worst = max(p.grad.abs().max().item() for p in model.parameters()), 0.0
        for name, p in model.named_parameters():
            if name == "bert.embeddings.word_embeddings.weight":
                assert model.cls.predictions.decoder.weight is p
            mine = gradients.pop(name).reshape(p.shape)
            floor = 1e-2 * largest  # a key's bias has no gradient but rounding
            worst = max(worst, g.largest_difference(mine, p.grad) / max(p.grad.abs().max().item(), floor))
        print(f"{act}: {len(losses)} losses, largest difference {apart:.1e}; gradients, over the largest of each: {worst:.1e}")
        assert worst <= 5e-5, worst
        assert not gradients, list(gradients)


if __name__ == "__main__":
    g.main(globals())
