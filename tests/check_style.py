#!/usr/bin/env python3
"""The style's figures: lines a function and a file, clang-format, and no warning from clang (gcc warns while it builds)."""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from check_groups import report

ROOT = Path(__file__).resolve().parent.parent
FUNCTION = {"median": 16, "90th": 50, "max": 100}
FILE = {"median": 300, "max": 800}
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", "-D_GNU_SOURCE", "-Iinclude", "-Iengine",
            "-I.", "-fopenmp-simd", "-fsyntax-only"]


def percentile(values, p):
    """The smallest value that at least p % of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * p // 100) - 1)] if ordered else 0


def listed(*patterns):
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def functions(files):
    """(lines, "file:line name") of every function."""
    command = ["ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "-f", "-", "-L", "-"]
    done = subprocess.run(command, cwd=ROOT, input="\n".join(files), text=True, capture_output=True, check=True)
    for row in done.stdout.splitlines():
        name, path, *rest = row.split("\t")
        field = dict(cell.split(":", 1) for cell in rest if ":" in cell)
        if "end" in field:
            first, last = int(field["line"]), int(field["end"])
            yield last - first + 1, f"{path}:{first} {name}"


def beyond(what, sizes, limits):
    """sizes: (lines, where). Prints the figures; returns the complaints."""
    numbers = [n for n, _ in sizes]
    got = {"median": percentile(numbers, 50), "90th": percentile(numbers, 90), "max": max(numbers, default=0)}
    print(f"lines a {what}: " + ", ".join(f"{key} {got[key]} (≤ {limit})" for key, limit in limits.items()))
    faults = [f"{where}: {n} lines, at most {limits['max']}" for n, where in sizes if n > limits["max"]]
    faults += [f"{key} of all: {got[key]}, at most {limits[key]}" for key in limits if got[key] > limits[key] and key != "max"]
    return faults


def check_sizes(sources, every):
    faults = beyond("function", sorted(functions(sources), reverse=True), FUNCTION)
    lengths = [(len((ROOT / name).read_bytes().splitlines()), name) for name in every]
    return faults + beyond("file", sorted(lengths, reverse=True), FILE)


def check_format(every):
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *every], cwd=ROOT, text=True, capture_output=True)
    files = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    if done.returncode and not files:
        return [f"clang-format: {done.stderr.strip()[:300]}"]
    return [f"{name}: clang-format -i would change it" for name in files]


def check_clang(sources):
    def one(name):
        done = subprocess.run(["clang", *WARNINGS, name], cwd=ROOT, text=True, capture_output=True)
        return [line for line in done.stderr.splitlines() if ": error:" in line][:3] if done.returncode else []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return [fault for faults in pool.map(one, sources) for fault in faults]


def main():
    sources = listed("engine/*.c", "tui/*.c", "tests/*.c")
    every = sources + listed("engine/*.h", "tui/*.h", "include/*.h", "tests/*.h")
    return report({
        "sizes": check_sizes(sources, every),
        "format": check_format(every),
        "warnings of clang": check_clang(sources),
    })


if __name__ == "__main__":
    sys.exit(main())
