"""Sees what `step` sees of every call, without changing what it does: for `detector explain`.

The behaviours of a judge are wrapped, and its model's scores are overheard. What is explained is therefore what
was judged, runs over many traces and lists of assets included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.behaviours import _origins as origins
from detector.behaviours import provenance
from detector.behaviours.base import Behaviour, Layout, Listen, Memory, Moment, Update
from detector.records import Action, Labelled, Turn
from detector.runs.judge import Judge
from detector.scoring.model import Model

PERSON, RESULT, OWN, NOBODY, UNKNOWN = "a person", "a result", "an earlier call", "nobody before", "not known"
"""Who was first to say a value. UNKNOWN: no words of a person were recorded, so that nothing can be told."""


class Origin(NamedTuple):
    """Of one value: who was first to say it, and, of a result, its number in the run."""

    value: bytes
    who: str
    address: bool = False
    result: int = 0


@dataclass
class Look:
    """One look at a call, as the behaviours had it."""

    action: Action
    position: int
    first: bool
    moved: list[tuple[int, float]] = field(default_factory=list)
    """(signal, amount)"""
    score: float = 0.0
    aims: list[Origin] = field(default_factory=list)
    carried: list[Origin] = field(default_factory=list)
    supplied: int = 0
    """The number of what its result held; 0: nothing that could be told by again."""


class Answer(NamedTuple):
    """A call's result that came by itself, and its number in the run."""

    action: Action
    result: int


class Witness:
    """What a judge's behaviours saw, in order, since `seen` was emptied last; who steps with `judge` empties it."""

    def __init__(self, judge: Judge) -> None:
        self.seen: list[Look | Answer] = []
        self._looks: list[Look] = []
        """The newest one."""
        model, layout = judge.model, judge.model.layout
        watched = Layout(tuple(self._watch(n, behaviour, layout) for n, behaviour in enumerate(layout.behaviours)))
        parts = {part.name: getattr(model, part.name) for part in fields(model)} | {"layout": watched}
        self.judge = Judge(_Overheard(**parts, looks=self._looks), judge.policy)

    def _watch(self, n: int, behaviour: Behaviour, layout: Layout) -> Behaviour:
        of_origins = behaviour.name == provenance.BEHAVIOUR.name
        update = self._update(n, behaviour.update, layout.offsets[n], of_origins=of_origins)
        listen = self._listen(behaviour.listen) if of_origins and behaviour.listen else behaviour.listen
        return replace(behaviour, update=update, listen=listen)

    def _update(self, n: int, update: Update, offset: int, *, of_origins: bool) -> Update:
        def watched(memory: Memory, action: Action, moment: Moment) -> Sequence[float] | None:
            if n == 0:
                self._looks[:] = [Look(action, moment.position, moment.first)]
                self.seen += self._looks
            look = self._looks[-1]
            if of_origins and action.values is not None:
                look.aims, look.carried = _aims(memory, action.values.aims), _carried(memory, action.values.carried)
            before = memory[4] if of_origins else 0
            amounts = update(memory, action, moment)
            look.moved += [(offset + i, float(amount)) for i, amount in enumerate(amounts or ()) if amount]
            if of_origins and memory[4] != before:
                look.supplied = memory[4]
            return amounts

        return watched

    def _listen(self, listen: Listen) -> Listen:
        def watched(memory: Memory, event: Turn | Labelled | Action) -> None:
            before = memory[4]
            listen(memory, event)
            if isinstance(event, Action) and memory[4] != before:
                self.seen.append(Answer(event, memory[4]))

        return watched


@dataclass(frozen=True)
class _Overheard(Model):
    looks: list[Look] = field(default_factory=list)

    def advance(self, signals: NDArray[np.float64], amounts: NDArray[np.float64], *, fade: bool) -> float:
        score = super().advance(signals, amounts, fade=fade)
        if self.looks:
            self.looks[-1].score = score
        return score


def _aims(memory: Memory, aims: bytes) -> list[Origin]:
    """Who was first to say what a call is aimed at, one for each aim: its further forms count for it."""
    found: list[Origin] = []
    for n in range(0, len(aims), provenance.AIM):
        origin = _origin(memory, aims[n + 1 : n + provenance.AIM], address=aims[n] == provenance.ADDRESS)
        if aims[n] or not found:
            found.append(origin)
        elif origin.who != OWN and _RANK[origin.who] < _RANK[found[-1].who]:
            found[-1] = origin._replace(value=found[-1].value, address=found[-1].address)
    return found


def _carried(memory: Memory, carried: bytes) -> list[Origin]:
    return [_origin(memory, carried[n : n + origins.HASH]) for n in range(0, len(carried), origins.HASH)]


def _origin(memory: Memory, value: bytes, *, address: bool = False) -> Origin:
    if not memory[provenance.ASKED]:
        return Origin(value, UNKNOWN, address)
    if value in memory[0]:
        return Origin(value, PERSON, address)
    if value in memory[3]:
        return Origin(value, OWN, address)
    result = origins.result(memory, value)
    return Origin(value, RESULT if result else NOBODY, address, result)


_RANK = {who: n for n, who in enumerate((PERSON, OWN, RESULT, NOBODY, UNKNOWN))}
"""As the behaviour decides: what a person said counts before what the run itself did, and that before results."""
