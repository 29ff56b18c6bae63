#!/usr/bin/env python3
"""The workbench as a terminal sees it: start to the first screen with 50 and 500 runs, key to screen, bytes when idle; with 500 runs also
moving, sorting, a filter on settings and figures typed letter by letter, and groups of seeds; and a table of 1,000,000 rows
(about 110 MB, made for the measurement): first rows, all rows indexed, last row, a regular expression searched to the end, memory.

    tests/bench/bench_screen.py [ROUNDS [GB]]      (default 7; GB: of a TSV of that size too, made in TMPDIR and removed; default 0)

Times are those of the wall; the processor's are told beside them, for a machine that others use.
"""
import contextlib
import os
import random
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/tui"))
import scalars  # noqa: E402
from screen import Screen, fake_run  # noqa: E402

BERTTY = os.environ.get("BERTTY_FAST") or str(ROOT / "bertty")
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7
GIGABYTES = float(sys.argv[2]) if len(sys.argv) > 2 else 0
WORDS = "the of and to in is that it was for on are as with his they be at one have this from".split()


def runs(folder):
    for i in range(50):
        fake_run(folder / "runs", f"run-{i:02}", log="12:00:00 step 10\n", started=1.7e9 + i)
    return folder


def many_runs(folder):
    """500 runs, groups of five seeds, with figures of 1,000 steps."""
    events = b"".join(scalars.event(tag, k, k, 1 - k / 2000) for k in range(1000) for tag in ("train/loss", "train/grad_norm"))
    events += b"".join(scalars.event(f"eval/m{i}", k, k, k / 1000) for k in range(0, 1000, 50) for i in range(10))
    for i in range(500):
        run = fake_run(folder / "runs", f"run-{i:03}", log="12:00:00 step 10\n", started=1.7e9 + i, best=i / 500)
        (run / "experiment.yaml").write_text(f"optim: {{learning_rate: {i // 5 + 1}e-6}}\ntrain: {{seed: {i % 5}}}\n")
        (run / "events.out.tfevents.1.x").write_bytes(events)
    return folder


def answer(s, key):
    """Milliseconds from a key to the last byte of what it changed; None if it changed nothing."""
    began = last = time.monotonic()
    s.send(key)
    with contextlib.suppress(pexpect.TIMEOUT):
        s.child.read_nonblocking(65536, 0.3)
        last = time.monotonic()
        while True:
            s.child.read_nonblocking(65536, 0.03)
            last = time.monotonic()
    return 1e3 * (last - began) if last > began else None


def keys_of_many(folder):
    typed = list("cfg.learning_rate>=2e-5 m3>0.5 loss<1") + ["\x7f"] * 20
    for what, before, keys in (("moving", (), ["j", "k"] * 20), ("sorting", (), ["s"] * 13), ("filtering", ("/",), typed),
                               ("groups: moving", ("f",), ["j", "k"] * 20), ("groups: sorting", ("f",), ["s"] * 13),
                               ("groups: folding", (), ["f"] * 10)):
        with Screen([], rows=36, columns=120, directory=str(folder), program=BERTTY) as s:
            s.wait(r"run-499")
            s.quiet(0.5)
            s.keys(*before)
            s.quiet(2.0)
            times = sorted(t for t in (answer(s, key) for key in keys) if t)
            print(f"500 runs, {what}: median {statistics.median(times):.1f} ms, p95 {times[int(0.95 * len(times)) - 1]:.1f} ms of {len(times)}",
                  flush=True)


def table(folder):
    rng = random.Random(7)
    texts = [" ".join(rng.choice(WORDS) for _ in range(24)) for _ in range(1000)]
    with open(folder / "big.csv", "w", buffering=1 << 20) as f:
        f.write("id,text,label\n")
        for i in range(1_000_000):
            rare = "zyzzyva " if i == 999_000 else ""
            f.write(f"{i},{rare}{texts[i % 1000][:92 - len(rare)]},{('good', 'bad', 'neutral')[i % 3]}\n")
    return folder / "big.csv"


def until(s, pattern, began):
    """Milliseconds from began until the pattern is on the screen."""
    while not re.search(pattern, s.text(), re.M):
        assert s.alive() and time.monotonic() < began + 120, f"{pattern} is not on the screen:\n{s.dump()}"
        s.drain(0.001)
    return 1e3 * (time.monotonic() - began)


def processor(s):
    """Seconds of the processor that the program took, and MiB that it had at most."""
    ticks = Path(f"/proc/{s.child.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    most = re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{s.child.pid}/status").read_text())
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), int(most[1]) / 1024


def big_table(folder, path, rows, search):
    """{what: milliseconds} of one start on a large table."""
    began = time.monotonic()
    with Screen(["--open", str(path)], rows=36, columns=120, directory=str(folder), program=BERTTY) as s:
        took = {"first rows": until(s, r"^│ +1 ", began)}
        took["all rows indexed"] = until(s, rf"{rows:,} rows (?!· reading)", began)
        took["all rows indexed, the processor's time"] = 1e3 * processor(s)[0]
        began = time.monotonic()
        s.send("G")
        took["last row"] = until(s, rf"row {rows} ", began)
        if search:
            s.send("g")
            until(s, r"row 1 ", began)
            before, began = processor(s)[0], time.monotonic()
            s.send("//zyz+yva/\r")
            took["regular expression to the end"] = until(s, r"row 999001 ", began)
            took["regular expression, the processor's time"] = 1e3 * (processor(s)[0] - before)
        took["MiB"] = processor(s)[1]
        return took


def tell_table(what, rounds):
    print(what)
    for name in rounds[0]:
        values = [took[name] for took in rounds]
        print(f"  {name}: median {statistics.median(values):.1f}{'' if name == 'MiB' else ' ms'}, most {max(values):.1f}", flush=True)


def tsv(folder, csv, gigabytes):
    """The table again and again, with tabs; its rows."""
    head, _, body = csv.read_bytes().replace(b",", b"\t").partition(b"\n")
    times = max(1, round(gigabytes * 1e9 / len(body)))
    with open(folder / "large.tsv", "wb") as f:
        f.write(head + b"\n")
        for _ in range(times):
            f.write(body)
    return folder / "large.tsv", times * 1_000_000


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
        tell_table(f"{big.stat().st_size / 1e6:.0f} MB of CSV, 1,000,000 rows",
                   [big_table(folder, big, 1_000_000, True) for _ in range(ROUNDS)])
        if GIGABYTES:
            path, rows = tsv(folder, big, GIGABYTES)
            tell_table(f"{path.stat().st_size / 1e9:.1f} GB of TSV, {rows:,} rows", [big_table(folder, path, rows, False) for _ in range(2)])
    with tempfile.TemporaryDirectory() as folder:
        folder = many_runs(Path(folder))
        tell("start to first screen, 500 runs", [first_screen(folder, [], r"run-499") for _ in range(ROUNDS)])
        keys_of_many(folder)


if __name__ == "__main__":
    main()
