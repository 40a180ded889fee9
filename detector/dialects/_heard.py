"""What a model turn read: what people said, the set-up before it, and results that stand nowhere else.

A history grows with every turn: it is parsed only where a person has newly spoken, and its end is searched
for results. Read are the same forms of messages as in `_messages`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

MAX_HISTORY_CHARS = 262_144
"""Of a longer history the end is read, as it stands."""
MAX_MESSAGES = 8
"""Of people, the newest, and of the set-up."""
MAX_CHARS = 4096
"""Of a message, or of all results."""
MAX_SCANNED = 64
"""Messages of a flattened history that are looked at."""

_PEOPLE = ("user", "human")
_SET_UP = ("system", "developer")
_MODELS = ("assistant", "model")
_RESULT = frozenset(
    "tool_call_response tool_result toolResult function_response functionResponse tool_call tool_use toolUse".split()
)
_MARK = re.compile(r'"role"\s*:\s*"(\w+)"')
_OF_TOOL = re.compile(
    r'\{\s*"role"\s*:\s*"(?:tool|function)"|"type"\s*:\s*"(?:tool_call_response|tool_result|function_response)"'
    r'|"(?:toolResult|functionResponse|function_response)"\s*:'
)
_decode = msgspec.json.Decoder().decode
_FAULTS = (msgspec.DecodeError, RecursionError, UnicodeEncodeError)


class Heard(NamedTuple):
    """Texts that a turn read."""

    said: tuple[str, ...] = ()
    """By people, the newest first."""
    told: tuple[str, ...] = ()
    """By who set the agent up."""


def heard(history: Any) -> Heard:
    """What people said in messages given as JSON text or as plain values."""
    if isinstance(history, str):
        if len(history) > MAX_HISTORY_CHARS:
            return _at_the_end(history)
        try:
            history = _decode(history)
        except _FAULTS:
            return _at_the_end(history)
    said: list[str] = []
    told: list[str] = []
    for message in reversed(history) if isinstance(history, list) else ():
        role = message.get("role") if isinstance(message, dict) else None
        if role in _PEOPLE and len(said) < MAX_MESSAGES:
            said += _texts(message)
        elif role in _SET_UP and len(told) < MAX_MESSAGES:
            told += _texts(message)
    return Heard(tuple(said[:MAX_MESSAGES]), tuple(told[:MAX_MESSAGES]))


def _at_the_end(history: str) -> Heard:
    """The messages of people behind the model's last one in JSON text that is not parsed, what stands around them
    included.
    """
    begin = history.rfind('"assistant"')
    tail = history[max(begin if begin >= 0 else history.rfind('"model"'), 0) :]
    marks = list(_MARK.finditer(tail))[-MAX_SCANNED:]
    ends = [mark.start() for mark in marks[1:]] + [len(tail)]
    said = [
        tail[mark.end() : min(end, mark.end() + MAX_CHARS)]
        for mark, end in zip(marks, ends, strict=False)
        if mark[1] in _PEOPLE
    ]
    return Heard(tuple(reversed(said[-MAX_MESSAGES:])))


def _texts(message: Mapping[str, Any]) -> list[str]:
    """The texts of one message, without results and calls of tools."""
    content = message.get("parts")
    if content is None:
        content = message.get("content")
    return texts(content)


def texts(content: Any) -> list[str]:
    """The texts in a message's content: a text, or parts."""
    if isinstance(content, str):
        return [content[:MAX_CHARS]]
    found: list[str] = []
    for part in content[:MAX_MESSAGES] if isinstance(content, list) else ():
        if isinstance(part, str):
            found.append(part[:MAX_CHARS])
        elif isinstance(part, dict) and part.get("type") not in _RESULT and _RESULT.isdisjoint(part):
            text = part.get("content") or part.get("text")
            if isinstance(text, str):
                found.append(text[:MAX_CHARS])
    return found


def instructions(value: Any) -> tuple[str, ...]:
    """The texts of a set-up that stands in an attribute of its own, as JSON or not."""
    if isinstance(value, str) and value[:1] == "[" and len(value) <= MAX_HISTORY_CHARS:
        with suppress(*_FAULTS):
            value = _decode(value)
    return tuple(texts(value))


def results(history: Any) -> str:
    """The results that follow the model's last message, as they stand; empty where none do."""
    if isinstance(history, str):
        tail = history[max(history.rfind('"assistant"'), 0) :]
        if '"tool' not in tail and "unction" not in tail:
            return ""
        mark = _OF_TOOL.search(tail)
        return tail[mark.end() : mark.end() + MAX_CHARS] if mark else ""
    found: list[str] = []
    for message in reversed(history[-MAX_SCANNED:]) if isinstance(history, list) else ():
        role = message.get("role") if isinstance(message, dict) else None
        if role in _MODELS:
            break
        if role in ("tool", "function"):
            found.append(str(message.get("content") or message.get("parts") or "")[:MAX_CHARS])
    return "\n".join(found)[:MAX_CHARS]


def heard_flat(attributes: Mapping[str, Any], prefix: str, last: int, *, spoken: bool) -> tuple[Heard, str]:
    """What people said, where they have `spoken`, and the newest results, in attributes `{prefix}{n}.message.role`
    with `n` up to `last`.
    """
    said: list[str] = []
    told: list[str] = []
    found: list[str] = []
    before_model = False
    for index in range(last, max(last - MAX_SCANNED, -1), -1):
        role = attributes.get(f"{prefix}{index}.message.role")
        if role in _MODELS:
            if not spoken:
                break
            before_model = True
        elif role in _PEOPLE and spoken and len(said) < MAX_MESSAGES:
            said += _flat_texts(attributes, f"{prefix}{index}.message.")
        elif role in _SET_UP and len(told) < MAX_MESSAGES:
            told += _flat_texts(attributes, f"{prefix}{index}.message.")
        elif role in ("tool", "function") and not before_model:
            found += _flat_texts(attributes, f"{prefix}{index}.message.")
    return Heard(tuple(said[:MAX_MESSAGES]), tuple(told[:MAX_MESSAGES])), "\n".join(found)[:MAX_CHARS]


def _flat_texts(attributes: Mapping[str, Any], message: str) -> list[str]:
    whole = attributes.get(message + "content")
    if isinstance(whole, str):
        return [whole[:MAX_CHARS]]
    found: list[str] = []
    for part in range(MAX_MESSAGES):
        text = attributes.get(f"{message}contents.{part}.message_content.text")
        if not isinstance(text, str):
            break
        found.append(text[:MAX_CHARS])
    return found


def heard_events(events: Iterable[tuple[str, Mapping[str, Any]]], user: str) -> Heard:
    """What people said in span events, one a message."""
    said: list[str] = []
    for name, attributes in events:
        if name == user:
            said += instructions(attributes.get("content"))
    return Heard(tuple(reversed(said[-MAX_MESSAGES:])))
