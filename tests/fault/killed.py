# SPDX-License-Identifier: Apache-2.0
"""Kills processes of a run with SIGKILL: it ends soon, says why, and leaves nothing behind.

python3 killed.py [SEED]; LEAT and LEAT_SOURCE as in tests/meson.build.
"""

import os
import random
import re
import select
import signal
import subprocess
import sys
import time
import unittest
import uuid

LEAT = os.environ["LEAT"]
HERE = os.path.dirname(os.path.abspath(__file__))
MUL = f"{HERE}/stages.c:mul"
ADD = f"{HERE}/stages.py:add"
DIE = f"{HERE}/stages.py:die"
STICK = f"{HERE}/stages.py:stick"
MODES = ("single", "threads", "processes", "auto", "shell")
KILLED = r"was killed by SIGKILL \(out of memory, or kill -9\)"
PATIENCE_S = 30

CANNOT_START = 2  # enum leat_status
STOPPED = 3

SEED = int(sys.argv.pop()) if sys.argv[1:] else random.SystemRandom().getrandbits(32)


class Run:
    """A run whose processes are known by a mark in their environment."""

    def __init__(self, *arguments, stdin):
        self.mark = f"LEAT_TEST_RUN={uuid.uuid4()}"
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            [LEAT, "run", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, name: value},
        )
        self.output = b""

    def pids(self):
        """Its living processes but leat itself."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == self.process.pid:
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if self.mark.encode() in file.read().split(b"\0"):
                        found.append(int(entry))
            except OSError:
                pass  # gone, or not ours
        return found

    def read(self, size):
        """Reads until there are this many bytes of output, or its end."""
        until = time.monotonic() + PATIENCE_S
        while len(self.output) < size:
            ready, _, _ = select.select([self.process.stdout], [], [], until - time.monotonic())
            if not ready:
                raise TimeoutError("no output")
            data = os.read(self.process.stdout.fileno(), size - len(self.output))
            if not data:
                break
            self.output += data

    def finish(self):
        """Returns its exit status and what it wrote to stderr."""
        try:
            output, error = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.end()
            raise
        self.output += output
        return self.process.returncode, error.decode()

    def end(self):
        for pid in [self.process.pid, *self.pids()]:
            kill(pid)
        self.process.communicate()


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def numbers(n):
    return "".join(f"{i}\n" for i in range(1, n + 1)).encode()


def file_of(data):
    fd = os.memfd_create("input")
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


class Killed(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)

    def start(self, *arguments, stdin):
        run = Run(*arguments, stdin=stdin)
        self.addCleanup(run.end)
        return run

    def start_file(self, *arguments, data):
        fd = file_of(data)
        try:
            return self.start(*arguments, stdin=fd)
        finally:
            os.close(fd)

    def assert_ended(self, run, whole, names):
        """Returns its status, after a process of it may have been killed."""
        status, error = run.finish()
        self.assertEqual(run.pids(), [], "processes are left")
        if status == 0:
            self.assertEqual(error, "")
            self.assertEqual(run.output, whole)
            return status
        self.assertIn(status, (CANNOT_START, STOPPED), error)
        self.assertTrue(whole.startswith(run.output), "no prefix of the right output")
        self.assertTrue(run.output == b"" or run.output.endswith(b"\n"), "half a record")
        self.assertRegex(error, rf"\Aleat: stage '({names})': [^\n]*{KILLED}[^\n]*\n\Z")
        if status == CANNOT_START:
            self.assertEqual(run.output, b"")
        return status

    def kill_at_random(self, mode, chain, names, n_runs):
        """Kills any process of the run, when any part of the output has been read."""
        data = numbers(20000)
        whole = b"".join(b"%d\n" % (3 * (i + 1)) for i in range(1, 20001))
        statuses = []
        for nth in range(n_runs):
            with self.subTest(mode=mode, run=nth):
                run = self.start_file("-m", mode, *chain, data=data)
                if self.random.random() < 0.3:
                    # While it starts, or soon after.
                    time.sleep(self.random.random() * 0.2)
                else:
                    run.read(self.random.randrange(1, len(whole)))
                victims = run.pids()
                if victims:
                    kill(self.random.choice(victims))
                statuses.append(self.assert_ended(run, whole, names))
        # That it was hit at all is part of the test.
        self.assertIn(STOPPED, statuses)

    def test_a_worker_process(self):
        self.kill_at_random("processes", (ADD, MUL), "add|mul", 40)

    def test_a_worker_process_between_others(self):
        half = f"half={HERE}/stages.c:same"
        self.kill_at_random("processes", (half, ADD, MUL), "half|add|mul", 20)

    def test_a_process_of_any_mode(self):
        for mode in MODES:
            self.kill_at_random(mode, (ADD, MUL), "add|mul", 10)

    def test_the_stage_that_was_killed_is_named(self):
        """In this mode each stage has a process, which has its number last."""
        for number, name in enumerate(("add", "mul")):
            run = self.start_file("-m", "processes", ADD, MUL, data=numbers(20000))
            run.read(1)
            for pid in run.pids():
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if file.read().split(b"\0")[-2] == b"%d" % number:
                        kill(pid)
            status, error = run.finish()
            self.assertEqual(status, STOPPED)
            self.assertRegex(error, rf"\Aleat: stage '{name}': [^\n]*{KILLED}")

    def test_a_stage_that_ends_its_own_process(self):
        """What came before the record comes out, where a process has but one stage."""
        for mode in MODES:
            for chain in ((DIE, ADD), (DIE, ADD, MUL), (ADD, DIE), (ADD, DIE, f"b={ADD}")):
                with self.subTest(mode=mode, chain=chain):
                    before = chain.index(DIE)
                    record = 50 - before
                    behind = chain[before + 1 :]
                    run = self.start_file("-m", mode, *chain, data=numbers(200))
                    status, error = run.finish()
                    self.assertEqual(run.pids(), [])
                    self.assertEqual(status, STOPPED)
                    factor = 3 if MUL in behind else 1
                    more = len(chain) - 1 - (MUL in behind)
                    whole = b"".join(b"%d\n" % (factor * (i + more)) for i in range(1, record))
                    if mode == "threads":
                        said = rf"'(die|add|b)': the process it shares {KILLED}, record [^\n]*"
                        self.assertTrue(whole.startswith(run.output))
                    else:
                        said = rf"'die': {KILLED}, record {record}: \"50\""
                        self.assertEqual(run.output, whole)
                    self.assertRegex(error, rf"\Aleat: stage {said}\n\Z")

    def test_a_stage_that_is_stuck(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                read, write = os.pipe()
                run = self.start("-m", mode, STICK, MUL, stdin=read)
                os.close(read)
                os.write(write, numbers(60))
                whole = b"".join(b"%d\n" % (3 * i) for i in range(1, 50))
                run.read(len(whole) if mode != "threads" else 1)
                victims = run.pids()
                self.assertTrue(victims)
                kill(self.random.choice(victims))
                status = self.assert_ended(run, whole, "stick|mul")
                self.assertEqual(status, STOPPED)
                os.close(write)

    def test_leat_itself(self):
        """Its children end with it, whatever they do and whoever feeds them."""
        for mode in MODES:
            for chain in ((ADD, MUL), (STICK, MUL), (ADD, "cat", MUL)):
                with self.subTest(mode=mode, chain=chain):
                    # In turns a command would not start before the end of the input.
                    if mode == "single" and "cat" in chain:
                        continue
                    read, write = os.pipe()
                    run = self.start("-m", mode, *chain, stdin=read)
                    os.close(read)
                    os.write(write, numbers(60))
                    run.read(1)
                    kill(run.process.pid)
                    until = time.monotonic() + 1
                    while run.pids() and time.monotonic() < until:
                        time.sleep(0.01)
                    self.assertEqual(run.pids(), [], "children outlived leat")
                    os.close(write)


if __name__ == "__main__":
    print(f"seed {SEED}", flush=True)
    unittest.main()
