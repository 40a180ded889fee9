"""Signatures of commands, acks and labels."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.control.signatures import canonical, sign, verify
from detector.records import Ack, Command, Desired, Label

COMMAND = Command("r", Desired.PAUSED, 3, "rule:x", 7, traces=["b", "a"], where={"z": "1", "a": "2"})
RECORDS = [COMMAND, Ack("r", 3, "process", "done", 7), Label("r", "pause", "ann", 7)]


@pytest.mark.parametrize("record", RECORDS)
def test_a_signed_record_verifies_and_keeps_its_content(record: Command | Ack | Label) -> None:
    """Signing adds the signature and nothing else, over the wire too."""
    signed = sign(record, "key")
    again = msgspec.json.decode(msgspec.json.encode(signed), type=type(record))
    assert verify(again, "key")
    assert msgspec.structs.replace(again, signature="") == record


@pytest.mark.parametrize("record", RECORDS)
def test_without_or_with_another_key_it_does_not_verify(record: Command | Ack | Label) -> None:
    """Where a key is set, an unsigned record and one signed with another key are refused."""
    assert not verify(record, "key")
    assert not verify(sign(record, "other"), "key")
    assert verify(record, "")


def test_the_signature_is_an_hmac_over_sorted_json() -> None:
    """Anyone can write a verifier from the words in the docs."""
    text = (
        b'{"at":7,"cause":"rule:x","desired":"paused","run":"r","sequence":3,'
        b'"traces":["b","a"],"where":{"a":"2","z":"1"}}'
    )
    assert canonical(COMMAND) == text
    assert sign(COMMAND, "key").signature == hmac.new(b"key", text, hashlib.sha256).hexdigest()


@given(st.text(max_size=20), st.integers(0, 2**40), st.sampled_from(Desired))
def test_any_changed_field_breaks_it(run: str, sequence: int, desired: Desired) -> None:
    """A signature for one command never fits another."""
    other = msgspec.structs.replace(COMMAND, run=run, sequence=sequence, desired=desired)
    forged = msgspec.structs.replace(other, signature=sign(COMMAND, "key").signature)
    assert verify(forged, "key") == (other == COMMAND)
