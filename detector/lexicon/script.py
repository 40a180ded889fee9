"""What a shell text runs, while it is read: its commands, variables, folders, and files that it writes itself."""

from __future__ import annotations

import re
from collections.abc import Callable

from detector.lexicon import follow, piped, wrapped
from detector.lexicon.cmdline import OUTPUTS
from detector.lexicon.frames import Context, Frame, Spent
from detector.lexicon.piped import MANY, Command

MAX_COMMANDS = 48
"""Simple commands of one call that are read."""

MAX_WORDS = 128
"""Words of one command that are read."""

MAX_WRAPPERS = 12
"""Programs and assignments before a command that are passed over."""

MAX_NESTED = 4
"""Levels of `sh -c`, pipes into a shell and the like that are followed."""

MAX_VALUE = 512
"""Characters of a variable's value that are kept."""

MAX_FILES = 16
"""Files written by the script whose text is kept."""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_SETTING = frozenset("export declare typeset local readonly set".split())
_REMEMBERED = _SETTING | frozenset("cd pushd alias for select read mapfile readarray".split())
_ALONE = frozenset(("env", "sudo", "time", "exec"))
"""Wrappers that do something by themselves."""


class Script:
    """What a shell text runs."""

    __slots__ = ("aliases", "commands", "files", "known", "parse", "spent", "variables", "whole", "wrappers")

    def __init__(self, parse: Callable[[str, Script, Context], None], spent: Spent) -> None:
        self.parse = parse
        self.spent = spent
        self.commands: list[Command] = []
        self.variables: list[str] = []
        """`NAME=value` set for a command or for the shell."""
        self.wrappers: set[str] = set()
        """Programs that run others: sudo, xargs, timeout."""
        self.whole = True
        """Whether all of it is here; not so where it is too long, or runs what is encoded twice."""
        self.known: dict[str, str] = {}
        """Values of variables."""
        self.aliases: dict[str, list[str]] = {}
        self.files: dict[str, str] = {}
        """Texts that the script itself writes, by path."""

    def end(self, frame: Frame, sign: str, context: Context) -> None:
        """What stands before `sign` is a command."""
        frame.end_word()
        words, stdin, before = frame.words, frame.stdin, frame.before
        frame.before = None
        if not words:
            return
        frame.words, frame.stdin = [], None
        if len(words) > MAX_WORDS:
            self.whole = False
            words = words[:MAX_WORDS]
        if stdin is None and "<<<" in words:
            at = words.index("<<<")
            stdin = "".join(words[at + 1 : at + 2])
            words = words[:at] + words[at + 2 :]
        command = self._command(words, frame, context)
        if command is None:
            return
        frame.last = command
        if sign in ("|", "|&"):
            frame.before = command
        if stdin is not None or before is not None:
            self._feed(command, stdin, before)
        if ">" in words or ">>" in words or words[0] == "tee":
            self._write(command)
        if context.depth < MAX_NESTED:
            follow.follow(self, command, Context(context.depth + 1, frame.cwd, command.many))

    def _feed(self, command: Command, stdin: str | None, before: Command | None) -> None:
        """What a command reads."""
        command.source = before
        command.stdin = stdin if before is None else piped.output(before, self.files)
        if before is not None:
            before.sink = command
            command.decoded = before.decoded + (before.words[0] == "base64")

    def _command(self, words: list[str], frame: Frame, context: Context) -> Command | None:
        """One simple command, freed from what runs it."""
        command = Command(words, frame.cwd, many=context.many)
        start = self._unwrapped(words, command)
        if start:
            words = words[start:]
        if not words or not words[0] or (words[0] in _REMEMBERED and self._remember(words, frame)):
            return None
        if self.spent.commands >= MAX_COMMANDS:
            self.whole = False
            return None
        self.spent.commands += 1
        if self.aliases and words[0] in self.aliases:
            words = self.aliases[words[0]] + words[1:]
        head = words[0]
        if not (head.isalnum() and head.islower()):
            head = words[0] = _program(head)
        command.words = wrapped.carried(words) if head in wrapped.INTERPRETERS else words
        self.commands.append(command)
        return command

    def _unwrapped(self, words: list[str], command: Command) -> int:
        """Where the command itself begins, behind assignments and programs that only run it."""
        start = 0
        for _ in range(MAX_WRAPPERS):
            if start >= len(words):
                return start
            head = words[start]
            if "=" in head and _ASSIGNMENT.match(head):
                self._set(head)
                start += 1
                continue
            name = (head if "/" not in head else head.rsplit("/", 1)[-1]).lower()
            if name not in wrapped.LEADING:
                return start
            behind = wrapped.skip(words, start) if name in wrapped.RUNS else start + 1
            if behind == start or (behind >= len(words) and name in _ALONE):
                return start
            self.wrappers.add(name)
            command.many |= name in wrapped.MANY
            command.quiet |= name in wrapped.QUIET
            start = behind
        self.whole = False
        return start

    def _remember(self, words: list[str], frame: Frame) -> bool:
        """Keeps what a command changes of the shell. Whether there is nothing else to it."""
        head = words[0]
        if head in ("cd", "pushd") and len(words) > 1:
            frame.cwd = joined(frame.cwd, next((word for word in words[1:] if word[:1] != "-"), ""))
        elif head in _SETTING:
            for word in words[1:]:
                if "=" in word and _ASSIGNMENT.match(word):
                    self._set(word)
        elif head == "alias":
            for word in words[1:]:
                name, _, value = word.partition("=")
                if value:
                    self.aliases[name] = value.split()[:8]
        elif head in ("for", "select") and words[2:3] == ["in"]:
            self.known[words[1]] = " ".join(words[3:])[:MAX_VALUE]
            return True
        elif head in ("read", "mapfile", "readarray"):
            self.known[words[-1]] = MANY
        return False

    def _set(self, assignment: str) -> None:
        self.variables.append(assignment)
        name, _, value = assignment.partition("=")
        self.known[name.rstrip("+")] = value[:MAX_VALUE]

    def _write(self, command: Command) -> None:
        """Remembers a text that a command writes into a file."""
        words = command.words
        at = next((n for n, word in enumerate(words) if word in OUTPUTS), -1)
        path = words[at + 1] if 0 <= at < len(words) - 1 else words[-1] if words[0] == "tee" else ""
        text = piped.output(command, self.files) if path else None
        if text and len(self.files) < MAX_FILES:
            self.files[path] = text


def joined(cwd: str, target: str) -> str:
    """A path as seen from a folder."""
    if not target or target == "-":
        return ""
    if target[0] in "/~$" or target[1:2] == ":" or not cwd:
        return target
    return f"{cwd.rstrip('/')}/{target.removeprefix('./')}" if target != "." else cwd


def _program(head: str) -> str:
    """A program's name, without its folder and in lower case."""
    name = head.rsplit("/", 1)[-1] or head
    if "\\" in name:
        name = name.rsplit("\\", 1)[-1] or name
    return name.lower().removesuffix(".exe")
