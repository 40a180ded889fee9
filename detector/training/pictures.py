"""The notebooks' pictures, drawn with matplotlib. Each function returns a figure of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.behaviours.base import Layout
from detector.records import Level, Summary
from detector.scoring.calibration import Calibration
from detector.training.retrain import Comparison
from detector.training.summaries import Sorted, rows
from detector.training.timeline import Timeline

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "honest": "#2b6cb0", "blamed": "#c53030", "unsaid": "#a0aec0",
    "ALLOW": "#cbd5e0", "ALERT": "#dd6b20", "PAUSE": "#c53030", "KILL": "#1a202c",
    "forest": "#2b6cb0", "rules": "#c05621", "both": "#276749",
    "calls": "#a0aec0", "lexicon": "#718096", "trees": "#805ad5",
}  # fmt: skip
GREY = "#718096"


def axes_of(width: float, height: float, columns: int = 1, rows: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """Axes in a grid, row by row, on a figure of so many inches that no state of pyplot's keeps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=110)
    axes = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def workflows(table: pl.DataFrame) -> Figure:
    """Runs of each workflow by their highest verdict, and how many calls they make."""
    names = sorted(table["workflow"].unique())
    figure, (left, right) = axes_of(10, 0.8 + 0.5 * len(names), 2)
    start = np.zeros(len(names))
    for level in Level:
        counted = [table.filter(workflow=name, level=level.name).height for name in names]
        if any(counted):
            left.barh(names, counted, left=start, color=COLOURS[level.name], label=level.name)
        start += counted
    left.legend(title="highest verdict", frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    left.set(xlabel="runs")
    left.invert_yaxis()
    right.boxplot(
        [table.filter(workflow=name)["calls"].to_numpy() for name in names],
        orientation="horizontal", widths=0.6, showfliers=False, medianprops={"color": COLOURS["honest"], "lw": 2},
    )  # fmt: skip
    right.set_yticks(range(1, len(names) + 1), names)
    right.set(xlabel="calls a run (box: half of all runs)")
    right.invert_yaxis()
    return figure


def families(table: pl.DataFrame, layout: Layout) -> Figure:
    """In what share of the runs of each workflow, and of each highest verdict, a behaviour family has shown."""
    names = [behaviour.name for behaviour in layout.behaviours]
    groups = [(name, table.filter(workflow=name)) for name in sorted(table["workflow"].unique())]
    groups += [(level.name, part) for level in Level if (part := table.filter(level=level.name)).height]
    shares = np.array([[float(np.mean(part[name].to_numpy() > 0.0)) for name in names] for _, part in groups])
    figure, (axes,) = axes_of(10, 1.4 + 0.38 * len(groups))
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for (y, x), share in np.ndenumerate(shares):
        if share > 0.0:
            said = f"{share:.0%}" if share >= 0.005 else "<1%"
            axes.text(x, y, said, ha="center", va="center", fontsize=8, color="white" if share > 0.6 else "black")
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(groups)), [f"{name} ({part.height})" for name, part in groups])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title("share of runs that show a behaviour, by workflow and by verdict (runs)", loc="left", fontsize=10)
    return figure


def peaks(found: Sorted, limits: Calibration) -> Figure:
    """Where runs' peaks lie, by what is known of them, against their workflow's thresholds."""
    names = sorted({summary.workflow for group in found for summary in group})
    figure, axes = axes_of(3.4 * len(names), 3.0, len(names), sharex=True)
    every = [summary.peak for group in found for summary in group]
    bins = np.linspace(min(every), max(every) + 1e-6, 40).tolist()
    for name, each in zip(names, axes, strict=True):
        for kind, group in zip(Sorted._fields, found, strict=True):
            scores = [summary.peak for summary in group if summary.workflow == name]
            if scores:
                each.hist(scores, bins, color=COLOURS[kind], alpha=0.85, label=f"{kind} ({len(scores)})")
        _limits(each, limits, name)
        each.set(title=name, xlabel="peak score", yscale="symlog")
        each.set_ylim(bottom=0)
        each.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("runs")
    return figure


def _limits(axes: Axes, limits: Calibration, workflow: str) -> None:
    limit = limits.of(workflow)
    axes.axvline(limit.alert, color=COLOURS["ALERT"], lw=1, ls="--", label="alert")
    if limit.pause is not None:
        axes.axvline(limit.pause, color=COLOURS["PAUSE"], lw=1, label="pause")


def timeline(told: Timeline) -> Figure:
    """A run's score from call to call, its thresholds, and where verdicts fell, with what decided them."""
    figure, (axes,) = axes_of(10, 3.6)
    calls = [point.call for point in told.points]
    scores = [point.score for point in told.points]
    axes.step(calls, scores, where="post", color=COLOURS["honest"], lw=1.5)
    done = [point for point in told.points if not point.asked]
    axes.scatter([p.call for p in done], [p.score for p in done], s=14, color=COLOURS["honest"], zorder=3)
    for level, limit, above in (("ALERT", told.alert, False), ("PAUSE", told.pause, True)):
        if limit is not None:
            axes.axhline(limit, color=COLOURS[level], lw=1, ls="--")
            side = "bottom" if above else "top"
            axes.text(max(calls) + 1.4, limit, level.lower(), color=COLOURS[level], fontsize=8, va=side, ha="right")
    for n, (call, verdict) in enumerate(told.verdicts):
        axes.axvline(call, color=COLOURS[verdict.level], lw=6, alpha=0.25)
        said = f"{verdict.level}, call {call}: {verdict.cause}"
        axes.annotate(
            said, (call, 0.96 - 0.07 * (n % 4)), (6, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
            fontsize=8, color=COLOURS[verdict.level], va="center",
        )  # fmt: skip
    axes.set(xlabel="call", ylabel="score", xlim=(0.5, max(calls) + 1.5))
    axes.set_title(f"{told.run} ({told.workflow})", loc="left", fontsize=10)
    axes.margins(y=0.18)
    return figure


def distributions(compared: Comparison, old: Calibration, new: Calibration) -> Figure:
    """Share of honest and of blamed runs at or above each peak, under both models, with the thresholds of each."""
    names = sorted({summary.workflow for summary in compared.summaries})
    figure, axes = axes_of(3.4 * len(names), 3.2, len(names), sharey=True)
    workflow = np.array([summary.workflow for summary in compared.summaries])
    for name, each in zip(names, axes, strict=True):
        for scores, limits, colour, said in (
            (compared.old, old, GREY, "running"), (compared.new, new, COLOURS["honest"], "new"),
        ):  # fmt: skip
            here = np.sort(scores[workflow == name])[::-1]
            each.step(here, np.arange(1, len(here) + 1) / len(here), where="post", color=colour, label=said)
            limit = limits.of(name)
            each.axvline(limit.alert, color=colour, lw=1, ls=":")
            if limit.pause is not None:
                each.axvline(limit.pause, color=colour, lw=1, ls="--")
        each.set(title=f"{name} ({int((workflow == name).sum())} runs)", xlabel="peak score", yscale="log")
        each.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("share of runs at or above")
    figure.suptitle("honest runs; dotted: alert, dashed: pause", fontsize=9)
    return figure


def thresholds(old: Calibration, new: Calibration, names: Sequence[str]) -> Figure:
    """Alert and pause thresholds of each workflow under both models; none: the model only alerts there."""
    figure, (axes,) = axes_of(10, 1.2 + 0.55 * len(names))
    for n, name in enumerate(names):
        for limits, offset, colour in ((old, -0.15, GREY), (new, 0.15, COLOURS["honest"])):
            limit = limits.of(name)
            axes.scatter(limit.alert, n + offset, marker="|", s=160, lw=2, color=colour)
            if limit.pause is not None:
                axes.plot([limit.alert, limit.pause], [n + offset] * 2, color=colour, lw=1)
                axes.scatter(limit.pause, n + offset, marker="o", s=40, color=colour)
            right = limit.alert if limit.pause is None else limit.pause
            said = f"{limit.runs} runs, " + (
                "alert only" if limit.pause is None else f"at most {limit.bound:.1%} paused"
            )
            axes.annotate(said, (right, n + offset), (8, 0), textcoords="offset points", va="center", fontsize=8)
    axes.scatter([], [], color=GREY, label="running")
    axes.scatter([], [], color=COLOURS["honest"], label="new")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.margins(x=0.25)
    axes.set(xlabel="score; bar: alert, dot: pause")
    return figure


def verdicts(compared: Comparison, blamed: Sequence[str]) -> Figure:
    """Each run's peak under both models, coloured by what the new one proposes; runs in `blamed` are crosses."""
    figure, (axes,) = axes_of(8, 4.4)
    bad = np.array([summary.run in blamed for summary in compared.summaries])
    for level in (Level.ALLOW, Level.ALERT, Level.PAUSE):
        at = np.array([each == level for each in compared.new_level])
        colour = GREY if level == Level.ALLOW else COLOURS[level.name]
        for which, marker, size in ((at & ~bad, "o", 14), (at & bad, "x", 40)):
            axes.scatter(compared.old[which], compared.new[which], marker=marker, s=size, color=colour)
        axes.scatter([], [], color=colour, label=f"{level.name} by the new model ({int(at.sum())})")
    changed = np.array([a != b for a, b in zip(compared.old_level, compared.new_level, strict=True)])
    axes.scatter(
        compared.old[changed], compared.new[changed], s=90, facecolors="none", edgecolors="black", lw=0.8,
        label=f"verdict changes ({int(changed.sum())})",
    )  # fmt: skip
    if bad.any():
        axes.scatter([], [], marker="x", color="black", label="said to be destructive")
    axes.set(xlabel="peak, running model", ylabel="peak, new model")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def shown(summary: Summary, layout: Layout, top: int = 8) -> list[tuple[str, float]]:
    """A run's strongest signals in words, with their highest long sum."""
    highest = rows(summary).max(axis=0)
    order = np.argsort(-highest, kind="stable")[:top].tolist()
    return [(layout.signals[i].words, round(float(highest[i]), 2)) for i in order if highest[i] > 0.0]
