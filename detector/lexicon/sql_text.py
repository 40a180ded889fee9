"""SQL text as statements of plain words: no comments, no quotes, names with their dots, in lower case.

Dialects differ in what they say and hardly in how they are written, so this much holds for all of them.
"""

from __future__ import annotations

import re

MAX_CHARS = 4096
MAX_TOKENS = 500
"""Of one text that are read as statements: about half a microsecond each."""

MAX_STATEMENTS = 32
MAX_NESTED = 3

_TOKEN = re.compile(
    r"""--[^\n]*|\#[ \t][^\n]*|/\*.*?(?:\*/|\Z)      # comments
    |[nN]?'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[A-Za-z_][^\[\]\n]{0,127}\]
    |\$(?:[A-Za-z_]\w{0,63})?\$
    |\d+(?:\.\d+)?(?![\w])|[\w@\#$]+
    |<>|!=|<=|>=|:=|::|!?~\*?|\|\||\\[a-z]+\+?
    |[^\s]""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_RUN_COMMENT = re.compile(r"/\*!\d{0,6}(.*?)(?:\*/|\Z)", re.DOTALL)
_BODIED = frozenset("function procedure trigger event proc rule".split())

Statement = list[str]
"""Tokens: words and signs as they are, strings in single quotes, names without theirs."""


def statements(text: str) -> list[Statement]:
    """The statements of a text. Empty ones are left out."""
    if "/*!" in text:
        # MySQL runs what stands in such a comment.
        text = _RUN_COMMENT.sub(r" \1 ", text)
    found = _split(text)
    if "\\'" in text:
        # Whether this ends a string depends on the server, so both are read.
        found += [statement for statement in _split(_ESCAPED.sub("", text)) if statement not in found]
    return found[:MAX_STATEMENTS]


def cut(text: str) -> tuple[str, str]:
    """A text in two: what is read as statements, and what is behind it."""
    head = text[:MAX_CHARS]
    for nth, match in enumerate(_TOKEN.finditer(head)):
        if nth == MAX_TOKENS:
            return head[: match.start()], text[match.start() :]
    return head, text[MAX_CHARS:]


def tokens(text: str) -> Statement:
    """All tokens of a text."""
    found: Statement = []
    raws = _TOKEN.findall(text)[:MAX_TOKENS]
    index, end = 0, len(raws)
    while index < end:
        raw = raws[index]
        index += 1
        head = raw[0]
        if head == "'" or raw[:2] in ("n'", "N'"):
            found.append(_string(raw[raw.index("'") :]))
        elif head in '"`[' and len(raw) > 1:
            _name(found, raw.strip('"`[]').lower().replace(" ", "_") or "_")
        elif raw.startswith(("--", "/*", "# ", "#\t")):
            continue
        elif head == "$" and raw[-1] == "$":
            index = _dollars(raw, raws, index, found)
        elif head.isalnum() or head in "_@#":
            _name(found, raw.lower())
        elif found and _goes_on(head, found[-1]):
            found[-1] += head
        else:
            found.append(raw)
    return found


def _goes_on(sign: str, name: str) -> bool:
    """Whether a dot or a star belongs to the name before it."""
    if sign == ".":
        return name[-1].isalnum() or name[-1] in "_*"
    return sign == "*" and name[-1] == "." and len(name) > 1


def _string(raw: str) -> str:
    return f"'{raw.strip(chr(39))}'"


def _name(found: Statement, name: str) -> None:
    if found and found[-1][-1] == "." and len(found[-1]) > 1:
        found[-1] += name
    else:
        found.append(name)


def _dollars(mark: str, raws: list[str], index: int, found: Statement) -> int:
    """A string in dollars, as one word; where to go on."""
    try:
        end = raws.index(mark, index)
    except ValueError:
        end = len(raws)
    found.append(f"'{' '.join(raws[index:end])}'")
    return end + 1


def _split(text: str) -> list[Statement]:
    found: list[Statement] = []
    current: Statement = []
    for word in tokens(text):
        if word == ";" or (word == "go" and not current):
            if current:
                found.append(current)
            current = []
        else:
            current.append(word)
    if current:
        found.append(current)
    return _without_bodies(found)


def _without_bodies(found: list[Statement]) -> list[Statement]:
    """Without the statements that a routine is made of: they are kept, not run."""
    kept: list[Statement] = []
    inside = False
    for statement in found:
        if inside:
            inside = statement[0] != "end"
            continue
        kept.append(statement)
        if statement[0] in ("create", "alter") and not _BODIED.isdisjoint(statement[1:6]):
            inside = "begin" in statement and statement[-1] != "end"
            del statement[12:]
    return kept


def line(statement: Statement) -> str:
    """A statement as one line for matching: a blank between any two tokens."""
    return " ".join(statement[:400])
