"""What a run knows of other runs: those that were handed to it, those below and above it.

One run may span traces, and spans that carry no run id go by their trace at first. Such a run,
named by its trace, keeps its newest events until a span shows whose it is; then it hands them over
and is a mere forwarder (see `detector.runs.adoption`).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Self

import msgspec

KEPT_EVENTS = 32
KEPT_BYTES = 4096
SOURCES = 32
NAMES_BYTES = 1024
"""All names of other runs that a run remembers, as commands list them."""


class Source(msgspec.Struct, array_like=True, gc=False):
    """A trace-keyed run that hands its events to this one."""

    name: bytes
    """Hash of its id."""
    had: int = 0
    """Highest sequence of its records that was applied."""
    asked: int = 0
    """Sequence of its own last command, and that of the command here that took its place; 0: none."""
    answers: int = 0


class Kin(msgspec.Struct, array_like=True):
    """Of a run that has to do with others, or that was summarised and lives on."""

    traced: bool = False
    """The run is named by its trace and may be handed over."""
    kept: list[Any] = []
    """Its newest actions and turns as msgpack, while it is `traced`; within a record, as they are."""
    settled: int = 0
    """So many of `kept`, the first ones, a person has let pass."""
    cause: str = ""
    """Of its newest verdict."""
    sources: list[Source] = []
    aliases: list[str] = []
    """Those of `sources` that had a command of their own; and all runs below this one, and the one above."""
    tree: list[str] = []
    root: str = ""
    told: int = 0
    """When the one above was last told of those below, ns."""
    repeated: int = 0
    """Commands since the last one that had a cause of its own: they only say it to more runs."""
    summarised: int = 0
    """When its summary was written, ns; 0: not yet, or something has come since."""

    def source(self, run: str) -> Source:
        """What is known of the run that hands its events over; the one that was heard of first goes."""
        name = short(run)
        for source in self.sources:
            if source.name == name:
                return source
        self.sources.append(Source(name))
        del self.sources[:-SOURCES]
        return self.sources[-1]

    def adds(self, names: list[str], run: str) -> bool:
        """Whether there is room for the name of another run in `names`, and puts it there."""
        size = sum(len(name.encode()) for name in (*self.aliases, *self.tree, run))
        if size <= NAMES_BYTES:
            names.append(run)
        return size <= NAMES_BYTES


class Forwarder(msgspec.Struct, array_like=True):
    """What is left of a run named by its trace, once it is known whose it is."""

    run: str
    to: str
    sequence: int = 0
    """Of the last record that it handed over. Begins at the time, in ns, at which it's made: the run that it
    hands over to remembers the numbers of an earlier one, which was forgotten as long quiet.
    """
    arrived: int = 0
    offset: int = -1

    @classmethod
    def at(cls, run: str, to: str, written: int) -> Self:
        """One that is made by a record that was written then (ns)."""
        return cls(run, to, sequence=written, arrived=written)


def short(run: str) -> bytes:
    """A run's id in 8 bytes."""
    return blake2b(run.encode(), digest_size=8).digest()
