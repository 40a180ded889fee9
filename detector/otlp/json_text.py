"""OTLP/JSON to spans: hex ids, 64-bit integers as strings or numbers, enums as numbers or names.

One typed pass by msgspec. Where that fails, slower ways follow that lose less: spans read one
by one, so that a bad one costs nothing but itself, and text that is no clean UTF-8 or holds lone
surrogates or raw control characters.

Source: opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding".
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import msgspec

from detector.errors import Drop
from detector.records import Resource, Span

MAX_DEPTH = 32
"""As for protobuf: levels of one attribute that are read."""

MAX_TIME = 2**63 - 1
_KINDS = {
    f"SPAN_KIND_{name}": n for n, name in enumerate("UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER".split())
}
_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


class _Struct(msgspec.Struct, rename="camel", gc=False):
    pass


class _ArrayValue(_Struct):
    values: list[_AnyValue] | None = None


class _KeyValueList(_Struct):
    values: list[_KeyValue] | None = None


class _AnyValue(_Struct):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | float | str | None = None
    double_value: float | str | None = None
    array_value: _ArrayValue | None = None
    kvlist_value: _KeyValueList | None = None
    bytes_value: str | None = None


class _KeyValue(_Struct):
    key: str = ""
    value: _AnyValue | None = None


class _Event(_Struct):
    name: str | None = None
    attributes: list[_KeyValue] | None = None


class _Status(_Struct):
    code: int | str | None = None
    message: str | None = None


class _Span(_Struct):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    kind: int | str | None = None
    start_time_unix_nano: int | float | str | None = None
    end_time_unix_nano: int | float | str | None = None
    attributes: list[_KeyValue] | None = None
    events: list[_Event] | None = None
    status: _Status | None = None


class _Scope(_Struct):
    name: str | None = None


class _ResourceOf(_Struct):
    attributes: list[_KeyValue] | None = None


class _ScopeSpans(_Struct):
    scope: _Scope | None = None
    spans: list[_Span] | None = None


class _ResourceSpans(_Struct):
    resource: _ResourceOf | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Request(_Struct):
    resource_spans: list[_ResourceSpans] | None = None


_decoder = msgspec.json.Decoder(_Request)


def spans(value: bytes) -> Iterator[Span | str]:
    """The spans in `value`; a str is the reason why one of them can't be read.

    Raises Drop with `bad_json`, `not_otlp` or `too_deep`.
    """
    try:
        request = _decoder.decode(value)
    except RecursionError:
        raise Drop("too_deep", "expected OTLP/JSON, came JSON nested too deeply to read") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        yield from _slowly(value)
        return
    if request.resource_spans is None:
        raise Drop("not_otlp", "expected a JSON object with `resourceSpans`, came one without")
    for group in request.resource_spans:
        resource = _resource(group.resource)
        for scope_spans in group.scope_spans or ():
            scope = (scope_spans.scope.name if scope_spans.scope else None) or ""
            for span in scope_spans.spans or ():
                yield _span(span, resource, scope)


def _slowly(value: bytes) -> Iterator[Span | str]:
    """Spans one by one, out of JSON that the typed decoder refuses."""
    text = value.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        request = json.loads(text, strict=False)
    except RecursionError:
        raise Drop("too_deep", "expected OTLP/JSON, came JSON nested too deeply to read") from None
    except ValueError as fault:
        where = f" at character {fault.pos}" if isinstance(fault, json.JSONDecodeError) else ""
        raise Drop("bad_json", f"expected OTLP/JSON, came text that is no JSON{where}") from None
    groups = request.get("resourceSpans") if isinstance(request, dict) else None
    if not isinstance(groups, list):
        raise Drop("not_otlp", "expected a JSON object with a list `resourceSpans`, came none")
    for group in _dicts(groups):
        resource = _resource(_convert(group.get("resource"), _ResourceOf))
        for scope_spans in _dicts(group.get("scopeSpans")):
            scope = _convert(scope_spans.get("scope"), _Scope)
            for span in _dicts(scope_spans.get("spans")):
                typed = _convert(span, _Span)
                yield "bad_span" if typed is None else _span(typed, resource, (scope.name if scope else None) or "")


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def _convert(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError):
        return None


def _resource(resource: _ResourceOf | None) -> Resource:
    return Resource(dict(_attributes(resource.attributes if resource else None)))


def _span(span: _Span, resource: Resource, scope: str) -> Span:
    status = span.status
    code: int | str | None = status.code if status else 0
    kind = span.kind
    return Span(
        _id(span.trace_id),
        _id(span.span_id),
        _id(span.parent_span_id),
        span.name or "",
        _KINDS.get(kind, 0) if isinstance(kind, str) else kind or 0,
        _integer(span.start_time_unix_nano),
        _integer(span.end_time_unix_nano),
        _CODES.get(code, 0) if isinstance(code, str) else code or 0,
        _attributes(span.attributes),
        [(event.name or "", _attributes(event.attributes)) for event in span.events] if span.events else (),
        resource,
        scope,
        (status.message if status else None) or "",
    )


def _id(text: str | None) -> bytes:
    """The bytes of a hex id; of text that is no hex, such as base64, bytes that no id has the length of."""
    try:
        return bytes.fromhex(text) if text else b""
    except ValueError:
        return b"?"


def _integer(value: float | str | None) -> int:
    """A 64-bit time; 0 where there is none or where it is no number."""
    try:
        found = int(value or 0)
    except (ValueError, OverflowError):
        try:
            number = float(value or 0)
        except ValueError:
            return 0
        found = int(number) if isfinite(number) else 0
    return found if 0 <= found <= MAX_TIME else (0 if found < 0 else MAX_TIME)


class _Attributes(Mapping[str, Any]):
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


def _attributes(values: list[_KeyValue] | None) -> _Attributes:
    return _Attributes({item.key: item.value for item in values} if values else {})


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
        return [_plain(item, depth - 1) for item in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return {item.key: _plain(item.value, depth - 1) for item in value.kvlist_value.values or ()}
    return _bytes(value.bytes_value) if value.bytes_value is not None else None


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
