"""A Kafka-protocol broker in one asyncio process, in memory, for demos and tests.

It serves Faust with tables, aiokafka and librdkafka clients: produce (idempotent too),
fetch, consumer groups, topics and their settings. It is never one for production:
nothing is on disk, there is one node, no authentication, no TLS. Not supported:
transactions, record formats before v2, flexible API versions, fetch sessions (clients
go on without), retention by time, log append time, ACLs, quotas.

Memory is bounded by `Limits`. A partition over its retention loses its oldest batches,
as does the largest one where all together hold too much. A topic with
`cleanup.policy=compact` loses nothing to retention: it is compacted when it has doubled,
which keeps the newest record of every key, and where even that does not fit the memory,
records are refused with POLICY_VIOLATION. While one compacts it takes twice its memory.
"""

import asyncio
import contextlib
import logging
import time
from typing import Self

from detector.embedded.call import Call, Reply, Served
from detector.embedded.catalog import Catalog
from detector.embedded.connection import Connection
from detector.embedded.data import Data
from detector.embedded.groups import Groups
from detector.embedded.membership import Membership
from detector.embedded.serving import is_loopback, until_signal
from detector.embedded.settings import Settings
from detector.embedded.topics import Limits, Topics
from detector.embedded.wire import Api, Code, MalformedRequestError, Writer

log = logging.getLogger(__name__)

# How late a session or rebalance timeout may be noticed.
_SWEEP_S = 0.1


class Broker:
    """The broker; use it as `async with Broker() as broker`, or start and stop it.

    Stopping closes the port and all connections and keeps topics, groups and offsets,
    so that a second start is a broker that was restarted.
    """

    def __init__(self, limits: Limits | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        """`host` and `port` are where `async with` listens; port 0 takes a free one."""
        self._limits = limits or Limits()
        self._address = host, port
        self._groups = Groups()
        self._topics = Topics(self._limits)
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._apis: dict[int, Served] = {
            **Data(self._topics).apis(),
            **Membership(self._groups, self._topics).apis(),
            **Catalog(self._topics, self._groups).apis(),
            **Settings(self._topics).apis(),
            Api.API_VERSIONS: Served(0, 2, self._api_versions),
        }

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Raises OSError where the address is taken.

        Beyond loopback everybody who reaches the port reads and writes everything.
        """
        if self._server is not None:
            msg = "the broker is running already"
            raise RuntimeError(msg)
        if not is_loopback(host):
            log.warning("listening on %s without authentication", host)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._dispatch, self._limits.request_bytes, self._connections),
            host,
            port,
        )
        self._address = host, int(self._server.sockets[0].getsockname()[1])
        self._sweeper = asyncio.create_task(self._sweep())
        log.info("embedded broker on %s", self.bootstrap)

    async def stop(self) -> None:
        """Close the port and every connection; a second call does nothing."""
        server, sweeper = self._server, self._sweeper
        if server is None or sweeper is None:
            return
        self._server = self._sweeper = None
        server.close()
        cut = list(self._connections)
        self.drop_connections()
        await asyncio.gather(*(connection.closed.wait() for connection in cut))
        await server.wait_closed()
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper
        await self._topics.settle()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start(*self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    @property
    def port(self) -> int:
        """The port that it listens on, or listened on last."""
        return self._address[1]

    @property
    def bootstrap(self) -> str:
        """`host:port`, as clients take it."""
        host, port = self._address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def drop_connections(self) -> None:
        """Cut every connection, as a network fault does."""
        for connection in list(self._connections):
            connection.close()

    def _dispatch(self, key: int, call: Call) -> Reply:
        served = self._apis.get(key)
        if served is None:
            msg = f"API key {key} is not served"
            raise MalformedRequestError(msg)
        if not served.first <= call.version <= served.last:
            if key == Api.API_VERSIONS:
                # In v0 form, which every client reads and then asks again with less.
                return self._versions(Code.UNSUPPORTED_VERSION)
            msg = f"{Api(key).name} v{call.version} is not served"
            raise MalformedRequestError(msg)
        return served.handle(call)

    def _api_versions(self, call: Call) -> Reply:
        out = self._versions(Code.NONE)
        return out.i32(0) if call.version >= 1 else out

    def _versions(self, code: Code) -> Writer:
        out = Writer().i16(code)
        return out.array(
            list(self._apis.items()),
            lambda api: out.i16(api[0]).i16(api[1].first).i16(api[1].last),
        )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            self._groups.sweep(time.monotonic())


async def serve(host: str = "127.0.0.1", port: int = 9092, limits: Limits | None = None) -> None:
    """Run a broker until SIGTERM or SIGINT. Raises OSError where the port is taken."""
    async with Broker(limits, host, port):
        await until_signal()
