"""Plays a story as spans of the OpenTelemetry SDK, on the wall clock or on one of its own.

The chat span ends before the tools that it asks for start and carries their arguments, as
real instrumentations export it; the root span ends last.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from detector.demo import conventions
from detector.demo.script import Call, Result, Story

Watch = Callable[[Call, Result], None]


class Clock(Protocol):
    """Where time comes from: nanoseconds since 1970, and a way to let seconds pass."""

    def now(self) -> int:
        """The time in nanoseconds since 1970."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""


class WallClock:
    """The machine's clock."""

    def now(self) -> int:
        """The time in nanoseconds since 1970."""
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        time.sleep(seconds)


class PaperClock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, start: int) -> None:
        self._now = start

    def now(self) -> int:
        """The time in nanoseconds since 1970."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds` at once."""
        self._now += int(seconds * 1e9)


class Player:
    """Plays one story with one tracer; `pace` multiplies all its durations."""

    def __init__(self, story: Story, tracer: Tracer, clock: Clock, pace: float = 1.0) -> None:
        self.story = story
        self._tracer = tracer
        self._clock = clock
        self._pace = pace
        self._identity = conventions.identity(story)
        self._calls = 0
        self.trace_id = ""

    def play(self, watch: Watch | None = None, stop: Callable[[], bool] = lambda: False) -> None:
        """Play it to its end, or until `stop()`; `watch` hears of every call that has ended."""
        root = self._start(*conventions.agent_span(self.story), parent=None)
        self.trace_id = trace.format_trace_id(root.get_span_context().trace_id)
        for turn in self.story.turns:
            if stop():
                break
            ids = [self._call_id() for _ in turn.calls]
            chat = self._start(*conventions.chat_span(self.story, turn, ids), parent=root)
            self._sleep(turn.seconds)
            chat.end(self._clock.now())
            for call, call_id in zip(turn.calls, ids, strict=True):
                result = self._tool(call, call_id, root)
                if watch is not None:
                    watch(call, result)
        root.end(self._clock.now())

    def _tool(self, call: Call, call_id: str, root: Span) -> Result:
        span = self._start(*conventions.tool_span(self.story, call, call_id), parent=root)
        # The larger part passes before the act: a tool starts its process and connects first.
        self._sleep(call.seconds * 0.6)
        began = self._clock.now()
        result = call.perform()
        self._sleep(call.seconds * 0.4)
        if call.inner is not None:
            name, kind, attributes = conventions.inner_span(self.story, call.inner, result)
            inner = self._start(name, kind, attributes, parent=span, at=began)
            if "error.type" in attributes:
                inner.set_status(Status(StatusCode.ERROR))
            inner.end(self._clock.now())
        span.set_attributes(conventions.tool_result(self.story, result))
        if result.failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(self._clock.now())
        return result

    def _start(
        self, name: str, kind: SpanKind, attributes: conventions.Attributes, parent: Span | None, at: int = 0
    ) -> Span:
        context = trace.set_span_in_context(parent, Context()) if parent is not None else Context()
        return self._tracer.start_span(
            name, context, kind, attributes | self._identity, start_time=at or self._clock.now()
        )

    def _call_id(self) -> str:
        self._calls += 1
        return f"call_{random.Random(f'{self.story.run}/{self._calls}').getrandbits(48):012x}"  # noqa: S311 - a story

    def _sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds * self._pace)


def tracer_of(provider: TracerProvider, story: Story) -> Tracer:
    """The tracer under whose scope the story's dialect is exported."""
    return provider.get_tracer(conventions.SCOPES[story.dialect], "1.0.0")
