# SPDX-License-Identifier: Apache-2.0
import os
import signal
import time


def first_time(what):
    try:
        os.mkdir(os.path.join(os.environ["LEAT_TEST_FOLDER"], what))
        return True
    except FileExistsError:
        return False


def add(n: int) -> int:
    return n + 1


def add_with_care(n: int) -> int:
    for _ in range(200):
        pass
    return n + 1


def abort(n: int) -> int:
    if n == 50:
        first_time("aborted")
        os.abort()
    return n


def die(n: int) -> int:
    if n == 50:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def stick(n: int) -> int:
    """Never returns for 50, but for the first time only."""
    if n == 50 and first_time("stuck"):
        time.sleep(1000)
    return n


def doze(n: int) -> int:
    if n == 1000:
        time.sleep(1000)
    return n


class Numbered:
    """Numbers its records: a state that must not begin anew."""

    def __init__(self):
        self.n = 0

    def __call__(self, record: int) -> int:
        self.n += 1
        return self.n
