"""Turns, results and calls whose values have made-up hashes: what stories of provenance are told in."""

from __future__ import annotations

from typing import Any

from detector.lexicon.asked import Asked
from detector.reading.scan import ADDRESS, OTHER
from detector.records import Action, Turn, Values
from detector.testing import act


def row(*values: int) -> bytes:
    """Hashes in a row."""
    return b"".join((0x9E3779B1 * (value + 1) & 0xFFFFFFFF).to_bytes(4, "big") for value in values)


def asks(kinds: Asked = Asked(0), *named: int) -> Turn:  # noqa: B008 - an immutable flag
    """A turn that reads a person's words."""
    return Turn(b"12345678", bytes(16), 0, user=1, asked=int(Asked.HEARD | kinds), named=row(*named))


def got(*held: int) -> Action:
    """A call that only reads, with a result that holds values."""
    return act(values=Values(supplied=row(*held)))


def did(kinds: Asked, *aims: int, to: tuple[int, ...] = (), carried: tuple[int, ...] = (), **fields: Any) -> Action:
    """A call that would have to be asked for, aimed at some values, and at addresses."""
    aimed = b"".join([bytes([ADDRESS]) + row(at) for at in to] + [bytes([OTHER]) + row(at) for at in aims])
    return act("tool", values=Values(int(kinds), aimed, row(*carried)), **fields)
