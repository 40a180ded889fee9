"""Requests that nobody should send: what of them is read, what is set aside, and how little of it is in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from detector import otlp
from detector.errors import Drop
from detector.otlp import json_text, protobuf
from detector.records import Span
from tests.fuzz.wire import LEN, Nested, plain

IDS = plain(1, LEN, bytes(range(1, 17))) + plain(2, LEN, bytes(range(1, 9)))


def protobuf_request(*spans: bytes) -> bytes:
    """A request with these spans after their ids."""
    return plain(1, LEN, plain(2, LEN, b"".join(plain(2, LEN, IDS + span) for span in spans)))


def protobuf_attribute(key: str, value: bytes) -> bytes:
    """An attribute of a span; `value` is an AnyValue."""
    return plain(9, LEN, plain(1, LEN, key.encode()) + plain(2, LEN, value))


def json_request(*spans: dict[str, Any]) -> bytes:
    """The same as OTLP/JSON."""
    ids = {"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708"}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [ids | span for span in spans]}]}]}).encode()


def one(value: bytes) -> Span:
    """The one span of a request, read without a fault."""
    faults: dict[str, int] = {}
    (span,) = otlp.decode(value, faults)
    assert faults == {}
    return span


def reason(value: bytes) -> str:
    """Why the request is set aside as a whole."""
    with pytest.raises(Drop) as drop:
        otlp.decode(value)
    return drop.value.reason


@pytest.mark.parametrize("maps", [False, True])
def test_a_deep_value_costs_nothing_but_itself(maps: bool) -> None:
    """Lists in lists in lists neither exhaust the stack nor take the other attributes along."""
    deep = protobuf_attribute("deep", Nested(5000, maps=maps).wire())
    attributes = one(protobuf_request(deep + protobuf_attribute("a", plain(1, LEN, b"b")))).attributes

    assert attributes["a"] == "b"
    inner, depth = attributes["deep"], 0
    while inner:
        inner, depth = inner["a"] if maps else inner[0], depth + 1
    assert depth == 32


def test_a_list_that_is_none_reads_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no list, and lists that are too large, are as if there were no value."""
    large = plain(5, LEN, plain(1, LEN, plain(1, LEN, b"x" * 100)))
    monkeypatch.setattr(protobuf, "MAX_NESTED_BYTES", 100)
    span = one(protobuf_request(protobuf_attribute("bad", b"\x2a\x01\xff") + protobuf_attribute("large", large)))

    assert span.attributes["bad"] is None
    assert span.attributes["large"] is None
    assert otlp.pick([span], frozenset({"bad", "large"})) == [{}]


def test_an_event_that_is_none_has_neither_name_nor_attributes() -> None:
    """A span event is parsed when it is asked for; one that can't be hides no other."""
    span = one(protobuf_request(b"\x5a\x01\xff" + plain(11, LEN, plain(2, LEN, b"exception"))))

    assert [(name, dict(attributes)) for name, attributes in span.events] == [("", {}), ("exception", {})]


def test_events_are_read_from_both_encodings() -> None:
    """Names and attributes of span events, whichever way they came."""
    event = plain(2, LEN, b"exception") + plain(3, LEN, plain(1, LEN, b"k") + plain(2, LEN, plain(1, LEN, b"v")))
    attribute = {"key": "k", "value": {"stringValue": "v"}}
    for span in (
        one(protobuf_request(plain(11, LEN, event))),
        one(json_request({"events": [{"name": "exception", "attributes": [attribute]}]})),
    ):
        assert [(name, dict(attributes)) for name, attributes in span.events] == [("exception", {"k": "v"})]


@pytest.mark.parametrize("blanks", [b" " * 100, b"\n" * 70, b"\xef\xbb\xbf" + b"\t\r\n " * 40])
def test_json_may_begin_with_any_number_of_blanks(blanks: bytes) -> None:
    """An encoder that indents is read."""
    assert one(blanks + json_request({"name": "a"})).name == "a"


def test_protobuf_whose_lengths_read_like_json_is_protobuf() -> None:
    """A request of 123 bytes, `{`, whose resource has 34, `"`, begins like JSON after an empty line."""
    resource = plain(1, LEN, plain(1, LEN, plain(1, LEN, b"k" * 30)))
    assert resource[:2] == b'\n"'
    rest = 123 - len(resource)
    spans = plain(2, LEN, plain(2, LEN, IDS + plain(5, LEN, b"n" * (rest - 4 - len(IDS) - 2))))
    value = plain(1, LEN, resource + spans)
    assert value[:4] == b'\n{\n"'

    assert one(value).name.startswith("nnn")


def _groups(number: int) -> bytes:
    return b"\x0a\x00" * number


def _scopes(number: int) -> bytes:
    return plain(1, LEN, b"\x12\x00" * number)


def _spans(number: int) -> bytes:
    return plain(1, LEN, plain(2, LEN, b"\x12\x00" * number))


@pytest.mark.parametrize("made", [_groups, _scopes, _spans])
def test_a_crowd_in_protobuf_is_counted_before_it_is_parsed(
    made: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two bytes make a message of a hundred in memory: a large request with too many is set aside unread."""
    monkeypatch.setattr(protobuf, "UNCOUNTED_BYTES", 1000)
    monkeypatch.setattr(protobuf, "MAX_MESSAGES", 600)

    assert reason(made(700)) == "too_many_spans"
    assert otlp.decode(made(500) + protobuf_request(b"")) != []


def test_a_crowd_in_json_is_counted_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for objects of JSON."""
    monkeypatch.setattr(json_text, "UNCOUNTED_BYTES", 1000)
    monkeypatch.setattr(json_text, "MAX_OBJECTS", 600)

    assert reason(json_request(*[{}] * 700)) == "too_many_spans"
    assert len(otlp.decode(json_request(*[{}] * 500))) == 500


def test_large_json_with_a_fault_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading span by span takes fifty times the text in memory, so it is for texts of ordinary size."""
    faulty = json_request({"name": "a"}, {"name": 7})
    faults: dict[str, int] = {}
    assert [span.name for span in otlp.decode(faulty, faults)] == ["a"]
    assert faults == {"bad_span": 1}

    monkeypatch.setattr(json_text, "MAX_LOOSE_BYTES", 100)
    assert reason(faulty) == "bad_json"


@pytest.mark.parametrize("encode", [protobuf_request, lambda *spans: json_request(*[{} for _ in spans])])
def test_spans_beyond_the_cap_are_counted_in_both_encodings(
    encode: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are not read are not made either."""
    monkeypatch.setattr(otlp, "MAX_SPANS", 3)
    faults: dict[str, int] = {}

    assert len(otlp.decode(encode(*[b""] * 9), faults)) == 3
    assert faults == {"too_many_spans": 6}


def test_a_member_named_by_half_a_character_costs_its_span() -> None:
    """Half a surrogate pair in the name of a member raises nothing and leaves the other spans."""
    faults: dict[str, int] = {}
    value = json_request({"name": "a"}, {"\ud800": 1})

    assert [span.name for span in otlp.decode(value, faults)] == ["a"]
    assert faults == {"bad_span": 1}


@pytest.mark.parametrize("bad", [7, {"key": "b", "value": 7}, {"key": "b", "value": {"intValue": []}}, {"key": 7}])
def test_an_attribute_that_is_none_costs_nothing_but_itself(bad: Any) -> None:
    """In OTLP/JSON as in protobuf a value of another type than it has takes no other along."""
    good = {"key": "a", "value": {"stringValue": "x"}}
    span = one(json_request({"attributes": [bad, good], "events": [{"name": 7}, {"name": "exception"}]}))

    assert span.attributes["a"] == "x"
    assert span.attributes.get("b") is None
    assert [name for name, _ in span.events] == ["exception"]


def test_a_resource_with_a_bad_attribute_keeps_the_others() -> None:
    """Whose the spans are does not hang on a value that nobody reads."""
    request = json.loads(json_request({}))
    attributes = [{"key": "service.name", "value": {"stringValue": "svc"}}, {"key": "pid", "value": {"intValue": {}}}]
    request["resourceSpans"][0]["resource"] = {"attributes": attributes}

    assert one(json.dumps(request).encode()).resource.attributes == {"service.name": "svc"}


def test_a_number_of_thousands_of_digits_costs_nothing_but_itself() -> None:
    """Python refuses to read such an integer; the rest of the text is read all the same."""
    attribute = {"key": "n", "value": {"intValue": 7}}
    value = json_request({"name": "a", "attributes": [attribute]}, {"name": 7}).replace(
        b'"intValue": 7', b'"intValue": ' + b"9" * 5000
    )
    faults: dict[str, int] = {}
    (span,) = otlp.decode(value, faults)

    assert (span.name, span.attributes["n"], faults) == ("a", None, {"bad_span": 1})


def test_bytes_in_a_list_are_text() -> None:
    """They would be written like the base64 of others, and taken for these."""
    item = plain(1, LEN, plain(7, LEN, b"ls \xff"))
    listed = {"key": "k", "value": {"arrayValue": {"values": [{"bytesValue": "bHMg/w=="}]}}}
    for value in (
        protobuf_request(protobuf_attribute("k", plain(5, LEN, item))),
        json_request({"attributes": [listed]}),
    ):
        assert one(value).attributes["k"] == ["ls \ufffd"]
