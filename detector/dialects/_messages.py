"""Messages of a model turn: the tool calls that it asked for, and what a person newly said.

Read: the parts of OTel GenAI (v1.37 and later), OpenAI's `tool_calls`, Anthropic's `tool_use`,
Strands' `toolUse`, and OpenInference's flattened attributes. Histories are never parsed, for
they grow with every turn: their end is searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

MAX_ASKED = 32
"""Tool calls of one turn that are read."""

MAX_OUTPUT_CHARS = 1_048_576
"""A longer text of output messages isn't parsed."""

MAX_HISTORY = 4096
"""Messages of a flattened history that are looked at."""

_USER = re.compile(r'"role"\s*:\s*"(user|human)"')
_RESULT = ("tool_call_response", "tool_result", "toolResult", "function_response", "functionResponse")
_USES = ("toolUse", "function_call", "functionCall")
_decode = msgspec.json.Decoder().decode


class Asked(msgspec.Struct, gc=False):
    """A tool call that a model turn asked for."""

    call: str
    tool: str
    arguments: Any
    """A mapping, a str, or None where there are none."""


class _Part(msgspec.Struct, gc=False):
    """A part of a message as GenAI conventions have it; arguments stay text until they are classified."""

    type: str = ""
    id: str | None = None
    name: str | None = None
    arguments: msgspec.Raw = msgspec.Raw(b"null")


class _Message(msgspec.Struct, gc=False):
    parts: list[_Part]


_decode_parts = msgspec.json.Decoder(list[_Message]).decode


def asked(written: Any) -> tuple[Asked, ...]:
    """The tool calls in output messages, given as JSON text or as plain values."""
    if isinstance(written, str):
        if len(written) > MAX_OUTPUT_CHARS or not ("tool" in written or "function" in written):
            return ()
        try:
            return _of_parts(_decode_parts(written))
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            pass
        try:
            written = _decode(written)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return ()
    found: list[Asked] = []
    for message in written if isinstance(written, list) else [written]:
        for part in _parts(message):
            call = _call(part)
            if call is not None:
                found.append(call)
                if len(found) == MAX_ASKED:
                    return tuple(found)
    return tuple(found)


def _of_parts(messages: list[_Message]) -> tuple[Asked, ...]:
    found: list[Asked] = []
    for message in messages:
        for part in message.parts:
            if part.type == "tool_call" and part.name is not None and len(found) < MAX_ASKED:
                text = str(part.arguments, "utf-8")
                found.append(Asked(part.id or "", part.name, None if text == "null" else text))
    return tuple(found)


def _parts(message: Any) -> list[Any]:
    """What may be a tool call: the message's parts, its `tool_calls`, or the message itself."""
    if not isinstance(message, dict):
        return []
    for key in ("parts", "tool_calls", "content"):
        parts = message.get(key)
        if isinstance(parts, list):
            if key != "tool_calls" and isinstance(message.get("tool_calls"), list):
                return [*parts, *message["tool_calls"]]
            return parts
    return [message]


def _call(part: Any) -> Asked | None:
    if not isinstance(part, dict):
        return None
    function = part.get("function")
    use: dict[str, Any] | None = None
    if isinstance(function, dict):
        use = {"id": part.get("id"), **function}
    elif part.get("type") in ("tool_call", "tool_use"):
        use = part
    else:
        use = next((part[key] for key in _USES if isinstance(part.get(key), dict)), None)
    name = use.get("name") if use else None
    if use is None or not isinstance(name, str):
        return None
    arguments = next((use[key] for key in ("arguments", "input", "args") if use.get(key) is not None), None)
    return Asked(_id(use.get("id") or use.get("toolUseId")), name, arguments)


def _id(value: Any) -> str:
    return value if isinstance(value, str) else ""


def asked_flat(attributes: Mapping[str, Any], prefix: str) -> tuple[Asked, ...]:
    """The tool calls in attributes `{prefix}{n}.message.tool_calls.{m}.tool_call.function.name`."""
    found: list[Asked] = []
    for message in range(MAX_ASKED):
        for index in range(MAX_ASKED - len(found)):
            name_key, arguments_key, id_key = _call_keys(prefix, message, index)
            if name_key not in attributes:
                break
            name = attributes.get(name_key)
            if not isinstance(name, str):
                break
            found.append(Asked(_id(attributes.get(id_key)), name, attributes.get(arguments_key)))
        if not found and _role_key(prefix, message) not in attributes:
            break
        if _role_key(prefix, message + 1) not in attributes:
            break
    return tuple(found)


@lru_cache(maxsize=4096)
def _call_keys(prefix: str, message: int, index: int) -> tuple[str, str, str]:
    """Keys of a flattened call's name, arguments and id."""
    call = f"{prefix}{message}.message.tool_calls.{index}.tool_call."
    return call + "function.name", call + "function.arguments", call + "id"


@lru_cache(maxsize=4096)
def _role_key(prefix: str, message: int) -> str:
    return f"{prefix}{message}.message.role"


def new_from_user(heard: Any) -> int:
    """How many messages of a person follow the model's last one, in a history as JSON text or plain values."""
    if isinstance(heard, str):
        begin = heard.rfind('"assistant"')
        if begin < 0:
            begin = heard.rfind('"model"')
        tail = heard[max(begin, 0) :]
        if '"user"' not in tail and '"human"' not in tail:
            return 0
        marks = [match.start() for match in _USER.finditer(tail)]
        ends = [*marks[1:], len(tail)]
        return sum(
            not any(word in tail[start:end] for word in _RESULT) for start, end in zip(marks, ends, strict=False)
        )
    count = 0
    for message in reversed(heard) if isinstance(heard, list) else ():
        role = message.get("role") if isinstance(message, dict) else None
        if role in ("assistant", "model"):
            break
        count += role in ("user", "human") and not any(word in str(message)[:4096] for word in _RESULT)
    return count


def last_flat(attributes: Mapping[str, Any], prefix: str) -> int:
    """The number of the last message in attributes `{prefix}{n}.message.role`; -1 where there is none."""
    if _role_key(prefix, 0) not in attributes:
        return -1
    low, high = 1, 2
    while high < MAX_HISTORY and _role_key(prefix, high - 1) in attributes:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        if _role_key(prefix, middle) in attributes:
            low = middle + 1
        else:
            high = middle
    return low - 1


def new_from_user_flat(attributes: Mapping[str, Any], prefix: str, last: int | None = None) -> int:
    """The same for attributes `{prefix}{n}.message.role`; `last`: their `last_flat`, where it is known."""
    count = 0
    for index in range(last_flat(attributes, prefix) if last is None else last, -1, -1):
        role = attributes.get(_role_key(prefix, index))
        if role in ("assistant", "model"):
            break
        count += role in ("user", "human")
    return count


def new_from_user_events(names: Iterable[str], user: str, assistant: str) -> int:
    """The same for span events, one a message."""
    count = 0
    for name in names:
        if name == assistant:
            count = 0
        elif name == user:
            count += 1
    return count
