"""Progress: how much may be open at once, and how far behind the worker is."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from prometheus_client import CollectorRegistry

from detector.observe.metrics import Metrics
from detector.stream.progress import Progress

POINTS = ("watch.changelog-confirmed", "watch.acked")
LIMIT = 3


class Partition(NamedTuple):
    """A topic's partition, as Faust names it."""

    topic: str
    partition: int


SPANS = Partition("spans", 0)


class Event:
    """A Faust event without Faust."""

    def __init__(self, offset: int, timestamp: float = 1.0) -> None:
        self.value: bytes | None = b"spans" * 1000
        self.message = SimpleNamespace(
            tp=SPANS, topic="spans", partition=0, offset=offset, timestamp=timestamp, generation_id=1, value=self.value
        )

    def ack(self) -> None:
        """Its offset may commit."""


class Consumer:
    """A Faust consumer that knows the ends of its partitions."""

    def __init__(self) -> None:
        self._committed_offset: dict[Partition, int | None] = {SPANS: 5, Partition("spans", 1): 2}
        self.ends = {SPANS: 9, Partition("spans", 1): 7, Partition("changelog", 0): 50}

    def assignment(self) -> set[Partition]:
        """The partitions of this worker."""
        return set(self.ends)

    def highwater(self, tp: Partition) -> int | None:
        """The end of a partition, as of the last fetch."""
        return self.ends[tp]


async def stop(_: BaseException | None) -> None:
    """Nobody stops here."""


@pytest.fixture
def app() -> SimpleNamespace:
    """A Faust app in its first generation."""
    return SimpleNamespace(consumer=Consumer(), consumer_generation_id=1)


@pytest.fixture
def metrics() -> Metrics:
    """Of this test alone."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def progress(app: SimpleNamespace, metrics: Metrics) -> Progress:
    """Of one topic, with room for LIMIT open records."""
    return Progress(app, {"spans"}, metrics, stop, LIMIT)


async def opened(progress: Progress, count: int = LIMIT) -> list[asyncio.Future[None]]:
    """Takes records whose writes are not confirmed; returns those writes."""
    writes = [asyncio.get_running_loop().create_future() for _ in range(count)]
    for offset, write in enumerate(writes, 5):
        event = Event(offset)
        assert await progress.takes(event)
        progress.ack_after(event, [write], POINTS)
    return writes


async def test_taking_waits_for_confirmation(progress: Progress) -> None:
    """With as many records open as there may be, the next waits until Kafka has confirmed one."""
    writes = await opened(progress)
    taking = asyncio.create_task(progress.takes(Event(5 + LIMIT)))
    await asyncio.sleep(0.01)
    assert not taking.done()
    writes[0].set_result(None)
    assert await taking


async def test_a_record_without_effect_waits_behind_one_that_is_open(progress: Progress) -> None:
    """Records that cause no write are done at once, and still count while one before them is open."""
    await opened(progress, 1)
    for offset in range(6, 5 + LIMIT):
        event = Event(offset)
        await progress.takes(event)
        progress.ack_after(event, [], POINTS)
    taking = asyncio.create_task(progress.takes(Event(5 + LIMIT)))
    await asyncio.sleep(0.01)
    assert not taking.done()
    taking.cancel()


async def test_a_rebalance_ends_the_wait(progress: Progress, app: SimpleNamespace) -> None:
    """What waited for room is not taken then: it comes again, here or elsewhere."""
    await opened(progress)
    taking = asyncio.create_task(progress.takes(Event(5 + LIMIT)))
    await asyncio.sleep(0)
    app.consumer_generation_id = 2
    progress.revoked({SPANS})
    assert not await taking


async def test_what_is_open_holds_no_bytes(progress: Progress) -> None:
    """A request of megabytes is not kept until Kafka has confirmed what it became."""
    event = Event(5)
    await progress.takes(event)
    progress.ack_after(event, [asyncio.get_running_loop().create_future()], POINTS)
    assert event.value is event.message.value is None


def sample(metrics: Metrics, name: str, partition: int) -> float | None:
    """The value of a gauge of the topic's partition."""
    return metrics.registry.get_sample_value(f"detector_{name}", {"topic": "spans", "partition": str(partition)})


async def test_lag(progress: Progress, metrics: Metrics) -> None:
    """In records, also where nothing was read yet, and in seconds since the newest that was read; of sources alone."""
    event = Event(6, timestamp=time.time() - 60)
    progress.ack_after(event, [], POINTS)
    assert progress.measure_lag() == (9 - 7) + (7 - 2)
    assert (sample(metrics, "lag_records", 0), sample(metrics, "lag_records", 1)) == (2, 5)
    assert 60 <= (sample(metrics, "lag_seconds", 0) or 0) < 120
    progress.ack_after(Event(8), [], POINTS)
    progress.measure_lag()
    assert (sample(metrics, "lag_records", 0), sample(metrics, "lag_seconds", 0)) == (0, 0)


async def test_lag_of_a_partition_that_is_stuck_from_its_start(
    progress: Progress, metrics: Metrics, app: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In seconds since it was assigned, or since it last had nothing to read; what was deleted is not waited for."""
    now = 1_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    progress.measure_lag()
    now += 90
    progress.measure_lag()
    assert (sample(metrics, "lag_records", 1), sample(metrics, "lag_seconds", 1)) == (5, 90)
    app.consumer.ends[Partition("spans", 1)] = 2
    progress.measure_lag()
    assert sample(metrics, "lag_seconds", 1) == 0
    now += 90
    progress.measure_lag()
    app.consumer.ends[Partition("spans", 1)] = 3
    now += 5
    progress.measure_lag()
    assert sample(metrics, "lag_seconds", 1) == 5
    progress._earliest = {Partition("spans", 1): 3}
    assert progress.measure_lag() == 9 - 5
    assert sample(metrics, "lag_seconds", 1) == 0


async def test_lag_after_a_rebalance(progress: Progress, metrics: Metrics, app: SimpleNamespace) -> None:
    """A partition that went away has no lag here; one that came back has what was not committed."""
    progress.ack_after(Event(8), [], POINTS)
    progress.measure_lag()
    progress.revoked({SPANS})
    assert sample(metrics, "lag_records", 0) is None
    app.consumer._committed_offset[SPANS] = 6
    progress.measure_lag()
    assert sample(metrics, "lag_records", 0) == 3


async def test_what_it_wrote_itself_and_has_not_come_to(progress: Progress) -> None:
    """Confirmed records of its own count until it has dealt with them; other topics and lost partitions don't."""
    for topic, offset in (("spans", 20), ("changelog", 90)):
        written: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        progress.ack_after(Event(5), [written], POINTS)
        written.set_result(SimpleNamespace(topic=topic, topic_partition=Partition(topic, 0), offset=offset))
        await asyncio.sleep(0)
    assert progress.unread("spans") == 20 - 5
    assert progress.unread("changelog") == 0
    progress.ack_after(Event(20), [], POINTS)
    assert progress.unread("spans") == 0
    progress.revoked({SPANS})
    assert progress.unread("spans") == 0
