"""One run from call to call: its score, its verdicts, and what it did, through read() and step()."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import Action, Verdict
from detector.runs.judge import Judge
from detector.runs.run import Run
from detector.runs.state import State
from detector.scoring.model import Model
from detector.step import apply
from detector.training import recorded
from detector.training.corpus import grouped


class Point(NamedTuple):
    """After one look at a call."""

    call: int
    """Counted from 1."""
    tool: str
    score: float
    asked: bool
    """The call was only asked for as yet."""


class Timeline(NamedTuple):
    """A run's points, its verdicts with the call that each fell at, and the model's thresholds for its workflow."""

    run: str
    workflow: str
    points: list[Point]
    verdicts: list[tuple[int, Verdict]]
    alert: float
    pause: float | None


def of_recorded(run: dict[str, Any], model: Model, policy: Policy | None = None) -> Timeline:
    """The timeline of one recorded run (see `recorded`)."""
    return of_requests(recorded.requests(run), model, policy)


def of_requests(requests: Iterable[bytes], model: Model, policy: Policy | None = None) -> Timeline:
    """The timeline of the first run in these OTLP requests. Nothing is stopped, so that it is seen to its end."""
    judge = Judge(model, policy or Policy(mode="shadow"))
    example = next(grouped(requests, Reader()))
    state: State | None = None
    points: list[Point] = []
    verdicts: list[tuple[int, Verdict]] = []
    for record in example.records:
        for event in record.events:
            state, effects = apply(state, msgspec.structs.replace(record, events=[event]), judge)
            if isinstance(state, Run) and isinstance(event, Action):
                points.append(Point(state.calls, event.tool, state.score, asked=not event.phase))
                verdicts += [(state.calls, effect) for effect in effects if isinstance(effect, Verdict)]
    limits = model.calibration.of(example.workflow)
    return Timeline(example.run, example.workflow, points, verdicts, limits.alert, limits.pause)
