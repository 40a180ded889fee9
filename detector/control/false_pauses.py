"""How many honest runs the model has paused, from what the topics hold: verdicts, labels, summaries."""

from __future__ import annotations

import time
from collections import Counter

from detector.config import Settings
from detector.control import people
from detector.control.people import Entry
from detector.records import Label, Level, Summary, Verdict
from detector.scoring.monitor import Monitor

HONEST = {"honest": True, "approve": True, "resume": True, "destructive": False, "deny": False, "kill": False}
"""Whether a label of this kind says that the run was honest."""
OF_THE_RUN = frozenset({"honest", "destructive"})
"""They say it of the run; the others only decide what is to become of it, and count where nobody said more."""
SPARED = frozenset({"shadow", "brake"})
"""Causes of alerts in place of the model's pause."""
DAY_NS = 86_400 * 1_000_000_000


class Tally:
    """Takes records in any order. Runs under other models than `version`, or that ended before `since`, don't count.

    A run is a false pause where the model paused it, or would have but for the shadow share or the brake, and a person
    calls it honest or let it go on. It is an honest one without a pause where nothing paused it and nobody called it
    destructive. What a rule or a manifest paused says nothing of the model.
    """

    def __init__(self, version: str, since: int = 0) -> None:
        self._version, self._since = version, since
        self._paused: dict[str, str] = {}
        self._quiet: dict[str, str] = {}
        self._said: dict[str, tuple[bool, int, bool]] = {}

    def take(self, entry: Entry) -> None:
        """Counts a record of the topics; what somebody else signed is passed over."""
        record = entry.record
        if not entry.genuine:
            return
        if isinstance(record, Verdict) and record.model == self._version and record.at >= self._since:
            if record.cause in SPARED or (record.cause == "model" and record.level == Level.PAUSE.name):
                self._paused[record.run] = record.workflow
        elif isinstance(record, Label) and record.kind in HONEST:
            said = record.kind in OF_THE_RUN, record.at, HONEST[record.kind]
            self._said[record.run] = max(said, self._said.get(record.run, said))
        elif isinstance(record, Summary) and record.model == self._version and record.ended >= self._since:
            self._quiet.pop(record.run, None)
            if record.calls and Level[record.level] < Level.PAUSE:
                self._quiet[record.run] = record.workflow

    def monitors(self) -> list[Monitor]:
        """What is known of each workflow, by name."""
        paused: Counter[str] = Counter()
        pending: Counter[str] = Counter()
        runs: Counter[str] = Counter()
        for run, workflow in self._paused.items():
            if run not in self._said:
                pending[workflow] += 1
            elif self._said[run][-1]:
                paused[workflow] += 1
                runs[workflow] += 1
        for run, workflow in self._quiet.items():
            if run not in self._paused and (run not in self._said or self._said[run][-1]):
                runs[workflow] += 1
        return [
            Monitor(workflow, self._version, runs[workflow], paused[workflow], pending[workflow])
            for workflow in sorted({*runs, *pending})
        ]


async def monitors(settings: Settings, version: str) -> list[Monitor]:
    """What the topics say of the model `version`, as far back as verdicts and labels go. Raises TransportError."""
    tally = Tally(version, time.time_ns() - settings.audit_retention_days * DAY_NS)
    await people.every(settings, tally.take)
    return tally.monitors()
