"""Why Kafka can't be used with these settings: what was expected of the broker, and what came.

aiokafka ends in "Unable to bootstrap", whatever the reason. Where one of its clients could not
start, one connection is made to each server by hand, and what goes wrong there is put into words.
Nothing of it is in the way of a client that starts.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from detector.config import Settings
from detector.errors import RefusedError, TransportError
from detector.kafka.outage import reaching

SECONDS = 5.0
"""For each server; one that takes longer is as good as absent to whoever waits for the error."""

_TLS_ALERT = 0x15
"""First byte of a TLS alert (RFC 8446, 5.1). A client without TLS takes it for the first of a length."""


@asynccontextmanager
async def starting(settings: Settings, what: str = "") -> AsyncIterator[None]:
    """Around the start of a client: raises what `look` finds where that fails, else a TransportError that says why.

    `what` is asked of Kafka, e.g. which topics.
    """
    try:
        with reaching(settings.bootstrap, what):
            yield
    except TransportError as fault:
        found = await look(settings)
        if found is not None:
            raise found from fault
        raise


async def preflight(settings: Settings) -> None:
    """Raises RefusedError where a broker is there that does not take these settings; one that is away may come."""
    found = await look(settings)
    if isinstance(found, RefusedError):
        raise found


async def look(settings: Settings) -> TransportError | None:
    """What a server has against these settings; None where one takes them, and where none is there.

    A RefusedError where it can't be talked to, another TransportError where it sends its clients elsewhere in vain.
    """
    found: list[TransportError] = []
    for server in settings.bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        if not await _is_there(host.strip("[]"), int(port)):
            continue
        fault = await _look_at(server.strip(), host.strip("[]"), int(port), settings)
        if fault is None:
            return None
        found.append(fault)
    return found[0] if found else None


async def _is_there(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def _look_at(server: str, host: str, port: int, settings: Settings) -> TransportError | None:
    try:
        async with asyncio.timeout(SECONDS):
            return await _ask(server, host, port, settings)
    except TimeoutError:
        return RefusedError(f"Kafka at {server}: expected an answer within {SECONDS:g} s, came none; is it Kafka?")
    except (KafkaError, OSError) as fault:
        return RefusedError(f"Kafka at {server}: {_in_words(fault, settings)}")


async def _ask(server: str, host: str, port: int, settings: Settings) -> TransportError | None:
    options = settings.aiokafka_security()
    connection: AIOKafkaConnection = await create_conn(host, port, request_timeout_ms=int(SECONDS * 1000), **options)
    try:
        brokers = (await connection.send(MetadataRequest([]))).brokers
    finally:
        connection.close()
    for _, where, at, *_ in brokers:
        if not await _is_there(where, at):
            return TransportError(
                f"Kafka at {server}: it sends its clients on to {where}:{at} (its setting advertised.listeners), "
                "expected a broker there, came no connection"
            )
    return None


def _in_words(fault: BaseException, settings: Settings) -> str:
    for each in _chain(fault):
        if isinstance(each, ssl.SSLCertVerificationError):
            signer = settings.ssl_cafile or "an authority that this system trusts"
            return (
                f"expected a certificate signed by {signer} (setting ssl_cafile) and for this host, "
                f"came another: {each.verify_message}"
            )
        if isinstance(each, ssl.SSLError):
            return _tls(each, settings)
        if isinstance(each, SaslAuthenticationFailed | IllegalSaslStateError | UnsupportedSaslMechanismError):
            return _login(each, settings)
        if isinstance(each, asyncio.IncompleteReadError) and (each.expected or 0) >> 24 == _TLS_ALERT:
            other = "sasl_ssl" if settings.security.startswith("sasl") else "ssl"
            return f"expected plain text (setting security = {settings.security}), came TLS; set security = {other}"
    return _hung_up(fault, settings)


def _tls(fault: ssl.SSLError, settings: Settings) -> str:
    reason = (fault.reason or str(fault)).lower().replace("_", " ")
    if "alert" not in reason or "version" in reason or "handshake" in reason:
        return f"expected TLS (setting security = {settings.security}), came none that works: {reason}"
    if settings.ssl_certfile is None:
        return f"it demands a certificate of its clients; set ssl_certfile and ssl_keyfile ({reason})"
    return f"expected it to take the certificate {settings.ssl_certfile} (setting ssl_certfile), came {reason}"


def _login(fault: KafkaError, settings: Settings) -> str:
    login = f"{settings.sasl_username!r} by {settings.sasl_mechanism}"
    if isinstance(fault, IllegalSaslStateError):
        other = "ssl" if settings.security == "sasl_ssl" else "plaintext"
        said = f"expected it to ask for a login (setting security = {settings.security}), it doesn't"
        return f"{said}; set security = {other}"
    if isinstance(fault, UnsupportedSaslMechanismError):
        return f"expected it to take logins by {settings.sasl_mechanism} (setting sasl_mechanism), it doesn't"
    return f"expected it to let in {login} (settings sasl_username, sasl_password), came a refusal: {_plainly(fault)}"


def _hung_up(fault: BaseException, settings: Settings) -> str:
    """It ended the connection without a word: what else than these settings may it want?"""
    said = f"expected {settings.security} (setting security), it hung up: "
    if settings.security == "plaintext":
        return f"{said}it may ask for a login, sasl_plaintext, or for TLS"
    if settings.security == "ssl" and not isinstance(fault, ConnectionResetError):
        return f"{said}it may ask for a login, sasl_ssl"
    if settings.security.endswith("ssl"):
        return f"{said}it may speak no TLS on that port"
    return f"{said}{_plainly(fault)}"


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def _plainly(fault: BaseException) -> str:
    text = fault.args[0] if isinstance(fault, KafkaError) and fault.args else fault
    return str(text) or type(fault).__name__
