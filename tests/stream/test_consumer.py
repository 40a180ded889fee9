"""How records are read: a share for every topic, no more than there is room for, no task without need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faust.transport.drivers import aiokafka as driver

from detector.config import load
from detector.stream import consumer as consumers
from detector.stream.consumer import (
    ENOUGH,
    FETCH_BYTES,
    FETCH_WAIT_MS,
    POLL_RECORDS,
    SMALLEST_FETCH,
    Consumer,
    fetch_bytes,
    wait_briefly,
)
from detector.stream.engine import faust_app, linger, store_options


@pytest.fixture
async def consumer(tmp_path: Path) -> AsyncIterator[Consumer]:
    """A worker's consumer as it is made, before it connects."""
    app: Any = faust_app(load(datadir=tmp_path / "state"))
    app.loop = asyncio.get_running_loop()
    made = app.consumer
    assert isinstance(made, Consumer)
    yield made
    thread: Any = made._thread
    thread.thread_loop.close()


def test_fetches_are_small() -> None:
    """A poll hands out all that was fetched: of a few partitions a megabyte each, of very many less, never none."""
    assert [fetch_bytes(partitions) for partitions in (1, 4, 64, 10_000)] == [
        FETCH_BYTES,
        FETCH_BYTES,
        FETCH_BYTES // 4,
        SMALLEST_FETCH,
    ]


async def test_fetches_wait_briefly(bootstrap: str) -> None:
    """What `wait_briefly` sets is in the requests that aiokafka makes: its one fetch to a broker may ask for idle
    partitions alone, and everything waits behind it.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=1500)
    await consumer.start()
    try:
        wait_briefly(consumer)
        asked, ask = asyncio.Queue[int](), consumer._fetcher._proc_fetch_request

        async def note(assignment: Any, node: int, request: Any) -> bool:
            asked.put_nowait(request._max_wait_ms)
            return bool(await ask(assignment, node, request))

        consumer._fetcher._proc_fetch_request = note
        consumer.assign([TopicPartition("fetched", 0)])
        assert await asked.get() == FETCH_WAIT_MS
    finally:
        await consumer.stop()


async def test_what_is_read_at_once_is_bounded(consumer: Consumer) -> None:
    """What Faust gives aiokafka: as many records as one poll may hand out, and as many bytes as one fetch may bring."""
    thread: Any = consumer._thread
    made = thread._create_consumer(asyncio.get_running_loop())
    await made.stop()
    assert (made._max_poll_records, made._max_partition_fetch_bytes) == (POLL_RECORDS, FETCH_BYTES)
    assert type(thread).on_start is not driver.AIOKafkaConsumerThread.on_start


@pytest.mark.parametrize("partitions", [1, 4, 64])
def test_stores_share_their_memory(partitions: int) -> None:
    """Faust's RocksDBs may hold 2 GB and more for each partition; here all of them together have 320 MB."""
    options = store_options(load(partitions=partitions))
    assert partitions * (options["block_cache_size"] + 3 * options["write_buffer_size"]) <= 320 * 1024 * 1024
    assert store_options(load(partitions=partitions, store="memory")) == {}


# --- handing on -------------------------------------------------------------------------


async def test_a_message_is_handed_on_without_a_task(consumer: Consumer) -> None:
    """Faust makes four tasks of it."""
    handed, made = [], []
    loop = asyncio.get_running_loop()

    async def hand_on() -> None:
        handed.append(1)

    def factory(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        made.append(work)
        return asyncio.Task(work, loop=loop, **options)

    loop.set_task_factory(factory)
    try:
        await consumer.wait_first(hand_on(), asyncio.Event().wait())
    finally:
        loop.set_task_factory(None)
    assert (handed, made) == ([1], [])


async def test_a_message_may_wait_for_room(consumer: Consumer) -> None:
    """It is handed on when there is, in as many steps as it takes."""
    handed: list[int] = []
    first, second = asyncio.Event(), asyncio.Event()

    async def hand_on() -> None:
        await first.wait()
        await second.wait()
        handed.append(1)

    waiting = asyncio.create_task(consumer.wait_first(hand_on(), asyncio.Event().wait()))
    for step in (first, second):
        await asyncio.sleep(0.01)
        assert handed == []
        step.set()
    await waiting
    assert handed == [1]


async def test_a_rebalance_ends_the_wait_for_room(consumer: Consumer) -> None:
    """The message is let go of, and whoever handed it on is told."""
    ended: list[str] = []
    rebalance = asyncio.Event()

    async def hand_on() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    waiting = asyncio.create_task(consumer.wait_first(hand_on(), rebalance.wait()))
    await asyncio.sleep(0.01)
    rebalance.set()
    await waiting
    await asyncio.sleep(0.01)
    assert ended == ["cancelled"]


async def test_a_fault_in_handing_on_is_raised(consumer: Consumer) -> None:
    """As Faust does."""

    async def hand_on() -> None:
        raise KeyError("no such partition")

    with pytest.raises(KeyError, match="no such partition"):
        await consumer.wait_first(hand_on(), asyncio.Event().wait())


# --- backpressure -----------------------------------------------------------------------


class Partition(NamedTuple):
    """A topic's partition, as Faust names it."""

    topic: str
    partition: int


class Channel:
    """Of one topic, with so many records that wait to be taken."""

    def __init__(self, records: int) -> None:
        self.queue: asyncio.Queue[int] = asyncio.Queue()
        for record in range(records):
            self.queue.put_nowait(record)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What Faust's own poll, here without a Kafka, is asked for."""
    topics: list[set[str]] = []

    async def poll(_: Any, active: set[Partition], timeout: float) -> dict[Any, Any]:  # noqa: ASYNC109
        del timeout
        topics.append({tp.topic for tp in active})
        return {}

    monkeypatch.setattr(driver.Consumer, "_getmany", poll)
    monkeypatch.setattr(consumers, "POLL_SECONDS", 0.001)
    return topics


async def poll(consumer: Consumer, **waiting: int) -> None:
    """Asks for more while so many records of these topics wait to be taken."""
    topics: Any = consumer.app.topics
    topics._topic_name_index = {name: {Channel(records)} for name, records in waiting.items()}
    await consumer._getmany({Partition(name, 0) for name in waiting}, 1.0)


async def test_a_topic_with_enough_to_do_is_left_out(consumer: Consumer, asked: list[set[str]]) -> None:
    """Its records stay in Kafka until those that were read are nearly dealt with; the others are read meanwhile."""
    await poll(consumer, spans=ENOUGH + 1, log=ENOUGH)
    await poll(consumer, spans=ENOUGH + 1, log=ENOUGH + 1)
    await poll(consumer, spans=0, log=0)
    assert asked == [{"log"}, {"spans", "log"}]


# --- writing ----------------------------------------------------------------------------


async def test_lingering_reaches_the_batches(bootstrap: str) -> None:
    """What `linger` sets is what aiokafka gives its next batch; it has no public way to change it."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=2)
    await producer.start()
    try:
        app = SimpleNamespace(producer=SimpleNamespace(_producer=producer))
        set_to = []
        for seconds in (0.02, 0.002):
            linger(app, seconds)
            sent = await producer.send("lingering", b"x")
            (batches,) = producer._message_accumulator._batches.values()
            set_to.append(batches[-1]._linger_time)
            await sent
        assert set_to == [0.02, 0.002]
    finally:
        await producer.stop()
