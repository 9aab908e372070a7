# SPDX-License-Identifier: Apache-2.0
import os
import signal
import sys


def fail(n: int) -> int:
    if n == 3:
        raise ValueError("three is too many")
    return n


def leave(n: int) -> int:
    if n == 3:
        sys.exit(0)
    return n


def vanish(n: int) -> int:
    if n == 3:
        os._exit(0)
    return n


def die(n: int) -> int:
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return n
