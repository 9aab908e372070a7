# SPDX-License-Identifier: Apache-2.0
"""The most memory that a ring's areas have taken while a command ran.

    resident.py FILE COMMAND...

Looks at the ring's memory, which is a file without a name, every other millisecond.
Writes the bytes to FILE, and ends as the command did.
"""

import os
import subprocess
import sys
import time


def ring(pid):
    """Paths of the rings that the process and its children have open."""
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        path = f"{folder}/{name}"
        try:
            if os.readlink(path).startswith("/memfd:leat"):
                yield path
        except OSError:
            pass  # closed meanwhile
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        for child in children.read().split():
            yield from ring(child)


def main(path, *command):
    # A sanitizer that is loaded into this program is not meant for that one.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    run = subprocess.Popen(command, env=environment)
    most = 0
    while run.poll() is None:
        try:
            for file in ring(run.pid):
                most = max(most, os.stat(file).st_blocks * 512)
        except OSError:
            pass  # over
        time.sleep(0.002)
    with open(path, "w", encoding="ascii") as file:
        print(most, file=file)
    return run.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
