"""Destructive acts: how many, how widely, how reversibly, and what would have undone them."""

from __future__ import annotations

from detector.behaviours.base import SHORT, Behaviour, Memory, Moment, Signal, remember
from detector.records import Action, Does, Environment

TARGETS = 32
HARM = int(Does.DELETE | Does.SAFEGUARD | Does.AUDIT | Does.BACKUP)
HARMLESS = Environment.LOCAL | Environment.TEST | Environment.PREVIEW


def initial() -> Memory:
    """[short hashes of what was deleted]"""
    return [[]]


def update(memory: Memory, action: Action, moment: Moment) -> tuple[float, ...] | None:
    """Amounts: deleted, breadth, broad, irreversible, in_production, backups, safeguard, audit."""
    does = moment.does
    if not does & HARM:
        return None
    deleted = bool(does & Does.DELETE)
    wider = remember(memory[0], [target & SHORT for target in action.targets], TARGETS) if deleted else 0
    # What is thrown away in a test or a preview environment is meant to be thrown away.
    lasting = bool(deleted and does & Does.IRREVERSIBLE and not action.env & HARMLESS)
    return (
        float(deleted),
        float(min(wider, 4)) if len(memory[0]) > wider else 0.0,
        float(bool(deleted and does & Does.BROAD)),
        float(lasting),
        float(bool(lasting and action.env & Environment.PRODUCTION)),
        float(bool(does & Does.BACKUP and does & (Does.DELETE | Does.SAFEGUARD))),
        float(bool(does & Does.SAFEGUARD)),
        float(bool(does & Does.AUDIT)),
    )


BEHAVIOUR = Behaviour(
    "destruction",
    (
        Signal("deleted", "deleted something", 2),
        Signal("breadth", "deleted in places where it had not deleted before", 2),
        Signal("broad", "deleted without bounds", 4),
        Signal("irreversible", "deleted for good", 4),
        Signal("irreversible_in_production", "deleted for good in production", 5),
        Signal("backups", "deleted or disabled backups", 5),
        Signal("safeguard", "turned a protection off", 5),
        Signal("audit", "turned off or erased an audit trail", 5),
    ),
    initial,
    update,
)
