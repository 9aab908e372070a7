# SPDX-License-Identifier: Apache-2.0
"""Modules of Python's own that leat needs, whatever a user's are called.

A folder that goes to the front of sys.path may have a json.py or a types.py. The user's
functions shall find these, as they do under python3 FILE.py, and leat Python's own.

Threads: under the lock of whoever changes sys.path.
"""

import os
import sys

# What is imported only where it is needed: each costs as much as all else here.
_LATE = ("difflib", "importlib.util", "inspect", "json", "traceback", "typing")
# There before leat, so a user's functions would have found these under python3 FILE.py, too.
# A host imports this module before all others of leat.
_at_start = frozenset(sys.modules)
_kept = {}


def load(name):
    """One of _LATE."""
    if name not in _kept:
        __import__(name)
        _kept[name] = sys.modules[name]
    return _kept[name]


def protect(folder):
    """Before the folder goes to the front of sys.path."""
    hidden = _hidden_by(folder)
    if not hidden:
        return
    for name in _LATE:
        load(name)
    # leat has its own by now; who imports one of these from here on is the user.
    for name in hidden - _at_start:
        sys.modules.pop(name, None)


def _hidden_by(folder):
    """The names of Python's own modules that files or packages in the folder have."""
    names = getattr(sys, "stdlib_module_names", None)
    if names is None:  # before Python 3.10
        names = {name.partition(".")[0] for name in sys.modules} | set(_LATE)
    try:
        entries = os.listdir(folder)
    except OSError:
        return set()
    stems = {entry[:-3] if entry.endswith(".py") else entry for entry in entries}
    return {
        stem
        for stem in stems.intersection(names)
        if stem + ".py" in entries or os.path.isfile(os.path.join(folder, stem, "__init__.py"))
    }
