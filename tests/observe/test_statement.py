"""What `detector check` says is guaranteed, and whether it holds."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from detector.config import load
from detector.observe import statement
from detector.scoring.calibration import Calibration, Threshold, upper_bound
from detector.scoring.monitor import Monitor

PROVEN = Threshold(0.3, 0.4, 2000, 400, 0.0038, 900.0)
SHORT = Threshold(0.3, 0.4, 504, 504, 0.009, 504.0)
FEW = Threshold(0.3, None, 120, 12, 0.05, 40.0)


def shown(table: Table) -> str:
    """The table as a wide console prints it."""
    text = io.StringIO()
    Console(width=240, file=text).print(table)
    return text.getvalue()


def test_the_numbers_that_are_needed() -> None:
    """249 runs make a finite order statistic at 0.4 %; 748 of which none is paused prove it."""
    assert statement.FEWEST == 249
    assert upper_bound(0, statement.PROVEN) <= 0.004 < upper_bound(0, statement.PROVEN - 1)


def test_what_is_guaranteed_for_which_workflow_on_what_proof() -> None:
    """Each workflow has a row with its mode, what the model may do, the bound and the runs behind it."""
    limits = Calibration(FEW, {"desk": PROVEN, "shop": FEW, "yard": SHORT})
    lines = shown(statement.guarantees(limits, load(workflow_modes={"shop": "shadow"}))).splitlines()
    desk, shop, yard, others = (
        next(line for line in lines if name in line) for name in ("desk", "shop", "yard", "every")
    )
    assert "of honest tasks, at most 0.4% of runs are ever paused by the model" in desk
    assert "2,000 honest runs of 400 tasks, which count as 900" in desk
    assert "needed" not in desk
    assert "shadow" in shop
    assert "alerts only" in shop
    assert "120 honest runs of 12 tasks, which count as 40; 249 needed to pause, 748 to prove 0.4%" in shop
    assert "pauses" in yard
    assert "504 honest runs of 504 tasks; 748 needed to prove 0.4%" in yard
    assert "no proof for this one" in others


def test_false_pauses_and_the_alarm() -> None:
    """A workflow that is over its budget for sure is marked, one that is not isn't, and what is unsaid is counted."""
    found = [Monitor("desk", "v1", 1000, 30, 2), Monitor("shop", "v1", 1000, 3)]
    desk, shop = (line for line in shown(statement.false_pauses(found)).splitlines() if "1,000" in line)
    assert "3.00%" in desk
    assert "ALARM: over the budget" in desk
    assert "within" in shop
    assert "0.30%" in shop


def test_a_name_is_no_markup() -> None:
    """Workflows are named by agents, in square brackets too."""
    limits = Calibration(FEW, {"[/x]": PROVEN})
    assert "[/x]" in shown(statement.guarantees(limits, load()))
    assert "[/x]" in shown(statement.false_pauses([Monitor("[/x]", "v1", 1000, 3)]))
