"""A dialect's tables, worked out for spans with the same keys."""

from __future__ import annotations

from typing import Any

import pytest

from detector.dialects.base import Dialect, Kind, Seen
from detector.records import Resource, Span

DIALECT = Dialect(
    name="mine",
    spec="example.com/spec v1",
    kinds={"kind": {"call": Kind.TOOL, "chat": Kind.MODEL}, "query": Kind.DATABASE},
    span_kinds=frozenset({1, 3}),
    tool=("tool", "old.tool"),
    tool_prefixes=("run ",),
    call=("id", "old.id"),
    arguments=("input", "old.input"),
    result=("output",),
    arguments_event=("asked", "input"),
    fields={Kind.DATABASE: {"sql": ("query", "old.query"), "name": ("verb",)}},
    failed={"state": frozenset({"error"}), "error": None},
    status=("code",),
    inner_kinds=frozenset({3}),
    inner_mark="protocol",
    pending=("phase", "start"),
    tokens_in=("in",),
)


def span(attributes: dict[str, Any], events: Any = (), kind: int = 1, status: int = 0) -> Span:
    """A span with these attributes."""
    return Span(bytes(16), bytes(8), b"", "run ls", kind, 0, 1, status, attributes, events, Resource({}), "", "words")


def seen(attributes: dict[str, Any], **fields: Any) -> Seen:
    """The span as the dialect reads it."""
    found = DIALECT.read(span(attributes, **fields), attributes)
    assert found is not None
    return found


def test_the_first_key_that_has_a_value_wins() -> None:
    """Where a field has several keys, the order of the table decides; one without a value is absent."""
    both = seen({"kind": "call", "old.tool": "b", "tool": "a", "id": None, "old.id": "c", "input": "", "old.input": 7})

    assert (both.tool, both.call, both.arguments, both.result) == ("a", "c", "", None)


def test_a_field_without_a_key_is_read_elsewhere_or_empty() -> None:
    """The tool from the span's name, arguments from an event; the rest stays as it is without."""
    found = seen({"kind": "call"}, events=[("asked", {"input": "x"})])

    assert (found.tool, found.arguments, found.call, found.result) == ("ls", "x", "", None)


@pytest.mark.parametrize(
    ("attributes", "fields", "expected"),
    [
        ({"kind": "call"}, {"kind": 2}, Kind.OTHER),
        ({"kind": "loop"}, {}, Kind.OTHER),
        ({"kind": ["call"]}, {}, Kind.OTHER),
        ({"kind": None, "query": "x"}, {}, Kind.DATABASE),
        ({"kind": "chat", "query": "x"}, {}, Kind.MODEL),
    ],
)
def test_the_first_mark_and_its_value_decide_on_the_kind(
    attributes: dict[str, Any], fields: dict[str, Any], expected: Kind
) -> None:
    """A span of a kind that doesn't count, or with a value that the table lacks, is no event."""
    assert seen(attributes, **fields).kind is expected


def test_failures_by_status_and_by_attribute() -> None:
    """Each says it in words, an attribute only with a value that means failure."""
    assert seen({"kind": "call", "state": "fine"}).failed is False
    assert seen({"kind": "call", "state": "ERROR", "code": 500}).message == "words ERROR"
    assert seen({"kind": "call", "state": "ERROR", "code": 500}).status == 500
    raised = [("exception", {"exception.type": "E", "exception.message": "m"})]
    assert seen({"kind": "call"}, status=2, events=raised).message == "words E m"


def test_start_signals_and_closer_looks() -> None:
    """A pending call is intended; a tool server's span is a closer look at a client's."""
    assert seen({"kind": "call", "phase": "start"}).intended
    assert not seen({"kind": "call", "phase": "end"}).intended
    assert seen({"kind": "call", "protocol": "x"}, kind=3).inner
    assert not seen({"kind": "call"}, kind=3).inner


def test_fields_of_a_statement_and_counts() -> None:
    """Infrastructure gives named arguments; a count that is none is 0, a huge one is cut."""
    statement = seen({"old.query": "x", "query": "SELECT 1", "verb": "select"})

    assert (statement.tool, statement.arguments) == ("select", {"sql": "SELECT 1"})
    assert [seen({"kind": "chat", "in": n}).tokens_in for n in (7, -1, 2**70, "8", "x", True)] == [7, 0, 2**53, 8, 0, 0]


def test_one_layout_reads_all_spans_with_its_keys() -> None:
    """A layout is for a set of keys, whatever the values; without a mark there is none."""
    layout = DIALECT.layout(("kind", "tool"))

    assert layout is not None
    for kind, expected in (("call", Kind.TOOL), ("chat", Kind.MODEL), ("x", Kind.OTHER)):
        attributes = {"kind": kind, "tool": "a"}
        assert layout.read(span(attributes), attributes).kind is expected
    assert DIALECT.layout(("tool",)) is None
