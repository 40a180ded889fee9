"""Partitions: retention, memory, idempotent producers, compaction."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from detector.embedded.compaction import compact
from detector.embedded.log import BATCH_OVERHEAD, Batch, Memory, Partition, Policy
from detector.embedded.topics import Limits, Topics
from detector.embedded.wire import Code, RefusedError

Rows = list[tuple[bytes | None, bytes | None]]


def encoded(rows: Rows, *, producer: int = -1, epoch: int = -1, sequence: int = -1, timestamp: int = 1_000) -> bytes:
    """Return a record batch as a producer makes it."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, producer, epoch, sequence, 1 << 24)
    for offset, (key, value) in enumerate(rows):
        builder.append(offset, timestamp, key, value, [("h", b"v")])
    return bytes(builder.build())


def decoded(batches: list[bytes]) -> list[tuple[int, bytes | None, bytes | None]]:
    """Return offset, key and value of every record, after its batch's checksum held."""
    found = []
    for raw in batches:
        batch = DefaultRecordBatch(raw)
        assert batch.validate_crc()
        found += [(r.offset, r.key, r.value) for r in batch]
    return found


def partition(retention: int = 1 << 30, *, compacted: bool = False) -> Partition:
    """Return an empty partition."""
    return Partition(Policy(retention, compacted), Memory(1 << 30))


def test_retention_bounds_a_partition_and_moves_its_start() -> None:
    """The oldest batches go; offsets go on; what was dropped is out of range; the newest is there."""
    limit = 50 * 1_400
    kept = partition(limit)
    for number in range(1_000):
        kept.append(encoded([(b"k", b"%d" % number + bytes(1_000))]))
        assert kept.size <= limit
    assert kept.end == 1_000
    assert 940 < kept.start < 1_000
    with pytest.raises(RefusedError) as refused:
        kept.read(kept.start - 1, 1)
    assert refused.value.code is Code.OFFSET_OUT_OF_RANGE
    records = decoded(kept.read(kept.start, 1 << 30))
    assert [offset for offset, *_ in records] == list(range(kept.start, 1_000))


def test_a_batch_larger_than_the_retention_is_still_there_to_be_read() -> None:
    """The newest batch is never dropped."""
    kept = partition(100)
    for _ in range(3):
        kept.append(encoded([(b"k", bytes(1_000))]))
    assert (kept.start, kept.end) == (2, 3)
    assert len(kept.read(2, 1)) == 1


def test_all_partitions_together_keep_to_the_memory() -> None:
    """Beyond the total, the largest partition that may lose data loses its oldest."""
    topics = Topics(Limits(memory_bytes=100_000))
    small, big = topics.create("small"), topics.create("big")
    topics.append("small", 0, encoded([(b"k", bytes(1_000))]))
    for _ in range(500):
        topics.append("big", 0, encoded([(b"k", bytes(1_000))]))
        assert topics.memory.used <= 100_000 + 1_400
    assert small.partitions[0].start == 0
    assert big.partitions[0].start > 400
    assert topics.memory.used == small.partitions[0].size + big.partitions[0].size
    topics.delete("big")
    topics.delete("small")
    assert topics.memory.used == 0


async def test_compacted_topics_refuse_rather_than_lose() -> None:
    """Where all keys are live and memory is full, records are refused with POLICY_VIOLATION."""
    topics = Topics(Limits(memory_bytes=50_000))
    topics.create("live", 1, {"cleanup.policy": "compact"})
    for number in range(30):
        topics.append("live", 0, encoded([(b"%d" % number, bytes(1_000))]))
    with pytest.raises(RefusedError) as refused:
        topics.append("live", 0, encoded([(b"last", bytes(20_000))]))
    assert refused.value.code is Code.POLICY_VIOLATION
    assert topics.partition("live", 0).start == 0
    await topics.settle()


async def test_a_compacted_topic_stays_small_and_keeps_the_last_of_every_key() -> None:
    """Many writes to few keys take bounded memory, and none of the keys is lost."""
    limit = 200_000
    topics = Topics(Limits(compact_bytes=limit))
    part = topics.create("table", 1, {"cleanup.policy": "compact"}).partitions[0]
    last: dict[bytes, bytes] = {}
    for number in range(3_000):
        key, value = b"k%d" % (number % 37), b"%d" % number + bytes(500)
        topics.append("table", 0, encoded([(key, value)]))
        last[key] = value
        if number % 100 == 0:
            await topics.settle()
    await topics.settle()
    assert part.size < 2 * limit
    records = decoded(part.read(part.start, 1 << 30))
    assert {key: value for _, key, value in records} == last
    assert [offset for offset, *_ in records] == sorted({offset for offset, *_ in records})
    assert topics.memory.used == part.size


def stored(rows: Rows, base: int, timestamp: int = 1_000) -> Batch:
    """Return a batch as it lies in a partition."""
    raw = struct.pack(">q", base) + encoded(rows, timestamp=timestamp)[8:]
    return Batch(base, base + len(rows) - 1, timestamp, raw)


def test_compaction_keeps_order_offsets_headers_and_what_it_cannot_judge() -> None:
    """Only records that a later one of their key replaces go; records without key stay."""
    batches = [stored([(b"a", b"1"), (b"b", b"1"), (None, b"x")], 0), stored([(b"a", b"2"), (b"c", b"")], 3)]
    (result,) = compact(batches, 0)
    assert decoded([result.data]) == [(1, b"b", b"1"), (2, None, b"x"), (3, b"a", b"2"), (4, b"c", b"")]
    assert (result.base, result.last) == (1, 4)
    assert {tuple(r.headers) for r in DefaultRecordBatch(result.data)} == {(("h", b"v"),)}


def test_deletes_go_when_they_are_old_enough() -> None:
    """A record without value outlives what it deletes by delete.retention.ms."""
    batches = [stored([(b"a", b"1"), (b"b", b"1")], 0), stored([(b"a", None)], 2, timestamp=5_000)]
    assert decoded([b.data for b in compact(batches, 5_000)]) == [(1, b"b", b"1"), (2, b"a", None)]
    assert decoded([b.data for b in compact(batches, 5_001)]) == [(1, b"b", b"1")]


def test_a_batch_that_cannot_be_decoded_stays_and_keeps_deletes_alive() -> None:
    """What is not understood is not dropped, nor may it rise again."""
    unknown = bytearray(stored([(b"a", b"1")], 0).data)
    struct.pack_into(">h", unknown, 21, 7)
    struct.pack_into(">I", unknown, 17, calc_crc32c(bytes(unknown[21:])))
    batches = [Batch(0, 0, 1_000, bytes(unknown)), stored([(b"a", None)], 1), stored([(b"b", b"1")], 2)]
    result = compact(batches, 1 << 60)
    assert result[0] is batches[0]
    assert decoded([b.data for b in result[1:]]) == [(1, b"a", None), (2, b"b", b"1")]


def test_reading_passes_over_the_gaps_of_compaction() -> None:
    """An offset that was compacted away leads to the next record that is there."""
    part = partition(compacted=True)
    for key in (b"a", b"b", b"a", b"a", b"c", b"a"):
        part.append(encoded([(key, b"v")]))
    old = part.settled()
    part.replace(old, compact(old, 0))
    assert [offset for offset, *_ in decoded(part.read(0, 1 << 20))] == [1, 3, 4, 5]
    part.replace(part.settled(), [])
    assert [offset for offset, *_ in decoded(part.read(2, 1))] == [5]
    assert part.size == sum(len(b.data) + BATCH_OVERHEAD for b in part._batches)


@pytest.mark.parametrize("sequence", [1, 3])
def test_gaps_in_an_idempotent_producer_are_refused(sequence: int) -> None:
    """A batch that does not follow the last one is not stored."""
    part = partition()
    part.append(encoded([(b"k", b"v")] * 2, producer=9, epoch=0, sequence=0))
    with pytest.raises(RefusedError) as refused:
        part.append(encoded([(b"k", b"v")], producer=9, epoch=0, sequence=sequence))
    assert refused.value.code is Code.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert part.end == 2


def test_what_an_idempotent_producer_sends_again_is_stored_once() -> None:
    """A repeated batch gets its first offset again; an old epoch is fenced, a new one starts over."""
    part = partition()
    first = encoded([(b"k", b"v")] * 2, producer=9, epoch=1, sequence=0)
    second = encoded([(b"k", b"v")] * 2, producer=9, epoch=1, sequence=2)
    assert [part.append(raw) for raw in (first, second, first, second)] == [0, 2, 0, 2]
    with pytest.raises(RefusedError) as refused:
        part.append(encoded([(b"k", b"v")], producer=9, epoch=0, sequence=4))
    assert refused.value.code is Code.INVALID_PRODUCER_EPOCH
    assert part.append(encoded([(b"k", b"v")], producer=9, epoch=2, sequence=0)) == 4


async def test_a_slow_consumer_is_told_that_records_are_gone(producer: Any, consumer: Any, broker: Any) -> None:
    """A consumer whose offset was dropped starts again from what is there."""
    sender, receiver = await producer(), await consumer("t")
    await sender.send_and_wait("t", b"first", partition=0)
    part = broker._topics.partition("t", 0)
    part.policy.retention_bytes = 10_000
    for number in range(50):
        await sender.send_and_wait("t", b"%d" % number + bytes(500), partition=0)
    receiver.seek(TopicPartition("t", 0), 0)
    record = await receiver.getone()
    assert record.offset >= part.start > 0
