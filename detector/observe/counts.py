"""What the worker counts of the records that it applies and of what they cause. One call a record; no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import chain

from detector.observe.metrics import OTHER, Metrics, exemplar
from detector.records import Acked, Action, Blind, Command, Desired, RunEvents, Summary, Turn, Verdict
from detector.runs.effects import Effect, Noted
from detector.runs.judge import Judge
from detector.runs.run import Run
from detector.scoring.calibration import ALERT_RATE

UNKNOWN = "unknown"
BLIND = tuple((int(kind), str(kind.name).lower()) for kind in Blind)


@cache
def _names(blind: int) -> tuple[str, ...]:
    """What a call could not be seen by, as the metric `blind` has it."""
    return tuple(name for kind, name in BLIND if blind & kind)


@cache
def _kind(kind: type[object]) -> str:
    return kind.__name__.lower()


Standing = tuple[str, str]
"""(workflow, state) of a run that is held, as the metric `runs` has it."""


def standing(state: object) -> Standing | None:
    """Where a stored state is counted; None: it is no run."""
    if not isinstance(state, Run):
        return None
    return state.workflow or UNKNOWN, _state(state)


def _state(run: Run) -> str:
    if run.desired != Desired.RUNNING:
        return run.desired
    if run.kin is not None and run.kin.summarised:
        return "ended"
    return "running" if run.calls or run.turns else "unjudged"


class Counts:
    """The counters of one worker. `clock` gives nanoseconds since 1970."""

    def __init__(self, metrics: Metrics, judge: Judge, clock: Callable[[], int]) -> None:
        self._metrics = metrics
        self._judge = judge
        self._clock = clock
        self._families = [
            (behaviour.name, offset, offset + len(behaviour.signals))
            for behaviour, offset in zip(judge.model.layout.behaviours, judge.offsets, strict=True)
        ]
        metrics.expected_unusual.set(ALERT_RATE)
        calibration = judge.model.calibration
        self._elsewhere = metrics.alert_threshold.labels(OTHER)
        self._elsewhere.set(calibration.everywhere.alert)
        self._untold = {workflow: limits.alert for workflow, limits in calibration.workflows.items()}
        """Thresholds of workflows of which no run was counted yet: they take no label from those that run here."""

    def moved(self, before: Standing | None, after: Standing | None) -> None:
        """A run is no longer there where it was counted, but here."""
        if before == after:
            return
        if before is not None:
            self._metrics.runs.labels(*before).dec()
        if after is not None:
            self._metrics.runs.labels(*after).inc()

    def record(self, record: RunEvents, state: object, *, new: bool) -> None:
        """A record was applied, and left this state."""
        metrics, events = self._metrics, record.events
        for kind, times in Counter([event.__class__ for event in events]).items():
            metrics.events.labels(_kind(kind)).inc(times)
            if kind is Action:
                metrics.calls.labels(record.service or UNKNOWN).inc(times)
            elif kind is Acked:
                for event in events:
                    if isinstance(event, Acked):
                        metrics.acks.labels(event.outcome).inc()
        blind = [event.blind for event in events if isinstance(event, Action | Turn) and event.blind]
        if blind:
            for name, times in Counter(chain.from_iterable(map(_names, blind))).items():
                metrics.blind.labels(record.service or UNKNOWN, name).inc(times)
        if isinstance(state, Run):
            workflow = state.workflow or UNKNOWN
            metrics.scores.labels(workflow).observe(state.score)
            self._tell(workflow)
            if new:
                metrics.runs_started.labels(workflow).inc()

    def _tell(self, workflow: str) -> None:
        limit = self._untold.pop(workflow, None)
        if limit is None:
            return
        told = self._metrics.alert_threshold.labels(workflow)
        # What came too late to be told apart shares a child with all others.
        if told is not self._elsewhere:
            told.set(limit)

    def contained(self, state: object, seconds: float) -> None:
        """An enforcer said of a run that was to be stopped that it is, so long after the command."""
        traces = state.traces if isinstance(state, Run) else []
        self._metrics.contain.observe(seconds, exemplar(traces[-1].hex() if traces else ""))

    def noted(self, effect: Noted, workflow: str) -> None:
        """Something that is counted and goes nowhere else."""
        metrics = self._metrics
        (metrics.duplicates if effect.reason == "duplicate" else metrics.notes.labels(effect.reason)).inc()
        if effect.reason == "evicted_unsummarised":
            metrics.runs_finished.labels(workflow or UNKNOWN, "evicted").inc()
            metrics.evictions.inc()

    def effect(self, effect: Effect, record: RunEvents) -> None:
        """Something is sent."""
        metrics = self._metrics
        if isinstance(effect, Verdict):
            self._verdict(effect)
        elif isinstance(effect, Command):
            metrics.commands.labels(effect.workflow or UNKNOWN, effect.desired.value).inc()
            if record.arrived:
                waited = max(0, self._clock() - record.arrived) / 1e9
                metrics.arrival_to_command.observe(waited, exemplar(_last(effect.traces)))
        elif isinstance(effect, Summary):
            workflow = effect.workflow or UNKNOWN
            metrics.runs_finished.labels(workflow, effect.outcome).inc()
            if effect.peak > self._judge.model.calibration.of(effect.workflow).alert:
                metrics.runs_unusual.labels(workflow).inc()
            if effect.outcome == "evicted":
                metrics.evictions.inc()

    def _verdict(self, verdict: Verdict) -> None:
        workflow, trace = verdict.workflow or UNKNOWN, exemplar(_last(verdict.traces))
        self._metrics.verdicts.labels(workflow, verdict.level, verdict.cause.split(":")[0]).inc(1, trace)
        if verdict.cause == "leak":
            self._metrics.leaks.labels(workflow).inc(1, trace)
        elif verdict.cause == "brake":
            self._metrics.braked.labels(workflow).inc(1, trace)
        if verdict.span_id:
            self._metrics.span_end_to_verdict.observe(max(0, self._clock() - verdict.at) / 1e9, trace)

    def tally(self) -> None:
        """Takes over what the behaviours have counted since the last time."""
        moves = self._judge.moves
        for family, begin, end in self._families:
            times = sum(moves[begin:end])
            if times:
                self._metrics.behaviours.labels(family).inc(times)
        moves[:] = [0] * len(moves)


def _last(traces: list[str]) -> str:
    return traces[-1] if traces else ""
