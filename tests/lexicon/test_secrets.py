"""What a secret looks like, and that it leaves as a hash or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.lexicon import secrets

UUID = "3d2c6418-0c1f-4b7a-9d35-1234567890ab"
KEY = b"key of the test"


def found(text: str) -> list[str]:
    """The secrets in `text`."""
    return [value.decode() for _, value in secrets.values(secrets.plain(text))]


@pytest.mark.parametrize(
    "text",
    [
        f"RAILWAY_TOKEN={UUID}",
        f'token: "{UUID}"',
        f"Authorization: Bearer {UUID}",
        json.dumps({"headers": {"Authorization": f"Bearer {UUID}"}}),
        json.dumps({"command": f'curl -H "Authorization: Bearer {UUID}" https://a.b'}),
        json.dumps({"content": f"# keys\nAPI_KEY={UUID}\n"}),
        f"railway --token {UUID} up",
        f"the token is {UUID}.",
    ],
)
def test_one_value_has_one_hash_wherever_it_stands(text: str) -> None:
    """In quotes, behind Bearer, in JSON or in a command: the same hash."""
    assert secrets.hashes(secrets.plain(text), KEY) == (secrets.keyed(UUID.encode(), KEY),)


@pytest.mark.parametrize(
    "text",
    [
        f"volume {UUID} deleted",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "max_tokens: 4096",
        "token = get_token(request)",
        "password: str = Field(...)",
        "PASSWORD=$DB_PASSWORD",
        "api_key: <your-api-key>",
        "token=xxxxxxxxxxxx",
        "secret: changeme123",
        "password=os.environ['PASSWORD']",
        "algorithm password: pbkdf2_sha256",
        "the tokenizer reads tokens quickly",
        "see https://example.com/token/reset?page=12",
        "",
    ],
)
def test_what_is_no_secret(text: str) -> None:
    """Bare ids, hashes, placeholders, names and code in a credential's place don't count."""
    assert found(text) == []


def test_hashes_are_keyed_capped_and_never_zero() -> None:
    """Another key gives another hash; at most eight of a text are kept."""
    text = secrets.plain("\n".join(f"token: abcdefgh{n:08d}xyz" for n in range(30)))

    assert len(secrets.hashes(text, KEY)) == secrets.MAX_SECRETS
    assert secrets.hashes(text, KEY) != secrets.hashes(text, b"other")
    assert all(0 < value < 2**64 for value in secrets.hashes(text, KEY))


def test_redact_leaves_no_secret() -> None:
    """What people see says what was there and not its value."""
    text = f"curl -H 'Authorization: Bearer {UUID}' with AKIAIOSFODNN7EXAMPLE"

    assert (
        secrets.redact(text) == "curl -H 'Authorization: Bearer [credential redacted]' with [aws-access-key redacted]"
    )
    assert secrets.redact("nothing here") == "nothing here"


@pytest.mark.parametrize("before", ["%3D", "%22", "x%3d", "\\u0041", "\\u003d", "-"])
def test_redact_sees_a_token_behind_an_escape(before: str) -> None:
    """Percent-encoded or as JSON escapes what it likes: the last sign of an escape is a letter, and part of no word."""
    for token in ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "AKIAIOSFODNN7EXAMPLE"):
        assert token not in secrets.redact(before + token)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("SECRET_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYzQ81", "SECRET_KEY=[named-key redacted]"),
        ('{"encryption_key": "a8f5f167f44f4964", "x": 1}', '{"encryption_key": "[named-key redacted]", "x": 1}'),
        ("docker login -u ci -p s3cr3tPw9x r.io", "docker login -u ci -p [password-option redacted] r.io"),
        ("redis-cli -h cache -a s3cr3tPw9x ping", "redis-cli -h cache -a [password-option redacted] ping"),
        ("mysqldump -p's3cr3tPw9x' shop", "mysqldump -p'[password-option redacted]' shop"),
    ],
)
def test_what_is_redacted_by_its_place_and_not_counted(text: str, left: str) -> None:
    """Keys of programs, and options that hold a password: no model was fitted on them."""
    assert secrets.redact(text) == left
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["token=" * 3000, "a/" * 8000, "token=" + "a/" * 8000, "eyJ" * 5000, "-----BEGIN " * 1500]
)
def test_hostile_text_is_searched_in_bounds(text: str) -> None:
    """Candidates and the length of one are capped."""
    assert len(secrets.hashes(secrets.plain(text), KEY)) <= secrets.MAX_SECRETS


@given(st.text(max_size=200))
def test_any_text_is_searched(text: str) -> None:
    """Surrogates and NULs too; redaction never fails."""
    assert isinstance(secrets.redact("token=" + text), str)
    assert len(secrets.hashes(secrets.plain(text), KEY)) <= secrets.MAX_SECRETS
