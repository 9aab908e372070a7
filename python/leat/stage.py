# SPDX-License-Identifier: Apache-2.0
"""A stage: a function that is ready to be called with one record after another."""

from types import FunctionType, MethodType

from . import annotation, blame, codec, loading, standard
from .loading import Refusal

# Bits of a code object's co_flags; inspect names them too, but is slow to import.
_HAS_VARARGS = 0x04
_IS_GENERATOR = 0x20
_IS_ASYNC = 0x80 | 0x200


class Stage:
    """A function that is ready to be called, and how its records are read and written.

    call(value) gives one result, which may be None; where several is true, it
    gives a list of them instead. file and shown are what blame.line() takes.
    """

    __slots__ = ("name", "file", "shown", "reader", "writer", "call", "several", "close",
                 "stateful")

    def __init__(self, target, function, is_module=False):
        load = loading.named_module if is_module else loading.file_module
        module = load(target)
        self.name = function
        self.file = getattr(module, "__file__", None)
        self.shown = None if is_module else target
        try:
            found, built = loading.build(module, function, target)
            parameter, described = _parameter(found, function, target)
        except Refusal:
            raise
        except BaseException as error:  # noqa: BLE001 - a constructor may do anything
            blame.print_traceback(error)
            raise Refusal(f"{function}() cannot be built: {self.blame(error)}") from None
        self.close = getattr(built, "close", None)
        self.stateful = built is not None
        self.reader = codec.for_type(_scalar(annotation.read(described, parameter)))
        kind, declared = annotation.read(described, "return")
        self.writer = codec.for_type(kind)
        self.several, self.call = _caller(found, described, kind, declared)

    def blame(self, error):
        return blame.line(error, self.file, self.shown)


def _scalar(read):
    kind, several = read
    return None if several else kind


def _parameter(found, function, target):
    """The parameter that takes the record, and the function that has the annotations."""
    plain, skip = _function_of(found)
    if isinstance(plain, FunctionType) and skip is not None and not hasattr(plain, "__wrapped__"):
        names, required, keywords = _signature_of_code(plain, skip)
    else:
        names, required, keywords = _signature_by_inspect(found)
    if getattr(getattr(plain, "__code__", None), "co_flags", 0) & _IS_ASYNC:
        raise Refusal(f"{target}: {function}() is async; a stage is a plain function")
    if not names:
        raise Refusal(f"{target}: {function}() takes no parameter; a stage takes one, the record")
    if required > 1 or keywords:
        needed = ", ".join(names[:required] + keywords)
        raise Refusal(
            f"{target}: {function}() takes {required + len(keywords)} parameters ({needed});"
            " a stage takes one, the record"
        )
    return names[0], plain


def _function_of(found):
    """The function behind a callable, and how many of its parameters are bound already.

    The number is None where only inspect can tell.
    """
    if isinstance(found, FunctionType):
        return found, 0
    if isinstance(found, MethodType):
        return found.__func__, 1
    if isinstance(type(found).__call__, FunctionType):
        return type(found).__call__, 1
    return getattr(found, "func", found), None  # functools.partial has func


def _signature_of_code(function, skip):
    """(names of positional parameters, how many have no default, required keywords)"""
    code = function.__code__
    n_positional = code.co_argcount
    n_named = n_positional + code.co_kwonlyargcount
    names = list(code.co_varnames[skip:n_positional])
    required = max(len(names) - len(function.__defaults__ or ()), 0)
    defaults = function.__kwdefaults__ or {}
    keywords = [name for name in code.co_varnames[n_positional:n_named] if name not in defaults]
    if code.co_flags & _HAS_VARARGS:
        names.append(code.co_varnames[n_named])
    return names, required, keywords


def _signature_by_inspect(function):
    inspect = standard.load("inspect")

    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a built-in function that does not tell
        return ["record"], 1, []
    positional = [
        each for each in parameters if each.kind not in (each.KEYWORD_ONLY, each.VAR_KEYWORD)
    ]
    required = [
        each for each in positional
        if each.default is each.empty and each.kind is not each.VAR_POSITIONAL
    ]
    keywords = [
        each.name for each in parameters
        if each.kind is each.KEYWORD_ONLY and each.default is each.empty
    ]
    return [each.name for each in positional], len(required), keywords


def _caller(function, described, kind, declared):
    """(several, call): the call of a Stage."""
    if getattr(getattr(described, "__code__", None), "co_flags", 0) & _IS_GENERATOR:
        return True, lambda value: list(function(value))
    if kind is not None and not declared:
        return False, function  # one record, says its annotation: no need to look

    def call(value):
        # An iterator is used up at once: what it does belongs to this record's call.
        result = function(value)
        its_type = type(result)
        if hasattr(its_type, "__next__"):
            return list(result)
        if declared and hasattr(its_type, "__iter__") and its_type not in (str, bytes):
            return list(result)
        return (result,)

    return True, call
