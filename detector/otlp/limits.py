"""How much of a request is read; both encodings have the same limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

MAX_DEPTH = 32
"""Levels of nested lists and maps in one attribute that are read; what lies deeper reads as None."""

UNCOUNTED_BYTES = 1024 * 1024
"""Requests up to this size are parsed without being counted first."""

Found = TypeVar("Found")


def first(found: Sequence[Found], most: int, faults: dict[str, int]) -> Sequence[Found]:
    """The first `most` of the spans; `faults` counts the others as `too_many_spans`."""
    if len(found) <= most:
        return found
    faults["too_many_spans"] = faults.get("too_many_spans", 0) + len(found) - most
    return found[:most]
