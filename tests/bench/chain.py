"""Workers on a core of their own against a broker on another: the embedded one, or Apache Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Self

import aiohttp
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from detector.config import Settings, load
from detector.kafka import topics
from detector.read import Reader
from tests.bench.running import POLL_SECONDS, Running, process
from tests.integration import brokers
from tests.integration.server import free_port

PARTITIONS = 4
STALL_SECONDS = 60
CORES = sorted(os.sched_getaffinity(0))
"""The broker and who drives it have the first, a worker the last, a second worker the first again."""


class Chain:
    """A broker, the settings to reach it, and topics of one's own on it; workers come and go."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.env = {
            "DETECTOR_BOOTSTRAP": settings.bootstrap,
            "DETECTOR_TOPIC_PREFIX": settings.topic_prefix,
            "DETECTOR_SPANS_TOPIC": settings.spans_topic,
            "DETECTOR_PARTITIONS": str(PARTITIONS),
            "DETECTOR_MAX_LIVE_RUNS": "1000000",
            "DETECTOR_HASH_KEY": "bench",
        }

    @contextlib.asynccontextmanager
    async def worker(self, scorer: str = "compiled", name: str = "worker", core: int = -1) -> AsyncIterator[Running]:
        """A worker that is ready, on one of CORES, with a folder for its state of its `name`."""
        port, log = free_port(), self.folder / f"{name}-{scorer}.log"
        env = self.env | {"DETECTOR_METRICS_PORT": str(port), "DETECTOR_DATADIR": str(self.data(name))}
        with process(["-m", "tests.bench.worker", scorer, str(CORES[core])], env, log) as started:
            running = Running(port, started, log)
            await running.ready()
            yield running

    def data(self, name: str = "worker") -> Path:
        """Where the worker of this name keeps its state."""
        return self.folder / "data" / name

    def disk_mb(self, name: str = "worker") -> float:
        """What the state of the worker of this name takes on disk, MB."""
        return sum(file.stat().st_size for file in self.data(name).rglob("*") if file.is_file()) / 1e6

    def wipe(self) -> None:
        """The worker's disk is lost."""
        shutil.rmtree(self.data())

    async def send(self, requests: Iterable[bytes]) -> None:
        """Writes the requests, evenly over the partitions."""
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.bootstrap, linger_ms=5, max_batch_size=128 * 1024)
        await producer.start()
        try:
            for n, request in enumerate(requests):
                await producer.send(self.settings.spans_topic, request, partition=n % PARTITIONS)
            await producer.flush()
        finally:
            await producer.stop()


class Brokers:
    """What chains run on: an embedded broker each, or topics of their own on one Apache Kafka."""

    def __init__(self, folder: Path) -> None:
        os.sched_setaffinity(0, {CORES[0]})
        self._folder = folder
        self._kafka = ""
        self._open = contextlib.ExitStack()
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @contextlib.asynccontextmanager
    async def chain(self, broker: str = "embedded") -> AsyncIterator[Chain]:
        """A chain on `broker`, "embedded" or "kafka", with its topics made."""
        prefix = f"bench{next(self._numbers)}."
        with tempfile.TemporaryDirectory(dir=self._folder) as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            bootstrap = await self._embedded(folder, stack) if broker == "embedded" else self._apache()
            settings = load(
                bootstrap=bootstrap, topic_prefix=prefix, spans_topic=f"{prefix}otlp_spans", partitions=PARTITIONS
            )
            await topics.apply(settings)
            # Until every partition has its leader.
            await asyncio.sleep(1.0)
            yield Chain(settings, folder)

    def _apache(self) -> str:
        if not self._kafka:
            folder = self._folder / "bench-kafka"
            folder.mkdir()
            self._kafka = self._open.enter_context(brokers.kafka_node(brokers.kafka_jars(), folder)).bootstrap
        return self._kafka

    @staticmethod
    async def _embedded(folder: Path, stack: contextlib.ExitStack) -> str:
        port, log = free_port(), folder / "broker.log"
        broker = stack.enter_context(process(["-m", "detector", "broker", "--port", str(port)], {}, log))
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return f"127.0.0.1:{port}"
            if broker.poll() is not None:
                raise RuntimeError(f"the broker did not start:\n{log.read_text()[-3000:]}")
            await asyncio.sleep(0.05)


def batches(requests: Iterable[bytes]) -> int:
    """Run-log records that the requests become."""
    reader = Reader()
    return sum(len(reader.read(request).batches) for request in requests)


async def throughput(here: Chain, requests: list[bytes], spans: int, scorer: str = "compiled") -> float:
    """Spans/s of the whole chain over `requests` that wait in the topic: from the first tenth to the last record."""
    await here.send(requests)
    expected = batches(requests)
    async with here.worker(scorer) as worker:
        return await rate([worker], spans, expected)


async def rate(workers: list[Running], spans: int, expected: int, before: tuple[float, float] = (0.0, 0.0)) -> float:
    """Spans/s until both hops are through: `expected` run-log records applied and all `spans` read, by all workers.

    From the first tenth on. `before` is what they had `done` by then. Raises RuntimeError where they stall.
    """
    begun: tuple[float, float] | None = None
    last, moved = before, time.monotonic()
    async with aiohttp.ClientSession() as session:
        while True:
            now, total = time.monotonic(), await done(workers, session)
            read, applied = total[0] - before[0], total[1] - before[1]
            if begun is None and applied >= expected * 0.1:
                begun = now, applied
            if read >= spans and applied >= expected:
                assert begun is not None
                return (applied - begun[1]) / expected * spans / (now - begun[0])
            if total != last:
                last, moved = total, now
            elif now - moved > STALL_SECONDS:
                raise RuntimeError(f"stalled at {read:g} of {spans} spans, {applied:g} of {expected} run-log records")
            await asyncio.sleep(POLL_SECONDS)


async def done(workers: list[Running], session: aiohttp.ClientSession) -> tuple[float, float]:
    """(spans read, run-log records applied) by all these workers."""
    each = [await worker.counters(session) for worker in workers]
    return sum(spans for spans, _ in each), sum(applied for _, applied in each)


async def state_sizes(here: Chain) -> list[int]:
    """Bytes of the last stored state of every run: the newest value of each key in the changelog."""
    name = f"{here.settings.topic_prefix}{here.settings.group}-runs-changelog"
    consumer = AIOKafkaConsumer(bootstrap_servers=here.settings.bootstrap)
    await consumer.start()
    try:
        parts = [TopicPartition(name, p) for p in range(PARTITIONS)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        await consumer.seek_to_beginning()
        sizes: dict[bytes, int] = {}
        while any([await consumer.position(p) < ends[p] for p in parts]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                sizes |= {m.key: len(m.value or b"") for m in batch}
        return [size for size in sizes.values() if size]
    finally:
        await consumer.stop()
