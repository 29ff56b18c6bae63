#!/usr/bin/env python3
"""Runs directories that nobody would write: half-written, foreign, empty, hostile; and files that vanish, shrink or turn into something else while they are
shown. Every view shows what there is, says what is wrong, and goes on."""
import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from scalars import write
from screen import BERTTY, Screen, fake_run, live_status, main

HOSTILE = "evil\x1b[31m\x1b]52;c;Zm9v\x07\x9b2J\u202egpj\u200b\U000e0041 e\u0301 漢字"
GOOD = "run: {name: x}\ntask: {labels: [neg, pos]}\n"


def predictions(run, text):
    (run / "predictions").mkdir(exist_ok=True)
    (run / "predictions/validation-step-000100.jsonl").write_text(text)


def row(i, **members):
    return json.dumps({"id": i, "gold": "pos", "prediction": "neg", "scores": {"neg": 0.6, "pos": 0.4}, "loss": 0.9, **members}) + "\n"


def instead(run, name, kind):
    """Something that is no file in the place of one."""
    path = run / name
    if path.exists():
        path.unlink()
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path.symlink_to("/dev/zero")


def bad_statuses(runs):
    for name, text in {"half": '{"state": "training", "pid": 1, "st', "nothing": "", "foreign": "[1, 2, 3]", "binary": "\0\1\xff" * 100, "deep": "[" * 5000,
                       "numbers": '{"state": "finished", "step": 1e999, "total": -5, "epoch": "x", "best": null, "started": -1e300, "updated": 1e300}',
                       "types": '{"state": 7, "pid": {}, "metric": [], "error": 3, "name": false}', "state": '{"state": "' + HOSTILE.replace("\x1b", "\\u001b").replace("\x07", "") + '"}',
                       "long": '{"state": "failed", "error": "' + "x" * 300000 + '", "name": "n"}'}.items():
        fake_run(runs, f"status-{name}")
        (runs / f"status-{name}/status.json").write_text(text, errors="surrogateescape", encoding="utf-8")


def bad_files(runs):
    for kind in ("directory", "fifo", "loop", "device"):
        for name in ("status.json", "log.txt", "events.out.tfevents.1", "experiment.yaml", "notes.json", "run.json", "batches", "control", "best", "predictions"):
            run = fake_run(runs, f"{kind}-{name.split('.')[0]}", log="a line\n")
            instead(run, name, kind)


def bad_contents(runs):
    fake_run(runs, "hostile-log", log=HOSTILE + "\n" + "y" * 3000000 + "\n\0\0\n\xff", error=HOSTILE, name=HOSTILE)
    run = fake_run(runs, "events-cut")
    write(run, [("train/loss", step, 1 / step) for step in range(1, 200)])
    path = next(run.glob("events*"))
    path.write_bytes(path.read_bytes()[:-7])
    run = fake_run(runs, "events-garbage")
    (run / "events.out.tfevents.1").write_bytes(os.urandom(50000))
    run = fake_run(runs, "events-crc")
    write(run, [("train/loss", step, 1 / step) for step in range(1, 200)])
    path = next(run.glob("events*"))
    path.write_bytes(path.read_bytes()[:900] + b"\xff\xff" + path.read_bytes()[902:])
    for name, text in {"half": row(1) + row(2)[:30], "garbage": "\0\1\2\n{}\n[]\n", "types": row("x", scores=[], loss="y") + row(-5, gold=7), "empty": "",
                       "hostile": row(1, gold=HOSTILE, prediction=HOSTILE)}.items():
        predictions(fake_run(runs, f"predictions-{name}"), text)
    for name, text in {"binary": "\0\1\2", "bomb": "a: &a [x,x]\n" + "".join(f"{c}: &{c} [*{p},*{p},*{p},*{p},*{p},*{p},*{p},*{p}]\n" for p, c in zip("abcdefgh", "bcdefghi")),
                       "hostile": f'run: {{name: "{"x" * 50000}"}}\n"{HOSTILE.encode("unicode_escape").decode()}": 1\n', "good": GOOD}.items():
        (fake_run(runs, f"settings-{name}") / "experiment.yaml").write_text(text)


def bad_names(runs):
    (runs / "no-run").mkdir()
    (runs / "a-file").write_text("x")
    (runs / "root").symlink_to("/")
    (runs / "self").symlink_to(runs)
    for name in (b"bad-\xff\xfe", b"line\nbreak", "\u202ebidi \x1b[2J".encode(), b"-rf", b"x" * 200):
        path = os.path.join(os.fsencode(runs), name)
        os.mkdir(path)
        shutil.copy(runs / "settings-good/status.json", os.path.join(path, b"status.json"))


def everything(path):
    runs = path / "runs"
    runs.mkdir()
    bad_statuses(runs)
    bad_files(runs)
    bad_contents(runs)
    bad_names(runs)


def alive(s, number, what):
    s.wait(rf"[▸>]{number}")
    assert s.alive(), (what, s.dump())
    for bad in (b"\x1b]52;c;Zm9v", b"\xe2\x80\xae", b"\xe2\x80\x8b", b"\x1b[31m\x1b]"):
        assert bad not in s.raw, (what, bad)


def test_every_view_on_every_bad_run():
    def look(view):
        with Screen(setup=everything, rows=30, columns=110) as s:
            s.wait("settings-good|status-")
            s.keys("g")
            for i in range(len(list((s.dir / "runs").iterdir()))):
                s.keys("Space", "M-" + str(view), *(["Esc"] if view == 7 and i == 0 else []))
                alive(s, view, (view, i))
                s.keys("M-1", "u")
                s.wait("▸1")
            s.keys("M", "M-" + str(view))
            alive(s, view, "all of them")
            assert s.end("M-1", "q") == 0
    with ThreadPoolExecutor(5) as workers:
        for done in [workers.submit(look, view) for view in (4, 5, 6, 7, 8)]:
            done.result()


def test_commands_on_every_bad_run():
    with Screen(setup=everything, program="/bin/true") as place:
        def run(*args):
            return subprocess.run([BERTTY, *args], cwd=place.dir, capture_output=True, timeout=60, check=False)
        listed = run("runs", "--json")
        assert listed.returncode == 0, listed
        assert len(json.loads(listed.stdout)["runs"]) > 50, listed.stdout[:2000]
        assert run("runs").returncode == 0
        for name in ("status-half", "status-deep", "fifo-log", "device-experiment", "events-garbage", "settings-bomb", "predictions-types", "loop-best"):
            for command in (["show", name], ["log", name], ["compare", name, "settings-good"]):
                done = run(*command)
                assert done.returncode in (0, 1) and len(done.stderr.splitlines()) <= 1, (command, done)
                assert b"Sanitizer" not in done.stderr and b"\x1b" not in done.stdout + done.stderr, (command, done)


def living(path):
    run = fake_run(path / "runs", "live", log="a line\n" * 500, **live_status(step=5, total=99))
    write(run, [("train/loss", step, 1 / step) for step in range(1, 500)])
    predictions(run, "".join(row(i) for i in range(1, 200)))
    (run / "experiment.yaml").write_text(GOOD)
    fake_run(path / "runs", "other", log="another\n")
    (path / "experiments").mkdir()
    (path / "experiments/e.yaml").write_text(GOOD)
    (path / "rows.tsv").write_text("text\tlabel\n" + "".join(f"row {n} of many\t{n % 2}\n" for n in range(40000)))


def shrink(run):
    for path in [p for p in run.rglob("*") if p.is_file()]:
        os.truncate(path, path.stat().st_size // 3)


def empty(run):
    for path in [p for p in run.rglob("*") if p.is_file()]:
        os.truncate(path, 0)


def turn(run):
    for name in ("log.txt", "status.json"):
        instead(run, name, "directory")
    instead(run, next(run.glob("events*")).name, "fifo")


def vanish(run):
    shutil.rmtree(run)


def vanish_all(run):
    shutil.rmtree(run.parent)


def test_what_is_shown_changes_under_the_view():
    """Each view, each way; then the runs directory comes back, and is seen."""
    def change(how):
        with Screen(setup=living, rows=30, columns=110) as s:
            s.wait("live")
            for number in (4, 5, 8, 1):
                s.keys("M-" + str(number))
                s.wait(rf"▸{number}")
                s.drain(0.1)
            how(s.dir / "runs/live")
            end = time.monotonic() + 2.5
            while time.monotonic() < end:
                for number in (1, 4, 5, 8, 6):
                    s.keys("M-" + str(number), "j", "G", "g", "PgDn")
                    alive(s, number, how.__name__)
            shutil.rmtree(s.dir / "runs", ignore_errors=True)
            fake_run(s.dir / "runs", "afterwards", log="back again\n")
            s.keys("M-1")
            s.wait("afterwards")
            s.keys("8")
            s.wait("back again")
            assert s.end("q") == 0
    with ThreadPoolExecutor(5) as workers:
        for done in [workers.submit(change, how) for how in (shrink, empty, turn, vanish, vanish_all)]:
            done.result()


def test_a_file_of_data_shrinks_while_it_is_shown():
    """Its rows are gone or cut; never a signal."""
    for size in (200000, 100, 0, None):
        with Screen(["--open", "rows.tsv"], setup=living, rows=24, columns=80) as s:
            s.wait("row 3 of many")
            s.keys("G")
            s.wait("row 39999")
            s.keys("g")
            s.wait("row 3 of many")
            path = s.dir / "rows.tsv"
            if size is None:
                path.unlink()
            else:
                os.truncate(path, size)
            for keys in (["G"], ["g"], ["1", "2"], [":", "20000", "Enter"], ["Enter"], ["w"], ["Esc"], ["f"], ["Esc"], ["H"], ["Esc"], ["/", "row 7", "Enter"], ["s"], ["L"], ["Esc"], ["S"], ["Esc"]):
                s.keys(*keys)
                s.wait("▸2")
            s.keys("R")
            s.wait("▸2")
            assert s.end("q") == 0


def test_themes_and_key_maps_with_errors():
    """Where the fault is; then the usual ones, or no start at all with half a key map."""
    config = ".config/bertty"
    for text, word in (("dim: [1, 2\n", "mine.yaml:"), ("\0", "mine.yaml:"), ("dim: 7\n", "mine.yaml:1:"), ("dim: &a [*a]\n", "mine.yaml:"), ("x" * 100000, "mine.yaml"),
                       (f'"{"z" * 500}": default\n', "mine.yaml:1:"), ("", "mine.yaml"), ('dim: {fg: "\\e[31m"}\n', "mine.yaml:1:")):
        def setup(path, text=text):
            (path / config / "themes").mkdir(parents=True)
            (path / config / "themes/mine.yaml").write_text(text)
        with Screen(["--theme", "mine"], setup=setup) as s:
            s.wait(rf"▸1(?s:.)*{word}" if text else "▸1")
            assert s.end("q") == 0
    for text in ("runs: [mark\n", "\0\0", "runs: {mark: NoSuchKey}\n", "runs: {mark: [m]}\n", "nonsense: {mark: m}\n", "- a\n", "runs: {mark: &a m, sort: *b}\n", "x" * 100000):
        def broken(path, text=text):
            (path / config).mkdir(parents=True)
            (path / config / "keys.yaml").write_text(text)
        with Screen(setup=broken, columns=200) as s:
            assert s.end() == 2, s.dump()
            lines = [line for line in s.lines() if line]
            assert len(lines) == 1 and "keys.yaml" in lines[0] and b"\x1b[?1049h" not in s.raw, s.dump()


main(globals())
