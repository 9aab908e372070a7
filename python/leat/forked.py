# SPDX-License-Identifier: Apache-2.0
"""Children that a stage's function forks.

One that comes back from the function would go on as a second worker in the same slots,
with the records that its parent works on, too. It is ended as soon as it does.
"""

import os
import sys
from _thread import _local

# Whether this process is such a child.
_child = False
# The records of the batch that a thread is at.
_of_thread = _local()


def guarded(values):
    """The records of a batch, which in a child end with the one it is at."""
    if not isinstance(values, list):
        return _until_forked(values)
    _of_thread.values = values
    return values


def check(why):
    """After the calls of a batch: ends a child that has returned from one."""
    _of_thread.values = None
    if _child:
        _say("has returned from it, and is ended")
        _end(os.EX_OK if why is None else 1)


def leave(error):
    """What a call has raised is a child's own end."""
    if not _child:
        return
    if isinstance(error, SystemExit):
        code = error.code
        _end(code if isinstance(code, int) else 0 if code is None else 1)
    sys.excepthook(type(error), error, error.__traceback__)
    _say("has raised, and is ended")
    _end(1)


def _until_forked(values):
    for value in values:
        if _child:
            return
        yield value


def _say(how):
    print(f"leat: a child that a stage's function forked {how}", file=sys.stderr)


def _end(status):
    # Without the clean-up that is the parent's to do.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)


def _note():
    global _child
    _child = True
    values = getattr(_of_thread, "values", None)
    if values is not None:
        values.clear()


os.register_at_fork(after_in_child=_note)
