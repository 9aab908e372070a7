# SPDX-License-Identifier: Apache-2.0
"""The work of every part in Python, and what the Python peers have in common."""

import functools
import json
import sys
import time

STAGES = 3


def step(n, spins):
    """n + 1, after a loop that only its length makes slow."""
    x = n
    for _ in range(spins):
        x = (x * 1103515245 + 12345) & 0x3FFFFFFF
    return n + 1


def tiny(n):
    """The same without the loop: what is left is the call."""
    return n + 1


def chain(spins, n):
    for each in spins:
        n = step(n, each)
    return n


def tiny_chain(n):
    return tiny(tiny(tiny(n)))


def whole_chain(spins):
    """The three stages as one function of n, which a process pool can pickle."""
    return functools.partial(chain, spins) if any(spins) else tiny_chain


def main(run):
    """ITEMS BATCH SPINS,SPINS,SPINS WORKERS: runs, checks the result, prints one line.

    run(items, batch, spins, workers) gives the results in order.
    """
    if len(sys.argv) != 5:
        sys.exit(f"usage: {sys.argv[0]} ITEMS BATCH SPINS,SPINS,SPINS WORKERS")
    items, batch, workers = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[4])
    spins = [int(text) for text in sys.argv[3].split(",")]
    start = time.monotonic()
    cpu = time.process_time()
    count = total = 0
    for n in run(items, batch, spins, workers):
        count += 1
        total += n
    wall = time.monotonic() - start
    cpu = time.process_time() - cpu
    expected = items * (items - 1) // 2 + STAGES * items
    if (count, total) != (items, expected):
        sys.exit(f"wrong result: {count} items, sum {total}; expected {items}, {expected}")
    print(json.dumps({"items": count, "sum": total, "wall": wall, "own_cpu": cpu}))
