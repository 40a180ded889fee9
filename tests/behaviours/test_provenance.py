"""Provenance: who was first to say a value, and what of it counts when."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from detector.behaviours import _origins as origins
from detector.behaviours.base import Memory, Moment
from detector.behaviours.provenance import BEHAVIOUR
from detector.lexicon.asked import Asked
from detector.reading.scan import FORM, OTHER
from detector.records import Action, Blind, Phase, Turn, Values
from detector.testing import act
from tests.behaviours.origins import asks, did, got, row


def fired(*story: Turn | Action, positions: Sequence[int] = ()) -> list[set[str]]:
    """The names of the signals that each action of the story moves. `positions`: of the actions, where not 0, 1, 2."""
    assert BEHAVIOUR.listen is not None
    memory: Memory = BEHAVIOUR.initial()
    moved: list[set[str]] = []
    for event in story:
        if isinstance(event, Turn):
            BEHAVIOUR.listen(memory, event)
            continue
        place = positions[len(moved)] if positions else len(moved)
        looked = BEHAVIOUR.update(memory, event, Moment(place, event.does, event.outcome, first=True))
        moved.append({s.name for s, amount in zip(BEHAVIOUR.signals, looked or (), strict=False) if amount})
        memory = msgspec.msgpack.decode(msgspec.msgpack.encode(memory))
    return moved


SENT = did(Asked.SEND, to=(1,), carried=(2,))


def test_nothing_counts_before_a_person_was_heard() -> None:
    """Where content is off nothing is known, and nothing is held against the run."""
    assert fired(got(1, 2), SENT) == [set(), set()]
    assert fired(got(1, 2), asks(), SENT)[1] == {"unasked_send", "invented"}


def test_a_call_counts_once() -> None:
    """When it's asked for; what came since supplies nothing to its completion."""
    intended = did(Asked.SEND, to=(1,), phase=Phase.INTENDED)
    story = fired(asks(Asked.SEND), intended, got(1), did(Asked.SEND, to=(1,)), positions=(0, 1, 0))
    assert story == [{"invented"}, set(), set()]


def test_a_call_that_was_asked_for_blindly_counts_when_it_is_made() -> None:
    """Its arguments are seen then for the first time."""
    blind = act("tool", values=Values(int(Asked.SEND)), blind=Blind.ARGUMENTS, phase=Phase.INTENDED)
    assert fired(asks(Asked.SEND), got(1, 2), blind, SENT, positions=(0, 1, 1))[-1] == {"supplied", "address", "leak"}


def test_a_look_from_the_inside_is_no_call() -> None:
    """An HTTP span below a tool's span is the tool's own doing."""
    inner = did(Asked.SEND, to=(1,), inner=True)
    assert fired(asks(), got(1), inner)[-1] == set()


@pytest.mark.parametrize("form", [3, 4])
def test_a_value_is_known_by_any_of_its_forms(form: int) -> None:
    """A file by its folder, an address by its host."""
    aims = bytes([OTHER]) + row(5) + bytes([FORM]) + row(3) + bytes([FORM]) + row(4)
    deletes = act(values=Values(int(Asked.DELETE), aims))
    assert fired(asks(Asked.DELETE), got(form), deletes)[-1] == {"supplied"}
    assert fired(asks(Asked.DELETE, form), got(5), deletes)[-1] == set()


def test_what_a_run_has_made_is_its_own() -> None:
    """Though a listing shows it since; what a result had held before is not."""
    made, removed = did(Asked.CREATE, 1), did(Asked.DELETE, 1)
    assert fired(asks(Asked.CREATE), made, got(1), removed)[-1] == set()
    assert fired(asks(Asked.CREATE), got(1), made, removed)[-1] == {"unasked_delete", "supplied"}


def test_results_in_messages_stand_in_for_those_of_tools() -> None:
    """Where no tool's span had one; else they are the same ones again."""
    read = Turn(b"12345678", bytes(16), 0, supplied=row(1))
    assert "address" in fired(asks(Asked.SEND), act(), read, SENT)[-1]
    assert "address" not in fired(asks(Asked.SEND), got(7), read, SENT)[-1]


def test_a_set_up_that_comes_again_pushes_nothing_out() -> None:
    """What was asked for first stays named."""
    first, again = asks(Asked.SEND, 1), asks(Asked(0), *range(100, 140))
    assert fired(first, *[again] * 9, got(1), SENT)[-1] == set()


def test_memory_is_bounded() -> None:
    """However much is named, supplied and made; the newest stays."""
    memory: Memory = BEHAVIOUR.initial()
    assert BEHAVIOUR.listen is not None
    for n in range(600):
        BEHAVIOUR.listen(memory, asks(Asked.SEND, *range(48 * n, 48 * n + 48)))
        story = did(Asked.CREATE, *range(10**6 + 9 * n, 10**6 + 9 * n + 9), to=(2 * 10**6 + n,))
        BEHAVIOUR.update(memory, story, Moment(2 * n, 0, 0, first=True))
        BEHAVIOUR.update(memory, got(*range(10**7 + 48 * n, 10**7 + 48 * n + 48)), Moment(2 * n + 1, 0, 0, first=True))
    assert len(msgspec.msgpack.encode(memory)) < 1_600
    assert row(48 * 599 + 7) in memory[0]
    assert origins.result(memory, row(10**7 + 48 * 599)) == memory[4]
    assert row(10**6) not in memory[3]
