# SPDX-License-Identifier: Apache-2.0
"""Prints the median time in ms from exec to the first byte that COMMAND... prints."""

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 31


def measure(command):
    input_read, input_write = os.pipe()
    os.write(input_write, b"1\n")
    start = time.monotonic()
    with subprocess.Popen(command, stdin=input_read, stdout=subprocess.PIPE) as process:
        os.close(input_read)
        first = process.stdout.read(1)
        took = time.monotonic() - start
        os.close(input_write)
        process.stdout.read()
    if not first or process.returncode != 0:
        sys.exit(f"status {process.returncode}, output {first!r}")
    return took * 1000


measure(sys.argv[1:])  # whatever must be compiled is compiled
print(f"{statistics.median(measure(sys.argv[1:]) for _ in range(ROUNDS)):.1f}")
