# SPDX-License-Identifier: Apache-2.0
"""Kills the process of a Python class: its state is never lost in silence.

LEAT_KILLS=100 for a long run; LEAT_SEED=N repeats one.
"""

import os
import random
import tempfile
import time
import unittest

from run import Run, file_of, kill

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBERED = f"{HERE}/stages.py:Numbered"
ADD = f"{HERE}/stages.py:add"
MODES = ("single", "threads", "processes", "auto", "shell")
KILLS = int(os.environ.get("LEAT_KILLS") or 10)
SEED = int(os.environ.get("LEAT_SEED") or random.SystemRandom().getrandbits(32))

RECORDS = 20000
STOPPED = 3  # enum leat_status


class State(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)

    def killed(self, *arguments):
        """A run of which some process was killed at a random moment, and its status and words."""
        data = "".join(f"{i * 7}\n" for i in range(RECORDS)).encode()
        fd = file_of(data)
        with tempfile.TemporaryDirectory() as folder:
            run = Run(*arguments, stdin=fd, folder=folder)
            os.close(fd)
            try:
                if self.random.random() < 0.3:
                    time.sleep(self.random.random() * 0.3)
                else:
                    run.read(self.random.randrange(1, 60000))
                victims = run.workers()
                if victims:
                    kill(self.random.choice(victims))
                status, error = run.finish()
                self.assertEqual(run.left(), [], "processes are left")
            finally:
                run.end()
        return run, status, error

    def test_numbers_never_begin_again(self):
        whole = "".join(f"{i}\n" for i in range(1, RECORDS + 1)).encode()
        statuses = {0: 0, STOPPED: 0}
        for turn in range(KILLS):
            mode = MODES[turn % len(MODES)]
            options = self.random.choice(([], ["-j2"])) if mode != "single" else []
            run, status, error = self.killed("-m", mode, *options, NUMBERED)
            with self.subTest(mode=mode, options=options, seed=SEED, error=error):
                self.assertIn(status, statuses)
                statuses[status] += 1
                if status == 0:
                    self.assertTrue(run.output == whole, "wrong output, and status 0")
                else:
                    self.assertTrue(whole.startswith(run.output), "no prefix of the right output")
        # Most are killed in the middle of their work.
        self.assertGreater(statuses[STOPPED], 0)

    def test_a_new_state_is_for_who_asks(self):
        for _ in range(max(2, KILLS // 10)):
            run, status, error = self.killed("-m", "processes", "--restart-state", NUMBERED)
            self.assertEqual(status, 0, error)
            self.assertEqual(run.output.count(b"\n"), RECORDS)


if __name__ == "__main__":
    unittest.main()
