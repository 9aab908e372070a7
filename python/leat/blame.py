# SPDX-License-Identifier: Apache-2.0
"""One line for a person about an exception: mul.py:14: ValueError: odd"""

import os
import sys

from . import standard

_OUR_FOLDER = os.path.dirname(os.path.abspath(__file__))
_TEXT_MAX = 600  # characters; the run cuts a line at about 1 KiB


def line(exception, file=None, shown=None):
    """Where and what.

    file, shown: the stage's file as frames name it, and as messages shall name
    it. The place is the innermost frame in that file; else the innermost frame
    that is neither ours nor the import system's.
    """
    place, outside = _places(exception, file)
    what = _what(exception)
    if place is None and isinstance(exception, SyntaxError) and exception.filename:
        place = exception.filename, exception.lineno
        what = f"{type(exception).__qualname__}: {exception.msg}"
    place = place or outside
    if place is None:
        return _one_line(f"{shown}: {what}" if shown else what)
    where = shown if shown and place[0] == file else _relative(place[0])
    return _one_line(f"{where}:{place[1]}: {what}")


def print_traceback(exception):
    """Prints all of it to stderr if LEAT_TRACEBACK=1 asks for it."""
    if os.environ.get("LEAT_TRACEBACK") == "1":
        standard.load("traceback").print_exception(
            type(exception), exception, exception.__traceback__, file=sys.stderr
        )


def _what(exception):
    if isinstance(exception, SystemExit):
        return "sys.exit() called"
    name = type(exception).__qualname__
    try:
        text = str(exception)
    except Exception:  # noqa: BLE001 - __str__ is the user's code
        text = "(its str() fails)"
    return f"{name}: {text}" if text else name


def _places(exception, file):
    in_file = outside = None
    step = exception.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if name == file:
            in_file = name, step.tb_lineno
        if os.path.dirname(name) != _OUR_FOLDER and not name.startswith("<frozen "):
            outside = name, step.tb_lineno
        step = step.tb_next
    return in_file, outside


def _relative(path):
    here = os.getcwd()
    return path[len(here) + 1 :] if path.startswith(here + os.sep) else path


def _one_line(text):
    text = " ".join(filter(None, map(str.strip, text.splitlines())))
    return text if len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 3] + "..."
