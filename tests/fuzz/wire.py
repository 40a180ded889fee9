"""OTLP's protobuf as trees and back, tolerant of everything: trees have the shape of OTLP/JSON.

Source: opentelemetry-proto v1, trace.proto, common.proto, resource.proto; protobuf's wire format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, Protocol

Tree = Any
"""Dicts, lists and scalars as OTLP/JSON has them, or as a mutation left them."""

BYTES = [bytes([n]) for n in range(256)]
VARINT, I64, LEN, START, END, I32 = 0, 1, 2, 3, 4, 5


class Field(NamedTuple):
    """A field of a message: number, kind, wire type, and the message that it holds."""

    number: int
    kind: str
    wire: int
    of: str = ""


_WIRE = {"varint": VARINT, "i64": I64, "double": I64, "i32": I32}


def _fields(**fields: tuple[int, str]) -> dict[str, Field]:
    return {
        name: Field(number, "message", LEN, kind) if kind[0].isupper() else Field(number, kind, _WIRE.get(kind, LEN))
        for name, (number, kind) in fields.items()
    }


SCHEMA: dict[str, dict[str, Field]] = {
    "Request": _fields(resourceSpans=(1, "ResourceSpans")),
    "ResourceSpans": _fields(resource=(1, "Resource"), scopeSpans=(2, "ScopeSpans"), schemaUrl=(3, "text")),
    "Resource": _fields(attributes=(1, "KeyValue"), droppedAttributesCount=(2, "varint")),
    "ScopeSpans": _fields(scope=(1, "Scope"), spans=(2, "Span"), schemaUrl=(3, "text")),
    "Scope": _fields(name=(1, "text"), version=(2, "text"), attributes=(3, "KeyValue")),
    "Span": _fields(
        traceId=(1, "id"), spanId=(2, "id"), traceState=(3, "text"), parentSpanId=(4, "id"), name=(5, "text"),
        kind=(6, "varint"), startTimeUnixNano=(7, "i64"), endTimeUnixNano=(8, "i64"), attributes=(9, "KeyValue"),
        droppedAttributesCount=(10, "varint"), events=(11, "Event"), links=(13, "Link"), status=(15, "Status"),
        flags=(16, "i32"),
    ),
    "Event": _fields(timeUnixNano=(1, "i64"), name=(2, "text"), attributes=(3, "KeyValue")),
    "Link": _fields(traceId=(1, "id"), spanId=(2, "id"), traceState=(3, "text"), attributes=(4, "KeyValue")),
    "Status": _fields(message=(2, "text"), code=(3, "varint")),
    "KeyValue": _fields(key=(1, "text"), value=(2, "AnyValue")),
    "AnyValue": _fields(
        stringValue=(1, "text"), boolValue=(2, "varint"), intValue=(3, "varint"), doubleValue=(4, "double"),
        arrayValue=(5, "ArrayValue"), kvlistValue=(6, "KeyValueList"), bytesValue=(7, "id"),
    ),
    "ArrayValue": _fields(values=(1, "AnyValue")),
    "KeyValueList": _fields(values=(1, "KeyValue")),
}  # fmt: skip
REPEATED = frozenset({"resourceSpans", "scopeSpans", "spans", "attributes", "events", "links", "values"})
_BY_NUMBER = {
    message: {field.number: (name, field) for name, field in fields.items()} for message, fields in SCHEMA.items()
}


def varint(value: int, *, padded: int = 0) -> bytes:
    """`value` as a varint, with `padded` bytes more than it needs."""
    if 0 <= value < 0x80 and not padded:
        return BYTES[value]
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    if padded:
        out[-1] |= 0x80
        out += b"\x80" * (padded - 1) + b"\0"
    return bytes(out)


class Nested:
    """An AnyValue of lists or maps in each other, `depth` deep: too deep for writers that call themselves."""

    def __init__(self, depth: int, *, maps: bool = False) -> None:
        self._depth = depth
        self._maps = maps

    def json(self) -> str:
        """As OTLP/JSON."""
        begin = '{"kvlistValue":{"values":[{"key":"a","value":' if self._maps else '{"arrayValue":{"values":['
        end = "}]}}" if self._maps else "]}}"
        return begin * self._depth + '{"stringValue":"x"}' + end * self._depth

    def wire(self) -> bytes:
        """As a protobuf message."""
        return _nested(self._depth, self._maps)


@cache
def _nested(depth: int, maps: bool) -> bytes:
    value = plain(1, LEN, b"x")
    for _ in range(depth):
        item = plain(1, LEN, plain(1, LEN, b"a") + plain(2, LEN, value)) if maps else plain(1, LEN, value)
        value = plain(6 if maps else 5, LEN, item)
    return value


# --- from bytes -------------------------------------------------------------------------


def walk(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """(number, wire type, value) of the fields in `data`, without groups and what is in them.

    Raises ValueError or IndexError where it is no message.
    """
    at, size, groups = 0, len(data), list[int]()
    while at < size:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        value: Any
        if wire == VARINT:
            value, at = _varint(data, at)
        elif wire == LEN:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
        elif wire in (I64, I32):
            length = 8 if wire == I64 else 4
            value, at = data[at : at + length], at + length
        elif wire == START:
            groups.append(number)
            continue
        elif wire == END and groups and groups.pop() == number:
            continue
        else:
            raise ValueError(f"wire type {wire}")
        if at > size or not number:
            raise ValueError("truncated")
        if not groups:
            yield number, wire, value
    if groups:
        raise ValueError("a group without an end")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
        shift += 7
        if shift > 63:
            raise ValueError("varint")


def decode(data: bytes, message: str = "Request") -> Tree:
    """The message as a tree. Raises as `walk` does."""
    known = _BY_NUMBER[message]
    tree: dict[str, Any] = {}
    for number, wire, value in walk(data):
        name, field = known.get(number, ("", None))
        if field is None:
            continue
        read = _value(field, wire, value)
        if name in REPEATED:
            tree.setdefault(name, []).append(read)
        else:
            tree[name] = read
    return tree


def _value(field: Field, wire: int, value: Any) -> Any:
    if field.kind == "message":
        return decode(value, field.of)
    if field.kind == "text":
        return value.decode("utf-8", "surrogateescape")
    if field.kind == "id":
        return value.hex()
    if field.kind == "double":
        return struct.unpack("<d", value)[0]
    if wire in (I64, I32):
        return int.from_bytes(value, "little")
    return value if value < 2**63 else value - 2**64


# --- to bytes ---------------------------------------------------------------------------


def plain(number: int, wire: int, payload: bytes) -> bytes:
    """A field as it should be."""
    head = varint(number << 3 | wire)
    return head + varint(len(payload)) + payload if wire == LEN else head + payload


class Write(Protocol):
    """Writes one field; `wire_faults.Faults` writes some of them wrongly."""

    def field(self, number: int, wire: int, payload: bytes) -> bytes:
        """A field as bytes. `payload` stands without its length."""


def encode(tree: Tree, faults: Write, message: str = "Request") -> bytes:
    """The tree as a message, whatever its values have become."""
    if isinstance(tree, Nested):
        return tree.wire()
    if not isinstance(tree, dict):
        return _text(tree)
    out = []
    fields = SCHEMA[message]
    for name, value in tree.items():
        field = fields.get(name)
        if field is None:
            continue
        if isinstance(value, list) and name in REPEATED:
            out += [faults.field(field.number, field.wire, _payload(field, item, faults)) for item in value]
        elif value is not None:
            out.append(faults.field(field.number, field.wire, _payload(field, value, faults)))
    return b"".join(out)


def _payload(field: Field, value: Any, faults: Write) -> bytes:
    kind = field.kind
    if kind == "message":
        return encode(value, faults, field.of)
    if kind == "text":
        return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else _text(value)
    if kind == "id":
        return _id(value)
    if kind == "double":
        return struct.pack("<d", _number(value))
    whole: int = _whole(value)
    if kind == "varint":
        return varint(whole)
    width = 8 if kind == "i64" else 4
    return (whole & (1 << 8 * width) - 1).to_bytes(width, "little")


def _text(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _id(value: Any) -> bytes:
    try:
        return bytes.fromhex(value)
    except (ValueError, TypeError):
        return _text(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        return 0
