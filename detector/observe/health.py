"""Whether a process lives and does its work, as probes ask: `alive` and `ready`, each with a reason in words.

Not alive is what a restart mends: the process has crashed, or takes nothing from Kafka though Kafka
answers. Not ready is all else: partitions are on their way, state is being recovered, Kafka is away.
A Kafka that is gone never makes a process unhealthy: a restart would not bring it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

STALLED_SECONDS = 60.0
"""A poll lasts a second, and then as long as its records need for a place in a queue: never so long."""
ASK_SECONDS = 5.0
"""How often Kafka is asked for a sign of life, and how long it may take."""
SILENT_SECONDS = 3 * ASK_SECONDS
"""After so long without an answer of Kafka's it counts as away."""


class Probes(Protocol):
    """What a server asks before it answers a probe."""

    def alive(self) -> str:
        """Why the process has to be restarted; empty where it lives."""

    def ready(self) -> str:
        """Why the process can't do its work at this moment; empty where it can."""


class Health:
    """The health of a worker.

    `crashed` and `waiting` say why it does not run, or does not judge, and are empty otherwise;
    `polled` is when it last asked its consumer for records, 0 before the first time (s, monotonic).
    """

    def __init__(
        self,
        crashed: Callable[[], str],
        waiting: Callable[[], str],
        polled: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._crashed = crashed
        self._waiting = waiting
        self._polled = polled
        self._clock = clock
        self._answered = clock()

    def answered(self) -> None:
        """Kafka answered just now."""
        self._answered = self._clock()

    def alive(self) -> str:
        """Why the process has to be restarted; empty where it lives."""
        if why := self._crashed():
            return why
        still = self._clock() - self._polled()
        if not self.ready() and self._polled() and still > STALLED_SECONDS:
            return f"Kafka answers, and nothing was asked of it for {still:.0f} s"
        return ""

    def ready(self) -> str:
        """Why runs are not judged at this moment; empty where they are."""
        if why := self._crashed() or self._waiting():
            return why
        silent = self._clock() - self._answered
        return f"Kafka has not answered for {silent:.0f} s" if silent > SILENT_SECONDS else ""
