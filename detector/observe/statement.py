"""What is guaranteed now, for which workflow, on what proof; and whether it still holds. As tables for a console."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from detector.config import Settings
from detector.scoring.calibration import PAUSE_RATE, Calibration, Threshold
from detector.scoring.monitor import Monitor

OTHERS = "every other"
FEWEST = math.ceil(1.0 / PAUSE_RATE - 1.0 - 1e-9)
"""Independent honest runs below which there is no order statistic at PAUSE_RATE."""
PROVEN = math.ceil(math.log(0.05) / math.log1p(-PAUSE_RATE))
"""Independent honest runs of which none passes that prove PAUSE_RATE with 95 % confidence."""


def guarantees(limits: Calibration, settings: Settings) -> Table:
    """A row a workflow: what the model may do there, what that is proven to cost honest runs, on how many of them."""
    table = Table(title="What the model may do, and what that costs honest runs", title_justify="left")
    for head in ("workflow", "mode", "the model", "with 95 % confidence", "proof"):
        table.add_column(head, overflow="fold")
    rows = [(name, limit, settings.mode_of(name)) for name, limit in sorted(limits.workflows.items())]
    for name, limit, mode in [*rows, (OTHERS, limits.everywhere, settings.mode)]:
        table.add_row(escape(name), mode, may(limit), costs(limit), proof(limit, local=name != OTHERS))
    return table


def may(limit: Threshold) -> str:
    """What the model does by itself."""
    return "alerts only" if limit.pause is None else "pauses"


def costs(limit: Threshold) -> str:
    """The bound, as a sentence."""
    what = "alerted on" if limit.pause is None else "paused"
    return f"of honest tasks, at most {limit.bound:.1%} of runs are ever {what} by the model"


def proof(limit: Threshold, *, local: bool = True) -> str:
    """On how many honest runs of how many tasks it rests, and how many would do to pause, or to prove the rate."""
    if not local:
        return f"{limit.runs:,} honest runs of all workflows together: no proof for this one"
    said = f"{limit.runs:,} honest runs of {limit.tasks:,} tasks"
    if round(limit.effective) < limit.runs:
        said += f", which count as {limit.effective:,.0f}"
    if limit.pause is None and limit.effective < FEWEST:
        return f"{said}; {FEWEST} needed to pause, {PROVEN} to prove {PAUSE_RATE:.1%}"
    return said if limit.effective >= PROVEN else f"{said}; {PROVEN} needed to prove {PAUSE_RATE:.1%}"


def false_pauses(found: Sequence[Monitor]) -> Table:
    """A row a workflow: what labels say of the model's pauses, with the interval that holds at all times."""
    table = Table(title="Honest runs that the model has paused, as labels say", title_justify="left")
    table.add_column("workflow", overflow="fold")
    for head in ("honest runs", "paused", "rate", "95 %, at all times", "budget", "nobody said"):
        table.add_column(head, justify="right")
    table.add_column("")
    for each in found:
        low, high = each.interval
        table.add_row(
            escape(each.workflow) or "(no name)", f"{each.runs:,}", str(each.paused), f"{each.rate:.2%}",
            f"{low:.2%} to {high:.2%}", f"{each.budget:.1%}", str(each.pending),
            "[bold red]ALARM: over the budget[/]" if each.alarm else "[green]within[/]",
        )  # fmt: skip
    return table
