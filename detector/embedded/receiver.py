"""An OTLP/HTTP receiver that puts export requests into Kafka just as they came.

It stands in for an OpenTelemetry Collector with a Kafka exporter, in demos and tests.
Paths, content types, answers and retryable statuses follow the OTLP specification 1.x,
"OTLP/HTTP" (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
"""

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from detector.embedded.otlp_http import JSON, Hold, RejectedError, Room, check_type, inflated, later, too_large
from detector.embedded.serving import is_loopback, until_signal
from detector.errors import TransportError
from detector.kafka.outage import Outage, reaching

log = logging.getLogger(__name__)

_RECONNECT_S = 1.0
_STOP_S = 2.0
# Record and request headers around a body.
_ENVELOPE_BYTES = 64 << 10


class Receiver:
    """Receives OTLP over HTTP, and answers 200 once Kafka has acknowledged the body.

    Bodies are not looked into. `POST /v1/traces` and `/v1/logs` take protobuf and JSON,
    plain or gzip; metrics are answered 404, which tells an SDK once that they go
    nowhere. Refusals: 400 no content type or a broken body, 401 token, 413 size, 415
    type or encoding, 429 too much in flight, 503 Kafka is away or slow. `/healthz` and
    `/readyz` answer probes; not ready is a receiver that has no Kafka.
    """

    def __init__(  # noqa: PLR0913 - settings, most of them named by the caller
        self,
        bootstrap: str,
        host: str = "127.0.0.1",
        port: int = 4318,
        *,
        spans_topic: str = "otlp_spans",
        logs_topic: str = "otlp_logs",
        token: str | None = None,
        max_body_bytes: int = 16 << 20,
        max_in_flight_bytes: int = 64 << 20,
        timeout_s: float = 10.0,
        kafka: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare; nothing listens yet.

        Sizes are bytes and hold for a body before and after decompression. `timeout_s`
        bounds reading a body, and Kafka's acknowledgement. `kafka` are settings for
        aiokafka's producer (TLS, SASL). Raises ValueError where `host` is not loopback
        and there is no token, or where no body could ever be in flight.
        """
        if not token and not is_loopback(host):
            msg = f"receiver host {host!r} is not loopback: set a token"
            raise ValueError(msg)
        if max_body_bytes > max_in_flight_bytes:
            msg = f"max_body_bytes {max_body_bytes} > in flight {max_in_flight_bytes}"
            raise ValueError(msg)
        self._outage = Outage(log, "receiver")
        self._address = host, port
        self._topics = {"/v1/traces": spans_topic, "/v1/logs": logs_topic}
        self._token = token
        self._max_body = max_body_bytes
        self._room = Room(max_in_flight_bytes)
        self._timeout_s = timeout_s
        self._settings: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "acks": "all",
            "linger_ms": 0,
            "max_request_size": max_body_bytes + _ENVELOPE_BYTES,
            "request_timeout_ms": int(timeout_s * 1000),
            **(kafka or {}),
        }
        self._producer: AIOKafkaProducer | None = None
        self._runner: web.AppRunner | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[RejectedError | None]] = set()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._address[1]

    @property
    def url(self) -> str:
        """Where SDKs send to: their OTEL_EXPORTER_OTLP_ENDPOINT."""
        host = self._address[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def start(self) -> None:
        """Listen, and connect to Kafka for as long as that takes; 503 until then.

        Raises OSError where the port is taken.
        """
        app = web.Application(client_max_size=self._max_body)
        for path in self._topics:
            app.router.add_post(path, self._export)
        app.router.add_post("/v1/metrics", self._metrics)
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        # Decompression is ours: aiohttp's has no bound on what comes out.
        self._runner = web.AppRunner(
            app,
            access_log=None,
            lingering_time=1.0,
            auto_decompress=False,
            shutdown_timeout=min(self._timeout_s, _STOP_S),
        )
        await self._runner.setup()
        host, port = self._address
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self._address = host, int(self._runner.addresses[0][1])
        self._connecting = asyncio.create_task(self._connect())
        log.info("OTLP/HTTP receiver on %s", self.url)

    async def stop(self) -> None:
        """Take no more, finish what was taken while Kafka confirms it in time, and leave Kafka."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
            self._connecting = None
        if self._producer is not None:
            # Whoever sent what is not confirmed by then was not answered 200, and sends it again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._producer.stop(), _STOP_S / 2)
            self._producer = None
        for sending in self._sending:
            sending.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def _connect(self) -> None:
        where = self._settings["bootstrap_servers"]
        while self._producer is None:
            producer = AIOKafkaProducer(**self._settings)
            try:
                with reaching(where):
                    await producer.start()
            except TransportError as fault:
                self._outage.note(fault)
                await producer.stop()
                await asyncio.sleep(_RECONNECT_S)
            except asyncio.CancelledError:
                await producer.stop()
                raise
            else:
                self._producer = producer
        if not self._outage:
            log.info("receiver: connected to Kafka at %s", where)
        self._outage.over()
        await self._await_return(self._producer)

    async def _await_return(self, producer: AIOKafkaProducer) -> None:
        # While it isn't ready nobody may send it a body by which it could notice.
        while True:
            await asyncio.sleep(_RECONNECT_S)
            if self._outage and await producer.client.force_metadata_update():
                self._outage.over()

    async def _alive(self, _: web.Request) -> web.Response:
        # A restart would not bring Kafka back.
        return web.Response(text="alive\n")

    async def _ready(self, _: web.Request) -> web.Response:
        if self._producer is None or self._outage:
            return web.Response(status=503, text="not ready: Kafka does not answer\n")
        return web.Response(text="ready\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(status=404, text="metrics are not received here\n")

    async def _export(self, request: web.Request) -> web.Response:
        kind = request.content_type
        try:
            self._authorise(request)
            check_type(request)
            await self._deliver(request)
        except RejectedError as rejected:
            log.debug("%s: %d %s", request.path, rejected.status, rejected.text)
            return rejected.response(kind)
        return web.Response(body=b"{}" if kind == JSON else b"", content_type=kind)

    def _authorise(self, request: web.Request) -> None:
        if self._token is None:
            return
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            raise RejectedError(401, "wrong or no token", WWW_Authenticate="Bearer")

    async def _deliver(self, request: web.Request) -> None:
        if self._producer is None:
            raise later(503, "Kafka is not reachable")
        hold = Hold(self._room)
        try:
            body = await self._body(request, hold)
        except BaseException:
            hold.resize(0)
            raise
        sending = asyncio.create_task(self._send(self._producer, self._topics[request.path], body))
        self._sending.add(sending)
        # Kafka may keep the body for longer than the client is made to wait.
        sending.add_done_callback(lambda _: hold.resize(0))
        sending.add_done_callback(self._sending.discard)
        done, _ = await asyncio.wait({sending}, timeout=self._timeout_s)
        if not done:
            self._outage.note(f"Kafka confirmed no body in {self._timeout_s:g} s")
        rejected = sending.result() if done else later(503, "Kafka is slow")
        if rejected is not None:
            raise rejected

    async def _body(self, request: web.Request, hold: Hold) -> bytes:
        expected = request.content_length
        if expected is not None and expected > self._max_body:
            raise too_large(self._max_body)
        hold.resize(self._max_body if expected is None else expected)
        raw = bytearray()
        try:
            async with asyncio.timeout(self._timeout_s):
                async for chunk in request.content.iter_any():
                    raw += chunk
                    if len(raw) > self._max_body:
                        raise too_large(self._max_body)
        except TimeoutError:
            raise RejectedError(408, "the body did not come in time") from None
        hold.resize(len(raw))
        if request.headers.get("Content-Encoding", "identity").lower() == "identity":
            return bytes(raw)
        body = inflated(bytes(raw), self._max_body)
        hold.resize(len(body))
        return body

    async def _send(self, producer: AIOKafkaProducer, topic: str, body: bytes) -> RejectedError | None:
        try:
            await producer.send_and_wait(topic, body)
        except MessageSizeTooLargeError:
            return RejectedError(413, f"topic {topic} takes no message of this size")
        except KafkaError as error:
            self._outage.note(f"topic {topic} took no body of {len(body)} bytes: {error!r}")
            return later(503, "Kafka did not take the body")
        self._outage.over()
        return None


async def serve(receiver: Receiver) -> None:
    """Run until SIGTERM or SIGINT. Raises OSError where the port is taken."""
    async with receiver:
        await until_signal()
