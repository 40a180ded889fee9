"""GraphQL documents: the root fields of their operations, with their arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

MAX_CHARS = 4096
"""Of a document that are read."""

MAX_TOKENS = 1200
"""Of a document: about half a microsecond each."""

MAX_FIELDS = 8
MAX_DEPTH = 8
MAX_SPREADS = 4
MAX_ITEMS = 64
"""Of a list."""

_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)|"(?:[^"\\\n]|\\.)*(?:"|\Z)|\.\.\.|[{}()\[\]:!=|@$]|-?\d[\d.eE+-]*|[A-Za-z_]\w*|#[^\n]*'
)
_OPERATIONS = frozenset(("query", "mutation", "subscription"))


class Field(NamedTuple):
    """A root field of an operation."""

    operation: str
    """`query`, `mutation` or `subscription`."""
    name: str
    arguments: dict[str, Any]
    selected: frozenset[str] = frozenset()
    """Words of what is asked back; at most 64."""


def is_document(text: str) -> bool:
    """Whether a text is a GraphQL document, by its begin."""
    head = text.lstrip()[:24]
    while head.startswith("#"):
        text = text.lstrip().partition("\n")[2]
        head = text.lstrip()[:24]
    if head[:1] == "{":
        return head[1:].lstrip()[:1] not in ('"', "'", "}", "$", "")
    return head.startswith(("mutation", "query ", "query{", "query(", "subscription", "fragment ")) and "{" in text


def fields(text: str, variables: Mapping[str, Any] | None = None) -> list[Field]:
    """The root fields of all operations, at most 8; what stands in fragments is where they are spread."""
    return _Document(text, variables or {}).fields()


class _Document:
    """A document while it is read. What is broken ends where it breaks."""

    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._tokens = [piece for piece in _TOKEN.findall(text[:MAX_CHARS]) if piece[0] != "#"][:MAX_TOKENS]
        self._at = 0
        self._variables = variables
        self._fragments: dict[str, int] = {}

    def fields(self) -> list[Field]:
        """As the function of this name."""
        found: list[Field] = []
        starts: list[tuple[str, int]] = []
        while (piece := self._next()) is not None:
            if piece == "{":
                starts.append(("query", self._at))
                self._skip("{", "}")
            elif piece in _OPERATIONS or piece == "fragment":
                name = self._peek()
                self._to_brace()
                if piece == "fragment":
                    self._fragments[name] = self._at
                else:
                    starts.append((piece, self._at))
                self._skip("{", "}")
        for operation, start in starts:
            self._at = start
            self._selection(operation, found, 0)
        return found[:MAX_FIELDS]

    def _selection(self, operation: str, found: list[Field], spreads: int) -> None:
        """The fields from here to the closing brace."""
        while len(found) < MAX_FIELDS and (piece := self._next()) not in (None, "}"):
            if piece == "...":
                self._spread(operation, found, spreads)
            elif piece == "@":
                self._next()
                self._brackets("(", ")")
            elif piece and (piece[0].isalpha() or piece[0] == "_"):
                found.append(self._field(operation, piece))

    def _field(self, operation: str, name: str) -> Field:
        """The field that begins with a name, or with its alias."""
        if self._peek() == ":":
            self._next()
            name = self._next() or ""
        arguments: dict[str, Any] = {}
        if self._peek() == "(":
            self._next()
            arguments = self._arguments(")", 0)
        while self._peek() == "@":
            self._at += 2
            self._brackets("(", ")")
        begin = self._at
        self._brackets("{", "}")
        return Field(operation, name, arguments, frozenset(self._tokens[begin : min(self._at, begin + MAX_ITEMS)]))

    def _brackets(self, opens: str, closes: str) -> None:
        """Behind brackets, where they stand here."""
        if self._peek() == opens:
            self._next()
            self._skip(opens, closes)

    def _spread(self, operation: str, found: list[Field], spreads: int) -> None:
        name = self._peek()
        if name in ("on", "{", "@"):
            self._to_brace()
            self._selection(operation, found, spreads + 1)
            return
        self._next()
        start = self._fragments.get(name)
        if start is not None and spreads < MAX_SPREADS:
            back, self._at = self._at, start
            self._selection(operation, found, spreads + 1)
            self._at = back

    def _arguments(self, end: str, depth: int) -> dict[str, Any]:
        """Names and values up to the closing bracket."""
        found: dict[str, Any] = {}
        while (piece := self._next()) not in (None, end):
            if self._peek() == ":" and piece is not None:
                self._next()
                found[piece] = self._value(depth + 1)
        return found

    def _value(self, depth: int) -> Any:
        piece = self._next()
        if piece is None:
            return None
        if piece in "{[" and depth > MAX_DEPTH:
            self._skip(piece, "}" if piece == "{" else "]")
            return None
        if piece == "{":
            return self._arguments("}", depth)
        if piece == "[":
            items: list[Any] = []
            while self._peek() not in ("]", "") and len(items) < MAX_ITEMS:
                items.append(self._value(depth + 1))
            self._skip("[", "]")
            return items
        if piece == "$":
            return self._variables.get(self._next() or "")
        if piece[0] == '"':
            return piece.strip('"').replace('\\"', '"').replace("\\\\", "\\")
        return {"true": True, "false": False, "null": None}.get(piece, _number(piece))

    def _next(self) -> str | None:
        if self._at >= len(self._tokens):
            return None
        self._at += 1
        return str(self._tokens[self._at - 1])

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _to_brace(self) -> None:
        """Behind the next opening brace outside of brackets."""
        while (piece := self._next()) not in (None, "{"):
            if piece == "(":
                self._skip("(", ")")

    def _skip(self, opens: str, closes: str) -> None:
        """Behind the bracket that closes the one before."""
        depth = 1
        while depth and (piece := self._next()) is not None:
            depth += (piece == opens) - (piece == closes)


def _number(piece: str) -> Any:
    if piece[0] in "-0123456789":
        try:
            return float(piece) if "." in piece or "e" in piece.lower() else int(piece[:18])
        except ValueError:
            return piece
    return piece
