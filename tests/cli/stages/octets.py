# SPDX-License-Identifier: Apache-2.0


def copy(record: bytes) -> bytes:
    return record


def reverse(record: bytes) -> bytes:
    return record[::-1]


def split(record: bytes) -> bytes:
    return b"a\nb"


def longer(record: bytes) -> bytes:
    return record * 10
