# SPDX-License-Identifier: Apache-2.0
import os
import signal
import time


def add(n: int) -> int:
    return n + 1


def die(n: int) -> int:
    if n == 50:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def stick(n: int) -> int:
    if n == 50:
        time.sleep(1000)
    return n
