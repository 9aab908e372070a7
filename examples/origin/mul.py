# SPDX-License-Identifier: Apache-2.0
"""A component that takes its time: a plain function, which knows nothing of chains."""

import os

REPEATS = int(os.environ.get("ORIGIN_REPEATS", 4_000_000))


def mul(n: int) -> int:
    """The factorial of n, recomputed REPEATS times."""
    result = 1
    for _ in range(REPEATS):
        result = 1
        for i in range(1, n + 1):
            result *= i
    return result
