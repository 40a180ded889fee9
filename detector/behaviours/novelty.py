"""Novelty: tools and targets that are new late in the run, and changes to what was never looked at."""

from __future__ import annotations

import zlib

from detector.behaviours.base import SHORT, Behaviour, Memory, Moment, Signal, remember
from detector.records import HARMFUL, Action, Does

TOOLS = 24
TARGETS = 40
SETTLED = 10
"""Calls after which a run has shown what it works with."""
CHANGES = int(HARMFUL | Does.WRITE | Does.SEND | Does.ROTATE)


def initial() -> Memory:
    """[hashes of tools, short hashes of targets]"""
    return [[], []]


def update(memory: Memory, action: Action, moment: Moment) -> tuple[float, ...] | None:
    """Amounts: tool, harmful_tool, target."""
    tools, targets = memory
    does = moment.does
    named = [target & SHORT for target in action.targets]
    blind_change = bool(does & CHANGES and named and not any(t in targets for t in named))
    new_target = remember(targets, named, TARGETS) if named else 0
    if action.inner or not moment.first:
        return None
    # Names of tools are few and short: a crc keeps state small and is the same in every process.
    new_tool = remember(tools, (zlib.crc32(action.tool.encode()),), TOOLS)
    if moment.position < SETTLED or not (new_tool or (new_target and blind_change)):
        return None
    return (float(new_tool), float(new_tool and bool(does & HARMFUL)), float(bool(new_target and blind_change)))


BEHAVIOUR = Behaviour(
    "novelty",
    (
        Signal("tool", "used a tool for the first time, late in the run"),
        Signal("harmful_tool", "the tool that was new late in the run is one that deletes or grants", 3),
        Signal("target", "changed something that it had never looked at"),
    ),
    initial,
    update,
)
