#!/usr/bin/env python3
"""Writes a small BERT with random weights whose vocabulary are the characters of a file: special tokens, every character by itself,
and ## pieces for those that words are made of. Needs the virtual environment of tests/peers_env.

    make_chinese_model.py FOLDER TEXT_FILE"""
import sys
from pathlib import Path

import torch
from transformers import BertConfig, BertForPreTraining, BertTokenizerFast
from transformers.models.bert.tokenization_bert import BasicTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def vocabulary(text):
    words = set(BasicTokenizer(do_lower_case=True).tokenize(text))
    whole = {w for w in words if len(w) == 1} | {w[0] for w in words}
    return SPECIAL + sorted(whole) + sorted({f"##{c}" for w in words for c in w[1:]})


def main():
    folder, source = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    entries = vocabulary(source.read_text(encoding="utf-8"))
    (folder / "vocab.txt").write_text("".join(f"{e}\n" for e in entries), encoding="utf-8")
    torch.manual_seed(11)
    size = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 512}
    BertForPreTraining(BertConfig(vocab_size=len(entries), **size)).save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    print(f"{len(entries)} entries")


if __name__ == "__main__":
    main()
