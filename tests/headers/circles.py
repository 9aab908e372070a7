#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No two modules call each other in a circle, within a room or across.

The call graph is read by nm from the objects that the build has made of src/: a module uses
another when it needs a symbol that the other defines. Prints each circle. Speaks TAP.

    circles.py BUILD_ROOT
"""
import pathlib
import subprocess
import sys


def symbols(built, option):
    """The names that nm lists for an object."""
    listed = subprocess.run(
        ["nm", "--format=posix", option, built], check=True, capture_output=True, text=True
    )
    return {line.split()[0] for line in listed.stdout.splitlines()}


def module(built):
    """lib{room}.a.p/{room}_{module}.c.o as room/module."""
    room = built.parent.name.removeprefix("lib").removesuffix(".a.p")
    return f"{room}/{built.name.removeprefix(room + '_').removesuffix('.c.o')}"


def graph(objects):
    """Each module's set of modules that it needs a symbol of."""
    defined = {
        name: module(built) for built in objects for name in symbols(built, "--defined-only")
    }
    uses = {}
    for built in objects:
        own = module(built)
        needed = symbols(built, "--undefined-only")
        uses[own] = {defined[name] for name in needed if defined.get(name, own) != own}
    return uses


def reachable(uses, start):
    """All modules that start needs, directly or not."""
    seen, left = set(), list(uses[start])
    while left:
        at = left.pop()
        if at not in seen:
            seen.add(at)
            left.extend(uses[at])
    return seen


def circles(uses):
    """The sets of modules that need one another, each sorted."""
    far = {name: reachable(uses, name) for name in uses}
    found = {
        tuple(sorted(other for other in far[name] if name in far[other])) for name in uses
    }
    return sorted(circle for circle in found if circle)


def main():
    objects = sorted(pathlib.Path(sys.argv[1], "src").glob("lib*.a.p/*.c.o"))
    uses = graph(objects)
    print("1..2")
    # A build that made nothing would have no circle either.
    print("ok" if any(uses.values()) else "not ok", "1 the modules' calls are known")
    found = circles(uses)
    print("not ok" if found else "ok", "2 no modules call each other in a circle")
    for circle in found:
        print("# circle:", " ".join(circle))
        for name in circle:
            print(f"#   {name} uses {' '.join(sorted(uses[name] & set(circle)))}")


main()
