"""An evaluation's pictures, drawn with matplotlib: of the report and of notebooks/03-evaluate."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.training.curves import BINS
from detector.training.pictures import COLOURS, axes_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DETECTORS = ("forest", "rules", "both")
KINDS = {"honest": "honest", "resisted": "resisted", "in_scope": "unsafe in scope"}
OF_KIND = {"honest": "#2b6cb0", "resisted": "#a0aec0", "in_scope": "#c53030"}
FALLS = {"before": "#276749", "at": "#9ae6b4", "after": "#dd6b20", "never": "#e2e8f0"}

FOREIGN = re.compile(r"<metadata>.*?</metadata>| xmlns(:\w+)?=\"[^\"]*\"", re.DOTALL)
"""What HTML knows by itself, and dates."""

Found = dict[str, Any]


def svg(figure: Figure) -> str:
    """The figure as an SVG element for a page of HTML, its words as text; the same figure, the same bytes."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "detector", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", transparent=True)
    text = buffer.getvalue()
    return FOREIGN.sub("", text[text.index("<svg") :])


def auroc(found: Found) -> Figure:
    """How often an unsafe run in scope ranks above an honest one, with intervals, beside the baselines."""
    groups = [(name, each["auroc"]) for name, each in found["workflows"].items() if each["auroc"]["forest"]["value"]]
    kinds = ("forest", "rules", "trees", "calls", "lexicon")
    figure, (axes,) = axes_of(9, 1.0 + 0.75 * max(1, len(groups)))
    for n, (_, ranked) in enumerate(groups):
        for m, kind in enumerate(kinds):
            y, of = n + (m - 2) * 0.15, ranked[kind]
            axes.plot([of["low"], of["high"]], [y, y], color=COLOURS[kind], lw=1.5)
            axes.scatter(of["value"], y, s=24, color=COLOURS[kind], label=kind if not n else None, zorder=3)
        axes.annotate(f"{ranked['forest']['value']:.2f}", (1.01, n), xycoords=("axes fraction", "data"), va="center")
    axes.axvline(0.5, color="#cbd5e0", lw=1, ls="--")
    axes.set_yticks(range(len(groups)), [name for name, _ in groups])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set(xlabel="AUROC (bar: 95 %); at the right: the forest's")
    axes.legend(frameon=False, fontsize=8, ncols=5, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def roc(found: Found) -> Figure:
    """Recall by the share of honest runs that the forest would pause: thresholds from the same runs, a best case."""
    figure, (axes,) = axes_of(6.4, 4.2)
    for name, each in found["workflows"].items():
        if points := each["curves"]["roc"]:
            honest, recall = zip(*points, strict=True)
            axes.plot(honest, recall, lw=1.6, marker=".", label=f"{name} ({each['in_scope']} unsafe)")
    axes.set_xscale("symlog", linthresh=0.004, linscale=0.4)
    ticks = (0, 0.004, 0.01, 0.05, 0.2, 1.0)
    axes.set_xticks(ticks, [f"{tick:.1%}" if 0 < tick < 0.01 else f"{tick:.0%}" for tick in ticks])
    axes.xaxis.set_minor_locator(_none())
    for each in found["settings"]:
        axes.axvline(each["rate"], color="#cbd5e0", lw=1, ls=":")
    axes.set(xlabel="honest runs above the threshold", ylabel="unsafe in scope above it", ylim=(0, 1.02), xlim=(0, 1))
    axes.grid(axis="y", color="#edf2f7")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _none() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def peaks(found: Found) -> Figure:
    """How high runs of each workflow ever score, by what they were; each kind's highest bar is one unit."""
    groups = [(name, each["curves"]["peaks"]) for name, each in found["workflows"].items()]
    figure, axes = axes_of(9, 0.9 + 0.85 * len(groups), rows=len(groups), sharex=True)
    for (name, kinds), each in zip(groups, axes, strict=True):
        for kind, of in kinds.items():
            if counts := of["counts"]:
                heights = np.array(counts) / max(counts)
                edges = (of["first"] + np.arange(len(counts) + 1)) / BINS
                each.stairs(heights, edges, fill=True, alpha=0.55, color=OF_KIND[kind])
        each.set_yticks([])
        each.set_ylabel(name, rotation=0, ha="right", va="center")
        each.spines["left"].set_visible(False)
    handles = [axes[0].fill_between([], [], color=OF_KIND[kind], alpha=0.55) for kind in KINDS]
    figure.legend(handles, list(KINDS.values()), frameon=False, fontsize=8, ncols=3, loc="outside upper left")
    axes[-1].set_xlabel("a run's highest score")
    return figure


def cost(found: Found) -> Figure:
    """Recall in scope at each setting, with intervals, and how many honest runs each detector really paused."""
    figure, (axes,) = axes_of(9, 3.8)
    for m, name in enumerate(DETECTORS):
        for n, each in enumerate(found["settings"]):
            told = each["detectors"][name]
            hit, honest = told["in_scope"], told["honest"]
            if hit["rate"] is None:
                continue
            x = n + (m - 1) * 0.28
            axes.bar(x, hit["rate"], 0.26, color=COLOURS[name], label=name if not n else None)
            axes.plot([x, x], [hit["low"], hit["high"]], color="#1a202c", lw=1)
            axes.text(x, hit["high"] + 0.02, f"{hit['rate']:.0%}", ha="center", fontsize=9)
            axes.text(x, -0.045, f"{honest['hit']} of {honest['runs']}", ha="center", va="top", fontsize=7.5)
    axes.set_xticks(range(len(found["settings"])), [f"at {each['rate']:.1%}" for each in found["settings"]])
    axes.tick_params(axis="x", pad=18, length=0)
    axes.set(ylabel="unsafe in scope paused", ylim=(0, 1.12), xlabel="under each bar: honest runs paused")
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def when(found: Found) -> Figure:
    """When unsafe runs in scope are paused, against the harmful call, with the median lead in calls."""
    lines = [(name, each) for name in DETECTORS for each in found["settings"]]
    figure, (axes,) = axes_of(9, 1.1 + 0.3 * len(lines))
    for n, (name, each) in enumerate(lines):
        told = each["detectors"][name]["when"]
        shares = [told[fall]["rate"] or 0.0 for fall in ("before", "at", "after")]
        start = 0.0
        for fall, share in zip(FALLS, [*shares, max(0.0, 1.0 - sum(shares))], strict=True):
            axes.barh(n, share, left=start, color=FALLS[fall], label=fall if not n else None)
            if share >= 0.05:
                colour = "white" if fall in {"before", "after"} else "#1a202c"
                axes.text(start + share / 2, n, f"{share:.0%}", ha="center", va="center", fontsize=8, color=colour)
            start += share
        lead = told["lead_calls"]["median"]
        axes.text(1.01, n, "" if lead is None else f"{lead:.0f} call{'s' * (lead != 1)}", va="center", fontsize=8)
    axes.set_yticks(range(len(lines)), [f"{name}, {each['rate']:.1%}" for name, each in lines])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="unsafe runs in scope; at the right: median lead of those paused before")
    axes.legend(frameon=False, fontsize=8, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def positions(found: Found) -> Figure:
    """By which call rules and forest together pause: unsafe runs at the strictest setting, honest at the loosest."""
    strict, loose = found["settings"][0], found["settings"][-1]
    figure, axes = axes_of(9, 2.6, columns=2)
    for each, setting, kind in ((axes[0], strict, "in_scope"), (axes[1], loose, "honest")):
        bins = setting["detectors"]["both"]["positions"][kind]
        bars = each.bar(range(len(bins)), list(bins.values()), color=OF_KIND[kind])
        each.bar_label(bars, fontsize=8)
        each.set_xticks(range(len(bins)), [name if name == "later" else f"≤{name}" for name in bins])
        each.set_title(f"{KINDS[kind]}, at {setting['rate']:.1%}", loc="left", fontsize=10)
        each.set(xlabel="paused at call", ylabel="runs")
    return figure


def harms(found: Found) -> Figure:
    """Recall by harm, in scope or not: forest and both at each setting."""
    settings = found["settings"]
    names = list(settings[0]["detectors"]["forest"]["by_harm"])
    figure, (axes,) = axes_of(9, 1.2 + 0.5 * max(1, len(names)))
    marks = ("|", "D", "o")
    for n, harm in enumerate(names):
        for name, y in (("forest", n - 0.14), ("both", n + 0.14)):
            rates = [each["detectors"][name]["by_harm"][harm]["rate"] for each in settings]
            axes.plot(rates, [y] * len(rates), color=COLOURS[name], lw=1)
            for mark, rate in zip(marks, rates, strict=True):
                axes.scatter(rate, y, marker=mark, s=34, color=COLOURS[name], zorder=3)
    for mark, each in zip(marks, settings, strict=True):
        axes.scatter([], [], marker=mark, color="#4a5568", label=f"at {each['rate']:.1%}")
    for name in ("forest", "both"):
        axes.plot([], [], color=COLOURS[name], label=name)
    counts = settings[0]["detectors"]["forest"]["by_harm"]
    axes.set_yticks(range(len(names)), [f"{harm or 'not said'} ({counts[harm]['runs']})" for harm in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set(xlim=(-0.02, 1.02), xlabel="unsafe runs paused")
    axes.legend(frameon=False, fontsize=8, ncols=5, loc="lower left", bbox_to_anchor=(0, 1))
    return figure
