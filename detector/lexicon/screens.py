"""Programs that are known by what they are given: what is removed, copied onto, searched or committed."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from detector.lexicon import files, vocabulary
from detector.lexicon.cmdline import OUTPUTS
from detector.lexicon.entries import Surface
from detector.lexicon.piped import Command
from detector.records import Does

if TYPE_CHECKING:
    from detector.lexicon.lines import Lines

_EXECUTE, _READ, _WRITE, _DELETE, _SEND = map(int, (Does.EXECUTE, Does.READ, Does.WRITE, Does.DELETE, Does.SEND))
_BACKUP, _BROAD, _AUDIT, _SAFEGUARD = map(int, (Does.BACKUP, Does.BROAD, Does.AUDIT, Does.SAFEGUARD))
_IRREVERSIBLE = int(Does.IRREVERSIBLE)
LOST = _DELETE | _IRREVERSIBLE
"""What writing over a file that can't be made again does."""

_NOWHERE = frozenset(("/dev/null", "/dev/stdout", "/dev/stderr", "nul", "$null"))
_EMPTY = frozenset((">", ":", "true", "echo", "printf"))
"""Heads of commands that leave a file empty, or all but empty."""
_KEEPING = frozenset(("-n", "--no-clobber", "-b"))
_SENT = frozenset("tar cat zip pg_dump mysqldump mongodump dd gzip cpio pg_dumpall bsdtar".split())
_ENCRYPTED = (".enc", ".gpg", ".aes", ".locked", ".crypt")
_RECURSIVE = frozenset(("/s", "-recurse", "-r", "--recursive"))
_BY_RECURSION = frozenset("rm remove-item ri del erase rd".split())
_HOST = re.compile(r"^host=(\S+)", re.MULTILINE)
_MESSAGES = frozenset(("-m", "--message", "-am", "-F"))


class Screened(NamedTuple):
    """The words that a command's line goes by, and what it does."""

    words: list[str]
    does: int


def screen(lines: Lines, command: Command, does: int) -> Screened:
    """What a command does by what it is given. `does`: what its name says."""
    screener = _SCREENERS.get(command.words[0])
    return screener(lines, command, does) if screener else Screened(command.words, does)


def redirected(lines: Lines, words: list[str], does: int) -> int:
    """What is written into a file besides."""
    for sign, target in pairwise(words):
        if sign in OUTPUTS and target.lower() not in _NOWHERE:
            lines.target(target)
            emptied = words[0] in _EMPTY or "/dev/null" in words[1:-1] or target.startswith("/dev/")
            return does | _WRITE | (LOST if emptied and files.is_state(target) and sign == ">" else 0)
    return does


def _git(lines: Lines, command: Command, does: int) -> Screened:
    del does
    words = command.words
    for host in _HOST.findall(command.stdin or "")[:2]:
        lines.target(host)
    verb = next((word for word in words[1:] if not word.startswith("-")), "")
    kept = _without_message(words) if verb in ("commit", "tag") else words
    return Screened(kept, vocabulary.GIT.get(verb, _EXECUTE))


def _without_message(words: list[str]) -> list[str]:
    """A git command without the text of its message."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
            continue
        skip = word in _MESSAGES
        if not word.startswith("--message="):
            kept.append(word)
    return kept


def _copying(lines: Lines, command: Command, does: int) -> Screened:
    """What is copied, moved or written onto a file that can't be made again destroys that."""
    words = command.words
    named = [
        word.removeprefix("of=") for word in files.operands(command) if not word.startswith(("if=", "bs=", "count="))
    ]
    for target in named[-1:]:
        lines.add(Surface.ARGUMENT, f"path={target}")
        lines.target(target)
        replaced = len(named) == 2 and named[0] in [target + end for end in _ENCRYPTED]
        if (replaced or files.is_state(target)) and not any(
            word in _KEEPING or word[:8] == "--backup" for word in words
        ):
            does |= LOST
    # The last word is where it goes: nothing there is opened.
    return Screened([f"{words[0]}-from", *words[1:-1]] if len(words) > 2 else words, does | _WRITE)


def _removing(lines: Lines, command: Command, does: int) -> Screened:
    """A removal of files, by what they are."""
    words = command.words
    named = [word for word in files.operands(command) if word[:1] != "/" or len(word) > 2]
    for target in named[:8]:
        lines.target(target.removesuffix("/*") or target)
    if files.keeps(named) and words[0] != "rmdir":
        does |= _IRREVERSIBLE
    if files.holds_backups(named):
        does |= _BACKUP
    if files.is_log(named):
        does |= _AUDIT
        lines.signs["cli.erase-history"] = None
    if files.is_check(named):
        does |= _SAFEGUARD
        lines.signs["cli.skip-checks"] = None
    kind = files.removal(command)
    wide = any(word.lower() in _RECURSIVE for word in words[1:])
    if wide or words[0] in _BY_RECURSION:
        return Screened([kind, *(["-r"] if wide else ()), *words[1:]], does)
    return Screened(words, does | (LOST | _BROAD if kind == "rm-many" else 0))


def _truncating(lines: Lines, command: Command, does: int) -> Screened:
    """`truncate -s 0`: what is emptied is gone as if it were removed."""
    named = files.operands(command)
    for target in named:
        lines.target(target)
    emptied = any(word in ("0", "-s0", "--size=0") for word in command.words)
    lasting = emptied and any(files.worth(path, command.cwd) == files.LASTING for path in named if path != "0")
    return Screened(command.words, does | (LOST if lasting else 0))


def _finding(lines: Lines, command: Command, does: int) -> Screened:
    words = command.words
    for root in files.operands(command)[:1]:
        lines.target(root)
    if "-delete" in words and files.holds_backups(words[1:2]):
        does |= _BACKUP
    return Screened([files.search(command), *words[1:]], does)


def _environment(lines: Lines, command: Command, does: int) -> Screened:
    """The environment that is only searched or counted isn't shown."""
    del lines
    words = command.words
    searched = command.sink is not None and command.sink.words[0] in (*vocabulary.SEARCHERS, "wc")
    return Screened(["env-searched", *words[1:]] if searched else words, does)


def _editing(lines: Lines, command: Command, does: int) -> Screened:
    """Only `-i` makes sed write."""
    del lines
    writes = any(word.startswith(("-i", "--in-place")) for word in command.words)
    return Screened(command.words, does if writes else _READ | (does & _WRITE if ">" in command.words else 0))


def _filtering(lines: Lines, command: Command, does: int) -> Screened:
    """Filters of perl and ruby: `perl -ne 'print if /a/' file`."""
    del lines
    flags = [word for word in command.words[1:] if word[:1] == "-"]
    only_reads = any(flag[-1:] in "ne" and "n" in flag and "i" not in flag for flag in flags)
    return Screened(command.words, _READ if only_reads else does)


def _searching(lines: Lines, command: Command, does: int) -> Screened:
    """A search in files of code looks for code."""
    del lines
    words = command.words
    in_code = any(word.endswith(vocabulary.CODE_FILES) or word.startswith(vocabulary.CODE_STARTS) for word in words[1:])
    return Screened(["grep-code", *words[1:]] if in_code else words, does)


def _scheduling(lines: Lines, command: Command, does: int) -> Screened:
    """`crontab -l | grep -v backup | crontab -`: what a filter leaves out is scheduled no more."""
    source = command.source.words if command.source is not None else []
    if not (source[:1] == ["grep"] and any(word[:1] == "-" and "v" in word for word in source)):
        return Screened(command.words, does)
    kept_out = any("backup" in word or "snapshot" in word for word in source)
    lines.signs["cli.delete-schedule"] = None
    return Screened(command.words, _WRITE | _DELETE | (_BACKUP | _SAFEGUARD if kept_out else 0))


def _to_host(lines: Lines, command: Command, does: int) -> Screened:
    """What is piped to another host leaves this one."""
    del lines
    source = command.source.words[0] if command.source is not None else ""
    sent = _SEND | (_BROAD if source == "tar" else 0) if source in _SENT else 0
    return Screened(command.words, does | sent)


def _from_host(lines: Lines, command: Command, does: int) -> Screened:
    del lines
    words = command.words
    return Screened(words, _READ | _WRITE if len(words) > 2 and ":" in words[-2] and ":" not in words[-1] else does)


_SCREENERS: dict[str, Callable[[Lines, Command, int], Screened]] = {
    "git": _git,
    "find": _finding,
    "sed": _editing,
    "ssh": _to_host,
    "crontab": _scheduling,
    "truncate": _truncating,
    "scp": _from_host,
    **dict.fromkeys(("env", "printenv"), _environment),
    **dict.fromkeys(("perl", "ruby"), _filtering),
    **dict.fromkeys(("cp", "mv", "install", "tee", "dd", "copy", "move"), _copying),
    **dict.fromkeys("rm unlink rmdir del erase rd remove-item ri shred".split(), _removing),
    **dict.fromkeys(vocabulary.SEARCHERS, _searching),
}
SCREENED = frozenset(_SCREENERS)
"""Programs that are looked at so."""
