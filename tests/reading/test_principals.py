"""Who acts and under which mode: every row of the tables fires and stays quiet, and hostile text costs little."""

from __future__ import annotations

import base64
import json

import pytest

from detector.reading import modes, principals
from detector.reading.classify import Classifier
from detector.reading.globs import Globs, hashed_as
from detector.reading.modes import SWITCHES, Switch
from detector.reading.principals import BROAD, FORM, KINDS, PERSON, SEATS, TOKENS, Seat, Token


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.name)
def test_token(token: Token) -> None:
    """A token is named by its form and never by its value; a near one is not taken for it."""
    assert principals.find(f'{{"token": "{token.fires}"}}'.encode()) == {f"token:{token.name}": token.kind | FORM}
    assert f"token:{token.name}" not in principals.find(f"TOKEN={token.quiet}".encode())


@pytest.mark.parametrize("seat", SEATS, ids=lambda seat: seat.fires)
def test_seat(seat: Seat) -> None:
    """A name that stands where who acts is said is found; a near word is not."""
    assert len(principals.find(seat.fires.encode())) == 1
    assert principals.find(seat.quiet.encode()) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("psql postgres://Admin:x@prod-db/shop", {"admin": BROAD}),
        ("mysql -u root -psecret shop", {"root": BROAD}),
        ("aws s3 ls --profile prod-admin", {"prod-admin": BROAD}),
        ("aws sts assume-role --role-arn arn:aws:iam::1:role/OrganizationAccountAccessRole",
         {"role/organizationaccountaccessrole": BROAD}),
        ("gcloud --account ann@example.com projects list", {"ann@example.com": PERSON}),
        ("gcloud --account ci@shop.iam.gserviceaccount.com projects list", {"ci@shop.iam.gserviceaccount.com": 0}),
        ("gcloud --account deploy-bot@example.com projects list", {"deploy-bot@example.com": 0}),
        ("ssh ann@web-1 uptime", {"ann": 0}),
        ("git clone git@github.com:acme/shop.git", {}),
        ("git clone https://x-access-token:abc@github.com/acme/shop", {}),
        ("python -u train.py; sort -u names", {}),
        ("mysql -h db; tar -u root", {}),
        ("Authorization: Basic " + base64.b64encode(b"svc-report:pw").decode(), {"svc-report": 0}),
    ],
)  # fmt: skip
def test_kinds(text: str, expected: dict[str, int]) -> None:
    """A name's form tells a person's account and an all-powerful one, and nothing that it can't."""
    assert principals.find(text.encode()) == expected


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"role": "service_role"}, {"token:service_role": BROAD | FORM}),
        ({"sub": "system:serviceaccount:shop:agent"}, {"system:serviceaccount:shop:agent": 0}),
        ({"email": "ann@example.com"}, {"ann@example.com": PERSON}),
        ({"role": "anon"}, {}),
    ],
)
def test_claims(claims: dict[str, str], expected: dict[str, int]) -> None:
    """A JSON Web Token says itself whom it is for."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "HS256"}, claims)
    )
    assert principals.find(f"Authorization: Bearer {head}.{body}.c2lnbmF0dXJl".encode()) == expected


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.fires)
def test_switch(switch: Switch) -> None:
    """A switch of an agent's command line gives its mode; a near one gives none."""
    assert modes.find(switch.fires.encode()) == (switch.mode or switch.fires.split()[2])
    assert modes.find(switch.quiet.encode()) == ""


@pytest.mark.parametrize("text", ["curl -u ", "ssh ", "http://a:", "eyJabcdefghijklmno.", "mysql -x ", "codex -s "])
def test_hostile_text_is_capped(text: str) -> None:
    """Whatever a text repeats, it names at most eight, and ends."""
    assert len(principals.find((text * 200_000)[:1_000_000].encode())) <= principals.MAX_PRINCIPALS


def test_a_read_holds_hashes_and_kinds() -> None:
    """What goes on is a keyed hash with three bits beside it; only who asks for names gets them."""
    names: dict[int, str] = {}
    read = Classifier(b"key", 4096, names=names).call("bash", {"command": "mysql -u root -h db-7 shop"})
    assert [who & KINDS for who in read.principals] == [BROAD]
    assert [names[who] for who in read.principals] == ["root"]
    assert read.principals == Classifier(b"key", 4096).call("bash", "mysql -uroot shop").principals
    assert read.principals != Classifier(b"other", 4096).call("bash", "mysql -uroot shop").principals


@pytest.mark.parametrize(
    ("glob", "fires", "quiet"),
    [
        ("orders-*", "orders-7", "old-orders-7"),
        ("vol_?", "vol_7", "vol_77"),
        ("db[0-3]", "db2", "db4"),
        ("db[!0-3]", "db4", "db2"),
        ("*.prod.example.com", "a.b.prod.example.com", "prod.example.com.evil"),
        ("a[b", "a[b", "ab"),
        ("s3.(x)+", "s3.(x)+", "s3.xx"),
    ],
)
def test_globs(glob: str, fires: str, quiet: str) -> None:
    """A glob matches whole targets, and no character but its own is special."""
    assert Globs([glob]).matched([fires]) == (hashed_as(glob),)
    assert Globs([glob]).matched([quiet]) == ()
