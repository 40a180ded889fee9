"""A command's words by what they are: subcommands and operands, flags and their values."""

from __future__ import annotations

from typing import NamedTuple

MAX_WORDS = 96
"""Words of a command that are read as flags and operands."""

MAX_CHARS = 1024
"""Of a word or a value that are matched."""

OUTPUTS = frozenset((">", ">>", "&>", "&>>", ">|", "1>", "2>", "1>>", "2>>"))
INPUTS = frozenset(("<", "<<<"))


class Syntax(NamedTuple):
    """How a program's command line is split."""

    values: frozenset[str] = frozenset()
    """Flags that take the next word, without dashes."""
    switches: frozenset[str] | None = None
    """Where given: long flags take the next word unless they stand here or begin with `no-`."""
    one_dash: bool = False
    """A flag of several letters has one dash (terraform, find)."""


class Called(NamedTuple):
    """A command line, split."""

    program: str
    words: list[str]
    """Subcommands and operands, as written."""
    path: list[str]
    """The same in lower case."""
    flags: dict[str, str]
    """Value by flag, without dashes; empty where it has none. Several values are joined by a blank."""
    places: list[int]
    """Where in the command each of `words` stands."""


PLAIN = Syntax()


def split(command: list[str], syntax: Syntax = PLAIN, limit: int = MAX_WORDS, program: str = "") -> Called:
    """A command's words by what they are.

    `limit`: of operands; what stands behind them is left. `program`: its usual name.
    """
    words: list[str] = []
    places: list[int] = []
    flags: dict[str, str] = {}
    end = min(len(command), MAX_WORDS)
    index, plain = 1, False
    while index < end and len(words) < limit:
        word = command[index]
        index += 1
        if word in OUTPUTS or word in INPUTS:
            index += 1
        elif plain or word[:1] != "-" or word == "-":
            words.append(word)
            places.append(index - 1)
        elif word == "--":
            plain = True
        else:
            index = _flag(word, command, index, flags, syntax)
    return Called(program or command[0], words, [word[:MAX_CHARS].lower() for word in words], flags, places)


def _flag(word: str, command: list[str], index: int, flags: dict[str, str], syntax: Syntax) -> int:
    """Reads one flag and, where it takes one, its value. Where to go on."""
    name, equals, value = word.partition("=")
    long = name[:2] == "--" or (syntax.one_dash and len(name) > 2)
    if long:
        name = name.lstrip("-").lower()
        if not equals and _takes(name, syntax) and _is_value(command, index):
            value, index = command[index], index + 1
        _put(flags, name, value)
        return index
    letters = name[1:]
    if letters[0] in syntax.values and len(letters) > 1:
        _put(flags, letters[0], letters[1:] + equals + value)
        return index
    for letter in letters[:-1]:
        _put(flags, letter, "")
    if not equals and letters[-1] in syntax.values and _is_value(command, index):
        value, index = command[index], index + 1
    _put(flags, letters[-1], value)
    return index


def _takes(name: str, syntax: Syntax) -> bool:
    if syntax.switches is None:
        return name in syntax.values
    return name not in syntax.switches and not name.startswith("no-")


def _is_value(command: list[str], index: int) -> bool:
    return index < len(command) and (command[index][:1] != "-" or command[index][1:2] in "0123456789")


def _put(flags: dict[str, str], name: str, value: str) -> None:
    before = flags.get(name)
    flags[name] = f"{before} {value}"[:MAX_CHARS] if before else value[:MAX_CHARS]
