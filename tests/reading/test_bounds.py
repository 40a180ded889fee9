"""How much of a call is looked at: no more than is read of it, however long it is."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from detector.reading.bounds import bounded
from detector.reading.classify import Classifier
from detector.records import Blind

CAP = 16_384
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=5), inner, max_size=8),
    max_leaves=40,
)


class Counted(dict[str, Any]):
    """A mapping that counts what is taken out of it."""

    taken = 0

    def items(self) -> Any:
        """The pairs, counted."""
        for pair in super().items():
            self.taken += 1
            yield pair


class Long(str):  # noqa: SLOT000 - it counts
    """A text that nobody may hash, and that remembers what was cut out of it."""

    seen = 0

    def __hash__(self) -> int:
        raise AssertionError("all of a long text was hashed")

    def __getitem__(self, key: Any) -> str:
        found = super().__getitem__(key)
        self.seen += len(found)
        return found


@given(VALUES)
def test_what_fits_is_the_value_itself(value: Any) -> None:
    """By the length of its text, whatever it is made of."""
    assert bounded(value, 2 * len(msgspec.json.encode(value)) + 8) is value


@given(VALUES, st.integers(0, 60))
def test_what_does_not_fit_is_cut(value: Any, most: int) -> None:
    """A copy has no more than about so many characters; the value stays as it was."""
    before = msgspec.json.encode(value)
    kept = bounded(value, most)
    assert msgspec.json.encode(value) == before
    assert kept is value or len(str(kept)) <= 4 * most + 64


def test_a_million_keys_are_not_walked() -> None:
    """Of a mapping no more pairs are taken than have room."""
    many = Counted({f"k{n}": "v" for n in range(1_000_000)})
    kept = bounded(many, CAP)
    assert many.taken <= CAP // 4 + 1
    assert 0 < len(kept) <= CAP // 4


def test_a_value_in_values_without_end_is_cut() -> None:
    """Depth is bounded, too."""
    deep: list[Any] = []
    deep.append(deep)
    assert bounded(deep, CAP) is not deep


def test_of_a_long_text_only_its_begin_is_read() -> None:
    """It's neither hashed nor copied: once as much as is read, and the call is marked."""
    text = Long("rm -rf /srv/data; " * 600_000)
    read = Classifier(b"key", CAP).call("bash", text)
    assert text.seen == CAP
    assert read.blind == Blind.UNREADABLE
    assert "shell.rm-recursive" in read.signs


def test_long_values_are_cut_before_they_are_written() -> None:
    """Structured arguments too, and what HTTP and database spans say."""
    classifier = Classifier(b"key", CAP)
    many = Counted({"command": "rm -rf /srv/data"} | {f"k{n}": "v" for n in range(100_000)})
    read = classifier.call("bash", many)
    assert many.taken <= 2 * (CAP + 2)
    assert read.blind == Blind.UNREADABLE
    assert "shell.rm-recursive" in read.signs
