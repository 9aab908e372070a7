# SPDX-License-Identifier: Apache-2.0
"""Runs a table's entrants in turns: each round all of them, each round beginning with another."""

import hashlib
import json
import os
import pathlib
import sys
import time

from . import child, machine, table

# The program's status for usage, or a stage that cannot start.
REFUSED = 2

_PROBE_RECORDS = 3


def say(text):
    print(text, file=sys.stderr, flush=True)


class Texts:
    """The numbers 0, 1, ... as lines: our input, and what must come out of three stages."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._expected = {}
        self.output = self._folder / "output"

    def input(self, records):
        path = self._folder / f"input-{records}"
        if not path.exists():
            with path.open("wb") as file:
                self._lines(0, records, file.write)
        return path

    def _lines(self, first, records, take):
        step = 100_000
        for start in range(first, first + records, step):
            end = min(start + step, first + records)
            take(("\n".join(map(str, range(start, end))) + "\n").encode())

    def check(self, records):
        """Compares the output with what it must be."""
        if records not in self._expected:
            expected = hashlib.blake2b()
            self._lines(3, records, expected.update)
            self._expected[records] = expected.digest()
        got = hashlib.blake2b()
        with self.output.open("rb") as file:
            while block := file.read(1 << 20):
                got.update(block)
        if got.digest() != self._expected[records]:
            raise child.Failed("wrong output")


def _run(entrant, texts, records):
    if entrant.ours:
        done = child.run(entrant.command, texts.input(records), texts.output, entrant.env)
    else:
        command = [str(records) if word is None else word for word in entrant.command]
        done = child.run(command, env=entrant.env)
    if done.status != 0:
        error = child.Failed(f"status {done.status}: {done.err.strip()}")
        error.status = done.status
        raise error
    return done


def _sample(entrant, texts, records):
    done = _run(entrant, texts, records)
    if entrant.ours:
        texts.check(records)
        return table.Sample(records, done.wall, done.cpu, done.cpu, done.others)
    said = json.loads(done.out)
    if said["items"] != records or said["sum"] != records * (records - 1) // 2 + 3 * records:
        raise child.Failed("wrong result")
    return table.Sample(records, said["wall"], done.cpu, said.get("own_cpu", done.cpu),
                        done.others)


def _probe(entrant, texts):
    """A short run: compiles our stages, and tells what this leat refuses."""
    try:
        _sample(entrant, texts, _PROBE_RECORDS)
    except child.Failed as error:
        if not entrant.ours or getattr(error, "status", 0) != REFUSED:
            raise
        entrant.skipped = str(error).splitlines()[0].partition(": ")[2] or "refused"
        say(f"{entrant.label}: skipped: {entrant.skipped}")


def calm_sample(take, patience_s):
    """A sample, by calling take, that others have not disturbed, or the least disturbed that patience allows."""
    deadline = time.monotonic() + patience_s
    best = None
    while best is None or (best.others > table.CALM_CORES and time.monotonic() < deadline):
        machine.wait_for_calm(deadline - time.monotonic())
        sample = take()
        if best is None or sample.others < best.others:
            best = sample
    return best


def run(one, texts, rounds, patience_s):
    """Fills the samples of one table. Raises child.Failed with the entrant's label."""
    say(f"{one.part}: {one.title}")
    entrant = None
    try:
        for entrant in one.entrants:
            _probe(entrant, texts)
        able = [entrant for entrant in one.entrants if not entrant.skipped]
        for turn in range(rounds):
            first = turn % len(able)
            for entrant in able[first:] + able[:first]:
                sample = calm_sample(
                    lambda entrant=entrant: _sample(entrant, texts, entrant.records), patience_s)
                entrant.samples.append(sample)
                say(f"  {turn + 1}/{rounds} {entrant.label}: {sample.wall:.3f} s, "
                    f"{sample.rate:.4g} items/s, cpu {sample.cpu:.3f} s, others {sample.others:.2f}")
    except child.Failed as error:
        raise child.Failed(f"{one.part}: {entrant.label}: {error}") from error
    finally:
        if texts.output.exists():
            os.unlink(texts.output)
