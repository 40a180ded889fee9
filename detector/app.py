"""The worker: a Faust app, wired to the parts that know nothing of it. Imports faust, as stream/engine.py does.

What happens to a record, and in which order it is written, stands in stream/flow.py; here is what else a
worker does: serve, tick, and what follows when partitions come and go.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry

from detector import failpoints
from detector.config import Settings
from detector.errors import DetectorError, TransportError
from detector.failpoints import reach
from detector.kafka import topics
from detector.kafka.outage import Outage
from detector.observe.health import ASK_SECONDS, Health
from detector.observe.metrics import Metrics
from detector.observe.serve import MetricsServer
from detector.policy import brake
from detector.policy.policy import Policy
from detector.records import RunEvents, Tick, encode_log
from detector.runs.judge import Judge
from detector.scoring.model import load
from detector.stream.engine import (
    LINGER_BEHIND_SECONDS,
    LINGER_SECONDS,
    Process,
    faust_app,
    linger,
    store_options,
    stored_runs,
)
from detector.stream.flow import Flow
from detector.stream.progress import LOOK_BACK_SECONDS
from detector.stream.schedule import Schedule
from detector.watch import Watch

log = logging.getLogger(__name__)

BEHIND_RECORDS = 200
TELL_SECONDS = 0.25
"""Aliases wait so long for company: each record of them costs a partition as much as one of spans."""
REBUILD_CHUNK = 500
"""Stored runs looked at between two turns of the event loop while the schedule is rebuilt."""


class Worker:
    """One worker: a Faust app, the parts that it moves records between, and its metrics server."""

    def __init__(self, settings: Settings, judge: Judge) -> None:
        self.settings = settings
        self.metrics = Metrics(CollectorRegistry())
        self.judge = judge
        self.watch = Watch(self.judge, settings, self.metrics, stored=lambda key: self.table.data.get(key))  # noqa: PLW0108 - made below
        self.schedule = Schedule()
        self.metrics.model_info.labels(self.judge.model.version).set(1)
        written = settings.models / self.judge.model.version / "manifest.json"
        self.metrics.model_written.set_function(lambda: written_at(written))
        self.app = faust_app(settings)
        # Any: Faust's own types know neither a table's changelog nor a store's offsets.
        self.table: Any = self.app.Table(
            "runs",
            key_type=bytes,
            value_type=bytes,
            partitions=settings.partitions,
            on_recover=self._rebuild,
            on_changelog_event=_recovering if failpoints.armed("recovery.") else None,
            options=store_options(settings),
        )
        self.flow = Flow(self.app, self.table, settings, self.watch, self.schedule, self.metrics)
        self.changelog, self.progress, self.run_log = self.flow.changelog, self.flow.progress, self.flow.run_log
        self.health = Health(self._crashed, self._waiting, self._polled)
        self.metrics.ready.set_function(lambda: not self.health.ready())
        self.server = MetricsServer(self.metrics.registry, self.health)
        self.outage = Outage(log, "worker")
        self._ticked = time.monotonic()
        self._wire()

    # --- wiring -------------------------------------------------------------------------

    def _wire(self) -> None:
        for topic, agent in self.flow.agents.items():
            name = "watch" if topic == self.run_log else f"ingest-{topic}"
            self.app.agent(self._topic(topic), name=name)(agent)
        self.app.task(self._serve)
        self.app.timer(self.settings.tick_seconds)(_patiently(self._tick))
        self.app.timer(LOOK_BACK_SECONDS)(_patiently(self._look_back))
        self.app.timer(TELL_SECONDS)(_patiently(self.flow.tell))
        self.app.timer(ASK_SECONDS)(_patiently(self._ask_kafka))
        self.app.finish = self.flow.finish
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

    # --- health -------------------------------------------------------------------------

    def _waiting(self) -> str:
        return "" if self.flow.ready() else "partitions are not assigned and recovered yet"

    def _crashed(self) -> str:
        return f"it crashed by {type(self.app.crash_reason).__name__}" if self.app.crashed else ""

    def _polled(self) -> float:
        consumer: Any = self.app.consumer
        return float(consumer.polled)

    async def _ask_kafka(self) -> None:
        # By the producer: the consumer's thread has two hands, and a Kafka that is gone would hold one of them.
        producer: Any = self.app.producer
        client = producer._producer.client  # noqa: SLF001 - Faust has no way to ask
        try:
            answered = await asyncio.wait_for(client.force_metadata_update(), ASK_SECONDS)
        except TimeoutError:
            answered = False
        if answered:
            self.health.answered()
            self.outage.over()
        else:
            self.outage.note(f"Kafka at {self.settings.bootstrap}: no answer in {ASK_SECONDS:g} s")

    # --- time ---------------------------------------------------------------------------

    async def _tick(self) -> None:
        before, self._ticked = self._ticked, time.monotonic()
        # After a pause as long as a session these runs may be another worker's: Kafka tells us in a moment.
        if not self.flow.ready() or self._ticked - before > self.settings.session_seconds:
            return
        now = time.time_ns()
        due = [(run, partition, False) for run, partition in self.schedule.ready(now)]
        due += [(run, partition, True) for run, partition in self.schedule.oldest(self.settings.max_live_runs, now)]
        reach("tick.due")
        for run, partition, evict in due:
            tick = RunEvents(run.decode(), [Tick(now, evict=evict)], written=now)
            await self.flow.send(self.run_log, run, encode_log(tick), partition)
        if self.changelog.lost_for() > 2 * self.settings.session_seconds:
            await self.flow.stop(DetectorError("a partition is another worker's by its changelog, and ours by Kafka"))
        self.changelog.persist()
        self.metrics.live_runs.set(len(self.schedule))
        self.watch.counts.tally()
        self.metrics.unacknowledged.set(len(self.watch.unacknowledged))
        self.metrics.brake_pulled.set(self.watch.braked())
        self.metrics.unacknowledged_age.set(self.watch.unacknowledged.oldest())
        self.flow.linger = LINGER_BEHIND_SECONDS if self.progress.measure_lag() > BEHIND_RECORDS else LINGER_SECONDS
        linger(self.app, self.flow.linger)

    async def _rebuild(self) -> None:
        """The schedule of all runs of the recovered partitions."""
        mine = {tp.partition for tp in self.app.consumer.assignment() if tp.topic == self.run_log}
        # Counted anew: which runs went with the partitions that were given away nobody remembers.
        self.metrics.runs.zero()
        for n, (key, partition, state) in enumerate(stored_runs(self.app, self.table, self.run_log, mine)):
            due, stopped = self.watch.standing(state)
            # A brake is none of the runs, and needs no tick.
            if not key.startswith(brake.PREFIX):
                self.schedule.put(key, partition, due, stopped=stopped)
            if n % REBUILD_CHUNK == 0:
                await asyncio.sleep(0)
        log.info("recovered", extra={"runs": len(self.schedule), "partitions": len(mine)})

    async def _revoked(self, _: Any, revoked: set[Any], **__: Any) -> None:
        reach("rebalance.revoked")
        gone = {tp.partition for tp in revoked if tp.topic == self.run_log}
        self.schedule.forget(gone)
        self.watch.unacknowledged.keep(self.schedule.__contains__)
        self.watch.forget(gone)
        self.changelog.revoked()
        self.progress.revoked(revoked)

    async def _rebalanced(self, *_: Any, **__: Any) -> None:
        reach("recovery.done")
        if failpoints.armed("commit."):
            self._fail_at_commits()
        tables: Any = self.app.tables
        read = {tp.partition: end for tp, end in tables.recovery.active_highwaters.items()}
        self.changelog.begin(read, await self._ends(self.run_log))
        # The first record to a topic would otherwise wait for its metadata.
        producer: Any = self.app.producer
        for name in (self.run_log, self.table.changelog_topic_name, *self.watch.topics, self.flow.rejected):
            await producer._producer.partitions_for(name)  # noqa: SLF001 - Faust has no way to ask
        # Before `_rebuild` looks at the table.
        await self.changelog.fence()
        await self.progress.rebalanced()

    async def _look_back(self) -> None:
        if self.flow.ready():
            await self.progress.look_back()
            await self.changelog.mend(lambda: self._ends(self.table.changelog_topic_name))
        else:
            self.progress.quiet()

    def _fail_at_commits(self) -> None:
        consumer: Any = self.app.consumer
        commit = consumer._commit  # noqa: SLF001 - Faust has no way to be told of a commit

        async def commits(offsets: Any) -> bool:
            reach("commit.before")
            done: bool = await commit(offsets)
            reach("commit.after")
            return done

        consumer._commit = commits  # noqa: SLF001

    async def _ends(self, topic: str) -> dict[int, int]:
        consumer = self.app.consumer
        mine = [tp for tp in consumer.assignment() if tp.topic == topic]
        return {tp.partition: end for tp, end in (await consumer.highwaters(*mine)).items()} if mine else {}


async def _recovering(_: Any) -> None:
    reach("recovery.within")


def written_at(path: Path) -> float:
    """When the file was written, seconds since 1970; 0 where nobody can say."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _patiently(work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """A timer that tries again next time. A rebalance in the middle of one is no reason to end the worker."""

    async def tried() -> None:
        try:
            await work()
        except Exception as fault:  # noqa: BLE001 - aiokafka asserts what it is asked of partitions that have just gone
            log.warning("%s: put off: %r", work.__name__, fault)

    return tried


def main(settings: Settings) -> None:
    """Runs a worker until SIGTERM or SIGINT.

    Raises ModelError where the model can't be used, before anything is made, and TransportError
    where Kafka can't be reached at the start.
    """
    failpoints.arm()
    judge = Judge(load(settings.models), Policy.from_settings(settings))
    judge.model.warm()
    made = asyncio.run(topics.apply(settings))
    found = asyncio.run(topics.find(settings))
    faults = [each.text for each in topics.differences(settings, found) if each.breaks]
    if faults:
        raise TransportError("; ".join(faults))
    if made:
        log.info("made topics", extra={"topics": ", ".join(made)})
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = Worker(settings, judge)
    Process(worker.app, loglevel=settings.log_level, quiet=True, loop=loop).execute_from_commandline()
