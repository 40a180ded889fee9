"""All topics of the broker, their settings, and the memory that they share."""

import asyncio
import logging
import re
import time
from dataclasses import dataclass, field

from detector.embedded.compaction import compact
from detector.embedded.log import Memory, Partition, Policy
from detector.embedded.wire import Code, RefusedError

log = logging.getLogger(__name__)

_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_DAY_MS = 86_400_000
MAX_PARTITIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the broker holds at most; all sizes in bytes.

    `compact_bytes` is the size from which a compacted partition is compacted.
    """

    retention_bytes: int = 256 << 20
    memory_bytes: int = 1 << 30
    compact_bytes: int = 16 << 20
    message_bytes: int = 20 << 20
    request_bytes: int = 64 << 20
    default_partitions: int = 1


@dataclass(slots=True)
class Topic:
    """A topic: its name, its settings as they were given, its partitions."""

    name: str
    policy: Policy
    settings: dict[str, str]
    partitions: list[Partition] = field(default_factory=list)


class Topics:
    """Creates, finds, alters and deletes topics, and appends to them."""

    def __init__(self, limits: Limits) -> None:
        """Start without topics."""
        self.limits = limits
        self.memory = Memory(limits.memory_bytes)
        self._topics: dict[str, Topic] = {}
        self._partitions = 0
        self._compacting: dict[Partition, asyncio.Task[None]] = {}
        self._compact_from: dict[Partition, int] = {}

    def all(self) -> list[Topic]:
        """Every topic, in order of creation."""
        return list(self._topics.values())

    def get(self, name: str) -> Topic | None:
        """Return the topic, None where there is none."""
        return self._topics.get(name)

    def partition(self, name: str, number: int) -> Partition:
        """Return the partition; raises RefusedError UNKNOWN_TOPIC_OR_PARTITION."""
        topic = self._topics.get(name)
        if topic is None or not 0 <= number < len(topic.partitions):
            raise RefusedError(Code.UNKNOWN_TOPIC_OR_PARTITION)
        return topic.partitions[number]

    def create(
        self,
        name: str,
        partitions: int = -1,
        settings: dict[str, str] | None = None,
        *,
        dry: bool = False,
    ) -> Topic:
        """Create a topic; -1 partitions means as many as is the default.

        With `dry` only check. Raises RefusedError with the code of CreateTopics.
        """
        if not _LEGAL_NAME.fullmatch(name) or name in {".", ".."}:
            raise RefusedError(Code.INVALID_TOPIC_EXCEPTION)
        if name in self._topics:
            raise RefusedError(Code.TOPIC_ALREADY_EXISTS)
        topic = Topic(name, Policy(self.limits.retention_bytes), {})
        self.configure(topic, settings or {})
        count = self.limits.default_partitions if partitions == -1 else partitions
        self._check_count(count)
        if not dry:
            self._topics[name] = topic
            self._add(topic, count)
            log.info("topic %s created with %d partitions", name, count)
        return topic

    def grow(self, topic: Topic, total: int, *, dry: bool = False) -> None:
        """Add partitions up to `total`; raises RefusedError INVALID_PARTITIONS."""
        if total <= len(topic.partitions):
            raise RefusedError(Code.INVALID_PARTITIONS, f"has {len(topic.partitions)} already")
        self._check_count(total - len(topic.partitions))
        if not dry:
            self._add(topic, total - len(topic.partitions))

    def _check_count(self, more: int) -> None:
        if more < 1:
            raise RefusedError(Code.INVALID_PARTITIONS)
        if self._partitions + more > MAX_PARTITIONS:
            raise RefusedError(Code.POLICY_VIOLATION, f"more than {MAX_PARTITIONS} partitions")

    def _add(self, topic: Topic, count: int) -> None:
        topic.partitions += [Partition(topic.policy, self.memory) for _ in range(count)]
        self._partitions += count

    def configure(self, topic: Topic, settings: dict[str, str]) -> None:
        """Replace a topic's settings; raises RefusedError INVALID_CONFIG."""
        policies = {part.strip() for part in settings.get("cleanup.policy", "delete").split(",")}
        if not policies <= {"compact", "delete"}:
            raise RefusedError(Code.INVALID_CONFIG, "cleanup.policy")
        try:
            retention = int(settings.get("retention.bytes", "-1"))
            int(settings.get("delete.retention.ms", _DAY_MS))
        except ValueError as error:
            raise RefusedError(Code.INVALID_CONFIG, str(error)) from error
        most = self.limits.retention_bytes
        topic.settings = settings
        topic.policy.compacted = policies == {"compact"}
        topic.policy.retention_bytes = min(retention, most) if retention >= 0 else most

    def delete(self, name: str) -> None:
        """Delete; raises RefusedError UNKNOWN_TOPIC_OR_PARTITION."""
        topic = self._topics.pop(name, None)
        if topic is None:
            raise RefusedError(Code.UNKNOWN_TOPIC_OR_PARTITION)
        for partition in topic.partitions:
            partition.clear()
            self._compact_from.pop(partition, None)
        self._partitions -= len(topic.partitions)
        log.info("topic %s deleted", name)

    def append(self, name: str, number: int, batch: bytes) -> tuple[int, int]:
        """Store a batch; return its base offset and the partition's first offset.

        Raises RefusedError with the code of Produce.
        """
        partition = self.partition(name, number)
        if len(batch) > self.limits.message_bytes:
            raise RefusedError(Code.MESSAGE_TOO_LARGE)
        if self.memory.used + len(batch) > self.memory.limit:
            self._make_room(len(batch))
        base = partition.append(batch)
        if partition.policy.compacted:
            self._compact_when_due(self._topics[name], partition)
        return base, partition.start

    def _make_room(self, needed: int) -> None:
        """Drop the oldest of the largest partitions that may lose data."""
        while self.memory.used + needed > self.memory.limit:
            deletable = (
                partition
                for topic in self._topics.values()
                if not topic.policy.compacted
                for partition in topic.partitions
            )
            victim = max(deletable, key=lambda p: p.size, default=None)
            before = self.memory.used
            if victim is not None:
                victim.shrink()
            if self.memory.used == before:
                log.error("memory is full of compacted topics: refusing records")
                raise RefusedError(Code.POLICY_VIOLATION, "broker memory is full")

    def _compact_when_due(self, topic: Topic, partition: Partition) -> None:
        due = self._compact_from.get(partition, self.limits.compact_bytes)
        if partition.size > due and partition not in self._compacting:
            task = asyncio.create_task(self._compact(topic, partition))
            self._compacting[partition] = task
            task.add_done_callback(lambda _: self._compacting.pop(partition))

    async def _compact(self, topic: Topic, partition: Partition) -> None:
        old, before = partition.settled(), partition.size
        age = int(topic.settings.get("delete.retention.ms", _DAY_MS))
        try:
            new = await asyncio.to_thread(compact, old, time.time_ns() // 10**6 - age)
        except Exception:
            log.exception("topic %s is not compacted", topic.name)
        else:
            partition.replace(old, new)
            log.info("%s compacted: %d to %d bytes", topic.name, before, partition.size)
        # Doubling keeps the work per record constant however large the live set is.
        self._compact_from[partition] = max(self.limits.compact_bytes, 2 * partition.size)

    async def settle(self) -> None:
        """Wait until no compaction is running."""
        await asyncio.gather(*self._compacting.values())
