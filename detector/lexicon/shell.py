"""Shell text to simple commands. One linear pass; it never runs anything.

Enough of POSIX sh for matching: quotes, escapes, comments, pipelines, lists, subshells,
substitutions, here-documents, variables set in the same text. What a command runs is found in
`wrapped`, what one writes for the next to read in `piped`.
"""

from __future__ import annotations

import re

from detector.lexicon import piped
from detector.lexicon.entries import JOINED
from detector.lexicon.frames import Context, Frame, Spent
from detector.lexicon.piped import MANY, OPAQUE, SINGLE
from detector.lexicon.script import MAX_COMMANDS, MAX_NESTED, Script

MAX_PIECES = 1000
"""Pieces of words, blanks and signs of one call that are read: half a microsecond each."""

MAX_FRAMES = 24

_VARIABLE = r"\$(?:[A-Za-z_]\w*|\{[^{}\n]{0,128}\}|[@*#?!$0-9-])"
_BARE = re.compile(
    rf"""(?P<redirect>(?:(?<![^\s])\d)?(?:>>|>\||>(?![&(]))|&>>?|<<<|<(?![<(]))
    |(?P<plain>[^\s;&|()`'"\\$\#<>][^\s;&|()`'"\\$<>]*)
    |(?P<blank>[ \t\r]+|\\\r?\n)
    |(?P<copied>\d?>&[\d-])
    |(?P<document><<-?[ \t]*(?:'(\w{{1,64}})'|"(\w{{1,64}})"|\\?(\w{{1,64}})))
    |(?P<end>\n|&&|\|\||\|&|[;&|])
    |(?P<sum>\$\(\([^()\n]{{0,256}}\)\))
    |(?P<open>\$\(|[<>]\(|\()
    |(?P<close>\))
    |(?P<tick>`)
    |(?P<variable>{_VARIABLE})
    |\$?'(?P<single>[^']*)(?:'|\Z)
    |"(?P<double>[^"\\$`]*(?:\\.[^"\\$`]*)*)"
    |(?P<quote>")
    |\\(?P<escaped>.)
    |(?P<comment>\#[^\n]*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(
    rf"""(?P<plain>[^"\\$`]+)|(?P<sum>\$\(\([^()\n]{{0,256}}\)\))|(?P<open>\$\()|(?P<tick>`)|(?P<variable>{_VARIABLE})
    |(?P<quote>")|\\(?P<escaped>.)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTING = re.compile(r"""['"\\`$#(){}<>]""")
_SPECIAL = re.compile(r"[\s'\"\\`$;&|()<>#]")
_END = re.compile(r"(&&|\|\||\|&|[\n;&|])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CODE = re.compile(r"\\(?:[xu]([0-9a-fA-F]{1,4})|([0-7]{1,3})|(.))", re.DOTALL)
_NAME = re.compile(r"\$\{?[#!]?([A-Za-z_]\w*)(?::?[-=]([^}]*))?")
_DRIVE = re.compile(r"(?:^|[\s\"'=])[A-Za-z]:\\")
_BACKSLASH = re.compile(r"\\(?!\n)")

_DEFAULTS = {"HOME": "~", "TMPDIR": "/tmp", "IFS": " ", "PWD": "."}  # noqa: S108 - read, not written
_TURNS = frozenset(("quote", "open", "close", "tick"))
_NESTED = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_HEREDOC = re.compile(r"<<-?[ \t]*(['\"\\]?)(\w+)")


def parse(text: str, spent: Spent | None = None) -> Script:
    """The commands in `text`, in order; what a substitution runs stands before its command, what one runs behind it."""
    script = Script(_parse, spent or Spent())
    if ":\\" in text and _DRIVE.search(text):
        text = _BACKSLASH.sub(r"\\\\", text)
    _parse(text, script, Context(0, ""))
    return script


def quoted(words: list[str]) -> str:
    """The shell text that gives these words, as a program gets them; one word alone is a text already."""
    if len(words) < 2:
        return "".join(words)
    return " ".join(
        f"'{escaped}'" if _SPECIAL.search(word) else word for word in words for escaped in [word.replace("'", "'\\''")]
    )


def line(words: list[str]) -> str:
    """The words as one line for matching."""
    text = " ".join(words)
    if text.count(" ") == len(words) - 1 and "\n" not in text:
        return text
    return " ".join(word.replace(" ", JOINED).replace("\n", JOINED) if word else JOINED for word in words)


def _parse(text: str, script: Script, context: Context) -> None:
    if ">&" in text:
        text = text.replace("2>&1", "").replace("1>&2", "")
    if _QUOTING.search(text):
        _Walk(text, script, context).run()
        return
    # Most commands quote nothing: splitting them is five times as fast as walking them.
    frame = Frame("", context.cwd)
    parts = _END.split(text, MAX_COMMANDS)
    for part, end in zip(parts[::2], [*parts[1::2], ""], strict=True):
        frame.words = part.split()
        script.end(frame, end, context)


class _Walk:
    """One pass over a text with quotes."""

    def __init__(self, text: str, script: Script, context: Context) -> None:
        self._text, self._script, self._context = text, script, context
        self._frames = [Frame("", context.cwd)]
        self._skips: dict[int, int] = {}
        """End of the here-documents behind a line's end."""
        self._document = 0

    def run(self) -> None:
        script, frames = self._script, self._frames
        pieces = script.spent.pieces
        scan = _BARE.scanner(self._text).match  # type: ignore[attr-defined]
        while (match := scan()) is not None:
            if pieces == MAX_PIECES:
                script.whole = False
                break
            pieces += 1
            frame = frames[-1]
            kind = match.lastgroup
            if kind == "plain":
                frame.add(match[0])
            elif kind == "blank":
                frame.end_word()
            elif kind == "end":
                script.end(frame, match[0], self._context)
                if match[0] == "\n" and match.start() in self._skips:
                    scan = _BARE.scanner(self._text, self._skips[match.start()]).match  # type: ignore[attr-defined]
            elif kind in _TURNS:
                self._turn(kind, match[0], frame)
                scan = (_QUOTED if frames[-1].quoted else _BARE).scanner(self._text, match.end()).match  # type: ignore[attr-defined]
            else:
                self._piece(kind or "", match, frame)
        script.spent.pieces = max(pieces, script.spent.pieces)
        while frames:
            self._leave("")

    def _piece(self, kind: str, match: re.Match[str], frame: Frame) -> None:
        piece = match[kind] if kind else ""
        if kind == "double":
            frame.add(_ESCAPED.sub(r"\1", piece) if "\\" in piece else piece)
        elif kind == "single" and match[0][0] == "$":
            frame.add(_CODE.sub(_decoded, piece))
        elif kind in ("single", "escaped", "other"):
            frame.add(piece)
        elif kind == "redirect":
            frame.end_word()
            frame.words.append(piece)
        elif kind == "variable":
            frame.expand(self._value(piece, frame))
        elif kind == "sum":
            frame.add("0")
        elif kind == "document":
            self._read_document(match, frame)

    def _turn(self, kind: str, piece: str, frame: Frame) -> None:
        """Into or out of quotes, a subshell or a substitution."""
        if kind == "quote":
            frame.quoted = not frame.quoted
            frame.add("")
        elif kind == "close" or (kind == "tick" and frame.kind == "`"):
            if len(self._frames) == 1:
                self._script.end(frame, ";", self._context)
            else:
                self._leave(piece)
        elif len(self._frames) < MAX_FRAMES:
            if piece == "(":
                self._script.end(frame, ";", self._context)
            self._frames.append(Frame(piece, frame.cwd))

    def _leave(self, piece: str) -> None:
        frame = self._frames.pop()
        self._script.end(frame, piece, self._context)
        if not self._frames or frame.kind == "(":
            return
        outer, last = self._frames[-1], frame.last
        value = piped.output(last, self._script.files) if last else None
        if frame.kind in ("<(", ">("):
            name = f"/dev/fd/{len(self._script.files) + 10}"
            if value is not None:
                self._script.files[name] = value
            outer.add(name)
        elif value is OPAQUE:
            outer.add(OPAQUE)
        elif value is None:
            if last is not None:
                outer.add(SINGLE if piped.is_single(last) else MANY)
        else:
            outer.expand(value.rstrip("\n"))

    def _value(self, piece: str, frame: Frame) -> str:
        name = _NAME.match(piece)
        if name is None:
            return piece
        known = self._script.known.get(name[1])
        if known is not None:
            return known
        if name[1] == "PWD" and frame.cwd:
            return frame.cwd
        return name[2] or _DEFAULTS.get(name[1]) or f"${name[1]}"

    def _read_document(self, match: re.Match[str], frame: Frame) -> None:
        text = self._text
        line_end = text.find("\n", match.end())
        if line_end < 0:
            return
        begin = max(line_end + 1, self._document)
        mark = _HEREDOC.match(match[0])
        quoted, word = (mark[1], mark[2]) if mark else ("", "")
        stop, end = _end_of_document(text, word, begin)
        frame.stdin = text[begin:stop]
        if not quoted and ("$" in frame.stdin or "`" in frame.stdin):
            frame.stdin = self._filled(frame.stdin, frame)
        self._document = end + 1
        self._skips[line_end] = max(end, line_end + 1)

    def _filled(self, body: str, frame: Frame) -> str:
        """A here-document with what the shell puts into it."""
        for nested in _NESTED.finditer(body):
            if self._context.depth < MAX_NESTED:
                _parse(
                    nested[1] or nested[2] or "", self._script, self._context._replace(depth=self._context.depth + 1)
                )
        return re.sub(_VARIABLE, lambda match: self._value(match[0], frame), body)


def _decoded(match: re.Match[str]) -> str:
    """A character that `$'...'` writes as a code."""
    if match[1]:
        return chr(int(match[1], 16))
    return chr(int(match[2], 8)) if match[2] else {"n": "\n", "t": "\t"}.get(match[3], match[3])


def _end_of_document(text: str, word: str, start: int) -> tuple[int, int]:
    """Where the line that ends a here-document begins and ends; the text's end where there is none."""
    match = re.compile(rf"^[ \t]*{word}[ \t\r]*$", re.MULTILINE).search(text, start)
    return (match.start(), match.end()) if match else (len(text), len(text))
