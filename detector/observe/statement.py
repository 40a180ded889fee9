"""What is guaranteed now, for which workflow, on what proof; and whether it still holds. As tables for a console."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from detector.config import Settings
from detector.scoring.calibration import PAUSE_RATE, Calibration, Threshold
from detector.scoring.monitor import ALPHA, Monitor

OTHERS = "every other"
FEWEST = math.ceil(1.0 / PAUSE_RATE - 1.0 - 1e-9)
"""Independent honest runs below which there is no order statistic at PAUSE_RATE."""
SIMULATED = "simulated"
"""What a manifest calls runs of the demo's fleet."""


ONCE = (
    f"A false alarm has a chance of {ALPHA:.0%} at most in each workflow, over all looks at a version in a period of "
    "audit_retention_days. Paused runs of which nobody said what they were count as neither."
)


def guarantees(limits: Calibration, settings: Settings, sources: Mapping[str, str] | None = None) -> Table:
    """A row a workflow: what the model may do there, what that is proven to cost honest runs, on how many of them.

    `sources`: where each workflow's runs come from, as the model's manifest says.
    """
    table = Table(title="What the model may do, and what that costs honest runs", title_justify="left")
    for head in ("workflow", "mode", "the model", "with 95 % confidence", "proof"):
        table.add_column(head, overflow="fold")
    rows = [(name, limit, settings.mode_of(name)) for name, limit in sorted(limits.workflows.items())]
    for name, limit, mode in [*rows, (OTHERS, limits.everywhere, settings.mode)]:
        source = (sources or {}).get(name, "")
        table.add_row(escape(name), mode, may(limit), costs(limit), proof(limit, source, local=name != OTHERS))
    return table


def may(limit: Threshold) -> str:
    """What the model does by itself."""
    return "alerts only" if limit.pause is None else "pauses"


def costs(limit: Threshold) -> str:
    """The bound, as a sentence."""
    what = "alerted on" if limit.pause is None else "paused"
    # Rounded up: a bound is never said to be lower than it is.
    return f"at most {math.ceil(limit.bound * 1e4 - 1e-9) / 1e4:.2%} of honest runs are ever {what} by the model"


def proof(limit: Threshold, source: str = "", *, local: bool = True) -> str:
    """On how many honest runs from where it rests, how many would do to pause, and what is not proven.

    A threshold that is an order statistic of these runs is passed by PAUSE_RATE of further ones on average; the bound,
    which holds in 95 of 100 such calibrations, lies above that however many runs there are.
    """
    if not local:
        return f"{limit.runs:,} honest runs of all workflows together: no proof for this one"
    said = [f"{limit.runs:,} honest runs" + (f", {escape(source)}" if source else "")]
    if round(limit.effective) < limit.runs:
        said[0] += f", which count as {limit.effective:,.0f} independent ones"
    if limit.pause is None and limit.effective < FEWEST:
        said.append(f"{FEWEST} needed to pause")
    elif limit.pause is not None and limit.bound > PAUSE_RATE:
        said.append(f"{PAUSE_RATE:.1%} at most is expected, not proven")
    if SIMULATED in source:
        said.append("no proof for a fleet of yours: calibrate at home")
    return "; ".join(said)


def false_pauses(found: Sequence[Monitor]) -> Table:
    """A row a workflow: what labels say of the model's pauses, with the interval that holds at all times."""
    table = Table(title="Honest runs that the model has paused, as labels say", title_justify="left", caption=ONCE,
                  caption_justify="left")  # fmt: skip
    table.add_column("workflow", overflow="fold")
    for head in ("honest runs", "paused", "rate", "95 %, at all times", "budget", "nobody said", "too young"):
        table.add_column(head, justify="right")
    table.add_column("")
    for each in found:
        low, high = each.interval
        table.add_row(
            escape(each.workflow) or "(no name)", f"{each.runs:,}", str(each.paused), f"{each.rate:.2%}",
            f"{low:.2%} to {high:.2%}", f"{each.budget:.1%}", str(each.pending), f"{each.young:,}", _holds(each),
        )  # fmt: skip
    return table


def _holds(each: Monitor) -> str:
    if each.alarm:
        return "[bold red]ALARM: over the budget[/]"
    if each.interval[1] <= each.budget:
        return "[green]within[/]"
    return "not shown to be over" if each.runs else "nothing known"
