"""Replays recorded OTLP, or the run log itself: the verdicts that the stream gave for the same run log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from detector import ingest
from detector.config import Settings
from detector.errors import DetectorError, Drop
from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import Alias, Aliases, RunEvents, Tick, Verdict
from detector.runs.effects import Effect, Handed
from detector.runs.judge import Judge
from detector.runs.kin import Forwarder
from detector.runs.state import State, fit
from detector.scoring.model import load
from detector.step import apply
from detector.training.recorded import lines


def replay(path: Path, settings: Settings) -> Iterator[Verdict]:
    """Verdicts on the runs in `path`: `.jsonl[.gz]`, a request a line, or one request in OTLP protobuf or JSON.

    Raises DetectorError where the file can't be read; a request that can't be used is passed over, as in the stream.
    """
    replayed = Replay(Judge(load(settings.models), Policy.from_settings(settings)))
    due: deque[RunEvents] = deque()
    for record in batches(path, Reader.from_settings(settings)):
        due.append(record)
        while due:
            # What one run hands to another stands in the run log, and here comes before the next request.
            effects = replayed.apply(due.popleft())
            due += [effect.record for effect in effects if isinstance(effect, Handed)]
            yield from (effect for effect in effects if isinstance(effect, Verdict))


def verdicts(records: Iterator[RunEvents], judge: Judge) -> Iterator[Verdict]:
    """Verdicts on `records` of the run log, in order; what runs handed to one another is among them."""
    replayed = Replay(judge)
    for record in records:
        yield from (effect for effect in replayed.apply(record) if isinstance(effect, Verdict))


def batches(path: Path, reader: Reader) -> Iterator[RunEvents]:
    """The run-log records that ingest makes of the requests in `path`."""
    told: dict[str, str] = {}
    try:
        requests = (line for line in lines(path) if line.strip()) if ".jsonl" in path.suffixes else [path.read_bytes()]
        for request in requests:
            try:
                reading = reader.read(request)
            except Drop:
                continue
            for batch in reading.batches:
                yield from ingest.pieces(batch, batch.written)
            for part, run in reading.aliases.items():
                if told.get(part) != run:
                    told[part] = run
                    yield RunEvents(part, [Alias(0, run)])
    except OSError as fault:
        raise DetectorError(f"replay: {path} can't be read: {fault.strerror or fault}") from None


class Replay:
    """The states of all runs, as the table has them."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._live: dict[str, State] = {}
        self._bundles: dict[str, tuple[int, list[tuple[str, str]]]] = {}
        self._parts: dict[str, tuple[str, str]] = {}
        """Of traces that had no run when it was told whose they are: that run, and the bundle that says so."""

    def apply(self, record: RunEvents) -> list[Effect]:
        """Steps the record's run."""
        if record.events and isinstance(record.events[0], Aliases):
            self._told(record, record.events[0])
            return []
        if record.run in self._bundles:
            self._expire(record)
            return []
        known = self._live.pop(record.run, None)
        if known is None and (part := self._parts.get(record.run)):
            known = Forwarder.at(record.run, part[0], record.written)
        state, effects = apply(known, record, self._judge)
        if state is not None:
            fit(state)
            self._live[record.run] = state
        return effects

    def _told(self, record: RunEvents, aliases: Aliases) -> None:
        self._bundles[record.run] = record.written, aliases.runs
        for part, run in aliases.runs:
            self._parts.setdefault(part, (run, record.run))

    def _expire(self, record: RunEvents) -> None:
        written, aliases = self._bundles[record.run]
        if any(isinstance(e, Tick) and e.at >= written + self._judge.policy.idle_ns for e in record.events):
            del self._bundles[record.run]
            for part, _ in aliases:
                if self._parts.get(part, ("", ""))[1] == record.run:
                    del self._parts[part]
