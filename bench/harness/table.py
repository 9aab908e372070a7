# SPDX-License-Identifier: Apache-2.0
"""What was measured: its medians, ratios and spread, as Markdown and for JSON."""

import dataclasses
import statistics

# Cores that others may use in a run that counts as undisturbed.
CALM_CORES = 0.1


@dataclasses.dataclass
class Sample:
    items: int
    wall: float  # seconds
    cpu: float  # seconds, of all its processes
    own_cpu: float  # seconds, of the work alone in the process that does it
    others: float  # cores that the rest of the machine used meanwhile

    @property
    def rate(self):
        return self.items / self.wall

    @property
    def cpu_us(self):
        return self.cpu / self.items * 1e6


@dataclasses.dataclass
class Entrant:
    """One row: a way of doing a table's work."""

    label: str
    command: list
    records: int
    ours: bool = False  # text from a file to a file, checked here; a peer checks itself
    env: dict = dataclasses.field(default_factory=dict)
    samples: list = dataclasses.field(default_factory=list)
    skipped: str = ""  # why

    def median(self, what):
        return statistics.median(getattr(sample, what) for sample in self.samples)

    @property
    def spread(self):
        rates = [sample.rate for sample in self.samples]
        return (max(rates) - min(rates)) / statistics.median(rates)


@dataclasses.dataclass
class Claim:
    """A target: `got` takes the table and gives (value, remark), or raises Missing."""

    text: str
    got: object
    least: float = 0.0
    most: float = float("inf")


class Missing(Exception):
    """Whom a claim is about has been skipped."""


@dataclasses.dataclass
class Table:
    part: str
    title: str
    entrants: list
    notes: list
    claims: list = dataclasses.field(default_factory=list)
    bound: str = ""  # label of the row whose own cpu an item is the sum of the service times
    cores: int = 1

    def row(self, label):
        for entrant in self.entrants:
            if entrant.label == label and entrant.samples:
                return entrant
        raise Missing(label)

    def ratio(self, one, other, what="rate"):
        """Median over the rounds of one's figure by the other's: a slow round hits both."""
        pairs = zip(self.row(one).samples, self.row(other).samples)
        return statistics.median(getattr(a, what) / getattr(b, what) for a, b in pairs)

    def share(self, label):
        """The part of cores / sum of service times that it reaches, in the same round."""
        pairs = zip(self.row(label).samples, self.row(self.bound).samples)
        return statistics.median(a.rate * b.own_cpu / b.items / self.cores for a, b in pairs)

    def best(self):
        """The label of our fastest row."""
        ours = [entrant for entrant in self.entrants if entrant.ours and entrant.samples]
        if not ours:
            raise Missing("leat")
        return max(ours, key=lambda entrant: entrant.median("rate")).label


def _rate(value):
    for limit, unit in ((1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def _records(n):
    for limit, unit in ((1_000_000, " M"), (1000, " k")):
        if n >= limit and n % limit == 0:
            return f"{n // limit}{unit}"
    return str(n)


def rows(head, body):
    """A Markdown table."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return [f"| {' | '.join(line)} |" for line in lines]


def claim_lines(claims, table):
    lines = []
    for claim in claims:
        need = f"at least {claim.least:g}" if claim.least else f"at most {claim.most:g}"
        try:
            value, remark = claim.got(table)
        except Missing as missing:
            lines.append(f"- not measured: {claim.text} ({need}): no {missing}")
            continue
        verdict = "met" if claim.least <= value <= claim.most else "**missed**"
        lines.append(f"- {verdict}: {claim.text}: {value:.3g} ({need}{'; ' + remark if remark else ''})")
    return lines


def disturbed_lines(others):
    if others <= CALM_CORES:
        return []
    return [f"- **disturbed**: others used up to {others:.2f} cores, so that times, ratios and "
            "what is met or missed say little; cpu an item says more"]


def markdown(table):
    head = ["", "records", "items/s", "cpu-µs an item", "ours by it", "spread", "others"]
    best = None
    try:
        best = table.best()
    except Missing:
        pass
    if table.bound:
        head.append("of the limit")
    body = []
    for entrant in table.entrants:
        if not entrant.samples:
            continue
        row = [
            entrant.label,
            _records(entrant.records),
            _rate(entrant.median("rate")),
            f"{entrant.median('cpu_us'):.3g}",
            f"{table.ratio(best, entrant.label):.3g}" if best else "",
            f"{entrant.spread * 100:.0f} %",
            f"{entrant.median('others'):.2f}",
        ]
        if table.bound:
            row.append(f"{table.share(entrant.label):.3f}")
        body.append(row)
    lines = [f"## {table.part}: {table.title}", "", *rows(head, body), ""]
    lines += [f"- skipped: {e.label}: {e.skipped}" for e in table.entrants if e.skipped]
    lines += [f"- {note}" for note in table.notes]
    lines += claim_lines(table.claims, table)
    others = max((e.median("others") for e in table.entrants if e.samples), default=0.0)
    return "\n".join([*lines, *disturbed_lines(others)])


def claims_data(claims, table):
    data = []
    for claim in claims:
        try:
            value, remark = claim.got(table)
        except Missing:
            value, remark = None, "not measured"
        data.append({"target": claim.text, "at_least": claim.least or None,
                     "at_most": None if claim.least else claim.most,
                     "got": value, "remark": remark})
    return data


def data(table):
    """For JSON: every round's figures, and what the table says of them."""
    return {
        "part": table.part,
        "title": table.title,
        "entrants": [
            {
                "label": entrant.label,
                "ours": entrant.ours,
                "records": entrant.records,
                "skipped": entrant.skipped or None,
                "rounds": [dataclasses.asdict(sample) for sample in entrant.samples],
                **({
                    "items_per_s": entrant.median("rate"),
                    "cpu_us_per_item": entrant.median("cpu_us"),
                    "spread": entrant.spread,
                    "of_the_limit": table.share(entrant.label) if table.bound else None,
                } if entrant.samples else {}),
            }
            for entrant in table.entrants
        ],
        "notes": table.notes,
        "claims": claims_data(table.claims, table),
    }
