# SPDX-License-Identifier: Apache-2.0
"""What a function's annotations say about its records.

typing costs more to import than the rest of a host, so plain annotations, the
usual case, are read without it.
"""

from . import standard

_PLAIN = {"int": int, "float": float, "str": str, "bytes": bytes}

# A return annotation of one of these, of X, says: any number of records of X.
_SEVERAL = {"Iterator", "Iterable", "Generator"}


def read(function, parameter):
    """The type of one parameter, or of "return".

    Returns (kind, several): kind is int, float, str or bytes, or None for anything
    else; several tells that the annotation is an iterator of kind.
    """
    annotation = getattr(function, "__annotations__", {}).get(parameter)
    if annotation is None:
        return None, False
    if _is_plain(annotation):
        return annotation, False
    if isinstance(annotation, str):
        scope = getattr(function, "__globals__", {})
        if annotation in _PLAIN and annotation not in scope:
            return _PLAIN[annotation], False
        annotation = _resolve(function, parameter, annotation, scope)
    return _of_text(annotation) if isinstance(annotation, str) else _of_hint(annotation)


def _is_plain(annotation):
    return any(annotation is kind for kind in _PLAIN.values())


def _resolve(function, parameter, text, scope):
    """What a string annotation means; the string itself when nobody can tell."""
    typing = standard.load("typing")

    try:
        return typing.get_type_hints(function)[parameter]
    except Exception:  # noqa: BLE001 - it runs any expression
        # One annotation that cannot be resolved (a name imported for type
        # checkers only) spoils them all: try this one alone.
        try:
            return eval(text, dict(scope))
        except Exception:  # noqa: BLE001
            return text


def _of_hint(hint):
    typing = standard.load("typing")

    hint = _without_none(typing, hint)
    origin = typing.get_origin(hint) or hint
    if getattr(origin, "__module__", "") == "collections.abc" and origin.__name__ in _SEVERAL:
        arguments = typing.get_args(hint)
        item = _without_none(typing, arguments[0]) if arguments else None
        return (item if _is_plain(item) else None), True
    return (hint if _is_plain(hint) else None), False


def _without_none(typing, hint):
    """X for Optional[X] and X | None; Annotated[X, ...] is X as well."""
    if hasattr(hint, "__metadata__"):
        hint = hint.__origin__
    origin = typing.get_origin(hint)
    # X | Y is a types.UnionType from 3.10 to 3.13, a typing.Union elsewhere.
    if origin is typing.Union or getattr(origin, "__name__", "") == "UnionType":
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        if len(kinds) == 1:
            return kinds[0]
    return hint


def _of_text(text):
    """For what this Python cannot evaluate, such as "int | None" before 3.10."""
    text = text.strip()
    if text.endswith("]"):
        outer, _, inner = text[:-1].partition("[")
        outer = outer.rpartition(".")[2]
        if outer == "Optional":
            return _of_text(inner)
        if outer in _SEVERAL:
            return _of_text(inner.partition(",")[0])[0], True
        return None, False
    kinds = [kind.strip() for kind in text.split("|") if kind.strip() != "None"]
    return (_PLAIN.get(kinds[0]) if len(kinds) == 1 else None), False
