"""How many honest runs the model has paused, from what the topics hold: verdicts, labels, commands, summaries.

The test of scoring.monitor takes honest runs one after another, each known as soon as it is counted. Here a pause is
known in minutes, and that a run was never paused only after its end: whoever counted what is known would see the
pauses first. So runs are counted in the order in which they started, up to those that started so long ago that all
but a thousandth of the workflow's runs have ended since.

Verdicts are kept for a time only. Runs are counted from a fixed day on: the version's first one, and when that is out
of reach, as many whole periods of retention later as it takes. Each workflow has a test of its own in each period.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import NamedTuple

from detector.config import Settings
from detector.control import people
from detector.control.people import Entry
from detector.records import Command, Label, Level, Summary, Verdict
from detector.scoring.monitor import Monitor

HONEST = {"honest": True, "approve": True, "resume": True, "destructive": False, "deny": False, "kill": False}
"""Whether a label of this kind says that the run was honest."""
OF_THE_RUN = frozenset({"honest", "destructive"})
"""They say it of the run; the others only decide what is to become of it, and count where nobody said more."""
SPARED = frozenset({"shadow", "brake"})
"""Causes of alerts in place of the model's pause."""
SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
ENDED = 0.999
"""Share of a workflow's runs that are no longer than what is waited for."""
TRACE_CHARS = 32
"""The end of a part's name, where it is named by its trace."""


class _Pause(NamedTuple):
    at: int
    first_seen: int
    """To the second, ns."""
    workflow: str


class Tally:
    """Takes records in any order. Runs under other models than `version` say nothing but how long runs are.

    A run is a false pause where the model paused it, or would have but for the shadow share or the brake, and a person
    calls it honest or let it go on afterwards. It is an honest one without a pause where nothing paused it and nobody
    called it destructive. What a rule or a manifest paused says nothing of the model. A part that became known as
    another run's is that run. `idle`: how long after its end a run is summarised at the latest; `kept`: how long
    verdicts are kept; both ns.
    """

    def __init__(self, version: str, *, idle: int = 0, kept: int = DAY_NS) -> None:
        self._version, self._idle, self._kept = version, idle, kept
        self._pauses: dict[str, _Pause] = {}
        self._quiet: dict[str, str] = {}
        self._started: dict[str, int] = {}
        self._said: dict[str, set[tuple[bool, int, bool]]] = defaultdict(set)
        self._parts: dict[str, str] = {}
        self._lengths: dict[str, list[int]] = defaultdict(list)
        self._newest = 0

    def take(self, entry: Entry) -> None:
        """Counts a record of the topics; what somebody else signed is passed over."""
        record = entry.record
        if not entry.genuine:
            return
        if isinstance(record, Verdict):
            self._verdict(record)
        elif isinstance(record, Command):
            self._parts.update(dict.fromkeys(record.aliases, record.run))
        elif isinstance(record, Label) and record.kind in HONEST:
            self._said[record.run].add((record.kind in OF_THE_RUN, record.at, HONEST[record.kind]))
        elif isinstance(record, Summary):
            self._summary(record)

    def _verdict(self, verdict: Verdict) -> None:
        self._newest = max(self._newest, verdict.at)
        cause = verdict.cause.removeprefix("adopted:")
        if cause != verdict.cause:
            self._parts.update(dict.fromkeys(verdict.traces, verdict.run))
        of_the_model = cause in SPARED or (cause == "model" and verdict.level == Level.PAUSE.name)
        if of_the_model and verdict.model == self._version:
            # A run's sequences begin at the second in which it was first seen.
            pause = _Pause(verdict.at, verdict.sequence * SECOND_NS, verdict.workflow)
            self._pauses[verdict.run] = min(pause, self._pauses.get(verdict.run, pause))

    def _summary(self, summary: Summary) -> None:
        self._newest = max(self._newest, summary.ended)
        # What a newer worker calls otherwise is not known to have been left alone.
        quiet = Level.__members__.get(summary.level, Level.KILL) < Level.PAUSE and summary.calls > 0
        if quiet:
            self._lengths[summary.workflow].append(summary.ended - summary.started)
        if summary.model == self._version:
            self._started[summary.run] = summary.started
            self._quiet.pop(summary.run, None)
            if quiet:
                self._quiet[summary.run] = summary.workflow

    def monitors(self, now: int) -> list[Monitor]:
        """What is known of each workflow, by name; `now`: ns since 1970."""
        pauses = self._whole()
        start = {run: self._started.get(run, pause.first_seen) for run, pause in pauses.items()}
        start.update((run, self._started[run]) for run in self._quiet)
        if not start:
            return []
        # What has not been read yet has not ended either, where the detector is behind.
        now = min(now, self._newest)
        since = _since(min(start.values()), now, self._kept)
        until = {name: now - self._idle - self._longest(name) for name in {*self._workflows(pauses)}}
        counts: dict[str, Counter[str]] = {name: Counter() for name in until}
        for run, workflow, what in self._known(pauses):
            if start[run] >= since:
                counts[workflow]["young" if start[run] >= until[workflow] and what != "pending" else what] += 1
        return [
            Monitor(name, self._version, of["paused"] + of["quiet"], of["paused"], of["pending"], of["young"])
            for name, of in sorted(counts.items())
            if of
        ]

    def _whole(self) -> dict[str, _Pause]:
        """The pauses by run, of parts under the run that they are of."""
        found: dict[str, _Pause] = {}
        for name, pause in self._pauses.items():
            run = self._run(name)
            other = found.get(run, pause)
            found[run] = _Pause(min(pause.at, other.at), min(pause.first_seen, other.first_seen), pause.workflow)
            if run in self._pauses:
                found[run] = found[run]._replace(workflow=self._pauses[run].workflow)
        return found

    def _run(self, name: str) -> str:
        return self._parts.get(name) or self._parts.get(name[-TRACE_CHARS:]) or name

    def _workflows(self, pauses: dict[str, _Pause]) -> list[str]:
        return [*self._quiet.values(), *(pause.workflow for pause in pauses.values())]

    def _known(self, pauses: dict[str, _Pause]) -> list[tuple[str, str, str]]:
        """(run, workflow, paused, pending or quiet), without those that were blamed."""
        said: dict[str, set[tuple[bool, int, bool]]] = defaultdict(set)
        for name, every in self._said.items():
            said[self._run(name)] |= every
        found = []
        for run, pause in pauses.items():
            # Before the pause people answered something else: a prompt of the agent's own.
            after = [each for each in said.get(run, ()) if each[1] >= pause.at]
            if not after or max(after)[-1]:
                found.append((run, pause.workflow, "paused" if after else "pending"))
        for run, workflow in self._quiet.items():
            if run not in pauses and (run not in said or max(said[run])[-1]):
                found.append((run, workflow, "quiet"))
        return found

    def _longest(self, workflow: str) -> int:
        """How long all but a thousandth of a workflow's runs are, under whatever model, ns; a day before any ended."""
        lengths = sorted(self._lengths.get(workflow, [DAY_NS]))
        return max(0, lengths[math.ceil(ENDED * len(lengths)) - 1])


def _since(first: int, now: int, kept: int) -> int:
    """Where the period begins that `now` is in: whole periods of `kept` after `first`."""
    return first + max(0, now - first) // kept * kept


async def monitors(settings: Settings, version: str, progress: Callable[[int], None] | None = None) -> list[Monitor]:
    """What the topics say of the model `version`; `progress` is told how many records were read.

    Raises TransportError.
    """
    tally = Tally(version, idle=int(settings.idle_seconds * SECOND_NS), kept=settings.audit_retention_days * DAY_NS)
    await people.every(settings, tally.take, progress)
    return tally.monitors(time.time_ns())
