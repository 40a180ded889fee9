"""Serves `/metrics`, `/healthz` and `/readyz` from the worker's own event loop.

`/healthz` answers 200 as long as the loop runs: restart the process where it does not.
`/readyz` answers 200 when partitions are assigned and recovered, 503 before and during a
rebalance: send no traffic, start no other worker's rollout.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from detector.errors import TransportError
from detector.observe.metrics import Metrics


class MetricsServer:
    """An HTTP server of one worker's metrics; `ready` says whether the worker judges at this moment."""

    def __init__(self, metrics: Metrics, ready: Callable[[], bool]) -> None:
        self._metrics = metrics
        self._ready = ready
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._on_metrics),
                web.get("/healthz", self._on_healthz),
                web.get("/readyz", self._on_readyz),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)

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
        self._metrics.ready.set(self._ready())
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._metrics.registry), headers={"Content-Type": content_type})

    async def _on_healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _on_readyz(self, _: web.Request) -> web.Response:
        if self._ready():
            return web.Response(text="ready\n")
        return web.Response(text="not ready: partitions are not assigned and recovered yet\n", status=503)
