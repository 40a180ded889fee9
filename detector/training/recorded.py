"""Recorded runs as OTLP: a JSON object a run, turned into the requests that its agent would have sent.

A file is `*.jsonl[.gz]`, a run a line: `{run_id, workflow, steps}`. A step has `kind` (`user`,
`llm` or `tool`), a tool step `tool_name`, `arguments`, `error` and, where known, `ts`, `ts_end`
(ISO 8601), `result_excerpt`, `exit_code`; user and llm steps keep their text in `result_excerpt`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

START_NS = 1_767_225_600_000_000_000
"""2026-01-01, for runs without a clock of their own."""
TURN_NS, TOOL_NS = 2_500_000_000, 300_000_000
SPANS = 512
"""In a request at most: what an SDK's batch processor sends by default."""


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, gzipped or not."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        yield from file


def requests(run: dict[str, Any]) -> Iterator[bytes]:
    """The run as ExportTraceServiceRequests in OTLP/JSON, spans in the order in which they end."""
    attributes = _attributes({"service.name": run["workflow"], "agent.workflow": run["workflow"]})
    every = _spans(run)
    for start in range(0, len(every), SPANS):
        scope = {"scope": {"name": "recorded"}, "spans": every[start : start + SPANS]}
        yield msgspec.json.encode({"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [scope]}]})


def steps_of(run: dict[str, Any]) -> dict[bytes, list[int]]:
    """The steps of the recording that each span of `requests` tells of, by span id: of a model's turn the calls that
    it asks for, of a tool's span its own.
    """
    told: dict[bytes, list[int]] = {}
    for _, _, calls in _turns(run["steps"]):
        told[_span_id(len(told))] = [call["step"] for call in calls]
        for call in calls:
            told[_span_id(len(told))] = [call["step"]]
    return told


def _span_id(n: int) -> bytes:
    """Of the n-th span; the root's is 1."""
    return (n + 2).to_bytes(8, "big")


def _spans(run: dict[str, Any]) -> list[dict[str, Any]]:
    trace = hashlib.sha256(run["run_id"].encode()).hexdigest()[:32]
    out: list[dict[str, Any]] = []
    now = began = _began(run)

    def emit(name: str, start: int, end: int, attributes: dict[str, Any], *, failed: bool = False) -> None:
        out.append({
            "traceId": trace, "spanId": _span_id(len(out)).hex(), "parentSpanId": f"{1:016x}", "name": name, "kind": 1,
            "startTimeUnixNano": str(start), "endTimeUnixNano": str(end), "status": {"code": 2} if failed else {},
            "attributes": _attributes({**attributes, "gen_ai.conversation.id": run["run_id"]}),
        })  # fmt: skip

    for heard, said, calls in _turns(run["steps"]):
        now = max(now, *(_ns(call, "ts") or 0 for call in calls), 0) if calls else now
        emit("chat", now, now + TURN_NS, _chat(heard, said, calls))
        now += TURN_NS
        for call in calls:
            start, end = _ns(call, "ts"), _ns(call, "ts_end")
            took = max(end - start, 1) if start and end else TOOL_NS
            emit(f"execute_tool {call['tool_name']}", now, now + took, _tool(call), failed=bool(call.get("error")))
            now += took
    emit("invoke_agent", began, now, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": run["workflow"]})
    out[-1]["spanId"], out[-1]["parentSpanId"] = f"{1:016x}", ""
    return out


Turn = tuple[list[str], str, list[dict[str, Any]]]


def _turns(steps: list[dict[str, Any]]) -> list[Turn]:
    """(what people said before it, what the model said, the calls that it asked for) of each model turn."""
    turns: list[Turn] = []
    heard: list[str] = []
    for n, step in enumerate(steps):
        text = step.get("result_excerpt") or ""
        if step["kind"] == "user":
            heard.append(text)
            continue
        # A call behind a result was asked for after it, also where the model said nothing in between.
        if step["kind"] == "llm" or not turns or heard or turns[-1][2]:
            turns.append((heard, text if step["kind"] == "llm" else "", []))
            heard = []
        if step["kind"] == "tool":
            turns[-1][2].append({**step, "step": n, "id": f"call_{n}"})
    return turns


def _chat(heard: list[str], said: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
    asked = [
        {"type": "tool_call", "id": c["id"], "name": c["tool_name"], "arguments": c.get("arguments") or {}}
        for c in calls
    ]
    text = [{"type": "text", "content": said}] if said else []
    read = [{"role": "user", "parts": [{"type": "text", "content": t}]} for t in heard]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": text + asked}]),
        **({"gen_ai.input.messages": json.dumps(read)} if read else {}),
    }


def _tool(call: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call["tool_name"],
        "gen_ai.tool.call.id": call["id"],
        "gen_ai.tool.call.arguments": json.dumps(call.get("arguments") or {}),
    }
    if call.get("result_excerpt"):
        attributes["gen_ai.tool.call.result"] = call["result_excerpt"]
    if call.get("error"):
        attributes["error.type"] = "tool_error"
    if call.get("exit_code") is not None:
        attributes["process.exit.code"] = int(call["exit_code"])
    return attributes


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]


def _began(run: dict[str, Any]) -> int:
    return next((at for step in run["steps"] if (at := _ns(step, "ts"))), START_NS)


def _ns(step: dict[str, Any], key: str) -> int:
    """An ISO 8601 time in ns, read as UTC where it has no zone; 0 where there is none."""
    if not step.get(key):
        return 0
    at = datetime.fromisoformat(step[key])
    whole = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86_400 + whole.seconds) * 1_000_000_000 + whole.microseconds * 1_000
