"""Messages of a turn: what was asked for, what a person said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detector.dialects import _messages as messages

CALL = {"type": "tool_call", "id": "c1", "name": "bash", "arguments": {"command": "ls"}}
USER = {"role": "user", "parts": [{"type": "text", "content": 'say "role":"user"'}]}
ASSISTANT = {"role": "assistant", "parts": [CALL]}
TOOL = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "x"}]}
ANTHROPIC_RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}]}


@pytest.mark.parametrize(
    "written",
    [
        [ASSISTANT],
        [{"role": "assistant", "parts": [{"type": "text", "content": "I will"}, CALL]}],
        [
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command":"ls"}'}}
                ],
            }
        ],
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "bash", "input": {"command": "ls"}}],
        },
        [{"toolUse": {"toolUseId": "c1", "name": "bash", "input": {"command": "ls"}}}],
    ],
)
def test_asked(written: Any) -> None:
    """Tool calls in every form, as JSON text or as values."""
    for value in (written, json.dumps(written)):
        (asked,) = messages.asked(value)
        arguments = json.loads(asked.arguments) if isinstance(asked.arguments, str) else asked.arguments
        assert (asked.call, asked.tool, arguments) == ("c1", "bash", {"command": "ls"})


@pytest.mark.parametrize(
    "written", ["", "tool", "[", '{"tool": 1}', '["tool"]', "[" * 9999 + "tool", None, 7, [None], [{"parts": [7]}]]
)
def test_nothing_asked(written: Any) -> None:
    """What holds no call gives none."""
    assert messages.asked(written) == ()


def test_asked_is_capped() -> None:
    """A turn that asks for thousands of calls is cut."""
    assert len(messages.asked(json.dumps([{"role": "assistant", "parts": [CALL] * 1000}]))) == messages.MAX_ASKED
    assert len(messages.asked([{"role": "assistant", "parts": [CALL] * 1000}])) == messages.MAX_ASKED


@pytest.mark.parametrize(
    ("history", "count"),
    [
        ([USER], 1),
        ([USER, USER], 2),
        ([USER, ASSISTANT, TOOL], 0),
        ([USER, ASSISTANT, TOOL, ASSISTANT, USER], 1),
        ([USER, ASSISTANT, ANTHROPIC_RESULT], 0),
        ([], 0),
    ],
)
def test_new_from_user(history: list[Any], count: int) -> None:
    """Messages of a person since the model's last one; tool results in a person's name aren't."""
    assert messages.new_from_user(json.dumps(history)) == count
    assert messages.new_from_user(json.dumps(history, separators=(",", ":"))) == count
    assert messages.new_from_user(history) == count


def test_flattened_messages() -> None:
    """The same from OpenInference's flattened keys, however long the history."""
    prefix, calls = "llm.input_messages.", "llm.output_messages."
    roles = ["user", *["assistant", "tool"] * 500, "user", "user"]
    attributes = {f"{prefix}{n}.message.role": role for n, role in enumerate(roles)}
    base = f"{calls}0.message.tool_calls."
    attributes |= {f"{calls}0.message.role": "assistant"}
    for n in range(2):
        attributes[f"{base}{n}.tool_call.id"] = f"c{n}"
        attributes[f"{base}{n}.tool_call.function.name"] = "bash"
        attributes[f"{base}{n}.tool_call.function.arguments"] = "{}"

    assert messages.new_from_user_flat(attributes, prefix) == 2
    assert messages.new_from_user_flat({}, prefix) == 0
    assert messages.last_flat(attributes, prefix) == len(roles) - 1
    assert messages.last_flat({}, prefix) == -1
    assert [asked.call for asked in messages.asked_flat(attributes, calls)] == ["c0", "c1"]
    assert messages.asked_flat({}, calls) == ()


def test_messages_as_span_events() -> None:
    """One event a message: those of a person after the model's last."""
    names = ["system", "user", "assistant", "tool", "user"]

    assert messages.new_from_user_events(names, "user", "assistant") == 1
