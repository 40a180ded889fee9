"""Shell text to simple commands. One linear pass; it never runs or expands anything.

Enough of POSIX sh for matching: quotes, escapes, comments, pipelines, lists, substitutions,
here-documents, and the wrappers that run another command (sudo, env, xargs, `sh -c`, ssh).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from detector.lexicon.entries import JOINED

MAX_COMMANDS = 512
"""Simple commands of one text that are read."""

MAX_WORDS = 128
"""Words of one command."""

MAX_NESTED = 3
"""Levels of `sh -c`, substitution and here-document that are followed."""

_PIECE = re.compile(
    r"""(?P<plain>[^\s;&|()`'"\\$\#<>][^\s;&|()`'"\\$<>]*)
    |(?P<blank>[ \t\r]+|\\\n)
    |(?P<copied>\d*>&[\d-])
    |(?P<redirect>&>>?|<<<|\d?>>?|<)
    |(?P<end>\n|&&|\|\||\|&|[;&|()])
    |(?P<substitution>\$\(|`)
    |'(?P<single>[^']*)(?:'|\Z)
    |"(?P<double>[^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)
    |\\(?P<escaped>.)
    |(?P<comment>\#[^\n]*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_HEREDOC = re.compile(r"<<-?[ \t]*(['\"]?)(\w{1,64})\1")
_QUOTING = re.compile(r"""['"\\`$#(){}<>]""")
_END = re.compile(r"&&|\|\||\|&|[\n;&|]")
_OF_A_WORD = frozenset(("plain", "single", "double", "escaped", "other"))
_ENDS = frozenset(("end", "substitution"))
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NESTED = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")

SHELLS = frozenset("sh bash zsh dash ksh ash fish eval su ssh".split())
_WRAPPERS = frozenset(
    "sudo doas env time nohup nice timeout xargs exec command builtin then do else elif if while until ! { stdbuf watch"
    " ionice setsid caffeinate unbuffer chronic".split(),
)
_NUMBERED = re.compile(r"[\d.]+[smhd]?$")
_SSH_OPTIONS = frozenset("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w".split())
_RUNS_AFTER_DASHES = frozenset("kubectl docker podman railway doppler op vault dotenv aws-vault npx heroku fly".split())


@dataclass
class Script:
    """What a shell text runs."""

    commands: list[list[str]] = field(default_factory=list)
    """Simple commands: words without quotes. The first is the program, without its folder."""
    variables: list[str] = field(default_factory=list)
    """`NAME=value` set for a command."""
    wrappers: set[str] = field(default_factory=set)
    documents: list[tuple[str, str]] = field(default_factory=list)
    """Here-documents: the program that reads it, and the text."""
    whole: bool = True
    """Whether all of it is here; not so where it runs more than MAX_COMMANDS."""


def parse(text: str) -> Script:
    """The simple commands in `text`, in order, with those that they run through another shell."""
    script = Script()
    _parse(text, script, 0)
    return script


def _parse(text: str, script: Script, depth: int) -> None:  # noqa: C901 - one branch a kind of piece
    if "2>&1" in text:
        text = text.replace("2>&1", "")
    if not _QUOTING.search(text):
        # Most commands quote nothing: splitting them is five times as fast as walking them.
        for command in _END.split(text, MAX_COMMANDS):
            _command(command.split(), script, depth)
        return
    if "<<" in text:
        text = _without_documents(text, script, depth)
    words: list[str] = []
    word: str | None = None
    for match in _PIECE.finditer(text):
        kind = match.lastgroup or ""
        if kind in _OF_A_WORD:
            word = (word or "") + _piece(kind, match[kind], script, depth)
            continue
        if word is not None:
            words.append(word)
            word = None
        if kind == "redirect":
            words.append(match[kind])
        elif kind in _ENDS:
            _command(words, script, depth)
            words = []
    if word is not None:
        words.append(word)
    _command(words, script, depth)


def _piece(kind: str, piece: str, script: Script, depth: int) -> str:
    """A piece of a word without its quotes. What a quoted substitution runs is read on the way."""
    if kind != "double":
        return piece
    if depth < MAX_NESTED and ("$(" in piece or "`" in piece):
        for nested in _NESTED.finditer(piece):
            _parse(nested[1] or nested[2] or "", script, depth + 1)
    return _ESCAPED.sub(r"\1", piece) if "\\" in piece else piece


def _without_documents(text: str, script: Script, depth: int) -> str:
    """The text without the bodies of its here-documents, which are kept or parsed by who reads them."""
    kept: list[str] = []
    position = 0
    for _ in range(MAX_COMMANDS):
        mark = _HEREDOC.search(text, position)
        if mark is None:
            break
        line_end = text.find("\n", mark.end())
        if line_end < 0:
            break
        begin, end = _end_of_document(text, mark[2], line_end)
        body = text[line_end + 1 : begin]
        line = text[max(text.rfind("\n", 0, mark.start()) + 1, position) : mark.start()]
        reader = Script()
        if depth < MAX_NESTED:
            _parse(line, reader, MAX_NESTED)
        program = reader.commands[-1][0] if reader.commands else ""
        if program in SHELLS:
            _parse(body, script, depth + 1)
        elif program:
            script.documents.append((program, body))
        kept += [text[position : mark.start()], text[mark.end() : line_end + 1]]
        position = end
    return "".join(kept) + text[position:]


def _end_of_document(text: str, word: str, start: int) -> tuple[int, int]:
    """Where the line that ends a here-document begins and ends; the text's end where there is none."""
    position = start
    for _ in range(MAX_COMMANDS):
        position = text.find(word, position)
        if position < 0:
            break
        begin, end = text.rfind("\n", start, position) + 1, text.find("\n", position)
        end = len(text) if end < 0 else end
        if begin and text[begin:end].strip() == word:
            return begin, end
        position = end
    return len(text), len(text)


def _command(words: list[str], script: Script, depth: int) -> None:
    """Adds one simple command, freed from what runs it."""
    start = 0
    while start < len(words):
        head = words[start]
        if head in _WRAPPERS:
            script.wrappers.add(head)
            start += 1
            while start < len(words) and (words[start][:1] == "-" or _NUMBERED.match(words[start])):
                start += 1
        elif "=" in head and _ASSIGNMENT.match(head):
            script.variables.append(head)
            start += 1
        else:
            break
    words = words[start : start + MAX_WORDS]
    if not words or not words[0]:
        return
    if len(script.commands) >= MAX_COMMANDS:
        script.whole = False
        return
    head = words[0]
    if "/" in head:
        head = words[0] = head.rsplit("/", 1)[-1] or head
    script.commands.append(words)
    if depth < MAX_NESTED and (head in SHELLS or head in _RUNS_AFTER_DASHES):
        _follow(words, script, depth + 1)


def _follow(words: list[str], script: Script, depth: int) -> None:
    """Reads the command that this one runs."""
    head = words[0]
    if head in SHELLS:
        if head == "eval":
            _parse(" ".join(words[1:]), script, depth)
        elif head == "ssh":
            _parse(" ".join(_after_host(words)), script, depth)
        else:
            flag = next((n for n, word in enumerate(words) if n and word.startswith("-") and word.endswith("c")), 0)
            if flag and flag + 1 < len(words):
                _parse(words[flag + 1], script, depth)
    elif head in _RUNS_AFTER_DASHES and "--" in words:
        _command(words[words.index("--") + 1 :], script, depth)


def _after_host(words: list[str]) -> list[str]:
    """What ssh runs: the words behind its options and the host."""
    index = 1
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] in _SSH_OPTIONS else 1
    return words[index + 1 :]


def line(words: list[str]) -> str:
    """The words as one line for matching."""
    text = " ".join(words)
    if text.count(" ") == len(words) - 1 and "\n" not in text:
        return text
    return " ".join(word.replace(" ", JOINED).replace("\n", JOINED) if word else JOINED for word in words)
