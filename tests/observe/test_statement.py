"""What `detector check` says is guaranteed, and whether it holds."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.table import Table

from detector.config import PACKAGED_MODELS, load
from detector.observe import check, statement
from detector.scoring import model as models
from detector.scoring.calibration import Calibration, Threshold, threshold
from detector.scoring.monitor import Monitor

PROVEN = Threshold(0.3, 0.4, 2000, 400, 0.0038, 900.0)
SHORT = Threshold(0.3, 0.4, 504, 504, 0.009, 504.0)
FEW = Threshold(0.3, None, 120, 12, 0.05, 40.0)


def shown(table: Table) -> str:
    """The table as a wide console prints it."""
    text = io.StringIO()
    Console(width=240, file=text).print(table)
    return text.getvalue()


def test_the_number_that_is_needed() -> None:
    """249 runs make a finite order statistic at 0.4 %."""
    assert statement.FEWEST == 249
    assert threshold([*range(249)], [*map(str, range(249))]).pause == 248
    assert threshold([*range(248)], [*map(str, range(248))]).pause is None


@pytest.mark.parametrize("runs", [249, 748, 5000])
def test_a_rate_is_said_to_be_proven_only_where_the_bound_says_so(runs: int) -> None:
    """A threshold taken from the runs themselves proves more than it was set to, however many they are."""
    limit = threshold([*range(runs)], [*map(str, range(runs))])
    assert limit.bound > 0.004
    assert "0.4% at most is expected, not proven" in statement.proof(limit)
    assert "not proven" not in statement.proof(replace(limit, bound=0.004))
    assert "at most 0.41% of" in statement.costs(replace(limit, bound=0.004001))


def test_where_the_proof_comes_from() -> None:
    """Simulated runs prove nothing of a fleet at home, and the statement says so; of recorded ones it says that."""
    assert "2,000 honest runs, recorded" in statement.proof(PROVEN, "recorded")
    simulated = statement.proof(PROVEN, "simulated")
    assert "2,000 honest runs, simulated" in simulated
    assert "no proof for a fleet of yours: calibrate at home" in simulated
    found = models.load(PACKAGED_MODELS)
    (line,) = (each for each in shown(check._model(load()).tables[0]).splitlines() if " coding " in each)
    assert found.manifest["fitted"]["sources"]["coding"] == "simulated"
    assert "calibrate at home" in line


def test_what_is_guaranteed_for_which_workflow_on_what_proof() -> None:
    """Each workflow has a row with its mode, what the model may do, the bound and the runs behind it."""
    limits = Calibration(FEW, {"desk": PROVEN, "shop": FEW, "yard": SHORT})
    lines = shown(statement.guarantees(limits, load(workflow_modes={"shop": "shadow"}))).splitlines()
    desk, shop, yard, others = (
        next(line for line in lines if name in line) for name in ("desk", "shop", "yard", "every")
    )
    assert "at most 0.38% of honest runs are ever paused by the model" in desk
    assert "2,000 honest runs, which count as 900 independent ones" in desk
    assert "needed" not in desk
    assert "not proven" not in desk
    assert "shadow" in shop
    assert "alerts only" in shop
    assert "120 honest runs, which count as 40 independent ones; 249 needed to pause" in shop
    assert "pauses" in yard
    assert "504 honest runs; 0.4% at most is expected, not proven" in yard
    assert "no proof for this one" in others


def test_false_pauses_and_the_alarm() -> None:
    """A workflow that is over its budget for sure is marked, one that is not isn't, and what is unsaid is counted."""
    found = [
        Monitor("desk", "v1", 1000, 30, 2),
        Monitor("shop", "v1", 1000, 3, young=17),
        Monitor("yard", "v1", 5000, 0),
        Monitor("none", "v1", 0, 0, 1),
    ]
    lines = shown(statement.false_pauses(found)).splitlines()
    desk, shop, yard, none = (next(line for line in lines if each.workflow in line) for each in found)
    assert "3.00%" in desk
    assert "ALARM: over the budget" in desk
    assert "not shown to be over" in shop
    assert " 17 " in shop
    assert "within" in yard
    assert "nothing known" in none
    assert "5% at most in each workflow" in lines[-1] + lines[-2]
    assert "0.30%" in shop


def test_a_name_is_no_markup() -> None:
    """Workflows are named by agents, in square brackets too."""
    limits = Calibration(FEW, {"[/x]": PROVEN})
    assert "[/x]" in shown(statement.guarantees(limits, load()))
    assert "[/x]" in shown(statement.false_pauses([Monitor("[/x]", "v1", 1000, 3)]))
