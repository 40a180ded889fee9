"""A dialect's tables, worked out for spans that have the same attribute keys, and the reading of such spans.

The spans that one library sends of one kind have the same keys, so which key a field stands under
is asked once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from detector.dialects import _heard as heard
from detector.dialects import _messages as messages
from detector.dialects._seen import Kind, Seen
from detector.records import Span

if TYPE_CHECKING:
    from detector.dialects.base import Dialect

MAX_EVENTS = 256
"""Span events that are looked at; a span may carry a whole conversation in them."""

MAX_NUMBER = 2**53

# Reading a member off an Enum class costs as much as reading an attribute of a span.
_OTHER, _TOOL, _MODEL, _AGENT = Kind.OTHER, Kind.TOOL, Kind.MODEL, Kind.AGENT
_ERROR = 2
"""STATUS_CODE_ERROR."""


class Layout(msgspec.Struct, kw_only=True):
    """Where the fields of a span stand, of spans with the same keys. An empty key: nowhere."""

    dialect: Dialect
    mark: str
    kind: Kind | Mapping[str, Kind]
    tool: str
    call: str
    arguments: str
    result: str
    status: str
    output: str
    input: str
    tokens_in: str
    tokens_out: str
    fields: Mapping[Kind, tuple[tuple[str, str], ...]]
    """Of HTTP, DATABASE and PROCESS: argument names with their keys."""
    failed: tuple[tuple[str, frozenset[str] | None], ...]
    pending: tuple[str, str] | None
    inner: bool
    """Whether a span of one of the dialect's `inner_kinds` repeats another span's call."""

    def read(self, span: Span, attributes: Mapping[str, Any]) -> Seen:
        """The span in the dialect. `attributes` has just the keys that this layout is for."""
        kind = self.kind
        if kind.__class__ is not Kind:
            value = attributes[self.mark]
            kind = kind.get(value, _OTHER) if isinstance(value, str) else _OTHER  # type: ignore[union-attr]
        kinds = self.dialect.span_kinds
        if kind is _OTHER or (kinds is not None and span.kind not in kinds):
            return Seen(_OTHER)
        seen = Seen(kind)
        if self.pending:
            seen.intended = attributes[self.pending[0]] == self.pending[1]
        if kind is _MODEL:
            seen.failed = span.status == _ERROR
            if not seen.intended:
                self._model(span, attributes, seen)
            return seen
        if kind is _TOOL:
            self._tool(span, attributes, seen)
        elif kind is not _AGENT:
            arguments = {argument: attributes[key] for argument, key in self.fields.get(seen.kind, ())}
            seen.tool = str(arguments.pop("name", ""))
            seen.arguments = arguments
        if span.status == _ERROR or self.failed:
            self._failure(span, attributes, seen)
        if self.status:
            seen.status = number(attributes[self.status])
        return seen

    def _tool(self, span: Span, attributes: Mapping[str, Any], seen: Seen) -> None:
        dialect = self.dialect
        name = attributes[self.tool] if self.tool else None
        seen.tool = name if isinstance(name, str) else _without_prefix(span.name, dialect.tool_prefixes)
        if self.call:
            call = attributes[self.call]
            # google-adk writes "<not specified>" for a call without an id.
            if isinstance(call, str) and call[:1] != "<":
                seen.call = call
        if self.arguments:
            seen.arguments = attributes[self.arguments]
        elif dialect.arguments_event and span.events:
            seen.arguments = _from_event(span, dialect.arguments_event)
        if self.result:
            seen.result = attributes[self.result]
        elif dialect.result_event and span.events:
            seen.result = _from_event(span, dialect.result_event)
        if self.inner:
            seen.inner = span.kind in dialect.inner_kinds

    def _failure(self, span: Span, attributes: Mapping[str, Any], seen: Seen) -> None:
        failed = span.status == _ERROR
        words: list[str] = []
        for key, values in self.failed:
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

    def _model(self, span: Span, attributes: Mapping[str, Any], seen: Seen) -> None:
        dialect = self.dialect
        if self.output:
            seen.asked = messages.asked(attributes[self.output])
        elif dialect.output_flat:
            seen.asked = messages.asked_flat(span.attributes, dialect.output_flat)
        elif dialect.output_event and span.events:
            seen.asked = messages.asked(_from_event(span, dialect.output_event))
        self._heard(span, attributes, seen)
        if self.tokens_in:
            seen.tokens_in = number(attributes[self.tokens_in])
        if self.tokens_out:
            seen.tokens_out = number(attributes[self.tokens_out])

    def _heard(self, span: Span, attributes: Mapping[str, Any], seen: Seen) -> None:
        """What the turn read, by whichever way the span has it."""
        dialect = self.dialect
        if self.input:
            history = attributes[self.input]
            seen.user = messages.new_from_user(history)
            seen.results = heard.results(history)
            if seen.user:
                seen.said, seen.told = heard.heard(history)
        elif dialect.input_flat and (last := messages.last_flat(span.attributes, dialect.input_flat)) >= 0:
            seen.user = messages.new_from_user_flat(span.attributes, dialect.input_flat, last)
            (seen.said, seen.told), seen.results = heard.heard_flat(
                span.attributes, dialect.input_flat, last, spoken=seen.user > 0
            )
        elif dialect.user_event and span.events:
            names = [name for name, _ in _few(span.events)]
            seen.user = messages.new_from_user_events(names, dialect.user_event, dialect.assistant_event)
            seen.wordless = dialect.user_event not in names and dialect.assistant_event not in names
            if seen.user:
                seen.said, seen.told = heard.heard_events(_few(span.events), dialect.user_event)
        else:
            seen.wordless = True
        if seen.said and dialect.setup:
            seen.told += heard.instructions(span.attributes.get(dialect.setup))


def _without_prefix(name: str, prefixes: tuple[str, ...]) -> str:
    for prefix in prefixes:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def number(value: Any) -> int:
    """`value` as a count; 0 where it is none."""
    if value.__class__ is int and 0 <= value <= MAX_NUMBER:
        return value
    if isinstance(value, bool) or value is None:
        return 0
    try:
        return min(max(int(value), 0), MAX_NUMBER)
    except (TypeError, ValueError, OverflowError):
        return 0


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
