"""Freezes, thaws and kills the processes of runs that `detector run` started on this host.

The desired state is the whole state: a run that registers after its pause came is paused
then, and one that doesn't keep the state it was brought to (another process thawed it, a
missed process appeared) is brought there again.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from detector.config import Settings
from detector.control.enforcers.base import Enforcer, Outcome, Result
from detector.control.groups import PROOF_SECONDS, Group, bring
from detector.control.registry import Registration, Registry
from detector.errors import EnforcerError
from detector.records import Command, Desired

log = logging.getLogger(__name__)

_ENDED_REMEMBERED = 10_000
_CHECK_SECONDS = 1.0
_CHECK_SHARE = 20
"""Checking whether states are kept may take one part in so many of the time."""

_WORDS = {Desired.RUNNING: "running", Desired.PAUSED: "stopped", Desired.KILLED: "emptied"}


class Held:
    """A registered run, what holds its processes, and the state that it was last brought to."""

    __slots__ = ("desired", "group", "registration")

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self.group: Group = registration.group()
        self.desired = Desired.RUNNING


class ProcessEnforcer(Enforcer):
    """Acts on registered runs of this host and user, and on nothing else."""

    name = "process"

    def __init__(self, registry: Registry, poll: float = 0.05, proof: float = PROOF_SECONDS) -> None:
        super().__init__()
        self._registry = registry
        self._poll = poll
        self._proof = proof
        self._held: dict[str, Held] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._told: dict[str, str] = {}
        self._next_check = 0.0

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """On Linux always; elsewhere there's nothing to prove a stop by, so not at all."""
        return cls(Registry(settings.run_dir)) if sys.platform == "linux" else None

    async def act(self, command: Command) -> Outcome:
        """Brings the run and the runs below it into the state; done when the kernel says so."""
        held: list[Held] = []
        faults: list[BaseException] = []
        for run in dict.fromkeys([command.run, *command.aliases, *command.tree]):
            try:
                found = self._hold(run)
            except EnforcerError as fault:
                faults.append(fault)
            else:
                held += [found] if found else []
        if not held and not faults:
            ended = command.run in self._ended
            return Outcome(Result.ALREADY, "the run has ended") if ended else Outcome(Result.NOT_MINE)
        started = time.perf_counter()
        for one in held:
            # A run below that was stopped for itself stays so when the one above goes on, and the other way round.
            one.desired = self.strongest(one.registration.run, command.desired)
        answers = await asyncio.gather(
            *(bring(one.group, one.desired, self._proof) for one in held), return_exceptions=True
        )
        # One that can't be reached spares none of the others.
        faults += [answer for answer in answers if isinstance(answer, BaseException)]
        if faults:
            raise faults[0]
        took = (time.perf_counter() - started) * 1000
        words = f"{', '.join(_in_words(one.group) for one in held)}, {took:.1f} ms"
        return Outcome(Result.DONE if any(answers) else Result.ALREADY, words)

    async def unsettled(self) -> list[str]:
        """Runs that registered since the last call, or that left the state they were brought to."""
        while True:
            await asyncio.sleep(self._poll)
            if due := self._appeared() + self._drifted():
                return due

    def _hold(self, run: str) -> Held | None:
        """What holds the run here; None where nothing does. Raises EnforcerError where that can't be seen."""
        held, found = self._held.get(run), self._registry.find(run)
        try:
            # A launch once seen is held even where its file has gone: it can't free itself by that.
            if found is None or not found.is_here() or (held is not None and held.registration == found):
                return held
            held = self._held[run] = Held(found)
        except OSError as fault:
            raise EnforcerError(f"run {run!r}: {fault.strerror}") from fault
        return held

    def _appeared(self) -> list[str]:
        names = self._registry.names()
        self._seen = {name: stamp for name, stamp in self._seen.items() if names.get(name) == stamp}
        due = []
        for name, stamp in names.items():
            # Seen is only what is held, or never will be here: anything else is looked at again.
            if name in self._seen or (found := self._registry.read(name)) is None:
                continue
            with self._telling(found.run):
                if self._hold(found.run) is not None:
                    due.append(found.run)
                elif found.is_here():
                    continue
                self._seen[name] = stamp
        return due

    def _drifted(self) -> list[str]:
        started = time.monotonic()
        if started < self._next_check:
            return []
        due = []
        for run, held in list(self._held.items()):
            with self._telling(run):
                state = held.group.state()
                if state is Desired.KILLED:
                    self._let_go(run, held)
                elif held.desired not in {Desired.RUNNING, state}:
                    due.append(run)
        took = time.monotonic() - started
        self._next_check = started + max(_CHECK_SECONDS, took * _CHECK_SHARE)
        return due

    @contextmanager
    def _telling(self, run: str) -> Iterator[None]:
        """Tells what goes wrong with one run, once, and lets the others go on."""
        try:
            yield
        except (EnforcerError, OSError) as fault:
            if self._told.get(run) != str(fault):
                self._told[run] = str(fault)
                log.warning("enforce: process: run %r can't be looked at, trying again: %s", run, fault)
        else:
            self._told.pop(run, None)

    def _let_go(self, run: str, held: Held) -> None:
        self._registry.clear(held.registration)
        del self._held[run]
        self._ended[run] = None
        while len(self._ended) > _ENDED_REMEMBERED:
            self._ended.popitem(last=False)


def _in_words(group: Group) -> str:
    state = group.state()
    misses = f" (misses {group.misses})" if group.misses else ""
    count = "" if state is Desired.KILLED else f", {len(group.pids())} processes"
    return f"{group.kind} {_WORDS[state]}{count}{misses}"


ENFORCER = ProcessEnforcer
