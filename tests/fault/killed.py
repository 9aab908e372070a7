# SPDX-License-Identifier: Apache-2.0
"""Kills processes of a run with SIGKILL: nothing is lost, and nothing left behind.

LEAT and the other variables as in tests/meson.build; LEAT_SEED=N repeats a run.
"""

import os
import random
import tempfile
import time
import unittest

from run import PATIENCE_S, Run, arguments_of, file_of, kill

HERE = os.path.dirname(os.path.abspath(__file__))
MUL = f"{HERE}/stages.c:mul"
SAME = f"{HERE}/stages.c:same"
ADD = f"{HERE}/stages.py:add"
ADD_WITH_CARE = f"add={HERE}/stages.py:add_with_care"
ABORT = f"{HERE}/stages.py:abort"
DIE = f"{HERE}/stages.py:die"
STICK = f"{HERE}/stages.py:stick"
DOZE = f"{HERE}/stages.py:doze"
MODES = ("single", "threads", "processes", "auto", "shell")
KILLED = r"was killed by SIGKILL \(out of memory, or kill -9\)"

STOPPED = 3  # enum leat_status

SEED = int(os.environ.get("LEAT_SEED") or random.SystemRandom().getrandbits(32))


def await_path(path):
    until = time.monotonic() + PATIENCE_S
    while not os.path.exists(path):
        if time.monotonic() > until:
            raise TimeoutError(path)
        time.sleep(0.01)


def numbers(n):
    return "".join(f"{i}\n" for i in range(1, n + 1)).encode()


def is_program(pid):
    """Whether it is a stage of shell mode, which is a program of its own."""
    return arguments_of(pid)[1:2] == [b"stage"]


def replaced(names):
    """What a run says at its end of workers that were killed: a line a stage."""
    said = rf"(the process it shares )?{KILLED}(, \d+ times)?; its process was replaced"
    return rf"\A(leat: stage '({names})': {said}\n)*\Z"


class Killed(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)

    def start(self, *arguments, stdin):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        run = Run(*arguments, stdin=stdin, folder=folder.name)
        self.addCleanup(run.end)
        return run

    def start_file(self, *arguments, data):
        fd = file_of(data)
        try:
            return self.start(*arguments, stdin=fd)
        finally:
            os.close(fd)

    def kill_some(self, run, size):
        """Kills up to three processes at random moments; returns whether a program was hit."""
        program = False
        for _ in range(self.random.randint(1, 3)):
            if self.random.random() < 0.3:
                # While it starts, or soon after.
                time.sleep(self.random.random() * 0.2)
            else:
                run.read(self.random.randrange(1, size))
            victims = run.workers()
            if victims:
                victim = self.random.choice(victims)
                program |= is_program(victim)
                kill(victim)
        return program

    def assert_whole(self, run, whole, names):
        """All came through; returns what was said of workers that were replaced."""
        status, error = run.finish()
        self.assertEqual(run.left(), [], "processes are left")
        self.assertEqual(status, 0, error)
        self.assertTrue(run.output == whole, "wrong output")
        self.assertRegex(error, replaced(names))
        return error

    def assert_stopped(self, run, whole, names):
        """A program was killed: it had ended, or has written some records, the last in part."""
        status, error = run.finish()
        self.assertEqual(run.left(), [], "processes are left")
        self.assertIn(status, (0, STOPPED), error)
        if status == 0:
            self.assertTrue(run.output == whole, "wrong output")
            return
        # Half a record too, as of any program that is killed while it writes.
        self.assertTrue(whole.startswith(run.output), "no prefix of the right output")
        told = [line for line in error.splitlines() if "was replaced" not in line]
        self.assertEqual(len(told), 1, error)
        self.assertRegex(told[0], rf"\Aleat: stage '({names})': {KILLED}\Z")

    def kill_at_random(self, options, chain, names, n_runs):
        n = 100000
        whole = b"".join(b"%d\n" % (3 * (i + 1)) for i in range(1, n + 1))
        said = ""
        for nth in range(n_runs):
            with self.subTest(options=options, run=nth):
                run = self.start_file(*options, *chain, data=numbers(n))
                if self.kill_some(run, len(whole)):
                    self.assert_stopped(run, whole, names)
                else:
                    said += self.assert_whole(run, whole, names)
        # That a worker was hit at all is part of the test.
        if "shell" not in options:
            self.assertNotEqual(said, "")

    def test_worker_processes(self):
        self.kill_at_random(("-m", "processes"), (ADD, MUL), "add|mul", 10)

    def test_worker_processes_of_many_stages(self):
        chain = ("a=" + SAME, ADD, "b=" + SAME, MUL, "c=" + SAME)
        self.kill_at_random(("-m", "processes"), chain, "a|add|b|mul|c", 5)

    def test_processes_of_any_mode(self):
        for mode in MODES:
            self.kill_at_random(("-m", mode), (ADD, MUL), "add|mul", 3)

    def test_workers_of_a_pool(self):
        for mode in ("processes", "auto", "threads"):
            self.kill_at_random(("-m", mode, "-j", "3"), (ADD, MUL), "add|mul", 4)

    def test_as_many_workers_as_are_of_use(self):
        """Some are started, or killed, while they are."""
        for options in (("-j", "auto"), ("-w", "add=auto", "-w", "mul=auto")):
            for mode in ("processes", "auto"):
                chain = (ADD_WITH_CARE, MUL)
                self.kill_at_random(("-m", mode, *options), chain, "add|mul", 2)

    def test_workers_of_a_pool_without_order(self):
        whole = sorted(b"%d" % (3 * (i + 1)) for i in range(1, 50001))
        for nth in range(4):
            with self.subTest(run=nth):
                options = ("-m", "processes", "-j", "3", "--unordered")
                run = self.start_file(*options, ADD, MUL, data=numbers(50000))
                self.kill_some(run, 200000)
                status, error = run.finish()
                self.assertEqual(status, 0, error)
                self.assertTrue(sorted(run.output.split()) == whole, "wrong output")

    def test_the_stage_that_was_killed_is_named(self):
        """In this mode each stage has a process, which has its number last."""
        for number, name in enumerate(("add", "mul")):
            run = self.start_file("-m", "processes", ADD, MUL, data=numbers(100000))
            run.read(1)
            for pid in run.workers():
                if arguments_of(pid)[-2] == b"%d" % number:
                    kill(pid)
            status, error = run.finish()
            self.assertEqual(status, 0)
            self.assertRegex(error, replaced(name))
            self.assertNotEqual(error, "")

    def assert_dies_of_50(self, mode, chain, stage, how):
        """What came before the record comes out, and the line tells the record."""
        before = chain.index(stage)
        record = 50 - before
        factor = 3 if MUL in chain[before:] else 1
        more = len(chain) - 1 - (MUL in chain)
        whole = b"".join(b"%d\n" % (factor * (i + more)) for i in range(1, record))
        run = self.start_file("-m", mode, *chain, data=numbers(200))
        status, error = run.finish()
        self.assertEqual(run.left(), [])
        self.assertEqual(status, STOPPED)
        self.assertEqual(run.output, whole)
        name = stage.split(":")[1]
        self.assertRegex(
            error,
            rf"\Aleat: stage '{name}': (the process it shares )?{how} times, "
            rf'record {record}: "50"\n\Z',
        )

    def test_a_stage_that_kills_every_worker(self):
        for mode in MODES:
            for chain in ((ABORT, ADD), (ABORT, ADD, MUL), (ADD, ABORT), (ADD, ABORT, "b=" + ADD)):
                with self.subTest(mode=mode, chain=chain):
                    self.assert_dies_of_50(mode, chain, ABORT, r"was killed by SIGABRT, \d+")

    def test_a_stage_that_seems_to_be_killed(self):
        for mode in ("single", "processes"):
            with self.subTest(mode=mode):
                self.assert_dies_of_50(mode, (DIE, ADD), DIE, rf"{KILLED}, \d+")

    def test_a_stage_that_is_stuck(self):
        """To kill its process helps."""
        for mode in MODES:
            with self.subTest(mode=mode):
                read, write = os.pipe()
                run = self.start("-m", mode, STICK, SAME, stdin=read)
                os.close(read)
                os.write(write, numbers(60))
                os.close(write)
                # Its batch may hold records before that one, which then wait for it.
                await_path(f"{run.folder}/stuck")
                victims = [pid for pid in run.workers() if b"host" not in arguments_of(pid)]
                victims = [pid for pid in victims if not is_program(pid)]
                self.assertEqual(len(victims), 1)
                kill(victims[0])
                self.assertNotEqual(self.assert_whole(run, numbers(60), "stick|same"), "")

    def test_a_stage_that_is_stuck_before_one_that_fails(self):
        """The end of the run does not wait for it."""
        for mode in MODES:
            with self.subTest(mode=mode):
                read, write = os.pipe()
                run = self.start("-m", mode, DOZE, ABORT, stdin=read)
                os.close(read)
                os.write(write, numbers(50))
                await_path(f"{run.folder}/aborted")
                os.write(write, b"1000\n")
                status, error = run.finish()
                os.close(write)
                self.assertEqual(run.left(), [], "processes are left")
                self.assertEqual(status, STOPPED)
                self.assertEqual(run.output, numbers(49))
                self.assertIn("stage 'abort': ", error)

    def test_a_program_behind_another(self):
        """The one before it, which nobody reads any more, ends without a word."""
        run = self.start_file("-m", "shell", ADD, MUL, data=numbers(1000000))
        run.read(1)
        programs = [pid for pid in run.workers() if is_program(pid)]
        self.assertEqual(len(programs), 2)
        kill(next(pid for pid in programs if MUL.encode() in arguments_of(pid)))
        status, error = run.finish()
        self.assertEqual(run.left(), [], "processes are left")
        self.assertEqual(status, STOPPED)
        self.assertRegex(error, rf"\Aleat: stage 'mul': {KILLED}\n\Z")

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
