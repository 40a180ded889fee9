"""Faults of protobuf's wire format, put into messages field by field."""

from __future__ import annotations

from random import Random

from tests.fuzz.wire import BYTES, END, I32, I64, LEN, START, VARINT, plain, varint


class Faults:
    """Breaks the wire format here and there: with `rate`, a field is not written as it should be."""

    def __init__(self, rng: Random, rate: float = 0.0) -> None:
        self._rng = rng
        self._rate = rate

    def field(self, number: int, wire: int, payload: bytes) -> bytes:
        """A field as bytes. `payload` stands without its length."""
        if self._rate and self._rng.random() < self._rate:
            return self._rng.choice(_FAULTS)(self._rng, number, wire, payload)
        if wire != LEN:
            return BYTES[number << 3 | wire] + payload if number < 16 else plain(number, wire, payload)
        size = len(payload)
        if size < 0x80 and number < 16:
            return b"%c%c%b" % (number << 3 | LEN, size, payload)
        return plain(number, wire, payload)


def _wrong_wire_type(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    other = rng.choice([kind for kind in (VARINT, I64, LEN, I32) if kind != wire])
    body = {VARINT: varint(rng.getrandbits(63)), I64: payload[:8].ljust(8, b"\1"), I32: payload[:4].ljust(4, b"\1")}
    return plain(number, other, body.get(other, payload))


def _unknown_field(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    unknown = rng.choice([17, 99, 1000, 2**29 - 1, 2**29, 0, 14, 12])
    return plain(unknown, LEN, rng.randbytes(rng.randrange(12))) + plain(number, wire, payload)


def _group(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    inner = plain(number, wire, payload) * rng.choice([1, 1, 5])
    depth = rng.choice([1, 2, 30, 200])
    group = varint(rng.choice([number, 99]) << 3 | START) * depth + inner
    return group + varint(rng.choice([number, 99]) << 3 | END) * rng.choice([depth, depth, 0])


def _overlong_varint(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    head = varint(number << 3 | wire, padded=rng.choice([1, 3, 4, 8, 9, 12]))
    return head + varint(len(payload), padded=rng.choice([0, 1, 3, 9])) + payload if wire == LEN else head + payload


def _wrong_length(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    length = max(0, len(payload) + rng.choice([-8, -1, 1, 2, 100, 2**20, 2**31 - 1, 2**31, 2**32, 2**63]))
    return varint(number << 3 | wire) + varint(length) + payload


def _twice(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    return plain(number, wire, payload) * rng.choice([2, 2, 3, 40])


def _halves(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    """One message in two pieces, which protobuf merges."""
    at = rng.randrange(len(payload) + 1)
    return plain(number, wire, payload[:at]) + plain(number, wire, payload[at:])


def _bad_text(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    bad = rng.choice([b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\0", b"\xc0\x80"])
    at = rng.randrange(len(payload) + 1)
    return plain(number, wire, payload[:at] + bad + payload[at:])


def _nothing(rng: Random, number: int, wire: int, payload: bytes) -> bytes:
    del payload
    return b"" if rng.random() < 0.5 else plain(number, wire, b"" if wire == LEN else bytes(8))


_FAULTS = (
    _wrong_wire_type, _unknown_field, _group, _overlong_varint, _wrong_length, _twice, _halves, _bad_text, _nothing,
)  # fmt: skip
