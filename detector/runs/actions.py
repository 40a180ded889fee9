"""One call of a run: what earlier looks at it had not shown moves the behaviours, and that decides. Pure."""

from __future__ import annotations

import numpy as np

from detector.behaviours.base import Moment
from detector.policy.approved import stand
from detector.records import Action, Desired, Does, Level, Outcome
from detector.runs import run as runs
from detector.runs.effects import Effect, Ground, Noted, command, verdict
from detector.runs.judge import Judge
from detector.runs.run import Run, Step
from detector.scoring.calibration import Threshold

KEPT_GRAVITY = 2
"""Steps that move a signal of this gravity or more are kept as evidence."""
OK, UNKNOWN = int(Outcome.OK), int(Outcome.UNKNOWN)
ENVIRONMENTS, OUTCOMES, LEFT = 20, 28, 36
"""Bits from which on a call's environments, its outcome and what it leaves of the manifest stand beside what it does,
in what its looks have shown."""
DOES = (1 << ENVIRONMENTS) - 1
PLACES = (1 << OUTCOMES) - 1 - DOES
ASK, DENIED = int(Does.ASK), int(Outcome.DENIED)
MODEL, SHADOW, BRAKE = "model", "shadow", "brake"
INSTEAD = frozenset({SHADOW, BRAKE})
"""Causes of alerts in place of the model's pause."""
DESIRED = {Level.PAUSE: Desired.PAUSED, Level.KILL: Desired.KILLED}


def take(run: Run, action: Action, judge: Judge, effects: list[Effect], *, settled: bool = False) -> None:
    """Applies an action that the run has not had. `settled`: a person has let it pass, so that it proposes nothing."""
    already, position, first, same = runs.looked_before(run, action)
    action, left = _stand(run, action, already, judge, late=action.inner and not same)
    went = 1 << OUTCOMES + action.outcome if action.outcome > OK else 0
    shown = action.does | action.env << ENVIRONMENTS | went | left << LEFT
    new = shown & ~already
    if new & PLACES:
        # What a call does is another thing in another environment: all of it counts again.
        new |= shown | already
    runs.look(run, action, already | shown, position, same)
    runs.move(run, action.trace, action.at)
    if run.desired != Desired.RUNNING:
        _leak(run, action, judge, effects)
    if not (first or new or went or action.secrets_seen or action.secrets_used or action.blind):
        # This look at the call shows nothing that an earlier one had not: the score stands.
        _pass(run, action, position, judge)
        return
    outcome = action.outcome if new & went else UNKNOWN
    moment = Moment(position, new & DOES, outcome, first=first, left=new >> LEFT & left)
    moved = _behave(run, action, moment, judge)
    # A second look at a call is no further action: it fades nothing.
    signals = run.vector()
    score = judge.model.advance(signals, judge.amounts, fade=first)
    before, run.score = run.peak, score
    run.calls += first
    if action.blind:
        run.blind["calls"] = run.blind.get("calls", 0) + 1
    if score > run.peak:
        run.peak, run.peak_position, run.peak_signals = score, position, signals.astype(np.float32).tobytes()
    _keep(run, action, position, moved, judge)
    if settled:
        run.approved = max(run.approved, score)
    else:
        _decide(run, action, moved, before, judge, effects)


def _pass(run: Run, action: Action, position: int, judge: Judge) -> None:
    """A look that shows no more of the call: only what its result held may be new."""
    runs.name(run, action, position)
    if action.values is not None and action.values.supplied:
        for n, listen in judge.listeners:
            listen(run.memories[n], action)


def _stand(run: Run, action: Action, already: int, judge: Judge, *, late: bool) -> tuple[Action, int]:
    """The action where the lists of assets put it, and what it leaves of the run's manifests (policy.approved)."""
    manifests = judge.policy.manifests_of(run.workflow, run.workflow_rank, run.service)
    if not (manifests or action.principals):
        return action, 0
    return stand(action, manifests, (already & PLACES) >> ENVIRONMENTS, late=late)


def _behave(run: Run, action: Action, moment: Moment, judge: Judge) -> list[int]:
    """Lets every behaviour look; fills `judge.amounts` and returns the signals that moved."""
    amounts = judge.amounts
    moved: list[int] = []
    if moment.does & ASK or moment.outcome == DENIED:
        spent = runs.spent(run)
        spent.asked += bool(moment.does & ASK)
        spent.refused += moment.outcome == DENIED
    for memory, update, offset in zip(run.memories, judge.updates, judge.offsets, strict=True):
        looked = update(memory, action, moment)
        if looked is None:
            continue
        for at, amount in enumerate(looked, offset):
            if amount:
                amounts[at] = amount
                judge.moves[at] += 1
                moved.append(at)
    return moved


def _keep(run: Run, action: Action, position: int, moved: list[int], judge: Judge) -> None:
    if not moved:
        runs.name(run, action, position)
        return
    signals = judge.model.layout.signals
    gravity = max(signals[i].gravity for i in moved)
    if gravity >= KEPT_GRAVITY:
        heaviest = sorted(moved, key=lambda i: -signals[i].gravity)
        fired, signs = tuple(heaviest[: runs.STEP_FIRED]), action.signs[: runs.STEP_SIGNS]
        step_ = Step(position, action.at, action.span, action.trace, action.tool, signs, fired, gravity, action.env)
        runs.keep(run, step_, inner=action.inner)


def _decide(run: Run, action: Action, moved: list[int], before: float, judge: Judge, effects: list[Effect]) -> None:
    """The highest level that any signal proposes; more signals never lower it. `before`: the peak until then."""
    limits, score = judge.model.calibration.of(run.workflow), run.score
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
    if cause == MODEL and acts and (level > run.level or overdue) and not judge.brake.passes():
        level, cause, acts, overdue = Level.ALERT, BRAKE, False, False
    pause, instead = limits.alert if limits.pause is None else limits.pause, cause in INSTEAD
    # Also where it was alerted on before: once for each run, when it first passes the threshold, or what was approved.
    spared = instead and level == run.level and before <= max(pause, run.approved)
    if level > run.level or overdue or spared:
        threshold = pause if level > Level.ALERT or instead else limits.alert
        ground = Ground(cause, action.at, action.span, score, threshold)
        effects.append(verdict(run, level, ground, judge))
        if acts:
            effects.append(command(run, DESIRED[level], ground, judge))


def _propose(run: Run, moved: list[int], score: float, limits: Threshold, judge: Judge) -> tuple[Level, str]:
    """(level, cause) of the strongest of rules, manifests and model, in this order at one level."""
    level, cause = Level.ALLOW, ""
    for signal in moved:
        for bound in judge.rules.get(signal, ()):
            if bound.rule.level > level and bound.fires(moved, run.vector()):
                level, cause = bound.rule.level, f"rule:{bound.rule.name}"
    for approved in judge.policy.manifests_of(run.workflow, run.workflow_rank, run.service):
        for signal, answer in judge.leaving[approved.manifest.workflow]:
            if answer > level and signal in moved:
                level, cause = answer, f"manifest:{judge.model.layout.signals[signal].name}"
    if score > limits.alert and score > run.approved:
        proposed = Level.PAUSE if limits.pause is not None and score > limits.pause else Level.ALERT
        if proposed > Level.ALERT >= level and judge.policy.shadowed(run.run):
            level, cause = Level.ALERT, SHADOW
        elif proposed > level:
            level, cause = proposed, MODEL
    return level, cause


def _leak(run: Run, action: Action, judge: Judge, effects: list[Effect]) -> None:
    """An action that ended after the run was proven stopped: the stop was not complete."""
    if run.acked >= run.sequence > run.leaked and action.phase and action.at > run.acked_at:
        run.leaked = run.sequence
        effects.append(Noted("leak"))
        effects.append(verdict(run, Level(run.level), Ground("leak", action.at, action.span), judge))
