# SPDX-License-Identifier: Apache-2.0
import atexit
import os
import signal
import subprocess
import sys
import threading
import time

LINES = 125


def talk(n: int) -> int:
    """Each line tells its own length; some are longer than what a pipe takes at once."""
    for k in range(LINES):
        length = 5000 if k == 7 else (n * 31 + k * 17) % 200
        start = f"{n} {k} {length} "
        print(start + "x" * length, file=sys.stdout if k % 2 else sys.stderr)
    return n


def in_turns(n: int) -> int:
    print(f"printed {n}")
    print(f"written {n}", file=sys.stderr)
    os.write(2, b"raw %d\n" % n)
    return n


def unended(n: int) -> int:
    sys.stderr.write(f"no newline {n}")
    return n


def abort(n: int) -> int:
    if n == 3:
        print("three, says print")
        print('three, says "stderr"\t', file=sys.stderr)
        os.abort()
    return n


def raise_in_vain(n: int) -> int:
    try:
        raise ValueError("as a test")
    except ValueError:
        sys.excepthook(*sys.exc_info())
        os._exit(7)


def mourned(n: int) -> int:
    """Its child has its stderr, and outlives it."""
    if n == 1:
        child = subprocess.Popen(["sleep", "1000"], process_group=0)
        with open("child", "w") as file:
            file.write(str(child.pid))
    return n


def stays(n: int) -> int:
    if n == 1:
        atexit.register(time.sleep, 1000)
    return n


def first_times(what, times):
    """Whether it is one of the first calls for this; in all processes together."""
    for i in range(times):
        try:
            os.mkdir(f"{what}.{i}")
            return True
        except FileExistsError:
            pass
    return False


def dies_for_many_reasons(n: int) -> int:
    if n == 3 and first_times("killed", 4):
        os.kill(os.getpid(), signal.SIGKILL)
    if n == 3 and first_times("crashed", 2):
        os.abort()
    return n


_innocent = threading.Event()


def in_company(n: int) -> int:
    """Record 2 ends the process while record 1, if it can be, is worked on beside it."""
    if n == 1:
        _innocent.set()
        time.sleep(1)
    elif n == 2:
        _innocent.wait(0.5)
        os.abort()
    return n
