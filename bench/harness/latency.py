# SPDX-License-Identifier: Apache-2.0
"""A line typed into an idle pipeline of one C stage, beside the same line through cat."""

import json

from . import build, child
from .rounds import say
from .table import Claim, claim_lines, claims_data, rows

_CLAIM = Claim("median round trip by cat's, after a pause",
               lambda found: (found["pause"]["ratio"], ""), most=3)


def _measure(count, pause_us):
    stage = f"{build.BENCH / 'stages' / 'line.c'}:same"
    done = child.run([str(build.PEERS / "latency"), str(count), str(pause_us),
                      str(build.LEAT), "run", stage, "--", "cat"])
    if done.status != 0:
        raise child.Failed(f"latency: {done.err.strip()}")
    cat, leat = map(json.loads, done.out.splitlines())
    return {"leat": leat, "cat": cat, "ratio": leat["median_us"] / cat["median_us"]}


def run(quick):
    """Returns the Markdown and what JSON gets."""
    count, pause_us = (200, 200) if quick else (10_000, 200)
    say("latency: a line through an idle pipeline")
    found = {"pause": _measure(count, pause_us), "busy": _measure(count, 0)}
    body = []
    for key, when in (("pause", f"{pause_us} µs of pause before each"), ("busy", "one after the other")):
        for name in ("leat", "cat"):
            times = found[key][name]
            body.append([f"{name}, {when}", *(f"{times[k]:.3g}" for k in
                                              ("median_us", "p90_us", "p99_us")),
                         f"{found[key]['ratio']:.3g}" if name == "leat" else "1"])
    lines = ["## latency: a line through an idle pipeline of one C stage", "",
             *rows(["", "median µs", "p90", "p99", "by cat's"], body), "",
             f"- round trip of a line on pipes, {count} times through each, in turns",
             *claim_lines([_CLAIM], found)]
    return "\n".join(lines), {"part": "latency", "count": count, **found,
                              "claims": claims_data([_CLAIM], found)}
