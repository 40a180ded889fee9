"""Handing a trace-keyed run over to the run that it is a part of. Pure; `step.apply` calls it.

A run that goes by its trace keeps its newest events. When an `Alias` says whose it is, it sends them
there, with what was decided about it, and from then on forwards what comes, each record under its next
sequence number. The run that they go to applies them like any others and remembers the highest
number from each sender, so that what is handed over twice changes nothing. No states are merged.

The first alias wins. A run that is named by an id, or to which others were handed, is not handed
over; a forwarder to which something is handed becomes a run again: so no circle can be.
"""

from __future__ import annotations

import msgspec

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
from detector.runs import run as runs
from detector.runs.effects import Effect, Ground, Handed, Noted, Withdrawn, again, command, verdict
from detector.runs.judge import Judge
from detector.runs.kin import KEPT_BYTES, KEPT_EVENTS, Forwarder, Kin, Source
from detector.runs.run import Run

_encoder = msgspec.msgpack.Encoder()
_event_decoder = msgspec.msgpack.Decoder(Action | Turn)
_RANK = {Desired.RUNNING: 0, Desired.PAUSED: 1, Desired.KILLED: 2}
_LEVEL = {Desired.PAUSED: Level.PAUSE, Desired.KILLED: Level.KILL}
STALE = 1
"""A sequence that every command is newer than."""


def keep(kin: Kin, first: int) -> None:
    """Keeps the newest of what a trace-keyed run has kept, as bytes. From `first` on they are events still."""
    over = max(0, len(kin.kept) - KEPT_EVENTS)
    for n in range(max(first, over), len(kin.kept)):
        kin.kept[n] = _encoder.encode(kin.kept[n])
    size = sum(map(len, kin.kept[over:]))
    while size > KEPT_BYTES:
        size -= len(kin.kept[over])
        over += 1
    del kin.kept[:over]
    kin.settled = max(0, kin.settled - over)


# --- at the trace-keyed run -------------------------------------------------------------


def alias(
    state: Run | Forwarder | None, record: RunEvents, event: Alias
) -> tuple[Run | Forwarder | None, list[Effect]]:
    """What becomes of the run when a span has shown that it is a part of `event.run`."""
    own, to = record.run, event.run
    if own == to:
        return state, [Noted("alias_of_itself")]
    if isinstance(state, Forwarder):
        state.arrived = max(state.arrived, record.written)
        return state, [] if state.to == to else [Noted("alias_conflict")]
    forwarder = Forwarder.at(own, to, record.written)
    if state is None:
        return forwarder, []
    if state.kin is None or not state.kin.traced:
        return state, [Noted("alias_refused")]
    forwarder.sequence, forwarder.offset = forwarder.sequence + 1, state.offset
    effects: list[Effect] = [Handed(_adopt(state, forwarder, record.written)), Noted("adopted")]
    if state.kin.summarised:
        effects.append(Withdrawn(own))
    return forwarder, effects


def _adopt(run: Run, forwarder: Forwarder, written: int) -> RunEvents:
    kin = run.kin
    assert kin is not None  # noqa: S101 - `alias` has looked
    commanded = run.sequence > run.leaked or run.desired != Desired.RUNNING
    first = Adopted(
        run.last,
        run.level,
        kin.cause,
        run.desired,
        run.sequence if commanded else 0,
        kin.settled,
        run.labels,
    )
    return RunEvents(
        forwarder.to,
        [first, *map(_event_decoder.decode, kin.kept)],
        written=written,
        service=run.service,
        workflow=run.workflow,
        workflow_rank=run.workflow_rank,
        where=run.where,
        adopted_from=run.run,
        adopted_sequence=forwarder.sequence,
    )


def forward(state: Forwarder, record: RunEvents, idle_ns: int) -> tuple[Forwarder | None, list[Effect]]:
    """Passes on what came for a run that was handed over. None: it is long quiet, or it is a run after all."""
    effects: list[Effect] = []
    events: list[Event] = []
    for event in record.events:
        if isinstance(event, Tick):
            if event.evict or state.arrived + idle_ns <= event.at:
                return None, []
        elif isinstance(event, Acked):
            # The run that it belongs to has its own command, and enforcers answer that.
            effects.append(Noted("ack_of_adopted"))
        else:
            events.append(event)
    if events:
        state.arrived = max(state.arrived, record.written)
        state.sequence += 1
        handed = msgspec.structs.replace(
            record,
            run=state.to,
            events=events,
            adopted_from=state.run,
            adopted_sequence=state.sequence,
            traced=False,
        )
        effects += [Handed(handed), Noted("forwarded")]
    return state, effects


def is_a_run(record: RunEvents) -> bool:
    """Whether the record says that a forwarder's run has an identity of its own: a run id, or others handed to it."""
    if record.adopted_from:
        return True
    return not record.traced and any(isinstance(event, Action | Turn) for event in record.events)


# --- at the run that they belong to -----------------------------------------------------


def takes(run: Run, record: RunEvents) -> Source | None:
    """The sender of a record that was handed over; None where the record was applied before."""
    kin = runs.kin(run)
    # What others are handed to is not handed over itself.
    kin.traced = False
    kin.kept.clear()
    source = kin.source(record.adopted_from)
    if record.adopted_sequence <= source.had:
        return None
    source.had = record.adopted_sequence
    kin.summarised = 0
    return source


def answer(label: Labelled, source: Source) -> Labelled:
    """A label for a run that was handed over, as one for the run that it belongs to.

    It covers what its maker had seen: of this run, only the command that took the other one's place.
    """
    if not label.sequence:
        return label
    known = label.sequence >= source.asked and source.answers
    return msgspec.structs.replace(label, sequence=source.answers if known else STALE)


def no_weaker(run: Run, adopted: Adopted, record: RunEvents, judge: Judge, before: int, effects: list[Effect]) -> None:
    """Takes at least the level and the state that the run handed over had. `before`: the sequence until then."""
    kin = runs.kin(run)
    source = kin.source(record.adopted_from)
    for kind, times in adopted.labels.items():
        run.labels[kind] = run.labels.get(kind, 0) + times
    ground = Ground(f"adopted:{adopted.cause}", adopted.at)
    desired = Desired(adopted.desired)
    level = max(Level(adopted.level), _LEVEL.get(desired, Level.ALLOW))
    if level > run.level:
        effects.append(verdict(run, level, ground, judge))
    if _RANK[desired] > _RANK[Desired(run.desired)]:
        effects.append(command(run, desired, ground, judge))
    if run.sequence > before:
        source.answers = run.sequence
    elif adopted.sequence and run.desired != Desired.RUNNING:
        effects.append(again(run, ground, judge))


def knows(run: Run, adopted: Adopted, record: RunEvents, effects: list[Effect]) -> None:
    """From now on commands for the run name the one that was handed over, where enforcers know that."""
    if not adopted.sequence:
        return
    kin = runs.kin(run)
    source = kin.source(record.adopted_from)
    source.asked = adopted.sequence
    if record.adopted_from not in kin.aliases and not kin.adds(kin.aliases, record.adopted_from):
        effects.append(Noted("tree_full"))


# --- the tree ---------------------------------------------------------------------------


def below(run: Run, event: Below, record: RunEvents, judge: Judge, effects: list[Effect]) -> None:
    """The run is a sub-agent's: it tells the run above it of itself and of those below, and now and then again."""
    kin = runs.kin(run)
    if event.above == run.run or event.above in kin.tree:
        effects.append(Noted("tree_circle"))
    elif kin.root and kin.root != event.above:
        effects.append(Noted("tree_conflict"))
    elif not kin.root or record.written - kin.told > judge.policy.idle_ns // 2:
        kin.root, kin.told = event.above, record.written
        effects.append(_up(run, [run.run, *kin.tree], event.at, record))


def grow(run: Run, event: Tree, record: RunEvents, judge: Judge, effects: list[Effect]) -> None:
    """Runs below this one became known: its commands cover them, one that stands at once."""
    kin = runs.kin(run)
    if run.run in event.runs or (kin.root and kin.root in event.runs):
        effects.append(Noted("tree_circle"))
        return
    new = [name for name in dict.fromkeys(event.runs) if name not in kin.tree]
    room = [kin.adds(kin.tree, name) for name in new]
    if not all(room):
        effects.append(Noted("tree_full"))
    if new and kin.root:
        effects.append(_up(run, new, event.at, record))
    if new and run.desired != Desired.RUNNING:
        effects.append(again(run, Ground("tree", event.at), judge))


def _up(run: Run, names: list[str], at: int, record: RunEvents) -> Handed:
    kin = runs.kin(run)
    return Handed(RunEvents(kin.root, [Tree(at, names)], written=record.written))
