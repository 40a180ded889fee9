"""What one command writes for the next to read, as far as its words tell: `echo x | base64 -d | sh`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

MAX_OUTPUT = 8192
"""Characters of a command's output that are kept."""

MANY = "\x1e"
"""Stands in a word for what a listing gives: nobody knows how many."""

SINGLE = "\x1d"
"""Stands in a word for one value that isn't known."""

OPAQUE = "\x1c"
"""An output that was encoded in a way that isn't read, or twice."""

_UNPACKERS = frozenset(
    "xxd gunzip zcat bzcat xzcat unxz bunzip2 uudecode rev tr base32 unzip lz4 zstd gpg openssl perl python python3"
    " ruby node php awk".split()
)
_MAYBE = {
    "gzip": "d", "xxd": "r", "base32": "d", "openssl": "d", "gpg": "d", "zstd": "d", "lz4": "d", "perl": "e",
    "python": "c", "python3": "c", "ruby": "e", "node": "e", "php": "r",
}  # fmt: skip
"""Programs that unpack only with this letter among their flags."""

_SINGLES = frozenset(
    "mktemp pwd date basename dirname whoami id hostname nproc which realpath readlink uname tty wc git head tail jq"
    " python python3 node cat expr seq printf echo getconf sha256sum md5sum uuidgen openssl pass op vault aws-vault"
    " curl ssh-agent pyenv rbenv brew conda direnv kubectl".split()
)
_LISTS = re.compile(r"(?:ls-files|branch|tag|stash|worktree|for-each-ref|list|get|ls|-q|-aq|-qa|--quiet)$")
_CONVERSION = re.compile(r"%[-+0-9.]*[a-z]")
_CODES = re.compile(r"\\(?:x[0-9a-fA-F]|[0-7]{2}|u[0-9a-fA-F])")
_LINES = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}


class Command:
    """A simple command: words without quotes, the first the program without its folder."""

    __slots__ = ("cwd", "decoded", "many", "quiet", "sink", "source", "stdin", "words")

    def __init__(self, words: list[str], cwd: str = "", *, many: bool = False) -> None:
        self.words, self.cwd, self.many = words, cwd, many
        self.source: Command | None = None
        """The command whose output it reads."""
        self.sink: Command | None = None
        """The command that reads its output."""
        self.stdin: str | None = None
        """What it reads, where that is known; OPAQUE where it is encoded."""
        self.quiet = False
        """Whether a runner of development tools started it."""
        self.decoded = 0
        """How often what it reads was decoded."""

    def __repr__(self) -> str:
        return f"Command({self.words!r})"


def output(command: Command, files: Mapping[str, str]) -> str | None:
    """What a command writes; OPAQUE where that is encoded in a way that isn't read, None where nobody knows."""
    program, words = command.words[0], command.words[1:]
    found: str | None
    if program in ("echo", "printf"):
        found = _said(program, words)
    elif program == "base64":
        return _decoded(command, words)
    elif program in ("cat", "tee"):
        plain = [word for word in (words[: words.index(">")] if ">" in words else words) if word[:1] not in "-><"]
        found = files.get(plain[0]) if plain and program == "cat" else command.stdin
    elif program == "mktemp":
        found = "/tmp/mktemp"  # noqa: S108 - where mktemp puts it
    elif program == "pwd":
        found = command.cwd or "."
    elif program in _UNPACKERS or program == "gzip":
        letter = _MAYBE.get(program, "")
        flags = [word for word in words if word[:1] == "-"]
        found = OPAQUE if not letter or any(letter in flag for flag in flags) else None
    else:
        found = None
    return found[:MAX_OUTPUT] if found else found


def _said(program: str, words: list[str]) -> str:
    """The text of echo or printf."""
    while words and re.fullmatch(r"-[neE]+", words[0]):
        words = words[1:]
    if ">" in words:
        words = words[: words.index(">")]
    text = words[0] if words and program == "printf" else " ".join(words)
    if _CODES.search(text):
        return OPAQUE
    if program == "printf":
        rest = iter(words[1:])
        text = _CONVERSION.sub(lambda _: next(rest, ""), text)
    for escape, plain in _LINES.items():
        text = text.replace(escape, plain)
    return text


def _decoded(command: Command, words: list[str]) -> str | None:
    if not any(word in ("-d", "-D", "--decode", "-di", "-id") for word in words):
        return None
    if command.stdin is None or command.stdin is OPAQUE or command.decoded:
        return OPAQUE
    text = plain(command.stdin)
    return OPAQUE if text is None else text


def plain(encoded: str) -> str | None:
    """Base64 decoded to a text; None where it is none."""
    try:
        raw = base64.b64decode(encoded[: 2 * MAX_OUTPUT], validate=False)
        # PowerShell encodes UTF-16.
        text = raw.decode("utf-16-le") if raw[1:2] == b"\0" else raw.decode()
    except (binascii.Error, ValueError):
        return None
    return text if text.isprintable() or "\n" in text or "\t" in text else None


def is_single(command: Command) -> bool:
    """Whether a command gives one value and no list."""
    words = command.words
    return words[0] in _SINGLES and not any(_LISTS.match(word) for word in words[1:])
