"""The changelog: what a successor believes, what its owner writes again, and who may write at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from struct import pack
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as Place
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from prometheus_client import CollectorRegistry

from detector.config import load
from detector.observe.metrics import Metrics
from detector.stream.changelog import BY, Changelog, by

TOPIC = "runs-changelog"
LOG = {0: 1000, 1: 1000}
"""Where the partitions of the run log end."""


class Store(dict[bytes, bytes]):
    """A table's local store."""

    def __init__(self) -> None:
        super().__init__()
        self.persisted: dict[Any, int] = {}

    def set_persisted_offset(self, tp: Any, offset: int) -> None:
        """Notes it."""
        self.persisted[tp.partition] = offset


class Table:
    """A table, as far as its changelog needs it."""

    def __init__(self) -> None:
        self.data = Store()
        self.changelog_topic_name = TOPIC
        self.changelog: Changelog

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """As the worker's table does."""
        for each in self.changelog.believable(batch):
            if each.message.value is None:
                self.data.pop(each.message.key, None)
            else:
                self.data[each.message.key] = each.message.value


class TopicPartition(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int


class Message(NamedTuple):
    """A record as recovery reads it."""

    tp: TopicPartition
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Event(NamedTuple):
    """A record in Faust's wrapping."""

    message: Message


def event(offset: int, key: bytes, value: bytes | None, term: int, partition: int = 0, *, applied: int = -1) -> Event:
    """A record of a writer whose term is `term`, which had `applied` so much; 0: of a version that wrote neither."""
    headers = [(BY, pack(">Qq", term, applied))] if term else []
    return Event(Message(TopicPartition(TOPIC, partition), partition, offset, key, value, headers))


class Side:
    """One worker's side of the changelog, on a real topic."""

    def __init__(self, bootstrap: str, producer: AIOKafkaProducer) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.table = Table()
        self._producer = producer
        self.changelog = Changelog(load(bootstrap=bootstrap), self.metrics, self.table, self._send)

    async def _send(self, topic: str, key: bytes, value: bytes | None, partition: int, headers: Any) -> Any:
        return await self._producer.send(topic, value, key, partition, headers=headers)

    async def put(self, key: bytes, value: bytes | None, applied: int = -1) -> None:
        """A state, stored and confirmed."""
        if value is None:
            self.table.data.pop(key, None)
        else:
            self.table.data[key] = value
        await (await self.changelog.write(key, value, 0, applied))

    async def mend(self, end: int | None = None) -> None:
        """As the worker's timer does; with `end`, it's time to look at the end of the partition, which is there."""
        self.changelog._looked = time.monotonic() if end is None else -1e9
        await self.changelog.mend(lambda: asyncio.sleep(0, {0: end or 0}))
        await self._producer.flush()


@asynccontextmanager
async def topic(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """The changelog's topic, and a producer."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        yield producer


async def last(bootstrap: str) -> dict[bytes, bytes | None]:
    """What compaction would keep."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign([Place(TOPIC, 0)])
        await consumer.seek_to_beginning()
        end = (await consumer.end_offsets([Place(TOPIC, 0)]))[Place(TOPIC, 0)]
        found: dict[bytes, bytes | None] = {}
        while await consumer.position(Place(TOPIC, 0)) < end:
            record = await consumer.getone()
            found[record.key] = record.value
        return found


def test_a_late_write_of_an_older_worker_is_not_believed() -> None:
    """Recovery takes records in order, but none of a lower term than one before it in its partition."""
    changelog = side_without_kafka()
    read = [event(0, b"a", b"1", 5), event(1, b"a", b"2", 9), event(2, b"a", b"old", 5), event(3, b"b", b"3", 9)]
    read += [event(0, b"c", b"4", 5, partition=1)]
    assert [each.message.value for each in changelog.believable(read)] == [b"1", b"2", b"3", b"4"]


def test_records_of_older_versions_are_believed() -> None:
    """A record without a term is taken wherever it stands: a worker of the last version wrote it."""
    changelog = side_without_kafka()
    read = [event(0, b"a", b"1", 0), event(1, b"a", b"2", 9), event(2, b"a", b"3", 0)]
    assert [each.message.value for each in changelog.believable(read)] == [b"1", b"2", b"3"]


async def test_a_term_is_higher_than_any_that_was_read(bootstrap: str) -> None:
    """An owner's term outranks its predecessors', even one whose clock was years ahead."""
    async with topic(bootstrap) as producer:
        side = Side(bootstrap, producer)
        ahead = 1 << 60
        assert len(list(side.changelog.believable([event(0, b"a", b"1", ahead)]))) == 1
        side.changelog.begin({0: -1}, LOG)
        await side.put(b"a", b"2")
        async with AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
            record = await consumer.getone()
    assert by(record.headers)[0] == ahead + 1


async def test_its_own_writes_are_left_alone(bootstrap: str) -> None:
    """Where nobody else writes nothing is written twice, and recovery from disk begins at the last record."""
    async with topic(bootstrap) as producer:
        side = Side(bootstrap, producer)
        side.changelog.begin({0: -1}, LOG)
        for n in range(5):
            await side.put(b"a", b"%d" % n)
        await side.mend(end=5)
        side.changelog.persist()
        assert await end_of(bootstrap) == 5
    assert side.table.data.persisted == {0: 3}


@pytest.mark.parametrize("seen", ["by the next write", "by a look at the end"])
@pytest.mark.parametrize("state", [b"newer", None], ids=["a state", "a finished run"])
async def test_what_a_late_write_stands_after_is_written_again(bootstrap: str, seen: str, state: bytes | None) -> None:
    """A worker that slept wakes and writes an old state; the owner finds it and writes its own after it."""
    async with topic(bootstrap) as producer:
        sleeper, owner = Side(bootstrap, producer), Side(bootstrap, producer)
        sleeper.changelog.begin({0: -1}, LOG)
        await asyncio.sleep(0.002)
        owner.changelog.begin({0: -1}, LOG)
        await owner.put(b"run", b"first")
        await owner.put(b"run", state)
        await sleeper.put(b"run", b"old")
        assert await last(bootstrap) == {b"run": b"old"}
        if seen == "by the next write":
            await owner.put(b"other", b"1")
            await owner.mend()
        else:
            await owner.mend(end=3)
        found = await last(bootstrap)
    assert found[b"run"] == state
    assert owner.metrics.notes.labels("mended_state")._value.get() == 1


async def test_a_late_write_found_in_recovery_is_written_over(bootstrap: str) -> None:
    """The successor of an owner that died before it could mend does it."""
    async with topic(bootstrap) as producer:
        side = Side(bootstrap, producer)
        read = [event(0, b"run", b"newer", 9), event(1, b"run", b"old", 5)]
        for each in side.changelog.believable(read):
            assert each.message.value is not None
            side.table.data[each.message.key] = each.message.value
        side.changelog.begin({0: -1}, LOG)
        await side.mend()
        assert await last(bootstrap) == {b"run": b"newer"}


async def test_a_worker_that_slept_stops_writing(bootstrap: str) -> None:
    """One that finds a newer worker's records knows that the partition is not its own, and mends nothing."""
    async with topic(bootstrap) as producer:
        sleeper, owner = Side(bootstrap, producer), Side(bootstrap, producer)
        sleeper.changelog.begin({0: -1}, LOG)
        await asyncio.sleep(0.002)
        owner.changelog.begin({0: -1}, LOG)
        await owner.put(b"run", b"newer")
        await sleeper.put(b"other", b"old")
        await sleeper.mend()
        assert not sleeper.changelog.owns(0)
        with pytest.raises(KeyError):
            await sleeper.put(b"run", b"old")
        assert (await last(bootstrap))[b"run"] == b"newer"


def test_nothing_is_owned_between_assignments() -> None:
    """After a revocation no partition is ours until the next `begin`, and then only those that it names."""
    changelog = side_without_kafka()
    changelog.begin({0: -1, 1: -1}, LOG)
    changelog.revoked()
    assert not changelog.owns(0)
    changelog.begin({1: -1}, LOG)
    assert (changelog.owns(0), changelog.owns(1)) == (False, True)


def side_without_kafka() -> Changelog:
    """A changelog that is only read."""

    async def refuses(*_: Any) -> Any:
        raise AssertionError("nothing is to be written")

    return Changelog(load(), Metrics(CollectorRegistry()), Table(), refuses)


async def end_of(bootstrap: str) -> int:
    """The next offset of the changelog."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        return int((await consumer.end_offsets([Place(TOPIC, 0)]))[Place(TOPIC, 0)])


async def test_what_a_predecessor_had_applied_is_known(bootstrap: str) -> None:
    """A successor reads how far the run log was applied, of runs that have left no state as well."""
    async with topic(bootstrap) as producer:
        first = Side(bootstrap, producer)
        first.changelog.begin({0: -1}, LOG)
        await first.put(b"run", b"state", applied=7)
        await first.put(b"run", None, applied=9)
        async with AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
            records = [await consumer.getone(), await consumer.getone()]
        changelog = side_without_kafka()
        place = TopicPartition(TOPIC, 0)
        read = [Event(Message(place, 0, r.offset, r.key, r.value, r.headers)) for r in records]
        assert list(changelog.believable(read)) == read
        changelog.begin({0: 1}, LOG)
    assert [changelog.had(0, offset) for offset in (7, 8, 9, 10)] == [True, True, True, False]


def test_what_a_late_write_says_of_the_run_log_is_not_believed() -> None:
    """Only the owner's own records say how far it had come."""
    changelog = side_without_kafka()
    list(changelog.believable([event(0, b"a", b"1", 9, applied=3), event(1, b"b", b"old", 5, applied=8)]))
    changelog.begin({0: 1}, LOG)
    assert (changelog.had(0, 3), changelog.had(0, 4)) == (True, False)


def test_a_run_log_that_was_made_anew_is_applied_from_its_beginning() -> None:
    """Where the run log ends before what was applied of it, it's another one, and nothing of it was applied."""
    changelog = side_without_kafka()
    list(changelog.believable([event(0, b"a", b"1", 9, applied=500)]))
    changelog.begin({0: 0}, {0: 20})
    assert not changelog.had(0, 5)


async def test_what_comes_in_front_of_the_fence_is_taken_up(bootstrap: str) -> None:
    """What a predecessor wrote between the owner's recovery and its fence is the owner's, and its successor's, too."""
    async with topic(bootstrap) as producer:
        before, owner, successor = (Side(bootstrap, producer) for _ in range(3))
        before.changelog.begin({0: -1}, LOG)
        await before.put(b"run", b"1", applied=7)
        owner.table.apply_changelog_batch(await read_back(bootstrap))
        await asyncio.sleep(0.002)
        owner.changelog.begin({0: 0}, LOG)
        await before.put(b"run", b"2", applied=8)
        await before.put(b"new", b"3", applied=9)
        await owner.changelog.fence()
        await before.put(b"new", b"late", applied=10)
        await owner.mend(end=5)
        assert owner.table.data == {b"run": b"2", b"new": b"3"}
        assert [owner.changelog.had(0, offset) for offset in (9, 10)] == [True, False]

        successor.table.apply_changelog_batch(await read_back(bootstrap))
        successor.changelog.begin({0: 5}, LOG)
        assert successor.table.data == owner.table.data
        assert [successor.changelog.had(0, offset) for offset in (9, 10)] == [True, False]


async def test_a_fence_behind_a_newer_worker_gives_the_partition_up(bootstrap: str) -> None:
    """One that finds a newer worker's records in front of its fence leaves the partition, and recovers them later."""
    async with topic(bootstrap) as producer:
        sleeper, owner = Side(bootstrap, producer), Side(bootstrap, producer)
        sleeper.changelog.begin({0: -1}, LOG)
        await asyncio.sleep(0.002)
        owner.changelog.begin({0: -1}, LOG)
        await owner.put(b"run", b"newer")
        await sleeper.changelog.fence()
        sleeper.changelog.persist()
        assert not sleeper.changelog.owns(0)
        assert sleeper.table.data.persisted == {}
        assert sleeper.changelog.lost_for() > 0
        sleeper.changelog.revoked()
        assert sleeper.changelog.lost_for() == 0


async def test_what_an_older_run_log_had_applied_is_not_taken_up(bootstrap: str) -> None:
    """A late record that had applied more than the run log holds is of one before it was made anew."""
    async with topic(bootstrap) as producer:
        before, owner = Side(bootstrap, producer), Side(bootstrap, producer)
        before.changelog.begin({0: -1}, LOG)
        await asyncio.sleep(0.002)
        owner.changelog.begin({0: -1}, {0: 20})
        await before.put(b"run", b"1", applied=500)
        await owner.changelog.fence()
        assert owner.table.data == {b"run": b"1"}
        assert not owner.changelog.had(0, 5)


async def test_a_partition_that_goes_during_the_fence_is_left(bootstrap: str) -> None:
    """A rebalance in the middle of it is no fault."""
    async with topic(bootstrap) as producer:
        before, owner = Side(bootstrap, producer), Side(bootstrap, producer)
        before.changelog.begin({0: -1}, LOG)
        await asyncio.sleep(0.002)
        owner.changelog.begin({0: -1}, LOG)
        await before.put(b"run", b"1", applied=5)
        fence = asyncio.ensure_future(owner.changelog.fence())
        await asyncio.sleep(0)
        owner.changelog.revoked()
        await fence
        assert owner.table.data == {}


async def read_back(bootstrap: str) -> list[Event]:
    """All of the changelog, as recovery reads it."""
    place, found = TopicPartition(TOPIC, 0), list[Event]()
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign([Place(TOPIC, 0)])
        await consumer.seek_to_beginning()
        end = (await consumer.end_offsets([Place(TOPIC, 0)]))[Place(TOPIC, 0)]
        while await consumer.position(Place(TOPIC, 0)) < end:
            r = await consumer.getone()
            found.append(Event(Message(place, 0, r.offset, r.key, r.value, r.headers)))
    return found


async def test_recovery_from_disk_does_not_begin_behind_what_was_not_read(bootstrap: str) -> None:
    """After a record of somebody else's between its own, a worker's disk says no more where recovery may begin."""
    async with topic(bootstrap) as producer:
        sleeper, owner = Side(bootstrap, producer), Side(bootstrap, producer)
        sleeper.changelog.begin({0: -1}, LOG)
        await sleeper.put(b"run", b"1")
        await sleeper.put(b"run", b"2")
        sleeper.changelog.persist()
        await asyncio.sleep(0.002)
        owner.changelog.begin({0: 1}, LOG)
        await owner.put(b"run", b"3")
        await sleeper.put(b"run", b"old")
        sleeper.changelog.persist()
    assert sleeper.table.data.persisted == {0: 0}


def test_its_own_records_are_believed_when_they_are_read_again() -> None:
    """A worker that keeps a partition through rebalances reads what it wrote, in whatever term it is by now."""
    changelog = side_without_kafka()
    first, second = event(0, b"a", b"1", 5), event(1, b"a", b"2", 9)
    assert list(changelog.believable([first, second])) == [first, second]
    changelog.begin({0: 1}, LOG)
    changelog.revoked()
    assert list(changelog.believable([first, second])) == [first, second]
    late = event(2, b"a", b"old", 5)
    assert list(changelog.believable([late])) == []
