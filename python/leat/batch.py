# SPDX-License-Identifier: Apache-2.0
"""One batch through one stage.

All records are read, then the function is called for each, then all results are
written, each of the three as a tight loop. Where reading or writing stumbles, it
is done again one by one to find the culprit; the function never is: what it has
returned so far is kept. If a result in the middle of a batch cannot be written,
the run gives the records behind it to a worker again, as it does when a worker
dies: a function is called at least once for each record.
"""

from array import array
from itertools import chain

from . import blame, forked
from .codec import RECORDS, TYPECODES, RecordError

_NONE = type(None)


class Answer:
    """What a batch came to.

    data, n_records: the output records, framed, or an array of the type that kind says.
    index, why: the input record that failed, and the line that says why; the
    output is then that of the records before it. None where all went well.
    """

    __slots__ = ("data", "n_records", "index", "why", "kind")

    def __init__(self, data, n_records, index=None, why=None, kind=RECORDS):
        self.data = data
        self.n_records = n_records
        self.index = index
        self.why = why
        self.kind = kind


def run(stage, framing, max_record, data, kind=RECORDS, wanted=RECORDS, at=None):
    """Returns an Answer, and the results that answer_too_large() may need.

    at, if given, is called with each record's index before the function is.
    """
    results = []  # one for each input record that the function was called for
    if kind == RECORDS:
        values = _read(stage, framing.split(data))
    else:
        values = memoryview(data).cast(TYPECODES[kind]).tolist()
    why = _call(stage, _announced(values, at) if at else values, results)
    forked.check(why)
    answer = _pack(stage, framing, max_record, results, wanted) or _write(
        stage, framing, max_record, results
    )
    if why is not None and answer.why is None:
        answer.index, answer.why = len(results), why
    return answer, results


def answer_too_large(stage, framing, max_record, max_answer, results, answer):
    """Another Answer than run()'s, which is over max_answer.

    The record that goes over fails. None may: as an array it is longer than as text.
    """
    written = []
    size = 0
    why = answer.why
    for index, result in enumerate(results):
        try:
            records = _write_one(stage, framing, max_record, result)
        except RecordError as error:
            why = f"{stage.name}() {error}"
            break
        given = len(framing.join(records))
        if size + given > max_answer:
            beside = " beside what the records before it gave" if size else ""
            why = (
                f"{stage.name}() gave {given} bytes, of which {max_answer - size}"
                f" fit into memory{beside}; raise --memory"
            )
            break
        written += records
        size += given
    else:
        index = answer.index
    return Answer(framing.join(written), len(written), index, why)


def _read(stage, records):
    try:
        return stage.reader.read_all(records)
    except Exception:  # noqa: BLE001 - whatever it is, read() says it better
        return map(stage.reader.read, records)


def _announced(values, at):
    for index, value in enumerate(values):
        at(index)
        yield value


def _call(stage, values, results):
    """Appends to results; returns why the record after the last of them failed, or None."""
    call = stage.call
    append = results.append
    values = forked.guarded(values)
    try:
        for value in values:
            append(call(value))
    except RecordError as error:
        return str(error)
    except BaseException as error:  # noqa: BLE001 - sys.exit() fails a record, too
        forked.leave(error)
        blame.print_traceback(error)
        return stage.blame(error)
    return None


def _pack(stage, framing, max_record, results, wanted):
    """The fast way to write; None when it takes the careful one."""
    values = list(chain.from_iterable(results)) if stage.several else results
    kinds = set(map(type, values))
    if _NONE in kinds:
        values = [value for value in values if value is not None]
        kinds.discard(_NONE)
    if not values:
        return Answer(b"", 0)
    if wanted != RECORDS and kinds <= stage.writer.arrays:
        try:
            packed = array(TYPECODES[wanted], values).tobytes()
            return Answer(packed, len(values), kind=wanted)
        except OverflowError:
            pass  # an int that needs more than 64 bits: this batch goes on as text
    try:
        data = framing.pack(stage.writer, values, kinds)
    except Exception:  # noqa: BLE001 - whatever it is, write() says it better
        return None
    if len(data) > max_record and max(map(len, framing.split(data))) > max_record:
        return None
    return Answer(data, len(values))


def _write(stage, framing, max_record, results):
    written = []
    for index, result in enumerate(results):
        try:
            written += _write_one(stage, framing, max_record, result)
        except RecordError as error:
            why = f"{stage.name}() {error}"
            return Answer(framing.join(written), len(written), index, why)
    return Answer(framing.join(written), len(written))


def _write_one(stage, framing, max_record, result):
    """The output records of one input record."""
    records = []
    for value in result if stage.several else (result,):
        if value is None:
            continue
        try:
            record = stage.writer.write(value)
        except RecordError:
            raise
        except Exception as error:  # noqa: BLE001 - a value's __index__ is the user's code
            raise RecordError(
                f"gave {type(value).__qualname__} that cannot be written: {stage.blame(error)}"
            ) from None
        complaint = framing.complaint(record)
        if complaint:
            raise RecordError(complaint)
        if len(record) > max_record:
            raise RecordError(
                f"gave a record of {len(record)} bytes, over the limit of {max_record}"
            )
        records.append(record)
    return records
