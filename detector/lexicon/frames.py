"""Where a shell text is while it is read: its nesting, its folder, and how much may still be read."""

from __future__ import annotations

from typing import NamedTuple

from detector.lexicon.piped import Command

MAX_WORD = 8192
"""Characters of one word, with what variables put into it."""


class Context(NamedTuple):
    """Where a text is run."""

    depth: int
    cwd: str
    many: bool = False


class Frame:
    """A level of nesting while it is read: the text itself, a subshell or a substitution."""

    __slots__ = ("before", "cwd", "kind", "last", "quoted", "stdin", "word", "words")

    def __init__(self, kind: str, cwd: str) -> None:
        self.kind, self.cwd = kind, cwd
        self.words: list[str] = []
        self.word: str | None = None
        self.quoted = False
        self.stdin: str | None = None
        self.before: Command | None = None
        """The command whose output the next one reads."""
        self.last: Command | None = None

    def add(self, text: str) -> None:
        """Text of the word at hand."""
        self.word = text if self.word is None else self.word + text

    def end_word(self) -> None:
        """The word at hand is done."""
        if self.word is not None:
            self.words.append(self.word)
            self.word = None

    def expand(self, value: str) -> None:
        """A value in place of a variable; outside of quotes its blanks separate words."""
        if self.word is not None and len(self.word) > MAX_WORD:
            return
        if self.quoted or not (" " in value or "\n" in value):
            self.add(value)
            return
        if value[:1].isspace():
            self.end_word()
        for nth, part in enumerate(value.split()):
            if nth:
                self.end_word()
            self.add(part)
        if value[-1:].isspace():
            self.end_word()


class Spent:
    """How much of one call's shell texts was read: they share what may be."""

    __slots__ = ("commands", "pieces")

    def __init__(self) -> None:
        self.commands = self.pieces = 0
