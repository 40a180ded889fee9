"""What `detector enforce` shows of itself, and what it says of a Kafka that is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import aiohttp
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from detector.config import Settings, load
from detector.control import enforce as module
from detector.control.enforce import Enforcement, enforce
from detector.control.status import Status
from detector.embedded.broker import Broker
from detector.observe.health import STALLED_SECONDS
from detector.records import Desired
from tests.control.support import command, produce, until
from tests.control.test_enforce import Recorder, acks, enforcing
from tests.integration.server import free_port


def sample(status: Status, name: str, **labels: str) -> float | None:
    """A sample of the status, as Prometheus would read it."""
    return status.registry.get_sample_value(f"detector_enforcer_{name}", labels)


async def test_answers_and_faults_are_counted(kafka: Settings) -> None:
    """Each answer, each command that was set aside, and what waits are samples; labels are there from the start."""
    async with enforcing(kafka, Recorder()) as enforcement:
        status = Status(enforcement)
        assert sample(status, "answers_total", outcome="done") == 0
        assert sample(status, "faults_total", reason="acks_lost") == 0
        await produce(kafka, "agent-commands", b"{", command(Desired.PAUSED, 1))
        await acks(kafka, 1)
        assert sample(status, "answers_total", outcome="done") == 1
        assert sample(status, "faults_total", reason="unreadable") == 1
        assert (sample(status, "ready"), sample(status, "under_way")) == (1, 0)
        await until(lambda: sample(status, "acks_waiting") == 0, "the ack to be confirmed")


async def test_probes_and_metrics_are_served(kafka: Settings) -> None:
    """Where a port is set, `detector enforce` answers as a worker does, and lets go of the port at the end."""
    port = free_port()
    settings = load(bootstrap=kafka.bootstrap, enforcer_metrics_port=port)
    stop = asyncio.Event()
    task = asyncio.create_task(enforce(settings, stop))
    said: dict[str, tuple[int, str]] = {}

    async def asked(path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()

    async with asyncio.timeout(20):
        while said.get("/readyz", (0, ""))[0] != 200:
            await asyncio.sleep(0.05)
            try:
                said = {path: await asked(path) for path in ("/readyz", "/healthz", "/metrics")}
            except aiohttp.ClientConnectionError:
                continue
    stop.set()
    await task
    assert said["/healthz"] == (200, "alive\n")
    assert "detector_enforcer_ready 1.0" in said["/metrics"][1]
    with pytest.raises(aiohttp.ClientConnectionError):
        await asked("/metrics")


async def test_a_kafka_that_goes_is_noticed_told_once_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A consumer whose broker is gone finds just no records: it is asked, one line tells it, one its return."""
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.3)
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.05)
    caplog.set_level(logging.INFO, "detector")
    broker = Broker()
    await broker.start()
    settings = load(bootstrap=broker.bootstrap)
    await make(settings)
    async with enforcing(settings, recorder := Recorder()) as enforcement:
        status = Status(enforcement)
        await broker.stop()
        await until(lambda: status.ready() == "Kafka does not answer", "the outage to be noticed")
        await until(lambda: enforcement.counts["kafka_faults"] >= 3, "more tries")
        assert (status.alive(), sample(status, "ready")) == ("", 0)
        await broker.start(port=broker.port)
        await until(lambda: status.ready() == "", "the end to be noticed")
        await produce(settings, "agent-commands", command(Desired.PAUSED, 1))
        await until(lambda: recorder.done, "the command")
    await broker.stop()
    ours = [line for name, _, line in caplog.record_tuples if name.startswith("detector.control")]
    assert sum("trying again until it answers" in line for line in ours) == 1
    assert sum("Kafka answers again after" in line for line in ours) == 1
    assert not any("still after" in line for line in ours)


async def make(settings: Settings) -> None:
    """The topics of control."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(settings.topic(name), 2, 1) for name in ("agent-commands", "agent-acks")])
    await admin.close()


async def test_two_loops_that_wait_for_kafka_say_it_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a broker commands and acks both try again, every second; one line says so."""
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.02)
    monkeypatch.setattr("detector.control.acks._RETRY_SECONDS", 0.02)
    async with enforcing(load(bootstrap="127.0.0.1:1"), Recorder(), ready=False) as enforcement:
        await until(lambda: enforcement.counts["kafka_faults"] >= 5, "some tries")
    (line,) = [line for name, level, line in caplog.record_tuples if "detector" in name and level > logging.INFO]
    assert "Kafka at 127.0.0.1:1: " in line
    assert "Connect call failed" in line


@pytest.fixture
def enforcement() -> Enforcement:
    """One that has read all commands, some time ago."""
    made = Enforcement(load(), [])
    made.ready.set()
    return made


def test_a_poll_that_stands_still_is_death(enforcement: Enforcement) -> None:
    """An enforcer that asks for no commands, though Kafka answers, has to be restarted; without Kafka it waits."""
    status = Status(enforcement)
    assert status.alive() == ""
    enforcement.polled -= STALLED_SECONDS + 1
    assert "no command was asked for in 61 s" in status.alive()
    enforcement.outage.note("gone")
    assert status.alive() == ""


def test_before_all_is_read_it_is_not_ready() -> None:
    """Commands that stand in the topic come first."""
    status = Status(Enforcement(load(), []))
    ready: Callable[[], str] = status.ready
    assert "not all read yet" in ready()
    assert status.alive() == ""
