"""One partition: record batches as they came, and the offsets that they got.

A batch is stored opaque. Its base offset and leader epoch lie outside its checksum, so
assigning offsets rewrites 16 bytes and touches no record. Layout: Kafka documentation,
"Message Format, Record Batch".
"""

import asyncio
import logging
import struct
from bisect import bisect_right
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.util import calc_crc32c

from detector.embedded.wire import Code, RefusedError

log = logging.getLogger(__name__)

HEADER = struct.Struct(">qiibIhiqqqhii")
_PREFIX = struct.Struct(">qii")
_CRC_COVERS_FROM = 21
_LENGTH_COVERS_FROM = 12
_TRANSACTIONAL_OR_CONTROL = 0x30
_MAGIC = 2

# What one more batch costs beside its bytes: list slot, tuple, bytes object, integers.
BATCH_OVERHEAD = 250
# As many as a real broker remembers: clients keep at most five requests in flight.
_REMEMBERED_BATCHES = 5
_REMEMBERED_PRODUCERS = 1_000
_SEQUENCE_MASK = 0x7FFF_FFFF


class Batch(NamedTuple):
    """A stored batch: first and last offset, newest timestamp (ms), bytes."""

    base: int
    last: int
    max_timestamp: int
    data: bytes


class _Header(NamedTuple):
    """Fields of a record batch in their order on the wire."""

    base: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: int


@dataclass(slots=True)
class Policy:
    """How a topic's partitions are kept: sizes in bytes."""

    retention_bytes: int
    compacted: bool = False


@dataclass(slots=True)
class Memory:
    """Bytes held by all partitions together, and how many may be."""

    limit: int
    used: int = 0


@dataclass(slots=True)
class _Producer:
    epoch: int
    recent: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_BATCHES))


def _checked(data: bytes) -> _Header:
    """Read and verify the header of the one batch in `data`.

    Raises RefusedError: CORRUPT_MESSAGE for truncation or a wrong checksum,
    INVALID_RECORD for an old format, control records or a wrong count.
    """
    if len(data) < HEADER.size:
        raise RefusedError(Code.CORRUPT_MESSAGE, "batch shorter than its header")
    header = _Header._make(HEADER.unpack_from(data))
    if header.magic != _MAGIC:
        raise RefusedError(Code.INVALID_RECORD, "only record format v2 is kept")
    if header.length + _LENGTH_COVERS_FROM != len(data):
        raise RefusedError(Code.CORRUPT_MESSAGE, "not exactly one whole batch")
    if header.crc != calc_crc32c(data[_CRC_COVERS_FROM:]):
        raise RefusedError(Code.CORRUPT_MESSAGE, "checksum does not match")
    if header.attributes & _TRANSACTIONAL_OR_CONTROL:
        raise RefusedError(Code.INVALID_RECORD, "transactions are not supported")
    if header.records < 1 or header.records != header.last_offset_delta + 1:
        raise RefusedError(Code.INVALID_RECORD, "record count and offsets disagree")
    return header


def _first_in(batch: Batch, timestamp: int) -> tuple[int, int]:
    try:
        for record in DefaultRecordBatch(batch.data):
            if record.timestamp >= timestamp:
                return record.timestamp, record.offset
    except KafkaError as error:
        log.warning("batch at offset %d: %s", batch.base, error)
    return batch.max_timestamp, batch.base


class Partition:
    """An append-only log in memory, from offset `start` to before offset `end`."""

    def __init__(self, policy: Policy, memory: Memory) -> None:
        """Share the topic's policy and the broker's memory account."""
        self.policy = policy
        self.start = 0
        self.end = 0
        self.size = 0
        self.waiters: set[asyncio.Event] = set()
        self._memory = memory
        self._batches: list[Batch] = []
        self._producers: OrderedDict[int, _Producer] = OrderedDict()

    def append(self, data: bytes) -> int:
        """Store one batch, wake who waits, and return its base offset.

        A batch that an idempotent producer sends again is stored once. Raises
        RefusedError as `_checked` does, and for a producer's wrong epoch or sequence.
        """
        header = _checked(data)
        known = self._replayed(header)
        if known is not None:
            return known
        base, last = self.end, self.end + header.last_offset_delta
        stored = _PREFIX.pack(base, header.length, 0) + data[_PREFIX.size :]
        self._batches.append(Batch(base, last, header.max_timestamp, stored))
        self._account(len(stored) + BATCH_OVERHEAD)
        self.end = last + 1
        self._remember(header, base)
        if self.size > self.policy.retention_bytes and not self.policy.compacted:
            self.shrink()
        self.wake()
        return base

    def _replayed(self, header: _Header) -> int | None:
        producer = self._producers.get(header.producer_id)
        if producer is None:
            return None
        if header.producer_epoch < producer.epoch:
            raise RefusedError(Code.INVALID_PRODUCER_EPOCH)
        if header.producer_epoch > producer.epoch:
            return None
        first = header.base_sequence
        last = (first + header.last_offset_delta) & _SEQUENCE_MASK
        for known_first, known_last, base in producer.recent:
            if (first, last) == (known_first, known_last):
                return base
        if first != (producer.recent[-1][1] + 1) & _SEQUENCE_MASK:
            raise RefusedError(Code.OUT_OF_ORDER_SEQUENCE_NUMBER)
        return None

    def _remember(self, header: _Header, base: int) -> None:
        if header.producer_id < 0:
            return
        producer = self._producers.get(header.producer_id)
        if producer is None or producer.epoch != header.producer_epoch:
            producer = _Producer(header.producer_epoch)
            self._producers[header.producer_id] = producer
        last = (header.base_sequence + header.last_offset_delta) & _SEQUENCE_MASK
        producer.recent.append((header.base_sequence, last, base))
        self._producers.move_to_end(header.producer_id)
        if len(self._producers) > _REMEMBERED_PRODUCERS:
            self._producers.popitem(last=False)

    def read(self, offset: int, max_bytes: int) -> list[bytes]:
        """Return whole batches from the one that holds `offset` onwards.

        At least one where there is one, else as many as fit `max_bytes`. Raises
        RefusedError OFFSET_OUT_OF_RANGE.
        """
        if not self.start <= offset <= self.end:
            raise RefusedError(Code.OFFSET_OUT_OF_RANGE)
        found: list[bytes] = []
        if offset == self.end:
            return found
        at = bisect_right(self._batches, offset, key=attrgetter("base")) - 1
        # Compaction leaves gaps: the batch before `offset` may end before it too.
        at += at < 0 or self._batches[at].last < offset
        total = 0
        for index in range(at, len(self._batches)):
            data = self._batches[index].data
            total += len(data)
            if found and total > max_bytes:
                break
            found.append(data)
        return found

    def at_time(self, timestamp: int) -> tuple[int, int]:
        """Return timestamp (ms) and offset of the first record not before `timestamp`.

        (-1, -1) where there is none, as in ListOffsets.
        """
        for batch in self._batches:
            if batch.max_timestamp >= timestamp:
                return _first_in(batch, timestamp)
        return -1, -1

    def shrink(self, part: float = 0.1) -> None:
        """Drop the oldest batches until retention holds with `part` of it to spare.

        Dropping more than one at a time keeps the cost of an append constant.
        """
        keep = min(self.size, self.policy.retention_bytes) * (1 - part)
        count, freed = 0, 0
        # The newest batch stays, whatever its size: a consumer is to see it.
        while count < len(self._batches) - 1 and self.size - freed > keep:
            freed += len(self._batches[count].data) + BATCH_OVERHEAD
            count += 1
        if count:
            del self._batches[:count]
            self._account(-freed)
            self.start = self._batches[0].base
            log.debug("retention dropped %d batches, %d bytes", count, freed)

    def settled(self) -> list[Batch]:
        """Return all batches but the newest: what compaction may rewrite."""
        return self._batches[:-1]

    def replace(self, old: list[Batch], new: list[Batch]) -> None:
        """Put the compacted `new` where `old`, the oldest batches, stand."""
        if self._batches[: len(old)] == old:
            self._batches[: len(old)] = new
            cost = sum(len(b.data) + BATCH_OVERHEAD for b in new)
            self._account(cost - sum(len(b.data) + BATCH_OVERHEAD for b in old))

    def clear(self) -> None:
        """Forget everything and wake who waits, as the topic is deleted."""
        self._account(-self.size)
        self._batches.clear()
        self.start = self.end
        self.wake()

    def wake(self) -> None:
        """Let every waiting fetch look again."""
        for waiter in self.waiters:
            waiter.set()

    def _account(self, change: int) -> None:
        self.size += change
        self._memory.used += change
