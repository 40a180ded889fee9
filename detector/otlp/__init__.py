"""Bytes of an `ExportTraceServiceRequest` to spans: protobuf or OTLP/JSON, told apart by content."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from detector.errors import Drop
from detector.otlp import json_text, protobuf
from detector.records import Blind, Span

MAX_SPANS = 65_536
"""Spans of one request that are read; an exporter's batch has some hundred."""

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
_NO_TRACE = bytes(TRACE_ID_BYTES)
_NO_SPAN = bytes(SPAN_ID_BYTES)
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\{[ \t\r\n]*(?:\"[^\x00-\x1f]|\}|\Z)")


def decode(value: bytes, faults: dict[str, int] | None = None) -> list[Span]:
    """The spans of one request, in its order. `faults` counts the spans that were dropped, by reason.

    Raises Drop with `empty`, `bad_json`, `truncated_protobuf`, `not_otlp`, `too_deep` or `too_many_spans`
    where nothing of the request can be used. A request without spans is an empty list.
    """
    faults = {} if faults is None else faults
    if not value:
        raise Drop("empty", "expected an ExportTraceServiceRequest, came no bytes")
    kept: list[Span] = []
    read = json_text.spans if _looks_like_json(value) else protobuf.spans
    for span in read(value, MAX_SPANS, faults):
        fault = _id_fault(span)
        if fault:
            faults[fault] = faults.get(fault, 0) + 1
        else:
            kept.append(span)
    return kept


def pick(spans: Iterable[Span], keys: frozenset[str]) -> list[dict[str, Any]]:
    """Of each decoded span the attributes among `keys` that have a value, as plain values."""
    return [span.attributes.pick(keys) for span in spans]  # type: ignore[attr-defined]  # decode gives such


def _looks_like_json(value: bytes) -> bool:
    # 0x0a begins JSON after a blank line, and every protobuf request (field 1). A protobuf request whose
    # first length is `{` and whose resource's is `"` goes on with a tag, which no key of JSON begins with.
    return value[0] == 0x7B or _JSON.match(value) is not None


def _id_fault(span: Span) -> str:
    """Why the span can't be placed, or an empty string. Repairs what can be repaired."""
    trace, own, parent = span.trace_id, span.span_id, span.parent_id
    if (
        len(trace) == TRACE_ID_BYTES
        and len(own) == SPAN_ID_BYTES
        and trace != _NO_TRACE
        and own != _NO_SPAN
        and (not parent or (len(parent) == SPAN_ID_BYTES and parent != _NO_SPAN))
    ):
        return ""
    if len(trace) != TRACE_ID_BYTES or trace == _NO_TRACE:
        return "bad_trace_id" if trace.strip(b"\0") else "no_trace_id"
    if parent and (len(parent) != SPAN_ID_BYTES or parent == _NO_SPAN):
        span.parent_id = b""
        if parent.strip(b"\0"):
            span.blind |= Blind.IDS
    if len(own) != SPAN_ID_BYTES or own == _NO_SPAN:
        if own.strip(b"\0"):
            return "bad_span_id"
        span.span_id = _id_from_content(span)
        span.blind |= Blind.IDS
    return ""


def _id_from_content(span: Span) -> bytes:
    """An id for a span that came without: the same whenever the same span comes."""
    content = blake2b(digest_size=SPAN_ID_BYTES)
    for part in (span.trace_id, span.parent_id, span.name, span.start, span.end, span.kind, span.scope):
        content.update(repr(part).encode("utf-8", "surrogatepass") + b"\0")
    for key in sorted(span.attributes):
        content.update(f"{key}={span.attributes[key]!r}"[:256].encode("utf-8", "surrogatepass") + b"\0")
    return content.digest()
