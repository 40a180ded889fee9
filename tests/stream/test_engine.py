"""Faust's recovery, as the table of runs corrects it: nothing of the changelog is applied behind a hole."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from detector.config import load
from detector.observe.metrics import Metrics
from detector.stream.changelog import Changelog
from detector.stream.engine import faust_app

PLACE, OTHER = TP("runs-changelog", 0), TP("runs-changelog", 1)


class Message(NamedTuple):
    """A record as recovery reads it."""

    tp: TP
    offset: int
    key: bytes = b"run"
    value: bytes | None = b"state"
    headers: tuple[Any, ...] = ()
    generation_id: int = 1

    @property
    def partition(self) -> int:
        """Its partition."""
        return self.tp.partition


class Event(NamedTuple):
    """A record in Faust's wrapping."""

    message: Message


class Consumer:
    """What is sought."""

    def __init__(self) -> None:
        self.sought: list[dict[TP, int]] = []
        self.refuses = False

    async def seek_wait(self, places: dict[TP, int]) -> None:
        """Notes it, or can't."""
        if self.refuses:
            raise RuntimeError("no current assignment")
        self.sought.append(places)


class Recovery:
    """Faust's own recovery, as far as it meets the table (tables/recovery.py, `_slurp_changelogs`)."""

    def __init__(self) -> None:
        self.app = faust_app(load(store="memory"))
        self.table: Any = self.app.Table("runs", key_type=bytes, value_type=bytes, partitions=2)
        self.metrics = Metrics(CollectorRegistry())
        self.changelog = Changelog(load(), self.metrics, self.table, self._refuses)
        self.app.consumer = self.consumer = Consumer()  # type: ignore[assignment]
        tables: Any = self.app.tables
        self.faust = tables.recovery
        self.faust.active_tps, self.faust.standby_tps = {PLACE}, set()

    @staticmethod
    async def _refuses(*_: Any) -> Any:
        raise AssertionError("nothing is to be written")

    async def read(self, *offsets: int, tp: TP = PLACE, generation: int = 1) -> list[int]:
        """Hands records over, as Faust does; returns the offsets of those that it would apply."""
        offsets_of = self.faust.active_offsets if tp in self.faust.active_tps else self.faust.standby_offsets
        for offset in offsets:
            event = Event(Message(tp, offset, generation_id=generation))
            offsets_of[tp] = offset
            self.faust.buffers[self.table].append(event)
            await self.table.on_changelog_event(event)
        return [each.message.offset for each in self.faust.buffers[self.table]]


@pytest.fixture
def recovery() -> Recovery:
    """A recovery of partition 0."""
    return Recovery()


async def test_records_are_applied_as_they_come(recovery: Recovery) -> None:
    """Without a hole nothing is sought, and recovery has come as far as it has read."""
    assert await recovery.read(0, 1, 2) == [0, 1, 2]
    assert recovery.consumer.sought == []
    assert recovery.faust.active_offsets[PLACE] == 2


@pytest.mark.parametrize("standby", [False, True], ids=["active", "standby"])
async def test_what_faust_dropped_is_read_again(recovery: Recovery, standby: bool) -> None:
    """What comes behind a hole is not applied; recovery has come up to it, and the partition is read on from there."""
    if standby:
        recovery.faust.active_tps, recovery.faust.standby_tps = set(), {PLACE}
    assert await recovery.read(0, 1, 40, 41) == [0, 1]
    assert recovery.consumer.sought == [{PLACE: 2}]
    offsets = recovery.faust.standby_offsets if standby else recovery.faust.active_offsets
    assert offsets[PLACE] == 1
    assert await recovery.read(2, 3) == [0, 1, 2, 3]
    assert recovery.metrics.notes.labels("reread_state")._value.get() == 1


async def test_a_hole_of_compaction_is_passed(recovery: Recovery) -> None:
    """A hole that is there again was made by Kafka."""
    assert await recovery.read(0, 7, 8) == [0]
    assert await recovery.read(7, 8) == [0, 7, 8]
    assert recovery.consumer.sought == [{PLACE: 1}]


async def test_the_first_record_of_an_empty_disk_is_the_first_there_is(recovery: Recovery) -> None:
    """What is missing before the first record is missed as well."""
    assert await recovery.read(5) == []
    assert recovery.consumer.sought == [{PLACE: 0}]


async def test_a_further_generation_goes_on_where_the_last_was(recovery: Recovery) -> None:
    """A rebalance is no reason to pass over records, and none to read all of them again."""
    applied = recovery.faust.buffers[recovery.table]
    await recovery.read(0, 1, 2)
    assert len(list(recovery.changelog.believable(applied))) == 3
    applied.clear()
    assert await recovery.read(9, generation=2) == []
    assert recovery.consumer.sought == [{PLACE: 3}]
    assert await recovery.read(3, generation=2) == [3]


async def test_a_seek_that_fails_is_tried_again(recovery: Recovery) -> None:
    """Faust logs the fault and goes on; the next record that comes too early asks again."""
    recovery.consumer.refuses = True
    with pytest.raises(RuntimeError):
        await recovery.read(0, 9)
    recovery.consumer.refuses = False
    assert await recovery.read(10) == [0]
    assert recovery.consumer.sought == [{PLACE: 1}]


async def test_a_record_of_a_partition_that_has_gone_is_dropped(recovery: Recovery) -> None:
    """Faust would apply it to whatever it read before."""
    assert await recovery.read(0, 1, tp=OTHER) == []
    assert recovery.consumer.sought == []
