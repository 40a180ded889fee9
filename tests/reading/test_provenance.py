"""Values by what they are for: what a person named, a result held, a call is aimed at and carries."""

from __future__ import annotations

from typing import Any

import pytest

from detector.lexicon.asked import Asked
from detector.reading.provenance import MAX_VALUES, Provenance
from detector.records import Does, Values

READS = Provenance(b"key")


def cells(joined: bytes, size: int = 4) -> set[bytes]:
    """The hashes in a row; of aims without what they begin with."""
    return {joined[at + size - 4 : at + size] for at in range(0, len(joined), size)}


def call(tool: str, arguments: Any, does: Does) -> Values:
    """The values of a call that has some."""
    values = READS.call(tool, arguments, int(does))
    assert values is not None
    return values


def test_what_a_person_named_is_known_again() -> None:
    """In a result and in a call, under one key alone."""
    kinds, named = READS.person(["Send report_7.pdf to bob@example.com"])
    assert kinds == Asked.HEARD | Asked.SEND | Asked.PAY
    assert cells(named) <= cells(READS.result("bob@example.com has /docs/report_7.pdf"))
    assert cells(named) <= cells(
        call("send_email", {"to": "bob@example.com", "file": "report_7.pdf"}, Does.SEND).aims, 5
    )
    assert cells(named).isdisjoint(cells(Provenance(b"other").person(["Send report_7.pdf to bob@example.com"])[1]))


def test_a_set_up_names_and_asks_for_nothing() -> None:
    """What a system prompt says is configured, not asked for; people's own values come first."""
    kinds, named = READS.person(["hello"], ["You may delete tickets of desk@example.com"])
    assert kinds == Asked.HEARD
    assert cells(named) == cells(READS.result("desk@example.com"))
    many = " ".join(f"id{n}" for n in range(100))
    assert cells(READS.result("bob@example.com")) < cells(READS.person(["to bob@example.com"], [many])[1])
    assert len(cells(READS.person([many, many], [many])[1])) == MAX_VALUES


def test_content_is_told_from_what_a_call_is_aimed_at() -> None:
    """By the names of arguments, and by length."""
    values = call("send_email", {"to": ["bob@example.com"], "body": "code 77aa", "x": "y 88bb " * 30}, Does.SEND)
    assert cells(values.aims, 5) == cells(READS.result("bob@example.com"))
    assert cells(values.carried) == cells(READS.result("77aa 88bb"))


def test_content_that_stays_is_not_looked_at() -> None:
    """A file that is written carries nothing out; what goes to an address does."""
    assert call("write_file", {"path": "/a/b1.txt", "content": "code 77aa"}, Does.WRITE).carried == b""
    assert call("create_event", {"guests": "bob@example.com", "body": "code 77aa"}, Does.WRITE).carried != b""


def test_a_command_is_aimed_by_its_first_line() -> None:
    """What a here-document holds is content."""
    values = call("bash", {"command": "cat > run1.py <<EOF\nhost9\nEOF"}, Does.WRITE | Does.EXECUTE)
    assert cells(values.aims, 5) == cells(READS.result("run1.py"))


@pytest.mark.parametrize(
    ("tool", "arguments", "does"),
    [
        ("read_file", {"path": "/a/b1"}, Does.READ),
        ("list_users", {}, Does.READ),
        ("think", {"thought": "id9"}, Does(0)),
    ],
)
def test_calls_that_change_nothing_have_no_values(tool: str, arguments: dict[str, str], does: Does) -> None:
    """They are most calls, and take no room in the log."""
    assert READS.call(tool, arguments, int(does)) is None


def test_what_opens_credentials_is_looked_at() -> None:
    """Whoever named such a place is worth knowing, also where it's only read."""
    values = call("read_file", {"path": "/home/a/.ssh/id_rsa"}, Does.READ | Does.OPEN_CREDENTIAL)
    assert values.kinds == Asked.AT_CREDENTIALS
    assert call("delete_node", {"path": "/home/a/.ssh/"}, Does.DELETE).kinds == Asked.DELETE | Asked.AT_CREDENTIALS


@pytest.mark.parametrize(
    "arguments",
    [
        {"a": {"b": {"c": {"d": {"e": {"f": "id1"}}}}}},
        {"a": [["id1"] * 99] * 99},
        {"a": None, "b": True},
        "x" * 10**6,
        {},
    ],
)
def test_any_arguments(arguments: Any) -> None:
    """Deep, wide, empty and long ones are read within bounds."""
    assert len(call("send_email", arguments, Does.SEND).aims) <= 100
