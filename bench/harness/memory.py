# SPDX-License-Identifier: Apache-2.0
"""Many GiB of lines through three C stages in processes: what the run keeps in memory."""

import os
import pathlib
import subprocess
import time

from . import build, child
from .rounds import say
from .table import Claim, claim_lines, claims_data, rows

_MIB = 1 << 20
_INTERVAL_S = 0.05
_CLAIM = Claim("peak of the resident memory, MiB", lambda found: (found["peak_mib"], ""), most=64)


def _tree(pid):
    """A process and its descendants; those that end meanwhile are left out."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for one in children:
            found += _tree(int(one))
    return found


def _field(text, name):
    for line in text.splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _resident(pid):
    """Bytes: what each process has for itself, and the shared memory files as a whole.

    A page of such a file counts once, also while nobody has it mapped.
    """
    private = 0
    shared = {}
    for one in _tree(pid):
        try:
            text = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
            private += _field(text, "Pss") - _field(text, "Pss_Shmem")
            for link in pathlib.Path(f"/proc/{one}/fd").iterdir():
                if os.readlink(link).startswith("/memfd:"):
                    status = os.stat(link)
                    shared[status.st_ino] = status.st_blocks * 512
        except OSError:
            continue
    return private + sum(shared.values())


def _start(size, leat_stderr):
    """The three processes of the shell's pipe, their ends closed here."""
    lines = str(build.PEERS / "lines")
    stage = f"{build.BENCH / 'stages' / 'line.c'}:same"
    stages = [f"{name}={stage}" for name in ("first", "second", "third")]
    writer = subprocess.Popen([lines, "write", str(size)], stdout=subprocess.PIPE)
    leat = subprocess.Popen([str(build.LEAT), "run", "-m", "processes", *stages],
                            stdin=writer.stdout, stdout=subprocess.PIPE, stderr=leat_stderr)
    checker = subprocess.Popen([lines, "check", str(size)], stdin=leat.stdout)
    writer.stdout.close()
    leat.stdout.close()
    return writer, leat, checker


def run(size):
    """Returns the Markdown and what JSON gets."""
    say(f"memory: {size / _MIB:.0f} MiB of lines")
    start = time.monotonic()
    samples = []
    chain = _start(size, None)
    leat = chain[1]
    while leat.poll() is None:
        samples.append(_resident(leat.pid))
        time.sleep(_INTERVAL_S)
    wall = time.monotonic() - start
    if any([process.wait() for process in chain]):
        raise child.Failed("memory: a process of the chain failed")
    if not samples:
        raise child.Failed("memory: over before the first sample")
    peaks = [max(half) / _MIB for half in (samples[: len(samples) // 2] or samples,
                                           samples[len(samples) // 2:])]
    found = {"bytes": size, "wall": wall, "samples": len(samples), "first_half_mib": peaks[0],
             "second_half_mib": peaks[1], "peak_mib": max(peaks)}
    body = [[f"leat run -m processes, {size / (1 << 30):.3g} GiB", f"{peaks[0]:.1f}",
             f"{peaks[1]:.1f}", f"{size / wall / _MIB:.0f}"]]
    lines = ["## memory: lines of 64 bytes through three C stages in processes", "",
             *rows(["", "peak MiB, first half", "second half", "MiB/s"], body), "",
             f"- all of the run's processes, shared memory once, {len(samples)} samples; "
             "every line was checked at the end",
             *claim_lines([_CLAIM], found)]
    return "\n".join(lines), {"part": "memory", **found, "claims": claims_data([_CLAIM], found)}
