"""What of a partition has come, and what may commit: in order, and without a hole.

Faust 0.15.3 alone does neither. While it recovers, it may hand out records and skip them
(streams.py, `skipped_value`: flow control is not active yet), then seek back, and drop what comes
again as read (transport/consumer.py, `_drain_messages`); and where one record is missing at the
head of what was acknowledged, its commit goes past it (`_new_offset`: `min(acked) - committed > 1`).
One record in a rebalance could so be lost. Here a record that comes too early is not taken: the
partition is sought back to the one that is missing. Only where the same hole comes again after
that is it one of the log's own (compaction, transactions), and passed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum, auto

Partition = Hashable


class Arrival(Enum):
    """What to do with a record that has come."""

    TAKE = auto()
    DROP = auto()
    """It was taken before, or will come again after a seek."""
    SEEK = auto()
    """One before it is missing: seek to `Offsets.expected`."""


@dataclass
class _Entry:
    offset: int
    done: bool = False


@dataclass
class _State:
    generation: int
    expected: int | None
    hole: int = -1
    pending: deque[_Entry] = field(default_factory=deque)
    entries: dict[int, _Entry] = field(default_factory=dict)


class Offsets:
    """The records of every partition in one consumer generation, which begins with `start`."""

    def __init__(self) -> None:
        self._states: dict[Partition, _State] = {}

    def known(self, partition: Partition, generation: int) -> bool:
        """Whether the partition was started in this generation of the consumer group."""
        state = self._states.get(partition)
        return state is not None and state.generation == generation

    def start(self, partition: Partition, generation: int, expected: int | None) -> None:
        """A generation begins for the partition, with the record at `expected`; None: wherever it does."""
        self._states[partition] = _State(generation, expected)

    def expected(self, partition: Partition) -> int:
        """The offset that has to come next; 0 where any may."""
        return self._states[partition].expected or 0

    def seek_failed(self, partition: Partition) -> None:
        """The seek could not be made: the next record that comes too early asks for it again."""
        self._states[partition].hole = -1

    def arrive(self, partition: Partition, offset: int) -> Arrival:
        """The record at `offset` has come. Raises KeyError for a partition that was not started."""
        state = self._states[partition]
        expected = state.expected
        if expected is not None and offset < expected:
            return Arrival.DROP
        if expected is not None and offset > expected:
            if state.hole < 0 or offset < state.hole:
                state.hole = offset
                return Arrival.SEEK
            if offset > state.hole:
                return Arrival.DROP
        state.hole, state.expected = -1, offset + 1
        entry = state.entries[offset] = _Entry(offset)
        state.pending.append(entry)
        return Arrival.TAKE

    def open(self, generation: int) -> int:
        """How many records of this generation were taken and may not commit yet."""
        return sum(len(state.pending) for state in self._states.values() if state.generation == generation)

    def done(self, partition: Partition, generation: int, offset: int) -> list[int]:
        """The record is dealt with. Returns the offsets that may commit now, in order."""
        state = self._states.get(partition)
        if state is None or state.generation != generation or offset not in state.entries:
            return []
        state.entries.pop(offset).done = True
        released = []
        while state.pending and state.pending[0].done:
            released.append(state.pending.popleft().offset)
        return released
