"""Every reason for which a record, or a span in it, is set aside: labels of `detector_rejects_total`.

docs/rejections.md is made of this table, and a test keeps it and the sources in step. A reason that
is not in it is the name of an exception: a fault of ours, on which the worker sets the record aside and goes on.
"""

from __future__ import annotations

SPANS = {
    "empty": "The record has no bytes.",
    "too_large": "The record is larger than `max_record_bytes`.",
    "too_deep": "JSON is nested more deeply than its parser follows, about 1,000 levels.",
    "not_otlp": "The bytes are no `ExportTraceServiceRequest` and do not begin like one: another signal, another "
    "format, compressed by something else than Kafka.",
    "truncated_protobuf": "The record begins like a request in protobuf and is none: cut short, or changed on its way.",
    "bad_json": "The record begins like OTLP/JSON and is no JSON, or has more than 4 MB and any fault.",
    "no_spans": "A request without any span.",
    "no_trace_id": "A span without a trace id, or with one of zeros.",
    "bad_trace_id": "A span whose trace id has not 16 bytes, or is no hex in OTLP/JSON.",
    "bad_span_id": "A span whose id has not 8 bytes, or is no hex in OTLP/JSON. One without an id is given one.",
    "bad_span": "A span in OTLP/JSON with a field of another type than it has.",
    "too_many_spans": "A span beyond the first 65,536 of one record; the record, where it holds more than 524,288 "
    "groups and spans in protobuf, or 2,000,000 objects in JSON.",
}
"""Of the spans' topic. The last five count spans, the others records."""

PEOPLE = {
    "bad_json": "The record is no JSON of a label or an ack.",
    "bad_run": "The run's id is empty, longer than 256 characters, or not fit to print.",
    "bad_label": "No label has this kind.",
    "bad_ack": "No ack has this outcome.",
    "bad_signature": "A signing key is set, and the signature is not of it.",
}
"""Of the topics of labels and acks."""

REASONS = frozenset(SPANS) | frozenset(PEOPLE)


def table() -> str:
    """The reasons as docs/rejections.md has them."""
    return _HEAD + _rows(SPANS) + _MIDDLE + _rows(PEOPLE) + _TAIL


def _rows(reasons: dict[str, str]) -> str:
    return "".join(f"| `{reason}` | {meaning} |\n" for reason, meaning in reasons.items())


_HEAD = """# Rejections

What can't be used is set aside and never stops the stream: it is counted in `detector_rejects_total{stage, reason}`,
and a record on `otlp_spans-rejected` says where it stands, its sha256, and how many of which reason. Spans of one
record are judged one by one: a bad span costs nothing but itself.

## `otlp_spans`

| reason | |
|---|---|
"""
_MIDDLE = """
## `agent-labels`, `agent-acks`

| reason | |
|---|---|
"""
_TAIL = """
Any other reason is the name of an exception, which is a fault of the detector: please report it with the record.
"""
