"""Bytes to spans: both encodings, whatever comes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector import otlp
from detector.errors import Drop
from detector.records import Blind, Span

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*/*.binpb"))
TRACE, SPAN = bytes(range(16)), bytes(range(1, 9))


def request(**fields: Any) -> ExportTraceServiceRequest:
    """A request with one span of these fields."""
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.add(**{"trace_id": TRACE, "span_id": SPAN, **fields})
    return message


def as_json(message: ExportTraceServiceRequest) -> dict[str, Any]:
    """OTLP/JSON: protobuf's mapping but for ids, which are hex."""
    found: dict[str, Any] = MessageToDict(message, use_integers_for_enums=True)
    for group, source in zip(found.get("resourceSpans", []), message.resource_spans, strict=True):
        for scope, spans in zip(group["scopeSpans"], source.scope_spans, strict=True):
            for span, original in zip(scope["spans"], spans.spans, strict=True):
                span["traceId"], span["spanId"] = original.trace_id.hex(), original.span_id.hex()
                if original.parent_span_id:
                    span["parentSpanId"] = original.parent_span_id.hex()
    return found


def one(value: bytes) -> Span:
    """The one span in `value`."""
    (span,) = otlp.decode(value)
    return span


def json_span(**fields: Any) -> bytes:
    """OTLP/JSON with one span."""
    span = {"traceId": TRACE.hex(), "spanId": SPAN.hex(), **fields}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def plain(span: Span) -> tuple[Any, ...]:
    """All of a span as plain values."""
    events = [(name, dict(attributes)) for name, attributes in span.events]
    fields = (span.trace_id, span.span_id, span.parent_id, span.name, span.kind, span.start, span.end, span.status)
    return (*fields, span.scope, span.message, dict(span.attributes), events, dict(span.resource.attributes))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_both_encodings_give_the_same_spans(path: Path) -> None:
    """What real libraries export reads the same from protobuf and from OTLP/JSON, without a fault."""
    value, faults = path.read_bytes(), dict[str, int]()
    spans = otlp.decode(value, faults)
    message = ExportTraceServiceRequest.FromString(value)
    again = otlp.decode(json.dumps(as_json(message)).encode(), faults)

    assert [plain(span) for span in spans] == [plain(span) for span in again]
    assert faults == {}
    assert len(spans) == sum(len(s.spans) for r in message.resource_spans for s in r.scope_spans)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (request(name="a" * 40).SerializeToString()[:-7], "truncated_protobuf"),
        (b"hello, world", "not_otlp"),
        (b"\x00" * 40, "not_otlp"),
        (b'{"resourceSpans": [', "bad_json"),
        (b"{}", "not_otlp"),
        (b'{"resourceSpans": 7}', "not_otlp"),
        (b'{"resourceSpans":' + b"[" * 100_000, "too_deep"),
    ],
)
def test_what_is_no_request_is_dropped_by_reason(value: bytes, reason: str) -> None:
    """A record that can't be used at all is named by one of few reasons."""
    with pytest.raises(Drop) as drop:
        otlp.decode(value)

    assert drop.value.reason == reason


@pytest.mark.parametrize("start", [b"", b"\n", b" \t\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n  "])
def test_json_may_begin_with_blanks_or_a_mark(start: bytes) -> None:
    """A byte-order mark or white space before the brace is JSON still."""
    assert one(start + json_span(name="a")).name == "a"


def test_protobuf_of_the_length_of_a_brace_is_protobuf() -> None:
    """A request whose second byte is `{` by its length isn't taken for JSON after a newline."""
    message = request(name="a")
    while len(message.SerializeToString()) < 125:
        message.resource_spans[0].scope_spans[0].spans[0].name += "a"
    value = message.SerializeToString()

    assert value[:2] == b"\x0a{"
    assert one(value).name.startswith("aaa")


def test_values_of_all_kinds_are_plain() -> None:
    """Attributes become Python values, nested ones too, and only when they're asked for."""
    message = request()
    span = message.resource_spans[0].scope_spans[0].spans[0]
    for key, field, value in [("s", "string_value", ""), ("b", "bool_value", False), ("i", "int_value", 0)]:
        setattr(span.attributes.add(key=key).value, field, value)
    span.attributes.add(key="d").value.double_value = 0.5
    span.attributes.add(key="y").value.bytes_value = b"\x00\xff"
    span.attributes.add(key="n")
    span.attributes.add(key="l").value.array_value.values.add().int_value = -7
    span.attributes.add(key="m").value.kvlist_value.values.add(key="k").value.string_value = "v"
    expected = {"s": "", "b": False, "i": 0, "d": 0.5, "y": b"\x00\xff", "n": None, "l": [-7], "m": {"k": "v"}}

    for value in (message.SerializeToString(), json.dumps(as_json(message)).encode()):
        assert dict(one(value).attributes) == expected
        assert otlp.pick(otlp.decode(value), frozenset("si"))[0] == {"s": "", "i": 0}
        assert one(value).attributes.get("absent", "default") == "default"


def test_json_takes_numbers_as_exporters_write_them() -> None:
    """Integers may be strings, enums names, doubles NaN; a time that is no number is 0."""
    span = one(
        json_span(
            kind="SPAN_KIND_CLIENT",
            status={"code": "STATUS_CODE_ERROR", "message": "no"},
            startTimeUnixNano="1760000000000000000",
            endTimeUnixNano="NaN",
            attributes=[
                {"key": "i", "value": {"intValue": "-9007199254740993"}},
                {"key": "d", "value": {"doubleValue": "NaN"}},
                {"key": "f", "value": {"doubleValue": 1}},
            ],
        )
    )

    assert (span.kind, span.status, span.message) == (3, 2, "no")
    assert (span.start, span.end) == (1_760_000_000_000_000_000, 0)
    assert span.attributes["i"] == -9007199254740993
    assert span.attributes["d"] != span.attributes["d"]
    assert span.attributes["f"] == 1.0


def test_text_that_is_no_utf8_survives() -> None:
    """NUL bytes, broken UTF-8 and lone surrogates cost no span."""
    message = request(name="QQQQ")
    message.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="a").value.string_value = "ZZZZ"
    value = message.SerializeToString().replace(b"ZZZZ", b"\x00\xff\xfeZ").replace(b"QQQQ", b"Q\xc3\x28Q")
    text = as_json(message)
    text["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] = "\ud800"

    assert one(value).attributes["a"] == "\x00\ufffd\ufffdZ"
    assert one(value).name == "Q\ufffd(Q"
    assert one(json.dumps(text).encode()).name == "\ud800"
    assert one(json_span(name="ab").replace(b"ab", b"a\xffb")).name == "a\ufffdb"
    assert one(json_span(name="ab").replace(b"ab", b"a\x00b")).name == "a\x00b"


def test_keys_that_are_no_utf8_cost_nothing_else() -> None:
    """In a resource, in a span with or without an id and inside a value, what stands under such a key is not there."""
    message = request(span_id=b"")
    group = message.resource_spans[0]
    attributes = group.scope_spans[0].spans[0].attributes
    nested = attributes.add(key="m").value.kvlist_value.values
    for into in (group.resource.attributes, attributes, nested):
        into.add(key="QQQQ").value.string_value = "lost"
        into.add(key="kept").value.string_value = "v"
    span = one(message.SerializeToString().replace(b"QQQQ", b"Q\xff\xfeQ"))

    assert dict(span.attributes) == {"kept": "v", "m": {"kept": "v"}}
    assert len(span.attributes) == 2
    assert span.resource.attributes == {"kept": "v"}


def test_picked_values_are_text_and_never_none() -> None:
    """A value that is no clean UTF-8 is picked as text; an attribute without a value is not picked."""
    message = request()
    attributes = message.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.add(key="a").value.string_value = "ZZZZ"
    attributes.add(key="n")
    value = message.SerializeToString().replace(b"ZZZZ", b"Z\xffZZ")
    text = json.dumps(as_json(message)).encode().replace(b"ZZZZ", b"Z\xffZZ")

    for encoded in (value, text):
        assert otlp.pick(otlp.decode(encoded), frozenset("an")) == [{"a": "Z\ufffdZZ"}]
        assert one(encoded).attributes.get("a") == "Z\ufffdZZ"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"traceId": "zz" * 16}, "bad_trace_id"),
        ({"traceId": "AAECAwQFBgcICQoLDA0ODw=="}, "bad_trace_id"),
        ({"spanId": "AAECAwQFBgc="}, "bad_span_id"),
        ({"traceId": "abcd"}, "bad_trace_id"),
        ({"traceId": ""}, "no_trace_id"),
        ({"traceId": "0" * 32}, "no_trace_id"),
        ({"spanId": "abcd"}, "bad_span_id"),
        ({"name": 7}, "bad_span"),
    ],
)
def test_a_bad_span_costs_only_itself(fields: dict[str, Any], reason: str) -> None:
    """A span that can't be placed is counted; the others of its request are read."""
    value = json.loads(json_span(**fields))
    value["resourceSpans"][0]["scopeSpans"][0]["spans"] += json.loads(json_span(name="good"))["resourceSpans"][0][
        "scopeSpans"
    ][0]["spans"]
    faults: dict[str, int] = {}

    spans = otlp.decode(json.dumps(value).encode(), faults)

    assert [span.name for span in spans] == ["good"]
    assert faults == {reason: 1}


def test_a_missing_span_id_is_made_from_content() -> None:
    """The same span without an id gets the same one each time, and is marked."""
    first, second, other = (one(request(span_id=b"", name=name).SerializeToString()) for name in ("a", "a", "b"))

    assert first.span_id == second.span_id != other.span_id
    assert len(first.span_id) == 8
    assert first.blind == Blind.IDS


def test_a_parent_id_of_the_wrong_length_makes_a_root() -> None:
    """The span is kept and marked; an id of zeros is a root like any other."""
    assert one(request(parent_span_id=b"abc").SerializeToString()).blind == Blind.IDS
    zeros = one(request(parent_span_id=bytes(8)).SerializeToString())
    assert (zeros.parent_id, zeros.blind) == (b"", 0)


def test_spans_beyond_the_cap_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request can't hold more spans in memory than the cap says."""
    monkeypatch.setattr(otlp, "MAX_SPANS", 3)
    message = request()
    spans = message.resource_spans[0].scope_spans[0].spans
    for number in range(9):
        spans.add(trace_id=TRACE, span_id=bytes(7) + bytes([number + 1]))
    faults: dict[str, int] = {}

    assert len(otlp.decode(message.SerializeToString(), faults)) == 3
    assert faults == {"too_many_spans": 7}


def test_a_request_without_spans_is_no_fault_of_the_decoder() -> None:
    """Empty groups give no span."""
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add()

    assert otlp.decode(message.SerializeToString()) == []
    assert otlp.decode(b'{"resourceSpans":[]}') == []


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: b'{"resourceSpans":' + tail))
def test_arbitrary_bytes_give_spans_or_a_drop(value: bytes) -> None:
    """Nothing but Drop is ever raised."""
    with suppress(Drop):
        assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in otlp.decode(value))


@given(st.data())
def test_damaged_requests_give_spans_or_a_drop(data: st.DataObject) -> None:
    """The same for a real request with bytes changed."""
    value = bytearray(SAMPLES[0].read_bytes()[:2000])
    for position in data.draw(st.lists(st.integers(0, len(value) - 1), min_size=1, max_size=8)):
        value[position] = data.draw(st.integers(0, 255))
    with suppress(Drop):
        assert all(plain(span) for span in otlp.decode(bytes(value)))
