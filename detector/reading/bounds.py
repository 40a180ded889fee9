"""Values cut before anything is made of them: a text of megabytes costs no more to read than what is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

MAX_DEPTH = 32
"""Of values within values."""
_PLAIN = (int, float, type(None))
EACH = 4
"""A value counts as so many characters more than its text has: names, quotes and commas stand around it."""


def bounded(value: Any, most: int) -> Any:
    """The value itself, or, where its text has more than about `most` characters, a copy of what comes first in it."""
    return value if _left(value, most, 0) >= 0 else _cut(value, [most], 0)


def _left(value: Any, most: int, depth: int) -> int:
    """How many of `most` characters a value leaves; below 0: it's longer, or too deep."""
    # Each call with structured arguments is walked: the classes that decoders make come first, and without a call.
    items, kind = value, value.__class__
    names: Any = ()
    if kind is dict or (kind is not list and isinstance(value, Mapping)):
        items, names = value.values(), value
    elif not isinstance(value, (list, tuple)):
        return most - EACH - (len(value) if isinstance(value, (str, bytes)) else 0)
    most -= EACH * len(items)
    if most < 0 or depth == MAX_DEPTH:
        return -1
    most -= sum([len(name) for name in names if name.__class__ is str])
    for item in items:
        if item.__class__ is str:
            most -= len(item)
        elif item.__class__ is dict or item.__class__ is list or not isinstance(item, _PLAIN):
            most = _left(item, most, depth + 1)
        if most < 0:
            return -1
    return most


def _cut(value: Any, left: list[int], depth: int) -> Any:
    left[0] -= EACH
    if isinstance(value, (str, bytes)):
        kept = value[: max(left[0], 0)]
        left[0] -= len(kept)
        return kept
    if not isinstance(value, (Mapping, list, tuple)):
        return value
    if depth == MAX_DEPTH:
        return None
    room = max(left[0] // EACH, 0)
    if isinstance(value, Mapping):
        return {
            _cut(name, left, depth): _cut(item, left, depth + 1)
            for name, item in islice(value.items(), room) if left[0] > 0
        }  # fmt: skip
    return [_cut(item, left, depth + 1) for item in islice(value, room) if left[0] > 0]
