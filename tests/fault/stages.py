# SPDX-License-Identifier: Apache-2.0
import os
import signal
import time


def add(n: int) -> int:
    return n + 1


def abort(n: int) -> int:
    if n == 50:
        os.abort()
    return n


def die(n: int) -> int:
    if n == 50:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def stick(n: int) -> int:
    """Never returns for 50, but for the first time only."""
    if n == 50:
        try:
            os.mkdir(os.environ["LEAT_TEST_FOLDER"] + "/stuck")
        except FileExistsError:
            return n
        time.sleep(1000)
    return n
