"""What holds for every behaviour that is found, whoever wrote it."""

from __future__ import annotations

import copy
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.behaviours.base import Behaviour, Moment, layout, remember
from detector.records import Action, Labelled, Turn, Values
from detector.testing import act

BEHAVIOURS = {behaviour.name: behaviour for behaviour in layout().behaviours}
STATE_BUDGET = 1600
"""Bytes of one behaviour's memory, as stored."""

rows = st.integers(0, 48).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
aims = st.lists(st.tuples(st.integers(0, 2), st.binary(min_size=4, max_size=4)), max_size=20).map(
    lambda found: b"".join(bytes([begins]) + hashed for begins, hashed in found)
)
values = st.none() | st.builds(Values, st.integers(0, 1023), aims, rows, rows)
hashes = st.lists(st.integers(0, 2**64 - 1), max_size=8).map(tuple)
turns = st.builds(
    Turn, st.just(b"12345678"), st.just(bytes(16)), st.just(0), asked=st.integers(0, 511), named=rows, supplied=rows
)
actions = st.builds(
    act,
    st.text("abc_", max_size=8),
    st.integers(0, 2**19 - 1),
    env=st.integers(0, 31),
    outcome=st.integers(0, 4),
    phase=st.integers(0, 1),
    at=st.integers(0, 2**63),
    blind=st.integers(0, 31),
    shape=st.integers(0, 3),
    inner=st.booleans(),
    targets=hashes,
    secrets_seen=hashes,
    secrets_used=hashes,
    values=values,
    principals=hashes,
    mode=st.sampled_from(["", "plan", "yolo"]),
)


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_names(name: str) -> None:
    """Names are short identifiers, words are there for people, gravity ranks from 1 to 5."""
    for signal in BEHAVIOURS[name].signals:
        assert re.fullmatch(r"[a-z][a-z_]{1,40}", signal.name)
        assert signal.words
        assert 1 <= signal.gravity <= 5


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
@given(story=st.lists(actions | turns, min_size=1, max_size=60))
@settings(max_examples=25, deadline=None)
def test_update(name: str, story: list[Action | Turn]) -> None:
    """Any actions and turns: amounts are finite, not negative and as many as signals; memory stays small, plain
    and apart from other runs; the action is not changed; the same story gives the same amounts.
    """
    behaviour = BEHAVIOURS[name]
    first, untouched = _play(behaviour, story), msgspec.msgpack.encode(behaviour.initial())
    before = copy.deepcopy(story)
    second = _play(behaviour, story)

    assert first == second
    assert story == before
    assert msgspec.msgpack.encode(behaviour.initial()) == untouched


def _play(behaviour: Behaviour, story: list[Action | Turn]) -> list[tuple[float, ...] | None]:
    memory, out = behaviour.initial(), []
    for position, action in enumerate(story):
        if isinstance(action, Turn):
            if behaviour.listen is not None:
                behaviour.listen(memory, action)
            continue
        moment = Moment(position, action.does, action.outcome, first=True, left=action.shape * 85)
        amounts = behaviour.update(memory, action, moment)
        assert amounts is None or len(amounts) == len(behaviour.signals)
        assert all(0.0 <= amount <= 10.0 for amount in amounts or ())
        out.append(None if amounts is None else tuple(amounts))
        stored = msgspec.msgpack.encode(memory)
        assert len(stored) <= STATE_BUDGET
        memory = msgspec.msgpack.decode(stored)
    return out


@pytest.mark.parametrize("name", sorted(name for name, b in BEHAVIOURS.items() if b.listen))
def test_listen(name: str) -> None:
    """What listens takes every turn and label, and keeps its memory small."""
    listen, memory = BEHAVIOURS[name].listen, BEHAVIOURS[name].initial()
    assert listen is not None
    for n in range(200):
        listen(memory, Turn(b"12345678", bytes(16), n))
        listen(memory, Labelled(n, "correct", "ann"))
    assert len(msgspec.msgpack.encode(memory)) <= STATE_BUDGET


def test_feature_names_are_stable() -> None:
    """Two features a signal, short sums before long ones: the order that stored models rely on."""
    installed = layout()
    half = len(installed.names)
    assert len(installed.feature_names) == 2 * half
    assert installed.feature_names[0] == f"{installed.names[0]}/short"
    assert installed.feature_names[half] == f"{installed.names[0]}/long"


def test_remember_forgets_the_oldest() -> None:
    """A capped set keeps the newest and counts what is new."""
    known = [1, 2, 3]
    assert remember(known, (3, 4), 3) == 1
    assert known == [2, 3, 4]
