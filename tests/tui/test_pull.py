#!/usr/bin/env python3
""":pull in the workbench, from a hub of the test's own, and the form's completion of what is in the cache."""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import tiny_bert
from hub_server import Hub, files_of, sha256
from screen import Screen, main


class Place:
    """A hub whose weights come slowly, and an empty cache."""

    def __init__(self, pace=None):
        self.folder = tempfile.TemporaryDirectory()
        home = Path(self.folder.name)
        files = files_of(tiny_bert.model(home / "tiny"))
        self.weights, self.cache = files["model.safetensors"], home / "hub/models--org--tiny"
        self.hub = Hub({"org/tiny": files})
        if pace:
            self.hub.rules.append(lambda r: r.where == "cdn" and r.send_file(self.weights, pace=pace))
        self.env = {k: v for k, v in self.hub.environment(home).items() if k.startswith("HF_")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hub.close()
        self.folder.cleanup()


def command(s, text):
    s.keys(":")
    s.wait("^:")
    s.keys(text, "Enter")


def test_fetches():
    with Place(pace=(40000, 1.0)) as p, Screen(env=p.env) as s:
        s.wait("Runs")
        command(s, "pull org/tiny")
        s.wait(r"org/tiny: fetching, 0\.[0-9] of 0\.1 MiB")
        s.keys("4")
        s.wait("Charts")
        s.wait(r"org/tiny is in the cache: 4 files, 4 of them fetched now")
        assert (p.cache / "refs/main").exists()
        command(s, "pull org/tiny")
        s.wait(r"org/tiny is in the cache: 4 files, 0 of them fetched now")
        s.keys(":", "pull or", "Tab")
        s.wait("pull org/tiny")
        s.keys("Esc")
        assert s.end("q") == 0


def test_says_what_is_wrong():
    with Place() as p, Screen(env=p.env) as s:
        s.wait("Runs")
        command(s, "pull")
        s.wait("pull: expected the name of a model")
        command(s, "pull ../x")
        s.wait("pull: ../x: expected the name of a model")
        command(s, "pull org/none")
        s.wait("org/none: no such model on")


def test_stops():
    with Place(pace=(5000, 0.5)) as p, Screen(env=p.env) as s:
        s.wait("Runs")
        left = p.cache / "blobs" / f"{sha256(p.weights)}.incomplete"
        command(s, "pull org/tiny")
        s.until(lambda: left.exists() and left.stat().st_size > 0, "the first bytes")
        command(s, "pull")
        s.wait(r"org/tiny is being fetched: stop that\?")
        s.keys("y")
        s.wait("org/tiny: stopped")
        assert 0 < left.stat().st_size < len(p.weights)
        command(s, "pull org/tiny")
        s.wait("fetching")
        assert s.end("q") == 0


def test_names_in_the_form():
    with Place() as p, Screen(["--open", "experiment"], env=p.env) as s:
        s.wait("There is no experiment file")
        command(s, "pull org/tiny")
        s.wait("is in the cache")
        s.keys("o")
        s.wait("a new, empty experiment")
        s.keys("new", "Enter")
        s.wait("not saved yet")
        s.keys("/", "C-u", "name_or_path", "Enter")
        s.wait("/name_or_path ─")
        s.keys("Enter", "or", "Tab")
        s.wait("org/tiny")


main(globals())
