"""step(): the state machine of one run. Behaviours, then score, then decision; pure.

No clock, no I/O, no Kafka: what the run log holds is all that it sees, so a replay of the
log gives the verdicts that the stream gave.
"""

from __future__ import annotations

from detector.policy.policy import Policy
from detector.records import (
    Acked,
    Action,
    Adopted,
    Alias,
    Below,
    Desired,
    Event,
    Labelled,
    Level,
    RunEvents,
    Tick,
    Tree,
    Turn,
)
from detector.runs import actions, adoption
from detector.runs import run as runs
from detector.runs.effects import Effect, Ground, Noted, command, summary, verdict
from detector.runs.judge import Judge
from detector.runs.kin import Forwarder
from detector.runs.run import Run
from detector.runs.state import State

WORTH_A_SUMMARY = 3
"""Calls and turns below which a run that has to make room leaves no summary: in a flood of run ids each of them would
be waited for, and none teaches anything.
"""
PERSONS = {
    "pause": (Level.PAUSE, Desired.PAUSED),
    "resume": (Level.ALLOW, Desired.RUNNING),
    "approve": (Level.ALLOW, Desired.RUNNING),
    "kill": (Level.KILL, Desired.KILLED),
    "deny": (Level.KILL, Desired.KILLED),
}
OF_KIN = frozenset({Below, Tree})
KILLED_NS = 86_400 * 1_000_000_000
"""A killed run is remembered for a day: if it acts again, that is a leak and not a new run."""


def apply(known: State | None, record: RunEvents, judge: Judge) -> tuple[State | None, list[Effect]]:
    """Steps what is `known` of a run (None: nothing) through every event of a run-log record.

    Returns what is known then, None where the run is finished, and what is to be sent, in order.
    """
    first = record.events[0] if record.events else None
    if isinstance(first, Alias):
        return adoption.alias(known, record, first)
    if not isinstance(known, Forwarder):
        return _apply(known, record, judge)
    if not adoption.is_a_run(record):
        return adoption.forward(known, record, judge.policy.idle_ns)
    run, effects = _apply(None, record, judge)
    return run, [Noted("alias_undone"), *effects]


def _apply(run: Run | None, record: RunEvents, judge: Judge) -> tuple[Run | None, list[Effect]]:
    if len(record.events) <= runs.MANY or record.adopted_from:
        return _each(run, record, judge)
    before = b"" if run is None else bytes(run.seen)
    if run is not None and runs.had_whole(run, record):
        return run, [Noted("duplicate")]
    run, effects = _each(run, record, judge)
    if run is not None:
        runs.keep_whole(run, record, before)
    return run, effects


def _each(run: Run | None, record: RunEvents, judge: Judge) -> tuple[Run | None, list[Effect]]:
    effects: list[Effect] = []
    if record.adopted_from:
        run = _handed(run, record, judge, effects)
    else:
        placed, kept = False, len(run.kin.kept) if run is not None and run.kin is not None else 0
        for event in record.events:
            if run is None:
                if not _begins(event):
                    continue
                run = runs.new(record.run, judge.model.layout, record.written, traced=record.traced)
            if not placed and not isinstance(event, Tick | Acked):
                runs.place(run, record)
                placed = True
            if event.__class__ in OF_KIN:
                _of_kin(run, event, record, judge, effects)
            else:
                run = step(run, event, judge, effects)
        if run is not None and run.kin is not None and run.kin.kept:
            adoption.keep(run.kin, kept)
    return run, effects


def _begins(event: Event) -> bool:
    """Whether the event makes a run of one that is not known, or not known any more."""
    return isinstance(event, Action | Turn | Below | Tree) or (isinstance(event, Labelled) and event.kind in PERSONS)


def _of_kin(run: Run, event: Event, record: RunEvents, judge: Judge, effects: list[Effect]) -> None:
    """Takes an event that tells of other runs."""
    if isinstance(event, Below):
        adoption.below(run, event, record, judge, effects)
    elif isinstance(event, Tree):
        adoption.grow(run, event, record, judge, effects)


def _handed(run: Run | None, record: RunEvents, judge: Judge, effects: list[Effect]) -> Run:
    """Takes a record that a trace-keyed run hands over."""
    if run is None:
        run = runs.new(record.run, judge.model.layout, record.written)
    source = adoption.takes(run, record)
    if source is None:
        effects.append(Noted("handed_again"))
        return run
    runs.place(run, record)
    before, settled, adopted = run.sequence, 0, None
    for event in record.events:
        if isinstance(event, Adopted):
            adoption.knows(run, event, record, effects)
            adopted, settled = event, event.settled
        elif isinstance(event, Labelled):
            step(run, adoption.answer(event, source), judge, effects)
        elif event.__class__ in OF_KIN:
            _of_kin(run, event, record, judge, effects)
        else:
            step(run, event, judge, effects, settled=settled > 0)
            settled -= 1
    if adopted is not None:
        adoption.no_weaker(run, adopted, record, judge, before, effects)
    return run


def step(run: Run, event: Event, judge: Judge, effects: list[Effect], *, settled: bool = False) -> Run | None:
    """One event of one run. Appends to `effects`; returns the run, or None where it is finished.

    `settled`: a person has let this event pass, so that it proposes nothing.
    """
    # The common kinds first: this is the inner loop.
    if isinstance(event, Action | Turn):
        if not runs.is_new(run, event):
            effects.append(Noted("duplicate"))
            return run
        if isinstance(event, Action):
            actions.take(run, event, judge, effects, settled=settled)
        else:
            _turn(run, event, judge)
        if run.kin is not None:
            run.kin.summarised = 0
            if run.kin.traced:
                run.kin.kept.append(event)
    elif isinstance(event, Labelled):
        if runs.is_new(run, event):
            _labelled(run, event, judge, effects)
        else:
            effects.append(Noted("duplicate"))
    elif isinstance(event, Acked):
        _acked(run, event)
    elif isinstance(event, Tick):
        return _tick(run, event, judge, effects)
    return run


def due(run: Run, policy: Policy) -> int:
    """When the run needs a tick, in ns of arrival; 0: never."""
    if run.desired == Desired.PAUSED:
        return run.deadline
    if run.kin is not None and run.kin.summarised:
        return run.kin.summarised + policy.idle_ns
    if run.desired == Desired.KILLED:
        return run.arrived + max(KILLED_NS, policy.idle_ns)
    return run.arrived + (policy.finished_ns if run.ended else policy.idle_ns)


# --- what people, enforcers and time do -------------------------------------------------


def _turn(run: Run, turn: Turn, judge: Judge) -> None:
    run.turns += not turn.root
    if turn.tokens_in or turn.tokens_out:
        spent = runs.spent(run)
        spent.tokens_in = min(spent.tokens_in + turn.tokens_in, runs.MOST_TOKENS)
        spent.tokens_out = min(spent.tokens_out + turn.tokens_out, runs.MOST_TOKENS)
    if turn.blind:
        run.blind["content_off"] = run.blind.get("content_off", 0) + 1
    runs.move(run, turn.trace, turn.at)
    run.ended = turn.root
    _listen(run, turn, judge)


def _labelled(run: Run, label: Labelled, judge: Judge, effects: list[Effect]) -> None:
    run.labels[label.kind] = run.labels.get(label.kind, 0) + 1
    run.started = run.started or label.at
    if run.kin is not None:
        run.kin.summarised = 0
    _listen(run, label, judge)
    if label.kind not in PERSONS:
        return
    level, desired = PERSONS[label.kind]
    if label.kind in {"approve", "deny"} and run.desired != Desired.PAUSED:
        # An answer to a question that the detector did not ask: a tool prompt of the agent's own.
        effects.append(Noted("idle_decision"))
        return
    # A decision covers the evidence that its maker had seen: newer commands need a newer decision.
    newest = run.sequence - (run.kin.repeated if run.kin is not None else 0)
    stale = 0 < label.sequence < newest and desired == Desired.RUNNING
    if stale or run.desired in {desired, Desired.KILLED}:
        effects.append(Noted("stale_decision" if stale else "idle_decision"))
        return
    if desired == Desired.RUNNING:
        run.approved = max(run.approved, run.peak)
        if run.kin is not None:
            run.kin.settled = len(run.kin.kept)
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
    if not ((tick.evict and run.desired == Desired.RUNNING) or 0 < when <= tick.at):
        return run
    kin = runs.kin(run)
    if kin.summarised or not (run.calls or run.turns):
        return None
    if tick.evict and run.calls + run.turns < WORTH_A_SUMMARY and run.highest == Level.ALLOW and not run.labels:
        effects.append(Noted("evicted_unsummarised"))
        return None
    effects.append(summary(run, tick, judge))
    # It is remembered a while longer: what comes late goes on with it, and its summary is written anew as a whole.
    kin.summarised = tick.at
    return None if tick.evict else run


def _listen(run: Run, event: Turn | Labelled, judge: Judge) -> None:
    for n, listen in judge.listeners:
        listen(run.memories[n], event)
