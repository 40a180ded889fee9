"""Requests that no good client sends, and answers that no client shows."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

if TYPE_CHECKING:
    from detector.embedded import Broker

PATIENCE_S = 20


def batch(*values: bytes) -> bytes:
    """Return a record batch as a producer makes it."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for offset, value in enumerate(values):
        builder.append(offset, 1_000, b"k", value, [])
    return bytes(builder.build())


async def produce(wire: Any, raw: bytes, topic: str = "t") -> tuple[type[Exception], int]:
    """Send bytes as a batch; return the error and the offset."""
    request = ProduceRequest(None, -1, 1_000, [(topic, [(0, raw)])])
    answer = await wire.send(wire.get_random_node(), request)
    _, code, offset, *_ = answer.topics[0][1][0]
    return for_code(code), offset


async def fetch(wire: Any, offset: int, *, max_bytes: int = 1 << 20, min_bytes: int = 0) -> Any:
    """Fetch partition 0 of `t` at once."""
    request = FetchRequest(0, min_bytes, max_bytes, 0, [("t", [(0, offset, max_bytes)])])
    return (await wire.send(wire.get_random_node(), request)).topics[0][1][0]


async def said(broker: Broker, raw: bytes) -> bytes:
    """Send bytes on a connection of their own; return what comes until it ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(raw)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\xff" * 64,
        struct.pack(">i", 0x7FFF_FFFF) + b"x",
        struct.pack(">i", 0),
        struct.pack(">ihhih", 10, 0, 7, 1, -1),
        struct.pack(">ihhih", 10, 999, 0, 1, -1),
        struct.pack(">ihhih", 10, 3, 99, 1, -1),
        struct.pack(">ihhihi", 14, 3, 5, 1, -1, 0x7FFF_FFFF),
        struct.pack(">ihhih4sb", 15, 3, 1, 1, 4, b"\xff\xfe\xfd\xfc", 0),
    ],
    ids=["http", "negative", "giant", "empty", "truncated", "no api", "no version", "giant array", "not utf-8"],
)
async def test_garbage_ends_its_own_connection_only(broker: Broker, wire: Any, producer: Any, raw: bytes) -> None:
    """The sender is cut off without an answer, and everybody else is served as before."""
    assert await said(broker, raw) == b""
    sender = await producer()
    await sender.send_and_wait("t", b"fine")
    assert (await produce(wire, batch(b"fine")))[0] is for_code(0)


async def test_requests_may_come_in_any_pieces(broker: Broker) -> None:
    """Two requests, byte by byte and at once, get two answers in order."""
    ask = struct.pack(">ihhih", 10, 18, 0, 1, -1) + struct.pack(">ihhih", 10, 18, 0, 2, -1)
    for pieces in ([ask], [bytes([b]) for b in ask]):
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        for correlation in (1, 2):
            async with asyncio.timeout(PATIENCE_S):
                size = int.from_bytes(await reader.readexactly(4), "big")
                body = await reader.readexactly(size)
            assert struct.unpack_from(">ih", body) == (correlation, 0)
        writer.close()
        await writer.wait_closed()


async def test_a_newer_question_for_versions_is_answered_in_the_oldest_form(broker: Broker) -> None:
    """ApiVersions v3 gets UNSUPPORTED_VERSION in v0 form, from which a client learns what to ask."""
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(struct.pack(">ihhihb", 11, 18, 3, 9, -1, 0))
    size = int.from_bytes(await reader.readexactly(4), "big")
    body = await reader.readexactly(size)
    correlation, code, count = struct.unpack_from(">ihi", body)
    assert (correlation, code) == (9, 35)
    assert len(body) == 10 + 6 * count
    writer.close()
    await writer.wait_closed()


async def test_damaged_batches_are_refused(wire: Any, producer: Any) -> None:
    """A flipped bit, a missing end, a second batch behind and no batch at all store nothing."""
    await (await producer()).send_and_wait("t", b"0", partition=0)
    good = batch(b"one", b"two")
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    for bad in (flipped, good[:-1], good + good, good[:40], b""):
        assert await produce(wire, bad) == (CorruptRecordException, -1)
    assert await produce(wire, good) == (for_code(0), 1)
    assert (await fetch(wire, 0))[2] == 3


async def test_a_stored_batch_is_the_sent_one_but_for_its_offset(wire: Any, producer: Any) -> None:
    """Only base offset and leader epoch differ, so the checksum still holds."""
    await (await producer()).send_and_wait("t", b"0", partition=0)
    raw = batch(b"a", b"b")
    await produce(wire, raw)
    stored = (await fetch(wire, 1))[-1]
    assert stored[:8] == (1).to_bytes(8, "big")
    assert stored[16:] == raw[16:]


async def test_offsets_outside_the_log_are_told(wire: Any, producer: Any) -> None:
    """Before the start and after the end is out of range; the end itself is just empty."""
    await (await producer()).send_and_wait("t", b"0", partition=0)
    assert for_code((await fetch(wire, -5))[1]) is OffsetOutOfRangeError
    assert for_code((await fetch(wire, 2))[1]) is OffsetOutOfRangeError
    assert (await fetch(wire, 1))[-1] == b""
    assert await produce(wire, batch(b"x"), "nowhere") == (UnknownTopicOrPartitionError, -1)


async def test_fetch_returns_whole_batches_within_its_size(wire: Any, producer: Any) -> None:
    """As many batches as fit, and one where not even one fits."""
    await (await producer()).send_and_wait("t", b"0", partition=0)
    raw = batch(bytes(1_000))
    for _ in range(5):
        await produce(wire, raw)
    assert len((await fetch(wire, 1, max_bytes=10))[-1]) == len(raw)
    assert len((await fetch(wire, 1, max_bytes=3 * len(raw) + 1))[-1]) == 3 * len(raw)
    assert len((await fetch(wire, 1))[-1]) == 5 * len(raw)


async def test_fetch_waits_for_enough(wire: Any, producer: Any) -> None:
    """A fetch that asks for two records' bytes is not answered with one."""
    sender = await producer()
    await sender.send_and_wait("t", b"0", partition=0)
    raw = batch(bytes(1_000))
    request = FetchRequest(600_000, 2 * len(raw), 1 << 20, 0, [("t", [(0, 1, 1 << 20)])])
    waiting = asyncio.ensure_future(wire.send(wire.get_random_node(), request))
    await sender.send_and_wait("t", bytes(1_100), partition=0)
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await sender.send_and_wait("t", bytes(1_100), partition=0)
    async with asyncio.timeout(PATIENCE_S):
        assert len((await waiting).topics[0][1][0][-1]) >= 2 * len(raw)
