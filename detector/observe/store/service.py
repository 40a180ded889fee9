"""`detector store`: reads the public topics and keeps PostgreSQL up to date with them.

The offsets that count are the database's. Kafka's consumer group only shares out partitions: wherever it begins to
read, what the tables have is skipped, and nothing is ever skipped that they have not.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from detector.config import Settings
from detector.control import topics
from detector.errors import ConfigError, StoreError, TransportError
from detector.kafka.connection import preflight, starting
from detector.kafka.outage import Outage
from detector.observe.health import ASK_SECONDS
from detector.observe.serve import MetricsServer
from detector.observe.store import budget
from detector.observe.store.database import Database, Part, Read, Written
from detector.observe.store.database import read as as_read
from detector.observe.store.rows import TOPICS, rows
from detector.observe.store.status import Status

log = logging.getLogger(__name__)

BATCH = 1_000
"""Records of a transaction at most: some 10,000 rows, a fraction of a second."""
_POLL_MS = 250
_RETRY_SECONDS = (1.0, 30.0)
"""After the first fault of PostgreSQL, and at most."""
_FORGET_SECONDS = 3600.0


async def store(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Stores until `stop` is set or, where there's none, until SIGTERM or SIGINT.

    Where Kafka or PostgreSQL can't be reached it says so and tries again. Raises ConfigError where no DSN is set,
    RefusedError where a Kafka is there that does not take the settings, VersionError where a newer version made the
    tables, TransportError where the port of its metrics can't be had.
    """
    keeper = Keeper(settings, open_database(settings))
    await preflight(settings)
    status = Status(keeper)
    server = MetricsServer(status.registry, status)
    if settings.store_metrics_port is not None:
        port = await server.start(settings.metrics_host, settings.store_metrics_port)
        log.info("store: metrics on http://%s:%d/metrics", settings.metrics_host, port)
    own, loop = stop is None, asyncio.get_running_loop()
    stop = stop or asyncio.Event()
    try:
        for number in (signal.SIGTERM, signal.SIGINT) if own else ():
            loop.add_signal_handler(number, stop.set)
        await keeper.run(stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT) if own else ():
            loop.remove_signal_handler(number)
        await server.stop()


def open_database(settings: Settings) -> Database:
    """The database of the settings, not connected yet. Raises ConfigError where none is set."""
    dsn = settings.store_dsn.get_secret_value()
    if not dsn:
        raise ConfigError(["store_dsn: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE, came none"])
    return Database(dsn)


class Keeper:
    """The loop between topics and tables.

    `counts` says what became of the records, and how often Kafka or PostgreSQL failed it; `stored` is set once it
    has read and written. `polled` is when records were last asked for, or PostgreSQL tried (s, monotonic); `behind`
    how many were not read yet when Kafka was last asked.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.counts: Counter[str] = Counter()
        self.following = asyncio.Event()
        self.kafka = Outage(log, "store")
        self.postgres = Outage(log, "store", what="PostgreSQL")
        self.polled = time.monotonic()
        self.behind = 0
        self.budgets: dict[str, float] = {}
        self._settings = settings
        self._database = database
        self._key = settings.signing_key.get_secret_value()
        self._topics = {settings.topic(name): name for name in TOPICS}

    async def run(self, stop: asyncio.Event) -> None:
        """Stores until `stop` is set. A batch under way is written or not, as a whole."""
        tasks = self._work(), stop.wait(), self._reckon()
        working: set[asyncio.Task[Any]] = {asyncio.create_task(task) for task in tasks}
        if self._settings.store_retention_days:
            working.add(asyncio.create_task(self._forget()))
        try:
            ended, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            await self._database.close()

    async def _work(self) -> None:
        await self._tried(self._database.check)
        while True:
            try:
                async with self._consumer() as consumer:
                    await self._follow(consumer)
            except (TransportError, KafkaError, OSError) as fault:
                self.counts["kafka_faults"] += 1
                self.kafka.note(fault)
            await asyncio.sleep(_RETRY_SECONDS[0])

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        settings = self._settings
        consumer = AIOKafkaConsumer(
            *self._topics,
            bootstrap_servers=settings.bootstrap,
            group_id=f"{settings.group}-store",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_records=BATCH,
            **settings.aiokafka_security(),
        )
        try:
            async with starting(settings, f"topics {', '.join(self._topics)}"):
                await consumer.start()
            yield consumer
        finally:
            await consumer.stop()

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        looking = asyncio.create_task(self._look(consumer))
        log.info("store: following %s into %s", ", ".join(self._topics), self._database.name)
        self.following.set()
        try:
            while not looking.done():
                self.polled = time.monotonic()
                if batches := await consumer.getmany(timeout_ms=_POLL_MS, max_records=BATCH):
                    await self._write(consumer, batches)
            looking.result()
        finally:
            self.following.clear()
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _write(self, consumer: AIOKafkaConsumer, batches: dict[TopicPartition, list[Any]]) -> None:
        parts: dict[Part, list[Read]] = {
            (part.topic, part.partition): [self._read(record) for record in records]
            for part, records in batches.items()
        }

        async def end(part: Part) -> int:
            (offset,) = (await consumer.end_offsets([TopicPartition(*part)])).values()
            return int(offset)

        async def write() -> Written:
            return await self._database.write(parts, end)

        written = await self._tried(write)
        self.counts.update(written.counts)
        for part, batch in batches.items():
            further = written.positions[part.topic, part.partition]
            # Where the group begins at an earlier record than the tables have, or another process went on meanwhile.
            if further > batch[-1].offset + 1 and part in consumer.assignment():
                consumer.seek(part, further)

    def _read(self, record: Any) -> Read:
        name = self._topics[record.topic]
        return as_read(record.offset, lambda: rows(name, record.key or b"", record.value, record.timestamp, self._key))

    async def _tried(self, work: Any) -> Any:
        """Does it, again and again while PostgreSQL fails; nothing is read meanwhile."""
        pause, longest = _RETRY_SECONDS
        while True:
            try:
                done = await work()
            except StoreError as fault:
                self.counts["postgres_faults"] += 1
                self.postgres.note(fault)
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
                self.polled = time.monotonic()
            else:
                self.postgres.over()
                return done

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        # A consumer whose broker is gone just finds no records: it has to be asked.
        while True:
            await asyncio.sleep(ASK_SECONDS)
            try:
                self.behind = await topics.behind(self._settings, consumer, ASK_SECONDS)
            except (TransportError, KafkaError) as fault:
                self.counts["kafka_faults"] += 1
                self.kafka.note(fault)
            else:
                self.kafka.over()

    async def _reckon(self) -> None:
        """Counts false pauses, on a connection of its own, now and then."""
        database = open_database(self._settings)
        idle, kept = timedelta(seconds=self._settings.idle_seconds), timedelta(days=self._settings.audit_retention_days)
        try:
            while True:
                await asyncio.sleep(budget.SECONDS)
                try:
                    found = await database.false_pauses(idle, kept)
                    self.budgets = {name: budget.used(*counts) for name, counts in found.items()}
                except StoreError as fault:
                    log.warning("store: false pauses could not be counted: %s", fault)
        finally:
            await database.close()

    async def _forget(self) -> None:
        """Deletes old runs, on a connection of its own, now and then."""
        database = open_database(self._settings)
        try:
            while True:
                try:
                    while gone := await database.forget(self._settings.store_retention_days):
                        self.counts["forgotten"] += gone
                except StoreError as fault:
                    log.warning("store: old runs could not be deleted: %s", fault)
                await asyncio.sleep(_FORGET_SECONDS)
        finally:
            await database.close()
