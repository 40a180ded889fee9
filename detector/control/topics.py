"""Reading the detector's own topics with a plain consumer: from the earliest record, without a group."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from detector.config import Settings
from detector.errors import TransportError
from detector.kafka import outage
from detector.kafka.connection import starting
from detector.kafka.outage import reaching

_POLL_MS = 250
_STOP_SECONDS = 2.0
_REQUEST_MS = 10_000
"""After so long without an answer a request has failed. aiokafka's 40 s is long for one who waits at a terminal."""


@asynccontextmanager
async def reading(settings: Settings, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of all partitions of `topics` (full names), at their beginning.

    Raises TransportError where Kafka can't be reached or a topic is absent.
    """
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=settings.bootstrap,
        group_id=None,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        request_timeout_ms=_REQUEST_MS,
        **settings.aiokafka_security(),
    )
    try:
        async with starting(settings, _named(topics)):
            await consumer.start()
        yield consumer
    finally:
        try:
            await consumer.stop()
        except asyncio.CancelledError:
            # Where Kafka is gone, aiokafka lets those of its own tasks out that it cancels here.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise


@asynccontextmanager
async def writing(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that counts a record as sent when all replicas have it. Raises TransportError."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap,
        acks="all",
        request_timeout_ms=_REQUEST_MS,
        **settings.aiokafka_security(),
    )
    try:
        async with starting(settings):
            await producer.start()
        yield producer
    finally:
        # It would wait for what Kafka has not confirmed, for as long as a request may take.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(producer.stop(), _STOP_SECONDS)


async def present(settings: Settings, *topics: str) -> list[str]:
    """Those of `topics` that exist. Raises TransportError."""
    async with reading(settings) as consumer:
        existing = await consumer.topics()
    return [topic for topic in topics if topic in existing]


async def to_the_end(consumer: AIOKafkaConsumer) -> AsyncIterator[Any]:
    """Every record up to where its partition ended when this was called, and what came with the last of them."""
    ends = await consumer.end_offsets(consumer.assignment())
    starts = await consumer.beginning_offsets(consumer.assignment())
    # Compaction and transactions leave gaps: the position says how far we are, not the records.
    open_ = {part for part, end in ends.items() if end > starts[part]}
    while open_:
        batches = await consumer.getmany(*open_, timeout_ms=_POLL_MS)
        for records in batches.values():
            for record in records:
                yield record
        open_ = {part for part in open_ if await consumer.position(part) < ends[part]}


async def behind(settings: Settings, consumer: AIOKafkaConsumer, seconds: float) -> int:
    """How many records the consumer has not read yet. Raises TransportError where Kafka does not answer in `seconds`.

    aiokafka's consumer itself keeps silent about a broker that is gone, and just finds no records.
    """
    with reaching(settings.bootstrap):
        try:
            ends = await asyncio.wait_for(consumer.end_offsets(consumer.assignment()), seconds)
        except TimeoutError:
            raise KafkaTimeoutError(f"no answer in {seconds:g} s") from None
        return sum([max(0, end - await consumer.position(part)) for part, end in ends.items()])


def unreachable(settings: Settings, fault: BaseException, topics: str = "") -> TransportError:
    """The error that names where Kafka was looked for, and what came."""
    return outage.unreachable(settings.bootstrap, fault, f"topics {topics}" if topics else "")


def _named(topics: tuple[str, ...]) -> str:
    return f"topics {', '.join(topics)}" if topics else ""
