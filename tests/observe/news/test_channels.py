"""Stories on their way, against real HTTP and SMTP servers on loopback."""

from __future__ import annotations

import json
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import Any

import msgspec
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from detector.config import load
from detector.control.enforcers.base import Outcome, Result
from detector.control.enforcers.webhook import Retries, verify_webhook
from detector.observe.news.channels import Mail, Server, Slack, Webhook, channels
from detector.observe.news.story import tell
from tests.observe.news.support import LINKS, incident

FAST = Retries(attempts=3, total=5.0, first=0.01, longest=0.02, timeout=2.0)
STORY = tell(incident(), LINKS)


class Inbox:
    """An HTTP receiver: answers with `statuses` in turn, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.came: list[tuple[Mapping[str, str], bytes]] = []
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        """One delivery."""
        self.came.append((request.headers, await request.read()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """A receiver at a free port."""
    inbox = Inbox()
    app = web.Application()
    app.router.add_post("/s3cret", inbox.receive)
    async with TestServer(app) as server:
        inbox.url = str(server.make_url("/s3cret"))
        yield inbox


class Post:
    """An SMTP server's handler: answers with `replies` in turn, then takes the mail."""

    def __init__(self) -> None:
        self.replies: list[str] = []
        self.came: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """One mail."""
        del server, session
        if self.replies:
            return self.replies.pop(0)
        self.came.append(envelope)
        return "250 OK"


@contextmanager
def post_office(**options: Any) -> Iterator[tuple[Post, int]]:
    """An SMTP server at a free port, on a thread."""
    post = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(post, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield post, port
    finally:
        controller.stop()


async def test_the_webhook_is_the_story_and_verifies(inbox: Inbox) -> None:
    """JSON, signed as commands are, with a delivery id that stays the same when it is tried again."""
    inbox.statuses = [503]
    webhook = Webhook(inbox.url, "key", FAST)
    assert await webhook.send(STORY) == Outcome(Result.DONE, "HTTP 200, attempt 2")
    await webhook.close()
    assert [headers["X-Detector-Delivery"] for headers, _ in inbox.came] == ["mend-staging-17:1777125001"] * 2
    headers, body = inbox.came[-1]
    assert json.loads(body)["headline"] == STORY.headline
    assert verify_webhook(body, headers, "key")


async def test_slack_gets_blocks_and_no_signature(inbox: Inbox) -> None:
    """What Slack does not know is not sent to it."""
    slack = Slack(inbox.url, FAST)
    assert (await slack.send(STORY)).result is Result.DONE
    await slack.close()
    [(headers, body)] = inbox.came
    assert [block["type"] for block in json.loads(body)["blocks"]] == ["header", "rich_text"]
    assert not any(name.startswith("X-Detector") for name in headers)


async def test_a_refusal_is_final_and_tells_no_address(inbox: Inbox) -> None:
    """An address may hold a token."""
    inbox.statuses = [404]
    slack = Slack(inbox.url, FAST)
    outcome = await slack.send(STORY)
    await slack.close()
    assert outcome == Outcome(Result.FAILED, "HTTP 404, attempt 1")


async def test_a_mail_arrives_whole() -> None:
    """Sender, receivers, subject, text and HTML; a server that is busy is asked again."""
    with post_office() as (post, port):
        post.replies = ["451 later"]
        mail = Mail(f"smtp://127.0.0.1:{port}", "d@example.org", ["a@example.org", "b@example.org"], FAST)
        outcome = await mail.send(STORY)
    [envelope] = post.came
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert outcome == Outcome(Result.DONE, "taken by the server, attempt 2")
    assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
    assert message["Subject"] == f"[PAUSE] {STORY.headline}"
    text, html = message.iter_parts()
    assert 'detector resume --reason "WHY" mend-staging-17' in text.get_content()
    assert "<h1" in html.get_content()


@pytest.mark.parametrize(("reply", "attempts"), [("554 no", 1), ("452 full", 3)])
async def test_what_a_mail_server_refuses_is_said_by_its_code_alone(reply: str, attempts: int) -> None:
    """5xx is final, 4xx is tried again; the server's own words may hold anything."""
    with post_office() as (post, port):
        post.replies = [reply] * 9
        outcome = await Mail(f"smtp://127.0.0.1:{port}", "d@example.org", ["a@example.org"], FAST).send(STORY)
    assert outcome == Outcome(Result.FAILED, f"SMTP {reply[:3]}: SMTPDataError, attempt {attempts}")


async def test_a_mail_server_that_is_away_is_a_failure_in_words() -> None:
    """Nothing listens."""
    outcome = await Mail("smtp://127.0.0.1:1", "d@example.org", ["a@example.org"], FAST).send(STORY)
    assert outcome == Outcome(Result.FAILED, "no answer: ConnectionRefusedError, attempt 3")


def _allow(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    del server, session, envelope, mechanism
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"u@x", b"p/w")
    return AuthResult(success=good, handled=False)


@pytest.mark.parametrize(("login", "told"), [("u%40x:p%2Fw", Result.DONE), ("u%40x:other", Result.FAILED)])
async def test_a_login_goes_over_tls_alone(monkeypatch: pytest.MonkeyPatch, login: str, told: Result) -> None:
    """STARTTLS with a certificate that is checked, then the login of the address."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    options = {"tls_context": server, "require_starttls": True, "authenticator": _allow, "auth_required": True}
    with post_office(**options) as (post, port):
        mail = Mail(f"smtp://{login}@127.0.0.1:{port}", "d@example.org", ["a@example.org"], FAST)
        untrusted = await mail.send(STORY)
        authority.configure_trust(client)
        monkeypatch.setattr(ssl, "create_default_context", lambda: client)
        outcome = await mail.send(STORY)
    assert untrusted.result is Result.FAILED
    assert untrusted.detail.startswith("expected a certificate of 127.0.0.1")
    assert outcome.result is told
    assert len(post.came) == (told is Result.DONE)
    assert (
        outcome.detail == ("taken by the server" if post.came else "SMTP 535: SMTPAuthenticationError") + ", attempt 1"
    )


async def test_what_no_mail_can_carry_is_a_failure_and_no_fault() -> None:
    """A level that is none, with a line end; a login that SMTP can't carry. Its text is not repeated."""
    odd = msgspec.structs.replace(STORY, level="PAUSE\r\nBcc: evil@example.org")
    with post_office(authenticator=_allow, auth_require_tls=False) as (post, port):
        login = f"smtp://%C3%BC:s3cret@127.0.0.1:{port}"
        outcomes = [
            await Mail(login, "d@example.org", ["a@example.org"], FAST).send(STORY),
            await Mail(f"smtp://127.0.0.1:{port}", "d@example.org", ["a@example.org"], FAST).send(odd),
        ]
    assert post.came == []
    assert [each.result for each in outcomes] == [Result.FAILED, Result.FAILED]
    assert [each.detail for each in outcomes] == [
        "can't be sent: UnicodeEncodeError, attempt 1",
        "no mail can be made of it: ValueError",
    ]


def test_beyond_loopback_a_server_without_starttls_gets_nothing() -> None:
    """No story and no login goes over the network in the open."""
    with post_office() as (_, port), smtplib.SMTP("127.0.0.1", port) as smtp:
        with pytest.raises(Exception, match="expected STARTTLS beyond loopback"):
            Server("mail.example.org", 587, tls=False)._encrypt(smtp, ssl.create_default_context())
        Server("127.0.0.1", port, tls=False)._encrypt(smtp, ssl.create_default_context())


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", Server("mail.example.org", 587, tls=False)),
        ("smtp://localhost", Server("localhost", 25, tls=False)),
        ("smtps://u:p@mail.example.org", Server("mail.example.org", 465, tls=True, user="u", password="p")),
        ("smtp://mail.example.org:2525", Server("mail.example.org", 2525, tls=False)),
    ],
)
def test_an_address_names_server_port_and_login(url: str, server: Server) -> None:
    """The usual ports where none is given."""
    assert Server.of(url) == server


def test_the_settings_choose_the_channels() -> None:
    """Each address makes one; none makes none."""
    every = load(
        notify_webhook_url="http://127.0.0.1/a",
        notify_webhook_key="k",
        notify_slack_url="https://hooks.example/b",
        notify_smtp_url="smtp://127.0.0.1",
        notify_email_from="d@example.org",
        notify_email_to=["a@example.org"],
    )
    assert [channel.name for channel in channels(every)] == ["webhook", "slack", "mail"]
    assert list(channels(load())) == []
