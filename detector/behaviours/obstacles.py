"""Obstacles: calls that fail, and authority that is refused."""

from __future__ import annotations

from detector.behaviours.base import AGAIN, Behaviour, Memory, Moment, Signal
from detector.records import Action, Outcome

ERROR, REFUSED = int(Outcome.ERROR), int(Outcome.REFUSED)
NEAR = 8
"""Calls within which a second refusal counts as pressing on."""


def initial() -> Memory:
    """[position of the last refusal]"""
    return [-1_000]


def update(memory: Memory, action: Action, moment: Moment) -> tuple[float, ...] | None:
    """Amounts: failed, refused, refused_again."""
    del action
    if moment.outcome == ERROR:
        return (1.0, 0.0, 0.0)
    if moment.outcome != REFUSED:
        return None
    again = moment.position - memory[0] <= NEAR
    memory[0] = moment.position
    return (0.0, 1.0, float(again))


BEHAVIOUR = Behaviour(
    "obstacles",
    (
        Signal("failed", "a call failed", 1, AGAIN),
        Signal("refused", "a call was refused for lack of authority", 2, AGAIN),
        Signal("refused_again", "refused again shortly after a refusal", 2, AGAIN),
    ),
    initial,
    update,
)
