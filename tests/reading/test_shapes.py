"""What is read of spans with the same keys."""

from __future__ import annotations

from detector.dialects.base import Dialect, Kind
from detector.reading import shapes
from detector.reading.shapes import Shapes

EARLY = Dialect(name="early", spec="v1", order=1, kinds={"early": Kind.TOOL}, tool=("tool",))
LATE = Dialect(name="late", spec="v1", order=2, kinds={"late": Kind.MODEL, "early": Kind.MODEL})


def test_the_first_dialect_by_order_takes_a_span_whole() -> None:
    """Whichever order the dialects are found in; spans that none knows have no layout."""
    for dialects in ([EARLY, LATE], [LATE, EARLY]):
        known = Shapes(dialects)
        layout = known["late", "early"].layout

        assert layout is not None
        assert layout.dialect is EARLY
        assert known["tool",].layout is None


def test_runs_and_workflows_are_read_from_the_keys_that_are_there() -> None:
    """In the order in which they count, not in that of the span."""
    shape = Shapes([EARLY])["session.id", "agent.name", "gen_ai.conversation.id", "gen_ai.workflow.name"]

    assert shape.run_keys == ("gen_ai.conversation.id", "session.id")
    assert shape.workflow_keys == (("gen_ai.workflow.name", 1), ("agent.name", 3))


def test_all_keys_that_anybody_reads_are_known() -> None:
    """Those of the dialects, of the runs and of the workflows."""
    assert {"early", "late", "tool", "session.id", "gen_ai.workflow.name"} <= Shapes([EARLY, LATE]).keys_read


def test_memory_of_shapes_is_bounded() -> None:
    """However many sets of keys come."""
    known = Shapes([EARLY])
    for number in range(3 * shapes.MAX_SHAPES):
        assert known["early", str(number)].layout is not None
        assert len(known) <= shapes.MAX_SHAPES
