"""Retries: the same call again, again after it failed, and loops."""

from __future__ import annotations

from detector.behaviours.base import Behaviour, Memory, Moment, Signal
from detector.records import Action, Outcome

RECENT = 16
"""Calls within which a repetition counts."""
LOOP = 3
"""Repetitions from which it is a loop."""


def initial() -> Memory:
    """[shapes of the last calls, shapes of the last calls that went wrong]"""
    return [[], []]


def update(memory: Memory, action: Action, moment: Moment) -> tuple[float, ...] | None:
    """Amounts: repeated, after_failure, loop."""
    if action.inner:
        return None
    shapes, wrong = memory
    shape = action.shape
    amounts = None
    if moment.first:
        times = shapes.count(shape)
        if times:
            amounts = (1.0, float(shape in wrong), float(times >= LOOP))
        shapes.append(shape)
        if len(shapes) > RECENT:
            del shapes[0]
    if action.outcome >= Outcome.ERROR and shape not in wrong:
        wrong.append(shape)
        if len(wrong) > RECENT:
            del wrong[0]
    return amounts


BEHAVIOUR = Behaviour(
    "retries",
    (
        Signal("repeated", "made the same call again"),
        Signal("after_failure", "made the same call again after it had failed"),
        Signal("loop", "made the same call over and over", 2),
    ),
    initial,
    update,
)
