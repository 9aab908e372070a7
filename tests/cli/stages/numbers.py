# SPDX-License-Identifier: Apache-2.0


def increment(n: int) -> int:
    return n + 1


def twice(n: int) -> int:
    return 2 * n
