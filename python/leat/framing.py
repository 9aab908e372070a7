# SPDX-License-Identifier: Apache-2.0
"""How records follow one another in a batch: src/record/frame.h for Python."""

from . import _library


class Separated:
    """Each record is ended by one byte that must not occur in it."""

    def __init__(self, separator, complaint):
        self._separator = separator
        self._complaint = complaint

    def split(self, data):
        records = data.split(self._separator)
        if not records[-1]:
            records.pop()
        return records

    def join(self, records):
        return b"".join([record + self._separator for record in records])

    def pack(self, writer, values, kinds):
        """The framed records of values; see codec.py for kinds and for what an exception means."""
        return writer.pack(values, kinds, self._separator)

    def complaint(self, record):
        """What is wrong with this record in this framing; None if nothing is."""
        return self._complaint if self._separator in record else None


class Prefixed:
    """Each record is preceded by its length: 4 bytes, little-endian."""

    def split(self, data):
        records = []
        end = 0
        while end < len(data):
            start = end + 4
            end = start + int.from_bytes(data[end:start], "little")
            records.append(data[start:end])
        return records

    def join(self, records):
        return b"".join(
            [len(record).to_bytes(4, "little") + record for record in records]
        )

    def pack(self, writer, values, kinds):
        return self.join(list(map(writer.write, values)))

    def complaint(self, record):
        return None


BY_NUMBER = {
    _library.NEWLINE: Separated(
        b"\n", "gave a record that holds a newline; use --frame nul or u32"
    ),
    _library.NUL: Separated(b"\0", "gave a record that holds a zero byte; use --frame u32"),
    _library.U32: Prefixed(),
}
