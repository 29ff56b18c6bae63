#!/usr/bin/env python3
"""What is around the program: a clock that jumps, a locale with another decimal sign, a terminal that nobody reads."""
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

from refusal import COUNT, Ground, finished, preloaded

from tiny_bert import status, wait_for

sys.path.insert(0, str(Path(__file__).parent.parent / "tui"))
from screen import Screen, fake_run, live_status  # noqa: E402

# A sanitizer wants to be loaded first.
PROGRAM = os.path.abspath(os.environ.get("BERTTY_FAST", os.environ["BERTTY"]))
GROUND = Ground({"train.max_steps": 20, "run.save_steps": 10, "eval.eval_steps": 5, "run.num_threads": 1, "run.logging_steps": 1}, train=40, dev=10)
TRAIN = ["train", "tiny.yaml", "--name", "run"]
HOUR = 3600
MANY = 1500  # steps: what they print is more than a terminal holds


def each_way():
    """("forwards" or "backwards", variables): clocks that are further off at each look."""
    library = preloaded(GROUND.root, "failing_io")
    for name, seconds in ("forwards", HOUR), ("backwards", -HOUR):
        yield name, {"LD_PRELOAD": library, "IO_CLOCK": str(seconds)}


def clock_of_the_engine():
    """Speeds, times left and times of training are measured, not read off the wall."""
    for way, jumps in each_way():
        folder = GROUND.fresh()
        done = finished([*TRAIN, "--json"], folder, program=PROGRAM, env={**os.environ, **jumps})
        COUNT.check(f"{way}: it finishes", done.returncode == 0 and not done.stderr, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        steps = [line for line in lines if line.get("event") == "step"]
        speeds, left = [[line[key] for line in steps] for key in ("tokens_per_s", "eta_s")]
        COUNT.check(f"{way}: speeds", len(steps) == 20 and all(10 < speed < 1e8 for speed in speeds), speeds)
        COUNT.check(f"{way}: times left", all(0 <= seconds < 3600 for seconds in left), left)
        COUNT.check(f"{way}: time of training", 0 < lines[-1]["train_seconds"] < 3600, lines[-1])


def clock_of_a_launch():
    """The minute that an engine has for its directory is measured too."""
    for way, jumps in each_way():
        folder = GROUND.fresh()
        done = finished([*TRAIN, "--detach"], folder, program=PROGRAM, env={**os.environ, **jumps})
        COUNT.check(f"{way}: detached", done.returncode == 0 and not done.stderr, done.stderr)
        wait_for(lambda: status(folder / "runs/run").get("state") == "finished", "the end of the run")


def clock_of_the_workbench():
    """It sees what is new, a lone Esc is a key, and a living engine's run is training while the wall says otherwise."""
    def setup(path):
        fake_run(path / "runs", "live", **live_status(step=5, total=99))
    for way, jumps in each_way():
        with Screen(setup=setup, program=PROGRAM, env=jumps) as s:
            s.wait("live .*training · step 5/99")
            (s.dir / "new").write_text(json.dumps({**json.loads((s.dir / "runs/live/status.json").read_text()), **live_status(step=6)}))
            os.replace(s.dir / "new", s.dir / "runs/live/status.json")
            s.wait("step 6/99")
            s.keys("?")
            s.wait("─ Keys ─")
            s.keys("Esc")
            s.wait_gone("─ Keys ─")
            for key in "8", "4", "1":
                s.keys(key)
                s.wait(f"▸{key}")
            COUNT.check(f"{way}: it ends", s.end("q") == 0)


def german(folder):
    """The locale's name and where it is; None where it cannot be made."""
    made = folder / "locales/de_DE.UTF-8"
    made.parent.mkdir()
    words = ["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8", made]
    if not shutil.which("localedef") or subprocess.run(words, capture_output=True).returncode or not made.exists():
        return None
    return {"LOCPATH": str(made.parent), "LC_ALL": made.name}


def decimal_comma():
    """Numbers are written and read with a full stop, whatever the user's language."""
    folder = GROUND.fresh()
    locale = german(folder)
    if not locale:
        return COUNT.skip("a locale with a decimal comma", "localedef or its sources are missing")
    comma = subprocess.run([sys.executable, "-c", "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.localeconv()['decimal_point'])"],
                           env={**os.environ, **locale}, capture_output=True, text=True)
    COUNT.check("the locale has a comma", comma.stdout == ",\n", comma)
    plain = {**os.environ, "LC_ALL": "C.UTF-8"}

    def both(*words, program=PROGRAM):
        here, there = (finished(words, folder, program=program, env=env) for env in (plain, {**os.environ, **locale}))
        COUNT.check(" ".join(map(str, words)), here.returncode == there.returncode == 0 and here.stdout == there.stdout, (here, there))
    done = finished([*TRAIN, "--set", "optim.learning_rate=2.5e-3"], folder, program=PROGRAM, env={**os.environ, **locale})
    COUNT.check("train", done.returncode == 0 and b"loss 0." in done.stdout, done)
    text = (folder / "runs/run/experiment.yaml").read_text()
    COUNT.check("its settings", "learning_rate: 0.0025" in text, text)
    both("show", "run", "--json")
    both("show", "run")
    both("predict", "run", "--text", "a good film", "--json")
    both("predict", "run", "--text", "a good film")
    both("runs", "--filter", "accuracy>=0.25")
    both("data", "train.tsv", "--filter", "length(text) > 20.5")
    both("options")
    both("report", "run", "--text")
    for view in "runs", "charts", "experiment":
        both("shot", view, "--format", "txt")


def beside_a_terminal(name, *words, stopped=False):
    """The program on a terminal that nobody reads, and that somebody has stopped with Ctrl-S: the run goes on to its end all the same."""
    folder = GROUND.fresh()
    run = folder / "runs/run"
    much = ["--set", f"train.max_steps={MANY}", "--set", "eval.eval_strategy=no", "--set", "run.save_strategy=no", *words]
    pid, master = pty.fork()
    if pid == 0:
        if stopped:
            termios.tcflow(1, termios.TCOOFF)
        os.chdir(folder)
        os.execl(PROGRAM, "bertty", *TRAIN, *much)
    try:
        wait_for(lambda: status(run).get("state") == "finished", "the end of the run", 40)
        log = (run / "log.txt").read_text()
        COUNT.check(f"{name}: the log tells all steps", log.count(" loss ") == MANY, log[-300:])
    except AssertionError as late:
        COUNT.check(f"{name}: the run goes on", False, (late, status(run)))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(master)


def full_terminal():
    beside_a_terminal("JSON", "--json")
    beside_a_terminal("lines, stopped", stopped=True)
    beside_a_terminal("JSON, stopped", "--json", stopped=True)


if __name__ == "__main__":
    code = COUNT.run([clock_of_the_engine, clock_of_a_launch, clock_of_the_workbench, decimal_comma, full_terminal])
    GROUND.remove()
    sys.exit(code)
