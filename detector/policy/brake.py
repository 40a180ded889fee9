"""The brake: how many runs the model may stop in a while. What it would stop beyond that is only alerted on.

A bad model, or a deploy that makes every agent stumble, must not stop the fleet. A brake is of one partition of the
run log, which one worker has at a time, and goes by what stands there: the offsets of the records that made the model
stop a run, and when these were written. So a successor, or a replay of the partition, brakes where this worker did.
Rules, manifests, people and deadlines are never braked, and what they stop doesn't count. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

PREFIX = b"\0brake/"
"""Begins the key of every brake in the table, before the partition: no run's id holds a zero byte."""

Stop = tuple[int, int]
"""(offset of the record that made the model stop a run, when that was written to the run log in ns)."""


class Stops(msgspec.Struct, array_like=True):
    """The model's stops of late in one partition, as they are stored: as many as the brake lets through at most."""

    run: str
    """The key."""
    made: list[Stop]
    """In the order of their offsets."""
    offset: int = -1
    """That of the last one."""


def key_of(partition: int) -> bytes:
    """Where the stops of a partition of the run log are stored."""
    return PREFIX + str(partition).encode()


def within(made: list[Stop], now: int, window_ns: int) -> list[Stop]:
    """Those of the stops that are less than the window away from `now` (ns), on either side: clocks may jump."""
    return [stop for stop in made if abs(now - stop[1]) < window_ns]


class Brake:
    """Asked before the model stops a run. Part of a judge, set to one record at a time; else it lets everything pass.

    `most` stops pass in `window_ns` of what was written to the run log; 0: all.
    """

    def __init__(self, most: int, window_ns: int) -> None:
        self.most = most
        self.window_ns = window_ns
        self._read: Callable[[], list[Stop]] | None = None
        self._at = 0, 0
        self._made: list[Stop] | None = None
        self._passed = False

    def begin(self, read: Callable[[], list[Stop]], offset: int, written: int) -> None:
        """The record at `offset`, `written` then (ns), is applied next. `read` gives its partition's stops so far."""
        self._read, self._at, self._made, self._passed = read, (offset, written), None, False

    def passes(self) -> bool:
        """Whether the model may stop one more run; if so, that is counted."""
        if self._read is None or not self.most:
            return True
        if self._made is None:
            offset, written = self._at
            # Stops of this record and later ones were counted before a crash, after which it is applied again.
            before = [stop for stop in self._read() if stop[0] < offset]
            self._made = within(before, written, self.window_ns)
        if len(self._made) >= self.most:
            return False
        self._made.append(self._at)
        self._passed = True
        return True

    def end(self) -> list[Stop] | None:
        """The record was applied: the stops to be stored in place of those that were read; None: none was added."""
        made = self._made if self._passed else None
        self._read, self._made, self._passed = None, None, False
        return made

    def pulled(self, made: list[Stop], now: int) -> bool:
        """Whether the model's next pause would not pass at `now` (ns)."""
        return 0 < self.most <= len(within(made, now, self.window_ns))
