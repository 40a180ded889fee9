"""Reads a call: tool name and arguments to flags, places, targets and signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from detector.lexicon import tools
from detector.lexicon.known import DEFAULT, WORDS, Known
from detector.lexicon.lines import Lines

MAX_SIGNS = 8


class Call(NamedTuple):
    """What the lexicon reads in a call. `targets` are words of the call and must be hashed before they leave."""

    does: int
    """Flags of Does."""
    environment: int
    """Flags of Environment."""
    targets: tuple[str, ...]
    signs: tuple[str, ...]
    whole: bool = True
    """False where there was more than is read of one call."""


def words(sign: str) -> str:
    """A sign in words for people: "deletes a volume through GraphQL". An unknown sign is given back."""
    return WORDS.get(sign, sign)


def all_signs() -> tuple[str, ...]:
    """Every sign that a call can carry."""
    return tuple(WORDS)


class Lexicon:
    """Reads calls. Holds nothing but compiled tables; safe to share."""

    def __init__(self, known: Known = DEFAULT) -> None:
        self._known = known

    def read(self, name: str, arguments: Mapping[str, Any] | str | None) -> Call:
        """The call of tool `name`. Linear in the length of the arguments, which the caller has cut."""
        lines = Lines(self._known.usages)
        tools.read(lines, name, arguments)
        return _matched(lines, self._known)

    def infra(self, kind: str, fields: Mapping[str, Any]) -> Call:
        """What an HTTP ("http"), database ("sql") or process ("process") span did, from its fields."""
        lines = Lines(self._known.usages)
        if kind == "http":
            lines.request(fields)
        elif kind == "sql":
            if fields.get("sql") or fields.get("operation"):
                lines.sql(str(fields.get("sql") or f"{fields['operation']} {fields.get('table', '')}"))
            lines.arguments({key: fields[key] for key in ("database", "host", "table") if key in fields})
        else:
            command = fields.get("command")
            text = " ".join(map(str, command)) if isinstance(command, list) else str(command or "")
            lines.shell(text)
        return _matched(lines, self._known)


def _matched(lines: Lines, known: Known) -> Call:
    does, environment = lines.does, 0
    if lines.lines:
        for hit in known.match("\n".join(lines.lines).encode("utf-8", "surrogatepass")) or ():
            if hit < known.first_place:
                flags, sign = known.hits[hit]
                does |= flags
                lines.signs[sign] = None
            else:
                environment |= known.hits[hit][0]
    return Call(does, environment, tuple(lines.targets), tuple(lines.signs)[:MAX_SIGNS], lines.whole)
