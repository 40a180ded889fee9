"""A call as lines for matching: one for each command, statement, request, path and plain argument."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from detector.lexicon import deeds, shell, sql, vocabulary, web
from detector.lexicon.entries import JOINED, Surface
from detector.records import Does

MAX_LEAVES = 64
MAX_DEPTH = 5
MAX_LINES = 1024
MAX_TARGETS = 8


_EXECUTE, _READ, _WRITE, _DELETE, _SEND = map(int, (Does.EXECUTE, Does.READ, Does.WRITE, Does.DELETE, Does.SEND))


class Lines:
    """The lines of one call, and what is known of it without matching."""

    __slots__ = ("does", "lines", "signs", "targets", "whole")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.does = 0
        self.whole = True
        """Whether all of the call is here."""
        self.signs: dict[str, None] = {}
        self.targets: dict[str, None] = {}

    def add(self, surface: Surface, text: str) -> None:
        """One line on `surface`."""
        if len(self.lines) == MAX_LINES:
            self.whole = False
        else:
            self.lines.append(f"{surface}: {text.replace(chr(10), ' ') if chr(10) in text else text}")

    def target(self, value: str) -> None:
        """One thing that the call acts on: a path, host, table, volume."""
        value = value.strip("\"' ").rstrip("/").lower()
        if value and len(self.targets) < MAX_TARGETS:
            self.targets[value[:256]] = None

    def deed(self, name: str, part: str, verb: str = "") -> None:
        """What a name says that the call does, as a sign of `part`."""
        words = deeds.split(name)
        does, deed = deeds.classify((verb, *words) if verb else words)
        self.does |= does
        if deed is not None:
            self.signs[f"{part}.{deed.name}"] = None

    # --- surfaces -----------------------------------------------------------------------

    def shell(self, text: str) -> None:
        """A shell text: its commands, and what these run or send."""
        script = shell.parse(text)
        self.whole = self.whole and script.whole
        for variable in script.variables:
            self.add(Surface.SET, variable)
        if not script.wrappers.isdisjoint(("sudo", "doas")):
            self.add(Surface.SHELL, "sudo")
        for command in script.commands:
            self._command(command)
        for program, document in script.documents:
            if program in vocabulary.SQL_CLIENTS:
                self.sql(document)
            elif program in vocabulary.INTERPRETERS:
                self.code(document)

    def _command(self, command: list[str]) -> None:
        head = command[0]
        does = vocabulary.PROGRAMS.get(head, _EXECUTE)
        surface = Surface.SAYING if head in vocabulary.SAYING else Surface.SHELL
        if head == "git":
            verb = next((word for word in command[1:] if not word.startswith("-")), "")
            does = vocabulary.GIT.get(verb, _EXECUTE)
            command = _without_message(command) if verb in ("commit", "tag") else command
        elif head == "rm":
            command = [_rm(command), *command[1:]]
            self._paths(command)
        elif head == "find" and any("__pycache__" in word or ".pyc" in word for word in command):
            command = ["find-scratch", *command[1:]]
        elif head in vocabulary.SEARCHERS and any(
            word.endswith(vocabulary.CODE_FILES) or word.startswith(vocabulary.CODE_STARTS) for word in command[1:]
        ):
            command = ["grep-code", *command[1:]]
        elif head in ("curl", "wget", "http", "https", "xh"):
            self.request(web.curl(command))
            does = 0
        elif head in vocabulary.INTERPRETERS or head in vocabulary.SQL_CLIENTS:
            self._program_text(command, is_sql=head in vocabulary.SQL_CLIENTS)
        elif head in vocabulary.MANAGERS:
            plain = [word for word in command[1:8] if word[:1].isalpha() and "=" not in word]
            self.deed("_".join(plain[:4]), "cli")
        elif head in ("cat", "less", "head", "tail", "cp", "mv", "source"):
            self._paths(command)
        self.does |= does
        self.add(surface, shell.line(command))

    def _paths(self, command: list[str]) -> None:
        for word in command[1:]:
            if not word.startswith(("-", ">", "<")):
                self.target(word)

    def _program_text(self, command: list[str], *, is_sql: bool) -> None:
        for flag, text in pairwise(command[1:]):
            if flag in ("-c", "-e", "--execute", "--command", "-p") and len(text) > 2:
                (self.sql if is_sql else self.code)(text)
        if is_sql and command[0] in ("sqlite3", "duckdb", "bq") and len(command) > 2 and " " in command[-1]:
            self.sql(command[-1])

    def code(self, text: str) -> None:
        """Source text that is run."""
        self.does |= _EXECUTE
        self.add(Surface.CODE, text)

    def sql(self, text: str) -> None:
        """SQL text."""
        statement = sql.read(text)
        self.does |= statement.does
        for sign in statement.signs:
            self.signs[f"sql.{sign}"] = None
        for table in statement.tables:
            self.target(table)
        self.add(Surface.SQL, text)

    def request(self, request: Mapping[str, Any]) -> None:
        """An HTTP request: `method`, `url`, `host`, `headers`, `body`."""
        method = str(request.get("method") or "GET").upper()
        host, path = web.address(str(request.get("url") or ""))
        host = host or str(request.get("host") or "")
        self.target(host.rsplit("@", 1)[-1].split(":", 1)[0])
        self.add(Surface.HTTP, f"{method} //{host} {path}")
        headers = request.get("headers") or ()
        for header in headers if isinstance(headers, (list, tuple)) else str(headers).splitlines():
            self.add(Surface.HEADER, str(header))
        body = request.get("body")
        document, variables = web.document(body)
        if document:
            self.graphql(document, variables)
            return
        self.does |= _METHODS.get(method, _WRITE)
        if method in ("POST", "PUT", "PATCH"):
            self.deed(web.path_words(path), "http")
        elif method == "DELETE":
            self.does |= _DELETE
            self.deed(web.path_words(path), "http", "delete")
        if body:
            self.does |= _SEND
            self.arguments(_decoded(body), prose=True)

    def graphql(self, document: str, variables: Mapping[str, Any] | None = None) -> None:
        """A GraphQL document: the root fields of its mutations."""
        fields = web.mutated(document)
        self.does |= _WRITE if fields else _READ
        for field in fields:
            self.deed(field, "graphql")
        self.add(Surface.GRAPHQL, document[: web.MAX_QUERY_CHARS])
        self.arguments(variables or {}, prose=True)

    def arguments(self, value: Any, key: str = "", depth: int = 0, *, prose: bool = False) -> None:
        """Plain arguments, for places and targets. `prose`: long texts are left out."""
        if len(self.lines) >= MAX_LINES or depth > MAX_DEPTH:
            return
        if isinstance(value, Mapping):
            for index, (name, item) in enumerate(value.items()):
                if index == MAX_LEAVES:
                    return
                self.arguments(item, str(name), depth + 1, prose=prose)
        elif isinstance(value, (list, tuple)):
            for item in value[:MAX_LEAVES]:
                self.arguments(item, key, depth + 1, prose=prose)
        elif value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if prose and len(text) > 200:
                return
            self.add(Surface.ARGUMENT, f"{key}={text.replace(' ', JOINED)}"[:512])
            if key.lower().endswith(vocabulary.TARGET_KEYS):
                self.target(text)


_METHODS = {
    **dict.fromkeys(("GET", "HEAD", "OPTIONS", "TRACE"), _READ),
    **dict.fromkeys(("POST", "PUT", "PATCH"), _WRITE),
    "DELETE": _DELETE,
}


def _rm(command: list[str]) -> str:
    """`rm` by what it deletes: `rm-scratch` for build output and what lies in a scratch folder, `rm-folder` for
    folders by their plain names below the current one, `rm` for everything else.
    """
    targets = [word.rstrip("/") for word in command[1:] if word[:1] not in ("-", ">", "<", "")]
    if not targets:
        return "rm"
    if all(_is_scratch(target) for target in targets):
        return "rm-scratch"
    return "rm-folder" if all(_is_scratch(target) or _is_plain(target) for target in targets) else "rm"


def _is_scratch(target: str) -> bool:
    return target.rsplit("/", 1)[-1] in vocabulary.SCRATCH or (target.startswith("/tmp/") and ".." not in target)  # noqa: S108


def _is_plain(target: str) -> bool:
    return target[0] not in "/~.$*" and ".." not in target and vocabulary.ASSETS.isdisjoint(deeds.split(target))


def _without_message(command: list[str]) -> list[str]:
    """A git command without the text of its message."""
    kept: list[str] = []
    skip = False
    for word in command:
        if skip:
            skip = False
            continue
        skip = word in ("-m", "--message", "-am", "-F")
        if not word.startswith("--message="):
            kept.append(word)
    return kept


def _decoded(body: Any) -> Any:
    if isinstance(body, str) and body[:1] in "{[":
        try:
            return web._decode(body)  # noqa: SLF001
        except (ValueError, RecursionError):
            return {}
    return body if isinstance(body, (Mapping, list)) else {}
