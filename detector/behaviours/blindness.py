"""Blindness: what could not be seen. It never reads as benign."""

from __future__ import annotations

from detector.behaviours.base import Behaviour, Memory, Moment, Signal
from detector.records import Action, Blind, Does

LATE_NS = 60 * 1_000_000_000
ARGUMENTS, UNREADABLE = int(Blind.ARGUMENTS), int(Blind.UNREADABLE)
ODD = int(Blind.CLOCK | Blind.IDS)
EXECUTE = int(Does.EXECUTE)


def initial() -> Memory:
    """[end of the latest action, ns]"""
    return [0]


def update(memory: Memory, action: Action, moment: Moment) -> tuple[float, ...] | None:
    """Amounts: arguments, unreadable, late."""
    late = memory[0] - action.at > LATE_NS
    memory[0] = max(memory[0], action.at)
    blind = action.blind
    if not (blind or late):
        return None
    return (
        float(bool(blind & ARGUMENTS and moment.first)),
        float(bool(blind & UNREADABLE and moment.does & EXECUTE)),
        float(late or bool(blind & ODD)),
    )


BEHAVIOUR = Behaviour(
    "blindness",
    (
        Signal("arguments", "a call came without its arguments"),
        Signal("unreadable", "executed something too long or too wrapped to read", 3),
        Signal("late", "a call came late, or with a clock or ids that can't be right"),
    ),
    initial,
    update,
)
