"""What others read in the same bytes: a lenient count of spans, and what protobuf's own messages say.

Shares nothing with the detector's decoders but the descriptors that OpenTelemetry publishes.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.fuzz.wire import LEN, walk

GROUPS, SCOPES, SPANS = 1, 2, 2
"""Numbers of the fields that lead to a span."""


class Count(NamedTuple):
    """How many spans are in the bytes, and whether they must be read."""

    spans: int
    whole: bool
    """The bytes are a request without a fault: to set them aside as a whole is wrong."""


def count(value: bytes) -> Count | None:
    """The spans in `value`; None where the bytes are no request in either encoding."""
    head = value.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if head.startswith(b"{"):
        found = _of_json(value)
        if found is not None or value.startswith(b"{"):
            return found
    return _of_protobuf(value)


def _of_json(value: bytes) -> Count | None:
    try:
        request = json.loads(value.decode("utf-8", "replace").removeprefix("\ufeff"), strict=False, parse_int=len)
    except (ValueError, RecursionError):
        return None
    groups = request.get("resourceSpans")
    if not isinstance(groups, list):
        return None
    spans = sum(len(_list(scope, "spans")) for group in groups for scope in _list(group, "scopeSpans"))
    return Count(spans, whole=True)


def _list(holder: object, name: str) -> list[object]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _of_protobuf(value: bytes) -> Count | None:
    try:
        message = ExportTraceServiceRequest.FromString(value)
    except DecodeError:
        return _walked(value)
    spans = sum(len(scope.spans) for group in message.resource_spans for scope in group.scope_spans)
    return Count(spans, whole=True) if message.resource_spans else None


def _walked(value: bytes) -> Count | None:
    """By hand where protobuf refuses, be it only for a text that is no UTF-8."""
    try:
        spans = sum(
            number == SPANS and wire == LEN
            for group in _inner(value, GROUPS)
            for scope in _inner(group, SCOPES)
            for number, wire, _ in walk(scope)
        )
    except (ValueError, IndexError):
        return None
    return Count(spans, whole=False)


def _inner(message: bytes, wanted: int) -> list[bytes]:
    return [value for number, wire, value in walk(message) if number == wanted and wire == LEN]
