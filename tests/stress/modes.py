# SPDX-License-Identifier: Apache-2.0
"""Random records through C and Python stages, by every mode and many counts of workers.

Sizes and durations are random, and stages drop, add, and enlarge records. The output must be,
to the byte, what the Python functions make of the records in this process; with --unordered
the same records in any order.

LEAT_RECORDS=N says how many records, LEAT_WAYS=all to try every way with Python stages too
and not only some; LEAT_SEED=N repeats a run. The other variables as in tests/meson.build.
"""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time

from stages import Number, alter

LEAT = os.environ["LEAT"]
HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 900

C = (
    f"{HERE}/stages.c:alter",
    f"{HERE}/stages.c:lag",
    f"{HERE}/stages.c:number",
    f"again={HERE}/stages.c:alter",
)
MIXED = (
    f"{HERE}/stages.py:alter",
    f"{HERE}/stages.c:lag",
    "cat",
    f"number={HERE}/stages.py:Number",
    f"again={HERE}/stages.c:alter",
)
FRAMES = ("newline", "nul", "u32")
SEPARATORS = {"newline": b"\n", "nul": b"\0"}

POOLED = ("threads", "processes", "auto", "shell")
SERIAL = ("--serial", "number")
WAYS = [(mode,) for mode in ("single", *POOLED)]
for workers in (
    ("-j", "1", *SERIAL),
    ("-j", "2", *SERIAL),
    ("-j", "3", *SERIAL),
    ("-j", "8", *SERIAL),
    ("-j", "auto", *SERIAL),
    ("-w", "alter=3", "-w", "lag=2"),
    ("-j", "2", "-w", "lag=3", *SERIAL),
    ("-j", "3", "--serial", "alter", *SERIAL),
    ("-j", "3", "--unordered", *SERIAL),
):
    WAYS += [(mode, *workers) for mode in POOLED]

SMALL, SMALLER = 2000, 500  # in ./check; with a sanitizer
SOME = 5  # one of so many ways with Python


def is_sanitized():
    libraries = subprocess.run(["ldd", LEAT], capture_output=True, check=True).stdout
    return any(name in libraries for name in (b"libasan", b"libubsan", b"libtsan"))


def framed(frame, record):
    if frame == "u32":
        return len(record).to_bytes(4, "little") + record
    return record + SEPARATORS[frame]


def records(frame, n, lots):
    """Yields n records; the bytes are cut from a pool of random ones."""
    pool = lots.randbytes(2 << 20)
    if frame in SEPARATORS:
        pool = pool.replace(SEPARATORS[frame], b"")
    for i in range(n):
        size = int(2 ** lots.uniform(0, 8))
        rarity = lots.random()
        if i == 0 or rarity < 0.0001:
            size = 1 << 20 if i == 0 else lots.randrange(1 << 20)
        elif rarity < 0.05:
            size = 0
        elif rarity < 0.15:
            size = int(2 ** lots.uniform(0, 12))
        start = lots.randrange(len(pool) - size)
        yield pool[start : start + size]


class Whole:
    """The digest of an output as it is, and of its records in any order."""

    def __init__(self, frame):
        self.frame = frame
        self.ordered = hashlib.sha256()
        self.any_order = 0
        self.size = 0

    def add(self, record):
        data = framed(self.frame, record)
        self.ordered.update(data)
        self.size += len(data)
        digest = hashlib.blake2b(record, digest_size=16).digest()
        self.any_order = (self.any_order + int.from_bytes(digest, "little")) % (1 << 128)


def expected(frame, source):
    whole = Whole(frame)
    number = Number()
    for record in source:
        for altered in alter(record):
            for again in alter(number(altered)):
                whole.add(again)
    return whole


def split(frame, file):
    """Yields the records of an output."""
    if frame == "u32":
        while length := file.read(4):
            yield file.read(int.from_bytes(length, "little"))
        return
    rest = b""
    while data := file.read(1 << 20):
        *whole, rest = (rest + data).split(SEPARATORS[frame])
        yield from whole
    if rest:
        yield rest + b" without its end"


class Trial:
    """One frame's records, in a file, and what must become of them."""

    def __init__(self, frame, n, lots):
        self.frame = frame
        self.file = tempfile.NamedTemporaryFile(prefix="leat-records-")
        self.whole = expected(frame, self.write(records(frame, n, lots)))

    def write(self, source):
        for record in source:
            self.file.write(framed(self.frame, record))
            yield record
        self.file.flush()

    def run(self, way, chain):
        """Returns what is wrong, or nothing."""
        command = [LEAT, "run", "--frame", self.frame, "-i", self.file.name, "-m", *way, *chain]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            whole = Whole(self.frame)
            if "--unordered" in way:
                for record in split(self.frame, process.stdout):
                    whole.add(record)
                same = whole.any_order == self.whole.any_order
            else:
                while data := process.stdout.read(1 << 20):
                    whole.ordered.update(data)
                    whole.size += len(data)
                same = whole.ordered.digest() == self.whole.ordered.digest()
            error = process.stderr.read().decode()
            if process.wait(PATIENCE_S) != 0 or error:
                return f"status {process.returncode}: {error}"
        if not same:
            return f"wrong output: {whole.size} bytes instead of {self.whole.size}"
        return ""


def main():
    seed = int(os.environ.get("LEAT_SEED") or random.SystemRandom().getrandbits(32))
    n = int(os.environ.get("LEAT_RECORDS") or (SMALLER if is_sanitized() else SMALL))
    some = 1 if os.environ.get("LEAT_WAYS") == "all" else SOME
    print(f"LEAT_SEED={seed} LEAT_RECORDS={n}", flush=True)
    lots = random.Random(seed)
    trials = [Trial(frame, n, lots) for frame in FRAMES]
    failed = 0
    for way in WAYS:
        for chain in (C, MIXED):
            trial = lots.choice(trials)
            if chain is MIXED and lots.randrange(some):
                continue
            began = time.monotonic()
            wrong = trial.run(way, chain)
            failed += wrong != ""
            print(
                f"{'not ok' if wrong else 'ok':6} {time.monotonic() - began:6.2f} s  "
                f"{'C' if chain is C else 'C and Python'}, {trial.frame}: {' '.join(way)} {wrong}",
                flush=True,
            )
    for trial in trials:
        print(f"{trial.frame}: {trial.whole.size} bytes, sha256 {trial.whole.ordered.hexdigest()}")
    print(f"{failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
