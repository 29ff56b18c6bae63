#!/usr/bin/env python3
"""Token ids of `bertty tokenize --ids` against Hugging Face's BertTokenizerFast: texts, every code point, odd model directories.

A line of the input is a text, so U+000A cannot stand in one; tests/unit/test_tokenizer.c has it. U+000D and the other line
ends of Unicode can.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

try:
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers
    from transformers import BertTokenizerFast
except ImportError as missing:
    print(f"{missing}: `make test-peers` sets up what this test needs")
    sys.exit(77)

transformers.logging.set_verbosity_error()
BERTTY, MODEL, SHARED = os.environ["BERTTY_FAST"], Path(os.environ["BT_MODEL"]), Path(os.environ["BT_SHARED"])
SURROGATES = range(0xD800, 0xE000)
passed = failed = skipped = 0


def ours(model, texts, *options):
    """Lists of ids, one a text, as the lines that the command prints."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write("".join(text + "\n" for text in texts).encode())
        file.flush()
        done = subprocess.run([BERTTY, "tokenize", str(model), "--ids", file.name, *options], stdout=subprocess.PIPE)
    assert done.returncode == 0, f"exit code {done.returncode}"
    return done.stdout.decode().split("\n")[:-1]


def theirs(tokenizer, texts):
    """The same of the tokenizers library, without the limits on length that a file may hold."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    for at in range(0, len(texts), 100000):
        for encoding in backend.encode_batch_fast(texts[at:at + 100000]):
            yield " ".join(map(str, encoding.ids))


def report(name, different, count):
    global passed, failed
    passed, failed = passed + (not different), failed + bool(different)
    print(f"{name}: {count} texts, {len(different)} differences")
    for text, got, expected in different[:5]:
        print(f"    {text[:80]!r} {[hex(ord(c)) for c in text[:6]]}\n      bertty {got[:200]}\n      HF     {expected[:200]}")


def compare(name, model, texts, *options):
    got, expected = ours(model, texts, *options), list(theirs(BertTokenizerFast.from_pretrained(model), texts))
    assert len(got) == len(texts), f"{name}: {len(got)} lines for {len(texts)} texts"
    report(name, [row for row in zip(texts, got, expected) if row[1] != row[2]], len(texts))


# ── what is compared ──

def strings_of(value):
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings_of(member)


def data_texts():
    """The texts of all data sets: each cell of each line of the tables, each string of the JSON files."""
    texts = {}
    for path in sorted(p for p in SHARED.glob("data/*/*") if p.is_file()):
        content = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".json":
            for text in strings_of(json.loads(content)):
                texts.update(dict.fromkeys(text.split("\n")))
            continue
        for line in content.split("\n"):
            texts.update(dict.fromkeys(line.split("\t")))
    return list(texts)


def code_points():
    for cp in range(0x110000):
        if cp != 0x0A and cp not in SURROGATES:
            yield chr(cp)


def pack(words, n):
    """n words a text: as good as a text for each, and much quicker."""
    return [" ".join(words[at:at + n]) for at in range(0, len(words), n)]


def mixtures(n):
    """Sequences of marks, letters that decompose, Hangul, controls and punctuation: what touches canonical reordering."""
    pick = random.Random(7)
    known = [c for c in code_points() if unicodedata.category(c) != "Cn"]
    marks = [c for c in known if unicodedata.category(c)[0] == "M"]
    combining = [c for c in known if unicodedata.combining(c)]
    decomposing = [c for c in known if unicodedata.decomposition(c)]
    pools = [marks, marks, combining, combining, decomposing, known, list("abcXYZ .,-[]\t\r"), list("ÀÉßİıΣςσ가각ㄱ中文かカ")]
    for _ in range(n):
        yield "".join(pick.choice(pick.choice(pools)) for _ in range(pick.randint(1, 12)))


LONG = ["a" * 99, "a" * 100, "a" * 101, "é" * 100, "é" * 101, "x" * 100 + "\u0301", "\u0300" * 300 + "a" * 100, "İ" * 50, "İ" * 51,
        "a" * 100 + "-" + "b" * 101 + " c", "a" * 5000, "ﷺ" * 99, "\u0344" * 120, "中" * 300, "가" * 33, "가" * 34, "." * 500]
SPECIAL = ["[MASK]", "a [MASK] b", "a[MASK]b", "[mask]", "[MASK", "[[MASK]]", "[CLS] x [SEP][PAD] [UNK]", "x[SEP]##y", "##ing", "[MA\0SK]",
           "é[MASK]\u0301a", "\u0301[MASK]", "", " ", "\t", "\r", "a\rb", "\0", "\ufffd", "\u2028a\u2029b", "a\u00a0b", "\ufeffa", "[MASK]" * 300]


def cased_model(folder):
    model = folder / "cased"
    model.mkdir()
    shutil.copy(MODEL / "vocab.txt", model)
    (model / "tokenizer_config.json").write_text('{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}')
    return model


def character_model(folder):
    """A vocabulary of single characters: the order of marks shows in the ids."""
    model = folder / "characters"
    model.mkdir()
    known = [c for c in code_points() if unicodedata.category(c)[0] == "M" or unicodedata.combining(c)] + list("abcxyz")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + known + ["##" + c for c in known]
    (model / "vocab.txt").write_text("\n".join(pieces) + "\n")
    (model / "tokenizer_config.json").write_text('{"do_lower_case": true, "tokenizer_class": "BertTokenizer"}')
    return model


def reorderings(n):
    """Runs of marks that stay, marks that are dropped and a few letters."""
    pick = random.Random(9)
    marks = [c for c in code_points() if unicodedata.category(c)[0] == "M"]
    combining = [c for c in marks if unicodedata.combining(c)]
    stay = [c for c in combining if unicodedata.category(c) != "Mn"]
    newer = [chr(cp) for a, b in ((0x898, 0x8A0), (0x8CA, 0x8E2), (0x1ABF, 0x1ACF), (0x1DF6, 0x1DFC), (0x10EAB, 0x10EAD)) for cp in range(a, b)]
    pools = [marks, combining, newer, newer, stay + ["\u034f"], list("abc")]
    for _ in range(n):
        yield "a" + "".join(pick.choice(pick.choice(pools)) for _ in range(pick.randint(1, 8)))


def token(content, **flags):
    return {**dict(content=content, lstrip=False, rstrip=False, single_word=False, normalized=False, special=False), **flags}


def odd_models(folder):
    """Model directories with other settings and added tokens of all kinds: (name, path)."""
    added = [token("foo", single_word=True), token("zürich", normalized=True), token("<e>", lstrip=True), token("</e>", rstrip=True),
             token("ab", normalized=True, lstrip=True, rstrip=True), token("食べる", normalized=True), token("<e>x"),
             token("Éclair", single_word=True, normalized=True)]
    settings = {"plain": {}, "no-clean": dict(clean_text=False), "no-chinese": dict(handle_chinese_chars=False),
                "strip-cased": dict(lowercase=False, strip_accents=True), "lower-accents": dict(strip_accents=False)}
    source = json.loads((MODEL / "tokenizer.json").read_text())
    ids = dict(source["model"]["vocab"])
    for new in added:
        new["id"] = ids.setdefault(new["content"], len(ids))
    for name, changed in settings.items():
        model, new = folder / name, json.loads(json.dumps(source))
        model.mkdir()
        new["normalizer"].update(changed)
        new["added_tokens"] += added
        (model / "tokenizer.json").write_text(json.dumps(new))
        state = new["normalizer"]
        (model / "tokenizer_config.json").write_text(json.dumps(dict(
            do_lower_case=state["lowercase"], strip_accents=state["strip_accents"], tokenize_chinese_chars=state["handle_chinese_chars"],
            tokenizer_class="BertTokenizer")))
        yield name, model
    model = folder / "config-only"
    model.mkdir()
    shutil.copy(MODEL / "vocab.txt", model)
    (model / "tokenizer_config.json").write_text(json.dumps(dict(
        tokenizer_class="BertTokenizer", additional_special_tokens=["[E1]", "[unused7]"],
        added_tokens_decoder={"103": token("[MASK]", lstrip=True, special=True), "1037": token("a", normalized=True, single_word=True)})))
    yield "config-only", model
    model = folder / "map"
    model.mkdir()
    shutil.copy(MODEL / "vocab.txt", model)
    (model / "special_tokens_map.json").write_text(json.dumps(dict(mask_token=token("[MASK]", lstrip=True, special=True))))
    (model / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    yield "map", model


def added_texts(n):
    pick = random.Random(8)
    parts = ["foo", "foo", "FOO", "Zürich", "zurich", "ZU\u0308RICH", "<e>", "<e>x", "</e>", "ab", "AB", "食べる", "Éclair", "éclair", "eclair", "a", "b",
             "é", "_", "7", " ", " ", "\u00a0", "\u3000", "\t", ".", "中", "\u200d", "[MASK]", "[E1]", "[unused7]", "\u0301", "ⓐ", "½", "\x0b", "\x85", "\0"]
    return ["".join(pick.choice(parts) for _ in range(pick.randint(1, 9))) for _ in range(n)]


# ── Google's tokenizer, from its description ──

def google_words(text, lower):
    """Google's BasicTokenizer: clean, space Chinese, split, lower-case, strip accents, split at punctuation."""
    category = unicodedata.category
    chinese = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF),
               (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
    out = []
    for c in text:
        if c in "\t\n\r" or category(c) == "Zs":
            out.append(" ")
        elif c not in "\0\ufffd" and category(c) not in ("Cc", "Cf"):
            out.append(f" {c} " if any(a <= ord(c) <= b for a, b in chinese) else c)
    for word in "".join(out).split():
        if lower:
            word = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if category(c) != "Mn")
        spaced = "".join(f" {c} " if category(c)[0] == "P" or (32 < ord(c) < 127 and not c.isalnum()) else c for c in word)
        yield from spaced.split()


def google_ids(vocab, text, lower):
    ids = [vocab["[CLS]"]]
    for word in google_words(text, lower):
        pieces, at = [], 0
        while at < len(word) <= 200:
            end = next((e for e in range(len(word), at, -1) if ("##" if at else "") + word[at:e] in vocab), None)
            if end is None:
                break
            pieces.append(vocab[("##" if at else "") + word[at:end]])
            at = end
        ids += pieces if at == len(word) else [vocab["[UNK]"]]
    return " ".join(map(str, ids + [vocab["[SEP]"]]))


def google(model):
    vocab = {line.rstrip("\n"): i for i, line in enumerate(open(MODEL / "vocab.txt", encoding="utf-8"))}
    assigned = [c for c in code_points() if unicodedata.category(c) != "Cn"]
    texts = SPECIAL + ["a" * 200, "a" * 201, "é" * 200, "ΟΔΟΣ ΣΑΣ Σ. ΑΣ'Α ΑΣ' Α\0Σ\0Α ΑΣ中 aΣ\u0301 1Σ", "\ue000a"]
    texts += pack(assigned, 16) + pack(["a" + c + "b" for c in assigned if unicodedata.category(c) != "Co"], 16)
    for lower, word in ((True, "true"), (False, "false")):
        got = ours(model, texts, "--compat", "google", "--do-lower-case", word)
        rows = zip(texts, got, (google_ids(vocab, text, lower) for text in texts))
        report(f"google, lower-case {word}", [row for row in rows if row[1] != row[2]], len(texts))


def main():
    global skipped
    if not (MODEL / "vocab.txt").exists():
        print("the model is missing: `make fetch`")
        return 77
    texts = data_texts() + LONG + SPECIAL
    points = list(code_points())
    alone = [c for c in points if unicodedata.category(c) not in ("Cn", "Co")]
    packed = pack(points, 16) + pack(["a" + c + "b" for c in points], 16) + pack(["ab" + c for c in points], 16)
    mixed = list(mixtures(20000))
    if not (SHARED / "data").is_dir():
        print("texts of the data sets: skipped, there are none")
        skipped += 2
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        cased = cased_model(folder)
        for setting, model in (("uncased", MODEL), ("cased", cased)):
            compare(f"texts, {setting}", model, texts)
            compare(f"assigned code points alone, {setting}", model, alone)
            compare(f"every code point as a word, in it and after it, {setting}", model, packed)
            compare(f"mixtures, {setting}", model, mixed)
        compare("canonical order", character_model(folder), list(reorderings(30000)))
        for name, model in odd_models(folder):
            compare(f"added tokens, {name}", model, added_texts(5000) + SPECIAL)
        google(cased)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
