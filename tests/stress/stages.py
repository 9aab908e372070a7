# SPDX-License-Identifier: Apache-2.0
"""alter() is the same as in stages.c, and so is Number as number()."""


def alter(record: bytes) -> bytes:
    if not record:
        yield b"empty"
        return
    size = len(record)
    how = (size * 40503 + record[0] * 251 + record[-1] * 7919 & 0xFFFF) % 8
    if how == 1:
        yield record
        yield record[::-1]
    elif how == 2:
        yield record + record
    elif how > 2:
        yield record[1:] + record[:1]


class Number:
    def __init__(self):
        self.count = 0

    def __call__(self, record: bytes) -> bytes:
        self.count += 1
        return b"%d:%s" % (self.count, record)
