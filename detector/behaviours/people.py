"""People: what they denied and corrected, and whether the run went on regardless."""

from __future__ import annotations

import zlib

from detector.behaviours.base import Behaviour, Memory, Moment, Signal
from detector.records import Action, Labelled, Outcome, Turn

DENIED_LIMIT = 8
DENIED = int(Outcome.DENIED)
CORRECTIONS = frozenset({"correct", "clarify", "reopen"})


def initial() -> Memory:
    """[corrections not yet counted, checksums of tools that were denied]"""
    return [0, []]


def listen(memory: Memory, event: Turn | Labelled | Action) -> None:
    """A label that corrects; a model turn that a person interrupted is the dialects' to label."""
    if isinstance(event, Labelled) and event.kind in CORRECTIONS:
        memory[0] = min(memory[0] + 1, 100)


def update(memory: Memory, action: Action, moment: Moment) -> tuple[float, ...] | None:
    """Amounts: denied, regardless, corrected."""
    denied = moment.outcome == DENIED
    if not (denied or memory[0] or memory[1]):
        return None
    tool = zlib.crc32(action.tool.encode())
    regardless = bool(moment.first and tool in memory[1])
    corrected = float(min(memory[0], 3))
    memory[0] = 0
    if denied and tool not in memory[1]:
        memory[1].append(tool)
        del memory[1][:-DENIED_LIMIT]
    return (float(denied), float(regardless), corrected)


BEHAVIOUR = Behaviour(
    "people",
    (
        Signal("denied", "a person or a guard said no", 3),
        Signal("regardless", "used a tool again that had been denied", 3),
        Signal("corrected", "went on after a person had corrected it"),
    ),
    initial,
    update,
    listen,
)
