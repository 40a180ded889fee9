"""One worker on one core against the embedded broker on another: throughput, latency, state."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from detector import topics
from detector.config import Settings, load
from detector.read import Reader
from detector.records import Command
from detector.testing import Spans

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 4
READY_SECONDS = 90
STALL_SECONDS = 60
WARM_SECONDS = 2.0
POLL_SECONDS = 0.2
"""Reading /metrics takes the worker a few milliseconds of the time that is measured."""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def process(args: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its log in a file, stopped at the end."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, *args], env=os.environ | env, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


class Chain:
    """A broker and the settings to reach it; workers come and go."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.env = {
            "DETECTOR_BOOTSTRAP": settings.bootstrap,
            "DETECTOR_PARTITIONS": str(PARTITIONS),
            "DETECTOR_METRICS_PORT": str(settings.metrics_port),
            "DETECTOR_DATADIR": str(folder / "data"),
            "DETECTOR_HASH_KEY": "bench",
        }

    @contextlib.asynccontextmanager
    async def worker(self, scorer: str = "compiled") -> AsyncIterator[None]:
        """A worker that is ready."""
        log = self.folder / f"worker-{scorer}.log"
        with process(["-m", "tests.bench.worker", scorer], self.env, log) as started:
            deadline = time.monotonic() + READY_SECONDS
            while not await self._ready():
                if started.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the worker did not become ready:\n{log.read_text()[-3000:]}")
                await asyncio.sleep(0.1)
            yield

    async def _ready(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(self._address("readyz")) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _address(self, page: str) -> str:
        return f"http://127.0.0.1:{self.settings.metrics_port}/{page}"

    async def counters(self, session: aiohttp.ClientSession) -> tuple[float, float]:
        """(spans read, run-log records applied) so far."""
        async with session.get(self._address("metrics")) as answer:
            text = await answer.text()
        spans = sum(float(v) for v in re.findall(r"^detector_spans_total\{[^}]*\} (\S+)", text, re.MULTILINE))
        states = re.search(r"^detector_state_bytes_count (\S+)", text, re.MULTILINE)
        return spans, float(states[1]) if states else 0.0


@contextlib.asynccontextmanager
async def chain() -> AsyncIterator[Chain]:
    """An embedded broker of its own on the first core, with the topics made."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        settings = load(bootstrap=f"127.0.0.1:{port}", metrics_port=free_port(), partitions=PARTITIONS)
        with process(["-m", "detector", "broker", "--port", str(port)], {}, folder / "broker.log") as broker:
            if len(os.sched_getaffinity(0)) > 1:
                os.sched_setaffinity(broker.pid, {0})
                os.sched_setaffinity(0, {0})
            await _listening(port, broker, folder / "broker.log")
            await topics.apply(settings)
            yield Chain(settings, folder)


async def _listening(port: int, broker: subprocess.Popen[bytes], log: Path) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        if broker.poll() is not None:
            raise RuntimeError(f"the broker did not start; see {log}")
        await asyncio.sleep(0.05)


async def throughput(here: Chain, requests: list[bytes], spans: int, scorer: str) -> float:
    """Spans/s of the whole chain over `requests` that wait in the topic: from the first tenth to the last record."""
    producer = AIOKafkaProducer(bootstrap_servers=here.settings.bootstrap, linger_ms=5)
    await producer.start()
    try:
        for n, request in enumerate(requests):
            await producer.send(here.settings.spans_topic, request, partition=n % PARTITIONS)
        await producer.flush()
    finally:
        await producer.stop()
    reader = Reader()
    batches = sum(len(reader.read(request).batches) for request in requests)
    async with here.worker(scorer), aiohttp.ClientSession() as session:
        return await _rate(here, session, spans, batches)


async def _rate(here: Chain, session: aiohttp.ClientSession, spans: int, batches: int) -> float:
    """Both hops must be through: `batches` run-log records applied, and all `spans` read."""
    begun: tuple[float, float] | None = None
    last, moved = (0.0, 0.0), time.monotonic()
    while True:
        now, (read, applied) = time.monotonic(), await here.counters(session)
        if begun is None and applied >= batches * 0.1:
            begun = now, applied
        if read >= spans and applied >= batches:
            assert begun is not None
            return (applied - begun[1]) / batches * spans / (now - begun[0])
        if (read, applied) != last:
            last, moved = (read, applied), now
        elif now - moved > STALL_SECONDS:
            raise RuntimeError(f"stalled at {read:.0f} of {spans} spans, {applied:.0f} of {batches} run-log records")
        await asyncio.sleep(POLL_SECONDS)


class Latency:
    """Milliseconds from a request's send to its command in a consumer's hands, while other runs send spans."""

    def __init__(self, here: Chain) -> None:
        self.took: list[float] = []
        self._sent: dict[str, float] = {}
        self._settings = here.settings
        options = {"bootstrap_servers": here.settings.bootstrap}
        self._producer = AIOKafkaProducer(**options, linger_ms=0)
        self._consumer = AIOKafkaConsumer(**options, auto_offset_reset="latest")

    async def measure(self, requests: list[bytes], rate: int, per_record: int, seconds: float) -> list[float]:
        """At `rate` spans/s, after WARM_SECONDS of the same that do not count.

        In those a worker fetches its own first changelog records, which no agent reads, and aiokafka
        waits 100 ms for each such partition, once. Raises RuntimeError where a command is missing.
        """
        await self._producer.start()
        await self._consumer.start()
        listening: asyncio.Task[None] | None = None
        try:
            name = self._settings.topic("agent-commands")
            self._consumer.assign([TopicPartition(name, p) for p in range(PARTITIONS)])
            await self._consumer.seek_to_end()
            listening = asyncio.create_task(self._listen())
            await self._drive(requests, per_record / rate, seconds + WARM_SECONDS)
            await asyncio.sleep(2.0)
        finally:
            if listening is not None:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            await self._consumer.stop()
            await self._producer.stop()
        if self._sent:
            raise RuntimeError(f"{len(self._sent)} of {len(self._sent) + len(self.took)} fatal runs had no command")
        return self.took

    async def _listen(self) -> None:
        async for message in self._consumer:
            run = msgspec.json.decode(message.value, type=Command).run
            at = self._sent.pop(run, None)
            if at:
                self.took.append((time.perf_counter() - at) * 1000)

    async def _drive(self, requests: list[bytes], interval: float, seconds: float) -> None:
        begun = time.perf_counter()
        for n in range(int(seconds / interval)):
            await asyncio.sleep(max(0.0, begun + n * interval - time.perf_counter()))
            await self._send(requests[n % len(requests)], n)
            if n % 10 == 0:
                run = f"fatal-{interval}-{n}"
                warm = n * interval < WARM_SECONDS
                self._sent[f"bench/{run}"] = 0.0 if warm else time.perf_counter()
                await self._send(_fatal(run, n), n)

    async def _send(self, request: bytes, number: int) -> None:
        await self._producer.send(self._settings.spans_topic, request, partition=number % PARTITIONS)


def _fatal(run: str, number: int) -> bytes:
    """A run whose only call deletes a production volume."""
    body = {"query": 'mutation { volumeDelete(volumeId: "vol-1") }', "environment": "production"}
    return Spans("bench", run, trace=2**100 + number).tool("graphql_request", body).request()


async def state_sizes(here: Chain) -> list[int]:
    """Bytes of the last stored state of every run: the newest value of each key in the changelog."""
    name = f"{here.settings.group}-runs-changelog"
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
