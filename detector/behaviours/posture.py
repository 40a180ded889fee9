"""Posture: what leaves the approved configuration of the workflow, and under whose authority.

What a manifest says is asked in `step` (policy.approved) and comes with the moment. Without a manifest
three signals are left: one principal in two environments, a person's token, a credential that is broad by its form.
"""

from __future__ import annotations

import zlib

from detector.behaviours.base import SHORT, Behaviour, Memory, Moment, Signal, remember
from detector.policy.approved import Left
from detector.reading.principals import FORM
from detector.records import Action, Environment

TOLD, TOLD_MODES, HELD = 8, 2, 8
HARMLESS = int(Environment.LOCAL | Environment.TEST | Environment.PREVIEW)
TOOL, ENVIRONMENT, WRITE, PRINCIPAL, MODE, BACKUPS, PERSON, BROAD = map(int, Left)


def initial() -> Memory:
    """[tools outside, environments outside, modes outside, principals seen; principals and credentials that acted in a
    known environment, their environments]
    """
    return [[], 0, [], [], [], []]


def update(memory: Memory, action: Action, moment: Moment) -> tuple[float, ...] | None:
    """Amounts: tool_left, environment_left, write_left, principal_left, mode_left, backups_inside, principal_across,
    person_token, broad_credential. What is outside counts once a tool, environment, mode, principal; each write counts.
    """
    left, principals = moment.left, action.principals
    if not (left or principals or action.secrets_used):
        return None
    new = remember(memory[3], [who >> 3 & SHORT for who in principals], TOLD) if principals else 0
    tool = environment = mode = 0
    if left & TOOL:
        tool = remember(memory[0], (zlib.crc32(action.tool.encode()),), TOLD)
    if left & ENVIRONMENT:
        environment = action.env & ~memory[1]
        memory[1] |= action.env
    if left & MODE:
        mode = remember(memory[2], (zlib.crc32(action.mode.encode()),), TOLD_MODES)
    amounts = (
        float(tool),
        float(bool(environment)),
        float(bool(left & WRITE)),
        float(bool(new and left & PRINCIPAL)),
        float(mode),
        float(bool(left & BACKUPS)),
        float(_across(memory, action)),
        float(bool(new and left & PERSON)),
        # What may do everything on one's own machine or in a test is meant to.
        float(bool(new and left & BROAD and not action.env & HARMLESS)),
    )
    return amounts if any(amounts) else None


def _across(memory: Memory, action: Action) -> bool:
    """Whether a name or a credential of the call has acted in another environment before. A token that is only
    known by its form is not known to be the same one; its value's hash is.
    """
    if not action.env:
        return False
    held, places = memory[4], memory[5]
    across = False
    named = [who >> 3 & SHORT for who in action.principals if not who & FORM]
    for who in (*named, *[secret & SHORT for secret in action.secrets_used]):
        if who in held:
            at = held.index(who)
            across = across or bool(action.env & ~places[at])
            places[at] |= action.env
        else:
            held.append(who)
            places.append(action.env)
    if len(held) > HELD:
        del held[:-HELD], places[:-HELD]
    return across


BEHAVIOUR = Behaviour(
    "posture",
    (
        Signal("tool_left", "used a tool that was not approved for the workflow", 3),
        Signal("environment_left", "acted in an environment that was not approved for the workflow", 4),
        Signal("write_left", "changed something where the workflow has no writes granted", 4),
        Signal("principal_left", "acted under a principal that was not approved for the workflow", 4),
        Signal("mode_left", "took a permission mode that was not approved for the workflow", 4),
        Signal("backups_inside", "deleted what holds its own backups", 5),
        Signal("principal_across", "used one principal or credential in two environments", 4),
        Signal("person_token", "acted under a person's token or account", 2),
        Signal("broad_credential", "acted under a name or token that may do everything", 2),
    ),
    initial,
    update,
)
