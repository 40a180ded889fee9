"""Ticks: due when they should be, made again when lost, and the idlest run first when room is needed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.stream.schedule import RETRY_NS, SLACK, Schedule


def ready(schedule: Schedule, now: int) -> list[bytes]:
    """The runs that are due."""
    return [run for run, _ in schedule.ready(now)]


def test_due_and_again() -> None:
    """A run is due at its time, not before, and again after the retry where nothing was heard of it."""
    schedule = Schedule()
    schedule.put(b"a", 0, 100)
    assert ready(schedule, 99) == []
    assert ready(schedule, 100) == [b"a"]
    assert ready(schedule, 101) == []
    assert ready(schedule, 100 + RETRY_NS) == [b"a"]


def test_pushed_back_and_pulled_forward() -> None:
    """The newest due time counts, be it later or earlier; 0 takes the run out of turn."""
    schedule = Schedule()
    schedule.put(b"a", 0, 100)
    schedule.put(b"a", 0, 200)
    assert ready(schedule, 150) == []
    schedule.put(b"a", 0, 160)
    assert ready(schedule, 170) == [b"a"]
    schedule.put(b"a", 0, 0)
    assert ready(schedule, 10 * RETRY_NS) == []
    assert len(schedule) == 1


def test_dropped_and_forgotten() -> None:
    """A finished run and the runs of a partition that was lost are due no more."""
    schedule = Schedule()
    for partition, run in enumerate((b"a", b"b", b"c")):
        schedule.put(run, partition, 100)
    schedule.drop(b"a")
    schedule.forget({1})
    assert ready(schedule, 1000) == [b"c"]


def test_runs_that_are_gone_leave_nothing_behind() -> None:
    """A flood of runs that come and go is forgotten, though none of them was ever due."""
    schedule = Schedule()
    schedule.put(b"stays", 0, 100)
    for n in range(10 * SLACK):
        schedule.put(b"%d" % n, 0, 10**18)
        schedule.drop(b"%d" % n)
    assert len(schedule._heap) <= SLACK + 3
    assert ready(schedule, 100) == [b"stays"]


def oldest(schedule: Schedule, limit: int, now: int = 0) -> list[bytes]:
    """The runs that are to make room."""
    return [run for run, _ in schedule.oldest(limit, now)]


def test_oldest() -> None:
    """Beyond the limit the runs that were put longest ago are named."""
    schedule = Schedule()
    for run in (b"a", b"b", b"c", b"d"):
        schedule.put(run, 0, 100)
    schedule.put(b"a", 0, 100)
    assert oldest(schedule, 2) == [b"b", b"c"]
    assert oldest(schedule, 4) == []


def test_an_eviction_that_waits_is_not_asked_for_again() -> None:
    """Runs whose tick is on its way count as gone; each comes again only after the retry."""
    schedule = Schedule()
    for run in (b"a", b"b", b"c", b"d"):
        schedule.put(run, 0, 100)
    assert oldest(schedule, 2) == [b"a", b"b"]
    assert oldest(schedule, 2, 1) == []
    assert oldest(schedule, 1, 2) == [b"c"]
    schedule.drop(b"a")
    assert oldest(schedule, 1, RETRY_NS) == [b"b"]
    assert oldest(schedule, 1, RETRY_NS + 1) == []


def test_stopped_runs_stay() -> None:
    """Paused and killed runs do not count towards the limit and are never named."""
    schedule = Schedule()
    for run in (b"a", b"b", b"c", b"d"):
        schedule.put(run, 0, 100, stopped=run in b"ab")
    assert oldest(schedule, 2) == []
    assert oldest(schedule, 1) == [b"c"]
    schedule.put(b"c", 0, 100, stopped=True)
    schedule.put(b"a", 0, 100)
    assert oldest(schedule, 1) == [b"d"]


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 50)), max_size=60))
def test_never_early_never_lost(puts: list[tuple[bytes, int]]) -> None:
    """Whatever the order: at the end exactly the runs whose last due time has come are ready."""
    schedule, last = Schedule(), {}
    for run, due in puts:
        schedule.put(run, 0, due)
        last[run] = due
    assert sorted(ready(schedule, 25)) == sorted(run for run, due in last.items() if 0 < due <= 25)
    assert len(schedule._heap) <= len(puts)
