"""Files for task_figures.py: as they are, split 80/20, converted or made. Everything written lies below the work directory."""
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def write(path, text):
    """The whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="")
    os.replace(partial, path)
    return path


def read(path):
    return path.read_bytes().decode("utf-8")


def shared(*names):
    return lambda shared, work: [shared / "data" / name for name in names]


def divide(records):
    return [r for i, r in enumerate(records) if i % 5 != 4], [r for i, r in enumerate(records) if i % 5 == 4]


def split(name, lines=1, header=False):
    """Every fifth record for validation; a record is so many lines. The header stands in both files."""
    def files(shared, work):
        rows = read(shared / "data" / name).split("\n")
        if rows[-1] == "":
            rows.pop()
        head = [rows.pop(0)] if header else []
        records = [rows[i:i + lines] for i in range(0, len(rows), lines)]
        folder, suffix = work / "data" / name.split("/")[0], Path(name).suffix
        stem = Path(name).name.split(".")[0]
        return [write(folder / f"{stem}.{part}{suffix}", "\n".join(head + [row for r in some for row in r]) + "\n")
                for part, some in zip(("train", "validation"), divide(records))]
    return files


def trec(shared, work):
    """COARSE:fine question → COARSE<TAB>question, split."""
    rows = read(shared / "data/trec/train_5500.label").rstrip("\n").split("\n")
    cells = [(label.split(":")[0], text) for label, text in (row.split(" ", 1) for row in rows)]
    return [write(work / f"data/trec/{part}.tsv", "".join(f"{label}\t{text}\n" for label, text in some))
            for part, some in zip(("train", "validation"), divide(cells))]


def wnut_for_peer(shared, work):
    """hf_finetune.py loses its place after a word that has no word piece; those four are variation selectors."""
    train, held = shared / "data/wnut17/wnut17train.conll", shared / "data/wnut17/emerging.dev.conll"
    return [train, write(work / "data/wnut17/dev.conll", read(held).replace("\ufe0f\t", "[UNK]\t"))]


def made(script, *names):
    def files(shared, work):
        folder = work / "data" / Path(script).stem
        if not all((folder / name).exists() for name in names):
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, HERE / script, folder, "--shared", shared], check=True, stdout=sys.stderr)
        return [folder / name for name in names]
    return files


def chinese_model(shared, work, python):
    folder = work / "data/chinese-model"
    if not (folder / "model.safetensors").exists():
        subprocess.run([python, HERE / "make_chinese_model.py", folder, shared / "data/chnsenticorp/dev.tsv"], check=True,
                       stdout=sys.stderr)
    return folder
