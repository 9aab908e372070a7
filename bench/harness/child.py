# SPDX-License-Identifier: Apache-2.0
"""One run of one program, with the time and the cpu of everything it started."""

import ctypes
import dataclasses
import os
import select
import signal
import tempfile
import time

from . import machine

_PR_SET_CHILD_SUBREAPER = 36

# What a program leaves behind may end a moment after it.
_PATIENCE_S = 5


class Failed(Exception):
    """A run did not end as it must; the text says how."""


@dataclasses.dataclass
class Run:
    wall: float  # seconds, from before the start to the end of the program itself
    cpu: float  # seconds of cpu of it and all its descendants
    others: float  # cores that the rest of the machine used meanwhile
    status: int  # as a shell says it
    out: str  # what it printed, if stdout was None
    err: str


def adopt_orphans():
    """Descendants that lose their parent become ours, so that their cpu is counted too."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _cpu(usage):
    return usage.ru_utime + usage.ru_stime


def _reap_orphans(group):
    """Waits for all that is left; returns their cpu. Kills what does not end."""
    cpu = 0.0
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return cpu
        if pid:
            cpu += _cpu(usage)
        elif time.monotonic() > deadline:
            os.killpg(group, signal.SIGKILL)
            raise Failed("left processes behind")
        else:
            time.sleep(0.001)


def run(command, stdin=os.devnull, stdout=None, env=None, timeout=600):
    """Runs a command from file to file. Raises Failed when it takes too long or leaves others.

    stdout is a path, whose file is emptied, or an open descriptor; None keeps what it prints.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, err.fileno(), 2),
        ]
        if stdout is None or isinstance(stdout, int):
            fd = out.fileno() if stdout is None else stdout
            actions.append((os.POSIX_SPAWN_DUP2, fd, 1))
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            actions.append((os.POSIX_SPAWN_OPEN, 1, stdout, flags, 0o600))
        busy = machine.busy_s()
        start = time.monotonic()
        pid = os.posix_spawnp(
            command[0], command, {**os.environ, **(env or {})}, file_actions=actions, setsid=True
        )
        pidfd = os.pidfd_open(pid)
        ended, _, _ = select.select([pidfd], [], [], timeout)
        wall = time.monotonic() - start
        busy = machine.busy_s() - busy
        os.close(pidfd)
        if not ended:
            os.killpg(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        cpu = _cpu(usage) + _reap_orphans(pid)
        if not ended:
            raise Failed(f"not done after {timeout} s")
        out.seek(0)
        err.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return Run(
            wall,
            cpu,
            max(busy - cpu, 0.0) / wall,
            128 - code if code < 0 else code,
            out.read().decode(errors="replace"),
            err.read().decode(errors="replace"),
        )
