#!/usr/bin/env python3
"""The workbench as a terminal sees it: start to the first screen with 50 runs, key to screen, bytes when idle; and the first screen of a
table of 1,000,000 rows (about 110 MB, made for the measurement).

    tests/bench/bench_screen.py [ROUNDS]      (default 7)
"""
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/tui"))
from screen import Screen, fake_run  # noqa: E402

BERTTY = os.environ.get("BERTTY_FAST") or str(ROOT / "bertty")
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7
WORDS = "the of and to in is that it was for on are as with his they be at one have this from".split()


def runs(folder):
    for i in range(50):
        fake_run(folder / "runs", f"run-{i:02}", log="12:00:00 step 10\n", started=1.7e9 + i)
    return folder


def table(folder):
    rng = random.Random(7)
    texts = [" ".join(rng.choice(WORDS) for _ in range(24)) for _ in range(1000)]
    with open(folder / "big.csv", "w", buffering=1 << 20) as f:
        f.write("id,text,label\n")
        for i in range(1_000_000):
            f.write(f"{i},{texts[i % 1000][:92]},{('good', 'bad', 'neutral')[i % 3]}\n")
    return folder / "big.csv"


def first_screen(folder, args, pattern):
    began = time.monotonic()
    with Screen(args, rows=36, columns=120, directory=str(folder), program=BERTTY) as s:
        s.wait(pattern)
        return 1e3 * (time.monotonic() - began)


def keys(folder):
    times = []
    with Screen([], rows=36, columns=120, directory=str(folder), program=BERTTY) as s:
        s.wait(r"run-49")
        s.quiet(0.5)
        for i in range(40):
            began = time.monotonic()
            s.keys("j" if i % 20 < 10 else "k")
            s.child.read_nonblocking(1, 5)
            times.append(1e3 * (time.monotonic() - began))
            s.drain(0.05)
        s.quiet(1.0)
        idle = s.quiet(3.0)
    return times, len(idle)


def tell(what, values):
    print(f"{what}: median {statistics.median(values):.1f} ms, most {max(values):.1f} ms of {len(values)}", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = runs(Path(folder))
        tell("start to first screen, 50 runs", [first_screen(folder, [], r"run-49") for _ in range(ROUNDS)])
        times, idle = keys(folder)
        tell("key to screen", times)
        print(f"idle for 3 s: {idle} bytes")
        big = table(folder)
        tell(f"first screen of {big.stat().st_size / 1e6:.0f} MB, 1,000,000 rows",
             [first_screen(folder, ["--open", str(big)], r"\bthe\b") for _ in range(ROUNDS)])


if __name__ == "__main__":
    main()
