"""step(): the state machine of one run. Behaviours, then score, then decision; pure.

No clock, no I/O, no Kafka: what the run log holds is all that it sees, so a replay of the
log gives the verdicts that the stream gave.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector import run as runs
from detector.behaviours.base import Moment
from detector.evidence import in_words
from detector.policy.policy import BoundRule, Policy, bind
from detector.records import (
    Acked,
    Action,
    Command,
    Desired,
    Event,
    Labelled,
    Level,
    RunEvents,
    Share,
    Summary,
    Tick,
    Turn,
    Verdict,
)
from detector.run import Run, Step
from detector.scoring.model import Model

KEPT_GRAVITY = 2
"""Steps that move a signal of this gravity or more are kept as evidence."""
PERSONS = {
    "pause": (Level.PAUSE, Desired.PAUSED),
    "resume": (Level.ALLOW, Desired.RUNNING),
    "approve": (Level.ALLOW, Desired.RUNNING),
    "kill": (Level.KILL, Desired.KILLED),
    "deny": (Level.KILL, Desired.KILLED),
}
OF_KNOWN_RUNS = frozenset({Tick, Acked})
"""Events that make no run of one that is not known, or not known any more."""
DESIRED = {Level.PAUSE: Desired.PAUSED, Level.KILL: Desired.KILLED}


class Noted(msgspec.Struct, frozen=True):
    """Something that is counted and goes nowhere else: duplicate, leak, stale_decision."""

    reason: str


Effect = Verdict | Command | Summary | Noted


@dataclass(frozen=True)
class Judge:
    """What `step` judges with: a model and a policy that fit each other."""

    model: Model
    policy: Policy
    rules: dict[int, list[BoundRule]] = field(init=False)
    """Rules by the signal that has to move first of all."""
    amounts: NDArray[np.float64] = field(init=False)
    """Scratch for one action; zero between steps."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", bind(self.policy.rules, self.model.layout))
        object.__setattr__(self, "amounts", np.zeros(len(self.model.layout.signals)))


def apply(run: Run | None, record: RunEvents, judge: Judge, written: int) -> tuple[Run | None, list[Effect]]:
    """Steps `run` (None: not known yet) through every event of a run-log record.

    `written` is when the record was written to the log (ns): expiry and deadlines go by it.
    Returns the run, or None where it is finished, and what is to be sent, in order.
    """
    effects: list[Effect] = []
    if not all(type(event) in OF_KNOWN_RUNS for event in record.events):
        run = run or runs.new(record.run, judge.model.layout, written)
        runs.place(run, record, written)
    for event in record.events:
        if run is not None:
            run = step(run, event, judge, effects)
    return run, effects


def step(run: Run, event: Event, judge: Judge, effects: list[Effect]) -> Run | None:
    """One event of one run. Appends to `effects`; returns the run, or None where it is finished."""
    # The common kinds first: this is the inner loop.
    if isinstance(event, Action | Turn):
        if not runs.is_new(run, event):
            effects.append(Noted("duplicate"))
        elif isinstance(event, Action):
            _action(run, event, judge, effects)
        else:
            _turn(run, event, judge)
    elif isinstance(event, Labelled):
        _labelled(run, event, judge, effects)
    elif isinstance(event, Acked):
        _acked(run, event)
    else:
        return _tick(run, event, judge, effects)
    return run


def due(run: Run, policy: Policy) -> int:
    """When the run needs a tick, in ns of arrival; 0: never."""
    if run.desired == Desired.PAUSED:
        return run.deadline
    return run.arrived + (policy.finished_ns if run.ended else policy.idle_ns)


# --- actions ----------------------------------------------------------------------------


def _action(run: Run, action: Action, judge: Judge, effects: list[Effect]) -> None:
    already, position, first = runs.counted_before(run, action)
    does = action.does & ~already
    moved = _behave(run, action, Moment(position, does, first=first), judge)
    # A second look at a call is no further action: it fades nothing.
    signals = run.vector()
    score = judge.model.advance(signals, judge.amounts, fade=first)
    run.score = score
    runs.count(run, action, already | does, position)
    if first:
        run.calls += 1
    _move(run, action.trace, action.at)
    if action.blind:
        run.blind["calls"] = run.blind.get("calls", 0) + 1
    if score > run.peak:
        run.peak, run.peak_position, run.peak_signals = score, position, signals.astype(np.float32).tobytes()
    if moved:
        _keep(run, action, position, moved, judge)
    if run.desired != Desired.RUNNING:
        _leak(run, action, judge, effects)
    _decide(run, action, moved, score, judge, effects)


def _behave(run: Run, action: Action, moment: Moment, judge: Judge) -> list[int]:
    """Lets every behaviour look; fills `judge.amounts` and returns the signals that moved."""
    layout, amounts, memories = judge.model.layout, judge.amounts, run.memories
    moved: list[int] = []
    for n, behaviour in enumerate(layout.behaviours):
        looked = behaviour.update(memories[n], action, moment)
        if looked is None:
            continue
        at = layout.offsets[n]
        for amount in looked:
            if amount:
                amounts[at] = amount
                moved.append(at)
            at += 1
    return moved


def _keep(run: Run, action: Action, position: int, moved: list[int], judge: Judge) -> None:
    signals = judge.model.layout.signals
    gravity = max(signals[i].gravity for i in moved)
    if gravity >= KEPT_GRAVITY:
        fired = tuple(moved)
        step_ = Step(
            position, action.at, action.span, action.trace, action.tool, action.signs, fired, gravity, action.env
        )
        runs.keep(run, step_)


def _decide(run: Run, action: Action, moved: list[int], score: float, judge: Judge, effects: list[Effect]) -> None:
    """The highest level that any signal proposes; more signals never lower it."""
    level, cause = Level.ALLOW, ""
    limits = judge.model.calibration.of(run.workflow)
    for signal in moved:
        for bound in judge.rules.get(signal, ()):
            if bound.rule.level > level and bound.fires(moved, run.vector()):
                level, cause = bound.rule.level, f"rule:{bound.rule.name}"
    if score > limits.alert and score > run.approved:
        proposed = Level.PAUSE if limits.pause is not None and score > limits.pause else Level.ALERT
        if proposed > level:
            level, cause = proposed, "model"
    if level > run.level:
        threshold = limits.pause if level > Level.ALERT and limits.pause is not None else limits.alert
        _verdict(run, level, cause, action.at, action.span, judge, effects, score=score, threshold=threshold)
        if level in DESIRED and judge.policy.mode_of(run.workflow) == "enforce":
            _command(run, DESIRED[level], cause, action.at, judge, effects)


def _leak(run: Run, action: Action, judge: Judge, effects: list[Effect]) -> None:
    """An action that ended after the run was proven stopped: the stop was not complete."""
    if run.acked >= run.sequence > run.leaked and action.phase and action.at > run.acked_at:
        run.leaked = run.sequence
        effects.append(Noted("leak"))
        _verdict(run, Level(run.level), "leak", action.at, action.span, judge, effects)


# --- what people, enforcers and time do -------------------------------------------------


def _turn(run: Run, turn: Turn, judge: Judge) -> None:
    run.turns += not turn.root
    _move(run, turn.trace, turn.at)
    run.ended = turn.root
    _listen(run, turn, judge)


def _labelled(run: Run, label: Labelled, judge: Judge, effects: list[Effect]) -> None:
    run.labels[label.kind] = run.labels.get(label.kind, 0) + 1
    run.started = run.started or label.at
    _listen(run, label, judge)
    if label.kind not in PERSONS:
        return
    level, desired = PERSONS[label.kind]
    # A decision covers the evidence that its maker had seen: newer commands need a newer decision.
    stale = 0 < label.sequence < run.sequence and desired == Desired.RUNNING
    if stale or desired == run.desired or run.desired == Desired.KILLED:
        effects.append(Noted("stale_decision" if stale else "idle_decision"))
        return
    if desired == Desired.RUNNING:
        run.approved = max(run.approved, run.peak)
    cause = f"person:{label.who}"
    _verdict(run, level, cause, label.at, b"", judge, effects)
    _command(run, desired, cause, label.at, judge, effects)


def _acked(run: Run, ack: Acked) -> None:
    if ack.outcome in {"done", "already"} and ack.sequence > run.acked:
        run.acked, run.acked_at = ack.sequence, ack.at


def _tick(run: Run, tick: Tick, judge: Judge, effects: list[Effect]) -> Run | None:
    if run.desired == Desired.PAUSED and not tick.evict:
        if 0 < run.deadline <= tick.at:
            desired = judge.policy.deadline_state
            level = Level.KILL if desired == Desired.KILLED else Level.ALLOW
            _verdict(run, level, "deadline", tick.at, b"", judge, effects)
            _command(run, desired, "deadline", tick.at, judge, effects)
            # The command counts as life: a killed run is kept for its acks and leaks.
            run.arrived = tick.at
        return run
    # Ticks may be stale: the run could have moved between the tick's making and now.
    when = due(run, judge.policy)
    if (tick.evict and run.desired == Desired.RUNNING) or 0 < when <= tick.at:
        effects.append(_summary(run, tick, judge))
        return None
    return run


def _listen(run: Run, event: Turn | Labelled, judge: Judge) -> None:
    for n, behaviour in enumerate(judge.model.layout.behaviours):
        if behaviour.listen is not None:
            behaviour.listen(run.memories[n], event)


def _move(run: Run, trace: bytes, at: int) -> None:
    runs.trace(run, trace)
    if not 0 < run.started <= at:
        run.started = at
    if at > run.last:
        run.last = at
    run.ended = False


# --- effects ----------------------------------------------------------------------------


def _verdict(
    run: Run,
    level: Level,
    cause: str,
    at: int,
    span: bytes,
    judge: Judge,
    effects: list[Effect],
    *,
    score: float = 0.0,
    threshold: float = 0.0,
) -> None:
    run.verdicts += 1
    previous, run.level = run.level, level
    run.highest = max(run.highest, level)
    model, policy = judge.model, judge.policy
    shares: list[Share] = model.explain(run.vector()) if score else []
    effects.append(
        Verdict(
            run=run.run,
            workflow=run.workflow,
            sequence=run.verdicts,
            level=level.name,
            previous=Level(previous).name,
            cause=cause,
            at=at,
            span_id=span.hex(),
            score=round(score, 6),
            threshold=round(threshold, 6),
            evidence=in_words(run.steps, model.layout),
            behaviours=shares,
            model=model.version,
            policy=policy.version,
            mode=policy.mode_of(run.workflow),
            service=run.service,
            traces=[trace.hex() for trace in run.traces],
            calls=run.calls,
        )
    )


def _command(run: Run, desired: Desired, cause: str, at: int, judge: Judge, effects: list[Effect]) -> None:
    """The whole desired state of the run, under the next sequence number."""
    run.sequence += 1
    run.desired = desired.value
    waits = desired == Desired.PAUSED and judge.policy.deadline_ns > 0
    run.deadline = run.arrived + judge.policy.deadline_ns if waits else 0
    effects.append(
        Command(
            run=run.run,
            desired=desired,
            sequence=run.sequence,
            cause=cause,
            at=at,
            workflow=run.workflow,
            service=run.service,
            traces=[trace.hex() for trace in run.traces],
            where=dict(run.where),
            evidence=[evidence.text for evidence in in_words(run.steps, judge.model.layout)],
            deadline=run.deadline,
        )
    )


def _summary(run: Run, tick: Tick, judge: Judge) -> Summary:
    if run.desired == Desired.KILLED:
        outcome = "killed"
    elif tick.evict:
        outcome = "evicted"
    else:
        outcome = "finished" if run.ended else "expired"
    peak = np.frombuffer(run.peak_signals, dtype=np.float32) if run.peak_signals else run.vector()
    return Summary(
        run=run.run,
        workflow=run.workflow,
        service=run.service,
        started=run.started,
        ended=run.last,
        calls=run.calls,
        turns=run.turns,
        outcome=outcome,
        level=Level(run.highest).name,
        peak=round(run.peak, 6),
        peak_position=run.peak_position,
        features=[round(float(x), 6) for x in run.vector()],
        peak_features=[round(float(x), 6) for x in peak],
        model=judge.model.version,
        policy=judge.policy.version,
        labels=dict(run.labels),
        blind=dict(run.blind),
    )
