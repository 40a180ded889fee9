"""A shell text onto the lines of a call: what each of its commands is, runs, sends and names."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from detector.lexicon import code, commands, files, queries, screens, shell, vocabulary, web, wrapped
from detector.lexicon.cmdline import split
from detector.lexicon.entries import Surface
from detector.lexicon.piped import OPAQUE, Command
from detector.lexicon.script import Script
from detector.lexicon.tables.syntaxes import syntax
from detector.records import Does

if TYPE_CHECKING:
    from detector.lexicon.lines import Lines

_EXECUTE, _READ, _WRITE, _DELETE, _BROAD = map(int, (Does.EXECUTE, Does.READ, Does.WRITE, Does.DELETE, Does.BROAD))

_AUTHORITY = frozenset(("sudo", "doas", "pkexec", "nsenter"))
_FETCHERS = frozenset("curl wget http https xh".split())
_READING_MODULES = frozenset("json.tool tokenize dis ast site sysconfig".split())
_NAMING = frozenset(
    "source . wipefs mkfs nano vim vi emacs open install mail mailx mutt nc ncat netcat telnet ftp sftp scp getfacl"
    " setfacl userdel usermod gpg robocopy move copy xcopy shasum mkfs.ext4 mkfs.xfs logrotate".split()
)
"""Programs whose operands are things, beside those of vocabulary.PROGRAMS."""
_TALKING = frozenset("echo printf test [ true false expr read seq find sleep wait cd".split())
"""Programs whose words are no things."""


def read(lines: Lines, text: str) -> None:
    """A shell text: its commands, and what these run or send."""
    script = shell.parse(text, lines.spent)
    lines.whole = lines.whole and script.whole
    for variable in script.variables:
        lines.add(Surface.SET, variable)
    if script.wrappers and not script.wrappers.isdisjoint(_AUTHORITY):
        lines.add(Surface.SHELL, "sudo")
    for command in script.commands:
        _command(lines, command, script)
    _planned(lines, script)


def _command(lines: Lines, command: Command, script: Script) -> None:
    words = command.words
    head = words[0]
    does = vocabulary.PROGRAMS.get(head, _EXECUTE)
    if ">" in words or ">>" in words:
        does = screens.redirected(lines, words, does)
    if head in screens.SCREENED:
        words, does = screens.screen(lines, command, does)
    found = commands.read(command, does, lines.usages)
    if found is not None:
        does = found.does | (does & _WRITE if ">" in words else 0)
        lines.found(0, found.signs, found.targets)
    does = _run(lines, command, script, does)
    lines.does |= does
    if found is None:
        _name(lines, command)
    saying = head in vocabulary.SAYING or (command.quiet and found is None)
    lines.add(Surface.SAYING if saying else Surface.SHELL, shell.line(words))


def _run(lines: Lines, command: Command, script: Script, does: int) -> int:
    """Reads what a program is given to run or to fetch. What the program does itself."""
    head = command.words[0]
    if head in _FETCHERS:
        lines.request(web.curl(command.words))
        return _fetched(lines, command.words)
    if head == "gh" and command.words[1:2] == ["api"]:
        lines.request(web.gh(command.words))
    elif head in wrapped.INTERPRETERS:
        _interpreted(lines, command, script)
    elif queries.is_client(head):
        queries.read(lines, command)
    return does


def _planned(lines: Lines, script: Script) -> None:
    """A plan to destroy that is applied in the same text."""
    called = [command.words for command in script.commands if command.words[0] in ("terraform", "tofu")]
    if any("plan" in words and "-destroy" in words for words in called) and any("apply" in words for words in called):
        lines.found(_DELETE | _BROAD, ("cli.terraform-destroy",), ())


def _name(lines: Lines, command: Command) -> None:
    """The things that a command names."""
    head = command.words[0]
    if head in ("ssh", "mosh"):
        named = split(command.words, syntax(head), 1).words
    elif head in _TALKING or not (head in _NAMING or head in vocabulary.PROGRAMS):
        return
    else:
        named = files.operands(command)[head in vocabulary.SEARCHERS : 8]
    for word in named:
        lines.target(word)


def _interpreted(lines: Lines, command: Command, script: Script) -> None:
    """What an interpreter is given: as a flag's value, on its input, or in a file that the script wrote."""
    words = command.words
    for flag, text in pairwise(words[1:]):
        if flag == "-m" and text in _READING_MODULES:
            lines.does |= _READ
        if flag[:1] == "-" and flag[-1:] in "cerpE" and len(flag) < 6 and len(text) > 2:
            code.read(lines, text)
            for file in [word for word in words[1:] if word[:1] != "-" and word != text][:4]:
                lines.target(file)
            return
    file = next((word for word in words[1:] if word[:1] != "-"), "")
    if file:
        lines.target(file)
    given = script.files.get(file) if file else command.stdin
    if given is OPAQUE:
        lines.whole = False
    elif given:
        code.read(lines, given)


def _fetched(lines: Lines, words: list[str]) -> int:
    """Where a download is put."""
    for flag, target in pairwise(words):
        if flag in ("-o", "--output", "-O", "--output-document") and target not in ("-", "/dev/null"):
            lines.target(target)
            return _WRITE | (screens.LOST if files.is_state(target) else 0)
    return 0
