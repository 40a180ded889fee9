"""Watch: one run-log record against the stored state of its run. Pure but for the counters.

app.py reads the state, calls `Watch.apply`, sends what is due and waits until it is
confirmed, and only then writes the state that says so.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from detector import run as runs
from detector.config import Settings
from detector.control.signatures import sign
from detector.effects import Effect, Noted
from detector.judge import Judge
from detector.observe.metrics import Metrics
from detector.records import Command, Desired, RunEvents, Summary, Verdict, decode_log
from detector.step import apply, due

encode = msgspec.json.encode


class Send(NamedTuple):
    """A public record to be sent: topic, key (the run), JSON."""

    topic: str
    key: bytes
    value: bytes


class Applied(NamedTuple):
    """What a record did: the state to store (None: forget the run), what to send, when a tick is due (ns; 0 never)."""

    state: bytes | None
    sends: list[Send]
    due: int
    stopped: bool = False
    repeated: bool = False
    """The record had been applied before; only its confirmation was missing."""


def stopped(run: runs.Run) -> bool:
    """Whether the run is paused or killed."""
    return run.desired != Desired.RUNNING


class Watch:
    """Applies run-log records under one judge."""

    def __init__(
        self, judge: Judge, settings: Settings, metrics: Metrics, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self.judge = judge
        self.metrics = metrics
        self._clock = clock
        self._key = settings.signing_key.get_secret_value()
        own = settings.topic
        self._topics = {
            Verdict: own("agent-verdicts"),
            Command: own("agent-commands"),
            Summary: own("agent-summaries"),
        }

    @property
    def topics(self) -> list[str]:
        """Where `apply` sends to."""
        return list(self._topics.values())

    def apply(self, stored: bytes | None, value: bytes, offset: int) -> Applied:
        """Applies the record `value` at `offset` to the `stored` state.

        Raises ValueError where the record is not one of the run log.
        """
        record = decode_log(value)
        layout = self.judge.model.layout
        run = None if stored is None else runs.decode(stored, layout)
        if run is not None and offset <= run.offset:
            # The state is sent again all the same: the crash may have come before its changelog had it.
            return Applied(stored, [], due(run, self.judge.policy), stopped(run), repeated=True)
        known = run is not None
        try:
            run, effects = apply(run, record, self.judge)
        except Exception:
            # A behaviour that failed must not leave its half of an action to the next run.
            self.judge.amounts.fill(0.0)
            raise
        sends = [send for effect in effects if (send := self._send(effect, record)) is not None]
        self._count(record, new=not known and run is not None)
        if run is None:
            return Applied(None, sends, 0)
        run.offset = offset
        state = runs.encode(run)
        self.metrics.state_bytes.observe(len(state))
        self.metrics.scores.observe(run.score)
        return Applied(state, sends, due(run, self.judge.policy), stopped(run))

    def standing(self, state: bytes) -> tuple[int, bool]:
        """When the run of a stored state needs a tick (ns; 0: never), and whether it is stopped."""
        run = runs.decode(state, self.judge.model.layout)
        return due(run, self.judge.policy), stopped(run)

    def _count(self, record: RunEvents, *, new: bool) -> None:
        for kind, times in Counter(map(type, record.events)).items():
            self.metrics.events.labels(kind.__name__.lower()).inc(times)
        if new:
            self.metrics.runs_started.labels(record.workflow or "unknown").inc()

    def _send(self, effect: Effect, record: RunEvents) -> Send | None:
        metrics = self.metrics
        if isinstance(effect, Noted):
            (metrics.duplicates if effect.reason == "duplicate" else metrics.notes.labels(effect.reason)).inc()
            return None
        if isinstance(effect, Verdict):
            metrics.verdicts.labels(effect.level, effect.cause.split(":")[0]).inc()
            if effect.span_id:
                metrics.span_end_to_verdict.observe(max(0, self._clock() - effect.at) / 1e9)
        elif isinstance(effect, Command):
            effect = sign(effect, self._key)
            metrics.commands.labels(effect.desired.value).inc()
            if record.arrived:
                metrics.arrival_to_command.observe(max(0, self._clock() - record.arrived) / 1e9)
        else:
            metrics.runs_finished.labels(effect.outcome).inc()
            if effect.outcome == "evicted":
                metrics.evictions.inc()
        return Send(self._topics[type(effect)], effect.run.encode(), encode(effect))
