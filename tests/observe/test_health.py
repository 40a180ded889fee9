"""Alive and ready, each with its reason."""

from __future__ import annotations

import pytest

from detector.observe.health import SILENT_SECONDS, STALLED_SECONDS, Health


class Worker:
    """What a worker says of itself, and a clock that stands until it's moved."""

    def __init__(self) -> None:
        self.crash = ""
        self.wait = ""
        self.polled = 1000.0
        self.now = 1000.0
        self.health = Health(lambda: self.crash, lambda: self.wait, lambda: self.polled, lambda: self.now)


@pytest.fixture
def worker() -> Worker:
    """A worker that judges."""
    return Worker()


def test_a_worker_that_judges_is_alive_and_ready(worker: Worker) -> None:
    """With partitions, a Kafka that answers and a poll that turns, there's nothing to say."""
    assert (worker.health.alive(), worker.health.ready()) == ("", "")


def test_a_crash_is_the_end_of_both(worker: Worker) -> None:
    """A crashed worker is neither alive nor ready, whatever else holds."""
    worker.crash = "it crashed by TransportError"
    assert worker.health.alive() == worker.health.ready() == "it crashed by TransportError"


def test_partitions_on_their_way_are_no_death(worker: Worker) -> None:
    """A rebalance or a recovery, however long, makes a worker not ready; a restart would begin it anew."""
    worker.wait, worker.now = "partitions are not assigned and recovered yet", 1000.0 + 100 * STALLED_SECONDS
    worker.health.answered()
    assert worker.health.alive() == ""
    assert worker.health.ready() == "partitions are not assigned and recovered yet"


def test_a_kafka_that_is_gone_is_no_death(worker: Worker) -> None:
    """Without Kafka a worker is not ready after a while, and alive for ever, though its poll stands still."""
    worker.now += SILENT_SECONDS
    assert worker.health.ready() == ""
    worker.now += 1000 * STALLED_SECONDS
    assert worker.health.ready() == "Kafka has not answered for 60015 s"
    assert worker.health.alive() == ""
    worker.health.answered()
    worker.polled = worker.now
    assert (worker.health.alive(), worker.health.ready()) == ("", "")


def test_a_poll_that_stands_still_is_death(worker: Worker) -> None:
    """Where Kafka answers and nothing is asked of it, only a restart helps."""
    worker.now += STALLED_SECONDS
    worker.health.answered()
    assert worker.health.alive() == ""
    worker.now += 1.0
    assert worker.health.alive() == "Kafka answers, and nothing was asked of it for 61 s"
    worker.polled = 0.0
    assert worker.health.alive() == "", "before the first poll it is starting"
