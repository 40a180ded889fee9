"""The webhook enforcer against a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from detector.control.enforcers.base import Outcome, Result
from detector.control.enforcers.webhook import (
    Retries,
    WebhookEnforcer,
    _seconds,
    verify_webhook,
    webhook_signature,
)
from detector.records import Desired
from tests.control.support import command, until

FAST = Retries(attempts=4, total=5.0, first=0.01, longest=0.02, timeout=0.5)


class Receiver:
    """Answers as it's told, 200 when it was told nothing more, and keeps what came."""

    def __init__(self) -> None:
        self.answers: list[web.Response | asyncio.Event] = []
        self.came: list[tuple[Mapping[str, str], bytes]] = []
        self.at: list[float] = []
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        """One delivery."""
        self.came.append((request.headers, await request.read()))
        self.at.append(time.monotonic())
        answer = self.answers.pop(0) if self.answers else web.Response()
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return web.Response()
        return answer


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver at a free port."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver


@pytest.fixture
async def webhook(receiver: Receiver) -> AsyncIterator[WebhookEnforcer]:
    """The enforcer that posts there."""
    webhook = WebhookEnforcer(receiver.url, "secret", FAST)
    yield webhook
    await webhook.close()


async def test_the_body_is_the_command_and_verifies(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """What comes is the command as JSON, signed over the exact bytes and the time."""
    outcome = await webhook.apply(command(Desired.PAUSED, 3, evidence=["a token was found"]))
    [(headers, body)] = receiver.came
    assert outcome == Outcome(Result.DONE, "HTTP 200, attempt 1")
    assert json.loads(body) == {
        "run": "r1",
        "desired": "paused",
        "sequence": 3,
        "cause": "rule:test",
        "at": 1,
        "evidence": ["a token was found"],
    }
    assert headers["X-Detector-Delivery"] == "r1:3"
    assert verify_webhook(body, headers, "secret")
    assert not verify_webhook(body + b" ", headers, "secret")
    assert not verify_webhook(body, headers, "other")


def test_verifying_asks_for_a_fresh_timestamp_and_all_headers() -> None:
    """An old request, or one without its headers, is not taken; names are of any case."""
    headers = {"x-detector-timestamp": "1000", "X-DETECTOR-SIGNATURE": webhook_signature(b"{}", "1000", "k")}
    assert verify_webhook(b"{}", headers, "k", now=1300)
    assert verify_webhook(b"{}", headers, "k", now=701)
    assert not verify_webhook(b"{}", headers, "k", now=1301)
    assert not verify_webhook(b"{}", headers, "k")
    assert not verify_webhook(b"{}", {}, "k", now=1000)
    assert not verify_webhook(b"{}", {**headers, "x-detector-timestamp": "1001"}, "k", now=1000)


@given(st.text(), st.text(), st.binary())
def test_verifying_never_raises_or_takes_what_is_made_up(timestamp: str, signature: str, body: bytes) -> None:
    """Any headers that anyone may send are answered with no."""
    headers = {"X-Detector-Timestamp": timestamp, "X-Detector-Signature": signature}
    assert not verify_webhook(body, headers, "k", now=0)


@pytest.mark.parametrize("status", [500, 503, 429, 408])
async def test_passing_faults_are_tried_again(receiver: Receiver, webhook: WebhookEnforcer, status: int) -> None:
    """Server errors and `too many requests` may pass; every attempt carries the same delivery and bytes."""
    receiver.answers = [web.Response(status=status), web.Response(status=status)]
    assert await webhook.apply(command(Desired.PAUSED, 1)) == Outcome(Result.DONE, "HTTP 200, attempt 3")
    assert {(headers["X-Detector-Delivery"], body) for headers, body in receiver.came} == {
        ("r1:1", receiver.came[0][1])
    }
    assert all(verify_webhook(body, headers, "secret") for headers, body in receiver.came)


@pytest.mark.parametrize("status", [400, 401, 404, 410])
async def test_refusals_are_final(receiver: Receiver, webhook: WebhookEnforcer, status: int) -> None:
    """What the receiver refuses isn't sent again."""
    receiver.answers = [web.Response(status=status)]
    assert await webhook.apply(command(Desired.PAUSED, 1)) == Outcome(Result.FAILED, f"HTTP {status}, attempt 1")
    assert len(receiver.came) == 1


async def test_attempts_are_bounded(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """A receiver that stays broken ends as failed after the last attempt."""
    receiver.answers = [web.Response(status=502) for _ in range(10)]
    assert await webhook.apply(command(Desired.PAUSED, 1)) == Outcome(Result.FAILED, "HTTP 502, attempt 4")
    assert len(receiver.came) == 4


async def test_retry_after_is_honoured(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """The next attempt waits as long as the receiver asked, not as short as the backoff."""
    receiver.answers = [web.Response(status=429, headers={"Retry-After": "1"})]
    assert (await webhook.apply(command(Desired.PAUSED, 1))).result is Result.DONE
    assert receiver.at[1] - receiver.at[0] >= 1.0


async def test_a_wait_beyond_the_bound_is_a_failure(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """An hour's wait isn't slept through: failed, at once."""
    receiver.answers = [web.Response(status=503, headers={"Retry-After": "3600"})]
    assert await webhook.apply(command(Desired.PAUSED, 1)) == Outcome(Result.FAILED, "HTTP 503, attempt 1")


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    """Both forms of RFC 9110; nonsense is no wait."""
    assert _seconds("7") == 7
    assert 50 < _seconds(formatdate(time.time() + 60, usegmt=True)) <= 60
    assert [_seconds(text) for text in ("", "soon", "-5", formatdate(0))] == [0, 0, 0, 0]


async def test_no_answer_and_no_server_are_tried_again(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """A connection that hangs is given up and repeated."""
    never = asyncio.Event()
    receiver.answers = [never]
    assert await webhook.apply(command(Desired.PAUSED, 1)) == Outcome(Result.DONE, "HTTP 200, attempt 2")
    never.set()


async def test_a_fault_never_tells_the_address() -> None:
    """An address may hold a token; the ack names only what happened."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    webhook = WebhookEnforcer(f"http://127.0.0.1:{port}/hook?token=s3cret", "secret", FAST)
    outcome = await webhook.apply(command(Desired.PAUSED, 1))
    await webhook.close()
    assert outcome == Outcome(Result.FAILED, "no answer: ClientConnectorError, attempt 4")


async def test_redirects_are_not_followed(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """A command goes to the address that was configured, and nowhere else."""
    receiver.answers = [web.Response(status=307, headers={"Location": receiver.url})]
    outcome = await webhook.apply(command(Desired.PAUSED, 1))
    assert outcome == Outcome(Result.FAILED, "HTTP 307: a redirect, not followed, attempt 1")
    assert len(receiver.came) == 1


async def test_a_newer_command_ends_the_attempts_at_an_older_one(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """Once a run is to be killed, nobody hears of its pause any more."""
    receiver.answers = [web.Response(status=503, headers={"Retry-After": "4"})]
    pause = asyncio.create_task(webhook.apply(command(Desired.PAUSED, 1)))
    await until(lambda: receiver.came, "the first attempt")
    assert (await webhook.apply(command(Desired.KILLED, 2))).result is Result.DONE
    assert (await pause).detail == "superseded by command 2 before it was carried out"
    assert [headers["X-Detector-Delivery"] for headers, _ in receiver.came] == ["r1:1", "r1:2"]


async def test_each_sequence_is_delivered_once(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """A command that comes again isn't posted again, nor one that was acked before a restart."""
    webhook.remember(command(Desired.PAUSED, 7, "r2"))
    results = [(await webhook.apply(command(Desired.PAUSED, sequence, run))).result for run, sequence in
               [("r1", 1), ("r1", 1), ("r1", 2), ("r2", 7), ("r2", 8)]]  # fmt: skip
    assert results == [Result.DONE, Result.ALREADY, Result.DONE, Result.ALREADY, Result.DONE]
    assert [headers["X-Detector-Delivery"] for headers, _ in receiver.came] == ["r1:1", "r1:2", "r2:8"]


async def test_a_hostile_run_id_adds_no_header(receiver: Receiver, webhook: WebhookEnforcer) -> None:
    """Line ends in a run id are encoded in the delivery."""
    assert (await webhook.apply(command(Desired.PAUSED, 1, "a\r\nX-Evil: 1"))).result is Result.DONE
    [(headers, _)] = receiver.came
    assert headers["X-Detector-Delivery"] == "a%0D%0AX-Evil%3A%201:1"
    assert "X-Evil" not in headers
