# SPDX-License-Identifier: Apache-2.0
"""The work of peers/work.py as stages.

BENCH_SPINS holds the spins of the three, as the peers have them in an argument.
"""

import os

_SPINS = [int(text) for text in os.environ.get("BENCH_SPINS", "0,0,0").split(",")]


def _step(n, spins):
    x = n
    for _ in range(spins):
        x = (x * 1103515245 + 12345) & 0x3FFFFFFF
    return n + 1


def tiny(n: int) -> int:
    return n + 1


def first(n: int) -> int:
    return _step(n, _SPINS[0])


def second(n: int) -> int:
    return _step(n, _SPINS[1])


def third(n: int) -> int:
    return _step(n, _SPINS[2])
