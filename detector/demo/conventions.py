"""The attributes of a story's spans in each dialect that the fleet speaks.

genai: OpenTelemetry GenAI conventions, current keys. genai-old: the same with the keys that
they replaced (`gen_ai.system`, token names, HTTP and DB names of before 1.26).
openinference: Arize OpenInference. Keys as in real exports of pydantic-ai, OpenAI Agents and
claude-agent-sdk under these instrumentations.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from opentelemetry.trace import SpanKind

from detector.demo.script import Call, Inner, Result, Story, Turn

Attributes = dict[str, str | int | bool]

SCOPES = {
    "genai": "opentelemetry.instrumentation.agents",
    "genai-old": "opentelemetry.instrumentation.agents",
    "openinference": "openinference.instrumentation.agents",
}
PROVIDERS = ("anthropic", "openai", "gcp.vertex_ai", "aws.bedrock", "mistral_ai")

_OLD_KEYS = {
    "http.request.method": "http.method",
    "url.full": "http.url",
    "http.response.status_code": "http.status_code",
    "server.address": "net.peer.name",
    "db.system.name": "db.system",
    "db.query.text": "db.statement",
    "db.namespace": "db.name",
    "db.operation.name": "db.operation",
}


def identity(story: Story) -> Attributes:
    """What names the run on each of its spans; nothing where it goes by its trace alone."""
    if story.identity == "trace":
        return {}
    return {"session.id" if story.dialect == "openinference" else "gen_ai.conversation.id": story.run}


def agent_span(story: Story) -> tuple[str, SpanKind, Attributes]:
    """Name, kind and attributes of the run's root span."""
    if story.dialect == "openinference":
        return story.agent, SpanKind.INTERNAL, {"openinference.span.kind": "AGENT", "agent.name": story.agent}
    operation: Attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": story.agent}
    return f"invoke_agent {story.agent}", SpanKind.INTERNAL, operation


def chat_span(story: Story, turn: Turn, ids: Sequence[str]) -> tuple[str, SpanKind, Attributes]:
    """Name, kind and attributes of a model turn; `ids` are the ids of the calls that it asks for."""
    if story.dialect == "openinference":
        return "llm", SpanKind.INTERNAL, _openinference_chat(turn, ids)
    old = story.dialect == "genai-old"
    provider = PROVIDERS[len(story.agent) % len(PROVIDERS)]
    parts = [{"type": "text", "content": turn.says}] if turn.says else []
    asked = [
        {"type": "tool_call", "id": call_id, "name": call.tool, "arguments": dict(call.arguments)}
        for call_id, call in zip(ids, turn.calls, strict=True)
    ]
    attributes: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system" if old else "gen_ai.provider.name": provider,
        "gen_ai.usage.prompt_tokens" if old else "gen_ai.usage.input_tokens": 900 + 7 * len(str(turn)),
        "gen_ai.usage.completion_tokens" if old else "gen_ai.usage.output_tokens": 20 + len(str(asked)) // 3,
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts + asked}]),
    }
    if turn.heard:
        heard = [{"role": "user", "parts": [{"type": "text", "content": text}]} for text in turn.heard]
        attributes["gen_ai.input.messages"] = json.dumps(heard)
    return f"chat {provider}", SpanKind.CLIENT, attributes


def _openinference_chat(turn: Turn, ids: Sequence[str]) -> Attributes:
    attributes: Attributes = {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt": 900 + 7 * len(str(turn)),
        "llm.token_count.completion": 20 + len(str(turn.calls)) // 3,
        "llm.output_messages.0.message.role": "assistant",
    }
    if turn.says:
        attributes["llm.output_messages.0.message.content"] = turn.says
    for number, text in enumerate(turn.heard):
        attributes[f"llm.input_messages.{number}.message.role"] = "user"
        attributes[f"llm.input_messages.{number}.message.content"] = text
    for number, (call_id, call) in enumerate(zip(ids, turn.calls, strict=True)):
        base = f"llm.output_messages.0.message.tool_calls.{number}.tool_call"
        attributes[f"{base}.id"] = call_id
        attributes[f"{base}.function.name"] = call.tool
        attributes[f"{base}.function.arguments"] = json.dumps(dict(call.arguments))
    return attributes


def tool_span(story: Story, call: Call, call_id: str) -> tuple[str, SpanKind, Attributes]:
    """Name, kind and attributes of a tool call before it has run."""
    arguments = json.dumps(dict(call.arguments))
    if story.dialect == "openinference":
        return (
            call.tool,
            SpanKind.INTERNAL,
            {
                "openinference.span.kind": "TOOL",
                "tool.name": call.tool,
                "tool.id": call_id,
                "input.value": arguments,
                "input.mime_type": "application/json",
            },
        )
    return (
        f"execute_tool {call.tool}",
        SpanKind.INTERNAL,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.tool,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": call_id,
            "gen_ai.tool.call.arguments": arguments,
        },
    )


def tool_result(story: Story, result: Result) -> Attributes:
    """What a tool's span gains when the call has ended."""
    key = "output.value" if story.dialect == "openinference" else "gen_ai.tool.call.result"
    attributes: Attributes = {key: result.text}
    if result.failed and story.dialect != "openinference":
        attributes["error.type"] = result.failed
    return attributes


def inner_span(story: Story, inner: Inner, result: Result) -> tuple[str, SpanKind, Attributes]:
    """Name, kind and attributes of the HTTP or database request that a tool made."""
    attributes: Attributes = dict(inner.attributes)
    if inner.kind == "http":
        name = inner.attributes["http.request.method"]
        attributes["http.response.status_code"] = result.status
        if result.status >= 400:
            attributes["error.type"] = str(result.status)
    else:
        name = inner.attributes["db.operation.name"]
        if result.failed:
            attributes["error.type"] = result.failed
    if story.dialect == "genai-old":
        attributes = {_OLD_KEYS.get(key, key): value for key, value in attributes.items()}
    return name, SpanKind.CLIENT, attributes
