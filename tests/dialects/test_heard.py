"""What a turn read: people's words, set-ups, and results that stand only in its messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detector.dialects._heard import MAX_HISTORY_CHARS, Heard, heard, heard_events, heard_flat, instructions, results

SYSTEM = {"role": "system", "content": "You are a clerk."}
ANTHROPIC = {
    "role": "user",
    "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}, {"type": "text", "text": "go on"}],
}
FIRST = {"role": "user", "parts": [{"type": "text", "content": "Pay bob"}]}
MODEL = {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "pay", "arguments": {"to": "bob"}}]}
TOOL = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "paid"}]}
SECOND = {"role": "user", "content": "Thanks"}


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([FIRST], Heard(("Pay bob",))),
        ([SYSTEM, FIRST, MODEL, TOOL, MODEL, SECOND], Heard(("Thanks", "Pay bob"), ("You are a clerk.",))),
        ([FIRST, MODEL, ANTHROPIC], Heard(("go on", "Pay bob"))),
        ([{"role": "human", "content": ["a", {"text": "b"}, 7]}], Heard(("a", "b"))),
        ([], Heard()),
        ([None, 7, {"role": "user"}], Heard()),
    ],
)
def test_heard(history: Any, expected: Heard) -> None:
    """The newest message first, in every form, as JSON text or as values; what tools said is no person's word."""
    assert heard(history) == expected
    assert heard(json.dumps(history)) == expected


@pytest.mark.parametrize("history", ["", "[", "{", '{"role": "user"}', None, 7, "[" * 9999])
def test_nothing_heard(history: Any) -> None:
    """What is no list of messages says nothing."""
    assert heard(history) == Heard()


@pytest.mark.parametrize("length", [10, MAX_HISTORY_CHARS])
def test_a_history_that_can_not_be_parsed_is_read_at_its_end(length: int) -> None:
    """Cut short by a limit, or too long: the newest message counts, and no result does."""
    text = json.dumps([FIRST, {"role": "assistant", "content": "x" * length}, TOOL, SECOND])
    cut = text if length == MAX_HISTORY_CHARS else text[:-3]
    (said,), told = heard(cut)
    assert "Thanks" in said
    assert "paid" not in said
    assert told == ()


def test_results_follow_the_model() -> None:
    """Those of the last calls, and nothing that the model had written."""
    for history in ([FIRST, MODEL, TOOL], json.dumps([FIRST, MODEL, TOOL])):
        assert "paid" in results(history)
        assert "bob" not in results(history)
    assert results([FIRST, MODEL, TOOL, MODEL, SECOND]) == ""
    assert results(json.dumps([FIRST, MODEL, TOOL, MODEL, SECOND])) == ""
    assert results(None) == ""


def test_flattened_messages() -> None:
    """OpenInference's keys; nothing before the model's last message is read where nobody has spoken."""
    said = [
        ("system", "content", "You are a clerk."),
        ("user", "contents.0.message_content.text", "Pay bob"),
        ("assistant", "content", "ok"),
        ("tool", "content", "paid"),
    ]
    attributes: dict[str, str] = {}
    for n, (role, key, text) in enumerate(said):
        attributes |= {f"in.{n}.message.role": role, f"in.{n}.message.{key}": text}

    assert heard_flat(attributes, "in.", 3, spoken=True) == (Heard(("Pay bob",), ("You are a clerk.",)), "paid")
    assert heard_flat(attributes, "in.", 3, spoken=False) == (Heard(), "paid")
    assert heard_flat(attributes, "in.", 1, spoken=True)[1] == ""


def test_messages_as_span_events() -> None:
    """One event a message, its content as text or as JSON."""
    events = [
        ("user", {"content": "Pay bob"}),
        ("model", {"content": "ok"}),
        ("user", {"content": '[{"text": "Thanks"}]'}),
    ]
    assert heard_events(events, "user") == Heard(("Thanks", "Pay bob"))


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ('[{"type": "text", "content": "a"}]', ("a",)),
        ("a", ("a",)),
        ("[a", ("[a",)),
        (None, ()),
        ([{"content": "a"}], ("a",)),
    ],
)
def test_instructions(value: Any, texts: tuple[str, ...]) -> None:
    """A system prompt of its own, in any form."""
    assert instructions(value) == texts
