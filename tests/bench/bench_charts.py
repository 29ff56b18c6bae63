#!/usr/bin/env python3
"""The Charts view with much to show, as a terminal of 120×36 sees it: from the start of the program to the first curves and to the last byte of
the complete picture, a key's last byte while zooming in 1,000,000 points, and how fast event files are decoded.

    tests/bench/bench_charts.py [ROUNDS]      (default 7)
"""
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/tui"), str(ROOT / "tests")]
os.environ.setdefault("BERTTY", str(ROOT / "bertty"))
from events_files import build  # noqa: E402
from screen import Screen, fake_run  # noqa: E402

BERTTY = os.environ.get("BERTTY_FAST") or str(ROOT / "bertty")
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7
BRAILLE = re.compile(rb"\xe2[\xa0-\xa3][\x80-\xbf]")
SILENCE = 1.5  # seconds without a byte: the picture is complete


def runs(tool, folder, n, steps, metrics):
    """Runs of the same curves."""
    first = None
    for i in range(n):
        run = fake_run(folder / "runs", f"run-{i:03}", started=1.7e9 + i, step=steps, total=steps)
        if first:
            os.link(first, run / first.name)
        else:
            subprocess.run([tool, "make", run, str(steps), str(metrics)], check=True)
            first = next(run.glob("events*"))
    return folder


def pieces(s, silence):
    """(when, bytes) of what comes, until nothing has for so long."""
    last, found = time.monotonic(), []
    while time.monotonic() - last < silence:
        try:
            found.append((time.monotonic(), s.child.read_nonblocking(65536, 0.05)))
            last = time.monotonic()
            found[-1] = (last, found[-1][1])
        except pexpect.TIMEOUT:
            pass
    return found


def curves(found):
    """When the first curves were there: some dozens of braille dots."""
    raw = b""
    for at, part in found:
        raw += part
        if len(BRAILLE.findall(raw)) > 40:
            return at
    return None


def load(folder):
    """ms from the start of the program to the first curves and to the complete picture."""
    began = time.monotonic()
    with Screen(["--open", "charts"], rows=36, columns=120, directory=str(folder), program=BERTTY) as s:
        found = pieces(s, SILENCE)
        s.stream.feed(b"".join(part for _, part in found))
        assert "reading" not in s.text() and "● " in s.text(), s.dump()
    return 1e3 * (curves(found) - began), 1e3 * (found[-1][0] - began)


def load_marked(folder, n):
    """The same from the key that opens Charts, with n runs marked."""
    with Screen([], rows=36, columns=120, directory=str(folder), program=BERTTY) as s:
        s.wait("run-")
        for _ in range(n):
            s.keys("Space")
            pieces(s, 0.02)
        pieces(s, 0.5)
        began = time.monotonic()
        s.keys("4")
        found = pieces(s, 3 * SILENCE)
    return 1e3 * (curves(found) - began), 1e3 * (found[-1][0] - began)


def zoom(folder):
    """ms from a key to its last byte."""
    times = []
    with Screen(["--open", "charts"], rows=36, columns=120, directory=str(folder), program=BERTTY) as s:
        pieces(s, SILENCE)
        s.keys("Enter")
        pieces(s, 0.5)
        for key in "++++++++++))))((((----------" * 4:
            began = time.monotonic()
            s.send(key)
            found = pieces(s, 0.08)
            if found:
                times.append(1e3 * (found[-1][0] - began))
    return times


def tell(what, values):
    values = sorted(values)
    print(f"{what}: median {statistics.median(values):.1f} ms, 95 in 100 {values[min(len(values) - 1, int(0.95 * len(values)))]:.1f} ms, "
          f"most {values[-1]:.1f} ms of {len(values)}", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        tool = build(folder, ["-O2"])
        one = runs(tool, folder / "one", 1, 50000, 20)
        events = next(one.glob("runs/*/events*"))
        rate = []
        for _ in range(ROUNDS):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([tool, "speed", events.parent], stdout=subprocess.DEVNULL, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            rate.append(events.stat().st_size / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 1e9)
        print(f"decoding {events.stat().st_size / 1e6:.0f} MB of events, by CPU time: median {statistics.median(rate):.2f} GB/s, best {max(rate):.2f}", flush=True)
        both = [load(one) for _ in range(ROUNDS)]
        tell("20 metrics × 50,000 steps: first curves", [a for a, _ in both])
        tell("20 metrics × 50,000 steps: complete", [b for _, b in both])
        hundred = runs(tool, folder / "hundred", 100, 10000, 10)
        both = [load_marked(hundred, 100) for _ in range(max(ROUNDS // 3, 1))]
        tell("100 runs × 10 metrics × 10,000 steps: first curves", [a for a, _ in both])
        tell("100 runs × 10 metrics × 10,000 steps: complete", [b for _, b in both])
        tell("key to last byte, zooming in 1,000,000 points of one panel", zoom(runs(tool, folder / "points", 1, 1000000, 1)))


if __name__ == "__main__":
    main()
