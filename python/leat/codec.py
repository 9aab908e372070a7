# SPDX-License-Identifier: Apache-2.0
"""Codecs: between a record's bytes and what a stage's function takes and gives.

A codec has two ways in and two ways out:

    read(record)                one record; RecordError says what is wrong with it
    read_all(records)           a list of them, fast; any exception means: find
                                out which one with read()
    write(value)                one value; RecordError says what is wrong with it
    pack(values, kinds, separator)
                                all of them, each followed by the separator; kinds
                                is the set of their types. Any exception means:
                                find out which one with write()

kind is the machine type that batches may have between neighbours that both use it, and
arrays the types of values that can be put into an array of it.

Neither reading nor writing has an effect, so that a batch may be read or packed
again after an exception. None is never given to a writer.
"""

from . import standard

# enum leat_kind, and what the array module calls the types.
RECORDS, I64, F64 = range(3)
TYPECODES = {I64: "q", F64: "d"}

_INTEGERS = {int, bool}
_NUMBERS = {float, int, bool}


class RecordError(Exception):
    """A record that cannot be read, or a value that cannot be written; a line for a person."""


def for_type(kind):
    """The codec for int, float, str and bytes; JSON for anything else."""
    return _BY_TYPE.get(kind) or Json()


class _Text:
    """A codec whose values have no machine type."""

    kind = RECORDS
    arrays = frozenset()


class Int:
    """Decimal digits, without an upper bound."""

    kind = I64
    arrays = _INTEGERS

    def read(self, record):
        try:
            return int(record)
        except ValueError:
            raise RecordError(f"not an int: {_int_complaint(record)}") from None

    def read_all(self, records):
        return list(map(int, records))

    def write(self, value):
        if not isinstance(value, int):
            try:
                value = type(value).__index__(value)
            except (AttributeError, TypeError):
                raise _wrong_type(value, "int") from None
        return b"%d" % value

    def pack(self, values, kinds, separator):
        # %d would cut a float to an int without a word, hence the look at the types.
        if not kinds <= _INTEGERS:
            raise TypeError
        return (b"%d" + separator) * len(values) % tuple(values)


class Float:
    """Written as repr does: the shortest text that reads back as the same number."""

    kind = F64
    arrays = _NUMBERS

    def read(self, record):
        try:
            return float(record)
        except ValueError:
            why = "" if record.strip() else ": empty"
            raise RecordError(f"not a float{why}") from None

    def read_all(self, records):
        return list(map(float, records))

    def write(self, value):
        try:
            # A str or bytes would be parsed, and has neither of these two.
            if not hasattr(value, "__float__") and not hasattr(value, "__index__"):
                raise TypeError
            number = float(value)
        except TypeError:
            raise _wrong_type(value, "float") from None
        except OverflowError:
            raise RecordError("gave an int too large for its annotation, float") from None
        return repr(number).encode()

    def pack(self, values, kinds, separator):
        if not kinds <= _NUMBERS:
            raise TypeError
        end = separator.decode()
        return (end.join(map(repr, map(float, values))) + end).encode()


class Str(_Text):
    """UTF-8, strictly, both ways."""

    def read(self, record):
        return _decode(record)

    def read_all(self, records):
        return list(map(bytes.decode, records))

    def write(self, value):
        if not isinstance(value, str):
            raise _wrong_type(value, "str")
        return _encode(value)

    def pack(self, values, kinds, separator):
        end = separator.decode()
        return _counted((end.join(values) + end).encode(), values, separator)


class Bytes(_Text):
    """The record as it is."""

    def read(self, record):
        return record

    def read_all(self, records):
        return records

    def write(self, value):
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise _wrong_type(value, "bytes")
        return bytes(value)

    def pack(self, values, kinds, separator):
        return _counted(separator.join(values) + separator, values, separator)


class Json(_Text):
    """One JSON value on one line."""

    def __init__(self):
        json = standard.load("json")  # most stages need none

        self._loads = json.loads
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def read(self, record):
        text = _decode(record)
        try:
            return self._loads(text)
        except (ValueError, RecursionError) as error:
            what = getattr(error, "msg", None) or str(error)
            where = f" at character {error.pos}" if hasattr(error, "pos") else ""
            raise RecordError(
                f"not JSON: {what}{where}; to read it as it is,"
                " annotate the parameter (str, bytes, int, float)"
            ) from None

    def read_all(self, records):
        return list(map(self._loads, map(bytes.decode, records)))

    def write(self, value):
        try:
            text = self._encode(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise RecordError(
                f"gave {type(value).__qualname__} that JSON cannot hold: {error}"
            ) from None
        return _encode(text)

    def pack(self, values, kinds, separator):
        end = separator.decode()
        return (end.join(map(self._encode, values)) + end).encode()


_BY_TYPE = {int: Int(), float: Float(), str: Str(), bytes: Bytes()}


def _wrong_type(value, wanted):
    return RecordError(
        f"gave {type(value).__qualname__} where its annotation says {wanted}"
    )


def _counted(packed, values, separator):
    """Checks that no value holds the separator."""
    if packed.count(separator) != len(values):
        raise ValueError
    return packed


def _decode(record):
    try:
        return record.decode()
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8: {error.reason} at byte {error.start}") from None


def _encode(text):
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        at = len(text[: error.start].encode())
        raise RecordError(
            f"gave text that UTF-8 cannot hold: {error.reason} at byte {at}"
        ) from None


def _int_complaint(record):
    at = len(record) - len(record.lstrip())
    if at == len(record):
        return "empty"
    if record[at : at + 1] in (b"+", b"-"):
        at += 1
    while record[at : at + 1].isdigit():
        at += 1
    if at == len(record):
        return "no digits"
    return f"{ascii(chr(record[at]))} at byte {at}"
