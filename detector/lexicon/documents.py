"""GraphQL documents onto the lines of a call: each field of a mutation is an act with arguments of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from detector.lexicon import acts, arguments, deeds, graphql
from detector.lexicon.entries import Surface
from detector.records import Does

if TYPE_CHECKING:
    from detector.lexicon.lines import Lines

MAX_NESTED = 2
"""Documents in documents that are followed."""

_READ, _WRITE, _DELETE, _BROAD = map(int, (Does.READ, Does.WRITE, Does.DELETE, Does.BROAD))
_IRREVERSIBLE, _OPEN, _EXECUTE = int(Does.IRREVERSIBLE), int(Does.OPEN_CREDENTIAL), int(Does.EXECUTE)
_VALUES = frozenset(
    "value values token secret password key plaintext credentials credential data apiKey apiToken accessKey"
    " privateKey".split()
)
"""Fields in which a credential itself stands."""
_RUN = frozenset(("mutation", "query", "document", "operation", "graphql"))
"""Arguments in which a document is handed on to be run."""
_MAKING = frozenset("create add insert new make register".split())
_OWNERS = frozenset(("project", "environment", "service", "app"))


def read(lines: Lines, document: str, variables: Mapping[str, Any] | None = None) -> None:
    """The root fields of a document's operations."""
    fields = graphql.fields(document, variables)
    if not fields:
        lines.does |= _READ
    for field in fields:
        if field.operation == "mutation":
            _mutates(lines, field)
        else:
            _asks(lines, field)
    lines.add(Surface.GRAPHQL, " ".join(field.name for field in fields))
    if variables:
        arguments.read(lines, variables)


def _mutates(lines: Lines, field: graphql.Field) -> None:
    name, said = deeds.parse(field.name), acts.Said()
    arguments.read(lines, field.arguments, said)
    for key, value in field.arguments.items():
        if key.lower() in acts.FILTERS:
            said.filter(value)
        if key.lower() in _RUN and isinstance(value, str) and graphql.is_document(value):
            _nested(lines, value, many=name.many or "bulk" in name.words)
    does = (name.does & ~_READ if name.verb in _MAKING else name.does) & ~_EXECUTE
    if does & _DELETE:
        # Without any argument nothing is named, and nothing bounds it.
        said.empty = said.empty or (not field.arguments and (name.deed is None or not name.deed.nouns))
        said.bounded = said.bounded or "by" in name.words
        does |= _IRREVERSIBLE if said.empty else 0
    acts.add(lines, name, does or _WRITE, said, "graphql", creates=name.verb in _MAKING)


def _nested(lines: Lines, document: str, *, many: bool) -> None:
    """A document that another one runs, perhaps for each line of a file."""
    if lines.within >= MAX_NESTED:
        return
    lines.within += 1
    before, lines.does = lines.does, 0
    read(lines, document)
    if many and lines.does & (_DELETE | _WRITE):
        lines.does |= _BROAD
    lines.does |= before
    lines.within -= 1


def _asks(lines: Lines, field: graphql.Field) -> None:
    lines.does |= _READ
    words = deeds.split(field.name)
    opens = deeds.read(("get", *words)).does & _OPEN
    if opens and field.selected and words[-1].endswith("s") and _VALUES.isdisjoint(field.selected):
        lines.does |= int(Does.SEEK_CREDENTIAL)
        lines.signs["graphql.list-credentials"] = None
    elif opens or (words[-1:] == ("variables",) and _belongs(field)):
        lines.does |= _OPEN
        lines.signs["graphql.read-credential"] = None
    arguments.read(lines, field.arguments)


def _belongs(field: graphql.Field) -> bool:
    """Whether a field is asked of something that runs."""
    return not _OWNERS.isdisjoint(key.lower().removesuffix("id") for key in field.arguments)
