#!/usr/bin/env python3
"""tests/fault/faults: every case has tests, and the tests that it names are there and are run."""
import re
import sys
from pathlib import Path

from check_groups import report

ROOT = Path(__file__).resolve().parent
TABLE = ROOT / "fault/faults"
CASES = range(1, 40)
ROW = re.compile(r"^ *(\d+) +(.+?) *\| *(.+)$")
PLACE = re.compile(r"^(\w+/\w+): *(.+)$")
TEST = re.compile(r'\s*("[^"]+"|[^,]+)')  # a function, or in quotes the label of a check or a part of it


def rows():
    """(line number, case, [(program, [test])]) of each line; a line that is none is a fault."""
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = ROW.match(line)
        places = [PLACE.match(part.strip()) for part in found[3].split(";")] if found else [None]
        if not found or None in places:
            yield number, 0, f"{line.strip()!r}: expected NUMBER WORDS | suite/program: test, test; suite/program: test"
        else:
            yield number, int(found[1]), [(place[1], [test.strip() for test in TEST.findall(place[2])]) for place in places]


def tests_of_c(text):
    """The functions that are in the list of main()."""
    names = set(re.findall(r"^static void (\w+)\(void \*\*state\)", text, re.M))
    listed = re.findall(r"\b(?:cmocka_unit_test\w*|TEST)\((\w+)[,)]", text)
    return names.intersection(listed)


def tests_of_python(text):
    """Functions that are named elsewhere than where they begin (in the list of those to run), or that test_… makes tests."""
    names = re.findall(r"^def (\w+)\(", text, re.M)
    return {name for name in names if name.startswith("test_") or len(re.findall(rf"\b{name}\b", text)) > 1}


def tests_of(program):
    """(the names of its tests, its texts in quotes); None: there is no such program."""
    for ending, read in ((".c", tests_of_c), (".py", tests_of_python)):
        path = ROOT / (program + ending)
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            return read(text), re.findall(r'"([^"\n]+)"', text)
    return None


def runs(program, test):
    names, texts = program
    return any(test[1:-1] in text for text in texts) if test.startswith('"') else test in names


def check_rows(table, seen):
    """seen: the tests of each program, as they are read."""
    for number, case, places in table:
        if not case:
            yield f"faults:{number}: {places}"
            continue
        for program, tests in places:
            if program not in seen:
                seen[program] = tests_of(program)
            if seen[program] is None:
                yield f"faults:{number}: tests/{program}: no such program"
                continue
            for test in tests:
                if not runs(seen[program], test):
                    yield f"faults:{number}: tests/{program} runs no test {test}"


def check_cases(table):
    told = {case for _, case, _ in table}
    yield from (f"case {case}: no line" for case in CASES if case not in told)
    yield from (f"case {case}: there is no such case" for case in sorted(told - set(CASES) - {0}))


def main():
    table, seen = list(rows()), {}
    named = list(check_rows(table, seen))
    print(f"{len(table)} lines about {len(CASES)} cases, tests of {len(seen)} programs")
    return report({"tests of the faults": named, "cases": list(check_cases(table))})


if __name__ == "__main__":
    sys.exit(main())
