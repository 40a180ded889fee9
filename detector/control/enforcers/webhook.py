"""Posts commands, signed, to an address of the user's: the way to pause what runs elsewhere.

Each request carries the command as JSON and three headers. Receivers check the first two
with `verify_webhook`, and the third against what they did already: a delivery may come more
than once.

    X-Detector-Signature   sha256=HEX, HMAC-SHA256 of `TIMESTAMP.BODY` with the webhook key
    X-Detector-Timestamp   seconds since 1970, of this attempt
    X-Detector-Delivery    RUN:SEQUENCE, the same for every attempt; RUN percent-encoded
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Self
from urllib.parse import quote

import aiohttp
import msgspec

from detector.config import Settings
from detector.control.enforcers.base import Enforcer, Outcome, Result
from detector.failpoints import reach
from detector.records import Command

SIGNATURE, TIMESTAMP, DELIVERY = "X-Detector-Signature", "X-Detector-Timestamp", "X-Detector-Delivery"

_PASSING = frozenset({408, 425, 429})
"""Client errors that may go away: timeout, too early, too many requests."""


class Retries(NamedTuple):
    """When to try again; times in seconds."""

    attempts: int = 8
    total: float = 300.0
    """No attempt begins later than this after the first."""
    first: float = 0.25
    """The first wait; each next one is twice as long, and shortened at random by up to half."""
    longest: float = 30.0
    timeout: float = 10.0
    """One attempt may take this long."""

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number, from 1."""
        wait = min(self.first * 2.0 ** (attempt - 1), self.longest)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - spreads attempts, guards nothing


class Answer(NamedTuple):
    """What came of one attempt."""

    words: str
    done: bool = False
    passing: bool = False
    wait: float = 0.0
    """Seconds that the receiver asked for (Retry-After)."""


class Poster:
    """Posts bodies to one address until they are accepted or refused, or the attempts are used up.

    Without a key nothing is signed, and the three headers are left out.
    """

    def __init__(self, url: str, key: str, retries: Retries | None = None) -> None:
        self._url = url
        self._key = key
        self._retries = retries or Retries()
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, delivery: str) -> Outcome:
        """Posts JSON; `delivery` is the same for every attempt. DONE or FAILED, in words of ours."""
        started = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            answer = await self._attempt(body, delivery)
            words = f"{answer.words}, attempt {attempt}"
            if answer.done:
                return Outcome(Result.DONE, words)
            wait = max(answer.wait, self._retries.backoff(attempt))
            late = time.monotonic() + wait - started > self._retries.total
            if not answer.passing or late or attempt >= self._retries.attempts:
                return Outcome(Result.FAILED, words)
            await asyncio.sleep(wait)

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _attempt(self, body: bytes, delivery: str) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._retries.timeout))
        headers = {"Content-Type": "application/json", **self._proof(body, delivery)}
        try:
            # A redirect would carry the body to an address that nobody configured.
            async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
                reach("webhook.posted")
                return _read(response.status, response.headers.get("Retry-After", ""))
        except TimeoutError:
            return Answer(f"no answer in {self._retries.timeout:g} s", passing=True)
        except (aiohttp.ClientError, OSError) as fault:
            # Its text may hold the address, and an address may hold a token.
            return Answer(f"no answer: {type(fault).__name__}", passing=True)

    def _proof(self, body: bytes, delivery: str) -> dict[str, str]:
        if not self._key:
            return {}
        timestamp = str(int(time.time()))
        return {
            SIGNATURE: webhook_signature(body, timestamp, self._key),
            TIMESTAMP: timestamp,
            DELIVERY: delivery,
        }


class WebhookEnforcer(Enforcer):
    """Posts each command once; a newer command of the run ends the attempts at an older one."""

    name = "webhook"
    once = True

    def __init__(self, url: str, key: str, retries: Retries | None = None) -> None:
        super().__init__()
        self._poster = Poster(url, key, retries)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """Where `webhook_url` is set."""
        url, key = settings.webhook_url.get_secret_value(), settings.webhook_key.get_secret_value()
        return cls(url, key) if url else None

    async def act(self, command: Command) -> Outcome:
        """Posts until it's accepted or refused, or the attempts are used up."""
        delivery = f"{quote(command.run, safe='')}:{command.sequence}"
        return await self._poster.post(msgspec.json.encode(command), delivery)

    async def close(self) -> None:
        """Closes the connections."""
        await self._poster.close()


def _read(status: int, retry_after: str) -> Answer:
    words = f"HTTP {status}"
    if 200 <= status < 300:
        return Answer(words, done=True)
    if 300 <= status < 400:
        return Answer(f"{words}: a redirect, not followed")
    if status >= 500 or status in _PASSING:
        return Answer(words, passing=True, wait=_seconds(retry_after))
    return Answer(words)


def _seconds(retry_after: str) -> float:
    """The wait that a Retry-After header asks for, as seconds or as a date (RFC 9110, 10.2.3); 0 without sense."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - time.time())


def webhook_signature(body: bytes, timestamp: str, key: str) -> str:
    """The value of X-Detector-Signature for exactly this body and timestamp."""
    return "sha256=" + hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify_webhook(
    body: bytes, headers: Mapping[str, str], key: str, now: float | None = None, tolerance: float = 300.0
) -> bool:
    """For receivers: whether `body` was signed with `key` within `tolerance` seconds of `now`.

    `headers` by any case of their names; `now` in seconds since 1970, the clock's where it's
    left out. The timestamp is signed too, so an old request can't be sent again later.
    """
    values = {name.lower(): value for name, value in headers.items()}
    timestamp, signature = values.get(TIMESTAMP.lower(), ""), values.get(SIGNATURE.lower(), "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    fresh = abs((time.time() if now is None else now) - int(timestamp)) <= tolerance
    return fresh and hmac.compare_digest(signature.encode(), webhook_signature(body, timestamp, key).encode())


ENFORCER = WebhookEnforcer
