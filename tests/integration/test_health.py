"""The probes of a worker whose Kafka goes and comes back, in real time."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from pathlib import Path

from detector.embedded import Broker
from tests.test_app import fatal
from tests.workers import Stream, Worker


def probe(worker: Worker, path: str) -> tuple[int, str]:
    """Status and text of a probe."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}{path}", timeout=5) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


async def test_kafka_gone_is_not_ready_and_alive(tmp_path: Path) -> None:
    """Within seconds it's not ready, with the reason, and alive all the while; with Kafka back it judges on, and two
    lines are all that it says of it.
    """
    broker = Broker()
    await broker.start()
    stream = await asyncio.to_thread(Stream, broker.bootstrap, tmp_path)
    worker = stream.worker()
    await asyncio.to_thread(worker.__enter__)
    try:
        assert probe(worker, "/readyz") == (200, "ready\n")
        await broker.stop()

        async def gone() -> tuple[int, str]:
            assert (await asyncio.to_thread(probe, worker, "/healthz")) == (200, "alive\n")
            return await asyncio.to_thread(probe, worker, "/readyz")

        async with asyncio.timeout(60):
            while (said := await gone())[0] == 200:  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.5)
        assert said[0] == 503
        assert "Kafka has not answered for" in said[1] or "partitions are not assigned" in said[1]
        await broker.start(port=broker.port)
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(worker.ready):  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.5)
        await asyncio.to_thread(stream.send, fatal("back", 1))
        assert await asyncio.to_thread(stream.json, "agent-commands", 1)
        log = worker.server.log.read_text()
        assert log.count("worker: Kafka at") == 1
        assert log.count("worker: Kafka answers again after") == 1
    finally:
        await asyncio.to_thread(worker.__exit__)
        await broker.stop()
