"""A certificate authority, and a Kafka node that demands TLS, certificates or passwords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.integration.brokers import Node, kafka_node

USER, PASSWORD = "detector", "a pass-word 1"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

LISTENERS = {"TLS": "SSL", "MTLS": "SSL", "SASLTLS": "SASL_SSL", "SASLCLEAR": "SASL_PLAINTEXT", "OPEN": "PLAINTEXT"}
"""Names of listeners and what they demand; MTLS also a certificate of the client."""

_MODULES = "org.apache.kafka.common.security"


class Papers(NamedTuple):
    """PEM files: the authority's certificate, and of the client its certificate and key."""

    authority: Path
    certificate: Path
    key: Path


def papers(folder: Path, name: str) -> tuple[trustme.CA, Papers]:
    """A new authority, and papers that it made out for a client."""
    authority = trustme.CA()
    client = authority.issue_cert(f"{name}@example.org", common_name=name)
    made = Papers(*(folder / f"{name}-{what}.pem" for what in ("authority", "certificate", "key")))
    authority.cert_pem.write_to_path(made.authority)
    client.cert_chain_pems[0].write_to_path(made.certificate)
    client.private_key_pem.write_to_path(made.key)
    return authority, made


@contextmanager
def strict_node(jars: Path, folder: Path, authority: trustme.CA, trusted: Path) -> Iterator[Node]:
    """A node with one listener of each kind; `trusted` signs the clients that MTLS lets in."""
    keystore = folder / "broker.pem"
    keystore.write_bytes(_keystore(authority.issue_cert("127.0.0.1", "localhost")))
    settings = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(trusted),
        "listener.name.mtls.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        **_logins("sasltls"),
        **_logins("saslclear"),
    }
    users = [f'{mechanism}=[name={USER},password="{PASSWORD}"]' for mechanism in MECHANISMS[1:]]
    arguments = [text for user in users for text in ("--add-scram", user)]
    with kafka_node(jars, folder, LISTENERS, settings, tuple(arguments)) as node:
        yield node


def _logins(listener: str) -> Mapping[str, str]:
    scram = f"{_MODULES}.scram.ScramLoginModule required;"
    plain = f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    return {
        f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config": plain if mechanism == "PLAIN" else scram
        for mechanism in MECHANISMS
    }


def _keystore(broker: trustme.LeafCert) -> bytes:
    # Kafka reads keys as PKCS #8 only.
    key = load_pem_private_key(broker.private_key_pem.bytes(), None)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text + b"".join(pem.bytes() for pem in broker.cert_chain_pems)
