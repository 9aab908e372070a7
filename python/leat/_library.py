# SPDX-License-Identifier: Apache-2.0
"""include/leat/worker.h for Python.

ctypes.CDLL releases the interpreter's lock for the length of each call, so a
worker that waits for work does not keep the other threads from theirs.

Threads: as in worker.h; a Worker belongs to the thread that opened it.
"""

import ctypes
import os
from ctypes import POINTER, c_char_p, c_int, c_uint, c_uint32, c_uint64, c_void_p

# enum leat_frame
NEWLINE = 0
NUL = 1
U32 = 2

# ctypes.string_at takes its size as a C int.
_STRING_AT_MAX = 2**31 - 1


class Foreign(ctypes.Structure):
    """struct leat_foreign"""

    _fields_ = [
        ("stage", c_uint32),
        ("is_module", c_uint32),
        ("name", c_char_p),
        ("target", c_char_p),
        ("function", c_char_p),
    ]


class Batch(ctypes.Structure):
    """struct leat_batch"""

    _fields_ = [
        ("stage", c_uint32),
        ("n_records", c_uint32),
        ("kind", c_uint32),
        ("wanted", c_uint32),
        ("careful", c_uint32),
        ("reserved", c_uint32),
        ("data", c_void_p),
        ("size", c_uint64),
    ]


_PROTOTYPES = {
    "leat_host_open": (c_int, c_int, c_int, c_uint, POINTER(c_void_p)),
    "leat_host_close": (c_void_p, c_void_p),
    "leat_host_workers": (c_uint, c_void_p),
    "leat_host_frame": (c_int, c_void_p),
    "leat_host_max_record": (c_uint64, c_void_p),
    "leat_host_max_answer": (c_uint64, c_void_p),
    "leat_worker_open": (c_int, c_void_p, c_uint, POINTER(c_void_p)),
    "leat_worker_close": (c_void_p, c_void_p),
    "leat_worker_foreign": (c_int, c_void_p, c_uint, POINTER(Foreign)),
    "leat_worker_kinds": (None, c_void_p, c_uint32, c_int, c_int),
    "leat_worker_stateful": (c_int, c_void_p, c_uint32),
    "leat_worker_ready": (None, c_void_p),
    "leat_worker_refuse": (None, c_void_p, c_char_p),
    "leat_worker_next": (c_int, c_void_p, POINTER(Batch)),
    "leat_worker_at": (None, c_void_p, c_uint32),
    "leat_worker_commit": (c_int, c_void_p, c_int, c_void_p, c_uint64, c_uint32),
    "leat_worker_fail": (
        c_int, c_void_p, c_int, c_void_p, c_uint64, c_uint32, c_uint32, c_char_p,
    ),
}


def load(path):
    """The library at this path. Raises OSError, or AttributeError when it lacks a function."""
    library = ctypes.CDLL(path)
    for name, (result, *arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def _check(result, what):
    if result < 0:
        raise OSError(-result, f"{what}: {os.strerror(-result)}")


def _bytes_at(address, size):
    if not size:
        return b""
    if size > _STRING_AT_MAX:
        return bytes((ctypes.c_ubyte * size).from_address(address))
    return ctypes.string_at(address, size)


class Host:
    """struct leat_host"""

    def __init__(self, library, region_fd, bell_fd, number):
        self._library = library
        self._handle = c_void_p()
        result = library.leat_host_open(
            region_fd, bell_fd, number, ctypes.byref(self._handle)
        )
        _check(result, "cannot join the run")
        self.workers = library.leat_host_workers(self._handle)
        self.frame = library.leat_host_frame(self._handle)
        self.max_record = library.leat_host_max_record(self._handle)
        self.max_answer = library.leat_host_max_answer(self._handle)

    def open_worker(self, nth):
        return Worker(self._library, self._handle, nth)

    def close(self):
        self._library.leat_host_close(self._handle)


class Worker:
    """struct leat_worker"""

    def __init__(self, library, host_handle, nth):
        self._library = library
        self._handle = c_void_p()
        self._batch = Batch()
        result = library.leat_worker_open(host_handle, nth, ctypes.byref(self._handle))
        _check(result, "cannot open a worker")

    def foreign(self):
        """The stages Python must run, each (number, is_module, name, target, function)."""
        found = []
        one = Foreign()
        while self._library.leat_worker_foreign(
            self._handle, len(found), ctypes.byref(one)
        ) == 0:
            texts = map(os.fsdecode, (one.name, one.target, one.function))
            found.append((one.stage, bool(one.is_module), *texts))
        return found

    def kinds(self, stage, takes, gives):
        self._library.leat_worker_kinds(self._handle, stage, takes, gives)

    def stateful(self, stage):
        """Whether one worker can have the stage for itself."""
        return self._library.leat_worker_stateful(self._handle, stage) == 0

    def ready(self):
        self._library.leat_worker_ready(self._handle)

    def refuse(self, why):
        self._library.leat_worker_refuse(self._handle, _c_text(why))

    def next(self):
        """Waits for a batch: (stage number, its bytes, their kind, the kind wanted, careful).

        None at the end. With careful, at() is to be called before each record.
        """
        batch = self._batch
        result = self._library.leat_worker_next(self._handle, ctypes.byref(batch))
        _check(result, "cannot wait for work")
        if result == 0:
            return None
        data = _bytes_at(batch.data, batch.size)
        return batch.stage, data, batch.kind, batch.wanted, bool(batch.careful)

    def at(self, index):
        self._library.leat_worker_at(self._handle, index)

    def commit(self, data, n_records, kind):
        """Returns 0 or -errno."""
        return self._library.leat_worker_commit(
            self._handle, kind, data, len(data), n_records
        )

    def fail(self, data, n_records, kind, index, why):
        """Returns 0 or -errno."""
        return self._library.leat_worker_fail(
            self._handle, kind, data, len(data), n_records, index, _c_text(why)
        )

    def close(self):
        self._library.leat_worker_close(self._handle)


def _c_text(text):
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace")
