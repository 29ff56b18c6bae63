#!/usr/bin/env python3
"""The layout's rules: who may include whom, who may call what, which names a library may define.

    tests/check_layers.py BUILD   checks the tree (BUILD: where the objects are); then, that each rule can be broken
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from check_groups import report

# Lowest first: a folder of engine/ may include what stands before it.
RANK = ["base", "math", "dataset", "tokenizer", "batch", "model", "formats", "optim", "metrics", "tasks", "experiment",
        "baseline", "run", "explain"]

# A package's header has one owner; everybody else goes through the owner's interface.
OWNER = {
    "curses.h": "tui/term.c", "ncurses.h": "tui/term.c", "ncursesw/curses.h": "tui/term.c", "term.h": "tui/term.c",
    "cblas.h": "engine/math/gemm.c",
    "yaml.h": "engine/base/yaml.c",
    "jansson.h": "engine/base/json.c",
    "csv.h": "engine/dataset/csv.c",
    "pcre2.h": "engine/base/regex.c",
    "utf8proc.h": "engine/base/text.c",
    "linear.h": "engine/baseline/logistic.c",
    "curl/curl.h": "engine/formats/hub_http.c",
}

# Not in the engine: it never ends the process, never speaks to the user, and has no hidden state.
ENGINE_CALLS = ("exit quick_exit abort assert printf vprintf puts putchar putc fputs_unlocked perror strcpy strcat stpcpy "
                "sprintf vsprintf rand srand random srandom drand48 atoi atol atof strtok gets scanf sscanf system "
                "popen setlocale signal").split()
TUI_CALLS = "strcpy strcat sprintf vsprintf rand srand atoi atol atof strtok gets system popen abort assert".split()

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
BAD_FLAGS = re.compile(r"-Ofast|-ffast-math|-funsafe-math|-ffinite-math")
FOREIGN_PATH = re.compile(r"/(?:root|home|work)/[A-Za-z.]")


def plain(text):
    """Source without comments and without what stands in strings; lines stay where they are."""
    def blank(match):
        found = match.group(0)
        return '""' if found[0] == '"' else "' '" if found[0] == "'" else re.sub(r"[^\n]", " ", found)
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def include_fault(path, quote, name):
    """Why the file at path may not include name, or None."""
    area, folder = path.split("/")[0], path.split("/")[1]
    if name in OWNER and path != OWNER[name]:
        return f"only {OWNER[name]} includes <{name}>"
    if name.endswith(".c"):
        return "a source is not included"
    if quote == "<":
        return None
    first = name.split("/")[0]
    if area == "include":
        return f'"{name}": a public header includes <bertty/…> and system headers only'
    if area == "tui":
        return None if first == "tui" else f'"{name}": tui/ includes <bertty/…>, "tui/…" and system headers only'
    if area == "engine" and first not in RANK:
        return f'"{name}": not a folder of the engine'
    if area == "engine" and RANK.index(first) > RANK.index(folder):
        return f'"{name}": {folder} ranks below {first}'
    return None


def check_includes(path, text):
    for match in INCLUDE.finditer(text):
        fault = include_fault(path, match.group(1), match.group(2))
        if fault:
            yield f"{path}:{line_of(text, match.start())}: {fault}"


def check_calls(path, text):
    area = path.split("/")[0]
    names = {"engine": ENGINE_CALLS, "tui": TUI_CALLS}.get(area)
    if not names:
        return
    bare = plain(text)
    for match in re.finditer(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(", bare):
        yield f"{path}:{line_of(bare, match.start())}: {match.group(1)}() has no place in {area}/"
    streams = r"(?<!\w)(stdout|stderr|stdin)(?!\w)"
    for match in re.finditer(streams, bare) if area == "engine" else ():
        yield f"{path}:{line_of(bare, match.start())}: {match.group(1)}: the engine speaks through its callers"
    for match in re.finditer(r"(?<!\w)(LC_ALL|LC_NUMERIC)(?!\w)", bare):
        yield f"{path}:{line_of(bare, match.start())}: {match.group(1)}: numbers keep their full stop"


def check_ranked(path):
    parts = path.split("/")
    if parts[0] == "engine" and parts[1] not in RANK:
        yield f"{path}: {parts[1]} has no rank"


def check_text(path, text):
    for pattern, why in ((BAD_FLAGS, "lets the compiler assume that there is no NaN"),
                         (FOREIGN_PATH, "a path of somebody's machine")):
        for match in pattern.finditer(text):
            yield f"{path}:{line_of(text, match.start())}: {match.group(0)}: {why}"


def check_sources(files):
    """files: {path: text}; the complaints about them."""
    for path, text in sorted(files.items()):
        if path.startswith("tests/check_layers"):
            continue
        yield from check_text(path, text)
        if path.endswith((".c", ".h", ".def")) and path.split("/")[0] in ("engine", "tui", "include"):
            yield from check_ranked(path)
            yield from check_includes(path, text)
            yield from check_calls(path, text)


def check_header(root, path):
    """The header compiles alone, and twice in a row."""
    command = [os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
               "-Iinclude", "-Iengine", "-I.", "-x", "c", "-"]
    done = subprocess.run(command, cwd=root, input=f'#include "{path}"\n#include "{path}"\n', text=True,
                          capture_output=True)
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if "error" in line), "?")
        return [f"{path}: does not compile alone: {first}"]
    return []


def check_headers(root, paths):
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for faults in pool.map(lambda path: check_header(root, path), sorted(paths)):
            yield from faults


def symbols(archive, *options):
    done = subprocess.run(["nm", "-g", *options, str(archive)], text=True, capture_output=True, check=True)
    member = "?"
    for line in done.stdout.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif line.strip():
            yield member, line.split()[-1]


def check_symbols(engine, screen, public):
    """engine, screen: (member, name) that the library defines and the screen wants; public: text of include/bertty."""
    for member, name in engine:
        if not name.startswith("bt_"):
            yield f"{member}: the library defines {name}: public names start with bt_, internal ones with bt__"
        elif not name.startswith("bt__") and not re.search(rf"\b{name}\b", public):
            yield f"{member}: {name} is in no header of include/bertty/ (bt__ for what is internal)"
    for member, name in screen:
        if name.startswith("bt__"):
            yield f"{member}: the screen calls {name}, which is internal to the engine"


def tree(root):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root, text=True,
                            capture_output=True)
    for name in listed.stdout.splitlines():
        path = root / name
        if path.is_file() and path.stat().st_size < 1 << 20:
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                pass


# Each breaks one rule: path, text, a word of the complaint.
BROKEN = [
    ("tui/x.c", '#include "math/gemm.h"\n', "tui/ includes"),
    ("tui/x.c", "#include <curses.h>\n", "only tui/term.c"),
    ("tui/x.c", "void f(char *a){ system(a); }\n", "system()"),
    ("tui/x.c", 'int f(void){ setlocale(LC_ALL, ""); }\n', "LC_ALL"),
    ("engine/base/x.c", '#include "math/gemm.h"\n', "base ranks below math"),
    ("engine/math/x.c", '#include "tui/view.h"\n', "not a folder of the engine"),
    ("engine/math/x.c", "#include <yaml.h>\n", "only engine/base/yaml.c"),
    ("engine/math/x.c", '#include "math/gemm.c"\n', "not included"),
    ("engine/math/x.c", "void f(void){ exit(1); }\n", "exit()"),
    ("engine/math/x.c", 'void f(void){ printf ("a"); }\n', "printf()"),
    ("engine/math/x.c", 'void f(void){ fprintf(stderr, "a"); }\n', "stderr"),
    ("engine/extra/x.c", "int x;\n", "no rank"),
    ("include/bertty/x.h", '#include "base/x.h"\n', "a public header"),
    ("Makefile", "CFLAGS = -Ofast\n", "no NaN"),
    ("README.md", "see /home" + "/me/notes\n", "somebody's machine"),
]
FINE = [
    ("engine/run/x.c", '#include "math/gemm.h"\n#include <bertty/str.h>\n/* exit(1) */ void f(void){ _exit(1); s = "stderr"; }\n'),
    ("tui/x.c", '#include "tui/view.h"\n#include <bertty/str.h>\nvoid f(void){ snprintf(a, 1, "b"); printf("c"); }\n'),
]


def self_test():
    for path, text, word in BROKEN:
        if not any(word in fault for fault in check_sources({path: text})):
            yield f"self-test: nothing said '{word}' about {path}: {text.strip()}"
    for path, text in FINE:
        yield from (f"self-test: unexpected: {fault}" for fault in check_sources({path: text}))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "x.h").write_text("size_t f(void);\n")
        if not check_header(folder, "x.h"):
            yield "self-test: a header that does not compile alone passed"
    names = [("a.o", "helper"), ("a.o", "bt_hidden"), ("a.o", "bt__fine"), ("a.o", "bt_known")]
    if len(list(check_symbols(names, [("b.o", "bt__fine"), ("b.o", "bt_known")], "int bt_known(void);"))) != 3:
        yield "self-test: the check of symbols does not see its three cases"


def main():
    root, build = Path(__file__).resolve().parent.parent, Path(sys.argv[1])
    files = dict(tree(root))
    public = "".join(text for path, text in files.items() if path.startswith("include/"))
    headers = [path for path in files if path.endswith(".h") and path.split("/")[0] in ("engine", "tui", "include")]
    return report({
        "includes, calls and texts": list(check_sources(files)),
        "headers compile alone": list(check_headers(root, headers)),
        "symbols": list(check_symbols(symbols(build / "libbertty.a", "--defined-only"),
                                      symbols(build / "libtui.a", "--undefined-only"), public)),
        "the checks themselves": list(self_test()),
    })


if __name__ == "__main__":
    sys.exit(main())
