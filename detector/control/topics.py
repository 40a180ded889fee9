"""Reading the detector's own topics with a plain consumer: from the earliest record, without a group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from detector.config import Settings
from detector.errors import TransportError

_POLL_MS = 250


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
        **settings.aiokafka_security(),
    )
    try:
        try:
            await consumer.start()
        except (KafkaError, OSError) as fault:
            raise unreachable(settings, fault, ", ".join(topics)) from fault
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def writing(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that counts a record as sent when all replicas have it. Raises TransportError."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, acks="all", **settings.aiokafka_security())
    try:
        try:
            await producer.start()
        except (KafkaError, OSError) as fault:
            raise unreachable(settings, fault) from fault
        yield producer
    finally:
        await producer.stop()


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


def unreachable(settings: Settings, fault: BaseException, topics: str = "") -> TransportError:
    """The error that names where Kafka was looked for, and what came."""
    what = f"topics {topics}: " if topics else ""
    text = str(fault) or type(fault).__name__
    return TransportError(f"Kafka at {settings.bootstrap}: {what}{text}")
