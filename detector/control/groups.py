"""What holds the processes of one run, and bringing it into a state that is then proven."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from detector.errors import EnforcerError
from detector.records import Desired

PROOF_SECONDS = 5.0
"""How long a group may take to reach a state. A process in an uninterruptible wait can't be frozen sooner."""

_FIRST_WAIT, _LONGEST_WAIT = 0.0005, 0.02


class Group(Protocol):
    """The processes of one run: a cgroup, or what signals reach."""

    kind: str
    misses: str
    """What a pause or a kill can't reach, in words; empty: nothing."""

    def request(self, desired: Desired) -> None:
        """Asks for a state, once; harmless to repeat. Raises OSError."""

    def state(self) -> Desired:
        """The state that the processes are in: killed where there are none, paused where all are."""

    def pids(self) -> list[int]:
        """The processes in the group."""


async def bring(group: Group, desired: Desired, seconds: float = PROOF_SECONDS) -> bool:
    """Brings a group into a state, proves it, and says whether anything had to change.

    Raises EnforcerError where the state isn't reached within `seconds`; it stays asked for.
    """
    try:
        return await _bring(group, desired, seconds)
    except OSError as fault:
        raise EnforcerError(f"{group.kind}: {desired.value} could not be asked for: {fault.strerror}") from fault


async def _bring(group: Group, desired: Desired, seconds: float) -> bool:
    was = group.state()
    if was is Desired.KILLED:
        return False
    started, wait = time.monotonic(), _FIRST_WAIT
    while True:
        group.request(desired)
        now = group.state()
        # A group that ended by itself meanwhile needs no more.
        if now in {desired, Desired.KILLED}:
            return was is not now
        if time.monotonic() - started > seconds:
            raise EnforcerError(f"{group.kind}: expected {desired.value} within {seconds:g} s, found {now.value}")
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)
