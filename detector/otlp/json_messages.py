"""OTLP/JSON as typed messages, and their attributes as plain values, made as they are asked for.

Source: opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding".
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from detector.otlp.limits import MAX_DEPTH


class _Struct(msgspec.Struct, rename="camel", gc=False):
    pass


class _ArrayValue(_Struct):
    values: list[_AnyValue] | None = None


class _KeyValueList(_Struct):
    values: list[KeyValue] | None = None


class _AnyValue(_Struct):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | float | str | None = None
    double_value: float | str | None = None
    array_value: _ArrayValue | None = None
    kvlist_value: _KeyValueList | None = None
    bytes_value: str | None = None


class KeyValue(_Struct):
    """An attribute."""

    key: str = ""
    value: _AnyValue | None = None


class EventMessage(_Struct):
    """An event of a span."""

    name: str | None = None
    attributes: list[KeyValue] | None = None


class _Status(_Struct):
    code: int | str | None = None
    message: str | None = None


class SpanMessage(_Struct):
    """A span."""

    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    kind: int | str | None = None
    start_time_unix_nano: int | float | str | None = None
    end_time_unix_nano: int | float | str | None = None
    attributes: list[KeyValue] | None = None
    events: list[EventMessage] | None = None
    status: _Status | None = None


class Scope(_Struct):
    """What made the spans of a group."""

    name: str | None = None


class ResourceMessage(_Struct):
    """What sent them."""

    attributes: list[KeyValue] | None = None


class ScopeSpans(_Struct):
    """Spans of one scope."""

    scope: Scope | None = None
    spans: list[SpanMessage] | None = None


class ResourceSpans(_Struct):
    """Spans of one resource."""

    resource: ResourceMessage | None = None
    scope_spans: list[ScopeSpans] | None = None


class Request(_Struct):
    """An `ExportTraceServiceRequest`."""

    resource_spans: list[ResourceSpans] | None = None


class Attributes(Mapping[str, Any]):
    """Attributes by key, made plain as they are asked for."""

    __slots__ = ("_map",)

    def __init__(self, values: dict[str, _AnyValue | None]) -> None:
        self._map = values

    def pick(self, keys: frozenset[str]) -> dict[str, Any]:
        """The attributes among `keys` that have a value."""
        picked = {}
        for key, value in self._map.items():
            if key in keys and value is not None:
                text = value.string_value
                plain = text if text is not None else _plain(value, MAX_DEPTH)
                if plain is not None:
                    picked[key] = plain
        return picked

    def get(self, key: str, default: Any = None) -> Any:
        """The plain value under `key`."""
        value = self._map.get(key)
        if value is None:
            return default
        text = value.string_value
        return text if text is not None else _plain(value, MAX_DEPTH)

    def __getitem__(self, key: str) -> Any:
        return _plain(self._map[key], MAX_DEPTH)

    def __contains__(self, key: object) -> bool:
        return key in self._map

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)


class Events(Sequence[tuple[str, Mapping[str, Any]]]):
    """Span events, made plain where a dialect reads them."""

    __slots__ = ("_events",)

    def __init__(self, events: list[EventMessage]) -> None:
        self._events = events

    def __getitem__(self, index: Any) -> Any:
        event = self._events[index]
        return event.name or "", attributes_of(event.attributes)

    def __len__(self) -> int:
        return len(self._events)


def attributes_of(values: list[KeyValue] | None) -> Attributes:
    """The attributes, by key; of a key that is there twice, the last."""
    return Attributes({item.key: item.value for item in values} if values else {})


def _plain(value: _AnyValue | None, depth: int) -> Any:
    if value is None or depth == 0:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.bool_value is not None:
        return value.bool_value
    if value.int_value is not None:
        return _signed(value.int_value)
    if value.double_value is not None:
        return _double(value.double_value)
    if value.array_value is not None:
        return [_inner(item, depth - 1) for item in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return {item.key: _inner(item.value, depth - 1) for item in value.kvlist_value.values or ()}
    return _bytes(value.bytes_value) if value.bytes_value is not None else None


def _inner(value: _AnyValue | None, depth: int) -> Any:
    """A value in a list or map; bytes as text, as in protobuf."""
    plain = _plain(value, depth)
    return plain.decode("utf-8", "replace") if plain.__class__ is bytes else plain


def _signed(value: float | str) -> int | None:
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def _double(value: float | str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _bytes(value: str) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (Base64Error, ValueError):
        return b""
