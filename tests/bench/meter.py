"""A program on a pseudo-terminal of 120×36, its output stamped as it is read: what the benchmarks of the screen measure with. The terminal is
that of tty_meter.py in BT_SHARED/peers (default ../shared/peers), for bertty and for those that it is compared with.

    with Program(["bertty"], folder) as p:
        ready = p.ms_until("run-49")         # ms since it was started; None: it never came
        ms, size = p.key("j")                # from the key to the last byte of the answer; None: none came
        load = p.observe(20)                   # bytes a second, share of a core
"""
import argparse
import contextlib
import math
import os
import re
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("BT_SHARED") or ROOT.parent / "shared").resolve()
BERTTY = os.path.abspath(os.environ.get("BERTTY_FAST") or ROOT / "bertty")
METER = SHARED / "peers/tty_meter.py"
if not METER.exists():
    print(f"{METER} is missing: BT_SHARED says where it is")
    sys.exit(77)
sys.path.insert(0, str(METER.parent))
import tty_meter  # noqa: E402

BURST_S, PATIENCE_S = 0.03, 1.0  # silence that ends an answer, and how long one is waited for


def clock(pid):
    """Nanoseconds of the processor that a process took, those of its ended threads too (CLOCK_PROCESS of <linux/posix-timers.h>)."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def members(session):
    """The processes of a session."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if int(Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[3]) == session:
                yield int(pid)


class Program(tty_meter.Terminal):
    def __init__(self, command, folder=".", home=None, seconds=120):
        options = argparse.Namespace(command=str(command[0]), args=list(map(str, command[1:])), size=(120, 36), term="xterm-256color",
                                     timeout=seconds)
        with contextlib.chdir(folder), changed("HOME", str(Path(home or folder).resolve())):
            super().__init__(options)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Ends it, and waits until nothing of it is left: what is measured next would feel it."""
        self.close()
        until = time.monotonic() + 10
        while (self.process.poll() is None or any(members(self.pid))) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.2)

    def ms_until(self, pattern, since=None):
        at = self.watch(re.compile(pattern, re.M))
        return None if at is None else 1e3 * max(0.0, at - (self.start if since is None else since))

    def ms_until_still(self, silence=1.5):
        """When the screen changed last before so many seconds without a change."""
        return 1e3 * (self.watch(None, silence) - self.start)

    def key(self, text):
        """(ms to the last byte of the answer, its bytes), or None."""
        got = self.press(text, BURST_S, PATIENCE_S)
        return (1e3 * got[0], got[2]) if got else None

    def type(self, text):
        """Keys whose answers do not count."""
        for character in text:
            self.press(character, BURST_S, 0.3)

    def settle(self, silence=0.5):
        self.watch(None, silence, 20)

    def observe(self, seconds):
        """(bytes a second, per cent of a core) while nobody types. The output is not parsed meanwhile: that would disturb what is measured."""
        self.deadline = max(self.deadline, time.monotonic() + seconds + 60)
        began, sent, spent = time.monotonic(), self.bytes, self.processor_s()
        while (left := began + seconds - time.monotonic()) > 0:
            self.read(left)
            self.backlog.clear()
        took = time.monotonic() - began
        return (self.bytes - sent) / took, 100 * (self.processor_s() - spent) / took

    def processor_s(self):
        """Seconds of the processor that the program and all of its session took."""
        total = 0
        for pid in members(self.pid):
            with contextlib.suppress(OSError):
                total += clock(pid)
        return total / 1e9

    def memory(self, what="VmHWM"):
        """MiB of all of its session: at most (VmHWM) or now (VmRSS)."""
        total = 0.0
        for pid in members(self.pid):
            with contextlib.suppress(OSError):
                found = re.search(rf"{what}:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())
                total += int(found[1]) / 1024 if found else 0
        return total


@contextlib.contextmanager
def changed(name, value):
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def percentile(values, p):
    """The smallest value that at least p % of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * p / 100) - 1)]


def median_interval(values):
    """The median between the order statistics that hold it with 95 % (normal approximation of the binomial): a machine that others use has steps that took
    long for no reason of ours, and a mean would tell of them."""
    ordered, n = sorted(values), len(values)
    reach = 0.98 * n ** 0.5
    return ordered[max(0, int(n / 2 - reach))], statistics.median(ordered), ordered[min(n - 1, int(n / 2 + reach))]
