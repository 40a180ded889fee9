"""Serves `/metrics`, `/healthz` and `/readyz` of a worker or an enforcer from its own event loop.

`/healthz` answers 503 where the process has to be restarted, and nothing at all where its loop stands
still. `/readyz` answers 503 while the process can't do its work: send it no rollout's next step. Both
say why. health.py says what counts as which. `/metrics?name[]=NAME` gives the named samples alone, as
exporters do: all of them take some tens of milliseconds of the worker's time.
"""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from detector.errors import TransportError
from detector.observe.health import Probes


class MetricsServer:
    """An HTTP server of one process's metrics and probes."""

    def __init__(self, registry: CollectorRegistry, probes: Probes) -> None:
        self._registry = registry
        self._probes = probes
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._on_metrics),
                web.get("/healthz", self._on_healthz),
                web.get("/readyz", self._on_readyz),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self, host: str, port: int) -> int:
        """Listens, and returns the port: the free one that was found where `port` is 0.

        Raises TransportError where the address can't be had.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as fault:
            await self._runner.cleanup()
            raise TransportError(f"metrics: could not listen on {host}:{port}: {fault.strerror or fault}") from fault
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Closes the listener and its connections."""
        await self._runner.cleanup()

    async def _on_metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        names = request.query.getall("name[]", [])
        registry = self._registry.restricted_registry(names) if names else self._registry
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    async def _on_healthz(self, _: web.Request) -> web.Response:
        return _said("alive", self._probes.alive())

    async def _on_readyz(self, _: web.Request) -> web.Response:
        return _said("ready", self._probes.ready())


def _said(state: str, why_not: str) -> web.Response:
    return web.Response(text=f"not {state}: {why_not}\n", status=503) if why_not else web.Response(text=f"{state}\n")
