"""Event files through the engine's reader and through TensorBoard's, for tests that compare the two."""
import math
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SANITIZE = ["-O1", "-g", "-fsanitize=address,undefined"]


def build(folder, flags=SANITIZE):
    """tests/golden/events_tool.c, compiled."""
    tool = Path(folder, "events_tool")
    sources = [*sorted(ROOT.glob("engine/run/events_*.c")),
               *(ROOT / "engine/base" / f"{name}.c" for name in ("crc32c", "str", "error", "num", "file", "sha256"))]
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", f"-I{ROOT}/include", f"-I{ROOT}/engine",
                    f"-I{ROOT}", *flags, ROOT / "tests/golden/events_tool.c", *sources, "-lm", "-lpthread", "-o", tool],
                   check=True)
    return tool


def parse(lines):
    """tag → [(step, wall, value)], and the number of damaged records."""
    series = {}
    for line in lines[:-1]:
        tag, step, wall, value = line.split("\t")
        series.setdefault(tag, []).append((int(step), float(wall), float(value)))
    return series, int(lines[-1].split()[1])


def read(tool, folder):
    return parse(subprocess.run([tool, "read", folder], check=True, capture_output=True, text=True).stdout.splitlines())


class Follower:
    """One reader that looks at a directory again and again while it grows."""

    def __init__(self, tool, folder):
        self.process = subprocess.Popen([tool, "follow", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        lines = []
        while not lines or not lines[-1].startswith("damage "):
            line = self.process.stdout.readline()
            assert line, "the reader ended"
            lines.append(line.rstrip("\n"))
        return parse(lines)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        self.process.stdout.close()


def tensorboard(folder):
    """The same from TensorBoard's reader: simple values, and tensors of one element."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util
    acc = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    acc.Reload()
    found = {tag: [(e.step, e.wall_time, e.value) for e in acc.Scalars(tag)] for tag in acc.Tags()["scalars"]}
    for tag in acc.Tags()["tensors"]:
        meta = acc.summary_metadata.get(tag)
        if meta and meta.plugin_data.plugin_name not in ("scalars", ""):
            continue
        arrays = [(e.step, e.wall_time, tensor_util.make_ndarray(e.tensor_proto)) for e in acc.Tensors(tag)]
        if all(a.size == 1 and a.dtype.kind in "fiub" for _, _, a in arrays):
            found[tag] = [(step, wall, float(a.reshape(())[()])) for step, wall, a in arrays]
    return found


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def expect_equal(ours, theirs):
    assert sorted(ours) == sorted(theirs), (sorted(ours), sorted(theirs))
    for tag, points in theirs.items():
        assert len(ours[tag]) == len(points), (tag, len(ours[tag]), len(points))
        for a, b in zip(ours[tag], points):
            assert a[0] == b[0] and a[1] == b[1] and same(a[2], b[2]), (tag, a, b)
