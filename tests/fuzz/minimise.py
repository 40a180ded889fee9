"""An input that breaks a promise, made as small as it goes."""

from __future__ import annotations

from functools import cache

from tests.fuzz.inputs import Input
from tests.fuzz.oracle import HANGS, Subject
from tests.fuzz.stream import Failure

MAX_TRIES = 2_000


@cache
def _fresh() -> Subject:
    return Subject()


def minimised(made: Input, reason: str) -> tuple[bytes, bool]:
    """The smallest input that fails for `reason`, and whether it fails alone: without those that came before it."""

    def fails(value: bytes) -> bool:
        subject = _fresh()
        subject.forget()
        try:
            subject.run(made._replace(value=value), again=True)
        except Failure as failure:
            return str(failure) == reason
        return False

    if not fails(made.value):
        return made.value, False
    if reason == HANGS:
        return made.value, True
    return shrunk(made.value, fails), True


def shrunk(value: bytes, fails: object) -> bytes:
    """`value` without all that can be left out in pieces, the halves first (ddmin)."""
    assert callable(fails)
    size, tries = len(value) // 2, 0
    while size and tries < MAX_TRIES:
        at, before = 0, len(value)
        while at < len(value) and tries < MAX_TRIES:
            shorter = value[:at] + value[at + size :]
            tries += 1
            if fails(shorter):
                value = shorter
            else:
                at += size
        size = size // 2 if len(value) == before else min(size, len(value) // 2)
    return value
