"""Faust as it is used here: its settings, and the few of its parts that are replaced at their edge.

app.py, consumer.py and this file are the only ones that import faust. What is replaced here, as of
faust-streaming 0.15.3:

- Stopping waits for a last commit, without end where Kafka is gone. Here four seconds at most.
- Faust empties its queue of changelog records whenever flow resumes (tables/recovery.py), also of those that
  standbys were about to apply, and goes on behind them: a worker that took over from such a standby lacked runs,
  and had others that were long finished. And what comes of a partition that was taken away it applies to whatever
  it read before. Here no record is applied before the one in front of it.
- A RocksDB of Faust's may hold 2 GB of cache and 192 MB of unwritten data for each partition.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, cast

import faust

from detector.config import Settings
from detector.observe.logs import logging_config
from detector.runs import aliases
from detector.stream.changelog import Changelog
from detector.stream.consumer import FAUST_LOG, POLL_RECORDS, Consumer, fetch_bytes
from detector.stream.offsets import Arrival

log = logging.getLogger(__name__)

COMMIT_SECONDS = 1.0
STOP_SECONDS = 4.0
"""A stop takes one second where Kafka answers; Kubernetes waits for thirty."""
LINGER_SECONDS, LINGER_BEHIND_SECONDS = 0.002, 0.02
"""How long a write waits for company: a command is due at once, but a worker that is behind gains a third by it."""
BATCH_BYTES = 128 * 1024
"""Two batches of a partition, one of them on its way, are all that is written and not yet confirmed."""
CACHE_BYTES, WRITE_BUFFER_BYTES = 128 * 1024 * 1024, 64 * 1024 * 1024
"""What RocksDB may keep in memory of all partitions: blocks read; and writes, up to three times."""
SMALLEST_CACHE, SMALLEST_BUFFER = 2 * 1024 * 1024, 1024 * 1024


def faust_app(settings: Settings) -> App:
    """The Faust app of a worker, with everything of it that is set or replaced."""
    security = settings.aiokafka_security()
    credentials: Any = None
    if settings.security.startswith("sasl"):
        credentials = faust.SASLCredentials(
            username=settings.sasl_username, password=settings.sasl_password.get_secret_value(),
            mechanism=settings.sasl_mechanism, ssl_context=security.get("ssl_context"),
        )  # fmt: skip
    elif settings.security == "ssl":
        credentials = faust.SSLCredentials(security["ssl_context"])
    servers = [f"kafka://{server.strip()}" for server in settings.bootstrap.split(",")]
    if settings.store == "rocksdb":
        settings.datadir.mkdir(parents=True, exist_ok=True)
    app = App(
        settings.topic_prefix + settings.group,
        broker=servers,
        broker_credentials=credentials,
        broker_session_timeout=settings.session_seconds,
        # A survivor hears of a death by its next heartbeat: a second at most of the ten that a take-over may take.
        broker_heartbeat_interval=settings.session_seconds / 6,
        broker_commit_interval=COMMIT_SECONDS,
        broker_commit_every=100_000,
        broker_max_poll_records=POLL_RECORDS,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=fetch_bytes(settings.partitions),
        producer_acks=-1,
        producer_linger=LINGER_SECONDS,
        producer_max_batch_size=BATCH_BYTES,
        producer_max_request_size=settings.max_record_bytes,
        store=f"{settings.store}://",
        datadir=str(settings.datadir),
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        topic_disable_leader=True,
        # They are all there: `topics.apply` comes first. Faust asks for each again, and a worker whose answer is late
        # ends by the cancelled future of another one that waits.
        topic_allow_declare=False,
        Table=Runs,
        stream_wait_empty=False,
        web_enabled=False,
        logging_config=logging_config(settings),
        worker_redirect_stdouts=False,
        processing_guarantee="at_least_once",
    )
    transport: Any = app.transport
    transport.Consumer = Consumer
    return app


def store_options(settings: Settings) -> dict[str, int]:
    """Options of the table's RocksDBs, one of each partition; their sum is bounded where one worker has them all."""
    if settings.store != "rocksdb":
        return {}
    return {
        "block_cache_size": max(SMALLEST_CACHE, CACHE_BYTES // settings.partitions),
        "write_buffer_size": max(SMALLEST_BUFFER, WRITE_BUFFER_BYTES // settings.partitions),
    }


def stored_runs(app: Any, table: Any, topic: str, partitions: set[int]) -> Iterator[tuple[bytes, int, bytes]]:
    """(key, partition, state) of each run of these partitions of `topic`, without ever holding them all."""
    databases = getattr(table.data, "_dbs", None)
    if databases is None:
        for key, state in list(table.data.items()):
            partition = aliases.partition_of(key)
            if partition is None:
                partition = app.producer.key_partition(topic, key).partition
            if partition in partitions:
                yield key, partition, state
        return
    for partition, database in list(databases.items()):
        if partition in partitions:
            for key, state in table.data._visible_items(database):  # noqa: SLF001 - the public way hides the partition
                yield key, partition, state


def linger(app: Any, seconds: float) -> None:
    """Sets how long the producer's next batches wait for company."""
    app.producer._producer._message_accumulator._linger_time = seconds  # noqa: SLF001 - read for every new batch


class App(faust.App):
    """Faust's app. `finish` is awaited at a stop, when no stream hands anything out any more."""

    logger = FAUST_LOG
    finish: Callable[[], Awaitable[None]]

    def on_init_dependencies(self) -> Iterable[Any]:
        """Parts that start with the app. Its monitor counts every message for a page that isn't served: it has none."""
        parts = super().on_init_dependencies()
        self.sensors.remove(self.monitor)
        return parts


class Runs(faust.Table[bytes, bytes]):
    """The table of runs. Recovery takes of its changelog what may be believed."""

    logger = FAUST_LOG

    changelog: Changelog

    async def on_changelog_event(self, event: Any) -> None:
        """A record was read back, and Faust has put it into its buffer: here it's taken out where one is missing."""
        await super().on_changelog_event(event)
        tp, recovery = event.message.tp, cast("Any", self.app.tables).recovery
        arrival = self.changelog.arrives(event.message)
        known = tp in recovery.active_tps or tp in recovery.standby_tps
        if known and arrival is Arrival.TAKE:
            return
        recovery.buffers[self].pop()
        if known:
            offsets = recovery.active_offsets if tp in recovery.active_tps else recovery.standby_offsets
            offsets[tp] = self.changelog.expected(tp) - 1
        if known and arrival is Arrival.SEEK:
            try:
                await self.app.consumer.seek_wait({tp: self.changelog.expected(tp)})
            except Exception:
                self.changelog.seek_failed(tp)
                raise

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Applies what recovery, or a standby, has read."""
        super().apply_changelog_batch(self.changelog.believable(batch))


class Process(faust.Worker):
    """Faust's process, which ends STOP_SECONDS after it was told to, whatever Kafka does meanwhile.

    Without Kafka Faust would wait for its last commit without end. Leaving is safe at any moment: a
    successor begins at the last commit.
    """

    logger = FAUST_LOG
    _leaving: threading.Timer | None = None

    async def stop(self) -> None:
        """Stops, after a signal or a crash."""
        if self._leaving is None:
            # From here on nobody asks why a thread ended; aiokafka's do so by a traceback where Kafka is gone.
            threading.excepthook = lambda fault: log.debug("a thread ended by %s", fault.exc_type.__name__)
            self._leaving = threading.Timer(STOP_SECONDS, _leave)
            self._leaving.daemon = True
            self._leaving.start()
            if not self.app.crashed:
                await self._finish()
        await super().stop()

    async def _finish(self) -> None:
        # As Faust does a moment later, which then commits what is confirmed by then, and no more.
        app: Any = self.app
        assignment = app.consumer.assignment() if app.consumer.started else set()
        if assignment:
            app.consumer.stop_flow()
            app.flow_control.suspend()
            app.consumer.pause_partitions(assignment)
            app.flow_control.clear()
            await app.finish()


def _leave() -> None:
    log.error("not stopped after %g s: Kafka does not answer; leaving without a last commit", STOP_SECONDS)
    logging.shutdown()
    os._exit(1)
