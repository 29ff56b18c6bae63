#!/usr/bin/env python3
"""The loss of each of the first 100 training steps of MiniLM on SST-2 against a PyTorch loop: dropout 0, batch 32, lr 5e-5, warm-up and
linear decay, clipping at 1, the same first head and the same order, grouped by length."""
import golden_tools as g
from peer_losses import Plan, compare


def test_sst2(folder):
    rows = g.rows(g.shared("sst2/train.tsv"))
    model = g.with_head(g.MODEL, folder / "model", ["0", "1"])
    compare(Plan(model, [r[0] for r in rows], [int(r[1]) for r in rows], steps=100, group=True), folder, g.BERTTY_FAST)


if __name__ == "__main__":
    g.main(globals(), threads=len(g.os.sched_getaffinity(0)))
