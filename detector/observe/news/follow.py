"""Reads agent-verdicts as a consumer group of its own and hands every verdict on, at least once.

A group that is new begins at the end: nobody wants the news of last month. From then on its offsets are
committed after the verdicts were handed on, so what comes while it is away, or crashes, is told later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from detector.config import Settings
from detector.control import topics
from detector.control.enforcers.webhook import Retries
from detector.errors import TransportError
from detector.kafka.connection import starting
from detector.kafka.outage import Outage
from detector.observe.health import ASK_SECONDS, STALLED_SECONDS
from detector.records import Verdict

log = logging.getLogger(__name__)

REMEMBERED = 50_000
"""Verdicts that are known to be told: what a rebalance or a recovering worker brings again is left out."""

_BATCH, _POLL_MS = 100, 250
_LONGEST_BATCH_MS = 1_800_000
"""One that takes longer than this loses its partitions: a batch of a hundred at a minute each, ten at a time, fits."""
_RETRY_SECONDS = 1.0
RETRIES = Retries(attempts=8)
"""Of a batch that could not be handed on: for ever, from the eighth time on every half a minute at most."""
_GRACE_SECONDS = 4.0

Take = Callable[[Sequence[Verdict]], Awaitable[None]]
"""Hands verdicts on. TransportError: what it hands them to is away; the batch is kept, and handed on again later."""


class Follower:
    """One group's way along the topic. `counts` is for whoever takes; `behind` is what is not read yet."""

    def __init__(
        self, settings: Settings, name: str, take: Take, *, batch: int = _BATCH, retries: Retries = RETRIES
    ) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.behind = 0
        self.polled = time.monotonic()
        self.ready = asyncio.Event()
        self.outage = Outage(log, name)
        self.away = Outage(log, name, what="what it tells")
        self._batch = batch
        self._retries = retries
        self._settings = settings
        self._take = take
        self._told: OrderedDict[tuple[str, int], None] = OrderedDict()

    async def run(self, stop: asyncio.Event) -> None:
        """Follows until `stop` is set, and gives the verdicts that are being told a moment to end."""
        work = asyncio.create_task(self._run(stop))
        waiting = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({work}, timeout=_GRACE_SECONDS)
            if work.done():
                work.result()
        finally:
            for task in (work, waiting):
                task.cancel()
            await asyncio.gather(work, waiting, return_exceptions=True)

    async def _run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with self._consuming() as consumer:
                    look = asyncio.create_task(self._look(consumer))
                    try:
                        await self._follow(consumer, stop)
                    finally:
                        look.cancel()
            except (TransportError, KafkaError, OSError) as fault:
                self.counts["kafka_faults"] += 1
                self.ready.clear()
                self.outage.note(fault)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)

    async def _follow(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        begun: set[Any] = set()
        failed = 0
        while not stop.is_set():
            if new := consumer.assignment() - begun:
                # Even where nothing comes: the place where a new group began has to outlive a restart.
                await consumer.commit({part: await consumer.position(part) for part in new})
                begun = set(consumer.assignment())
                self.outage.over()
                self.ready.set()
            self.polled = time.monotonic()
            batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=self._batch)
            if verdicts := self._new(record for records in batches.values() for record in records):
                try:
                    await self._take(verdicts)
                except TransportError as fault:
                    failed += 1
                    self.away.note(fault)
                    await self._go_back(consumer, batches, failed, stop)
                    continue
                failed = 0
                self.away.over()
                self._remember(verdicts)
            if batches:
                await consumer.commit({part: records[-1].offset + 1 for part, records in batches.items()})

    async def _go_back(self, consumer: AIOKafkaConsumer, batches: Any, failed: int, stop: asyncio.Event) -> None:
        """To where the batch began, after a moment; short beside what Kafka allows between two polls."""
        for part, records in batches.items():
            if part in consumer.assignment():
                consumer.seek(part, records[0].offset)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), self._retries.backoff(min(failed, self._retries.attempts)))

    def _new(self, records: Any) -> list[Verdict]:
        found: dict[tuple[str, int], Verdict] = {}
        for record in records:
            try:
                verdict = msgspec.json.decode(record.value or b"", type=Verdict)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self.counts["unreadable"] += 1
                continue
            key = (verdict.run, verdict.sequence)
            if key in self._told or key in found:
                self.counts["again"] += 1
            found[key] = verdict
        return [verdict for key, verdict in found.items() if key not in self._told]

    def _remember(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts:
            self._told[verdict.run, verdict.sequence] = None
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            await asyncio.sleep(ASK_SECONDS)
            try:
                self.behind = await topics.behind(self._settings, consumer, ASK_SECONDS)
            except (TransportError, KafkaError) as fault:
                self.counts["kafka_faults"] += 1
                self.outage.note(fault)
            else:
                self.outage.over()

    @asynccontextmanager
    async def _consuming(self) -> AsyncIterator[AIOKafkaConsumer]:
        topic = self._settings.topic("agent-verdicts")
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self._settings.bootstrap,
            group_id=f"{self._settings.group}-{self.name}",
            auto_offset_reset="latest",
            enable_auto_commit=False,
            max_poll_interval_ms=_LONGEST_BATCH_MS,
            **self._settings.aiokafka_security(),
        )
        try:
            async with starting(self._settings, f"topic {topic}"):
                await consumer.start()
            yield consumer
        finally:
            with contextlib.suppress(KafkaError, OSError):
                await consumer.stop()

    def alive(self) -> str:
        """Why the process has to be restarted; empty where it lives."""
        still = time.monotonic() - self.polled
        if not self.unready() and still > STALLED_SECONDS + _LONGEST_BATCH_MS / 1000:
            return f"{self.name}: Kafka answers, and no verdict was asked for in {still:.0f} s"
        return ""

    def unready(self) -> str:
        """Why nothing is told at this moment; empty where it is."""
        if self.outage:
            return f"{self.name}: Kafka does not answer"
        if self.away:
            return f"{self.name}: what it tells does not answer"
        return "" if self.ready.is_set() else f"{self.name}: no partition is assigned yet"
