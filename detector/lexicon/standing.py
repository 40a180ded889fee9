"""Tools that are named after a program: the command line that a call of one stands for.

`kubectl_delete(kind="namespace", name="shop")` is `kubectl delete namespace shop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from detector.lexicon import keys, shell
from detector.lexicon.entries import Surface
from detector.lexicon.plans import Plan

MAX_FLAGS = 16

_COMMANDS = frozenset("command cmd args subcommand clicommand commands input argv".split())
_FILLING = frozenset("run exec execute command cli tool call".split())
_OPERANDS = frozenset(
    "resourcetype kind name resource id path branch remote ref image container volume release chart target releasename"
    " resourcename".split()
)
_WHERE = frozenset("namespace context project cluster stack app profile".split())
_SHELLS = frozenset(("bash", "sh", "sudo"))


class CommandLine(NamedTuple):
    """What a call stands for."""

    text: str
    key: str = ""
    """The argument that holds it, and is read with that; empty where the tool's name is the command."""


def command_line(plan: Plan, given: Mapping[str, Any], kind: str) -> CommandLine | None:
    """The command line of a call; None where it is none, or stands in its arguments as a whole."""
    program, words = plan.tool.program, plan.tool.words
    begin = next((place for place, word in enumerate(words) if word in keys.PROGRAMS), len(words))
    rest = words[begin + 1 :]
    for slot in plan.slots:
        command = given.get(slot.key) if slot.plain in _COMMANDS else None
        if isinstance(command, list) and all(isinstance(word, str) for word in command):
            command = shell.quoted(command)
        if isinstance(command, str):
            first = "".join(command.split(None, 1)[:1])
            if not first or "exec" in rest or first in keys.PROGRAMS or first == program or first in _SHELLS:
                return None
            plain = [word for word in rest if word not in _FILLING]
            return CommandLine(" ".join([program, *plain, command, *_flags(plan, given)]), slot.plain)
    if not rest or begin > 0 or plan.tool.surface in (Surface.SEEK, Surface.SQL):
        return None
    named = [value for slot in plan.slots if slot.plain in _OPERANDS and isinstance(value := given.get(slot.key), str)]
    operands = [kind] if kind else []
    operands += [value for value in named if value and value != kind]
    return CommandLine(shell.quoted([program, *rest, *operands, *_flags(plan, given)]))


def _flags(plan: Plan, given: Mapping[str, Any]) -> list[str]:
    """Arguments that are switched on, and those that say where, as flags."""
    found: list[str] = []
    for slot in plan.slots:
        value, flag = given.get(slot.key), "--" + slot.path.replace("_", "-")
        if isinstance(value, bool):
            found.append(flag if value else f"{flag}=false")
        elif isinstance(value, str) and slot.plain in _WHERE:
            found.append(f"{flag}={value}")
        elif isinstance(value, str) and slot.plain == "mode":
            found.append(f"--{value}")
    return found[:MAX_FLAGS]
