"""Where stories go: a webhook, Slack, mail. Each tries again for a while, and says in words of ours how it went."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from detector.config import Settings
from detector.control.enforcers.base import Outcome, Result
from detector.control.enforcers.webhook import Poster, Retries
from detector.errors import TransportError
from detector.observe.news.mail import as_email
from detector.observe.news.slack import as_slack
from detector.observe.news.story import Story

RETRIES = Retries(attempts=8, total=60.0)
"""A story that is a minute late is late; the next ones wait behind it."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Channel(Protocol):
    """One way to people."""

    name: str

    async def send(self, story: Story) -> Outcome:
        """Sends it: DONE, or FAILED where it could not, after trying again. Never raises."""

    async def close(self) -> None:
        """Lets go of what it holds open."""


def channels(settings: Settings, retries: Retries = RETRIES) -> Iterator[Channel]:
    """Those that the settings ask for."""
    if url := settings.notify_webhook_url.get_secret_value():
        yield Webhook(url, settings.notify_webhook_key.get_secret_value(), retries)
    if url := settings.notify_slack_url.get_secret_value():
        yield Slack(url, retries)
    if url := settings.notify_smtp_url.get_secret_value():
        yield Mail(url, settings.notify_email_from, settings.notify_email_to, retries)


class Webhook:
    """Posts the story as JSON, signed as commands are (detector/control/enforcers/webhook.py)."""

    name = "webhook"

    def __init__(self, url: str, key: str, retries: Retries = RETRIES) -> None:
        self._poster = Poster(url, key, retries)

    async def send(self, story: Story) -> Outcome:
        """One delivery."""
        return await self._poster.post(msgspec.json.encode(story), story.delivery)

    async def close(self) -> None:
        """Closes the connections."""
        await self._poster.close()


class Slack:
    """Posts blocks to an incoming webhook of Slack's, or of what takes the same."""

    name = "slack"

    def __init__(self, url: str, retries: Retries = RETRIES) -> None:
        self._poster = Poster(url, "", retries)

    async def send(self, story: Story) -> Outcome:
        """One message."""
        return await self._poster.post(msgspec.json.encode(as_slack(story)), story.delivery)

    async def close(self) -> None:
        """Closes the connections."""
        await self._poster.close()


class Server(NamedTuple):
    """An SMTP server, out of smtp:// (STARTTLS, demanded beyond loopback) or smtps:// (TLS from the start)."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, url: str) -> Server:
        """As the address says."""
        parts: SplitResult = urlsplit(url)
        tls = parts.scheme == "smtps"
        port = parts.port or (465 if tls else 25 if parts.hostname in _LOOPBACK else 587)
        return cls(parts.hostname or "", port, tls, unquote(parts.username or ""), unquote(parts.password or ""))

    def send(self, message: EmailMessage, timeout: float) -> None:
        """Hands the message over; blocks. Raises TransportError, smtplib.SMTPException, OSError."""
        context = ssl.create_default_context()
        connect = smtplib.SMTP_SSL(self.host, self.port, timeout=timeout, context=context) if self.tls else None
        with connect or smtplib.SMTP(self.host, self.port, timeout=timeout) as smtp:
            if not self.tls:
                self._encrypt(smtp, context)
            if self.user:
                smtp.login(self.user, self.password)
            smtp.send_message(message)

    def _encrypt(self, smtp: smtplib.SMTP, context: ssl.SSLContext) -> None:
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=context)
        elif self.host not in _LOOPBACK:
            raise TransportError("expected STARTTLS beyond loopback, the server does not offer it")


class Mail:
    """Sends mail by SMTP."""

    name = "mail"

    def __init__(self, url: str, sender: str, receivers: list[str], retries: Retries = RETRIES) -> None:
        self._server = Server.of(url)
        self._sender = sender
        self._receivers = receivers
        self._retries = retries

    async def send(self, story: Story) -> Outcome:
        """One mail to all receivers."""
        try:
            message = as_email(story, self._sender, self._receivers)
        except (ValueError, LookupError) as fault:
            return Outcome(Result.FAILED, f"no mail can be made of it: {type(fault).__name__}")
        started = time.monotonic()
        for attempt in range(1, self._retries.attempts + 1):
            words, passing = await self._attempt(message)
            if not words:
                return Outcome(Result.DONE, f"taken by the server, attempt {attempt}")
            wait = self._retries.backoff(attempt)
            if not passing or time.monotonic() + wait - started > self._retries.total:
                break
            await asyncio.sleep(wait)
        return Outcome(Result.FAILED, f"{words}, attempt {attempt}")

    async def close(self) -> None:
        """Holds nothing open."""

    async def _attempt(self, message: EmailMessage) -> tuple[str, bool]:
        """What went wrong, empty where nothing did, and whether it may pass."""
        try:
            await asyncio.to_thread(self._server.send, message, self._retries.timeout)
        except TransportError as fault:
            return str(fault), False
        except smtplib.SMTPRecipientsRefused as fault:
            codes = sorted({code for code, _ in fault.recipients.values()})
            return f"all receivers refused: SMTP {', '.join(map(str, codes))}", all(code < 500 for code in codes)
        except smtplib.SMTPResponseException as fault:
            # The server's own text may repeat a login or an address.
            return f"SMTP {fault.smtp_code}: {type(fault).__name__}", fault.smtp_code < 500
        except ssl.SSLCertVerificationError as fault:
            return (
                f"expected a certificate of {self._server.host} that this system trusts: {fault.verify_message}",
                False,
            )
        except (smtplib.SMTPException, OSError) as fault:
            return f"no answer: {type(fault).__name__}", True
        except ValueError as fault:
            # A login or a text that its protocol can't carry.
            return f"can't be sent: {type(fault).__name__}", False
        return "", False
