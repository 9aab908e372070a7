# SPDX-License-Identifier: Apache-2.0
"""PYTHON /path/to/leat LIBLEAT_PATH REGION_FD BELL_FD HOST

Python runs this folder as a script and so has put it at the front of sys.path,
where our module names would hide the user's own (a stage.py, a codec.py). The
folder is taken out again, and the package is imported from its parent, which
does not stay on the path either.
"""

import os
import sys


def _host_main():
    folder = os.path.dirname(os.path.abspath(__file__))
    if sys.path and os.path.abspath(sys.path[0]) == folder:
        del sys.path[0]
    parent = os.path.dirname(folder)
    sys.path.insert(0, parent)
    try:
        import leat.standard  # noqa: F401 - first: it notes what was there before leat
        from leat.host import main
    finally:
        sys.path.remove(parent)
    return main


if __name__ == "__main__":
    arguments = sys.argv[1:]
    del sys.argv[1:]  # a user's module that reads them must not find ours
    sys.exit(_host_main()(arguments))
