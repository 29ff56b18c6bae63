#!/usr/bin/env python3
"""The workbench as a terminal of 120×36 sees it, row by row beside what is asked of it, and beside VisiData, less, lnav and W&B's LEET where a
ratio is: measured in turn, in one session.

    tests/bench/bench_screen.py [--work DIR] [--rows start,keys…] [--rounds 5] [--seconds 30] [--gigabytes 10] [--no-peers]
    tests/bench/bench_screen.py --list

What is measured on is made below DIR and kept there (default: a temporary directory); with --gigabytes also a TSV of that size, removed at
the end. Times are those of the wall unless a row says CPU; what other programs do on the machine shows in them: the load is told at the end."""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_watched
import screen_data as data
import screen_peers as peers
from meter import BERTTY, Program, percentile

MOVING = "jjjjkkkkGgjjllhh"
# View: what it is opened with, keys before that, and keys of it that change what is seen. What they open is left again; nothing is started,
# deleted or written.
KEYS = {
    "runs": ("runs", "", MOVING + "sssssiSffjjjkkff== Mu\t\tzzT\x1b?\x1b/state:failed\r/\x15\r"),
    "data": (data.TABLE, "", MOVING + "WWjjGgww\rjjj\x1b/this\rnnN&zyzzyva\r&\x15\r?\x1b"),
    "experiment": ("experiments/x.yaml", "", MOVING + "++--uuffcc?\x1b"),
    "charts": ("charts", "", "+++++))))((((-----llLLssSSxxxxxc....,,,c]]}}[[{{\r++--\x1bXXooz?\x1b"),
    "predictions": ("predictions", "", MOVING + "eejjssS\t\tjj?\x1b"),
    "compare": ("runs", " j 6", "jjjjkkkkGgrrjj\r\x1b?\x1b"),
    "probe": ("probe", "", "i the film was good\x1b?\x1b"),
    "log": ("log", "", MOVING + "ffww/step\rnnN?\x1b"),
    "study": ("study", "", MOVING + "ssssSSvjvjvj\tjj?\x1b"),
}


class Curves:
    """A pattern that some dozens of braille dots match, in a moment: what looks for it answers the program's questions too."""

    def search(self, text):
        return sum("⠁" <= c <= "⣿" for c in text) >= 40


class Figure:
    """A row of the table. values: what was measured; limits: {percentile: at most}; peer: (name, values) and how often its median must be ours."""

    def __init__(self, what, unit, values, limits=None, peer=None, ratio=None, at_least=False):
        self.what, self.unit, self.values, self.limits = what, unit, values, limits or {}
        self.peer, self.ratio, self.at_least = peer, ratio, at_least

    def met(self):
        good = [(percentile(self.values, p) >= limit) == self.at_least or percentile(self.values, p) == limit for p, limit in self.limits.items()]
        if self.ratio and self.peer:
            good.append(statistics.median(self.peer[1]) / statistics.median(self.values) >= self.ratio)
        return "–" if not good else "yes" if all(good) else "**no**"

    def target(self):
        sign = "≥" if self.at_least else "≤"
        parts = [f"{'' if p == 50 else f'p{p} '}{sign} {limit:g}" for p, limit in self.limits.items()]
        return ", ".join(parts + ([f"≥ {self.ratio}× of the peer's"] if self.ratio else [])) or "–"

    def line(self):
        ours = statistics.median(self.values)
        peer = ratio = "–"
        if self.peer and self.peer[1]:
            theirs = statistics.median(self.peer[1])
            peer, ratio = f"{self.peer[0]} {shown(theirs)}", f"{theirs / ours:.1f}" if ours else "∞"
        cells = [self.what, self.unit, shown(ours), shown(percentile(self.values, 95)), str(len(self.values)), self.target(), self.met(), peer, ratio]
        return f"| {' | '.join(cells)} |"


def shown(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


HEAD = "| what | unit | median | p95 | n | target | met | peer | peer / ours |\n|---|---|---|---|---|---|---|---|---|"


class Bench:
    def __init__(self, arguments, work):
        self.work, self.rounds, self.seconds, self.gigabytes = work, arguments.rounds, arguments.seconds, arguments.gigabytes
        self.peers = not arguments.no_peers
        self.home = work / "home"
        self.many = data.many_runs(work / "many", 500)
        data.table(self.many)

    def forget(self):
        """What was marked, chosen and filtered in earlier rows."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)

    def bertty(self, folder, *arguments, seconds=120):
        return Program([BERTTY, *arguments], folder, self.home, seconds)

    def repeated(self, one):
        return [one() for _ in range(self.rounds)]


# ── rows ──

def row_start(b):
    """start to the first screen: no run, 50 runs, 500 runs"""
    empty = b.work / "empty"
    empty.mkdir(exist_ok=True)
    for n, folder, pattern, limit in ((0, empty, r"There is no run|no runs", 30), (50, data.many_runs(b.work / "fifty", 50), "run-049", 60),
                                      (500, b.many, "run-499", 200)):
        def one(folder=folder, pattern=pattern):
            with b.bertty(folder) as p:
                return p.ms_until(pattern), 1e3 * p.processor_s()
        both = b.repeated(one)
        yield Figure(f"start to the first screen, {n} runs", "ms", [ms for ms, _ in both], {50: limit})
        yield Figure(f"start to the first screen, {n} runs: CPU", "ms", [cpu for _, cpu in both])


def row_memory(b):
    """resident memory with 500 runs: after the start, and at most after all views were looked at"""
    start, most = [], []
    for _ in range(min(b.rounds, 3)):
        b.forget()
        with b.bertty(b.many) as p:
            p.ms_until("run-499")
            p.settle()
            start.append(p.memory("VmRSS"))
            p.type("M")
            for digit in "134567812":
                p.type(digit)
                p.settle()
            most.append(p.memory())
    yield Figure("resident memory, 500 runs", "MiB", start, {50: 60})
    yield Figure("resident memory, 500 runs marked, after every view", "MiB", most, {50: 60})


def pressed(p, keys):
    """[(ms, bytes, ms of CPU, key)] of keys; after each the screen is waited for until nothing comes."""
    answers = []
    for key in keys:
        spent = p.processor_s()
        if got := p.key(key):
            answers.append((*got, 1e3 * (p.processor_s() - spent), key))
        while p.read(0.12):
            pass
        p.watch(None, 0, 0.5)
    return answers


def row_keys(b):
    """any key on any view, with 500 runs and the table of 1,000,000 rows: key to last byte, and bytes"""
    every = []
    made = data.study(b.many, 500)
    for view, (opened, before, keys) in KEYS.items():
        b.forget()  # the newest run is the chosen one: it has predictions
        with b.bertty(b.many, "--open", opened, seconds=600) as p:
            p.ms_until(r"1,000,000 rows (?!· reading)" if view == "data" else r"(\?|F1) help")
            p.settle(1.0)
            p.type(before)
            p.settle(1.0)
            answers = pressed(p, keys)
        if len(answers) < len(keys) / 2:
            raise SystemExit(f"{view}: {len(answers)} answers to {len(keys)} keys: it shows nothing")
        every += answers
        print(f"{view}, most CPU: " + ", ".join(f"{key!r} {cpu:.1f} ms" for _, _, cpu, key in sorted(answers, key=lambda a: -a[2])[:4]))
        yield Figure(f"key to last byte, {view}", "ms", [ms for ms, *_ in answers], {50: 3, 95: 10})
    shutil.rmtree(made)
    yield Figure("key to last byte, every view", "ms", [ms for ms, *_ in every], {50: 3, 95: 10})
    yield Figure("CPU of a key, every view", "ms", [cpu for _, _, cpu, _ in every])
    yield Figure("bytes of a key press, every view", "bytes", [size for _, size, *_ in every], {50: 1024})


def row_table(b):
    """110 MB of CSV, 1,000,000 rows, beside VisiData, less and lnav"""
    path = data.table(b.many)
    ours = peers.Table("bertty", [BERTTY, "--open"], r"^│ +1 ", r"1,000,000 rows (?!· reading)", r"row 1 ", r"row 1000000 ", r"row 999001 ",
                       f"//{peers.WORD}/\r")
    sides = [ours, *(peers.table_peers() if b.peers else [])]
    found = {side.name: [] for side in sides}
    for _ in range(b.rounds):
        for side in sides:
            found[side.name].append(side.measure(path, b.home))
    limits = {"first rows": 30, "all rows known": 100, "last row": 10, "regular expression to the end": 250, "MiB": 60}
    for what in found["bertty"][0]:
        values = [took[what] for took in found["bertty"]]
        unit = "MiB" if what == "MiB" else "ms"
        limit = {50: limits[what]} if what in limits else {}
        beside = [(name, [took[what] for took in found[name] if took.get(what)]) for name in found if name != "bertty"]
        beside = [(name, theirs) for name, theirs in beside if theirs and not (what.startswith("all") and name in ("less", "lnav"))] or [None]
        for peer in beside:
            yield Figure(f"CSV of 110 MB: {'memory' if what == 'MiB' else what}", unit, values, limit, peer)


def row_large(b):
    """a TSV of --gigabytes: first screen, index, memory"""
    if not b.gigabytes:
        print("large: --gigabytes 10 asks for it", flush=True)
        return
    path, rows = data.large_table(b.work, b.gigabytes)
    first, rate, memory = [], [], []
    try:
        for _ in range(2):
            subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)
            with b.bertty(b.work, "--open", path, seconds=600) as p:
                first.append(p.ms_until(r"^│ +1 "))
                rate.append(path.stat().st_size / 1e6 / p.ms_until(rf"{rows:,} rows (?!· reading)"))
                memory.append(p.memory())
    finally:
        path.unlink()
    what = f"TSV of {b.gigabytes:g} GB"
    yield Figure(f"{what}: first screen", "ms", first, {50: 100})
    yield Figure(f"{what}: index", "GB/s", rate, {50: 1.5}, at_least=True)
    yield Figure(f"{what}: memory", "MiB", memory, {50: 200})


def row_idle(b):
    """bytes and CPU while nobody types, 500 runs"""
    for view in ("runs", "charts"):
        with b.bertty(b.many, "--open", view) as p:
            p.ms_until(r"\? help")
            p.settle(2.0)
            p.observe(3)
            sent, share = p.observe(b.seconds)
        yield Figure(f"idle for {b.seconds} s, {view}", "bytes/s", [sent], {50: 0})
        yield Figure(f"idle for {b.seconds} s, {view}: CPU", "% of a core", [share], {50: 0.1})


def leet_watching(b):
    """(bytes a second, % of a core, MiB) of LEET on a live run."""
    folder = b.work / "leet-live"
    process = peers.live_leet_run(folder, 10, 20)
    try:
        while not list(folder.glob("wandb/latest-run/*.wandb")):
            time.sleep(0.2)
        time.sleep(5)
        with Program(peers.leet_command(folder), folder, b.home) as p:
            p.ms_until("m01")
            p.observe(3)
            return (*p.observe(b.seconds), p.memory())
    finally:
        process.kill()
        process.wait()


def row_watching(b):
    """bytes and CPU while a run is watched that logs ten steps a second of 20 metrics: young, beside LEET, and after five minutes"""
    theirs = leet_watching(b) if b.peers and peers.leet() else None
    for age, before, views in (("young", 0, ["charts"]), ("five minutes old", 3000, ["charts", "runs", "log"])):
        for view in views:
            with data.Live(b.many, 10, 20, b.seconds + 60, before), b.bertty(b.many, "--open", view) as p:
                p.ms_until(r"\? help")
                p.observe(8)
                sent, share = p.observe(b.seconds)
            beside = [("LEET", [value]) if theirs and not before else None for value in theirs or (0, 0)]
            what = f"watching ten steps a second of a {age} run, {view}"
            yield Figure(what, "bytes/s", [sent], {50: 1024} if before else None, beside[0])
            yield Figure(f"{what}: CPU", "% of a core", [share], {50: 1}, beside[1])


def row_watched(b):
    """what watching costs the run: the engine's CPU time a step"""
    n = max(12, 30 * b.rounds)
    slower, low, high, _ = bench_watched.slow_down(n)
    yield Figure(f"the watched run is slower by (median of {n} pairs; 95 %: {low:+.2f} to {high:+.2f})", "%", [slower], {50: 1})


def row_charts(b):
    """20 metrics × 50,000 steps, beside LEET; 100 runs; decoding; zooming"""
    tool = data.events_tool(b.work)
    one = data.curves(tool, b.work / "curves", 1, 50000, 20)
    mine, theirs = {"start": [], "complete": [], "key": [], "MiB": []}, {"start": [], "complete": [], "key": [], "MiB": []}
    beside = b.peers and peers.leet()
    if beside:
        peers.make_leet_run(b.work / "leet", 50000, 20)
    for _ in range(b.rounds):
        curves_of(b.bertty(one, "--open", "charts"), r"\d+ of \d+", "jkjkjkjk", mine)
        if beside:
            curves_of(Program(peers.leet_command(b.work / "leet"), b.work / "leet", b.home), r"\d+ of \d+", "nNnNnNnN", theirs)
    for what, unit, title, limits, ratio in (("start", "ms", "first curves", {}, None), ("complete", "ms", "complete", {50: 100}, 50),
                                             ("key", "ms", "key, another page", {50: 3, 95: 10}, None), ("MiB", "MiB", "memory", {}, None)):
        yield Figure(f"20 metrics × 50,000 steps: {title}", unit, mine[what], limits, ("LEET", theirs[what]) if beside else None, ratio)
    yield Figure("event files decoded, of CPU time", "GB/s", [decoded(tool, one) for _ in range(b.rounds)], {50: 1}, at_least=True)
    hundred = data.curves(tool, b.work / "hundred", 100, 10000, 10)
    both = [hundred_runs(b, hundred) for _ in range(max(1, b.rounds // 2))]
    yield Figure("100 runs × 10 metrics × 10,000 steps: first curves", "ms", [a for a, _ in both], {50: 1000})
    yield Figure("100 runs × 10 metrics × 10,000 steps: complete", "ms", [c for _, c in both], {50: 3000})
    with b.bertty(data.curves(tool, b.work / "points", 1, 1000000, 1), "--open", "charts", seconds=600) as p:
        p.settle(1.5)
        p.type("\r")
        p.settle()
        answers = pressed(p, "++++++++++))))((((----------" * 4)
    yield Figure("a frame of 1,000,000 points, zooming", "ms", [ms for ms, *_ in answers], {95: 8})


def decoded(tool, folder):
    """GB of events a second of CPU time: the median of five readings of one process."""
    events = next(folder.glob("runs/*/events*"))
    told = subprocess.run([tool, "speed", events.parent], capture_output=True, text=True, check=True).stdout
    return events.stat().st_size / 1e6 / statistics.median(float(line.split()[-2]) for line in told.splitlines())


def first_curves(p):
    """ms from the start until some dozens of braille dots are on the screen."""
    return 1e3 * (p.watch(Curves()) - p.start)


def curves_of(program, pattern, keys, took):
    with program as p:
        took["start"].append(first_curves(p))
        took["complete"].append(p.ms_until_still())
        took["key"] += [ms for ms, *_ in pressed(p, keys)]
        took["MiB"].append(p.memory())


def hundred_runs(b, folder):
    """(first curves, complete) in ms from the key that opens Charts with 100 runs marked."""
    b.forget()
    with b.bertty(folder) as p:
        p.ms_until("run-099")
        p.settle()
        p.type("M")
        p.settle()
        p.press("4", 0, 0)
        since = p.pressed
        first = p.watch(Curves())
        return 1e3 * (first - since), 1e3 * (p.watch(None, 1.5) - since)


def row_probe(b):
    """a key in Probe until the probabilities of two models are new: MiniLM, 20 words"""
    text = "the film is a remarkably honest story of a small town and the cast was brilliant but the ending came lat"
    with b.bertty(data.two_models(b.work / "models")) as p:
        p.ms_until("two")
        p.settle()
        p.type("M7")
        p.settle()
        p.type(text)
        p.settle(1.0)
        took = [1e3 * p.press(key, 0.25, 1)[0] for key in "e\x7fr\x7f" * 20]  # the letter comes first, the probabilities behind it
    yield Figure("Probe, two models, 20 words: key to new probabilities", "ms", took, {95: 30})


def row_predictions(b):
    """Predictions with 100,000 rows: sorted, filtered, a cell of the matrix"""
    keys = {"sort": ["s", "s", "s", "S", "S", "S"] * 4, "filter": ["/", *"this that", "\r", "/", *"\x15\r"] * 3,
            "matrix cell": ["\t", *["\x1b[C", "\r", "\x1b", "\x1b[D", "\r", "\x1b"] * 6]}
    for what, strokes in keys.items():
        b.forget()
        with b.bertty(data.answered(b.work / "answered", 100000), "--open", "predictions") as p:
            p.ms_until("100,000 rows")
            p.settle(1.5)
            answers = pressed(p, strokes)
        yield Figure(f"Predictions, 100,000 rows: {what}", "ms", [ms for ms, *_ in answers], {50: 50, 95: 50})


ROWS = {name[4:]: row for name, row in list(globals().items()) if name.startswith("row_")}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30, help="how long is watched what goes on")
    parser.add_argument("--gigabytes", type=float, default=0)
    parser.add_argument("--no-peers", action="store_true", help="nothing is measured beside others, and nothing is installed for that")
    parser.add_argument("--list", action="store_true", help="the rows")
    a = parser.parse_args()
    a.rows = a.rows.split(",")
    if unknown := [name for name in a.rows if name not in ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return a


def measure(arguments, work):
    bench, lines = Bench(arguments, work), []
    if bench.peers and {"table", "charts", "watching"} & set(arguments.rows):
        peers.set_up()
    for name in arguments.rows:
        bench.forget()
        for figure in ROWS[name](bench):
            lines.append(figure.line())
            print(lines[-1], flush=True)
    print(f"\n{HEAD}\n" + "\n".join(lines) + f"\n\nload of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)


def main():
    arguments = parse()
    if arguments.list:
        print("\n".join(f"{name:<10} {row.__doc__}" for name, row in ROWS.items()))
    elif arguments.work:
        measure(arguments, arguments.work.resolve())
    else:
        with tempfile.TemporaryDirectory() as work:
            measure(arguments, Path(work))
    return 0


if __name__ == "__main__":
    sys.exit(main())
