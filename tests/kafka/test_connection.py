"""What keeps settings from being used with a broker, in words. Brokers with TLS and logins are in tests/integration."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from detector.config import Settings, load
from detector.embedded import Broker
from detector.embedded.connection import Connection
from detector.errors import RefusedError, TransportError
from detector.kafka import connection
from detector.kafka.connection import look, preflight, starting


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """An embedded broker: plain text, no logins."""
    async with Broker() as running:
        yield running


def absent() -> str:
    """An address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def refusal(bootstrap: str, **settings: Any) -> str:
    """The text of the RefusedError that these settings end in."""
    found = await look(load(bootstrap=bootstrap, **settings))
    assert isinstance(found, RefusedError)
    return str(found)


async def test_settings_that_are_taken_have_no_fault(broker: Broker) -> None:
    """Of several servers one is enough, and whoever is not there yet may come."""
    assert await look(load(bootstrap=broker.bootstrap)) is None
    assert await look(load(bootstrap=f"{absent()},{broker.bootstrap}")) is None
    assert await look(load(bootstrap=absent())) is None
    await preflight(load(bootstrap=absent()))


async def test_tls_or_a_login_where_there_is_none_is_said(broker: Broker) -> None:
    """The text names the broker, the setting and what came instead."""
    text = await refusal(broker.bootstrap, security="ssl")
    assert text.startswith(f"Kafka at {broker.bootstrap}: expected ssl (setting security)")
    login = await refusal(broker.bootstrap, security="sasl_plaintext", sasl_username="ada", sasl_password="s3cret")
    assert "sasl_plaintext" in login
    assert "s3cret" not in login
    with pytest.raises(RefusedError, match="it may speak no TLS"):
        await preflight(load(bootstrap=broker.bootstrap, security="ssl"))


async def test_a_certificate_for_another_host_or_of_another_signer_is_said(tmp_path: Path) -> None:
    """Both are named with what OpenSSL says of them, and plain text to such a port with what came."""
    authority, other = trustme.CA(), trustme.CA()
    files = {}
    for name, signer in {"known": authority, "other": other}.items():
        files[name] = tmp_path / f"{name}.pem"
        signer.cert_pem.write_to_path(files[name])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("broker.example.org").configure_cert(context)
    async with await asyncio.start_server(_hang_up, "127.0.0.1", 0, ssl=context) as server:
        where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert "not valid for '127.0.0.1'" in await refusal(where, security="ssl", ssl_cafile=files["known"])
        assert f"signed by {files['other']}" in await refusal(where, security="ssl", ssl_cafile=files["other"])
        assert "an authority that this system trusts" in await refusal(where, security="ssl")
        assert "or for TLS" in await refusal(where)


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that takes connections and never answers is no broker."""
    monkeypatch.setattr(connection, "SECONDS", 0.2)
    hang = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hang.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert (await refusal(where)).endswith("came none; is it Kafka?")
        hang.set()


async def test_an_advertised_address_that_nobody_answers_is_said(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commonest fault of all: the first connection works, the address that it gives does not."""
    elsewhere, made = absent(), Connection.connection_made
    host, _, port = elsewhere.partition(":")

    def misled(self: Connection, transport: asyncio.BaseTransport) -> None:
        made(self, transport)
        self._local = host, int(port)

    monkeypatch.setattr(Connection, "connection_made", misled)
    found = await look(load(bootstrap=broker.bootstrap))
    assert isinstance(found, TransportError)
    assert elsewhere in str(found)
    assert "advertised.listeners" in str(found)


async def test_a_client_that_can_not_start_says_why(broker: Broker) -> None:
    """What is found takes the place of what the client said; without a finding the client's own fault stays."""
    settings = load(bootstrap=broker.bootstrap, security="ssl")
    with pytest.raises(RefusedError, match="no TLS"):
        await start_with(settings)
    gone = load(bootstrap=absent())
    with pytest.raises(TransportError, match=gone.bootstrap) as raised:
        await start_with(gone)
    assert not isinstance(raised.value, RefusedError)


async def start_with(settings: Settings) -> None:
    """A client's start that fails as aiokafka's do."""
    async with starting(settings):
        raise ConnectionError("Unable to bootstrap")
