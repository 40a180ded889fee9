"""The worker's HTTP side: metrics, health, readiness."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from detector.errors import TransportError
from detector.observe.metrics import Metrics
from detector.observe.serve import MetricsServer

Get = Callable[[str], "aiohttp.client._RequestContextManager"]


class Switch:
    """A worker that is ready when it's told so."""

    on = False

    def __call__(self) -> bool:
        """Whether it is."""
        return self.on


@pytest.fixture
def switch() -> Switch:
    """Readiness, off."""
    return Switch()


@pytest.fixture
async def get(switch: Switch) -> AsyncIterator[Get]:
    """Asks a server on a free port."""
    metrics = Metrics(CollectorRegistry())
    metrics.records.labels(topic="otlp_spans").inc(7)
    server = MetricsServer(metrics, switch)
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        yield lambda path: session.get(f"http://127.0.0.1:{port}{path}")
    await server.stop()


async def test_metrics_are_in_prometheus_form(get: Get) -> None:
    """`/metrics` has type, help and value of each sample, as text that Prometheus reads."""
    async with get("/metrics") as answer:
        text = await answer.text()
    assert answer.content_type == "text/plain"
    assert "# TYPE detector_records_total counter" in text
    assert 'detector_records_total{topic="otlp_spans"} 7.0' in text
    assert "detector_up 1.0" in text


async def test_readiness_follows_the_worker(get: Get, switch: Switch) -> None:
    """`/readyz` is 503 until partitions are assigned and recovered, and the gauge says the same."""
    async with get("/readyz") as before:
        assert before.status == 503
    switch.on = True
    async with get("/readyz") as after:
        assert after.status == 200
    async with get("/metrics") as metrics:
        assert "detector_ready 1.0" in await metrics.text()


async def test_a_worker_that_is_not_ready_is_alive(get: Get) -> None:
    """`/healthz` is 200 while partitions move: a restart would not help."""
    async with get("/healthz") as answer:
        assert answer.status == 200


async def test_a_taken_port_is_a_transport_error(switch: Switch) -> None:
    """The second server on a port raises an error that names the address."""
    first = MetricsServer(Metrics(CollectorRegistry()), switch)
    port = await first.start("127.0.0.1", 0)
    second = MetricsServer(Metrics(CollectorRegistry()), switch)
    with pytest.raises(TransportError, match=f"could not listen on 127.0.0.1:{port}"):
        await second.start("127.0.0.1", port)
    await first.stop()
