"""Mutations of what a turn says: its messages, whole or flattened, and the events of a span."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.fuzz import hostile, tree
from tests.fuzz.attributes import CALLED, MESSAGES, value
from tests.fuzz.tree import put
from tests.fuzz.wire import Tree

ODD_PARTS: list[Any] = [
    None,
    7,
    [],
    {"type": 7},
    {"type": "tool_call", "name": None},
    {"type": "tool_use", "name": "x"},
]
EVENTS = [
    "exception",
    "gen_ai.choice",
    "gen_ai.tool.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "",
    7,
    None,
]
OF_EVENTS = ["exception.message", "exception.type", "content", "message"]


def messages(rng: Random, request: Tree) -> None:
    """Turns that ask for many, broken or hostile calls; histories of any order."""
    span = tree.span(rng, request)
    put(span, "gen_ai.operation.name", "chat")
    count = rng.choice([0, 1, 1, 2, 3, 3, 33, 70])
    parts: list[Any] = [
        {"type": "tool_call", "id": f"c{n}", "name": rng.choice(CALLED), "arguments": hostile.argument(rng)}
        for n in range(min(count, 4))
    ]
    parts = (parts * 18)[:count]
    if rng.random() < 0.4:
        parts.append(rng.choice(ODD_PARTS))
    roles, under = ["assistant", "user", "human", "model", "tool", None, 7], ["parts", "content", "tool_calls"]
    said: Any = [{"role": rng.choice(roles), rng.choice(under): parts} for _ in range(rng.choice([1, 1, 2, 2, 20]))]
    try:
        written = json.dumps(said)
    except ValueError:
        written = repr(said)
    put(span, rng.choice(MESSAGES), written if rng.random() < 0.9 else written[: len(written) // 2])


def flat_messages(rng: Random, request: Tree) -> None:
    """Flattened messages with holes, long histories, and values of other types."""
    span = tree.span(rng, request)
    put(span, "openinference.span.kind", "LLM")
    prefix = rng.choice(["llm.output_messages.", "llm.input_messages."])
    for n in range(rng.choice([1, 3, 40])):
        if rng.random() < 0.9:
            role = rng.choice(["user", "assistant", "tool"]) if rng.random() < 0.9 else value(rng)
            put(span, f"{prefix}{n}.message.role", role)
        if rng.random() < 0.5:
            asked = f"{prefix}{n}.message.tool_calls.{rng.choice([0, 0, 1, 31, 10**6])}.tool_call."
            put(span, asked + "function.name", rng.choice(CALLED) if rng.random() < 0.8 else value(rng))
            put(span, asked + "function.arguments", hostile.arguments(rng) if rng.random() < 0.8 else value(rng))


def events(rng: Random, request: Tree) -> None:
    """Span events: exceptions, messages, hundreds, and what is none."""
    span = tree.span(rng, request)
    made = [
        {"name": rng.choice(EVENTS), "attributes": [{"key": rng.choice(OF_EVENTS), "value": value(rng)}]}
        for _ in range(rng.choice([1, 2, 5]))
    ]
    span["events"] = (
        made * (100 if rng.random() < 0.03 else 1) if rng.random() < 0.9 else rng.choice([None, {}, [None], [[]], "x"])
    )
    span["status"] = {"code": 2, "message": hostile.text(rng)}
