"""How programs are called, and the small language in which the tables say which calls are meant.

    aws rds delete-db-instance|delete-db-cluster --skip-final-snapshot
    git push -f|--force
    docker run -v|--volume=/:*
    gcloud sql instances delete !--async

The program, then words that must follow in this order (others may stand between them), then flags
in any order. `|` separates alternatives, `*` stands for anything, `^word` stands right behind the
program, `--flag=glob` is a flag with such a value, `!` one that must be missing. `--many` is there
where a listing gives the operands (xargs, a loop, a substitution). Programs, words, long flags and
values count in any case, flags of one letter as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from detector.lexicon.cmdline import Called
from detector.records import Does

NEAR = 3
"""Places from the program at which a usage's first word may stand: some values of flags pass for words."""


_NOTHING = Does(0)
_Step = tuple[frozenset[str], tuple[re.Pattern[str], ...]]


class Pattern(NamedTuple):
    """A usage, compiled."""

    programs: tuple[str, ...]
    words: tuple[_Step, ...]
    first: bool
    """Whether the first word stands right behind the program."""
    without: tuple[_Step, ...]
    flags: tuple[tuple[frozenset[str], tuple[re.Pattern[str], ...], bool], ...]
    """(names, values, whether it must be there)."""

    def matches(self, called: Called) -> bool:
        """Whether a command is called so. Its program is not looked at."""
        present = called.flags
        for names, values, wanted in self.flags:
            if names.isdisjoint(present):
                found = False
            else:
                found = not values or any(_any(values, present[name]) for name in names & present.keys())
            if found is not wanted:
                return False
        at, path = 0, called.path
        for nth, (literals, globs) in enumerate(self.words):
            while at < len(path) and not (path[at] in literals or (globs and _any(globs, path[at]))):
                at += 1
            if at == len(path) or (not nth and at >= (1 if self.first else NEAR)):
                return False
            at += 1
        if not self.without:
            return True
        return not any(word in literals or _any(globs, word) for literals, globs in self.without for word in path)

    @property
    def keys(self) -> tuple[str, ...]:
        """Words or flags (with a dash) of which one is in every call that matches; an empty one where none must be."""
        for literals, globs in self.words[:1]:
            if not globs:
                return tuple(literals)
        for names, _, wanted in self.flags:
            if wanted:
                return tuple(f"-{name}" for name in names)
        return ("",)


def _any(globs: tuple[re.Pattern[str], ...], text: str) -> bool:
    return any(glob.match(text) for glob in globs)


@lru_cache(maxsize=4096)
def compiled(usage: str) -> Pattern:
    """A usage compiled. Raises ValueError that says what is wrong with it."""
    programs, *rest = usage.split() or [""]
    if not programs or programs.startswith(("-", "!")):
        raise ValueError(f"expected a program first in {usage!r}")
    words: list[_Step] = []
    without: list[_Step] = []
    flags: list[tuple[frozenset[str], tuple[re.Pattern[str], ...], bool]] = []
    first = False
    for part in rest:
        wanted = not part.startswith("!")
        plain = part.lstrip("!")
        if plain.startswith("^") and wanted and not words:
            plain, first = plain[1:], True
        if not plain or "||" in plain or plain.endswith("|"):
            raise ValueError(f"expected a word or a flag in {usage!r}, came {part!r}")
        if plain.startswith("-"):
            names, equals, values = plain.partition("=")
            globs = tuple(_glob(value) for value in values.split("|")) if equals else ()
            flags.append((frozenset(_name(name) for name in names.split("|")), globs, wanted))
        else:
            (words if wanted else without).append(_step(plain))
    return Pattern(tuple(programs.lower().split("|")), tuple(words), first, tuple(without), tuple(flags))


def _name(flag: str) -> str:
    plain = flag.lstrip("-")
    return plain if len(plain) == 1 else plain.lower()


def _step(part: str) -> _Step:
    alternatives = part.lower().split("|")
    return (
        frozenset(word for word in alternatives if not _is_glob(word)),
        tuple(_glob(word) for word in alternatives if _is_glob(word)),
    )


def _is_glob(word: str) -> bool:
    return "*" in word or "?" in word


def _glob(text: str) -> re.Pattern[str]:
    return re.compile(translate(text), re.IGNORECASE)


# --- entries ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Usage:
    """One way to call a program that is worth knowing. Several may share a name, and then its words."""

    name: str
    usage: str
    does: Does
    words: str
    """For people: what the call does, as a verb in the third person."""
    fires: str
    """A command that it matches."""
    quiet: str
    """A command near to it that it must not match."""
    without: Does = _NOTHING
    """What such a call does not do, whatever its verb and noun say."""

    @property
    def sign(self) -> str:
        """The name that an action carries."""
        return f"cli.{self.name}"


ANY = "*"
"""In place of a program: any program whose subcommands are read."""


class Hit(NamedTuple):
    """What a matching usage says, in plain integers: an enum's `|` takes a microsecond."""

    sign: str
    does: int
    without: int


class Usages:
    """Usages by program and by a word that they need."""

    def __init__(self, entries: Iterable[Usage]) -> None:
        self._by: dict[str, dict[str, list[tuple[Pattern, Hit]]]] = {}
        for entry in entries:
            pattern = compiled(entry.usage)
            for program in pattern.programs:
                by = self._by.setdefault(program, {})
                for key in pattern.keys:
                    by.setdefault(key, []).append((pattern, Hit(entry.sign, int(entry.does), int(entry.without))))
        self.programs = frozenset(self._by)
        self._literals = {
            program: None if "" in by else (frozenset(by), any(key[0] == "-" for key in by))
            for program, by in self._by.items()
        }

    def might(self, program: str, words: list[str]) -> bool:
        """Whether a usage of the program may match: a quick look, before its words are told apart."""
        if program not in self.programs:
            return False
        literals = self._literals[program]
        if literals is None:
            return True
        found = [word.lower() for word in words[1:]]
        return not literals[0].isdisjoint(found) or (literals[1] and any(word[:1] == "-" for word in found))

    def find(self, called: Called, *, anyway: bool) -> list[Hit]:
        """The usages that a command matches. `anyway`: those of any program too."""
        found: list[Hit] = []
        keys = ["", *called.path[:NEAR], *["-" + flag for flag in called.flags]]
        for program in (called.program, ANY) if anyway else (called.program,):
            by = self._by.get(program)
            if by is None:
                continue
            for key in keys:
                if key in by:
                    found += [hit for pattern, hit in by[key] if pattern.matches(called)]
        return found


def uses(name: str, does: Does, words: str, *rows: tuple[str, str, str], without: Does = _NOTHING) -> tuple[Usage, ...]:
    """Usages that mean the same. A row: the usage, a command that it matches, a near one that it doesn't."""
    return tuple(Usage(name, usage, does, words, fires, quiet, without) for usage, fires, quiet in rows)
