"""Produce, Fetch, ListOffsets, InitProducerId."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

from detector.embedded.call import Call, Reply, Served
from detector.embedded.log import Partition
from detector.embedded.topics import Topics
from detector.embedded.wire import Api, Code, Reader, RefusedError, Writer

_LATEST, _EARLIEST = -1, -2
_LEADER_EPOCH = 0
# fetch.max.bytes of Apache Kafka: what one answer holds, save for a first larger batch.
_MAX_FETCH_BYTES = 55 << 20


class _Wanted(NamedTuple):
    topic: str
    partition: int
    offset: int
    max_bytes: int


class _Piece(NamedTuple):
    partition: int
    code: Code
    end: int
    start: int
    parts: list[bytes]


@dataclass(slots=True)
class _Found:
    """What a fetch has to answer now; `urgent` where waiting makes no sense."""

    topics: list[tuple[str, list[_Piece]]]
    size: int = 0
    urgent: bool = False
    watched: list[Partition] = field(default_factory=list)


@dataclass(slots=True)
class _Fetch:
    max_wait_s: float
    min_bytes: int
    max_bytes: int
    topics: list[tuple[str, list[_Wanted]]]


class Data:
    """The handlers that move records."""

    def __init__(self, topics: Topics) -> None:
        """Read from and write to `topics`."""
        self._topics = topics
        self._producer_ids = itertools.count(1_000)

    def apis(self) -> dict[int, Served]:
        """Return the APIs served here.

        Produce before v3 carries old record formats and is refused, but is listed as
        Apache Kafka 4 lists it, since librdkafka looks for it (KAFKA-18659).
        """
        return {
            Api.PRODUCE: Served(0, 8, self.produce),
            Api.FETCH: Served(4, 11, self.fetch),
            Api.LIST_OFFSETS: Served(1, 5, self.list_offsets),
            Api.INIT_PRODUCER_ID: Served(0, 1, self.init_producer_id),
        }

    def produce(self, call: Call) -> Reply:
        """Store batches; acks=all and acks=1 are the same in memory."""
        body, version = call.body, call.version
        if version >= 3:
            body.nullable_string()  # transactional id
        acks = body.i16()
        body.i32()  # timeout
        topics = body.array(lambda: (body.string(), body.array(lambda: (body.i32(), body.blob()))))
        out = Writer()

        def one(topic: str, number: int, batch: bytes) -> None:
            code, why, base, start = self._store(topic, number, batch, version, acks)
            out.i32(number).i16(code).i64(base)
            if version >= 2:
                out.i64(-1)  # log append time: batches keep their create time
            if version >= 5:
                out.i64(start)
            if version >= 8:
                out.i32(0).string(why)

        def each(item: tuple[str, list[tuple[int, bytes]]]) -> None:
            name, batches = item
            out.string(name).array(batches, lambda batch: one(name, *batch))

        out.array(topics, each)
        if version >= 1:
            out.i32(0)
        return None if acks == 0 else out

    def _store(
        self, topic: str, number: int, batch: bytes, version: int, acks: int
    ) -> tuple[Code, str | None, int, int]:
        if version < 3:
            return Code.UNSUPPORTED_VERSION, "only record format v2 is kept", -1, -1
        if acks not in {-1, 0, 1}:
            return Code.INVALID_REQUIRED_ACKS, None, -1, -1
        try:
            return Code.NONE, None, *self._topics.append(topic, number, batch)
        except RefusedError as error:
            return error.code, error.why, -1, -1

    def fetch(self, call: Call) -> Reply:
        """Answer at once where there is enough, else wait to be woken by a produce."""
        wanted = _read_fetch(call.body, call.version)
        found = self._collect(wanted)
        if found.urgent or found.size >= wanted.min_bytes or wanted.max_wait_s <= 0:
            return _fetched(found, call.version)
        return self._wait(wanted, found.watched, call.version)

    async def _wait(self, wanted: _Fetch, watched: list[Partition], version: int) -> Writer:
        woken = asyncio.Event()
        for partition in watched:
            partition.waiters.add(woken)
        try:
            async with asyncio.timeout(wanted.max_wait_s):
                # Look before waiting too: a produce may have come before the waiter was in place.
                while True:
                    found = self._collect(wanted)
                    if found.urgent or found.size >= wanted.min_bytes:
                        break
                    await woken.wait()
                    woken.clear()
        except TimeoutError:
            found = self._collect(wanted)
        finally:
            for partition in watched:
                partition.waiters.discard(woken)
        return _fetched(found, version)

    def _collect(self, wanted: _Fetch) -> _Found:
        found = _Found([])
        for name, requests in wanted.topics:
            pieces = [self._piece(r, wanted.max_bytes, found) for r in requests]
            found.topics.append((name, pieces))
        return found

    def _piece(self, wanted: _Wanted, max_bytes: int, found: _Found) -> _Piece:
        end = start = -1
        parts: list[bytes] = []
        try:
            partition = self._topics.partition(wanted.topic, wanted.partition)
            found.watched.append(partition)
            end, start = partition.end, partition.start
            # Beyond the first batch of an answer the budget binds.
            left = max_bytes - found.size
            if left > 0:
                parts = partition.read(wanted.offset, min(wanted.max_bytes, left))
                found.size += sum(map(len, parts))
        except RefusedError as error:
            found.urgent = True
            return _Piece(wanted.partition, error.code, end, start, [])
        return _Piece(wanted.partition, Code.NONE, end, start, parts)

    def list_offsets(self, call: Call) -> Reply:
        """Offsets by time in ms, -1 for the end and -2 for the start."""
        body, version = call.body, call.version
        body.i32()  # replica
        if version >= 2:
            body.i8()  # isolation level

        def wanted() -> tuple[int, int]:
            number = body.i32()
            if version >= 4:
                body.i32()  # leader epoch
            return number, body.i64()

        topics = body.array(lambda: (body.string(), body.array(wanted)))
        out = Writer()
        if version >= 2:
            out.i32(0)

        def one(topic: str, number: int, timestamp: int) -> None:
            code, (found, offset) = Code.NONE, (-1, -1)
            try:
                found, offset = self._at(topic, number, timestamp)
            except RefusedError as error:
                code = error.code
            out.i32(number).i16(code).i64(found).i64(offset)
            if version >= 4:
                out.i32(_LEADER_EPOCH)

        def each(item: tuple[str, list[tuple[int, int]]]) -> None:
            name, requests = item
            out.string(name).array(requests, lambda request: one(name, *request))

        return out.array(topics, each)

    def _at(self, topic: str, number: int, timestamp: int) -> tuple[int, int]:
        partition = self._topics.partition(topic, number)
        if timestamp == _LATEST:
            return -1, partition.end
        if timestamp == _EARLIEST:
            return -1, partition.start
        return partition.at_time(timestamp)

    def init_producer_id(self, call: Call) -> Reply:
        """Give an idempotent producer its id; transactions are refused."""
        transactional = call.body.nullable_string() is not None
        code = Code.INVALID_REQUEST if transactional else Code.NONE
        producer = -1 if transactional else next(self._producer_ids)
        return Writer().i32(0).i16(code).i64(producer).i16(0)


def _read_fetch(body: Reader, version: int) -> _Fetch:
    body.i32()  # replica
    max_wait_ms, min_bytes, max_bytes = body.i32(), body.i32(), body.i32()
    body.i8()  # isolation level
    if version >= 7:
        body.i32()  # session id: 0 in the answer declines sessions
        body.i32()  # session epoch

    def wanted(name: str) -> _Wanted:
        number = body.i32()
        if version >= 9:
            body.i32()  # leader epoch
        offset = body.i64()
        if version >= 5:
            body.i64()  # a follower's log start
        return _Wanted(name, number, offset, body.i32())

    def topic() -> tuple[str, list[_Wanted]]:
        name = body.string()
        return name, body.array(lambda: wanted(name))

    topics = body.array(topic)
    return _Fetch(max_wait_ms / 1000, min_bytes, min(max_bytes, _MAX_FETCH_BYTES), topics)


def _fetched(found: _Found, version: int) -> Writer:
    out = Writer().i32(0)
    if version >= 7:
        out.i16(Code.NONE).i32(0)

    def one(piece: _Piece) -> None:
        out.i32(piece.partition).i16(piece.code).i64(piece.end).i64(piece.end)
        if version >= 5:
            out.i64(piece.start)
        out.i32(-1)  # no aborted transactions
        if version >= 11:
            out.i32(-1)  # no preferred replica
        out.blobs(piece.parts)

    def each(topic: tuple[str, list[_Piece]]) -> None:
        name, pieces = topic
        out.string(name).array(pieces, one)

    return out.array(found.topics, each)
