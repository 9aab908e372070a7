# SPDX-License-Identifier: Apache-2.0
"""The machine: what it is, and how much of it others use."""

import os
import pathlib
import platform
import subprocess
import time

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_LOOK_S = 0.3


def cores():
    return len(os.sched_getaffinity(0))


def busy_s():
    """Seconds of cpu that all processes have had since the machine started, and the host took."""
    first = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, first[1:9])
    return (user + nice + system + irq + softirq + steal) * _TICK_S


def wait_for_calm(patience_s):
    """Until others use less than a twentieth of a core for a moment, or patience ends."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        before = busy_s()
        time.sleep(_LOOK_S)
        if busy_s() - before < _LOOK_S / 20 + _TICK_S:
            return


def _model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _said(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout else ""


def describe(root, python):
    return {
        "cpu": _model(),
        "cores": cores(),
        "load": os.getloadavg()[0],
        "kernel": platform.release(),
        "gcc": _said("gcc", "-dumpfullversion"),
        "go": _said("go", "version"),
        "python": _said(python, "--version"),
        "commit": _said("git", "-C", str(root), "describe", "--always", "--dirty"),
    }
