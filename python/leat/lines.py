# SPDX-License-Identifier: Apache-2.0
"""sys.stdout and sys.stderr of a process whose workers are threads.

Each thread's lines come out whole, and in the order in which that thread wrote them to
either of the two. Python's own streams mix what several threads print.
"""

import io
import sys
from _thread import _local, allocate_lock

_lock = allocate_lock()  # one for both: they lead to the same pipe


class LineStream(io.TextIOWrapper):
    """A thread's text is kept until its line ends, or until it flushes."""

    def __init__(self, fd, like):
        super().__init__(
            open(fd, "wb", closefd=False), encoding=like.encoding, errors=like.errors
        )
        self._own = _local()

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        begun = getattr(self._own, "begun", "") + text
        end = begun.rfind("\n") + 1
        self._own.begun = begun[end:]
        if end:
            self._out(begun[:end])
        return len(text)

    def flush(self):
        # The base class flushes while it is made, and after everything is gone.
        own = getattr(self, "_own", None)
        begun = getattr(own, "begun", "")
        if begun:
            own.begun = ""
        self._out(begun)

    def _out(self, text):
        with _lock:
            super().write(text)
            super().flush()


def install():
    """Puts them in place of the two that there are."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is not None:
            stream.flush()
            setattr(sys, name, LineStream(fd, stream))
