# SPDX-License-Identifier: Apache-2.0
"""The component as a program of its own: integers in, a line each, and factorials out.

    printf '11\n11\n' | python3 mul_program.py | python3 add_program.py
"""

import sys
import time

from mul import mul

# Python 3.11 and later refuse to write more than 4300 digits unless told otherwise.
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)

for line in sys.stdin:
    start = time.time()
    result = mul(int(line))
    print("Time cost for mul", time.time() - start, file=sys.stderr)
    # The next program waits for this line.
    print(result, flush=True)
