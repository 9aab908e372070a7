# SPDX-License-Identifier: Apache-2.0
"""A component that takes what mul gives: a plain function, which knows nothing of chains."""


def add(n: int) -> int:
    """1 + 2 + ... + n, one addition after the other."""
    result = 0
    for i in range(1, n + 1):
        result += i
    return result
