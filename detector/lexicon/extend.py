r"""Tables that users add: commands, patterns, places and assets of their own, from a file.

    commands:
      - name: delete-tenant
        usage: acmectl tenants delete|purge
        does: [DELETE, IRREVERSIBLE]
        words: deletes a tenant
        fires: acmectl tenants delete blue
        quiet: acmectl tenants list
    entries:
      - {name: wipe-cache, surface: sh, pattern: 'acme-wipe ', does: [DELETE], words: wipes a cache,
         fires: acme-wipe all, quiet: acme-wiper}
    places:
      - {environment: PRODUCTION, pattern: '\\bblue-team\\b', fires: ['sh: psql -h blue-team'], quiet: ['sh: ls blue']}
    assets:
      - {name: ledger-7, environment: PRODUCTION}

YAML, JSON or TOML by its ending. The examples of every row are tried when the file is read.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import re2
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from detector.errors import ConfigError
from detector.lexicon import shell
from detector.lexicon.cmdline import split
from detector.lexicon.entries import Entry, PatternSet, Place, Surface, line_pattern
from detector.lexicon.known import DEFAULT, Known
from detector.lexicon.tables.syntaxes import SAME, syntax
from detector.lexicon.usage import Usage, compiled
from detector.records import Does, Environment

MAX_ROWS = 500
"""Of each kind: all patterns are matched in one pass, whose memory is bounded."""


def _flags(kind: type[Does | Environment]) -> Any:
    def read(value: Any) -> Any:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names:
            raise ValueError(f"expected names of {kind.__name__}")
        flags = kind(0)
        for name in names:
            if str(name).upper() not in kind.__members__:
                raise ValueError(f"expected some of {', '.join(kind.__members__)}, came {name!r}")
            flags |= kind[str(name).upper()]
        return flags

    return read


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_Does = Annotated[Does, BeforeValidator(_flags(Does))]
_Environment = Annotated[Environment, BeforeValidator(_flags(Environment))]
_Lines = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1, max_length=16)]
_Name = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=48)]
_Words = Annotated[str, Field(min_length=3, max_length=120)]
_Text = Annotated[str, Field(min_length=1, max_length=512)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class _Command(_Row):
    name: _Name
    usage: _Text
    does: _Does
    words: _Words
    fires: _Lines
    quiet: _Lines

    @field_validator("usage")
    @classmethod
    def _compiles(cls, value: str) -> str:
        compiled(value)
        return value


class _Entry(_Row):
    name: _Name
    surface: Surface
    pattern: _Text
    does: _Does
    words: _Words
    fires: _Lines
    quiet: _Lines

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return _re2(value)


class _Place(_Row):
    environment: _Environment
    pattern: _Text
    fires: _Lines
    quiet: _Lines

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return _re2(value)


class _Asset(_Row):
    name: Annotated[str, Field(min_length=3, max_length=256)]
    environment: _Environment


class _File(_Row):
    commands: Annotated[list[_Command], Field(max_length=MAX_ROWS)] = []
    entries: Annotated[list[_Entry], Field(max_length=MAX_ROWS)] = []
    places: Annotated[list[_Place], Field(max_length=MAX_ROWS)] = []
    assets: Annotated[list[_Asset], Field(max_length=MAX_ROWS)] = []


def load(path: Path | None) -> Known:
    """The package's tables and those in the file; without a file the package's alone.

    Raises ConfigError that names each row that can't be used, what was expected of it and what came.
    """
    if path is None:
        return DEFAULT
    try:
        rows = _File.model_validate(_parsed(path))
    except ValidationError as fault:
        raise ConfigError([_in_words(path, error) for error in fault.errors()]) from None
    said = [f"lexicon_file {path.name}: {fault}" for fault in _untrue(rows)]
    if said:
        raise ConfigError(said)
    return Known(
        [
            Entry(row.name, row.surface, row.pattern, row.does, row.words, row.fires[0], row.quiet[0])
            for row in rows.entries
        ],
        [
            *(Place(row.environment, row.pattern, tuple(row.fires), tuple(row.quiet)) for row in rows.places),
            *_assets(rows.assets),
        ],
        [Usage(row.name, row.usage, row.does, row.words, row.fires[0], row.quiet[0]) for row in rows.commands],
    )


def _parsed(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            return tomllib.loads(text)
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text) or {}
    except OSError as fault:
        raise ConfigError([f"lexicon_file: expected a readable file, came {path}: {fault.strerror}"]) from None
    except (ValueError, yaml.YAMLError) as fault:
        raise ConfigError([f"lexicon_file {path.name}: expected YAML, JSON or TOML by its ending: {fault}"]) from None


def _in_words(path: Path, error: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    message = error["msg"].removeprefix("Value error, ")
    came = "" if "came" in message or error["type"] == "missing" else f", came {str(error['input'])[:80]!r}"
    return f"lexicon_file {path.name}: {place or 'the file'}: {message}{came}"


def _re2(pattern: str) -> str:
    try:
        re2.compile(pattern.encode())
    except re2.error as fault:
        raise ValueError(f"expected an RE2 pattern, came {pattern!r}: {fault}") from None
    return pattern


# --- examples -----------------------------------------------------------------------------


def _untrue(rows: _File) -> list[str]:
    """Examples that a row does not keep."""
    said = []
    kinds: dict[str, Sequence[_Command | _Entry | _Place]]
    kinds = {"commands": rows.commands, "entries": rows.entries, "places": rows.places}
    for kind, listed in kinds.items():
        for nth, row in enumerate(listed):
            place = f"{kind}[{nth}]"
            said += [f"{place}.fires: expected a match: {line!r}" for line in row.fires if not _matches(row, line)]
            said += [f"{place}.quiet: expected no match: {line!r}" for line in row.quiet if _matches(row, line)]
    return said


def _matches(row: _Command | _Entry | _Place, line: str) -> bool:
    if isinstance(row, _Command):
        return called_so(row.usage, line)
    surfaces = (row.surface,) if isinstance(row, _Entry) else Place(row.environment, "", (), ()).surfaces
    tag = f"{row.surface}: " if isinstance(row, _Entry) else ""
    pattern = line_pattern(surfaces, row.pattern, anywhere=isinstance(row, _Place))
    return bool(PatternSet([pattern]).match(f"{tag}{line}".encode()))


def called_so(usage: str, text: str) -> bool:
    """Whether one of the commands in a shell text is called as a usage says."""
    pattern = compiled(usage)
    for command in shell.parse(text).commands:
        program = SAME.get(command.words[0], command.words[0])
        if program in pattern.programs or "*" in pattern.programs:
            second = command.words[1] if len(command.words) > 1 else ""
            called = split(command.words, syntax(program, second), program=program)
            if command.many:
                called.flags["many"] = ""
            if pattern.matches(called):
                return True
    return False


def _assets(assets: list[_Asset]) -> list[Place]:
    """Things by their own names, as whole words."""
    return [
        Place(asset.environment, rf"(?:^|[^a-z0-9_-]){re.escape(asset.name)}(?:[^a-z0-9_-]|$)", (), (), tuple(Surface))
        for asset in assets
    ]
