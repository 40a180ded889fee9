"""What a dialect is: tables of attribute keys. The logic that reads them stands here, once.

A dialect is one file with a `DIALECT = Dialect(...)`. The first dialect, by `order`, that knows
a span takes it whole: no field of a span is ever read by two dialects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import msgspec

from detector.dialects import _messages as messages
from detector.dialects._messages import Asked
from detector.records import Span

RUN_KEYS = (
    "crewai.execution_uuid",
    "gen_ai.conversation.id",
    "session.id",
    "conversation.id",
    "gcp.vertex.agent.session_id",
    "traceloop.association.properties.thread_id",
    "traceloop.association.properties.session_id",
    "langsmith.metadata.thread_id",
    "lmnr.association.properties.session_id",
    "ai.settings.context.sessionId",
    "ai.telemetry.metadata.sessionId",
)
"""Span attributes that name a run, first match wins. Ids that name one call or one turn of a
run (`gen_ai.agent.call.id` changes when a run resumes after an approval) are left out."""


class Kind(IntEnum):
    """What a span stands for."""

    OTHER = 0
    """Of this dialect, but no event: a chain, a loop, a retriever. Its ids still carry the run."""
    TOOL = 1
    MODEL = 2
    AGENT = 3
    HTTP = 4
    DATABASE = 5
    PROCESS = 6


# Reading a member off an Enum class costs as much as reading an attribute of a span.
_OTHER, _TOOL, _MODEL, _AGENT = Kind.OTHER, Kind.TOOL, Kind.MODEL, Kind.AGENT
_ERROR = 2
"""STATUS_CODE_ERROR."""


class Seen(msgspec.Struct, gc=False):
    """A span as its dialect reads it. Texts are as they came; nothing is classified yet."""

    kind: Kind
    tool: str = ""
    call: str = ""
    """Call id; empty where there is none."""
    arguments: Any = None
    """A mapping, a str or None where the span carries none."""
    result: Any = None
    failed: bool = False
    message: str = ""
    """The error in words: error type, status message, exception."""
    status: int = 0
    """HTTP or exit status that the span itself carries; 0: none."""
    intended: bool = False
    """A start signal: the call is about to run, or is running."""
    inner: bool = False
    """A closer look at a call that another span stands for."""
    asked: tuple[Asked, ...] = ()
    """Tool calls that a model turn asked for."""
    user: int = 0
    """Messages of a person that the turn read first."""
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """Key tables of one dialect. Where a field lists several keys, the first one present wins."""

    name: str
    spec: str
    """Where the keys are from: document or source file, with version or commit."""
    kinds: Mapping[str, Kind | Mapping[str, Kind]]
    """Marks. Attribute key to kind, or to a table from the attribute's value to kind; a value
    that the table lacks is OTHER. The first key present decides; a span with none isn't ours."""
    order: int = 50
    """Dialects are asked in rising order; specific marks belong before general ones."""
    span_kinds: frozenset[int] | None = None
    """OTLP span kinds that count; the others of this dialect are OTHER. None: all."""

    tool: tuple[str, ...] = ()
    tool_prefixes: tuple[str, ...] = ()
    """Cut off the span's name where no attribute names the tool."""
    call: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    result: tuple[str, ...] = ()
    arguments_event: tuple[str, str] | None = None
    """Span event and its attribute that carry arguments where no attribute does."""
    result_event: tuple[str, str] | None = None
    fields: Mapping[Kind, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """For HTTP, DATABASE and PROCESS: argument name to attribute keys. `name` in it is the tool."""

    failed: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """Keys whose value means failure: one of the set, or any value but an empty one for None."""
    status: tuple[str, ...] = ()
    inner_kinds: frozenset[int] = frozenset()
    """OTLP span kinds whose tool spans repeat another span's call, such as a tool server's own."""
    inner_mark: str = ""
    """`inner_kinds` holds only for spans with this attribute."""
    pending: tuple[str, str] | None = None
    """Attribute and value of a span that is sent when a call starts. Its parent is the call's span."""

    output: tuple[str, ...] = ()
    """Messages that the model wrote, as JSON or structured."""
    output_event: tuple[str, str] | None = None
    output_flat: str = ""
    """Prefix of flattened messages: `{prefix}{n}.message.tool_calls.{m}.tool_call.…`."""
    input: tuple[str, ...] = ()
    input_flat: str = ""
    user_event: str = ""
    """Name of the span event that carries one message of a person."""
    assistant_event: str = ""
    tokens_in: tuple[str, ...] = ()
    tokens_out: tuple[str, ...] = ()

    def keys(self) -> frozenset[str]:
        """Every attribute key that is read by its whole name."""
        lists = (self.tool, self.call, self.arguments, self.result, self.status, self.output, self.input)
        named = {key for keys in (*lists, self.tokens_in, self.tokens_out) for key in keys}
        infra = {key for table in self.fields.values() for keys in table.values() for key in keys}
        single = {self.inner_mark, *(self.pending or ())[:1]} - {""}
        return frozenset(self.kinds) | named | infra | single | frozenset(self.failed)

    def kind_of(self, span: Span, attributes: Mapping[str, Any]) -> Kind | None:
        """The span's kind, or None where it's no span of this dialect."""
        for key, kind in self.kinds.items():
            if key in attributes:
                if self.span_kinds is not None and span.kind not in self.span_kinds:
                    return _OTHER
                if isinstance(kind, Kind):
                    return kind
                value = attributes[key]
                return kind.get(value, _OTHER) if isinstance(value, str) else _OTHER
        return None

    def read(self, span: Span, attributes: Mapping[str, Any]) -> Seen | None:
        """The span in this dialect, or None where it's no span of it.

        `attributes` holds those of the span's attributes that any dialect's `keys` name, made plain.
        """
        kind = self.kind_of(span, attributes)
        if kind is None:
            return None
        if kind is _TOOL:
            return self._tool(span, attributes)
        if kind is _MODEL:
            return self._model(span, attributes)
        seen = Seen(kind)
        if kind is not _OTHER:
            if kind is not _AGENT:
                self._infra(attributes, seen)
            self._outcome(span, attributes, seen)
            seen.intended = self._is_pending(attributes)
        return seen

    def _tool(self, span: Span, attributes: Mapping[str, Any]) -> Seen:
        seen = Seen(_TOOL)
        name = first(attributes, self.tool)
        seen.tool = name if isinstance(name, str) else self._tool_from_name(span.name)
        call = first(attributes, self.call)
        # google-adk writes "<not specified>" for a call without an id.
        seen.call = call if isinstance(call, str) and not call.startswith("<") else ""
        seen.arguments = first(attributes, self.arguments)
        if seen.arguments is None and self.arguments_event and span.events:
            seen.arguments = _from_event(span, self.arguments_event)
        seen.result = first(attributes, self.result)
        if seen.result is None and self.result_event and span.events:
            seen.result = _from_event(span, self.result_event)
        self._outcome(span, attributes, seen)
        seen.intended = self._is_pending(attributes)
        if self.inner_kinds and span.kind in self.inner_kinds:
            seen.inner = not self.inner_mark or self.inner_mark in attributes
        return seen

    def _tool_from_name(self, name: str) -> str:
        for prefix in self.tool_prefixes:
            if name.startswith(prefix):
                return name[len(prefix) :]
        return name

    def _is_pending(self, attributes: Mapping[str, Any]) -> bool:
        return self.pending is not None and attributes.get(self.pending[0]) == self.pending[1]

    def _infra(self, attributes: Mapping[str, Any], seen: Seen) -> None:
        arguments: dict[str, Any] = {}
        for argument, keys in self.fields.get(seen.kind, {}).items():
            value = first(attributes, keys)
            if value is not None:
                arguments[argument] = value
        seen.tool = str(arguments.pop("name", ""))
        seen.arguments = arguments

    def _outcome(self, span: Span, attributes: Mapping[str, Any], seen: Seen) -> None:
        failed = span.status == _ERROR
        words: list[str] = []
        for key, values in self.failed.items():
            if key in attributes:
                value = str(attributes[key])
                if value and (values is None or value.lower() in values):
                    failed = True
                    words.append(value)
        if failed:
            seen.failed = True
            for name, event in _few(span.events):
                if name == "exception":
                    words += [str(event.get("exception.type", "")), str(event.get("exception.message", ""))]
            seen.message = " ".join((span.message, *words))
        if self.status:
            seen.status = number(first(attributes, self.status))

    def _model(self, span: Span, attributes: Mapping[str, Any]) -> Seen:
        seen = Seen(_MODEL, failed=span.status == _ERROR)
        if self._is_pending(attributes):
            seen.intended = True
            return seen
        written = first(attributes, self.output)
        if written is not None:
            seen.asked = messages.asked(written)
        elif self.output_flat:
            seen.asked = messages.asked_flat(span.attributes, self.output_flat)
        elif self.output_event and span.events:
            seen.asked = messages.asked(_from_event(span, self.output_event))
        heard = first(attributes, self.input)
        if heard is not None:
            seen.user = messages.new_from_user(heard)
        elif self.input_flat:
            seen.user = messages.new_from_user_flat(span.attributes, self.input_flat)
        elif self.user_event and span.events:
            seen.user = messages.new_from_user_events(
                (name for name, _ in _few(span.events)), self.user_event, self.assistant_event
            )
        seen.tokens_in = number(first(attributes, self.tokens_in))
        seen.tokens_out = number(first(attributes, self.tokens_out))
        return seen


def first(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    """The value of the first of `keys` that is present and not None."""
    for key in keys:
        value = attributes.get(key)
        if value is not None:
            return value
    return None


def number(value: Any) -> int:
    """`value` as a count; 0 where it is none."""
    if value.__class__ is int:
        return min(max(value, 0), 2**53)
    if isinstance(value, bool) or value is None:
        return 0
    try:
        return min(max(int(value), 0), 2**53)
    except (TypeError, ValueError, OverflowError):
        return 0


MAX_EVENTS = 256
"""Span events that are looked at; a span may carry a whole conversation in them."""


def _few(events: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for index, event in enumerate(events):
        if index == MAX_EVENTS:
            return
        yield event


def _from_event(span: Span, event_and_key: tuple[str, str]) -> Any:
    name, key = event_and_key
    for found, attributes in _few(span.events):
        if found == name:
            return attributes.get(key)
    return None
