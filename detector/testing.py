"""Fakes for tests of one's own: actions, spans, a clock, an enforcer that records.

>>> from detector.testing import Spans
>>> request = Spans("my-agent").tool("read_file", {"path": "README.md"}).request()
>>> from detector.read import Reader
>>> [type(event).__name__ for batch in Reader(b"").read(request).batches for event in batch.events]
['Action']
"""

from __future__ import annotations

import itertools
import json
from typing import Any, Self

import msgspec

from detector.config import Settings
from detector.control.enforcers.base import Enforcer
from detector.control.enforcers.base import Outcome as Result
from detector.control.enforcers.base import Result as Done
from detector.records import Action, Command, Does, Environment, Event, Outcome, Phase, RunEvents

EPOCH_NS = 1_780_000_000_000_000_000
SECOND_NS = 1_000_000_000


class Clock:
    """A clock that stands still until it is moved; nanoseconds."""

    def __init__(self, now: int = EPOCH_NS) -> None:
        self.now = now

    def __call__(self) -> int:
        """The time, ns."""
        return self.now

    def move(self, seconds: float) -> int:
        """Moves the clock and returns the time, ns."""
        self.now += int(seconds * SECOND_NS)
        return self.now


_ids = itertools.count(1)


def act(
    tool: str = "tool",
    does: Does = Does.READ,
    *,
    env: Environment = Environment(0),  # noqa: B008 - an immutable flag
    outcome: Outcome = Outcome.OK,
    phase: Phase = Phase.DONE,
    **fields: Any,
) -> Action:
    """An action with ids of its own, a second after the one before it."""
    number = next(_ids)
    defaults: dict[str, Any] = {
        "span": number.to_bytes(8, "big"),
        "trace": bytes(15) + b"\1",
        "at": EPOCH_NS + number * SECOND_NS,
        "shape": number,
    }
    return Action(
        **(defaults | fields), tool=tool, does=int(does), env=int(env), outcome=int(outcome), phase=int(phase)
    )


def record(*events: Event, run: str = "run-1", workflow: str = "testing", **fields: Any) -> RunEvents:
    """A run-log record with these events."""
    return RunEvents(run, list(events), workflow=workflow, workflow_rank=0, **fields)


class Spans:
    """Builds an ExportTraceServiceRequest in the GenAI conventions, span by span, as OTLP/JSON."""

    def __init__(self, service: str, run: str = "conversation-1", trace: int = 1, **resource: str) -> None:
        self.run = run
        self._trace = f"{trace:032x}"
        self._resource = {"service.name": service, **{k.replace("__", "."): v for k, v in resource.items()}}
        self._now = EPOCH_NS
        self._spans: list[dict[str, Any]] = []

    def tool(
        self, name: str, arguments: dict[str, Any], result: str = "", *, call: str = "", failed: bool = False
    ) -> Self:
        """A tool call that has ended."""
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.arguments": json.dumps(arguments),
        }
        if call:
            attributes["gen_ai.tool.call.id"] = call
        if result:
            attributes["gen_ai.tool.call.result"] = result
        return self.span(f"execute_tool {name}", attributes, failed=failed)

    def chat(self, **calls: tuple[str, dict[str, Any]]) -> Self:
        """A model turn that asks for tools: `chat(call_1=("read_file", {"path": "a"}))`."""
        parts = [{"type": "tool_call", "id": i, "name": n, "arguments": a} for i, (n, a) in calls.items()]
        said = json.dumps([{"role": "assistant", "parts": parts}])
        return self.span("chat", {"gen_ai.operation.name": "chat", "gen_ai.output.messages": said})

    def span(self, name: str, attributes: dict[str, str], *, failed: bool = False, **fields: Any) -> Self:
        """Any span, a second long, after the one before it."""
        start, self._now = self._now, self._now + SECOND_NS
        self._spans.append({
            "traceId": self._trace,
            "spanId": f"{int(self._trace, 16) % 2**31:08x}{len(self._spans) + 1:08x}",
            "name": name,
            "kind": 1,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(self._now),
            "attributes": _attributes({"gen_ai.conversation.id": self.run, **attributes}),
            "status": {"code": 2} if failed else {},
            **fields,
        })  # fmt: skip
        return self

    def request(self) -> bytes:
        """The request with the spans so far; the next one begins empty."""
        scope = {"scope": {"name": "detector.testing"}, "spans": self._spans}
        resource = {"attributes": _attributes(self._resource)}
        self._spans = []
        return msgspec.json.encode({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]})


def _attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


class RecordingEnforcer(Enforcer):
    """An enforcer that does nothing and remembers everything that it was to carry out."""

    name = "recording"

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Command] = []

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """One for any settings."""
        del settings
        return cls()

    async def act(self, command: Command) -> Result:
        """Remembers the command; its outcome is `done`."""
        self.commands.append(command)
        return Result(Done.DONE)
