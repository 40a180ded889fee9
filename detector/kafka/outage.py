"""A Kafka that can't be reached: why, in words, and how often a program that waits for it says so.

aiokafka's exception says only that it could not connect; why, it logs, once for every try. `reaching`
puts the two together, so that it is told once, by the program itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaConnectionError, KafkaError

from detector.errors import TransportError

REMINDER_SECONDS, LONGEST_SECONDS = 30.0, 300.0
"""The first reminder comes after so long; each next one after twice the time, up to the longest."""

_UNTOLD = "Unable connect to"
"""How aiokafka's line begins that says why a connection failed (client.py, `_get_conn`, `_bootstrap`)."""


class _Causes(logging.Handler):
    """Takes from aiokafka's log why it could not connect, and marks the record as told elsewhere."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.msg, str) and record.msg.startswith(_UNTOLD) and isinstance(record.args, tuple):
            self.last = str(record.args[-1])
            record.told = True


@contextmanager
def reaching(bootstrap: str, what: str = "") -> Iterator[None]:
    """Turns what aiokafka and the network raise meanwhile into a TransportError that says where and why."""
    causes, logger = _Causes(), logging.getLogger("aiokafka")
    logger.addHandler(causes)
    try:
        yield
    except (KafkaError, OSError) as fault:
        raise unreachable(bootstrap, fault, what, causes.last) from fault
    finally:
        logger.removeHandler(causes)


def unreachable(bootstrap: str, fault: BaseException, what: str = "", cause: str = "") -> TransportError:
    """The error that names where Kafka was looked for, and what came; `what` was asked of it."""
    text = str(fault) or type(fault).__name__
    if isinstance(fault, KafkaConnectionError):
        text = f"no connection: {cause}" if cause else "no connection"
    return TransportError(f"Kafka at {bootstrap}: " + (f"{what}: {text}" if what else text))


class Outage:
    """What a program says of a Kafka that is away: at once, then ever less often, and when it is back.

    One that comes and goes is told once in REMINDER_SECONDS.
    """

    def __init__(
        self, log: logging.Logger, who: str, clock: Callable[[], float] = time.monotonic, what: str = "Kafka"
    ) -> None:
        self._log = log
        self._who = who
        self._what = what
        self._clock = clock
        self._since: float | None = None
        self._told = False
        self._next = 0.0
        self._pause = REMINDER_SECONDS

    def __bool__(self) -> bool:
        """Whether there is one."""
        return self._since is not None

    def note(self, fault: BaseException | str) -> None:
        """Something failed because of it."""
        now = self._clock()
        if self._since is None:
            self._since, self._told, self._pause = now, False, REMINDER_SECONDS
        if now < self._next:
            return
        if self._told:
            self._pause = min(2 * self._pause, LONGEST_SECONDS)
            self._log.error("%s: still after %.0f s: %s", self._who, now - self._since, fault)
        else:
            self._log.error("%s: %s; trying again until it answers", self._who, fault)
        self._told, self._next = True, now + self._pause

    def over(self) -> None:
        """Kafka answered."""
        if self._since is not None and self._told:
            self._log.info("%s: %s answers again after %.0f s", self._who, self._what, self._clock() - self._since)
        self._since = None
