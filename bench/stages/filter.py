# SPDX-License-Identifier: Apache-2.0
"""A filter as people write them in Python: a line in, its second word doubled, a line out."""

import sys

for line in sys.stdin:
    words = line.split()
    print(words[0], 2 * int(words[1]))
