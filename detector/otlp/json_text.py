"""OTLP/JSON to spans: hex ids, 64-bit integers as strings or numbers, enums as numbers or names.

One typed pass by msgspec. Where that fails, slower ways follow that lose less: spans read one
by one, so that a bad one costs nothing but itself, and text that is no clean UTF-8 or holds lone
surrogates or raw control characters.

Source: opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

import msgspec

from detector.errors import Drop
from detector.otlp.json_messages import (
    EventMessage,
    Events,
    KeyValue,
    Request,
    ResourceMessage,
    Scope,
    SpanMessage,
    attributes_of,
)
from detector.otlp.limits import UNCOUNTED_BYTES, first
from detector.records import Resource, Span

MAX_OBJECTS = 2_000_000
"""Of a larger one that are parsed, since they are in memory all at once: one for each 16 bytes of 32 MB."""
MAX_LOOSE_BYTES = 4 * 1024 * 1024
"""Of JSON with a fault in it, which takes fifty times its size in memory."""

MAX_TIME = 2**63 - 1
_KINDS = {
    f"SPAN_KIND_{name}": n for n, name in enumerate("UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER".split())
}
_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}

_decoder = msgspec.json.Decoder(Request)


def spans(value: bytes, most: int, faults: dict[str, int]) -> Iterator[Span]:
    """The first `most` spans in `value`; `faults` counts those beyond and those that can't be read.

    Raises Drop with `bad_json`, `not_otlp`, `too_deep` or `too_many_spans`.
    """
    if len(value) > UNCOUNTED_BYTES and value.count(b"{") > MAX_OBJECTS:
        raise Drop("too_many_spans", f"expected at most {MAX_OBJECTS} objects in a request, came more")
    try:
        request = _decoder.decode(value)
    except RecursionError:
        raise Drop("too_deep", "expected OTLP/JSON, came JSON nested too deeply to read") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        yield from _slowly(value, most, faults)
        return
    if request.resource_spans is None:
        raise Drop("not_otlp", "expected a JSON object with `resourceSpans`, came one without")
    for group in request.resource_spans:
        resource = _resource(group.resource)
        for scope_spans in group.scope_spans or ():
            scope = (scope_spans.scope.name if scope_spans.scope else None) or ""
            found = first(scope_spans.spans or (), most, faults)
            most -= len(found)
            for span in found:
                yield _span(span, resource, scope)


def _slowly(value: bytes, most: int, faults: dict[str, int]) -> Iterator[Span]:
    """Spans one by one, out of JSON that the typed decoder refuses."""
    if len(value) > MAX_LOOSE_BYTES:
        raise Drop("bad_json", f"expected OTLP/JSON, came {len(value)} bytes with a fault, too many to search")
    text = value.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        request = json.loads(text, strict=False, parse_int=_loose_integer)
    except RecursionError:
        raise Drop("too_deep", "expected OTLP/JSON, came JSON nested too deeply to read") from None
    except ValueError as fault:
        where = f" at character {fault.pos}" if isinstance(fault, json.JSONDecodeError) else ""
        raise Drop("bad_json", f"expected OTLP/JSON, came text that is no JSON{where}") from None
    groups = request.get("resourceSpans") if isinstance(request, dict) else None
    if not isinstance(groups, list):
        raise Drop("not_otlp", "expected a JSON object with a list `resourceSpans`, came none")
    for group in _dicts(groups):
        resource = _resource(_mended(group.get("resource"), ResourceMessage))
        for scope_spans in _dicts(group.get("scopeSpans")):
            scope = _convert(scope_spans.get("scope"), Scope)
            found = first(_dicts(scope_spans.get("spans")), most, faults)
            most -= len(found)
            for span in found:
                typed = _mended(span, SpanMessage)
                if typed is None:
                    faults["bad_span"] = faults.get("bad_span", 0) + 1
                else:
                    yield _span(typed, resource, (scope.name if scope else None) or "")


def _loose_integer(digits: str) -> int | float:
    # Python refuses integers of thousands of digits, and with them the whole text.
    return int(digits) if len(digits) <= 20 else float(digits)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def _convert(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError, UnicodeEncodeError):
        # The last of them for a name in it that is half a surrogate pair.
        return None


def _mended(value: Any, kind: Any) -> Any:
    """A span or resource, without the attributes and events that can't be read: each costs nothing but itself."""
    found = _convert(value, kind)
    if found is not None or not isinstance(value, dict):
        return found
    attributes = [item for item in _dicts(value.get("attributes")) if _convert(item, KeyValue)]
    events = [item for item in _dicts(value.get("events")) if _convert(item, EventMessage)]
    return _convert(value | {"attributes": attributes, "events": events}, kind)


def _resource(resource: ResourceMessage | None) -> Resource:
    return Resource(dict(attributes_of(resource.attributes if resource else None)))


def _span(span: SpanMessage, resource: Resource, scope: str) -> Span:
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
        attributes_of(span.attributes),
        Events(span.events) if span.events else (),
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
