# SPDX-License-Identifier: Apache-2.0
"""One command's work, done by leat and by its peers in turns, each output compared."""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import statistics

from . import child, rounds, table
from .rounds import say

_MIB = 1 << 20

# Of a command alone, of which the best counts: the first one makes the pages of its output.
_LIMIT_RUNS = 3

# All compare bytes: what a locale does is not ours to measure.
_ENV = {"LC_ALL": "C"}


@dataclasses.dataclass
class Way:
    """One way of doing a contest's work, from a file to a file."""

    label: str
    command: list
    file: pathlib.Path
    items: int  # in it
    ordered: bool = True  # it keeps the order
    samples: list = dataclasses.field(default_factory=list)
    skipped: str = ""  # why

    def median(self, what):
        return statistics.median(getattr(sample, what) for sample in self.samples)


@dataclasses.dataclass
class Contest:
    """One command, done by leat and by its peers."""

    label: str
    small: pathlib.Path  # for a try
    ours: Way
    peers: list
    runs: int = 1  # in a round
    chain: list = dataclasses.field(default_factory=list)  # commands to be timed alone
    limit: float = 0.0  # seconds: no pipe of them can be faster

    def ways(self):
        return [self.ours, *self.peers]

    def ratio(self, what, peer=0):
        """Median over the rounds of ours by the peer's; rates where the items differ."""
        ours, theirs = self.ours.samples, self.peers[peer].samples
        if not ours or not theirs:
            raise table.Missing(self.peers[peer].label if ours else "leat")
        return statistics.median(getattr(a, what) / getattr(b, what)
                                 for a, b in zip(ours, theirs))


def _digest(path, size, ordered):
    """Of its first size bytes; where the order does not count, of the sorted lines."""
    found = hashlib.blake2b()
    with path.open("rb") as file:
        if not ordered:
            found.update(b"".join(sorted(file.read(size).splitlines(True))))
        else:
            while block := file.read(min(size, _MIB)):
                found.update(block)
                size -= len(block)
    return found.digest()


class Outputs:
    """What the ways have written for one input: all the same, or the bench ends."""

    def __init__(self, contest):
        self._contest = contest
        self._ordered = {True}.union(way.ordered for way in contest.ways())
        self._expected = {}

    def check(self, way, file, output, size):
        for ordered in self._ordered if way.ordered else {False}:
            digest = _digest(output, size, ordered)
            if self._expected.setdefault((file, ordered), digest) != digest:
                raise child.Failed(f"{self._contest.label}: {way.label} gives another output")


def _run(label, command, file, output):
    """Returns the run and how much it wrote.

    The output is written over, in pages that are there already: new pages of tmpfs can cost more
    than all the rest, now to one side and now to the other.
    """
    fd = os.open(output, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(fd, 0, file.stat().st_size)
        done = child.run(command, str(file), fd, _ENV)
        if done.status != 0:
            error = child.Failed(f"{label}: status {done.status}: {done.err.strip()}")
            error.status = done.status
            raise error
        return done, os.lseek(fd, 0, os.SEEK_CUR)
    finally:
        os.close(fd)


def _take(outputs, way, file, output):
    done, size = _run(way.label, way.command, file, output)
    outputs.check(way, file, output, size)
    return table.Sample(way.items, done.wall, done.cpu, done.cpu, done.others)


def _limit(contest, output, cores):
    """Seconds that the slowest command takes alone, or all of them on so many cores."""
    file, walls, cpu = contest.ours.file, [], 0.0
    for number, command in enumerate(contest.chain):
        made = output.with_name(f"{output.name}-{number}")
        try:
            tries = [_run(command, ["bash", "-c", "exec " + command], file, made)
                     for _ in range(_LIMIT_RUNS)]
        except child.Failed:
            made.unlink()
            raise
        finally:
            if file is not contest.ours.file:
                file.unlink()
        walls.append(min(done.wall for done, _ in tries))
        cpu += min(done.cpu for done, _ in tries)
        os.truncate(made, tries[-1][1])
        file = made
    file.unlink()
    return max(*walls, cpu / cores)


def try_out(contest, outputs, output, cores):
    """A short run of each: compiles, fills caches, and tells what is missing or refused."""
    for way in contest.ways():
        if not shutil.which(way.command[0]):
            way.skipped = f"no {way.command[0]} here"
        else:
            try:
                _take(outputs, way, contest.small, output)
            except child.Failed as error:
                if way is not contest.ours or getattr(error, "status", 0) != rounds.REFUSED:
                    raise
                way.skipped = str(error).splitlines()[0]
        if way.skipped:
            say(f"{contest.label}: skipped: {way.skipped}")
    if contest.chain:
        contest.limit = _limit(contest, output, cores)
        say(f"  {contest.label}: the slowest command alone takes {contest.limit:.3f} s")


def play(contest, outputs, turn, output, patience_s):
    """Every way in turns, each of which begins once."""
    able = [way for way in contest.ways() if not way.skipped]
    taken = {way.label: [] for way in able}
    for run in range(contest.runs):
        first = (turn + run) % max(len(able), 1)
        for way in able[first:] + able[:first]:
            taken[way.label].append(rounds.calm_sample(
                lambda way=way: _take(outputs, way, way.file, output), patience_s))
    for way in able:
        way.samples.append(sorted(taken[way.label], key=lambda sample: sample.wall)[contest.runs // 2])
    say(f"  {turn + 1} {contest.label}: " +
        ", ".join(f"{way.label} {way.samples[-1].wall:.3f} s" for way in able))
