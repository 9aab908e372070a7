# SPDX-License-Identifier: Apache-2.0
"""What the tests share: the package on the path, stages written to a folder, a fake run."""

import os
import sys
import tempfile
import textwrap
import unittest

PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python")
sys.path.insert(0, os.path.abspath(PACKAGE))

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)


class Case(unittest.TestCase):
    """Runs in a folder of its own; modules and paths that a test adds are taken back."""

    _written = 0

    def setUp(self):
        before = os.getcwd(), list(sys.path), set(sys.modules)
        self.addCleanup(self._restore, *before)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.addCleanup(os.chdir, before[0])
        os.chdir(self.folder)

    def _restore(self, _, path, modules):
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            origin = getattr(sys.modules[name], "__file__", None) or ""
            if origin.startswith(self.folder):
                del sys.modules[name]

    def write(self, source, path=None):
        """Writes a stage's file; returns its path relative to the current folder."""
        if path is None:
            Case._written += 1
            path = f"stage_{Case._written}.py"
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(source).lstrip("\n"))
        return path

    def stage(self, source, function="f", path=None):
        from leat.stage import Stage

        return Stage(self.write(source, path), function)


class Worker:
    """The methods of _library.Worker, on a list of batches."""

    def __init__(self, foreign, batches=(), capacity=1 << 20):
        self._foreign = foreign
        self._batches = list(batches)
        self._capacity = capacity
        self.said = []
        self.closed = False

    def foreign(self):
        return self._foreign

    def ready(self):
        self.said.append("ready")

    def refuse(self, why):
        self.said.append(("refuse", why))

    def kinds(self, stage, takes, gives):
        self.known_kinds = (takes, gives)

    def stateful(self, stage):
        return True

    def next(self):
        if not self._batches:
            return None
        stage, data, *kinds = self._batches.pop(0)
        return (stage, data, *(kinds or (0, 0, False)))

    def commit(self, data, n_records, kind):
        return self._take(data, ("commit", data, n_records))

    def fail(self, data, n_records, kind, index, why):
        return self._take(data, ("fail", data, n_records, index, why))

    def _take(self, data, what):
        import errno

        if len(data) > self._capacity:
            return -errno.EMSGSIZE
        self.said.append(what)
        return 0

    def close(self):
        self.closed = True


class Host:
    """The methods of _library.Host."""

    def __init__(self, *workers, frame=0, max_record=1 << 20, max_answer=1 << 20):
        self._workers = workers
        self.workers = len(workers)
        self.frame = frame
        self.max_record = max_record
        self.max_answer = max_answer

    def open_worker(self, nth):
        return self._workers[nth]
