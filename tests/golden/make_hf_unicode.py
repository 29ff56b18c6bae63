#!/usr/bin/env python3
"""Write engine/tokenizer/hf_unicode.def: where the Unicode tables of Hugging Face's tokenizers differ from utf8proc's.

    make_hf_unicode.py UTF8PROC_DUMP > engine/tokenizer/hf_unicode.def

UTF8PROC_DUMP is what `unicode_dump` (tests/golden/unicode_dump.c) prints: code point, category, lower-case mapping,
combining class and canonical decomposition. The other side is asked of the installed `tokenizers` package, code point by code point.
"""
import sys
import tokenizers
from tokenizers import normalizers, pre_tokenizers

off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
clean = normalizers.BertNormalizer(**{**off, "clean_text": True})
accents = normalizers.BertNormalizer(**{**off, "strip_accents": True})
lower = normalizers.BertNormalizer(**{**off, "lowercase": True})
nfd = normalizers.NFD()
split = pre_tokenizers.BertPreTokenizer()


def ranges(points):
    out = []
    for p in points:
        if out and p == out[-1][1] + 1:
            out[-1][1] = p
        else:
            out.append([p, p])
    return out


found = {k: [] for k in ("KEEP", "REMOVE", "MARK", "NO_MARK", "PUNCTUATION", "NO_PUNCTUATION", "STARTER")}
lowered, decomposed = [], []
for line in open(sys.argv[1]):
    cp, category, low, combining, *parts = line.split()
    cp, low, parts = int(cp), int(low), [int(x) for x in parts]
    ch = chr(cp)
    removed = clean.normalize_str(ch) == ""
    if removed != (category in ("Cc", "Cf", "Co") and cp not in (9, 10, 13) or cp == 0xFFFD):
        found["REMOVE" if removed else "KEEP"].append(cp)
    mark = accents.normalize_str(ch) == "" if nfd.normalize_str(ch) == ch else None
    if mark is not None and mark != (category == "Mn"):
        found["MARK" if mark else "NO_MARK"].append(cp)
    pieces = split.pre_tokenize_str("a" + ch + "b")
    punctuation = len(pieces) == 3
    ascii_punctuation = 32 < cp < 127 and not ch.isalnum()
    if punctuation != (category[0] == "P" or ascii_punctuation):
        found["PUNCTUATION" if punctuation else "NO_PUNCTUATION"].append(cp)
    # known to combine: it changes places with a mark of a higher class before it, or of a lower one behind it
    if int(combining) and all(nfd.normalize_str(pair) == pair for pair in ("a\u0345" + ch, "a" + ch + "\u0334")):
        found["STARTER"].append(cp)
    to = [ord(c) for c in lower.normalize_str(ch)]
    if to != [low]:
        lowered.append((cp, to))
    to = [ord(c) for c in nfd.normalize_str(ch)]
    if to != parts:
        decomposed.append((cp, to))

print(f"/* Where the Unicode tables of Hugging Face's tokenizers {tokenizers.__version__} differ from utf8proc's: made by")
print(" * tests/golden/make_hf_unicode.py. RANGE(property, first, last); LOWER(code point, first, second or 0); NFD likewise. */")
for name, points in found.items():
    for a, b in ranges(points):
        print(f"RANGE({name}, 0x{a:04x}, 0x{b:04x})")
for kind, rows in (("LOWER", lowered), ("NFD", decomposed)):
    for cp, to in rows:
        if len(to) > 2:
            sys.exit(f"U+{cp:04X}: {to}: more than two code points")
        print(f"{kind}(0x{cp:04x}, 0x{to[0]:04x}, 0x{to[1] if len(to) > 1 else 0:04x})")
