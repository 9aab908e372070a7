# SPDX-License-Identifier: Apache-2.0
"""One run, and very many of its workers killed with SIGKILL at random moments.

The input goes on until enough have been killed. Then the output must be that of a run of
the same records which nobody disturbed, leat must have counted every death, and nothing
may be left behind or have grown.

LEAT_KILLS=N says how many in each run, LEAT_SEED=N repeats the lots that are drawn; the
other variables as in tests/meson.build.
"""

import hashlib
import math
import os
import random
import re
import tempfile
import threading
import time
import unittest

from run import PATIENCE_S, Run, kill

HERE = os.path.dirname(os.path.abspath(__file__))
TOIL = f"{HERE}/stages.c:toil"
VARY = f"{HERE}/stages.c:vary"
MUL = f"{HERE}/stages.c:mul"
ADD = f"{HERE}/stages.py:add"

KILLS = int(os.environ.get("LEAT_KILLS") or 40)
SEED = int(os.environ.get("LEAT_SEED") or random.SystemRandom().getrandbits(32))

# What a kill may take at the most, on a machine that has other things to do.
KILL_S = 1
# leat's own memory and descriptors, from when a tenth are dead to the end.
GROWTH_KIB = 8 << 10
GROWTH_FDS = 2


class Feeder(threading.Thread):
    """Writes 1, 2, 3 … in bursts until it is told that it is enough."""

    def __init__(self, fd, lots):
        super().__init__()
        self.file = open(fd, "wb")
        self.lots = lots
        self.n = 0
        self.enough = threading.Event()

    def run(self):
        try:
            with self.file:
                while not self.enough.is_set():
                    burst = self.lots.choice((1, 10, 100, 1000))
                    self.file.write(numbers(self.n + 1, self.n + burst))
                    self.file.flush()
                    self.n += burst
                    self.enough.wait(self.lots.choice((0, 0, 0.002, 0.02)))
        except BrokenPipeError:
            pass  # the run has failed, and its status will tell


class Reader(threading.Thread):
    """Reads all of an output and keeps its digest and its size."""

    def __init__(self, file):
        super().__init__()
        self.file = file
        self.hash = hashlib.sha256()
        self.size = 0

    def run(self):
        while data := os.read(self.file.fileno(), 1 << 16):
            self.hash.update(data)
            self.size += len(data)

    def result(self):
        self.join()
        return self.size, self.hash.hexdigest()


def numbers(first, last):
    return "".join(f"{i}\n" for i in range(first, last + 1)).encode()


def own_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", file.read(), re.MULTILINE)[1])


def descriptors(run, n_workers):
    """How many leat has while all its workers stand.

    It has fewer from when it has seen a death to when it starts the successor, and some
    more while it does that.
    """
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        before = run.workers()
        fewest = math.inf
        for _ in range(20):
            fewest = min(fewest, len(os.listdir(f"/proc/{run.process.pid}/fd")))
            time.sleep(0.005)
        if len(before) == n_workers and set(run.workers()) == set(before):
            return fewest
    raise TimeoutError(f"{len(run.workers())} workers of {n_workers}")


def said_so_far(run):
    os.set_blocking(run.process.stderr.fileno(), False)
    return (run.process.stderr.read() or b"").decode()


class Soak(unittest.TestCase):
    def setUp(self):
        self.lots = random.Random(SEED)

    def start(self, *arguments, stdin):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        run = Run(*arguments, stdin=stdin, folder=folder.name)
        self.addCleanup(run.end)
        reader = Reader(run.process.stdout)
        reader.start()
        return run, reader

    def undisturbed(self, arguments, n):
        with tempfile.TemporaryFile() as file:
            file.write(numbers(1, n))
            file.seek(0)
            run, reader = self.start(*arguments, stdin=file)
        self.assertEqual(run.process.wait(), 0)
        self.assertEqual(run.process.stderr.read(), b"")
        return reader.result()

    def await_output(self, run, reader, more):
        """Whatever it is that was killed, records come out again."""
        size = reader.size + more
        until = time.monotonic() + 30
        while reader.size < size:
            self.assertLess(time.monotonic(), until, "no output")
            self.assertTrue(reader.is_alive(), "the output has ended: " + said_so_far(run))
            time.sleep(0.001)

    def kill_workers(self, run, reader):
        """Kills one after the other; returns leat's size early on and at the end."""
        n_workers = len(run.workers())
        killed = set()
        sizes = []
        while len(killed) < KILLS:
            if self.lots.random() < 0.7:
                time.sleep(self.lots.expovariate(1 / 0.03))
            else:
                self.await_output(run, reader, self.lots.choice((1, 100, 1000)))
            victims = [pid for pid in run.workers() if pid not in killed]
            if victims:
                victim = self.lots.choice(victims)
                kill(victim)
                killed.add(victim)
            if len(killed) in (KILLS // 10, KILLS):
                sizes.append((descriptors(run, n_workers), own_kib(run.process.pid)))
        return sizes[0], sizes[-1]

    def soak(self, *arguments):
        read, write = os.pipe()
        began = time.monotonic()
        run, reader = self.start(*arguments, stdin=read)
        os.close(read)
        feeder = Feeder(write, random.Random(SEED))
        feeder.start()
        try:
            self.await_output(run, reader, 1)
            early, late = self.kill_workers(run, reader)
        except BaseException:
            # One that is stuck reads no more, and the feeder would wait for it.
            run.end()
            raise
        finally:
            feeder.enough.set()
            feeder.join()
        status = run.process.wait(timeout=60)
        error = run.process.stderr.read().decode()
        took = time.monotonic() - began
        self.assertEqual(status, 0, error)
        self.assertEqual(run.left(), [], "processes are left")
        self.assertEqual(reader.result(), self.undisturbed(arguments, feeder.n))
        times = re.findall(r"kill -9\)(?:, (\d+) times)?; its process was replaced\n", error)
        self.assertEqual(sum(int(n or 1) for n in times), KILLS, error)
        self.assertLess(took, 60 + KILLS * KILL_S)
        self.assertLessEqual(late[0], early[0] + GROWTH_FDS, "descriptors")
        self.assertLess(late[1], early[1] + GROWTH_KIB, "memory")
        print(
            f"{KILLS} killed in {took:.1f} s, {feeder.n} records, {reader.size} bytes; "
            f"descriptors {early[0]}, then {late[0]}; own memory {early[1]} KiB, then {late[1]}",
            flush=True,
        )

    def test_c_stages(self):
        self.soak(
            *("-m", "processes", "-j", "2", "-w", "toil=3", "--serial", "mul"),
            *(VARY, TOIL, MUL, "more=" + VARY, "again=" + TOIL),
        )

    def test_python_and_c_stages(self):
        self.soak(
            *("-m", "processes", "-j", "2", "-w", "add=2", "-w", "toil=2", "--serial", "mul"),
            *(VARY, ADD, TOIL, "again=" + ADD, MUL),
        )


if __name__ == "__main__":
    print(f"seed {SEED}", flush=True)
    unittest.main()
