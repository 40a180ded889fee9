"""Who was first to say a value: a person, a result, or the run itself. The memory of it is fixed in size.

Three rows of hashes: what people named, what results held, and what the run's own calls were aimed at before
any of those had said it. So a file that a run has made is its own, though listings show it since.

A value is in a row where its bytes are: what lies across two hashes counts too, and makes a false match four
times as likely, which is once in 5 million look-ups among the most values that are kept.
"""

from __future__ import annotations

from typing import Any

HASH = 4
"""Bytes of a hash."""
NAMED, SUPPLIED, OWN = 96, 192, 48
"""Values that are kept of each; the oldest go."""
RESULTS = 255
UNSEEN = 0
"""The origin of what no result that is remembered held; results are numbered from 1 to 255 round and round."""


def fresh() -> list[Any]:
    """[named, supplied, the number of the result of each, own, number of the newest result]"""
    return [b"", b"", b"", b"", 0]


def name(memory: list[Any], values: bytes) -> None:
    """Takes up what people, or the set-up, named."""
    # A set-up is named anew with every message: it must not push out what was asked for first.
    new = [values[n : n + HASH] for n in range(0, len(values), HASH) if values[n : n + HASH] not in memory[0]]
    memory[0] = (memory[0] + b"".join(new))[-NAMED * HASH :]


def supply(memory: list[Any], values: bytes) -> None:
    """Takes up what a result held."""
    memory[4] = number = memory[4] % RESULTS + 1
    if values not in memory[1]:
        memory[1] = (memory[1] + values)[-SUPPLIED * HASH :]
        memory[2] = (memory[2] + bytes((number,)) * (len(values) // HASH))[-SUPPLIED:]


def use(memory: list[Any], values: bytes) -> None:
    """Takes up what a call was aimed at that nobody had said before."""
    memory[3] = (memory[3] + values)[-OWN * HASH :]


def result(memory: list[Any], value: bytes) -> int:
    """The number of the first result that held it; UNSEEN where none did."""
    at: int = memory[1].find(value)
    return memory[2][at // HASH] if at >= 0 else UNSEEN
