"""A call as lines for matching: one for each command, statement, request, path and plain argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from detector.lexicon import arguments, code, documents, places, request, shells, statements
from detector.lexicon.entries import Surface
from detector.lexicon.frames import Spent
from detector.lexicon.tables import USAGES
from detector.lexicon.usage import Usages

MAX_LINES = 1024
MAX_TARGETS = 8


class Lines:
    """The lines of one call, and what is known of it without matching."""

    __slots__ = ("does", "left", "lines", "nested", "signs", "spent", "targets", "usages", "whole", "within")

    def __init__(self, usages: Usages = USAGES) -> None:
        self.usages = usages
        self.lines: list[str] = []
        self.does = 0
        self.nested = 0
        """Levels of source in source."""
        self.spent = Spent()
        self.whole = True
        """Whether all of the call is here."""
        self.left = arguments.MAX_ALL
        """Arguments that are still read."""
        self.within = 0
        """Statements and documents in which the one at hand stands."""
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

    def found(self, does: int, signs: Iterable[str], targets: Iterable[str]) -> None:
        """What a part of the call does, is known for and names."""
        self.does |= does
        for sign in signs:
            self.signs[sign] = None
        for target in targets:
            self.target(target)

    def put(self, targets: Sequence[str], texts: Sequence[str]) -> None:
        """Targets and lines as they are."""
        for target in targets[: MAX_TARGETS - len(self.targets)]:
            self.targets[target] = None
        self.lines.extend(texts[: MAX_LINES - len(self.lines)])

    # --- surfaces -----------------------------------------------------------------------

    def shell(self, text: str) -> None:
        """A shell text: its commands, and what these run or send."""
        shells.read(self, places.without_builds(text))

    def code(self, text: str) -> None:
        """Source text that is run."""
        code.read(self, text)

    def sql(self, text: str) -> None:
        """SQL text."""
        statements.read(self, text)

    def request(self, asked: Mapping[str, Any]) -> None:
        """An HTTP request: `method`, `url`, `host`, `headers`, `body`."""
        request.read(self, asked)

    def graphql(self, document: str, variables: Mapping[str, Any] | None = None) -> None:
        """A GraphQL document."""
        documents.read(self, document, variables)

    def arguments(self, value: Any) -> None:
        """Plain arguments of no act."""
        arguments.read(self, value)
