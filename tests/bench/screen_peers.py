"""The programs that the workbench is measured beside, and how each is asked for the same thing. W&B's LEET and VisiData live in a virtual
environment, ${XDG_CACHE_HOME:-~/.cache}/bertty/screen-peers, that is made once; less and lnav are Debian's."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from meter import SHARED, Program

VENV = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bertty/screen-peers"
PACKAGES = ["wandb", "visidata"]
MAKE_RUN = SHARED / "peers/make_leet_run.py"
WORD = "zyz+yva"  # as a regular expression: what is typed is not what is waited for


def set_up():
    """Makes the virtual environment if it is not there; says what is missing."""
    if not (VENV / "bin/vd").exists():
        print(f"making {VENV} with {' and '.join(PACKAGES)} (a minute, once)", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        made = subprocess.run([sys.executable, "-m", "venv", VENV]).returncode == 0
        if not made or subprocess.run([VENV / "bin/pip", "install", "-q", "--disable-pip-version-check", *PACKAGES]).returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            print(f"no {' and no '.join(PACKAGES)}: pip could not install them (is there a network?)")
    for name in ("less", "lnav"):
        if not shutil.which(name):
            print(f"no {name}: apt-get install {name}")


# ── tables ──

class Table:
    """How a program shows a table of rows 0 … 999,999: the command; patterns of rows at all, of all rows known (None: it does not say), of the
    first, the last and the found row; keys that go to the beginning, and that search."""

    def __init__(self, name, command, rows, complete, first, last, found, search, begin="g"):
        self.name, self.command, self.rows, self.complete, self.first, self.last = name, command, rows, complete, first, last
        self.found, self.search, self.begin = found, search, begin

    def there(self):
        return shutil.which(str(self.command[0])) is not None

    def measure(self, path, home):
        """{what: ms; "MiB": …}"""
        with Program([*self.command, path], path.parent, home, 120) as p:
            took = {"first rows": p.ms_until(self.rows)}
            if self.complete:
                took["all rows known"] = p.ms_until(self.complete)
            took["all rows known, CPU"] = 1e3 * p.processor_s()
            self.to_first(p)
            took["last row"] = answer(p, "G", self.last)
            self.to_first(p)
            spent = p.processor_s()
            took["regular expression to the end"] = answer(p, self.search, self.found)
            took["regular expression to the end, CPU"] = 1e3 * (p.processor_s() - spent)
            took["MiB"] = p.memory()
        if missing := [what for what, value in took.items() if value is None]:
            raise SystemExit(f"{self.name}: never on the screen: {', '.join(missing)}")
        return took

    def to_first(self, p):
        p.type(self.begin)
        p.ms_until(self.first)
        p.settle()


def answer(p, keys, pattern):
    """ms from the last of the keys until the pattern is on the screen."""
    p.type(keys[:-1])
    p.pressed = p.stamp
    p.press(keys[-1], 0, 0)
    return p.ms_until(pattern, p.pressed)


def table_peers():
    begins = r"on in as this of"  # row 0; the last row's text is last
    last = r"was was at it in"
    peers = [Table("VisiData", [VENV / "bin/vd"], rf"^ *0 +│ {begins}", r"1000000 rows", rf"^ *0 +│ {begins}", last, "zyzzyva", f"/{WORD}\r", "ghggl"),
             Table("less", ["less"], r"^0,", None, r"^0,", last, "zyzzyva", f"/{WORD}\r"),
             Table("lnav", ["lnav"], r"^\d+,", None, r"^0,", last, "1 hits for", f"/{WORD}\r")]
    return [peer for peer in peers if peer.there()]


# ── curves ──

def leet():
    """LEET's native program, or None."""
    found = sorted(VENV.glob("lib/python3*/site-packages/wandb/bin/wandb-core"))
    return found[0] if found else None


def leet_command(folder):
    """LEET on the newest run below folder."""
    newest = (folder / "wandb/latest-run").resolve()
    return [leet(), "leet", "run", "--no-observability", "--run-file", next(newest.glob("*.wandb")), folder / "wandb"]


def make_leet_run(folder, steps, metrics):
    if not (folder / "wandb/latest-run").exists():
        subprocess.run([VENV / "bin/python", MAKE_RUN, folder, str(steps), str(metrics)], check=True, capture_output=True,
                       env={**os.environ, "HOME": str(folder)})


def live_leet_run(folder, rate, metrics):
    """A process that logs so many steps a second."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return subprocess.Popen([VENV / "bin/python", MAKE_RUN, folder, "1000000", str(metrics), str(rate)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(folder)})
