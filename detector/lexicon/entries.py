"""What an entry of the lexicon is, and the set that matches all of them in one pass.

A call is first written as lines, one for each thing that it does, each begun by the surface it
is on (`sh: rm -rf /data`, `http: DELETE api.example.com /v1/volumes`). An entry's pattern is
matched from the begin of such a line, so that what stands in one place is never taken for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import re2

from detector.records import Does, Environment


class Surface(StrEnum):
    """Where a line of a call stands; the value is its tag."""

    SHELL = "sh"
    """A simple command: its words, quotes removed; a blank inside a word is JOINED."""
    SAYING = "say"
    """A simple command whose words name no place: grep's pattern, echo's text, npm's mode."""
    SET = "set"
    """A variable set for a command."""
    CODE = "code"
    SQL = "sql"
    HTTP = "http"
    """Method, host, path."""
    HEADER = "head"
    GRAPHQL = "gql"
    PATH = "path"
    """A path argument of a tool that reads it."""
    SEEK = "seek"
    """What a search tool looks for."""
    ARGUMENT = "arg"
    TOOL = "tool"
    CLI = "cli"
    """Subcommand words of a tool that manages resources."""


JOINED = "\x1f"
"""Stands for a blank inside a shell word."""

IN_WORDS = {
    Surface.SHELL: "shell",
    Surface.SAYING: "shell",
    Surface.SET: "shell",
    Surface.CODE: "code",
    Surface.SQL: "sql",
    Surface.HTTP: "http",
    Surface.HEADER: "http",
    Surface.GRAPHQL: "graphql",
    Surface.PATH: "file",
    Surface.SEEK: "search",
    Surface.ARGUMENT: "argument",
    Surface.TOOL: "tool",
    Surface.CLI: "cli",
}
"""The part of a sign before its dot."""


@dataclass(frozen=True)
class Entry:
    """One thing worth knowing of a call. The sign is `surface.name`, e.g. `shell.rm-recursive`."""

    name: str
    surface: Surface
    pattern: str
    """RE2, case ignored, matched from the begin of the line after its tag. `.` stops at its end."""
    does: Does
    words: str
    """For people: what the call does, as a verb in the third person."""
    fires: str
    """A line that it matches, without the tag."""
    quiet: str
    """A line near to it that it must not match."""

    @property
    def sign(self) -> str:
        """The name that an action carries."""
        return f"{IN_WORDS[self.surface]}.{self.name}"


@dataclass(frozen=True)
class Place:
    """A pattern that tells where a call acts."""

    environment: Environment
    pattern: str
    """RE2, case ignored, in any line of `surfaces`."""
    fires: tuple[str, ...]
    quiet: tuple[str, ...]
    surfaces: tuple[Surface, ...] = (
        Surface.SHELL,
        Surface.SET,
        Surface.SQL,
        Surface.HTTP,
        Surface.GRAPHQL,
        Surface.PATH,
        Surface.ARGUMENT,
        Surface.CLI,
    )


class PatternSet:
    """Many patterns in one linear pass over bytes."""

    def __init__(self, patterns: Iterable[str]) -> None:
        options = re2.Options()
        # Bytes, so that no text is refused; UTF-8 outside of ASCII is matched byte by byte.
        options.encoding = re2.Options.Encoding.LATIN1
        options.case_sensitive = False
        options.max_mem = 64 << 20
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern.encode())
        self._set.Compile()
        self.match = self._set.Match
        """Indices of the patterns that match anywhere in the bytes; None where none does."""


def line_pattern(surfaces: Sequence[Surface], pattern: str, *, anywhere: bool = False) -> str:
    """The pattern for the lines of `surfaces`."""
    tags = "|".join(surfaces)
    # Anywhere: the blank behind the tag is left to the pattern, which may ask for one before a word.
    return f"(?m:^(?:{tags}):{'.*' if anywhere else ' '}(?:{pattern}))"
