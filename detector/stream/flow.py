"""The way of a record through the worker, and the order of what it writes. Imports nothing of Faust.

The order is the whole point of this file. Of an incoming request: its run-log records are
confirmed, then its offset may commit. Of a run-log record: what it causes is sent and
confirmed, then the brake that counts it, then the state that records it is written, then that write is confirmed in the
changelog, then the offset may commit. A crash between any two replays the record, and the
state's own offset and sequence numbers make the replay change nothing.

Where the order can't be kept, because Kafka refuses a write for longer than the client
retries or the disk takes no state, the worker stops: its successor begins at the last commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from aiokafka.errors import KafkaError

from detector import ingest
from detector.config import Settings
from detector.errors import DetectorError, TransportError, VersionError
from detector.failpoints import reach
from detector.observe.metrics import Metrics
from detector.runs.aliases import Outbox
from detector.stream.changelog import Changelog
from detector.stream.engine import LINGER_SECONDS, linger
from detector.stream.progress import Progress
from detector.stream.schedule import Schedule
from detector.watch import Applied, Watch

log = logging.getLogger(__name__)

Agent = Callable[[Any], Awaitable[None]]
INGESTED = ("ingest.log-confirmed", "ingest.acked")
WATCHED = ("watch.changelog-confirmed", "watch.acked")
UNREAD_RECORDS, UNREAD_SECONDS = 5_000, 0.01
"""Records of its own in the run log from which on a worker takes no more spans, and how often it looks again."""
KNOWN_KEYS = 16_384
SETTLE_SECONDS = 1.5
"""At a stop, for what was taken: twice what it takes where Kafka is slow."""


class Flow:
    """The agents of one worker: `agents` by the topic that each reads. `app` and `table` are Faust's."""

    def __init__(
        self, app: Any, table: Any, settings: Settings, watch: Watch, schedule: Schedule, metrics: Metrics
    ) -> None:
        self.app = app
        self.table = table
        self.watch = watch
        self.schedule = schedule
        self.metrics = metrics
        self.run_log = settings.topic("agent-run-log")
        self.rejected = settings.topic(f"{settings.spans_topic}-rejected")
        self.linger = LINGER_SECONDS
        self.changelog = Changelog(settings, metrics, table, self.send)
        # A record of each run comes every few seconds; hashing a key in Python takes as long as reading a span.
        self._partition_of = lru_cache(maxsize=KNOWN_KEYS)(self._hashed)
        self.aliases = Outbox(self._partition_of)
        sources = {
            settings.spans_topic: ingest.spans(settings),
            settings.topic("agent-labels"): ingest.labels(settings),
            settings.topic("agent-acks"): ingest.acks(settings),
        }
        self.progress = Progress(app, {*sources, self.run_log}, metrics, self.stop)
        self.agents = {name: self._whole(self._ingester(take)) for name, take in sources.items()}
        self.agents[self.run_log] = self._whole(self._watch)

    def ready(self) -> bool:
        """Whether partitions are assigned and recovered."""
        tables: Any = self.app.tables
        return not self.app.rebalancing and bool(tables.recovery.completed.is_set())

    def _whole(self, agent: Agent) -> Agent:
        """The agent, whose fault stops the worker. Faust would go on behind the record, which then held up its
        partition for ever: a state that the disk has no room for, say.
        """

        async def run(stream: Any) -> None:
            try:
                await agent(stream)
            except Exception as fault:
                await self.stop(fault)
                raise

        return run

    def _ingester(self, take: ingest.Ingest) -> Agent:
        async def run(stream: Any) -> None:
            async for event in stream.noack().events():
                if await self.progress.takes(event):
                    await self._ingest(event, take)

        return run

    async def _ingest(self, event: Any, take: ingest.Ingest) -> None:
        message = event.message
        reach("ingest.taken")
        done = self._taken(take, message)
        self.metrics.records.labels(message.topic).inc()
        if done.spans:
            self.metrics.spans.labels("otlp").inc(done.spans)
            self.metrics.newest_spans.set(message.timestamp)
        sent = [await self.send(self.run_log, key, value, self._partition_of(key)) for key, value in done.log]
        for reason, times in done.notes.items():
            self.metrics.notes.labels(reason).inc(times)
        if done.aliases:
            sent.append(self.aliases.add(done.aliases))
        if done.rejects:
            sent.append(await self._reject(event, "ingest", done.rejects, done.detail))
        reach("ingest.log-sent")
        self.progress.ack_after(event, sent, INGESTED)
        # A flood of run ids is read a hundred times faster than it is judged: ticks and decisions of people,
        # which go through the same log, must not wait behind a million records of it.
        while len(done.log) > 1 and self.progress.unread(self.run_log) > UNREAD_RECORDS and self.ready():  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(UNREAD_SECONDS)

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
            reach("watch.taken")
            if not self._is_ours(message):
                # Its owner applies it. Judged by states that are older than that one's, it would cause what isn't so.
                self.metrics.notes.labels("not_ours").inc()
            elif self.changelog.had(message.partition, message.offset):
                # A predecessor did all of it, and died before its offset was committed.
                self.progress.ack_after(event, [], WATCHED)
            elif (applied := await self._apply(event)) is not None:
                reach("watch.stepped")
                if applied.sends:
                    await self._cause(applied)
                await self._store_brake(message, applied)
                # Where the partition went to another worker, while Kafka took its time, that one applies the record.
                if self._is_ours(message):
                    self.progress.ack_after(event, [await self._store(message, applied)], WATCHED)

    async def _apply(self, event: Any) -> Applied | None:
        """Judges the record; None where it can't be, and was set aside."""
        message = event.message
        # Not within what follows: a disk that can't be read is no fault of the record's.
        stored = self.table.data.get(message.key)
        try:
            return self.watch.apply(stored, message.value, message.offset, message.partition)
        except VersionError:
            # A newer worker's: left as it is, with all that follows, for one that can read it.
            raise
        except Exception as fault:
            # A record that breaks step() would break it at every replay: it must not hold up its partition.
            log.exception("run log: a record was set aside", extra={"partition": message.partition})
            letter = await self._reject(event, "watch", {type(fault).__name__: 1}, "")
            self.progress.ack_after(event, [letter], WATCHED)
            return None

    async def _cause(self, applied: Applied) -> None:
        """Sends what the record causes, and returns when Kafka has it."""
        # What the stream waits for, and a process that is to be stopped, waits for no company.
        linger(self.app, 0.0)
        sent = [await self.send(*send) for send in applied.sends]
        linger(self.app, self.linger)
        reach("watch.effects-sent")
        # Nothing after this may run without: the state would record what was never sent.
        await asyncio.gather(*sent)
        reach("watch.effects-confirmed")

    def _is_ours(self, message: Any) -> bool:
        ours = self.changelog.owns(message.partition)
        return ours and message.generation_id == self.app.consumer_generation_id

    async def _store_brake(self, message: Any, applied: Applied) -> None:
        """Writes the brake of the partition, where the record moved it, and waits until the changelog has it.

        Only then the run's state may say, be it on this disk alone, that the record was applied: after a crash it is
        not applied again, and a recovery from the changelog would leave a brake that does not count it. Until then it
        is, and the brake, which holds the record's offset, counts it once.
        """
        if applied.brake is None or not self._is_ours(message):
            return
        key, state = applied.brake
        await (await self.changelog.write(key, state, message.partition))
        if self._is_ours(message):
            self.table.data[key] = state

    async def _store(self, message: Any, applied: Applied) -> Any:
        """Writes the state where the next record finds it, and to the changelog; returns that write's future."""
        key, partition = message.key, message.partition
        if applied.state is None:
            self.table.data.pop(key, None)
            self.schedule.drop(key)
        else:
            if not applied.repeated:
                self.table.data[key] = applied.state
            self.schedule.put(key, partition, applied.due, stopped=applied.stopped)
        reach("watch.stored-locally")
        # Not through Table.__setitem__: it drops the future that the order above has to wait for.
        stored = await self.changelog.write(key, applied.state, partition, message.offset)
        reach("watch.changelog-sent")
        return stored

    async def tell(self) -> None:
        """Writes the aliases that ingest has found meanwhile."""
        records, written = self.aliases.take()
        if written is None:
            return
        try:
            sent = [await self.send(self.run_log, key, value, partition) for partition, key, value in records]
            await asyncio.gather(*sent)
        except KafkaError as fault:
            # Whoever waits for it stops the worker.
            written.set_exception(fault)
        else:
            written.set_result(None)

    async def finish(self) -> None:
        """At a stop, when nothing more is taken: lets what was taken be confirmed, so that a successor begins there."""

        async def settled() -> None:
            while self.progress.open:
                await self.tell()
                await asyncio.sleep(0.01)

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(settled(), SETTLE_SECONDS)

    def _hashed(self, key: bytes) -> int:
        return int(self.app.producer.key_partition(self.run_log, key).partition)

    # --- Kafka --------------------------------------------------------------------------

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None = None, headers: Any = None
    ) -> Any:
        """Hands a record to the producer; the future that comes back is done when all replicas have it."""
        return await self.app.producer.send(topic, key, value, partition, None, headers)

    async def _reject(self, event: Any, stage: str, reasons: dict[str, int], detail: str) -> Any:
        for reason, times in reasons.items():
            self.metrics.rejects.labels(stage, reason).inc(times)
        m = event.message
        letter = ingest.rejection(m.topic, m.partition, m.offset, m.value or b"", reasons, detail)
        return await self.send(self.rejected, m.key, letter)

    async def stop(self, fault: BaseException | None) -> None:
        """Ends the worker by this fault (None: of a write), so that a successor begins at the last commit."""
        if self.app.crashed:
            return
        if fault is None or isinstance(fault, KafkaError):
            fault = TransportError(f"Kafka did not take a write: {fault}")
        elif not isinstance(fault, DetectorError):
            fault = DetectorError(f"a record could not be dealt with: {fault!r}")
        log.error("%s; stopping, so that a successor begins at the last commit", fault)
        await self.app.crash(fault)
