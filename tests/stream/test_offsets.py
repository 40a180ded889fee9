"""Commits in order and without holes, whatever the order of arrival and completion."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.stream.offsets import Arrival, Offsets


def started(expected: int | None = 5) -> Offsets:
    """Partition "p" in generation 1."""
    offsets = Offsets()
    offsets.start("p", 1, expected)
    return offsets


def test_in_order() -> None:
    """What is done late holds back what was done early."""
    offsets = started()
    assert [offsets.arrive("p", n) for n in (5, 6, 7)] == [Arrival.TAKE] * 3
    assert offsets.done("p", 1, 6) == []
    assert offsets.done("p", 1, 5) == [5, 6]
    assert offsets.done("p", 1, 5) == []
    assert offsets.done("p", 1, 7) == [7]


def test_a_skipped_record_is_sought() -> None:
    """A record that comes before its turn is not taken; after the seek all come in turn."""
    offsets = started()
    assert offsets.arrive("p", 6) == Arrival.SEEK
    assert offsets.expected("p") == 5
    assert offsets.arrive("p", 7) == Arrival.DROP
    assert [offsets.arrive("p", n) for n in (5, 6, 7)] == [Arrival.TAKE] * 3


def test_a_hole_of_the_log_is_passed() -> None:
    """What is missing after the seek too was compacted away."""
    offsets = started()
    assert offsets.arrive("p", 9) == Arrival.SEEK
    assert offsets.arrive("p", 10) == Arrival.DROP
    assert offsets.arrive("p", 9) == Arrival.TAKE
    assert offsets.arrive("p", 10) == Arrival.TAKE


def test_a_repeated_record_is_dropped() -> None:
    """What was taken is not taken again in the same generation, and is in the next."""
    offsets = started()
    assert offsets.arrive("p", 5) == Arrival.TAKE
    assert offsets.arrive("p", 5) == Arrival.DROP
    assert not offsets.known("p", 2)
    offsets.start("p", 2, 5)
    assert offsets.arrive("p", 5) == Arrival.TAKE


def test_what_an_old_generation_finishes_commits_nothing() -> None:
    """A record of before the rebalance may belong to another worker by now."""
    offsets = started()
    offsets.arrive("p", 5)
    offsets.start("p", 2, 5)
    offsets.arrive("p", 5)
    assert offsets.done("p", 1, 5) == []
    assert offsets.done("p", 2, 5) == [5]


def test_an_unknown_start_takes_anything() -> None:
    """Without a committed offset the first record that comes is the first."""
    assert started(None).arrive("p", 42) == Arrival.TAKE


@given(holes=st.sets(st.integers(0, 30)), skipped=st.sets(st.integers(0, 30), max_size=5), order=st.randoms())
def test_nothing_is_lost(holes: set[int], skipped: set[int], order: object) -> None:
    """A log with holes, read by a consumer that skips some records once: all are taken once and commit in order."""
    log = [n for n in range(30) if n not in holes]
    offsets, taken, released = started(0), [], []
    at, skips = 0, list(skipped)
    for _ in range(200):
        if at >= len(log):
            break
        offset = log[at]
        at += 1
        if offset in skips:
            skips.remove(offset)
            continue
        arrival = offsets.arrive("p", offset)
        if arrival == Arrival.SEEK:
            at = next(i for i, n in enumerate(log) if n >= offsets.expected("p"))
        elif arrival == Arrival.TAKE:
            taken.append(offset)
    order.shuffle(finished := list(taken))  # type: ignore[attr-defined]
    for offset in finished:
        released += offsets.done("p", 1, offset)
    # A record that is skipped as the last of all shows only when the next one comes.
    assert taken == log[: len(taken)]
    assert len(log) - len(taken) <= len(skipped)
    assert released == taken
