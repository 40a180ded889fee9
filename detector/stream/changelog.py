"""The changelog of the runs: what this worker writes there, and what of it a successor may believe.

A worker that stood still longer than its session (a frozen machine, a stalled network) may
wake and still send writes that it had begun, after its successor's. Kafka doesn't stop it: the
newest record of a run would then be an old state. So every record carries the term of its
writer, which each owner of a partition takes higher than any that it has read there. Recovery
passes over a record of a lower term than one before it; and the owner writes again whatever a
foreign record stands after, before compaction takes the newer one away.

An owner begins with a fence, a record of its term and of no run. What came in front of it, between
the end of recovery and there, is believed by every later reader, so the owner takes it up as well;
what comes behind it is believed by none. Without it a successor's successor would go by how far the
late writer had come, and by the states that its successor, who knew nothing of that, had written.

Beside the term stands the offset in the run log of the record that was applied. States of one
partition are written in the order of its run log, so what a successor reads there tells it how far
its predecessor had come, whatever had been committed. It applies nothing again: not even to a run
that is finished, and of which no state is left to say what it had had.

Duck-typed over Faust's table and producer, which only app.py names.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from struct import Struct
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from detector.config import Settings
from detector.observe.metrics import Metrics
from detector.stream.offsets import Arrival, Offsets

log = logging.getLogger(__name__)

BY = "by"
"""The header that holds the writer's term and the offset in the run log that it had applied: 8 bytes each."""
FENCE = b"\0fence"
"""Key of the record that an owner begins with."""
LOOK_SECONDS = 10.0
"""How often the end of a partition is looked at: a foreign record there would show in no write of ours."""
READ_MS = 1000

Send = Callable[..., Awaitable[Any]]


class Late(NamedTuple):
    """A record in front of our fence, in the wrapping that Faust's tables take records in."""

    message: Any


class Changelog:
    """Of one table. `send(topic, key, value, partition, headers)` returns the future of the write."""

    def __init__(self, settings: Settings, metrics: Metrics, table: Any, send: Send) -> None:
        self._settings = settings
        self._metrics = metrics
        self._table = table
        table.changelog = self
        self._send = send
        self._terms: dict[int, int] = {}
        """Our term in each partition that is ours."""
        self._arrived = Offsets()
        self._highest: Counter[int] = Counter()
        """The highest term of each partition, ever."""
        self._pass: dict[int, tuple[int, int]] = {}
        """Of each partition, the last offset that was read back, and the highest term up to there."""
        self._read_applied: dict[int, int] = {}
        self._applied: dict[int, int] = {}
        """The offset in the run log that was applied last: as read in each partition ever, and by us in ours."""
        self._next: dict[int, int] = {}
        """The offset that our next write gets where nobody else writes."""
        self._persist: dict[Any, int] = {}
        self._doubtful: dict[int, set[bytes]] = {}
        """Runs of which a foreign record was found, by partition."""
        self._unread: dict[int, tuple[int, int]] = {}
        self._gaps: set[int] = set()
        """Partitions with records in them that we have not read: recovery from disk must not begin after those."""
        self._lost: dict[int, float] = {}
        """Partitions that are another worker's, by its records, and since when that is known (monotonic)."""
        self._log_ends: dict[int, int] = {}
        self._open: Counter[int] = Counter()
        """Writes that are not confirmed yet, by partition."""
        self._looked = 0.0

    # --- reading back -------------------------------------------------------------------

    def arrives(self, message: Any) -> Arrival:
        """Whether a record that was read back may be applied, or one before it is missing."""
        tp, generation = message.tp, message.generation_id
        if not self._arrived.known(tp, generation):
            stored = self._table.persisted_offset(tp)
            last = max(-1 if stored is None else stored, self._pass.get(tp.partition, (-1, 0))[0])
            self._arrived.start(tp, generation, min(message.offset, last + 1))
        arrival = self._arrived.arrive(tp, message.offset)
        if arrival is Arrival.TAKE:
            self._arrived.done(tp, generation, message.offset)
        elif arrival is Arrival.SEEK:
            self._metrics.notes.labels("reread_state").inc()
        return arrival

    def expected(self, tp: Any) -> int:
        """The offset that has to be read back next."""
        return self._arrived.expected(tp)

    def seek_failed(self, tp: Any) -> None:
        """It could not be sought now."""
        self._arrived.seek_failed(tp)

    def believable(self, events: Iterable[Any]) -> Iterator[Any]:
        """Those of the recovered `events` (in order) that no older worker wrote after a newer one."""
        for event in events:
            message = event.message
            term, applied = by(message.headers)
            place, highest = self._pass.get(message.partition, (-1, 0))
            if message.offset <= place:
                # From an earlier place again, after a rebalance.
                highest = 0
            self._pass[message.partition] = message.offset, max(term, highest)
            if 0 < term < highest:
                self._doubtful.setdefault(message.partition, set()).add(message.key)
                continue
            self._highest[message.partition] = max(term, self._highest[message.partition])
            self._read_applied[message.partition] = max(applied, self._read_applied.get(message.partition, -1))
            self._persist[message.tp] = message.offset
            yield event

    def begin(self, ends: dict[int, int], log_ends: dict[int, int]) -> None:
        """The partitions of `ends` are ours from now on; each was read up to the offset there.

        `log_ends`: the next offset of each partition of the run log.
        """
        now = time.time_ns() // 1_000_000
        self._log_ends = log_ends
        for partition, end in ends.items():
            self._terms[partition] = self._highest[partition] = max(now, self._highest[partition] + 1)
            self._next[partition] = end + 1
            self._applied[partition] = self._read_applied.get(partition, -1)
            if self._applied[partition] >= log_ends.get(partition, 0):
                # Another run log than the one that the states are of: it was made anew, from offset 0.
                log.warning("changelog: partition %d of the run log is shorter than what was applied of it", partition)
                self._applied[partition] = -1
        self._looked = time.monotonic()

    async def fence(self) -> None:
        """Writes what our records begin with, in each partition of ours, and takes up what came in front of it.

        Before anything is read back from the table. Raises KafkaError where Kafka takes no write.
        """
        written = {}
        for partition in list(self._terms):
            # A rebalance may take it away while another one's write is waited for, here and below.
            if partition in self._terms:
                written[partition] = await self._write(FENCE, None, partition, -1)
        for partition, fence in written.items():
            at = await fence
            begin = self._next.get(partition, at.offset)
            records = [r async for r in self._records(partition, begin, at.offset)] if begin < at.offset else []
            if partition not in self._terms:
                continue
            if records:
                log.warning("changelog: partition %d: a predecessor's late writes: %d", partition, len(records))
                self._metrics.notes.labels("late_state").inc(len(records))
                self._take_up(partition, records)
            self._next[partition] = max(self._next[partition], at.offset + 1)
            if partition in self._terms:
                self._persist[at.topic_partition] = at.offset

    def _take_up(self, partition: int, records: list[Any]) -> None:
        if max(by(record.headers)[0] for record in records) > self._terms[partition]:
            self._lose(partition)
            self._gaps.add(partition)
            return
        tp = TopicPartition(self._table.changelog_topic_name, partition)
        # Through the table, which asks `believable`.
        self._table.apply_changelog_batch(
            [Late(_Message(tp, partition, r.offset, r.key, r.value, r.headers)) for r in records]
        )
        self._highest[partition] = max(self._highest[partition], self._terms[partition])
        came = max(by(record.headers)[1] for record in records)
        if came < self._log_ends.get(partition, 0):
            self._applied[partition] = max(self._applied[partition], came)

    def _lose(self, partition: int) -> None:
        """A newer worker's record is there: it's we who are late, and Kafka will tell us as well."""
        if self._terms.pop(partition, None) is not None:
            self._lost[partition] = time.monotonic()

    def lost_for(self) -> float:
        """Seconds for which a partition that Kafka left with us has been another worker's by its records; 0: none is.

        Where that stays so it was no newer worker, but an older one whose clock is ahead: a new start outranks it.
        """
        return time.monotonic() - min(self._lost.values()) if self._lost else 0.0

    def revoked(self) -> None:
        """No partition is ours until the next `begin`."""
        for kept in (self._terms, self._applied, self._next, self._persist, self._unread, self._gaps, self._lost):
            kept.clear()

    # --- writing ------------------------------------------------------------------------

    def owns(self, partition: int) -> bool:
        """Whether the partition is ours to write."""
        return partition in self._terms

    def had(self, partition: int, offset: int) -> bool:
        """Whether the run-log record was applied before, its effects sent and its state written."""
        return offset <= self._applied.get(partition, -1)

    async def write(self, key: bytes, value: bytes | None, partition: int, applied: int = -1) -> Any:
        """Sends the state after the run-log record at offset `applied` (-1: after none); returns the write's future.

        Raises KeyError where the partition isn't ours.
        """
        written = await self._write(key, value, partition, applied)
        self._open[partition] += 1
        written.add_done_callback(lambda done: self._note(partition, done))
        return written

    async def _write(self, key: bytes, value: bytes | None, partition: int, applied: int) -> Any:
        term = self._terms[partition]
        so_far = self._applied.get(partition, -1)
        headers = [(BY, _BY.pack(term, max(applied, so_far)))]
        written = await self._send(self._table.changelog_topic_name, key, value, partition, headers)
        if partition in self._applied:
            # Not before: what is written again meanwhile must not say of this record that it was applied.
            self._applied[partition] = max(applied, self._applied[partition])
        return written

    def _note(self, partition: int, written: Any) -> None:
        self._open[partition] -= 1
        if written.cancelled() or written.exception() is not None:
            return
        at = written.result()
        expected = self._next.get(partition)
        if expected is None or at.offset < expected:
            return
        if at.offset > expected:
            self._find(partition, expected, at.offset)
        self._next[partition] = at.offset + 1
        if partition not in self._gaps:
            self._persist[at.topic_partition] = at.offset

    def persist(self) -> None:
        """Notes on disk from where recovery may begin. Once a tick is enough: what it reads twice changes nothing."""
        while self._persist:
            tp, offset = self._persist.popitem()
            # One less: a recovery from disk reads the last record again, for its term.
            self._table.data.set_persisted_offset(tp, offset - 1)

    # --- mending ------------------------------------------------------------------------

    async def mend(self, ends: Callable[[], Awaitable[dict[int, int]]]) -> None:
        """Writes again what a foreign record stands after. `ends()`: the next offset of each partition of ours."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            # A write of ours that is under way is not foreign: only still partitions are looked at.
            still = {part: end for part, end in self._next.items() if not self._open[part]}
            for partition, end in (await ends()).items():
                start = still.get(partition, end)
                if start < end and start == self._next.get(partition) and not self._open[partition]:
                    self._find(partition, start, end)
                    self._next[partition] = end
        while self._unread:
            partition, (start, end) = self._unread.popitem()
            try:
                await self._read(partition, start, end)
            except (KafkaError, OSError):
                self._find(partition, start, end)
                raise
        for partition in self._doubtful.keys() & self._terms.keys():
            keys = self._doubtful.pop(partition)
            log.warning("changelog: partition %d: runs that another worker wrote late: %d", partition, len(keys))
            self._metrics.notes.labels("mended_state").inc(len(keys))
            for key in keys:
                await self.write(key, self._table.data.get(key), partition)

    def _find(self, partition: int, start: int, end: int) -> None:
        self._gaps.add(partition)
        known = self._unread.get(partition, (start, end))
        self._unread[partition] = (min(start, known[0]), max(end, known[1]))

    async def _read(self, partition: int, start: int, end: int) -> None:
        """Looks for foreign records among those from `start` to before `end`."""
        self._sort(partition, [record async for record in self._records(partition, start, end)])

    async def _records(self, partition: int, start: int, end: int) -> AsyncIterator[Any]:
        """The records from `start` to before `end`."""
        tp = TopicPartition(self._table.changelog_topic_name, partition)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap, enable_auto_commit=False, **self._settings.aiokafka_security()
        )
        await consumer.start()
        try:
            consumer.assign([tp])
            consumer.seek(tp, start)
            while await consumer.position(tp) < end:
                for record in (await consumer.getmany(tp, timeout_ms=READ_MS)).get(tp, ()):
                    if record.offset < end:
                        yield record
        finally:
            await consumer.stop()

    def _sort(self, partition: int, records: list[Any]) -> None:
        ours = self._terms.get(partition, 0)
        terms = {record.key: by(record.headers)[0] for record in records}
        if max(terms.values(), default=0) > ours:
            self._lose(partition)
        elif foreign := {key for key, term in terms.items() if term < ours}:
            self._doubtful.setdefault(partition, set()).update(foreign)


_BY = Struct(">Qq")


class _Message(NamedTuple):
    """Of a Faust message what tables and their stores read."""

    tp: Any
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Any


def by(headers: Iterable[tuple[str, bytes]] | None) -> tuple[int, int]:
    """The term of a record's writer, and what it had applied; (0, -1) where it says none, as older versions write."""
    for name, value in headers or ():
        if name == BY and len(value) == _BY.size:
            term, applied = _BY.unpack(value)
            return term, applied
    return 0, -1
