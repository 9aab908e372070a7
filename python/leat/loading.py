# SPDX-License-Identifier: Apache-2.0
"""Finds what FILE.py:FUNC or py:MODULE:FUNC names.

Threads: any. A file is loaded once in an interpreter, so its stages share it.
"""

import os
import sys
from _thread import allocate_lock
from types import FunctionType

from . import blame, standard

_LISTED = 8  # names that "it has: ..." lists at most

_lock = allocate_lock()
_files = {}  # real path -> module, or the Refusal that its import ended in


class Refusal(Exception):
    """A stage that cannot start; one line for a person."""


def file_module(path):
    """The module of a file; the file's folder goes to the front of sys.path."""
    real = os.path.realpath(path)
    with _lock:
        if real not in _files:
            _files[real] = _load_file(path, real)
        module = _files[real]
    if isinstance(module, Refusal):
        raise Refusal(*module.args)
    return module


def _load_file(path, real):
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        return Refusal(f"{path}: {error.strerror}")
    absolute = os.path.abspath(path)
    package = _package_of(real)
    if package is not None:
        _put_first(package[0])
    _put_first(os.path.dirname(real))
    stem = os.path.splitext(os.path.basename(path))[0]
    if package is not None:
        return _import_of_package(package[1], absolute, path)
    known = sys.modules.get(stem)
    if os.path.realpath(getattr(known, "__file__", None) or "") == real:
        return known

    util = standard.load("importlib.util")
    spec = util.spec_from_file_location(stem, absolute)
    module = util.module_from_spec(spec)
    if known is None:
        sys.modules[stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # noqa: BLE001 - sys.exit() as well
        if known is None:
            sys.modules.pop(stem, None)
        blame.print_traceback(error)
        return Refusal(blame.line(error, absolute, path))
    return module


def _package_of(real):
    """For a file of a package: the folder that the package is in, and the module's full name."""
    folder, base = os.path.split(real)
    parts = [] if base == "__init__.py" else [base[:-3]]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        return None
    return folder, ".".join(parts)


def _import_of_package(name, absolute, path):
    """As python3 -m NAME would find it, so that `from . import` works."""
    from importlib import import_module

    try:
        return import_module(name)
    except BaseException as error:  # noqa: BLE001 - sys.exit() as well
        blame.print_traceback(error)
        return Refusal(blame.line(error, absolute, path))


def named_module(name):
    """The module of this name; the current folder goes to the front of sys.path."""
    from importlib import import_module

    with _lock:
        _put_first(os.getcwd())
        try:
            return import_module(name)
        except BaseException as error:  # noqa: BLE001 - sys.exit() as well
            blame.print_traceback(error)
            missing = getattr(error, "name", None) or ""
            if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{missing}."):
                raise Refusal(f"no module named '{missing}'") from None
            raise Refusal(f"{name}: {blame.line(error)}") from None


def _put_first(folder):
    """As python3 FILE.py does with the file's folder, and python3 -m with the current one."""
    standard.protect(folder)
    sys.path[:] = [folder, *(entry for entry in sys.path if entry != folder)]


def build(module, function, target):
    """What FUNC names, made callable, and the instance that was built for it, if one was."""
    owner, found = None, module
    for part in function.split("."):
        owner = found
        try:
            found = getattr(owner, part)
        except AttributeError:
            raise Refusal(_missing(owner, part, target)) from None
    if isinstance(found, type):
        instance = found()
        if not callable(instance):
            raise Refusal(f"{target}: class {function} has no __call__")
        return instance, instance
    if isinstance(owner, type) and _is_method(owner, part):
        instance = owner()
        return getattr(instance, part), instance
    if not callable(found):
        raise Refusal(f"{target}: {function} is no function, but {type(found).__qualname__}")
    return found, None


def _is_method(owner, name):
    """Whether it is called on an instance: neither a static nor a class method."""
    for each in owner.__mro__:
        if name in vars(each):
            return isinstance(vars(each)[name], FunctionType)
    return False


def _missing(owner, name, target):
    difflib = standard.load("difflib")

    names = getattr(owner, "__dict__", {})
    has = sorted(key for key, value in names.items() if _is_offered(owner, key, value))
    line = f"{target} has no function '{name}'"
    if has:
        listed = ", ".join(has[:_LISTED]) + (", ..." if len(has) > _LISTED else "")
        line += f"; it has: {listed}"
    close = difflib.get_close_matches(name, has, 1)
    return f"{line}; did you mean {close[0]}?" if close else line


def _is_offered(owner, name, value):
    home = getattr(owner, "__module__", None) or getattr(owner, "__name__", None)
    return (
        callable(value)
        and not name.startswith("_")
        and getattr(value, "__module__", home) == home
    )
