"""The HTTP side of a worker or an enforcer: metrics, health, readiness."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from detector.errors import TransportError
from detector.observe.metrics import Metrics
from detector.observe.serve import MetricsServer

Get = Callable[[str], "aiohttp.client._RequestContextManager"]


class Switches:
    """A process that is alive and ready unless it has a reason not to be."""

    dying = ""
    waiting = ""

    def alive(self) -> str:
        """Why not."""
        return self.dying

    def ready(self) -> str:
        """Why not."""
        return self.waiting


@pytest.fixture
def process() -> Switches:
    """All is well."""
    return Switches()


@pytest.fixture
async def get(process: Switches) -> AsyncIterator[Get]:
    """Asks a server on a free port."""
    metrics = Metrics(CollectorRegistry())
    metrics.records.labels(topic="otlp_spans").inc(7)
    server = MetricsServer(metrics.registry, process)
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


@pytest.mark.parametrize(("path", "reason"), [("/healthz", "dying"), ("/readyz", "waiting")])
async def test_each_probe_says_why_not(get: Get, process: Switches, path: str, reason: str) -> None:
    """200 while all is well; 503 with the reason otherwise; and the other probe is not concerned."""
    async with get(path) as well:
        assert well.status == 200
        state = (await well.text()).strip()
    setattr(process, reason, "something is wrong")
    async with get(path) as ill:
        assert (ill.status, await ill.text()) == (503, f"not {state}: something is wrong\n")
    async with get("/readyz" if path == "/healthz" else "/healthz") as other:
        assert other.status == 200


async def test_a_taken_port_is_a_transport_error(process: Switches) -> None:
    """The second server on a port raises an error that names the address."""
    first = MetricsServer(CollectorRegistry(), process)
    port = await first.start("127.0.0.1", 0)
    second = MetricsServer(CollectorRegistry(), process)
    with pytest.raises(TransportError, match=f"could not listen on 127.0.0.1:{port}"):
        await second.start("127.0.0.1", port)
    await first.stop()
