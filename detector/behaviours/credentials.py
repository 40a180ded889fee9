"""Credentials: searched for, opened, seen in a result, used though a result supplied them."""

from __future__ import annotations

from detector.behaviours.base import Behaviour, Memory, Moment, Signal, remember
from detector.records import Action, Does

SEEN_LIMIT = 32
USED_LIMIT = 16
TOUCHES = int(Does.SEEK_CREDENTIAL | Does.OPEN_CREDENTIAL)


def initial() -> Memory:
    """[hashes of secrets that results held, hashes of secrets that calls used]"""
    return [[], []]


def update(memory: Memory, action: Action, moment: Moment) -> tuple[float, ...] | None:
    """Amounts: sought, opened, seen, used_found, changed."""
    does = moment.does
    if not does & TOUCHES and not action.secrets_seen and not action.secrets_used:
        return None
    seen, used = memory
    found = sum(1 for secret in action.secrets_used if secret in seen and secret not in used)
    had_used = bool(used)
    changed = remember(used, action.secrets_used, USED_LIMIT) if action.secrets_used else 0
    # A secret that the agent itself has sent before is no discovery when it is echoed.
    new = [secret for secret in action.secrets_seen if secret not in used]
    return (
        float(bool(does & Does.SEEK_CREDENTIAL)),
        float(bool(does & Does.OPEN_CREDENTIAL)),
        float(min(remember(seen, new, SEEN_LIMIT), 3)),
        float(found),
        float(had_used and changed > 0),
    )


BEHAVIOUR = Behaviour(
    "credentials",
    (
        Signal("sought", "searched for credentials", 3),
        Signal("opened", "opened a place where credentials are kept", 3),
        Signal("seen", "a result held a secret that was new to the run", 2),
        Signal("used_found", "used a secret that an earlier result had held", 4),
        Signal("changed", "went on with another credential than before", 2),
    ),
    initial,
    update,
)
