"""What holds for every dialect that is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector import otlp, plugins
from detector.dialects.base import Dialect, Kind
from detector.records import Resource, Span

DIALECTS: tuple[Dialect, ...] = plugins.find("detector.dialects")
SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*/*.binpb"))
UNREAD = {"codex", "openhands"}
"""Libraries whose spans are in no convention that a dialect knows: the fuzz reads them all the same."""
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=8),
    st.sampled_from(
        ["{", "[]", '{"a":1}', '[{"role":"user"}]', '[{"parts":[{"type":"tool_call","name":7}]}]', "execute_tool"]
    ),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)


def span(attributes: dict[str, Any], name: str = "a", kind: int = 1) -> Span:
    """A span with these attributes."""
    return Span(bytes(16), bytes(8), b"", name, kind, 0, 1, 0, attributes, (), Resource({}), "")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_dialect_names_itself_and_its_source(dialect: Dialect) -> None:
    """Each says which document its keys are from, and has marks by which it knows its spans."""
    assert dialect.name.isidentifier()
    assert any(c.isdigit() for c in dialect.spec), "a version or a commit"
    assert dialect.kinds
    assert all(key == key.strip() for key in dialect.keys())  # noqa: SIM118 - a method of ours


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_dialect_reads_every_kind_that_it_marks(dialect: Dialect) -> None:
    """A span with a mark and its value is read as the kind that the table says; one with no mark isn't read."""
    for key, kind in dialect.kinds.items():
        for value, expected in kind.items() if not isinstance(kind, Kind) else [("x", kind)]:
            attributes = {key: value}
            seen = dialect.read(span(attributes), attributes)
            assert seen is not None
            assert seen.kind is expected
        attributes = {key: "no such value"}
        seen = dialect.read(span(attributes), attributes)
        assert seen is not None
        assert seen.kind is (kind if isinstance(kind, Kind) else Kind.OTHER)
    assert dialect.read(span({"a": "b"}), {"a": "b"}) is None


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@given(data=st.data())
def test_a_dialect_takes_any_values(dialect: Dialect, data: st.DataObject) -> None:
    """Keys of the right name with values of any kind raise nothing and change nothing."""
    attributes = data.draw(st.dictionaries(st.sampled_from(sorted(dialect.keys())), VALUES, max_size=12))
    before = repr(attributes)

    seen = dialect.read(span(attributes), attributes)

    texts = (seen.tool, seen.call, seen.message) if seen is not None else ()
    assert all(isinstance(text, str) for text in texts)
    assert repr(attributes) == before


def test_names_are_unique_and_orders_differ() -> None:
    """Which of two dialects takes a span never depends on file names."""
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
    assert len({dialect.order for dialect in DIALECTS}) == len(DIALECTS)


@pytest.mark.parametrize(
    "path", [path for path in SAMPLES if path.parent.name not in UNREAD], ids=lambda path: path.parent.name
)
def test_real_exports_hold_calls_and_turns(path: Path) -> None:
    """In what real libraries send, some dialect finds a tool's call, a turn or an agent."""
    kinds = {
        seen.kind
        for found in otlp.decode(path.read_bytes())
        for dialect in DIALECTS
        if (seen := dialect.read(found, dict(found.attributes))) is not None
    }

    assert kinds & {Kind.TOOL, Kind.MODEL, Kind.AGENT}
