"""A Kafka that is away: told with its reason, once, then seldom, and when it is back."""

from __future__ import annotations

import logging

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import NotLeaderForPartitionError

from detector.errors import TransportError
from detector.kafka.outage import Outage, reaching

log = logging.getLogger("detector.test")


class Clock:
    """Stands until it's moved."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_said_at_once_then_ever_less_often(caplog: pytest.LogCaptureFixture) -> None:
    """A fault every second for an hour is one line, reminders after 30, 60, 120, 240 s, then every 300."""
    clock = Clock()
    outage = Outage(log, "enforce", clock)
    said = []
    for second in range(3600):
        clock.now = float(second)
        outage.note("no connection")
        if caplog.messages:
            said.append((second, *caplog.messages))
            caplog.clear()
    assert said[0] == (0, "enforce: no connection; trying again until it answers")
    assert said[1] == (30, "enforce: still after 30 s: no connection")
    assert [second for second, _ in said[:6]] == [0, 30, 90, 210, 450, 750]
    assert len(said) == 15


def test_its_end_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line when Kafka answers again, none when it always did; the next outage is told anew."""
    caplog.set_level(logging.INFO)
    clock = Clock()
    outage = Outage(log, "worker", clock)
    outage.over()
    assert (bool(outage), caplog.messages) == (False, [])
    outage.note("gone")
    assert outage
    clock.now = 42.0
    outage.over()
    outage.over()
    assert not outage
    outage.note("gone again")
    assert caplog.messages[1:] == [
        "worker: Kafka answers again after 42 s",
        "worker: gone again; trying again until it answers",
    ]


def test_one_that_comes_and_goes_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Ten outages in ten seconds are told as one; one that lasts is told in spite of them."""
    caplog.set_level(logging.INFO)
    clock = Clock()
    outage = Outage(log, "receiver", clock)
    for second in range(10):
        clock.now = float(second)
        outage.note("gone")
        outage.over()
    assert len(caplog.messages) == 2
    for second in range(20, 40):
        clock.now = float(second)
        outage.note("gone for good")
    assert caplog.messages[2:] == ["receiver: gone for good; trying again until it answers"]


async def test_the_reason_comes_from_what_aiokafka_logs() -> None:
    """The client's error says only that it could not connect; ours says where and why, and the record is marked."""
    marked: list[bool] = []
    handler = logging.Handler()
    handler.emit = lambda record: marked.append(getattr(record, "told", False))  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    consumer = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(TransportError) as raised, reaching("127.0.0.1:1", "topics t"):
        await consumer.start()
    logging.getLogger().removeHandler(handler)
    await consumer.stop()
    assert str(raised.value).startswith("Kafka at 127.0.0.1:1: topics t: no connection: ")
    assert "Connect call failed" in str(raised.value)
    assert marked == [True]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (OSError("broken pipe"), "Kafka at k:1: broken pipe"),
        (TimeoutError(), "Kafka at k:1: TimeoutError"),
        (NotLeaderForPartitionError(), "Kafka at k:1: [Error 6] NotLeaderForPartitionError"),
    ],
)
def test_other_faults_keep_their_own_words(fault: Exception, text: str) -> None:
    """What says what it is stays as it is; what is silent is named."""
    with pytest.raises(TransportError) as raised, reaching("k:1"):
        raise fault
    assert str(raised.value) == text
