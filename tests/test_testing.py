"""The fakes that users build their own tests with."""

from __future__ import annotations

from detector.config import load
from detector.control.enforcers.base import Result
from detector.records import Command, Desired
from detector.testing import Clock, RecordingEnforcer, Spans, act


async def test_recording_enforcer_keeps_the_order_of_all() -> None:
    """It remembers what it was to carry out: each command once, none that is older."""
    enforcer = RecordingEnforcer.from_settings(load())
    newer, older = (Command("r", Desired.PAUSED, n, "person:ann", 0) for n in (2, 1))
    results = [(await enforcer.apply(command)).result for command in (newer, newer, older)]
    assert results == [Result.DONE, Result.ALREADY, Result.ALREADY]
    assert enforcer.commands == [newer]


def test_clock_stands_still() -> None:
    """Time moves only when told."""
    clock = Clock(5)
    assert clock() == clock() == 5
    assert clock.move(1.5) == 1_500_000_005


def test_actions_and_requests_have_ids_of_their_own() -> None:
    """Two actions are never taken for one; a request holds the spans since the one before."""
    assert act().span != act().span
    spans = Spans("svc")
    first = spans.tool("a", {}).request()
    assert spans.request() != first
