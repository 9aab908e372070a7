# SPDX-License-Identifier: Apache-2.0
"""Builds leat as it is released, and the peers, into build-bench/."""

import os
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
BUILD = ROOT / "build-bench"
PEERS = BUILD / "peers"
LEAT = BUILD / "leat"

_WARNINGS = ["-Wall", "-Wextra"]
_CC = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O3", *_WARNINGS, "-pthread"]
_CXX = ["g++", "-std=c++17", "-O3", *_WARNINGS, "-pthread"]

# Program to source, compiler, and what it links.
_PROGRAMS = {
    "bare": ("bare.c", _CC, []),
    "filter": ("filter.c", _CC, []),
    "latency": ("latency.c", _CC, []),
    "lines": ("lines.c", _CC, []),
    "spsc": ("spsc.cpp", _CXX, []),
    "tbb": ("tbb.cpp", _CXX, ["-ltbb"]),
    "tbb-serial": ("tbb.cpp", [*_CXX, "-DTBB_STAGES=serial_in_order"], ["-ltbb"]),
    "channels": ("channels.go", ["go", "build"], []),
}


def _quietly(command, env=None):
    """Runs it; what it said is shown only if it fails, which ends the program."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **(env or {})}, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        sys.exit(f"bench: failed: {' '.join(map(str, command))}")


def set_up():
    """Installs what is missing. Says itself what it installs."""
    if subprocess.run([ROOT / "tools" / "setup.sh", "bench"], check=False).returncode != 0:
        sys.exit("bench: the set-up failed")


def leat():
    if not (BUILD / "build.ninja").exists():
        _quietly(["meson", "setup", BUILD, "--buildtype=release", "-Dtests=disabled"])
    _quietly(["ninja", "-C", BUILD])


def _peer(program, source, compiler, libraries):
    newest = max(source.stat().st_mtime, (BENCH / "peers" / "work.h").stat().st_mtime)
    if program.exists() and program.stat().st_mtime > newest:
        return
    # Go keeps its compiled standard library beside the peers.
    env = {"GOCACHE": str(BUILD / "go-cache"), "GO111MODULE": "off", "GOFLAGS": ""}
    _quietly([*compiler, "-o", program, source, *libraries], env)


def peers():
    PEERS.mkdir(parents=True, exist_ok=True)
    for name, (source, compiler, libraries) in _PROGRAMS.items():
        _peer(PEERS / name, BENCH / "peers" / source, compiler, libraries)
