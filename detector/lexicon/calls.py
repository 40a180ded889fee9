"""Reads a call: tool name and arguments to flags, places, targets and signs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from detector.lexicon import deeds, places, shell_table, sql, vocabulary, web
from detector.lexicon.entries import PatternSet, Surface, line_pattern
from detector.lexicon.lines import MAX_LEAVES, Lines
from detector.records import Does

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


class Tool(NamedTuple):
    """What a tool's name says."""

    does: int
    signs: tuple[str, ...]
    surface: Surface | None
    """What a text is that the tool is given under a name that says nothing."""


_ENTRIES = shell_table.ENTRIES
_SHELL_LINES = (Surface.SHELL, Surface.SAYING)
_patterns = PatternSet(
    [
        *(line_pattern(_SHELL_LINES if e.surface is Surface.SHELL else (e.surface,), e.pattern) for e in _ENTRIES),
        *(line_pattern(place.surfaces, place.pattern, anywhere=True) for place in places.PLACES),
    ],
)

_MATCHED = (
    *((int(entry.does), entry.sign) for entry in _ENTRIES),
    *((int(place.environment), "") for place in places.PLACES),
)
_FIRST_PLACE = len(_ENTRIES)
_SEARCH, _DELETE, _EXECUTE = int(Does.SEARCH), int(Does.DELETE), int(Does.EXECUTE)
_READS = int(Does.READ | Does.EXECUTE)

_SURFACES = {"tool": "", "graphql": " through GraphQL", "http": " by an HTTP request", "cli": " by a command"}
_WORDS: dict[str, str] = (
    {entry.sign: entry.words for entry in _ENTRIES}
    | {f"sql.{name}": text for name, text in sql.WORDS.items()}
    | {
        f"{surface}.{deed.name}": deed.words + where
        for surface, where in _SURFACES.items()
        for deed in (*deeds.DEEDS, deeds.SOMETHING_DELETED)
    }
)


def words(sign: str) -> str:
    """A sign in words for people: "deletes a volume through GraphQL". An unknown sign is given back."""
    return _WORDS.get(sign, sign)


def all_signs() -> tuple[str, ...]:
    """Every sign that a call can carry."""
    return tuple(_WORDS)


@lru_cache(maxsize=8192)
def tool(name: str) -> Tool:
    """What a tool's name says, in any naming style; namespaces are words like others."""
    split = deeds.split(name)
    known = frozenset(split)
    does, deed = deeds.classify(split)
    surface = next(
        (
            surface
            for group, surface in (
                (vocabulary.GRAPHQL_WORDS, Surface.GRAPHQL),
                (vocabulary.SHELL_WORDS, Surface.SHELL),
                (vocabulary.SQL_WORDS, Surface.SQL),
                (vocabulary.CODE_WORDS, Surface.CODE),
                (vocabulary.SEARCH_WORDS, Surface.SEEK),
            )
            if not known.isdisjoint(group)
        ),
        None,
    )
    if surface in (Surface.SQL, Surface.GRAPHQL):
        # `run_sql` runs nothing but a statement, and the statement says what that does.
        does &= ~_EXECUTE
    elif surface is Surface.SEEK:
        does |= _SEARCH
    return Tool(does, (f"tool.{deed.name}",) if deed else (), surface)


class Lexicon:
    """Reads calls. Holds nothing but compiled tables; safe to share."""

    def read(self, name: str, arguments: Mapping[str, Any] | str | None) -> Call:
        """The call of tool `name`. Linear in the length of the arguments, which the caller has cut."""
        named = tool(name)
        lines = Lines()
        for sign in named.signs:
            lines.signs[sign] = None
        lines.does = named.does
        if isinstance(arguments, str):
            _text(lines, arguments, named)
        elif arguments:
            _mapping(lines, arguments, named)
        return _matched(lines)

    def infra(self, kind: str, fields: Mapping[str, Any]) -> Call:
        """What an HTTP ("http"), database ("sql") or process ("process") span did, from its fields."""
        lines = Lines()
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
        return _matched(lines)


def _matched(lines: Lines) -> Call:
    does, environment = lines.does, 0
    if lines.lines:
        for hit in _patterns.match("\n".join(lines.lines).encode("utf-8", "surrogatepass")) or ():
            if hit < _FIRST_PLACE:
                flags, sign = _MATCHED[hit]
                does |= flags
                lines.signs[sign] = None
            else:
                environment |= _MATCHED[hit][0]
    return Call(does, environment, tuple(lines.targets), tuple(lines.signs)[:MAX_SIGNS], lines.whole)


def _text(lines: Lines, text: str, named: Tool) -> None:
    """A bare text, without a name for it."""
    match named.surface:
        case Surface.SHELL:
            lines.shell(text)
        case Surface.SQL:
            lines.sql(text)
        case Surface.CODE:
            lines.code(text)
        case Surface.GRAPHQL:
            lines.graphql(*web.document(text)) if web.document(text)[0] else lines.graphql(text)
        case Surface.SEEK:
            lines.add(Surface.SEEK, text)
        case _:
            if "://" in text[:16]:
                lines.request({"url": text, "method": "DELETE" if named.does & _DELETE else "GET"})
            elif len(text) <= 256:
                lines.add(Surface.PATH, text)
                lines.target(text)


def _mapping(lines: Lines, arguments: Mapping[str, Any], named: Tool) -> None:
    keys = {str(key).lower().replace("_", "").replace("-", ""): key for key in list(arguments)[:MAX_LEAVES]}
    is_request = not vocabulary.URL_KEYS.isdisjoint(keys)
    if is_request:
        _request(lines, arguments, keys, named)
    for plain, key in keys.items():
        value = arguments[key]
        if value is None or (is_request and plain in vocabulary.REQUEST_KEYS):
            continue
        if isinstance(value, str):
            _argument(lines, plain, str(key), value, named)
        elif (
            isinstance(value, list) and plain in vocabulary.SHELL_KEYS and all(isinstance(word, str) for word in value)
        ):
            lines.shell("\n".join(value) if plain == "commands" else " ".join(value))
        elif plain == "variables" or plain not in vocabulary.PROSE_KEYS:
            lines.arguments(value, str(key), prose=True)


def _request(lines: Lines, arguments: Mapping[str, Any], keys: dict[str, Any], named: Tool) -> None:
    def found(group: frozenset[str]) -> Any:
        return next((arguments[key] for plain, key in keys.items() if plain in group), None)

    headers = found(vocabulary.HEADER_KEYS)
    method = found(vocabulary.METHOD_KEYS)
    body = found(vocabulary.BODY_KEYS)
    if not isinstance(method, str):
        method = "DELETE" if named.does & _DELETE else "POST" if body else "GET"
    if isinstance(headers, Mapping):
        headers = [str(key) for key in headers]
    lines.request({"method": method, "url": found(vocabulary.URL_KEYS), "headers": headers, "body": body})


def _argument(lines: Lines, plain: str, key: str, value: str, named: Tool) -> None:
    if plain in vocabulary.SHELL_KEYS and (plain != "input" or named.surface is Surface.SHELL):
        if named.surface is Surface.SQL:
            lines.sql(value)
        elif named.surface is Surface.CODE:
            lines.code(value)
        else:
            lines.shell(value)
    elif plain in vocabulary.SQL_KEYS:
        lines.sql(value)
    elif plain in vocabulary.QUERY_KEYS:
        _query(lines, value, named)
    elif plain in vocabulary.SEEK_KEYS:
        lines.add(Surface.SEEK, value)
        lines.does |= _SEARCH
    elif plain in vocabulary.CODE_KEYS and named.surface is not Surface.SEEK:
        lines.code(value)
    elif plain in vocabulary.PATH_KEYS:
        _path(lines, value, named)
    elif plain not in vocabulary.PROSE_KEYS:
        lines.arguments(value, key, prose=True)


def _query(lines: Lines, value: str, named: Tool) -> None:
    if named.surface is Surface.GRAPHQL or web.is_graphql(value):
        lines.graphql(value)
    elif named.surface is Surface.SQL or (sql.STARTS.match(value.lstrip()) and named.surface is not Surface.SEEK):
        lines.sql(value)
    else:
        lines.add(Surface.SEEK, value)
        lines.does |= _SEARCH


def _path(lines: Lines, value: str, named: Tool) -> None:
    if named.does & _READS or not named.does:
        lines.add(Surface.PATH, value)
    else:
        lines.arguments(value, "path", prose=True)
    lines.target(value)
