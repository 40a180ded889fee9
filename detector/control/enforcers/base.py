"""What every enforcer is, and the order of commands that all of them keep.

An enforcer says how one command is carried out (`act`). When it is carried out is decided
here, once for all: newer before older, each once, killed absorbs everything, and a newer
command of a run ends the work on an older one.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from typing import ClassVar, Self

import msgspec

from detector.config import Settings
from detector.errors import DetectorError
from detector.records import Command, Desired

RUNS_REMEMBERED = 50_000
"""Runs whose last command an enforcer remembers; the longest untouched is forgotten first."""


class Result(StrEnum):
    """What came of a command; the outcome of an Ack."""

    DONE = "done"
    ALREADY = "already"
    """The run is in that state, or a newer command stands."""
    NOT_MINE = "not mine"
    """This enforcer doesn't hold the run."""
    FAILED = "failed"


class Outcome(msgspec.Struct, frozen=True):
    """A result and, in words of ours, how it came about."""

    result: Result
    detail: str = ""


class Standing:
    """The newest command of one run, and whether it was carried out."""

    __slots__ = ("acting", "lock", "newest", "settled")

    def __init__(self, newest: Command) -> None:
        self.newest = newest
        self.settled = False
        self.lock = asyncio.Lock()
        self.acting: asyncio.Task[Outcome] | None = None

    def follow(self, command: Command) -> str:
        """Takes `command` as the newest, or says why it changes nothing."""
        newest = self.newest
        if command.sequence < newest.sequence:
            return f"command {newest.sequence} is newer"
        if command.sequence == newest.sequence:
            return f"command {newest.sequence} was carried out before" if self.settled else ""
        # A kill that comes again names more runs.
        if newest.desired is Desired.KILLED and command.desired is not Desired.KILLED:
            return f"killed by command {newest.sequence}"
        self.newest, self.settled = command, False
        if self.acting is not None:
            self.acting.cancel()
        return ""


class Enforcer(ABC):
    """Base of all enforcers. A subclass sets `name` and writes `from_settings` and `act`."""

    name: ClassVar[str]
    once: ClassVar[bool] = False
    """What any host acked is done for good, e.g. a message sent. False: state of this host, looked at again."""

    def __init__(self, remembered: int = RUNS_REMEMBERED) -> None:
        self._remembered = remembered
        self._standing: OrderedDict[str, Standing] = OrderedDict()
        self.strongest: Callable[[str, Desired], Desired] = lambda _, desired: desired
        """The state that a run must be in where a command asks for one: other commands may cover the run too."""

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """The enforcer, or None where the settings don't ask for it. Raises ConfigError."""

    @abstractmethod
    async def act(self, command: Command) -> Outcome:
        """Brings the run into the state asked for and proves it.

        Called for one command of a run at a time, cancelled when a newer one comes. May raise;
        the text of a DetectorError goes into the ack.
        """

    async def unsettled(self) -> list[str]:
        """Waits until commands that stand should be tried again, and returns their runs."""
        await asyncio.Event().wait()
        return []

    async def close(self) -> None:  # noqa: B027 - holding nothing open is the common case
        """Lets go of what the enforcer holds open."""

    async def apply(self, command: Command) -> Outcome:
        """Carries the command out if it is due. Never raises but for its own cancellation."""
        standing = self._standing_of(command)
        if refusal := standing.follow(command):
            return Outcome(Result.ALREADY, refusal)
        async with standing.lock:
            if overtaken := self._overtaken(standing, command):
                return overtaken
            outcome = await self._act(standing, command)
            if standing.newest.sequence == command.sequence:
                standing.settled = outcome.result in {Result.DONE, Result.ALREADY}
            return outcome

    def remember(self, command: Command) -> bool:
        """Takes the command as carried out, e.g. before a restart; says whether that is news."""
        standing = self._standing_of(command)
        if standing.follow(command):
            return False
        standing.settled = True
        return True

    def unsettle(self, run: str) -> None:
        """Lets the newest command of a run be carried out again."""
        if run in self._standing:
            self._standing[run].settled = False

    def _standing_of(self, command: Command) -> Standing:
        standing = self._standing.setdefault(command.run, Standing(command))
        self._standing.move_to_end(command.run)
        while len(self._standing) > self._remembered:
            self._standing.popitem(last=False)
        return standing

    def _overtaken(self, standing: Standing, command: Command) -> Outcome | None:
        newest = standing.newest
        if newest.sequence > command.sequence:
            return Outcome(Result.FAILED, f"superseded by command {newest.sequence} before it was carried out")
        if standing.settled:
            return Outcome(Result.ALREADY, f"command {newest.sequence} was carried out before")
        return None

    async def _act(self, standing: Standing, command: Command) -> Outcome:
        standing.acting = asyncio.ensure_future(self.act(command))
        try:
            return await standing.acting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            # Cancelled from outside (the enforcer stops), not by a newer command.
            if task is None or task.cancelling():
                raise
            return self._overtaken(standing, command) or Outcome(Result.FAILED, "cancelled")
        except DetectorError as fault:
            return Outcome(Result.FAILED, str(fault))
        except Exception as fault:  # noqa: BLE001 - a plug-in's fault; its text may hold anything, so only its type goes on
            return Outcome(Result.FAILED, f"unexpected {type(fault).__name__}")
        finally:
            standing.acting = None
