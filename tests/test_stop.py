"""SIGTERM under load, and without Kafka: every part ends by itself, loses nothing and repeats nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from detector.config import load
from detector.embedded import Broker
from detector.kafka import topics
from detector.records import Ack, Desired
from tests.conftest import embedded_broker
from tests.control.support import command, produce, until
from tests.integration.server import Server, free_port
from tests.test_app import fatal
from tests.workers import Stream

PATIENCE = 30.0
RUNS = 300
OVERDUE = "not stopped after"
"""What a worker says that had to break off."""


def test_a_worker_under_load_ends_without_loss(bootstrap: str, tmp_path: Path) -> None:
    """It ends well by itself; its successor judges what is left, and almost nothing that was judged before."""
    stream = Stream(bootstrap, tmp_path)
    with stream.worker("first") as first:
        stream.send(*[fatal(f"load-{n}", 1 + n) for n in range(RUNS)])
        first.wait('detector_commands_total{desired="paused",workflow="coder"}', 20)
        assert first.server.stop() == 0
    assert OVERDUE not in first.server.log.read_text()
    done = len(stream.json("agent-commands"))
    with stream.worker("second") as second:
        stream.json("agent-commands", RUNS)
        judged = second.wait('detector_events_total{kind="action"}', RUNS - done)
        again = second.metrics()["detector_duplicates_total"] + judged - (RUNS - done)
    assert done < RUNS, "it had ended all before it was stopped"
    assert again <= RUNS // 20
    for topic in ("agent-commands", "agent-verdicts"):
        assert {each["run"] for each in stream.json(topic)} == {f"coder/load-{n}" for n in range(RUNS)}
        assert len(stream.json(topic)) == RUNS, f"{topic}: each effect once"


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[tuple[Stream, contextlib.ExitStack]]:
    """A stream, and what ends its broker."""
    with contextlib.ExitStack() as broker:
        yield Stream(broker.enter_context(embedded_broker()), tmp_path), broker


def test_a_worker_without_kafka_ends_all_the_same(mortal: tuple[Stream, contextlib.ExitStack]) -> None:
    """Faust would wait for its last commit without end; after a few seconds the worker leaves, and says why."""
    stream, broker = mortal
    with stream.worker() as worker:
        stream.send(fatal("one", 1))
        stream.json("agent-commands", 1)
        broker.close()
        assert worker.server.stop() == 1
    said = worker.server.log.read_text()
    assert f"{OVERDUE} 4 s: Kafka does not answer" in said
    assert "Traceback" not in said


class Hook:
    """A webhook that takes its time, longer from run to run."""

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        """One delivery."""
        body = json.loads(await request.read())
        await asyncio.sleep(0.02 * int(body["run"]))
        self.delivered[body["run"]] += 1
        return web.Response()


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    """At a free port."""
    hook, app = Hook(), web.Application()
    app.router.add_post("/", hook.receive)
    async with TestServer(app) as server:
        hook.url = str(server.make_url("/"))
        yield hook


async def ended(server: Server) -> int:
    """The exit code of a process that was told to end."""
    server.process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(server.process.wait, PATIENCE)


async def test_an_enforcer_under_load_ends_without_loss(hook: Hook, tmp_path: Path) -> None:
    """Commands under way are carried out and acked; its successor does what came later, and each is done once."""
    early, late = ({str(n) for n in range(start, start + 15)} for start in (0, 15))
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap)
        await topics.apply(settings)
        env = {
            "DETECTOR_BOOTSTRAP": broker.bootstrap,
            "DETECTOR_WEBHOOK_URL": hook.url,
            "DETECTOR_WEBHOOK_KEY": "key",
            "DETECTOR_RUN_DIR": str(tmp_path / "runs"),
        }
        for name in ("first", "second"):
            with Server(f"stop-enforcer-{name}", [sys.executable, "-m", "detector", "enforce"], env) as server:
                if name == "first":
                    await until(lambda log=server.log: "enforce: ready" in log.read_text(), "the enforcer")  # type: ignore[misc]
                    await produce(settings, "agent-commands", *(command(Desired.PAUSED, 1, run) for run in early))
                    await until(lambda: hook.delivered, "the first delivery")
                else:
                    await until(lambda: late <= set(hook.delivered), "every delivery")
                assert await ended(server) == 0
                assert "Traceback" not in server.log.read_text()
            await produce(settings, "agent-commands", *(command(Desired.PAUSED, 1, run) for run in late))
        stream = Stream(broker.bootstrap, tmp_path)
        acks = await asyncio.to_thread(stream.read, "agent-acks", len(early | late))
    done = [msgspec.json.decode(value, type=Ack) for value in acks]
    assert {ack.run for ack in done if (ack.enforcer, ack.outcome) == ("webhook", "done")} == early | late
    assert set(hook.delivered.values()) == {1}


async def test_a_receiver_under_load_ends_without_loss(tmp_path: Path) -> None:
    """Every body that was answered 200 is in Kafka, though the receiver was told to end in the middle."""
    port, answered = free_port(), set[bytes]()
    async with Broker() as broker:
        await topics.apply(load(bootstrap=broker.bootstrap))
        env = {"DETECTOR_BOOTSTRAP": broker.bootstrap, "DETECTOR_RECEIVE_PORT": str(port)}

        async def send(session: aiohttp.ClientSession, body: bytes) -> None:
            headers = {"Content-Type": "application/x-protobuf"}
            with contextlib.suppress(aiohttp.ClientError):
                async with session.post(f"http://127.0.0.1:{port}/v1/traces", data=body, headers=headers) as answer:
                    if answer.status == 200:
                        answered.add(body)

        with Server("stop-receiver", [sys.executable, "-m", "detector", "receive"], env) as server:
            await until(lambda: "receiver: connected" in server.log.read_text(), "the receiver")
            async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as sending:
                for n in range(2000):
                    sending.create_task(send(session, b"body %d" % n))
                await until(lambda: len(answered) > 50, "some answers")
                assert await ended(server) == 0
            assert "Traceback" not in server.log.read_text()
        there = await asyncio.to_thread(Stream(broker.bootstrap, tmp_path).read, "otlp_spans")
    assert 50 < len(answered) < 2000
    assert answered <= set(there)


@pytest.mark.parametrize("part", ["enforce", "receive"])
async def test_without_kafka_parts_end_well(part: str, tmp_path: Path) -> None:
    """Waiting for Kafka is no reason to stay: exit code 0, and one line about it."""
    env = {
        "DETECTOR_BOOTSTRAP": "127.0.0.1:1",
        "DETECTOR_RECEIVE_PORT": str(free_port()),
        "DETECTOR_RUN_DIR": str(tmp_path / "runs"),
    }
    with Server(f"stop-{part}", [sys.executable, "-m", "detector", part], env) as server:
        await until(lambda: "trying again" in server.log.read_text(), "the first fault")
        await asyncio.sleep(2.5)
        assert await ended(server) == 0
    lines = [line for line in server.log.read_text().splitlines() if " info " not in line]
    assert len(lines) == 1, lines
    assert "Kafka at 127.0.0.1:1: " in lines[0]


@pytest.mark.parametrize("part", ["enforce", "receive"])
async def test_parts_whose_kafka_went_end_well(part: str, tmp_path: Path) -> None:
    """With work that waits for Kafka they end as well, in their own time: nobody has to kill them."""
    port = free_port()
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap)
        await topics.apply(settings)
        env = {
            "DETECTOR_BOOTSTRAP": broker.bootstrap,
            "DETECTOR_RECEIVE_PORT": str(port),
            "DETECTOR_RUN_DIR": str(tmp_path / "runs"),
        }
        with Server(f"stop-late-{part}", [sys.executable, "-m", "detector", part], env) as server:
            ready = {"enforce": "enforce: ready", "receive": "receiver: connected"}[part]
            await until(lambda: ready in server.log.read_text(), part)
            if part == "enforce":
                await produce(settings, "agent-commands", command(Desired.PAUSED, 1))
            await broker.stop()
            async with aiohttp.ClientSession() as session:
                posting = asyncio.create_task(_post(session, port)) if part == "receive" else None
                await asyncio.sleep(0.5)
                assert await ended(server) == 0
                if posting is not None:
                    assert await posting != 200
        assert "Traceback" not in server.log.read_text()


async def _post(session: aiohttp.ClientSession, port: int) -> int:
    with contextlib.suppress(aiohttp.ClientError):
        headers = {"Content-Type": "application/x-protobuf"}
        async with session.post(f"http://127.0.0.1:{port}/v1/traces", data=b"x", headers=headers) as answer:
            return answer.status
    return 0
