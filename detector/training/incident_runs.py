"""Re-enacted incidents, look-alikes and honest runs as told, calibrated on and judged: what each was paused at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from detector.demo.incidents import FORMS, INCIDENTS, Fleet, Incident, Teller, Told, fleets, stumbling, told
from detector.otlp import decode
from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import Action, Command, Desired, Level, RunEvents, Verdict
from detector.runs.judge import Judge
from detector.runs.run import Run
from detector.runs.state import State
from detector.scoring import calibration
from detector.scoring.model import Model
from detector.step import apply
from detector.training.corpus import grouped
from detector.training.outcomes import AFTER, AT, BEFORE, NOT

Step = Callable[[str], None]


@dataclass(frozen=True)
class Case:
    """One run to measure. `kind`: a form, `lookalike` or `failed_call`; `group`: its incident or its fleet."""

    kind: str
    group: str
    name: str
    run: Told
    records: list[RunEvents]


@dataclass(frozen=True)
class Fate:
    """What became of a run under one judge. Calls count from 0; None: never."""

    paused: int | None
    alerted: int | None
    cause: str
    at: int
    """Of the event that it was paused at, in nanoseconds since 1970."""
    mark: int | None
    """The call that counts: the act that can't be undone, or the one that is refused."""
    mark_at: int
    """When that call was first seen."""

    @property
    def when(self) -> str:
        """before, at or after that call, or not."""
        if self.paused is None or self.mark is None:
            return NOT if self.paused is None else AFTER
        return BEFORE if self.paused < self.mark else AT if self.paused == self.mark else AFTER


def cases(reader: Reader, variants: int, seed: int, step: Step = lambda _: None) -> Iterator[Case]:
    """Every run that is measured: incidents in both forms, look-alikes, honest stories with a call that is refused."""
    for incident in INCIDENTS:
        step(f"playing incidents and look-alikes: {incident.name}")
        yield from _of_incident(incident, reader, variants, seed)
    for fleet in fleets().values():
        step(f"playing honest runs with a call that is refused: {fleet.workflow}")
        for teller in fleet.honest:
            for n in range(variants):
                run = told(fleet, stumbling(fleet, teller), f"{seed}/failed/{fleet.workflow}/{teller.__name__}/{n}")
                yield Case("failed_call", fleet.workflow, teller.__name__, run, _records(run, reader))


def _of_incident(incident: Incident, reader: Reader, variants: int, seed: int) -> Iterator[Case]:
    scripts: list[tuple[str, str, Teller]] = [(form, form, getattr(incident, form)) for form in FORMS]
    scripts += [("lookalike", teller.__name__, teller) for teller in incident.lookalikes]
    for kind, name, teller in scripts:
        for n in range(variants):
            run = told(incident.fleet, teller, f"{seed}/{incident.name}/{name}/{n}")
            yield Case(kind, incident.name, name, run, _records(run, reader))


def _records(run: Told, reader: Reader) -> list[RunEvents]:
    return [record for example in grouped(run.requests, reader) for record in example.records]


def calibrated(
    fleet: Fleet, model: Model, policy: Policy, reader: Reader, honest: int, seed: int
) -> calibration.Threshold:
    """Thresholds by the peaks of `honest` runs of the fleet's stories in turn; no look-alike is among them."""
    judge = Judge(model, replace(policy, mode="shadow"))
    peaks = []
    for n in range(honest):
        run = told(fleet, fleet.honest[n % len(fleet.honest)], f"{seed}/honest/{fleet.workflow}/{n}")
        state: State | None = None
        for record in _records(run, reader):
            state, _ = apply(state, record, judge)
        peaks.append(state.peak if isinstance(state, Run) else 0.0)
    # Each run draws its names, order and tempo anew, as in the simulated fleet that the model was calibrated on.
    floor = model.calibration.everywhere.alert
    return calibration.threshold(peaks, [str(n) for n in range(honest)], floor=floor)


def fate(run: Told, records: Iterable[RunEvents], judge: Judge) -> Fate:
    """Plays a run until it is paused."""
    calls = calls_of(run.requests)
    mark = run.act if run.act is not None else run.fails
    events = [(record, event) for record in records for event in record.events]
    mark_at = next((e.at for _, e in events if isinstance(e, Action) and calls.get(e.span) == mark), 0)
    state: State | None = None
    alerted = None
    for record, event in events:
        alone = RunEvents(record.run, [event], workflow=record.workflow, workflow_rank=record.workflow_rank)
        state, effects = apply(state, alone, judge)
        call = calls.get(event.span) if isinstance(event, Action) else None
        for effect in effects:
            if isinstance(effect, Command) and effect.desired != Desired.RUNNING:
                return Fate(call, alerted, effect.cause, event.at, mark, mark_at)
            if isinstance(effect, Verdict) and effect.level == Level.ALERT.name and alerted is None:
                alerted = call
    return Fate(None, alerted, "", 0, mark, mark_at)


def calls_of(requests: Sequence[bytes]) -> dict[bytes, int]:
    """Which call, from 0, each span of a told run belongs to: below its root, a model's turn and its call in turns."""
    spans = [span for request in requests for span in decode(request, {})]
    root = next(span.span_id for span in spans if not span.parent_id)
    steps = sorted((span for span in spans if span.parent_id == root), key=lambda span: span.start)
    found = {span.span_id: n // 2 for n, span in enumerate(steps)}
    return found | {span.span_id: found[span.parent_id] for span in spans if span.parent_id in found}
