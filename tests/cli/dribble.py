# SPDX-License-Identifier: Apache-2.0
"""Writes FILE to stdout in pieces of random sizes, with random pauses and without."""

import os
import random
import sys
import time

seed = int(os.environ.get("LEAT_SEED") or random.SystemRandom().getrandbits(32))
random.seed(seed)
print(f"dribble: LEAT_SEED={seed}", file=sys.stderr)
with open(sys.argv[1], "rb") as file:
    data = file.read()
while data:
    size = random.choice((1, 7, 60, 600, 6000))
    data = data[os.write(1, data[:random.randint(1, size)]):]
    if random.random() < 0.3:
        time.sleep(random.choice((0, 0.00005, 0.0005)))
