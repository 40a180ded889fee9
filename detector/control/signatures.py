"""Signatures of commands, acks and labels: who may write a topic may not yet command.

A signature is the HMAC-SHA256, in hex, of the record as JSON with sorted keys and without
its `signature` field. Fields at their defaults are left out, as on the topic.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TypeVar

import msgspec

from detector.records import Ack, Command, Label

Signed = TypeVar("Signed", bound=Command | Ack | Label)


def canonical(record: Command | Ack | Label) -> bytes:
    """The bytes that are signed: JSON, keys sorted, without the signature."""
    fields = msgspec.to_builtins(record)
    fields.pop("signature", None)
    return msgspec.json.encode(fields, order="sorted")


def sign(record: Signed, key: str) -> Signed:
    """The record with its signature; as it came where `key` is empty."""
    return msgspec.structs.replace(record, signature=_signature(record, key)) if key else record


def verify(record: Command | Ack | Label, key: str) -> bool:
    """Whether the record was signed with `key`. Without a key there's nothing to prove: True."""
    return not key or hmac.compare_digest(record.signature.encode(), _signature(record, key).encode())


def _signature(record: Command | Ack | Label, key: str) -> str:
    return hmac.new(key.encode(), canonical(record), hashlib.sha256).hexdigest()
