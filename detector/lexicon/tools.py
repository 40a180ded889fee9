"""A tool's call onto lines: each of its arguments as what its key says that it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from detector.lexicon import (
    acts,
    arguments,
    deeds,
    graphql,
    keys,
    paths,
    plans,
    settings,
    shell,
    sql,
    standing,
    vocabulary,
    web,
)
from detector.lexicon.acts import Said
from detector.lexicon.arguments import MAX_LEAVES, MAX_TEXT, decoded
from detector.lexicon.entries import Surface
from detector.lexicon.lines import Lines
from detector.lexicon.plans import (
    ARGUMENT,
    CODE,
    PATH,
    PROSE,
    QUERY,
    REQUESTS,
    SEEK,
    SHELL,
    STATEMENT,
    Plan,
    Slot,
    Tool,
)
from detector.records import Does

SHORT = 64
"""Of a value that may tell what an act is about."""

_SEARCH, _DELETE, _EXECUTE, _READ, _WRITE = map(int, (Does.SEARCH, Does.DELETE, Does.EXECUTE, Does.READ, Does.WRITE))
_BACKUP, _SEND = int(Does.BACKUP), int(Does.SEND)
_OPENS_PATHS, _CHANGES_PATHS = _READ | _EXECUTE, _WRITE | _DELETE

_WORD = re.compile(r"[A-Za-z][\w:.-]{0,39}$")
_MONGO = re.compile(r"^\s*(?:use \w+\s*;?\s*)?db\.(?:[A-Za-z_]\w*|\[|getSiblingDB)", re.MULTILINE)
_STORAGE = frozenset(
    "volume database db instance disk cluster table vm server bucket index repository machine dbinstance"
    " service project".split()
)


def read(lines: Lines, name: str, given: Mapping[str, Any] | str | None) -> None:
    """A call onto `lines`."""
    if isinstance(given, str) or not given:
        named = plans.tool(name)
        if named.name.many:
            acts.add(lines, named.name, named.does, Said(), "tool")
        else:
            _add(lines, named.does, named.signs)
        if given:
            _text(lines, str(given), named)
        return
    names = tuple(given) if len(given) <= MAX_LEAVES else tuple(list(given)[:MAX_LEAVES])
    planned = plans.plan(name, tuple(map(str, names)))
    if planned.tool.place:
        arguments.line(lines, "tool", planned.tool.place)
    _Call(lines, planned, given).read(names)


def _add(lines: Lines, does: int, signs: tuple[str, ...]) -> None:
    lines.does |= does
    for sign in signs:
        lines.signs[sign] = None


class _Call:
    """One call while it is read."""

    __slots__ = ("does", "given", "lines", "name", "named", "paths", "plan", "said", "skipped")

    def __init__(self, lines: Lines, planned: Plan, given: Mapping[str, Any]) -> None:
        self.lines, self.plan, self.given = lines, planned, given
        self.named = planned.tool
        self.name, self.does = self.named.name, self.named.does
        self.said: Said | None = Said() if planned.settles else None
        self.paths: list[str] = []
        self.skipped: frozenset[str] = frozenset()

    def read(self, names: tuple[Any, ...]) -> None:
        """All of it."""
        if self.plan.acts:
            self._acts()
        for slot, key in zip(self.plan.slots, names, strict=True):
            value = self.given[key]
            if value is None or slot.plain in self.skipped:
                continue
            if type(value) is str:
                self._text(slot, value)
            else:
                self._value(slot, value)
        if self.paths and self.does & _CHANGES_PATHS and (self.does & _DELETE or paths.is_of_note(self.paths[0])):
            self.does, scratch = paths.changed(self.name, self.does, self.paths, self._found("contents")[1])
            if scratch and self.said is not None:
                self.said.says &= ~settings.Says.WIDE
        if "given" in self.plan.groups and self.does & _WRITE:
            self._pair()
        if self.said is None:
            _add(self.lines, self.does, self.named.signs)
        else:
            if self.plan.settles:
                self._pictured()
            given = [value for value in self.given.values() if isinstance(value, str) and len(value) < SHORT]
            self.said.texts += given[:8] + [slot.path for slot in self.plan.slots[:8]]
            acts.add(self.lines, self.name, self.does, self.said, "tool", creates=self.plan.creates)

    def _told(self) -> Said:
        if self.said is None:
            self.said = Said()
        return self.said

    # --- arguments ----------------------------------------------------------------------

    def _text(self, slot: Slot, value: str) -> None:
        lines, kind = self.lines, slot.read
        if slot.said:
            if hits := settings.of(slot.path, value):
                self._told().hit(hits)
            if slot.filters and kind != QUERY:
                self._told().filter(decoded(value))
        if self.plan.settles and self.said is not None:
            self.said.bound(slot.path, value)
        if kind == ARGUMENT:
            self._argument(slot, value)
        elif kind == PATH:
            self._path(slot, value)
        elif kind == QUERY:
            self._query(slot, value)
        elif kind == SEEK:
            self._seek(value)
        elif kind != PROSE:
            _RUN[kind](lines, value)

    def _seek(self, value: str) -> None:
        if not value.startswith(vocabulary.CODE_STARTS):
            self.lines.add(Surface.SEEK, value)
        if not self.does & _DELETE:
            self.does |= _SEARCH

    def _argument(self, slot: Slot, value: str) -> None:
        if value[:1] in ("{", "[") and value is not (plain := decoded(value)):
            self._value(slot, plain)
        elif len(value) <= MAX_TEXT:
            arguments.line(self.lines, slot.key, value)
            if slot.target:
                arguments.name(self.lines, value)

    def _value(self, slot: Slot, value: Any) -> None:
        if not isinstance(value, (Mapping, list, tuple)):
            self._scalar(slot, value)
            return
        if slot.filters:
            self._told().filter(value)
        if slot.read == SHELL and isinstance(value, list) and value and all(isinstance(word, str) for word in value):
            self.lines.shell("\n".join(value) if slot.plain == "commands" else shell.quoted(value))
        elif slot.read != PROSE or slot.plain == "variables" or (slot.plain in _DATA and self.does & _CHANGES_PATHS):
            arguments.read(self.lines, value, self._told(), slot.key, slot.path)
            if slot.read == PATH:
                self._paths([item for item in list(value)[:8] if isinstance(item, str)])

    def _scalar(self, slot: Slot, value: Any) -> None:
        if slot.said and (hits := settings.of(slot.path, value)):
            self._told().hit(hits)
        if self.plan.settles and self.said is not None:
            self.said.bound(slot.path, value)
        arguments.leaf(self.lines, slot.key, slot.path, value, None)

    def _paths(self, named: list[str]) -> None:
        self.paths += [path[-paths.MAX_CHARS :] for path in named]
        if self.does & _OPENS_PATHS:
            for path in named:
                self.lines.add(Surface.PATH, f"./{path}" if path[:1] == "." else path)

    def _query(self, slot: Slot, value: str) -> None:
        lines, named = self.lines, self.named
        if named.surface is Surface.SEEK and not self.does & _DELETE:
            self._seek(value)
        elif named.surface is Surface.GRAPHQL or (named.surface is not Surface.SEEK and graphql.is_document(value)):
            document, variables = web.document(decoded(value))
            given = self.given.get("variables")
            given = decoded(given) if isinstance(given, str) else given
            lines.graphql(document or value, given if isinstance(given, Mapping) else variables)
        elif _MONGO.search(value[:256]):
            _statement(lines, value)
        elif named.surface is Surface.SQL or (sql.STARTS.match(value.lstrip()) and named.surface is not Surface.SEEK):
            lines.sql(value)
        elif self.does & _DELETE:
            self._told().filter(decoded(value))
            arguments.read(lines, value, self.said, slot.key, slot.path)
        else:
            self._seek(value)

    def _path(self, slot: Slot, value: str) -> None:
        if self.does & _OPENS_PATHS or not self.does:
            self.lines.add(Surface.PATH, f"./{value}" if value[:1] == "." else value)
        else:
            arguments.line(self.lines, "path" if "/" in value or "." in value else slot.key, value)
        if slot.plain in keys.DESTINATION:
            self.paths.insert(0, value[-paths.MAX_CHARS :])
        else:
            self.paths.append(value[-paths.MAX_CHARS :])
        self.lines.target(value)

    def _found(self, group: str) -> tuple[str, Any]:
        """The first argument of a group that is there: its plain key and its value."""
        for slot in self.plan.groups.get(group, ()):
            value = self.given.get(slot.key)
            if value is not None:
                return slot.plain, value
        return "", None

    # --- what the act is ----------------------------------------------------------------

    def _acts(self) -> None:
        """The act, where an argument names it or what it is done to."""
        url = self._found("url")[1]
        if url is None and str(self._found("method")[1]).upper() in web.METHODS:
            route = self._found("route")[1]
            if isinstance(route, str) and route[:1] == "/":
                url = f"//{self._found('host')[1] or ''}{route}"
        if isinstance(url, str) and ("/" in url or "." in url or self._found("method")[0]):
            self._requests(url)
            return
        action, value = self._found("action")
        kind = self._found("kind")[1]
        kind = kind if isinstance(kind, str) and _WORD.match(kind) else ""
        if self.named.program and (stands_for := standing.command_line(self.plan, self.given, kind)) is not None:
            self.lines.shell(stands_for.text)
            if stands_for.key:
                self.skipped = frozenset((stands_for.key, action))
                return
        if isinstance(value, str) and _WORD.match(value):
            words = deeds.split(value)
            found = deeds.parse(f"{value}_{kind}" if kind and len(words) == 1 else value)
            shown = action == "command" and self.named.surface is not Surface.SHELL
            if found.verb and (shown or (action != "command" and (not self.name.verb or self.name.verb in _GENERIC))):
                self.name = found._replace(words=self.name.words | found.words)
                self.does = found.does
                self.skipped = frozenset((action,))
                self._told()
        elif kind and self.name.verb and not self.name.noun and (self.name.deed is None or not self.name.deed.nouns):
            found = deeds.parse(f"{self.name.verb}_{kind}")
            self.name = found._replace(words=self.name.words | found.words)
            self.does |= found.does
            self._told()

    def _requests(self, url: str) -> None:
        method, body, headers = (self._found(group)[1] for group in ("method", "body", "headers"))
        if not isinstance(method, str):
            method = "DELETE" if self.does & _DELETE else "POST" if body or self.does & _SEND else "GET"
        if not self.named.name.words.isdisjoint(REQUESTS) or not self.does & (_WRITE | _DELETE):
            # The request says what it does.
            self.does &= _SEND
            self.name = self.name._replace(deed=None)
            self._told()
        self.skipped = keys.REQUEST
        self.lines.request({"method": method, "url": url, "headers": headers, "body": body})

    def _pair(self) -> None:
        """`set_flag(name="require_mfa", enabled=false)`."""
        name, value = self._found("naming")[1], self._found("given")[1]
        if isinstance(name, str) and (hits := settings.of(settings.plain(name), value)):
            self._told().hit(tuple(hit for hit in hits if hit.says & settings.Says.CHANGED))

    def _pictured(self) -> None:
        """A snapshot of something that is stored is a backup, and no picture."""
        deed = self.name.deed
        stored = any(not _STORAGE.isdisjoint(slot.path.split("_")) for slot in self.plan.slots)
        if stored and deed is not None and deed.name == "picture":
            self.does |= _BACKUP | _WRITE


def _text(lines: Lines, text: str, named: Tool) -> None:
    """A bare text, without a name for it."""
    match named.surface:
        case Surface.SHELL:
            lines.shell(text)
        case Surface.SQL:
            _statement(lines, text)
        case Surface.CODE:
            lines.code(text)
        case Surface.GRAPHQL:
            document, variables = web.document(decoded(text))
            lines.graphql(document or text, variables)
        case Surface.SEEK:
            lines.add(Surface.SEEK, text)
        case _:
            if "://" in text[:16]:
                lines.request({"url": text, "method": "DELETE" if named.does & _DELETE else "GET"})
            elif len(text) <= 256:
                lines.add(Surface.PATH, f"./{text}" if text[:1] == "." else text)
                lines.target(text)


def _statement(lines: Lines, text: str) -> None:
    """SQL, or what is said to a document store in its place."""
    if _MONGO.search(text[:256]):
        lines.shell(shell.quoted(["mongosh", "--eval", text]))
    else:
        lines.sql(text)


def _command(lines: Lines, text: str) -> None:
    lines.shell(shell.quoted(["mongosh", "--eval", text]) if _MONGO.search(text[:256]) else text)


_RUN: dict[int, Callable[[Lines, str], None]] = {SHELL: _command, STATEMENT: _statement, CODE: Lines.code}
_DATA = frozenset(("data", "value"))
_GENERIC = frozenset(
    "manage handle do perform process run execute call invoke trigger act dispatch exec request command crud".split()
)
