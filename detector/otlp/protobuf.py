"""OTLP's protobuf to spans.

upb parses the bytes into messages with maps of attributes (see `protobuf_messages`), and only what
somebody asks for becomes Python values. What stands under a key that isn't UTF-8 can't be looked up,
and reads as if it weren't there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from google.protobuf.message import DecodeError

from detector.errors import Drop
from detector.otlp.limits import MAX_DEPTH, UNCOUNTED_BYTES, first
from detector.otlp.protobuf_messages import ArrayValue, EventMessage, Items, KeyValueList, Request, ResourceMessage
from detector.records import Resource, Span

MAX_NESTED_BYTES = 1024 * 1024
"""Of a list or map that is parsed; a larger one reads as None."""

MAX_KNOWN_RESOURCE_BYTES = 8192

MAX_MESSAGES = 524_288
"""Groups and spans of a request that are parsed, since they are in memory all at once."""


def spans(value: bytes, most: int, faults: dict[str, int]) -> Iterator[Span]:
    """The first `most` spans in `value`; `faults` counts the others as `too_many_spans`.

    Raises Drop with `truncated_protobuf`, `not_otlp` or `too_many_spans`.
    """
    try:
        if len(value) > UNCOUNTED_BYTES and _crowded(value):
            raise Drop("too_many_spans", f"expected at most {MAX_MESSAGES} groups and spans in a request, came more")
        request = Request.FromString(value)
    except DecodeError:
        raise _why(value) from None
    resource_spans = request.resource_spans
    if not resource_spans:
        raise Drop("not_otlp", f"expected field 1, ResourceSpans, came none in {len(value)} bytes")
    for group in resource_spans:
        resource = _resource(group.resource)
        for scope_spans in group.scope_spans:
            scope = _text(scope_spans.scope.name)
            found = first(scope_spans.spans, most, faults)
            most -= len(found)
            for span in found:
                name, status = span.name, span.status
                message = status.message
                yield Span(
                    span.trace_id,
                    span.span_id,
                    span.parent_span_id,
                    name if name.__class__ is str else _text(name),
                    span.kind,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    status.code,
                    _Attributes(span.attributes),  # type: ignore[arg-type]  # registered as a Mapping
                    _Events(span),  # type: ignore[arg-type]  # registered as a Sequence
                    resource,
                    scope,
                    message if message.__class__ is str else _text(message),
                )


def _crowded(value: bytes) -> bool:
    """Whether the request holds more than MAX_MESSAGES, by a parse that makes none of them."""
    groups = Items.FromString(value).first
    count = len(groups)
    for group in groups:
        if count > MAX_MESSAGES:
            break
        scopes = Items.FromString(group).second
        count += len(scopes)
        for scope in scopes:
            if count > MAX_MESSAGES:
                break
            count += len(Items.FromString(scope).second)
    return count > MAX_MESSAGES


def _why(value: bytes) -> Drop:
    # Field 1, length-delimited, is how every request begins.
    reason = "truncated_protobuf" if value[:1] == b"\x0a" else "not_otlp"
    return Drop(reason, f"expected an ExportTraceServiceRequest, came {len(value)} bytes that are none")


def _resource(message: Any) -> Resource:
    value = message.SerializeToString()
    return _known_resource(value) if len(value) <= MAX_KNOWN_RESOURCE_BYTES else _new_resource(value)


def _new_resource(value: bytes) -> Resource:
    return Resource(dict(_Attributes(ResourceMessage.FromString(value).attributes)))


_known_resource = lru_cache(maxsize=1024)(_new_resource)
"""By bytes, since a process sends the same ones with every request."""


# --- values -----------------------------------------------------------------------------


@Mapping.register
class _Attributes(msgspec.Struct, gc=False, eq=False):
    """Attributes of a message, made into Python values as they are asked for. A Mapping in all but its base:
    a Struct is made in a third of the time, and each span has one.
    """

    map: Any

    def pick(self, keys: frozenset[str]) -> dict[str, Any]:
        """The attributes among `keys` that have a value."""
        values = self.map
        picked = {}
        for key in values:
            if key in keys:
                value = values[key]
                # Of a oneof at most one is set, so reading on where nothing was found is cheaper than asking which.
                plain = value.string_value or value.int_value
                if not plain or plain.__class__ is bytes:
                    plain = _plain(value)
                    if plain is None:
                        continue
                picked[key] = plain
        return picked

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self.map:
            return default
        value = self.map[key]
        text = value.string_value
        return text if text and text.__class__ is str else _plain(value)

    def __getitem__(self, key: str) -> Any:
        if key not in self.map:
            raise KeyError(key)
        return _plain(self.map[key])

    def __contains__(self, key: object) -> bool:
        return key in self.map

    def __iter__(self) -> Iterator[str]:
        return (key for key in self.map if key.__class__ is str)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys(self) -> Iterator[str]:
        """The keys, in no order."""
        return iter(self)


@Sequence.register
class _Events(msgspec.Struct, gc=False, eq=False):
    """Span events, touched only where a dialect reads them."""

    span: Any

    def __getitem__(self, index: int) -> tuple[str, Mapping[str, Any]]:
        try:
            event = EventMessage.FromString(self.span.events[index])
        except DecodeError:
            return "", {}
        return _text(event.name), _Attributes(event.attributes)  # type: ignore[return-value]

    def __len__(self) -> int:
        return len(self.span.events)


def _text(value: str | bytes) -> str:
    # upb gives bytes for a proto2 string that isn't UTF-8.
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    which = value.WhichOneof("value")
    if which == "string_value":
        return _text(value.string_value)
    if which is None or depth == 0:
        return None
    plain = getattr(value, which)
    return _nested(which, plain, depth - 1) if which in ("array_value", "kvlist_value") else plain


def _nested(which: str, value: bytes, depth: int) -> Any:
    """A list or a map; None where it is no such message."""
    if len(value) > MAX_NESTED_BYTES:
        return None
    try:
        if which == "array_value":
            return [_inner(item, depth) for item in ArrayValue.FromString(value).values]
        items = KeyValueList.FromString(value).values
        return {key: _inner(items[key], depth) for key in items if isinstance(key, str)}
    except DecodeError:
        return None


def _inner(value: Any, depth: int) -> Any:
    """A value in a list or map. Bytes become text: written as JSON they would read like their base64."""
    plain = _plain(value, depth)
    return plain.decode("utf-8", "replace") if plain.__class__ is bytes else plain
