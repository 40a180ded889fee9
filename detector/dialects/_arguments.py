"""Arguments as frameworks encode them, to a mapping or a bare text. Never raises.

Met: a JSON object; a bare string; `{"kwargs": {…}}` (LlamaIndex); `{"args": [], "kwargs": {…}}`
(smolagents); `{"action": {…}}` (OpenHands); `{"input_str": "{'a': 1}"}`, JSON around a Python repr
(Traceloop); `{"callId": …, "args": {…}}` (Gemini CLI); JSON encoded twice; JSON cut short by an
attribute length limit; structured attributes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

import msgspec

MAX_REPR_CHARS = 4096
"""A longer Python repr stays text."""

MAX_WRAPPERS = 4

_decode = msgspec.json.Decoder().decode
_PAIR = re.compile(r'"([^"\\]{1,64})"\s*:\s*(?:"((?:[^"\\]++|\\.)*+)|(-?[\d.eE+-]+|true|false))', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def parse(value: Any) -> Mapping[str, Any] | str | None:
    """The arguments in `value`: a mapping by name, a bare text, or None where there are none."""
    if isinstance(value, str):
        value = _from_text(value)
    for _ in range(MAX_WRAPPERS):
        if not isinstance(value, dict):
            break
        inner = _unwrapped(value)
        if inner is value:
            break
        value = inner
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return str(value)


def _from_text(text: str) -> Any:
    head = text[:1]
    if head in ' \t\r\n"':
        text = text.strip()
        head = text[:1]
    if head not in ("{", "[", '"'):
        return text
    try:
        found = _decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return _literal(text) if head in "{[" else text
    if isinstance(found, str) and found[:1] in ("{", "["):
        try:
            return _decode(found)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return _literal(found)
    return found


def _literal(text: str) -> Any:
    """A Python repr, or the leading pairs of JSON that was cut short, or the text as it is."""
    if len(text) <= MAX_REPR_CHARS and "'" in text:
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            pass
        else:
            if isinstance(found, (dict, list)):
                return _plain(found)
    if text[:1] == "{":
        pairs: dict[str, str] = {}
        for match in _PAIR.finditer(text):
            pairs.setdefault(match[1], _unescaped(match[2]) if match[2] is not None else match[3])
            if len(pairs) == 32:
                break
        if pairs:
            return pairs
    return text


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        return str(_decode(f'"{text}"'))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), text)


def _plain(value: Any) -> Any:
    """Values of a Python literal as JSON would have them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _unwrapped(value: dict[str, Any]) -> Any:
    """What a framework put around the arguments taken off; the same object where there is nothing."""
    kwargs = value.get("kwargs")
    if isinstance(kwargs, dict) and value.keys() <= {"kwargs", "args", "sanitize_inputs_outputs"}:
        positional = value.get("args")
        if isinstance(positional, list) and positional:
            return {**{str(index): item for index, item in enumerate(positional)}, **kwargs}
        return kwargs
    written = value.get("input_str")
    if isinstance(written, str):
        return _from_text(written)
    arguments = value.get("args")
    if isinstance(arguments, dict) and ("callId" in value or value.keys() <= {"args", "name", "id", "type"}):
        return arguments
    if len(value) == 1:
        key, inner = next(iter(value.items()))
        if key in ("action", "arguments", "input", "params", "parameters", "tool_input") and isinstance(inner, dict):
            return inner
        if key in ("input", "arguments", "tool_input", "__arg1") and isinstance(inner, str):
            return _from_text(inner)
    return value
