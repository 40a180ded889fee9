"""Plain arguments onto the lines of a call: places, targets, and what they say of the act that they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from detector.lexicon import keys, settings, sql
from detector.lexicon.entries import JOINED, Surface

if TYPE_CHECKING:
    from detector.lexicon.acts import Said
    from detector.lexicon.lines import Lines

MAX_LEAVES = 64
"""Of one mapping or list."""

MAX_ALL = 384
"""Of one call, nested ones too: about two microseconds each."""

MAX_DEPTH = 6
MAX_NAME = 64
"""Of a name with blanks in it."""

MAX_TEXT = 200
"""Of a text that may be a name or a setting."""

_NAME = re.compile(r"[\w./:@+#*=~$%-]{1,200}")
_ACTIONS = ("action", "Action", "type", "op", "operation")
_decode = msgspec.json.Decoder().decode


def read(lines: Lines, value: Any, said: Said | None = None, key: str = "", path: str = "") -> None:
    """An argument with all that is in it. `said`: takes what it says of the act, where there is one.

    `path`: its key in plain words, behind those of what it stands in.
    """
    _value(lines, value, said, key, path, 0)


def _value(lines: Lines, value: Any, said: Said | None, key: str, path: str, depth: int) -> None:
    if lines.left <= 0 or depth > MAX_DEPTH:
        lines.whole = lines.whole and lines.left > 0
        return
    lines.left -= 1
    if isinstance(value, str):
        if len(value) <= MAX_TEXT or _last(path) in keys.STATEMENTS:
            leaf(lines, key, path, value, said)
    elif isinstance(value, Mapping):
        if value:
            _mapping(lines, value, said, path, depth)
        elif path:
            leaf(lines, key, path, value, said)
    elif isinstance(value, (list, tuple)):
        if not value and path:
            leaf(lines, key, path, value, said)
        for item in value[:MAX_LEAVES]:
            _value(lines, item, said, key, path, depth + 1)
    else:
        leaf(lines, key, path, value, said)


def _mapping(lines: Lines, value: Mapping[Any, Any], said: Said | None, path: str, depth: int) -> None:
    before = f"{path}_" if path else ""
    if depth and said is not None:
        # `{"action": "expire", "days": 0}`: the one says what the other is of.
        action = next((text for name in _ACTIONS if isinstance(text := value.get(name), str) and len(text) < 24), "")
        before += f"{settings.plain(action)}_" if action else ""
    for index, (name, item) in enumerate(value.items()):
        if index == MAX_LEAVES or lines.left <= 0:
            return
        key = name if type(name) is str else str(name)
        _value(lines, item, said, key, before + settings.plain(key), depth + 1)


def leaf(lines: Lines, key: str, path: str, value: Any, said: Said | None) -> None:
    """One plain argument; an empty list or mapping is one as well."""
    last = _last(path)
    if said is not None:
        said.leaf(path, value)
        if last in keys.STATEMENTS and type(value) is str and len(value) > 9 and sql.STARTS.match(value.lstrip()):
            lines.sql(value)
            return
    if type(value) is str:
        text = value
    elif value is None or isinstance(value, (Mapping, list, tuple)):
        return
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    line(lines, key, text)
    if last in keys.TARGETS and not isinstance(value, bool):
        name(lines, text)


def line(lines: Lines, key: str, text: str) -> None:
    """One plain argument, as a line."""
    lines.add(Surface.ARGUMENT, f"{key}={text.replace(' ', JOINED) if ' ' in text else text}"[:512])


def name(lines: Lines, text: str) -> None:
    """A name in an argument, as a target: also the last part of an ARN, and the host of an address."""
    if len(text) > MAX_NAME and not _NAME.fullmatch(text):
        return
    lines.target(text)
    if ":" in text:
        if text.startswith("arn:"):
            lines.target(text.rsplit("/", 1)[-1].rsplit(":", 1)[-1])
        elif "://" in text:
            lines.target(text.split("://", 1)[1].split("/", 1)[0])


def decoded(value: Any) -> Any:
    """A text's JSON, decoded; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return _decode(value)
        except (ValueError, RecursionError):
            return value
    return value


def _last(path: str) -> str:
    return path.rsplit("_", 1)[-1]
