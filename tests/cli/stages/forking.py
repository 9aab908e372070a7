# SPDX-License-Identifier: Apache-2.0
"""Functions that fork, and whose child comes back, or ends by itself."""

import multiprocessing
import os


def returns(n: int) -> int:
    if os.fork() == 0:
        return n + 1000
    os.wait()
    return n


def raises(n: int) -> int:
    if os.fork() == 0:
        raise ValueError("of the child")
    os.wait()
    return n


def exits(n: int) -> int:
    child = os.fork()
    if child == 0:
        raise SystemExit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def pool(n: int) -> int:
    with multiprocessing.get_context("fork").Pool(2) as workers:
        return sum(workers.map(abs, [n, -n]))
