# SPDX-License-Identifier: Apache-2.0
"""All that a Python stage may be."""

import sys


def odd(n: int):
    return n if n % 2 else None


def up_to(n: int):
    for i in range(n):
        yield i


class Total:
    def __init__(self):
        self.total = 0

    def __call__(self, n: int) -> int:
        self.total += n
        return self.total


def swap(pair):
    return {"a": pair["b"], "b": pair["a"]}


def half(x: float) -> float:
    return x / 2


def upper(text: str) -> str:
    return text.upper()


def talk(n: int) -> int:
    print("talking", n)
    print("muttering", n, file=sys.stderr)
    return n
