#!/usr/bin/env python3
"""README, `make help`, `bertty help` and the program agree.

    tests/check_docs.py BERTTY
"""
import json
import re
import subprocess
import sys
from pathlib import Path

from check_groups import report

ROOT = Path(__file__).resolve().parent.parent
BERTTY = str(Path(sys.argv[1]).resolve())
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run(*command):
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def commands():
    """{name: one-line help} of `bertty help`."""
    _, out, _ = run(BERTTY, "help")
    listed = out.split("Commands:", 1)[1].split("Exit codes", 1)[0]
    return dict(re.findall(r"^  (\S+)\s+(.+)$", listed, re.M))


def options_of(name):
    code, out, _ = run(BERTTY, name, "--help")
    return code, set(re.findall(r"--([a-z][a-z0-9-]*)", out))


def check_commands(found):
    for name in found:
        if f"bertty {name}" not in README:
            yield f"README.md: no word of `bertty {name}`"
        code, out, err = run(BERTTY, name, "--help")
        if code or not out.startswith("bertty ") and "usage" not in out.lower():
            yield f"bertty {name} --help: exit {code}: {(out or err)[:80]!r}"
        code, _, err = run(BERTTY, name, "--no-such-option")
        if code != 2 or len(err.strip().splitlines()) != 1:
            yield f"bertty {name} --no-such-option: exit {code}, {err.strip()[:120]!r}, expected 2 and one line"


def check_mentions(found):
    """Each `bertty …` of the README is a command that there is, with options that it has."""
    for line in re.findall(r"\bbertty ([a-z]+\b[^`\n#]*)", README):
        words = line.split()
        if words[0] not in found:
            if f"bertty {words[0]}" in "".join(re.findall(r"```.*?```|`[^`\n]*`", README, re.S)):
                yield f"README.md: `bertty {words[0]}`: no such command"
            continue
        _, known = options_of(words[0])
        for option in re.findall(r"(?<!\S)--([a-z][a-z0-9-]*)", line):
            if option not in known:
                yield f"README.md: `bertty {line.strip()}`: no option --{option}"


def check_make():
    _, out, _ = run("make", "help")
    targets = set(re.findall(r"^make (\S+)", out, re.M))
    for name in set(re.findall(r"`make ([a-z-]+)", README)):
        if name not in targets:
            yield f"README.md: `make {name}`: not in `make help`"
    for name in targets:
        if f"make {name}" not in README:
            yield f"README.md: no word of `make {name}`"
    for name in ("deps", "clean", "demo", "test", "test-peers", "bench", "asan", "tsan", "install", "help"):
        if name not in targets:
            yield f"make help: no {name}"


def check_options():
    """The experiment files name options that exist, and every option is in `bertty options`."""
    code, out, err = run(BERTTY, "options", "--json")
    if code:
        yield f"bertty options --json: exit {code}: {err.strip()}"
        return
    known = set()
    for line in out.splitlines():
        row = json.loads(line)
        known |= {row["key"]} if "key" in row else {option["key"] for option in row.get("options", [])}
    table = (ROOT / "include/bertty/options.def").read_text()
    for group, name in re.findall(r"^(?:TEXT|LIST|INT|REAL|INT_OR_NULL|REAL_OR_NULL|BOOL|CHOICE)\((\w+), (\w+)", table, re.M):
        if f"{group}.{name}" not in known:
            yield f"bertty options: no {group}.{name}"
    for key in re.findall(r"`((?:model|task|data|train|optim|eval|run)\.(?!json|yaml|safetensors)\w+)", README):
        if key not in known:
            yield f"README.md: {key}: no such option"


def check_views():
    for view in ("Runs", "Data", "Experiment", "Charts", "Predictions", "Compare", "Probe", "Log"):
        if not re.search(rf"^### +\d? ?{view}\b", README, re.M):
            yield f"README.md: no section about the view {view}"


def main():
    found = commands()
    return report({
        "commands": list(check_commands(found)),
        "commands in README.md": list(check_mentions(found)),
        "make": list(check_make()),
        "options": list(check_options()),
        "views": list(check_views()),
    })


if __name__ == "__main__":
    sys.exit(main())
