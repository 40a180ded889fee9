"""The compiled pass: what is a value, what are its forms, and that nothing makes it read beyond a text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.reading import scan

KEYS = np.array([1, 2], dtype=np.uint64)


def values(text: str | bytes, most: int = 48) -> list[int]:
    """Hashes of the values in a text."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    found = np.empty(most, dtype=np.uint32)
    n = scan.values(np.frombuffer(data, dtype=np.uint8), scan.TABLE, KEYS, found)
    return [int(value) for value in found[:n]]


def aims(text: str | bytes, room: int = 100) -> tuple[list[int], list[int], bool]:
    """What each value of a call's aims begins with, the hashes, and whether there is an address."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    out = np.empty(room, dtype=np.uint8)
    n, addressed = scan.aims(np.frombuffer(data, dtype=np.uint8), scan.TABLE, KEYS, scan.DOMAINS, out)
    raw = out[:n].tobytes()
    cells = [raw[at : at + 5] for at in range(0, n, 5)]
    return [cell[0] for cell in cells], [int.from_bytes(cell[1:], "little") for cell in cells], addressed


@pytest.mark.parametrize(
    ("data", "hashed"),
    [(b"\x0b", 0x26144E6CFF3AC45C), (b"Lorem ipsum dolor sit amet", 0x285603B89F2057CB)],
)
def test_the_hash_is_siphash(data: bytes, hashed: int) -> None:
    """The values that Python's own SipHash-1-3 gives under a key of zeros."""
    assert scan.siphash(np.frombuffer(data, dtype=np.uint8), np.zeros(2, dtype=np.uint64)) & 2**64 - 1 == hashed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann.Lee@Example.com", "write to ann.lee@example.com."),
        ("/var/log/app_1.log", '{"path": "var/log/app_1.log/"}'),
        ("2024-05-01", "20240501"),
        ("550e8400-e29b-41d4", "550E8400E29B41D4"),
        ("see \\nuser7\\tx", "user7"),
        ("a\\u00e9 user7", "user7"),
        ("https://a.example/b1", "(a.example/b1)"),
        ("ORDER-1071", "order_1071,"),
    ],
)
def test_a_value_is_the_same_however_it_is_written(one: str, other: str) -> None:
    """Case, hyphens, quotes, escapes and what stands around it don't count."""
    assert values(one)
    assert set(values(one)) == set(values(other))


@pytest.mark.parametrize(
    "text", ["", "plain words, and no more.", "re-read snake_case names", "a1 b2 1. 2)", "\u6f22\u5b57", "..."]
)
def test_words_are_no_values(text: str) -> None:
    """Nor are short numbers and other scripts."""
    assert values(text) == []


def test_a_value_brings_its_host_and_its_file() -> None:
    """So that what is named whole is known by its part, and the other way round."""
    assert set(values("docs.example.com")) < set(values("https://docs.example.com/guide/intro1.html"))
    assert set(values("intro1.html")) < set(values("https://docs.example.com/guide/intro1.html"))


def test_addresses_come_first_where_there_is_too_much() -> None:
    """Then paths and identifiers; amounts and times last."""
    text = " ".join(f"{n}.50" for n in range(100, 200)) + " /srv/data/x1 bob@example.com"
    foremost = values(text, 4)
    assert foremost[0] == values("bob@example.com")[0]
    assert foremost[1] == values("srv/data/x1")[0]
    assert len(foremost) == 4


@pytest.mark.parametrize(
    "text",
    [
        "bob@example.com",
        "www.example.test",
        "ftp://host/x",
        "evil.io/a",
        "10.0.0.7",
        "GB29NWBK60161331926819",
        "123-456-789",
    ],
)
def test_addresses(text: str) -> None:
    """Mail, hosts, links and accounts."""
    begins, _, addressed = aims(text)
    assert addressed
    assert begins[0] == scan.ADDRESS


@pytest.mark.parametrize(
    "text", ["report.txt", "src/a.py", "2024-05-01", "20240501 12:30", "v1.2.3", "ORDER-1071", "x1"]
)
def test_no_addresses(text: str) -> None:
    """Files, dates, versions and identifiers."""
    assert not aims(text)[2]


def test_forms_of_a_path() -> None:
    """Its file and the folders above it, behind it."""
    begins, hashes, _ = aims("/srv/app1/data/x.csv")
    assert begins == [scan.OTHER, scan.FORM, scan.FORM, scan.FORM]
    assert hashes == [values(text)[0] for text in ("srv/app1/data/x.csv", "x.csv", "srv/app1/data", "srv/app1")]


@given(st.binary(max_size=400), st.integers(0, 60))
@settings(deadline=None)
def test_any_bytes(data: bytes, room: int) -> None:
    """Whatever stands in a text, no more is written than there is room for, and the same each time."""
    assert len(values(data, room)) <= room
    assert len(aims(data, room)[0]) <= room // 5
    assert values(data, room) == values(data, room)


def test_a_long_text_is_read_as_far_as_there_is_room_for_its_values() -> None:
    """A megabyte of values doesn't overflow what they are kept in."""
    assert len(values("x1 x2 " + " ".join(f"id{n}" for n in range(100_000)))) == 48
