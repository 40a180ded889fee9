"""The OTLP/HTTP receiver, with real sockets and a real SDK."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from detector.embedded import Broker, Limits
from detector.embedded.receiver import Receiver

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

PATIENCE_S = 20
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
BODY = bytes(range(256)) * 8

Start = Callable[..., Coroutine[Any, Any, Receiver]]
Answer = tuple[int, bytes, Any]


@pytest.fixture
def receiver(broker: Broker, clients: AsyncExitStack) -> Start:
    """Start a receiver that is connected to the broker, unless it is told of another."""

    async def start(bootstrap: str | None = None, **settings: Any) -> Receiver:
        running = Receiver(bootstrap or broker.bootstrap, port=0, **settings)
        await clients.enter_async_context(running)
        if bootstrap is None:
            await until(lambda: healthy(running))
        return running

    return start


@pytest.fixture
async def running(receiver: Start) -> Receiver:
    """A receiver that takes bodies of up to 100,000 bytes."""
    return await receiver(max_body_bytes=100_000)


async def ask(to: Receiver, method: str, path: str, **request: Any) -> Answer:
    """Send one HTTP request; return status, body and headers."""
    async with aiohttp.ClientSession() as session, session.request(method, to.url + path, **request) as answer:
        return answer.status, await answer.read(), answer.headers


async def post(to: Receiver, body: Any, headers: dict[str, str], path: str = "/v1/traces") -> Answer:
    """Export `body`, which is sent as it is."""
    skip = ["Content-Type"] if "Content-Type" not in headers else []
    return await ask(to, "POST", path, data=body, headers=headers, skip_auto_headers=skip)


async def until(holds: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Wait until a condition holds that nobody announces."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


async def healthy(to: Receiver) -> bool:
    """Tell whether a receiver has Kafka."""
    return (await ask(to, "GET", "/readyz"))[0] == 200


async def takes(to: Receiver) -> bool:
    """Tell whether a body is answered 200."""
    return (await post(to, b"x", PROTOBUF))[0] == 200


async def record(consumer: Any, topic: str) -> Any:
    """Return the first record of a topic."""
    async with asyncio.timeout(PATIENCE_S):
        return await (await consumer(topic)).getone()


@pytest.mark.parametrize("encoding", [{}, GZIP, {"Content-Encoding": "identity"}], ids=str)
@pytest.mark.parametrize(("kind", "answer"), [(PROTOBUF, b""), (JSON, b"{}")], ids=["protobuf", "json"])
@pytest.mark.parametrize(("path", "topic"), [("/v1/traces", "otlp_spans"), ("/v1/logs", "otlp_logs")])
async def test_a_body_comes_out_of_its_topic_byte_for_byte(
    running: Receiver,
    consumer: Any,
    path: str,
    topic: str,
    kind: dict[str, str],
    answer: bytes,
    encoding: dict[str, str],
) -> None:
    """Any type, any encoding: 200 with the empty response of that type, and the decompressed bytes without key."""
    sent = gzip.compress(BODY) if encoding == GZIP else BODY
    status, said, headers = await post(running, sent, {**kind, **encoding}, path)
    assert (status, said, headers["Content-Type"].split(";")[0]) == (200, answer, kind["Content-Type"])
    found = await record(consumer, topic)
    assert (found.key, found.value) == (None, BODY)


async def test_a_gzip_body_of_several_members_is_one_body(running: Receiver, consumer: Any) -> None:
    """RFC 1952 allows members one after the other."""
    sent = gzip.compress(BODY) + gzip.compress(BODY)
    assert (await post(running, sent, {**PROTOBUF, **GZIP}))[0] == 200
    assert (await record(consumer, "otlp_spans")).value == BODY + BODY


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (BODY, {}, 400),
        (BODY, {"Content-Type": "text/plain"}, 415),
        (BODY, {**PROTOBUF, "Content-Encoding": "deflate"}, 415),
        (BODY, {**PROTOBUF, **GZIP}, 400),
        (gzip.compress(BODY)[:-9], {**PROTOBUF, **GZIP}, 400),
        (bytes(100_001), PROTOBUF, 413),
        (gzip.compress(bytes(100_001)), {**PROTOBUF, **GZIP}, 413),
        (gzip.compress(bytes(50_000_000)), {**JSON, **GZIP}, 413),
        (gzip.compress(bytes(60_000)) * 2, {**JSON, **GZIP}, 413),
    ],
    ids=["no type", "type", "encoding", "not gzip", "cut gzip", "large", "just a bomb", "bomb", "bomb in parts"],
)
async def test_what_is_not_taken_is_told_and_not_written(
    running: Receiver, consumer: Any, body: bytes, headers: dict[str, str], status: int
) -> None:
    """A refused body leaves nothing in the topic, and its room is free again."""
    told, said, _ = await post(running, body, headers)
    assert told == status
    assert said
    assert running._room.free == 64 << 20
    assert (await post(running, b"next", PROTOBUF))[0] == 200
    assert (await record(consumer, "otlp_spans")).value == b"next"


async def chunks(size: int) -> AsyncIterator[bytes]:
    """Yield `size` bytes in pieces, so that no length is announced."""
    for _ in range(size // 1_000):
        yield bytes(1_000)


async def test_a_body_without_length_is_counted_while_it_comes(running: Receiver, consumer: Any) -> None:
    """A chunked body is taken up to the limit and cut off beyond."""
    assert (await post(running, chunks(100_000), PROTOBUF))[0] == 200
    assert len((await record(consumer, "otlp_spans")).value) == 100_000
    # The answer comes, and the connection goes, while the client may still be sending.
    with contextlib.suppress(aiohttp.ClientOSError):
        assert (await post(running, chunks(10_000_000), PROTOBUF))[0] == 413
    assert running._room.free == 64 << 20


async def test_a_status_is_encoded_as_the_request_was(running: Receiver) -> None:
    """Errors are a google.rpc.Status: a message in field 2, in protobuf or JSON."""
    large = bytes(100_001)
    _, said, headers = await post(running, large, PROTOBUF)
    assert headers["Content-Type"] == "application/x-protobuf"
    assert said == b"\x12" + bytes([len(said) - 2]) + b"body is larger than 100000 bytes"
    _, said, _ = await post(running, large, JSON)
    assert said == b'{"message": "body is larger than 100000 bytes"}'


async def test_metrics_and_other_paths_are_not_here(running: Receiver) -> None:
    """Metrics get 404 with a text that says why."""
    status, said, _ = await post(running, BODY, PROTOBUF, "/v1/metrics")
    assert (status, said) == (404, b"metrics are not received here\n")
    assert (await ask(running, "GET", "/v1/traces"))[0] == 405


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer", "secret", "Bearer s\u00e9cret"])
async def test_a_token_is_asked_for(receiver: Start, given: str | None) -> None:
    """Where a token is set, only requests with it are taken; health needs none."""
    guarded = await receiver(token="secret")
    wrong = {} if given is None else {"Authorization": given}
    status, _, headers = await post(guarded, BODY, {**PROTOBUF, **wrong})
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    right = {**PROTOBUF, "Authorization": "Bearer secret"}
    assert (await post(guarded, BODY, right))[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org"])
def test_beyond_loopback_there_must_be_a_token(host: str) -> None:
    """A receiver that others can reach refuses to be open to them."""
    with pytest.raises(ValueError, match="set a token"):
        Receiver("127.0.0.1:9092", host=host)
    with pytest.raises(ValueError, match="set a token"):
        Receiver("127.0.0.1:9092", host=host, token="")
    Receiver("127.0.0.1:9092", host=host, token="secret")


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_kafka_may_come_late(receiver: Start, clients: AsyncExitStack, caplog: pytest.LogCaptureFixture) -> None:
    """Without Kafka the answer is 503 and when to come again; with it, 200, without a restart."""
    late = Broker(port=free_port())
    early = await receiver(late.bootstrap)
    status, _, headers = await post(early, BODY, PROTOBUF)
    assert (status, headers["Retry-After"]) == (503, "2")
    assert (await ask(early, "GET", "/readyz"))[0] == 503
    assert (await ask(early, "GET", "/healthz"))[0] == 200
    await clients.enter_async_context(late)
    await until(lambda: takes(early))
    (said,) = [text for name, level, text in caplog.record_tuples if "detector" in name and level >= logging.WARNING]
    assert said.startswith(f"receiver: Kafka at {late.bootstrap}: no connection: [Errno 111] Connect call failed")


async def test_kafka_may_go(receiver: Start, broker: Broker) -> None:
    """A body that Kafka does not acknowledge in time is answered 503, never 200."""
    left = await receiver(timeout_s=0.5)
    assert (await post(left, BODY, PROTOBUF))[0] == 200
    port = broker.port
    await broker.stop()
    assert (await post(left, BODY, PROTOBUF))[0] == 503
    assert not await healthy(left)
    await broker.start(port=port)
    await until(lambda: takes(left))
    assert await healthy(left)


async def test_waiting_bodies_are_bounded(receiver: Start, broker: Broker) -> None:
    """While Kafka is slow, bodies beyond the bound get 429 at once; all room comes back."""
    slow = await receiver(max_body_bytes=10_000, max_in_flight_bytes=30_000, timeout_s=1)
    assert (await post(slow, BODY, PROTOBUF))[0] == 200
    await broker.stop()
    answers = await asyncio.gather(*(post(slow, bytes(10_000), PROTOBUF) for _ in range(8)))
    assert sorted(status for status, *_ in answers) == [429] * 5 + [503] * 3
    assert {headers["Retry-After"] for *_, headers in answers} == {"2"}

    async def empty() -> bool:
        return slow._room.free == 30_000

    await until(empty)


async def test_what_kafka_finds_too_large_is_413(receiver: Start, clients: AsyncExitStack) -> None:
    """A topic that takes only small messages refuses for good, not for now."""
    small = await clients.enter_async_context(Broker(Limits(message_bytes=10_000)))
    strict = await receiver(small.bootstrap)
    await until(lambda: takes(strict))
    assert (await post(strict, bytes(20_000), PROTOBUF))[0] == 413


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
async def test_a_genuine_sdk_delivers(running: Receiver, consumer: Any, compression: Compression) -> None:
    """A span from the OpenTelemetry SDK's own exporter is in Kafka when the exporter is done."""

    def export() -> None:
        exporter = OTLPSpanExporter(f"{running.url}/v1/traces", compression=compression)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("test").start_as_current_span("invoke_agent coder"):
            pass
        provider.shutdown()

    await asyncio.to_thread(export)
    request = ExportTraceServiceRequest.FromString((await record(consumer, "otlp_spans")).value)
    assert request.resource_spans[0].scope_spans[0].spans[0].name == "invoke_agent coder"


SERVE = """
import asyncio, sys
from detector.embedded import serve
from detector.embedded.receiver import Receiver, serve as receive

async def main():
    broker, receiver = map(int, sys.argv[1:])
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(port=broker))
        await asyncio.sleep(0)
        group.create_task(receive(Receiver(f"127.0.0.1:{broker}", port=receiver)))

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_both_servers_run_until_told_to_stop(number: signal.Signals) -> None:
    """Broker and receiver, in one process, end at a signal, without an error and with nothing left open."""
    broker, receiver = free_port(), free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", SERVE, str(broker), str(receiver), stderr=asyncio.subprocess.PIPE
    )

    async def up() -> bool:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with session.get(f"http://127.0.0.1:{receiver}/readyz") as answer:
                return answer.status == 200
        return False

    try:
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
            await until(up)
            process.send_signal(number)
            _, said = await process.communicate()
        assert (process.returncode, said) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
