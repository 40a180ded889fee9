"""The worker: Faust moves records between the topics and the pure parts. Nothing else imports faust.

Order is the whole point of this file. Of an incoming request: its run-log records are
confirmed, then its offset may commit. Of a run-log record: what it causes is sent and
confirmed, then the state that records it is written, then that write is confirmed in the
changelog, then the offset may commit. A crash between any two replays the record, and the
state's own offset and sequence numbers make the replay change nothing.

Where the order can't be kept, because Kafka refuses a write for longer than the client
retries, the worker stops: its successor begins at the last commit.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import faust
import uvloop
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from detector import ingest, topics
from detector.config import Settings
from detector.errors import TransportError
from detector.judge import Judge
from detector.observe.logs import logging_config
from detector.observe.metrics import Metrics
from detector.observe.serve import MetricsServer
from detector.policy.policy import Policy
from detector.progress import LOOK_BACK_SECONDS, Progress
from detector.records import RunEvents, Tick, encode_log
from detector.schedule import Schedule
from detector.scoring.model import load
from detector.watch import Applied, Watch

log = logging.getLogger(__name__)

SESSION_SECONDS = 6.0
"""After this long without a heartbeat a worker's partitions go to another: a take-over within 10 s."""
COMMIT_SECONDS = 1.0
LINGER_SECONDS, LINGER_BEHIND_SECONDS = 0.002, 0.02
"""How long a write waits for company: a command is due at once, but a worker that is behind gains a third by it."""
BEHIND_RECORDS = 200
REBUILD_CHUNK = 500
"""Stored runs looked at between two turns of the event loop while the schedule is rebuilt."""


class Worker:
    """One worker: a Faust app, the parts that it moves records between, and its metrics server."""

    def __init__(self, settings: Settings, judge: Judge) -> None:
        self.settings = settings
        self.metrics = Metrics(CollectorRegistry())
        self.judge = judge
        self.watch = Watch(self.judge, settings, self.metrics)
        self.schedule = Schedule()
        self.metrics.model_info.labels(self.judge.model.version).set(1)
        self.run_log = settings.topic("agent-run-log")
        self.rejected = settings.topic(f"{settings.spans_topic}-rejected")
        self.app = _faust_app(settings)
        # Any: Faust's own types know neither a table's changelog nor a store's offsets.
        self.table: Any = self.app.Table(
            "runs", key_type=bytes, value_type=bytes, partitions=settings.partitions, on_recover=self._rebuild
        )
        self.server = MetricsServer(self.metrics, self._ready)
        self._stored: dict[Any, int] = {}
        self._wire()

    # --- wiring -------------------------------------------------------------------------

    def _wire(self) -> None:
        own = self.settings.topic
        sources = {
            self.settings.spans_topic: ingest.spans(self.settings),
            own("agent-labels"): ingest.labels(self.settings),
            own("agent-acks"): ingest.acks(self.settings),
        }
        self.progress = Progress(self.app, {*sources, self.run_log}, self.metrics, self._stop)
        for name, take in sources.items():
            self.app.agent(self._topic(name), name=f"ingest-{name}")(self._ingester(take))
        self.app.agent(self._topic(self.run_log), name="watch")(self._watch)
        self.app.task(self._serve)
        self.app.timer(self.settings.tick_seconds)(_patiently(self._tick))
        self.app.timer(LOOK_BACK_SECONDS)(_patiently(self._look_back))
        revoked: Any = self._revoked
        self.app.on_partitions_revoked.connect(revoked)
        self.app.on_rebalance_complete.connect(self._rebalanced)

    def _topic(self, name: str) -> Any:
        return self.app.topic(
            name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", internal=False
        )

    async def _serve(self) -> None:
        port = await self.server.start(self.settings.metrics_host, self.settings.metrics_port)
        log.info("metrics", extra={"address": f"http://{self.settings.metrics_host}:{port}/metrics"})
        # What is loaded now stays: the collector need not walk it while a command is due.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)

    def _ready(self) -> bool:
        tables: Any = self.app.tables
        return not self.app.rebalancing and bool(tables.recovery.completed.is_set())

    # --- agents -------------------------------------------------------------------------

    def _ingester(self, take: ingest.Ingest) -> Callable[[Any], Awaitable[None]]:
        async def run(stream: Any) -> None:
            async for event in stream.noack().events():
                if await self.progress.takes(event):
                    await self._ingest(event, take)

        return run

    async def _ingest(self, event: Any, take: ingest.Ingest) -> None:
        message = event.message
        done = self._taken(take, message)
        self.metrics.records.labels(message.topic).inc()
        if done.spans:
            self.metrics.spans.labels("otlp").inc(done.spans)
        sent = [await self._send(self.run_log, key, value) for key, value in done.log]
        for reason, times in done.notes.items():
            self.metrics.notes.labels(reason).inc(times)
        if done.rejects:
            sent.append(await self._reject(event, "ingest", done.rejects, done.detail))
        self.progress.ack_after(event, sent)

    @staticmethod
    def _taken(take: ingest.Ingest, message: Any) -> ingest.Ingested:
        try:
            return take(message.value or b"", int(message.timestamp * 1e9))
        except Exception as fault:
            # It would fail at every replay too, and hold up its partition for ever.
            log.exception("ingest: a record was set aside", extra={"topic": message.topic})
            return ingest.Ingested(rejects={type(fault).__name__: 1})

    async def _watch(self, stream: Any) -> None:
        async for event in stream.noack().events():
            if not await self.progress.takes(event):
                continue
            message = event.message
            key = message.key
            try:
                stored = self.table.data.get(key)
                applied = self.watch.apply(stored, message.value, message.offset)
            except Exception as fault:
                # A record that breaks step() would break it at every replay: it must not hold up its partition.
                log.exception("run log: a record was set aside", extra={"partition": message.partition})
                self.progress.ack_after(event, [await self._reject(event, "watch", {type(fault).__name__: 1}, "")])
                continue
            if applied.sends:
                await self._confirmed([await self._send(*send) for send in applied.sends])
            self.progress.ack_after(event, [await self._store(key, message.partition, applied)])

    async def _store(self, key: bytes, partition: int, applied: Applied) -> Any:
        """Writes the state where the next record finds it, and to the changelog; returns that write's future."""
        if applied.state is None:
            self.table.data.pop(key, None)
            self.schedule.drop(key)
        else:
            if not applied.repeated:
                self.table.data[key] = applied.state
            self.schedule.put(key, partition, applied.due, stopped=applied.stopped)
        # Not through Table.__setitem__: it drops the future that the order above has to wait for.
        stored = await self._send(self.table.changelog_topic_name, key, applied.state, partition)
        stored.add_done_callback(self._note_stored)
        return stored

    def _note_stored(self, future: Any) -> None:
        if not future.cancelled() and future.exception() is None:
            done = future.result()
            self._stored[done.topic_partition] = done.offset

    # --- time ---------------------------------------------------------------------------

    async def _tick(self) -> None:
        if not self._ready():
            return
        now = time.time_ns()
        due = [(run, partition, False) for run, partition in self.schedule.ready(now)]
        due += [(run, partition, True) for run, partition in self.schedule.oldest(self.settings.max_live_runs, now)]
        for run, partition, evict in due:
            tick = RunEvents(run.decode(), [Tick(now, evict=evict)], written=now)
            await self._send(self.run_log, run, encode_log(tick), partition)
        # Where recovery may begin on this disk. Once a second is enough: what it reads twice changes nothing.
        while self._stored:
            self.table.data.set_persisted_offset(*self._stored.popitem())
        self.metrics.live_runs.set(len(self.schedule))
        self._linger(LINGER_BEHIND_SECONDS if self.progress.measure_lag() > BEHIND_RECORDS else LINGER_SECONDS)

    async def _rebuild(self) -> None:
        """The schedule of all runs of the recovered partitions."""
        mine = {tp.partition for tp in self.app.consumer.assignment() if tp.topic == self.run_log}
        for n, (key, state) in enumerate(list(self.table.data.items())):
            partition = self.app.producer.key_partition(self.run_log, key).partition
            if partition in mine:
                due, stopped = self.watch.standing(state)
                self.schedule.put(key, partition, due, stopped=stopped)
            if n % REBUILD_CHUNK == 0:
                await asyncio.sleep(0)
        log.info("recovered", extra={"runs": len(self.schedule), "partitions": len(mine)})

    async def _revoked(self, _: Any, revoked: set[Any], **__: Any) -> None:
        gone = {tp.partition for tp in revoked if tp.topic == self.run_log}
        self.schedule.forget(gone)
        self._stored = {tp: offset for tp, offset in self._stored.items() if tp.partition not in gone}
        self.progress.revoked(revoked)

    async def _rebalanced(self, *_: Any, **__: Any) -> None:
        # The first record to a topic would otherwise wait for its metadata.
        producer: Any = self.app.producer
        for name in (self.run_log, self.table.changelog_topic_name, *self.watch.topics, self.rejected):
            await producer._producer.partitions_for(name)  # noqa: SLF001 - Faust has no way to ask
        await self.progress.rebalanced()

    async def _look_back(self) -> None:
        if self._ready():
            await self.progress.look_back()
        else:
            self.progress.quiet()

    # --- Kafka --------------------------------------------------------------------------

    async def _send(self, topic: str, key: bytes | None, value: bytes | None, partition: int | None = None) -> Any:
        """Hands a record to the producer; the future that comes back is done when all replicas have it."""
        return await self.app.producer.send(topic, key, value, partition, None, None)

    def _linger(self, seconds: float) -> None:
        producer: Any = self.app.producer
        producer._producer._message_accumulator._linger_time = seconds  # noqa: SLF001 - read for every new batch

    async def _reject(self, event: Any, stage: str, reasons: dict[str, int], detail: str) -> Any:
        for reason, times in reasons.items():
            self.metrics.rejects.labels(stage, reason).inc(times)
        m = event.message
        letter = ingest.rejection(m.topic, m.partition, m.offset, m.value or b"", reasons, detail)
        return await self._send(self.rejected, m.key, letter)

    async def _confirmed(self, futures: list[Awaitable[Any]]) -> None:
        try:
            await asyncio.gather(*futures)
        except KafkaError as fault:
            await self._stop(fault)
            # Nothing after this line may run: the state would record what was never sent.
            raise

    async def _stop(self, fault: BaseException | None) -> None:
        log.error("Kafka did not take a write; stopping, so that a successor begins at the last commit: %s", fault)
        await self.app.crash(TransportError(f"Kafka did not take a write: {fault}"))


def _patiently(work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """A timer that tries again next time. A rebalance in the middle of one is no reason to end the worker."""

    async def tried() -> None:
        try:
            await work()
        except Exception as fault:  # noqa: BLE001 - aiokafka asserts what it is asked of partitions that have just gone
            log.warning("%s: put off: %r", work.__name__, fault)

    return tried


def _faust_app(settings: Settings) -> faust.App:
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
    return faust.App(
        settings.topic_prefix + settings.group,
        broker=servers,
        broker_credentials=credentials,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=SESSION_SECONDS / 3,
        broker_commit_interval=COMMIT_SECONDS,
        broker_commit_every=100_000,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_linger=LINGER_SECONDS,
        producer_max_batch_size=128 * 1024,
        producer_max_request_size=settings.max_record_bytes,
        consumer_max_fetch_size=settings.max_record_bytes,
        store=f"{settings.store}://",
        datadir=str(settings.datadir),
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        topic_disable_leader=True,
        stream_wait_empty=False,
        web_enabled=False,
        logging_config=logging_config(settings),
        worker_redirect_stdouts=False,
        processing_guarantee="at_least_once",
    )


def main(settings: Settings) -> None:
    """Runs a worker until SIGTERM or SIGINT.

    Raises ModelError where the model can't be used, before anything is made, and TransportError
    where Kafka can't be reached at the start.
    """
    judge = Judge(load(settings.models), Policy.from_settings(settings))
    judge.model.warm()
    made = asyncio.run(topics.apply(settings))
    faults = topics.faults(settings, asyncio.run(topics.find(settings)))
    if faults:
        raise TransportError("; ".join(faults))
    if made:
        log.info("made topics", extra={"topics": ", ".join(made)})
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = Worker(settings, judge)
    faust.Worker(worker.app, loglevel=settings.log_level, quiet=True, loop=loop).execute_from_commandline()
