"""What a command runs: a shell's text, another command, a file that the script wrote before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from detector.lexicon import piped, wrapped
from detector.lexicon.frames import Context, Frame
from detector.lexicon.piped import OPAQUE, Command

if TYPE_CHECKING:
    from detector.lexicon.script import Script

_ENCODED = frozenset(("-e", "-ec", "-enc", "-encodedcommand"))
_EXECUTING = frozenset(("-exec", "-execdir", "-ok", "-okdir"))
_LATER = frozenset(("at", "batch"))
"""Shells that take a time and no file."""


def follow(script: Script, command: Command, context: Context) -> None:
    """Reads what a command runs. `context`: where that is run."""
    head = command.words[0]
    follower = _FOLLOWERS.get(head)
    if follower is not None:
        follower(script, command, context)
    elif script.files:
        written = next((path for path in script.files if path.rsplit("/", 1)[-1] == head), "")
        if written:
            _text(script, script.files[written], context)


def _text(script: Script, text: str, context: Context) -> None:
    if OPAQUE in text:
        script.whole = False
    script.parse(text, script, context)


def _inner(script: Script, words: list[str], command: Command, context: Context) -> Command | None:
    """A command in the words of another."""
    frame = Frame("", context.cwd)
    frame.words, frame.stdin = words, command.stdin
    script.end(frame, "", context)
    if frame.last is not None and command.source is not None:
        frame.last.source = command.source
    return frame.last


def _shell(script: Script, command: Command, context: Context) -> None:
    """`sh -c TEXT`, `sh FILE` and what is piped into a shell."""
    words = command.words
    flag = next((n for n, word in enumerate(words) if n and word[:1] == "-" and word[1:2] != "-" and "c" in word), 0)
    if flag and flag + 1 < len(words):
        _text(script, words[flag + 1], context)
        return
    file = "" if words[0] in _LATER else next((word for word in words[1:] if word[:1] not in "-><"), "")
    text = script.files.get(file) if file else command.stdin
    if text is OPAQUE or command.decoded > 1:
        script.whole = False
    elif text:
        _text(script, text, context)


def _first(script: Script, command: Command, context: Context) -> None:
    """`trap TEXT SIGNAL`."""
    _text(script, "".join(command.words[1:2]), context)


def _all(script: Script, command: Command, context: Context) -> None:
    """`eval WORDS`."""
    _text(script, " ".join(command.words[1:]), context)


def _powershell(script: Script, command: Command, context: Context) -> None:
    words = command.words
    for nth, word in enumerate(words[1:-1], 1):
        flag = word.lower()
        if flag in _ENCODED:
            text = piped.plain(words[nth + 1])
            if text is None:
                script.whole = False
            else:
                _text(script, text.replace("\\", "\\\\"), context)
            return
        if flag in ("-c", "-command"):
            _text(script, " ".join(words[nth + 1 :]), context)
            return
    bare = next((n for n, word in enumerate(words) if n and word[:1] != "-"), 0)
    if (
        bare
        and not words[bare].lower().endswith(".ps1")
        and words[bare - 1].lower() not in ("-file", "-executionpolicy")
    ):
        _text(script, " ".join(words[bare:]), context)


def _find(script: Script, command: Command, context: Context) -> None:
    """What find runs for each file."""
    words = command.words
    for nth, word in enumerate(words):
        if word in _EXECUTING:
            rest = words[nth + 1 :]
            end = next((n for n, part in enumerate(rest) if part in (";", "+")), len(rest))
            inner = _inner(script, rest[:end], command, context._replace(many=True))
            if inner is not None:
                inner.source = command


def _runner(script: Script, command: Command, context: Context) -> None:
    """ssh, docker exec, kubectl exec and their like."""
    commands, texts = wrapped.inner(command.words)
    away = context._replace(cwd="")
    for text in texts:
        _text(script, text, away)
    for words in commands:
        _inner(script, words, command, away)


_FOLLOWERS: dict[str, Callable[[Script, Command, Context], None]] = {
    **dict.fromkeys(wrapped.RUNNERS, _runner),
    **dict.fromkeys((*wrapped.SHELLS, *_LATER, ".", "source"), _shell),
    **dict.fromkeys(("powershell", "pwsh"), _powershell),
    "trap": _first,
    "eval": _all,
    "find": _find,
}
