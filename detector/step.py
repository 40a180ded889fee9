"""step(): the state machine of one run. Behaviours, then score, then decision; pure.

No clock, no I/O, no Kafka: what the run log holds is all that it sees, so a replay of the
log gives the verdicts that the stream gave.
"""

from __future__ import annotations

import numpy as np

from detector import run as runs
from detector.behaviours.base import Moment
from detector.effects import Effect, Ground, Noted, command, summary, verdict
from detector.judge import Judge
from detector.policy.policy import Policy
from detector.records import Acked, Action, Desired, Event, Labelled, Level, Outcome, RunEvents, Tick, Turn
from detector.run import Run, Step
from detector.scoring.calibration import Threshold

KEPT_GRAVITY = 2
"""Steps that move a signal of this gravity or more are kept as evidence."""
PERSONS = {
    "pause": (Level.PAUSE, Desired.PAUSED),
    "resume": (Level.ALLOW, Desired.RUNNING),
    "approve": (Level.ALLOW, Desired.RUNNING),
    "kill": (Level.KILL, Desired.KILLED),
    "deny": (Level.KILL, Desired.KILLED),
}
KILLED_NS = 86_400 * 1_000_000_000
"""A killed run is remembered for a day: if it acts again, that is a leak and not a new run."""
OK, UNKNOWN = int(Outcome.OK), int(Outcome.UNKNOWN)
ENVIRONMENTS, OUTCOMES = 20, 28
"""Bits from which on a call's environments and outcome stand beside what it does, in what its looks have shown."""
DOES = (1 << ENVIRONMENTS) - 1
PLACES = (1 << OUTCOMES) - 1 - DOES
DESIRED = {Level.PAUSE: Desired.PAUSED, Level.KILL: Desired.KILLED}


def apply(run: Run | None, record: RunEvents, judge: Judge) -> tuple[Run | None, list[Effect]]:
    """Steps `run` (None: not known yet) through every event of a run-log record.

    Returns the run, or None where it is finished, and what is to be sent, in order.
    """
    effects: list[Effect] = []
    placed = False
    for event in record.events:
        if run is None:
            if not _begins(event):
                continue
            run = runs.new(record.run, judge.model.layout, record.written)
        if not placed and not isinstance(event, Tick | Acked):
            runs.place(run, record)
            placed = True
        run = step(run, event, judge, effects)
    return run, effects


def _begins(event: Event) -> bool:
    """Whether the event makes a run of one that is not known, or not known any more."""
    return isinstance(event, Action | Turn) or (isinstance(event, Labelled) and event.kind in PERSONS)


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
        if runs.is_new(run, event):
            _labelled(run, event, judge, effects)
        else:
            effects.append(Noted("duplicate"))
    elif isinstance(event, Acked):
        _acked(run, event)
    else:
        return _tick(run, event, judge, effects)
    return run


def due(run: Run, policy: Policy) -> int:
    """When the run needs a tick, in ns of arrival; 0: never."""
    if run.desired == Desired.PAUSED:
        return run.deadline
    if run.desired == Desired.KILLED:
        return run.arrived + max(KILLED_NS, policy.idle_ns)
    return run.arrived + (policy.finished_ns if run.ended else policy.idle_ns)


# --- actions ----------------------------------------------------------------------------


def _action(run: Run, action: Action, judge: Judge, effects: list[Effect]) -> None:
    already, position, first, same = runs.looked_before(run, action)
    went = 1 << OUTCOMES + action.outcome if action.outcome > OK else 0
    shown = action.does | action.env << ENVIRONMENTS | went
    new = shown & ~already
    if new & PLACES:
        # What a call does is another thing in another environment: all of it counts again.
        new |= shown | already
    runs.look(run, action, already | shown, position, same)
    _move(run, action.trace, action.at)
    if run.desired != Desired.RUNNING:
        _leak(run, action, judge, effects)
    if not (first or new or went or action.secrets_seen or action.secrets_used or action.blind):
        # This look at the call shows nothing that an earlier one had not: the score stands.
        runs.name(run, action, position)
        return
    outcome = action.outcome if new & went else UNKNOWN
    moved = _behave(run, action, Moment(position, new & DOES, outcome, first=first), judge)
    # A second look at a call is no further action: it fades nothing.
    signals = run.vector()
    score = judge.model.advance(signals, judge.amounts, fade=first)
    run.score = score
    if first:
        run.calls += 1
    if action.blind:
        run.blind["calls"] = run.blind.get("calls", 0) + 1
    if score > run.peak:
        run.peak, run.peak_position, run.peak_signals = score, position, signals.astype(np.float32).tobytes()
    if moved:
        _keep(run, action, position, moved, judge)
    else:
        runs.name(run, action, position)
    _decide(run, action, moved, score, judge, effects)


def _behave(run: Run, action: Action, moment: Moment, judge: Judge) -> list[int]:
    """Lets every behaviour look; fills `judge.amounts` and returns the signals that moved."""
    amounts = judge.amounts
    moved: list[int] = []
    for memory, update, offset in zip(run.memories, judge.updates, judge.offsets, strict=True):
        looked = update(memory, action, moment)
        if looked is None:
            continue
        for at, amount in enumerate(looked, offset):
            if amount:
                amounts[at] = amount
                moved.append(at)
    return moved


def _keep(run: Run, action: Action, position: int, moved: list[int], judge: Judge) -> None:
    signals = judge.model.layout.signals
    gravity = max(signals[i].gravity for i in moved)
    if gravity >= KEPT_GRAVITY:
        heaviest = sorted(moved, key=lambda i: -signals[i].gravity)
        fired, signs = tuple(heaviest[: runs.STEP_FIRED]), action.signs[: runs.STEP_SIGNS]
        step_ = Step(position, action.at, action.span, action.trace, action.tool, signs, fired, gravity, action.env)
        runs.keep(run, step_, inner=action.inner)


def _decide(run: Run, action: Action, moved: list[int], score: float, judge: Judge, effects: list[Effect]) -> None:
    """The highest level that any signal proposes; more signals never lower it."""
    limits = judge.model.calibration.of(run.workflow)
    level, cause = _propose(run, moved, score, limits, judge)
    if action.inner and not (run.calls or run.turns):
        # Any service has such spans. What this one proposes waits until the run shows that it is an agent's.
        if level > run.held:
            run.held, run.held_cause = level, cause
        return
    if run.held > level:
        level, cause = Level(run.held), run.held_cause
    run.held = Level.ALLOW
    acts = level in DESIRED and judge.policy.mode_of(run.workflow, run.workflow_rank) == "enforce"
    # A run that was watched only, and now may be stopped, is stopped at the next evidence.
    overdue = acts and level == run.level and run.desired == Desired.RUNNING
    if level > run.level or overdue:
        threshold = limits.pause if level > Level.ALERT and limits.pause is not None else limits.alert
        ground = Ground(cause, action.at, action.span, score, threshold)
        effects.append(verdict(run, level, ground, judge))
        if acts:
            effects.append(command(run, DESIRED[level], ground, judge))


def _propose(run: Run, moved: list[int], score: float, limits: Threshold, judge: Judge) -> tuple[Level, str]:
    """(level, cause) of the strongest of rules and model; at one level the first rule."""
    level, cause = Level.ALLOW, ""
    for signal in moved:
        for bound in judge.rules.get(signal, ()):
            if bound.rule.level > level and bound.fires(moved, run.vector()):
                level, cause = bound.rule.level, f"rule:{bound.rule.name}"
    if score > limits.alert and score > run.approved:
        proposed = Level.PAUSE if limits.pause is not None and score > limits.pause else Level.ALERT
        if proposed > level:
            level, cause = proposed, "model"
    return level, cause


def _leak(run: Run, action: Action, judge: Judge, effects: list[Effect]) -> None:
    """An action that ended after the run was proven stopped: the stop was not complete."""
    if run.acked >= run.sequence > run.leaked and action.phase and action.at > run.acked_at:
        run.leaked = run.sequence
        effects.append(Noted("leak"))
        effects.append(verdict(run, Level(run.level), Ground("leak", action.at, action.span), judge))


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
    if label.kind in {"approve", "deny"} and run.desired != Desired.PAUSED:
        # An answer to a question that the detector did not ask: a tool prompt of the agent's own.
        effects.append(Noted("idle_decision"))
        return
    # A decision covers the evidence that its maker had seen: newer commands need a newer decision.
    stale = 0 < label.sequence < run.sequence and desired == Desired.RUNNING
    if stale or run.desired in {desired, Desired.KILLED}:
        effects.append(Noted("stale_decision" if stale else "idle_decision"))
        return
    if desired == Desired.RUNNING:
        run.approved = max(run.approved, run.peak)
    ground = Ground(f"person:{label.who}", label.at)
    effects += [verdict(run, level, ground, judge), command(run, desired, ground, judge)]


def _acked(run: Run, ack: Acked) -> None:
    if ack.outcome in {"done", "already"} and ack.sequence > run.acked:
        run.acked, run.acked_at = ack.sequence, ack.at


def _tick(run: Run, tick: Tick, judge: Judge, effects: list[Effect]) -> Run | None:
    if run.desired == Desired.PAUSED and not tick.evict:
        if 0 < run.deadline <= tick.at:
            desired = judge.policy.deadline_state
            level = Level.KILL if desired == Desired.KILLED else Level.ALLOW
            ground = Ground("deadline", tick.at)
            effects += [verdict(run, level, ground, judge), command(run, desired, ground, judge)]
            # The command counts as life: a killed run is kept for its acks and leaks.
            run.arrived = tick.at
        return run
    # Ticks may be stale: the run could have moved between the tick's making and now.
    when = due(run, judge.policy)
    if (tick.evict and run.desired == Desired.RUNNING) or 0 < when <= tick.at:
        if run.calls or run.turns:
            effects.append(summary(run, tick, judge))
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
    run.last = max(run.last, at)
    run.ended = False
