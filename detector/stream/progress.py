"""How far the worker has come in each partition: what it takes, what may commit, where to seek back.

Duck-typed over Faust's events and consumer, which only app.py names. The private attributes
that are read here are Faust 0.15.3's; offsets.py says which of its faults they are for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from detector.failpoints import reach
from detector.observe.metrics import Metrics
from detector.stream.offsets import Arrival, Offsets

LOOK_BACK_SECONDS = 1.0
"""A topic of which nothing came for this long, though its end is further, is looked at,"""
BUSY_SECONDS = 5.0
"""and for this long while others move: its records may be waiting for their turn."""
LOOK_BACK_TRIES = 5
OPEN_RECORDS = 10_000
"""Records taken and not yet done with, beyond which no more are taken until Kafka confirms: 10 MB."""


class Progress:
    """Of the `sources` (topics) that one Faust app reads. `stop` is called with the fault of a write that failed."""

    def __init__(
        self,
        app: Any,
        sources: set[str],
        metrics: Metrics,
        stop: Callable[[BaseException | None], Awaitable[None]],
        limit: int = OPEN_RECORDS,
    ) -> None:
        self._app = app
        self._limit = limit
        self._room = asyncio.Event()
        self._room.set()
        self._sources = sources
        self._metrics = metrics
        self._stop = stop
        self._stopping: asyncio.Future[None] | None = None
        self._offsets = Offsets()
        self._open: dict[tuple[Any, int], Any] = {}
        self._moved: dict[str, float] = {}
        self._sought: dict[Any, int] = {}
        self._earliest: dict[Any, int] = {}
        self._read: dict[Any, tuple[int, float]] = {}
        """(offset, time in seconds) of the newest record that was dealt with."""
        self._since: dict[Any, float] = {}
        """From when the lag in seconds counts where nothing was read: it was assigned, or had nothing to read."""
        self._written: dict[Any, int] = {}
        """Offset of the newest record that this worker itself wrote to a partition of its sources."""

    async def takes(self, event: Any) -> bool:
        """Whether the event is the next of its partition; seeks back where one is missing.

        Waits while too many records before it are not confirmed.
        """
        message = event.message
        tp = message.tp
        if not self._room.is_set():
            await self._room.wait()
            if message.generation_id != self._app.consumer_generation_id:
                return False
        self._moved[tp.topic] = time.monotonic()
        self._start(tp, message.generation_id)
        arrival = self._offsets.arrive(tp, message.offset)
        if arrival is Arrival.SEEK:
            await self._seek_back(tp)
        return arrival is Arrival.TAKE

    def ack_after(self, event: Any, futures: list[Any], points: tuple[str, str]) -> None:
        """Lets the event's offset commit when all `futures`, and all events before it, are done well.

        `points` are the failpoints before and after that.
        """
        message, left = event.message, len(futures)
        self._read[message.tp] = message.offset, message.timestamp or time.time()
        # What waits here for Kafka's confirmation is an offset, not the megabytes of a request.
        event.value = message.value = None
        self._open[message.tp, message.offset] = event
        if len(self._open) >= self._limit:
            self._room.clear()

        def done(future: Any) -> None:
            nonlocal left
            if future.cancelled() or future.exception() is not None:
                self._stopping = asyncio.ensure_future(self._stop(None if future.cancelled() else future.exception()))
                return
            left -= 1
            written = future.result()
            if written is not None and written.topic in self._sources:
                self._written[written.topic_partition] = written.offset
            if not left:
                release()

        def release() -> None:
            reach(points[0])
            self._release(message)
            reach(points[1])

        if not left:
            release()
        for future in futures:
            future.add_done_callback(done)

    def _release(self, message: Any) -> None:
        for offset in self._offsets.done(message.tp, message.generation_id, message.offset):
            event = self._open.pop((message.tp, offset), None)
            if event is not None:
                event.ack()
        if len(self._open) < self._limit:
            self._room.set()

    @property
    def open(self) -> int:
        """How many events were taken and may not commit yet."""
        return self._offsets.open(self._app.consumer_generation_id)

    async def rebalanced(self) -> None:
        """Before streams resume: where partitions begin, for those that nothing was ever committed of.

        Asked here and not when a record has come: the answer may take as long as a fetch.
        """
        consumer = self._app.consumer
        mine = [tp for tp in consumer.assignment() if tp.topic in self._sources]
        self._earliest = dict(await consumer.earliest_offsets(*mine)) if mine else {}

    def revoked(self, partitions: set[Any]) -> None:
        """These partitions are no longer ours; what was open will come again, here or elsewhere."""
        self._open.clear()
        self._room.set()
        for tp in partitions:
            self._read.pop(tp, None)
            self._since.pop(tp, None)
            self._written.pop(tp, None)
            self._metrics.lag.remove(tp.topic, tp.partition)
            self._metrics.lag_seconds.remove(tp.topic, tp.partition)

    def quiet(self) -> None:
        """The streams stand still for a rebalance, so that nothing coming is no sign of anything."""
        self._moved = dict.fromkeys(self._sources, time.monotonic())

    async def look_back(self) -> None:
        """Seeks what was skipped at the end of a partition, where no later record gives it away."""
        if not self._room.is_set():
            self.quiet()
            return
        consumer, generation, now = self._app.consumer, self._app.consumer_generation_id, time.monotonic()
        busy = now - max(self._moved.values(), default=0.0) < LOOK_BACK_SECONDS
        patience = BUSY_SECONDS if busy else LOOK_BACK_SECONDS
        for tp in consumer.assignment():
            if tp.topic not in self._sources or now - self._moved.get(tp.topic, 0.0) < patience:
                continue
            self._start(tp, generation)
            missing = self._offsets.expected(tp) < (consumer.highwater(tp) or 0)
            # Marks of transactions are offsets without a record: they are not sought for ever.
            self._sought[tp] = self._sought.get(tp, 0) + 1 if missing else 0
            if 0 < self._sought[tp] <= LOOK_BACK_TRIES:
                await self._seek_back(tp)

    def unread(self, topic: str) -> int:
        """Records that this worker wrote to its own partitions of `topic`, and has not come to yet."""
        mine = self._app.consumer.assignment()
        return sum(
            max(0, offset + 1 - self._next(tp))
            for tp, offset in self._written.items()
            if tp.topic == topic and tp in mine
        )

    def measure_lag(self) -> int:
        """Sets the lag of every partition whose end is known; returns their sum, in records."""
        consumer, behind, now = self._app.consumer, 0, time.time()
        for tp in consumer.assignment():
            if tp.topic not in self._sources or (end := consumer.highwater(tp)) is None:
                continue
            lag = max(0, end - self._next(tp))
            since = self._since[tp] = self._since.get(tp, now) if lag else now
            at = self._read[tp][1] if tp in self._read else since
            behind += lag
            self._metrics.lag.labels(tp.topic, tp.partition).set(lag)
            self._metrics.lag_seconds.labels(tp.topic, tp.partition).set(max(0.0, now - at) if lag else 0.0)
        return behind

    def _next(self, tp: Any) -> int:
        """The offset after the newest record that was dealt with."""
        offset, _ = self._read.get(tp, (-1, 0.0))
        # What was committed may have been deleted since, with all before it.
        return offset + 1 if offset >= 0 else max(self._begin(tp) or 0, self._earliest.get(tp, 0))

    def _start(self, tp: Any, generation: int) -> None:
        if not self._offsets.known(tp, generation):
            self._offsets.start(tp, generation, self._begin(tp))

    def _begin(self, tp: Any) -> int | None:
        committed: int | None = self._app.consumer._committed_offset[tp]  # noqa: SLF001 - what Faust itself sought to
        return self._earliest.get(tp) if committed is None else committed

    async def _seek_back(self, tp: Any) -> None:
        self._metrics.notes.labels("sought_back").inc()
        await self._app.consumer.seek_wait({tp: self._offsets.expected(tp)})
