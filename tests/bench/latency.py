"""From a request's send to its command in a consumer's hands."""

from __future__ import annotations

import asyncio
import contextlib
import time

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from detector.records import Command
from detector.testing import Spans
from tests.bench.chain import PARTITIONS, Chain

WARM_SECONDS = 2.0
PATIENCE_SECONDS = 30.0


class Latency:
    """Milliseconds from a request's send to its command in a consumer's hands, while other runs send spans."""

    def __init__(self, here: Chain) -> None:
        self.took: list[float] = []
        self._sent: dict[str, float] = {}
        self._came = asyncio.Event()
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
            await self._all_came()
        finally:
            if listening is not None:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            await self._consumer.stop()
            await self._producer.stop()
        if self._sent:
            raise RuntimeError(f"{len(self._sent)} of {len(self._sent) + len(self.took)} fatal runs had no command")
        return self.took

    async def _all_came(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self._sent:
                    self._came.clear()
                    await self._came.wait()

    async def _listen(self) -> None:
        async for message in self._consumer:
            run = msgspec.json.decode(message.value, type=Command).run
            at = self._sent.pop(run, None)
            self._came.set()
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
