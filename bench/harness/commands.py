# SPDX-License-Identifier: Apache-2.0
"""Commands as stages, each beside the shell's tool that runs the same command."""

import dataclasses
import pathlib
import random
import shlex
import shutil
import statistics

from . import build, child, table
from .contest import Contest, Outputs, Way, play, try_out
from .rounds import say
from .table import Claim

_MIB = 1 << 20

# A mebibyte is a whole number of such lines, so that blocks of it have the same boundaries
# whoever cuts them.
_LINE_SIZE = 64

# Runs of a chain that is over in milliseconds, of which a round takes the median.
_SHORT_RUNS = 30


class _Inputs:
    """Files of lines, made once, the same in every run."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self.output = self._folder / "commands-output"

    def log(self, size):
        """Numbered lines as of a server's log, all of one length, the first size bytes of them."""
        path = self._folder / f"log-{size}"
        if path.exists():
            return path
        choose = random.Random(1).choice
        words = ["GET", "PUT", "POST", "index", "image", "search", "status", "user", "error"]
        block = []
        for number in range(4 * _MIB // _LINE_SIZE):
            line = f"{number:06d} {choose(range(10_000))} {choose(words)} /{choose(words)}/"
            line += f"{choose(words)}/{choose(range(100_000))} {choose((200, 301, 404, 500))} "
            block.append(line.ljust(_LINE_SIZE - 1, ".")[:_LINE_SIZE - 1] + "\n")
        data = "".join(block).encode()
        with path.open("wb") as file:
            for start in range(0, size, len(data)):
                file.write(data[:size - start])
        return path

    def numbers(self, count):
        path = self._folder / f"numbers-{count}"
        if not path.exists():
            path.write_text("".join(f"{n} {n % 97}\n" for n in range(count)))
        return path

    def remove(self):
        for path in [self.output, *self._folder.glob("log-*"), *self._folder.glob("numbers-*")]:
            path.unlink(missing_ok=True)


def _leat(*words):
    return [str(build.LEAT), "run", *words]


def _bash(text):
    return ["bash", "-c", text]


class _Plan:
    """The contests: what is run on what."""

    def __init__(self, settings, inputs):
        self._settings = settings
        self._inputs = inputs
        self._jobs = f"-j{settings.cores}"
        self._small = inputs.log(64 * _LINE_SIZE)
        self._large = inputs.log(4 * _MIB if settings.quick else 1024 * _MIB)
        self._medium = inputs.log(2 * _MIB if settings.quick else 128 * _MIB)

    def chain(self, commands, file, runs=1):
        """The same commands in bash's pipe and in a row of stages."""
        lines = file.stat().st_size // _LINE_SIZE
        return Contest(
            " | ".join(commands), self._small, Way("leat", _leat(*commands), file, lines),
            [Way("bash", _bash(" | ".join(commands)), file, lines)], runs,
            commands if runs == 1 else [])

    def cheap(self):
        """Chains whose commands do less than a pipe costs."""
        filter_ = "filter=" + str(build.PEERS / "filter")
        return [["cat", "cat", "cat"], ["tr a-z A-Z", "cut -d' ' -f2-", "grep -F 1"],
                ["grep -F GET", "cut -c8-", "wc -l"], ["cat", _program(filter_), "tail -n1"]]

    def costly(self):
        return [["sed s/a/b/", "awk '{print $1, $2}'", "grep -F 1"],
                ["awk '{print $1, $3, $4}'", "sed s/1/2/", "cut -c2-"]]

    def python(self):
        python = f"{self._settings.python} {build.BENCH / 'stages' / 'filter.py'}"
        return ["cat", python, "grep -F 1"]

    def stream(self):
        return ([self.chain(commands, self._large) for commands in self.cheap()],
                [*[self.chain(commands, self._medium) for commands in self.costly()],
                 self.chain(self.python(), self._medium)])

    def short(self):
        ten = self._inputs.log(10 * _LINE_SIZE)
        runs = 2 if self._settings.quick else _SHORT_RUNS
        return [self.chain(commands, ten, runs)
                for commands in [*self.cheap(), *self.costly(), self.python()]]

    def line(self):
        count = self._settings.count(1_000_000, 2000)
        file, small = self._inputs.numbers(count), self._inputs.numbers(10)
        python = f"{self._settings.python} -u {build.BENCH / 'stages' / 'filter.py'}"
        return [Contest(command, small, Way("leat", _leat(f"line:{command}"), file, count),
                        [Way("bash", _bash(f"cat | {command} | cat"), file, count)])
                for command in ("awk '{print $1*2; fflush()}'", "sed -u s/1/2/", python)]

    def batch(self):
        file, lines = self._large, self._large.stat().st_size // _LINE_SIZE
        parallel = ["parallel", "--pipe", "-k", "--block", "1M", self._jobs]
        return [Contest(
            command, self._small,
            Way("leat", _leat(self._jobs, "--batch=1M", f"batch:{command}"), file, lines),
            [Way("parallel", [*parallel, command], file, lines)])
                for command in ("wc", "sha256sum", "gzip -n")]

    def each(self):
        """parallel would take minutes for as many."""
        count = self._settings.count(5000, 50)
        fewer = self._settings.fewer(count)
        file, small = self._inputs.numbers(count), self._inputs.numbers(fewer)
        xargs = ["xargs", "-d\\n", f"-P{self._settings.cores}", "-n1"]
        return [Contest(
            command, small,
            Way("leat", _leat(self._jobs, f"each:{command} {{}}"), file, count),
            [Way("xargs", [*xargs, command], file, count, ordered=False),
             Way("parallel", ["parallel", "-k", self._jobs, f"{command} {{}}"], small, fewer)])
                for command in ("/bin/true", "/bin/echo")]


def _program(text):
    """A program by its path, under its own name."""
    return shlex.quote(text.partition("=")[2])


def _worst(contests, what="wall", peer=0, choose=max):
    """The worst of the contests' ratios, and whose it is."""
    def got(_):
        ratios = {contest.label: contest.ratio(what, peer) for contest in contests}
        label = choose(ratios, key=ratios.get)
        return ratios[label], label.replace(str(build.PEERS) + "/", "")
    return got


def _one(contest, what="rate", peer=0):
    return lambda _: (contest.ratio(what, peer), "")


def _groups(plan):
    """Title, contests, notes and claims of each table."""
    cheap, costly = plan.stream()
    yield ("chains of stream commands", [*cheap, *costly],
           ["bash: `a | b | c`; both from a file on tmpfs to a file on tmpfs",
            "limit: the slowest command alone, from file to file, or the cpu of all over the cores"],
           [Claim("time by bash's, cheap chains, the worst", _worst(cheap), most=0.8),
            Claim("time by bash's, all chains, the worst", _worst([*cheap, *costly]), most=1)])
    short = plan.short()
    yield ("the same chains for 10 lines", short,
           [f"each round's figure is the median of {short[0].runs} runs of each, in turns"],
           [Claim("time by bash's, the worst", _worst(short), most=1)])
    line = plan.line()
    yield ("line: a lasting process that answers each record", line,
           ["bash: `cat | COMMAND | cat`"],
           [Claim("time by bash's, the worst", _worst(line), most=1.2)])
    batch = plan.batch()
    yield ("batch: a process for each MiB", batch,
           ["parallel: `parallel --pipe -k --block 1M`, as many jobs as leat has workers; the "
            "same blocks, so the same output to the byte"],
           [Claim("throughput by parallel's, wc", _one(batch[0]), least=3),
            Claim("throughput by parallel's, sha256sum", _one(batch[1]), least=1),
            Claim("throughput by parallel's, gzip", _one(batch[2]), least=1)])
    each = plan.each()
    yield ("each: a process for each record", each,
           ["`xargs -n1 -P`, which keeps no order, and `parallel -k`, with as many jobs as leat "
            "has workers and a tenth of the records"],
           [Claim("commands a second by xargs's, the worst",
                  _worst(each, "rate", 0, min), least=1),
            Claim("commands a second by parallel's, the worst",
                  _worst(each, "rate", 1, min), least=5)])


def _size(path):
    size = path.stat().st_size
    return f"{size / _MIB:.0f} MiB" if size >= _MIB else f"{size} B"


def _row(contest, way):
    if not way.samples:
        return [f"{way.label}: {contest.label}", _size(way.file), *[""] * 5]
    walls = [sample.wall for sample in way.samples]
    try:
        by = "1" if way is contest.ours else f"{contest.ratio('rate', contest.peers.index(way)):.3g}"
    except table.Missing:
        by = ""
    spread = (max(walls) - min(walls)) / statistics.median(walls)
    return [f"{way.label}: {contest.label}", _size(way.file), f"{way.median('wall'):.3g}",
            f"{way.median('cpu'):.3g}", by, f"{spread * 100:.0f} %", f"{way.median('others'):.2f}"]


def _rows(contest):
    found = [_row(contest, way) for way in contest.ways()]
    if contest.limit and contest.ours.samples:
        by = contest.limit / contest.ours.median("wall")
        found.append([f"limit: {contest.label}", _size(contest.ours.file), f"{contest.limit:.3g}", "",
                      f"{by:.3g}", "", ""])
    return found


def _markdown(title, contests, notes, claims):
    found = [row for contest in contests for row in _rows(contest)]
    body = [["`" + row[0].replace("|", "\\|").replace(str(build.PEERS) + "/", "")
             .replace(str(build.BENCH / "stages") + "/", "") + "`", *row[1:]] for row in found]
    lines = [f"## commands: {title}", "",
             *table.rows(["", "input", "wall s", "cpu s", "ours by it", "spread", "others"], body), ""]
    lines += [f"- skipped: {contest.label}: {way.skipped}"
              for contest in contests for way in contest.ways() if way.skipped]
    lines += [f"- {note}" for note in notes]
    lines += table.claim_lines(claims, None)
    others = max((way.median("others") for contest in contests for way in contest.ways()
                  if way.samples), default=0.0)
    return "\n".join([*lines, *table.disturbed_lines(others)])


def _data(title, contests, claims):
    return {
        "part": "commands",
        "title": title,
        "contests": [
            {"command": contest.label, "limit_s": contest.limit or None,
             "ways": [{"label": way.label, "command": way.command,
                       "bytes": way.file.stat().st_size, "skipped": way.skipped or None,
                       "rounds": [dataclasses.asdict(sample) for sample in way.samples]}
                      for way in contest.ways()]}
            for contest in contests
        ],
        "claims": table.claims_data(claims, None),
    }


def _check_room(folder, quick):
    """The input, an output as large, two more of the chains' commands alone, and what else is there."""
    needed = (32 if quick else 5120) * _MIB
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise child.Failed(f"commands: {folder} has room for {free // _MIB} MiB; needed are "
                           f"{needed // _MIB}")


def run(folder, settings, n_rounds, patience_s):
    """Yields the Markdown and what JSON gets for each table."""
    _check_room(folder, settings.quick)
    inputs = _Inputs(folder)
    try:
        for title, contests, notes, claims in _groups(_Plan(settings, inputs)):
            say(f"commands: {title}")
            outputs = {contest.label: Outputs(contest) for contest in contests}
            for contest in contests:
                try_out(contest, outputs[contest.label], inputs.output, settings.cores)
            for turn in range(n_rounds):
                for contest in contests:
                    play(contest, outputs[contest.label], turn, inputs.output, patience_s)
            yield (_markdown(title, contests, notes, claims), _data(title, contests, claims))
    finally:
        inputs.remove()
