# SPDX-License-Identifier: Apache-2.0
"""The parts that are tables of entrants: who does which work, and what is aimed at."""

import dataclasses

from . import build, child
from .rounds import say
from .table import Claim, Entrant, Table

_STAGES = build.BENCH / "stages"
_PEERS = build.BENCH / "peers"

OURS_NOTE = (
    "leat: text records from a file on tmpfs to a file on tmpfs, the whole command from its "
    "start to its end; its reading and writing of numbers counts against it"
)
PEER_NOTE = (
    "peers: integers of their own type, made by the source and added up by the sink; their time is "
    "taken inside them, without the start of the program; their cpu is that of all their processes"
)


@dataclasses.dataclass
class Settings:
    python: str
    cores: int
    quick: bool = False
    records: int = 0  # 0: each part's own
    _spins: dict = dataclasses.field(default_factory=dict)

    def count(self, usual, quick):
        return self.records or (quick if self.quick else usual)

    def fewer(self, records):
        """For the peers that would take minutes."""
        return max(records // 10, 1)

    def spins(self, language, *microseconds):
        """How many turns of the loop take so long here, for each of the stages."""
        if language not in self._spins:
            self._spins[language] = _calibrate(self, language)
        return [max(round(us * self._spins[language]), 1) for us in microseconds]


def _calibrate(settings, language):
    """Turns a microsecond: the best of some tries, as whatever disturbs only slows."""
    items, spins = (20_000, 1000) if language == "c" else (50, 20_000)
    turns = (spins, 2 * spins)
    costs = [float("inf")] * 2
    for _ in range(5):
        for i, each in enumerate(turns):
            words = [str(items), "1", f"{each},{each},{each}", "1"]
            done = child.run([*_program(settings, "bare", language), *words])
            if done.status != 0:
                raise child.Failed(f"calibration: {done.err}")
            costs[i] = min(costs[i], done.cpu)
    # The difference has no start of a program in it.
    best = (costs[1] - costs[0]) / (3 * items * spins)
    say(f"calibrated: {1e-6 / best:.4g} turns a microsecond in {language}")
    return 1e-6 / best


def _program(settings, name, language):
    if language == "c":
        return [str(build.PEERS / name)]
    return [settings.python, str(_PEERS / f"{name}.py")]


_NO_SPINS = [0, 0, 0]


def _text(spins):
    return ",".join(map(str, spins))


def _peer(settings, label, name, records, spins=None, batch=1, workers=0, language="c"):
    """None is where the number of records goes."""
    command = [*_program(settings, name, language), None, str(batch), _text(spins or _NO_SPINS),
               str(workers or settings.cores)]
    return Entrant(label, command, records)


def _leat(settings, options, records, spins=None, language="c"):
    suffix = "c" if language == "c" else "py"
    names = ("first", "second", "third")
    stages = [f"{name}={_STAGES / f'work.{suffix}'}:{name if spins else 'tiny'}" for name in names]
    python = ["--python", settings.python] if language == "python" else []
    label = " ".join(["leat run", *options])
    command = [str(build.LEAT), "run", *python, *options, *stages]
    return Entrant(label, command, records, True, {"BENCH_SPINS": _text(spins or _NO_SPINS)})


_TBB_1 = "oneTBB parallel_pipeline, an item a token"
_TBB_SERIAL = "oneTBB parallel_pipeline, an item a token, serial stages"
_TBB_64 = "oneTBB parallel_pipeline, 64 a token by hand"
_SPSC_1 = "Boost spsc_queue, an item a push"
_SPSC_64 = "Boost spsc_queue, 64 a push"
_GO_1 = "Go channels, an item a message"
_GO_64 = "Go channels, 64 a message by hand"
_QUEUE = "multiprocessing.Queue chain"
_IMAP_1 = "Pool.imap(chunksize=1)"
_IMAP_1000 = "Pool.imap(chunksize=1000)"
_EXECUTOR = "ProcessPoolExecutor.map(chunksize=1000)"
_ALONE = "no pipeline, one thread"
_SHARED = "no pipeline, items shared evenly"


def _c_peers(settings, records, spins=None, batches=True):
    peers = [("tbb", _TBB_1, _TBB_64), ("spsc", _SPSC_1, _SPSC_64), ("channels", _GO_1, _GO_64)]
    found = []
    for name, one, many in peers:
        found.append(_peer(settings, one, name, records, spins))
        if batches:
            found.append(_peer(settings, many, name, records, spins, batch=64))
    return found


def _bare(settings, records, spins):
    return [_peer(settings, _ALONE, "bare", records, spins, workers=1),
            _peer(settings, _SHARED, "bare", records, spins)]


def _best_by(other, what="rate"):
    def got(table):
        best = table.best()
        return table.ratio(best, other, what), f"by {best}"
    return got


def _by(one, other):
    return lambda table: (table.ratio(one, other), "")


def _share_of(label):
    return lambda table: (table.share(label), "")


def _pool(settings):
    return f"-j{settings.cores}"


def _limit_note(settings, spins, unit):
    return (
        f"limit: {settings.cores} cores / the sum of the service times, which is the cpu an item "
        f"of '{_ALONE}' in the same round; {_text(spins)} turns of the loop are {unit}"
    )


def tiny(settings):
    records = settings.count(10_000_000, 20_000)
    return [Table(
        "tiny", "three C stages, x + 1",
        [_leat(settings, [], records), _leat(settings, [_pool(settings)], records),
         _peer(settings, _TBB_SERIAL, "tbb-serial", records), *_c_peers(settings, records)],
        [OURS_NOTE, PEER_NOTE],
        [Claim("items/s by oneTBB's at an item a token", _best_by(_TBB_1), least=10),
         Claim("cpu an item by oneTBB's at an item a token", _best_by(_TBB_1, "cpu_us"), most=1)],
    )]


def _pooled(settings, part, title, records, spins, unit, claims):
    pool = _leat(settings, [_pool(settings)], records, spins)
    return [Table(
        part, title,
        [pool, _leat(settings, [], records, spins), *_c_peers(settings, records, spins),
         *_bare(settings, records, spins)],
        [OURS_NOTE, PEER_NOTE, _limit_note(settings, spins, unit)],
        claims(pool.label), _ALONE, settings.cores,
    )]


def micro(settings):
    records = settings.count(500_000, 2000)
    spins = settings.spins("c", 1, 1, 1)
    return _pooled(
        settings, "micro", "three C stages of 1 µs", records, spins, "1 µs each",
        lambda pool: [Claim("share of the limit, pool", _share_of(pool), least=0.95)])


def hundred(settings):
    records = settings.count(5000, 30)
    spins = settings.spins("c", 100, 100, 100)
    return _pooled(
        settings, "hundred", "three C stages of 100 µs", records, spins, "100 µs each",
        lambda pool: [Claim("share of the limit, pool", _share_of(pool), least=0.95)])


def unbalanced(settings):
    records = settings.count(500, 10)
    times = (4000, 1000, 1000)
    spins = settings.spins("c", *times)
    pool, single = _leat(settings, [_pool(settings)], records, spins), "leat run -m single"
    in_c = Table(
        "unbalanced", "C stages of 4, 1 and 1 ms",
        [pool, _leat(settings, ["-m", "processes", _pool(settings)], records, spins),
         _leat(settings, [], records, spins), _leat(settings, ["-m", "single"], records, spins),
         *_c_peers(settings, records, spins, batches=False), *_bare(settings, records, spins)],
        [OURS_NOTE, PEER_NOTE, _limit_note(settings, spins, "4, 1 and 1 ms")],
        [Claim("pool by single, C", _by(pool.label, single), least=1.9)],
        _ALONE, settings.cores,
    )
    spins = settings.spins("python", *times)
    pool = _leat(settings, [_pool(settings)], records, spins, "python")
    in_python = Table(
        "unbalanced", "Python stages of 4, 1 and 1 ms, in processes",
        [pool, _leat(settings, [], records, spins, "python"),
         _leat(settings, ["-m", "single"], records, spins, "python"),
         _peer(settings, _QUEUE, "queue_chain", records, spins, language="python"),
         _peer(settings, _IMAP_1, "pool_imap", records, spins, language="python"),
         _peer(settings, _ALONE, "bare", records, spins, language="python")],
        [OURS_NOTE, PEER_NOTE, _limit_note(settings, spins, "4, 1 and 1 ms")],
        [Claim("pool by single, Python processes", _by(pool.label, single), least=1.9)],
        _ALONE, settings.cores,
    )
    return [in_c, in_python]


def python(settings):
    records = settings.count(1_000_000, 5000)
    fewer = settings.fewer(records)

    def peer(label, name, count, batch=1):
        return _peer(settings, label, name, count, batch=batch, language="python")

    return [Table(
        "python", "three Python stages, x + 1",
        [_leat(settings, [], records, language="python"),
         _leat(settings, [_pool(settings)], records, language="python"),
         peer(_QUEUE, "queue_chain", fewer),
         peer(_IMAP_1, "pool_imap", fewer),
         peer(_IMAP_1000, "pool_imap", records, 1000),
         peer(_EXECUTOR, "executor_map", records, 1000),
         peer(_ALONE, "bare", records)],
        [OURS_NOTE, PEER_NOTE,
         "the peers that pass an item at a time get a tenth of the records; pools run the three "
         "stages as one call, the chain has a process a stage"],
        [Claim("items/s by the multiprocessing.Queue chain's", _best_by(_QUEUE), least=20),
         Claim("items/s by Pool.imap(chunksize=1000)'s", _best_by(_IMAP_1000), least=1)],
    )]


TABLES = {"tiny": tiny, "micro": micro, "hundred": hundred, "unbalanced": unbalanced,
          "python": python}
