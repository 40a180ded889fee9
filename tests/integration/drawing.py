"""Draws a dashboard from its JSON and the answers to its queries: panel grid, titles, values. No Grafana in it."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tests.integration import shown
from tests.integration.asking import Asking, Json
from tests.integration.shown import NAMED, cut, formatted

WIDTH, ROW, GAP = 16.0, 0.36, 0.05
"""Inches: of the picture, of a row of the grid, and between panels."""
CANVAS, PANEL, TEXT, FAINT, GRID = "#111217", "#181b1f", "#d5d6dd", "#8e909c", "#2c3038"
CHARACTER = 0.0081
"""Width of a character, in inches a point."""
LINE = 0.205
"""Height of a table's row, inches."""
SAID = (
    "Drawn by tests/integration/pictures.py from {}: the dashboard as it is in the tree, and what a real Prometheus "
    "and PostgreSQL answer after a played fleet. Not a screenshot of Grafana."
)


class Place(NamedTuple):
    """Where a panel's inside stands, inches from the lower left."""

    left: float
    low: float
    wide: float
    high: float


def draw(dashboard: Json, asking: Asking, file: Path) -> None:
    """Writes the picture of a dashboard."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    height = rows * ROW + 1.15
    with mpl.rc_context({"font.family": "DejaVu Sans", "text.parse_math": False}):
        figure = Figure(figsize=(WIDTH, height), facecolor=CANVAS)
        figure.text(0.012, 1 - 0.32 / height, dashboard["title"], color=TEXT, size=15, weight="bold", va="center")
        figure.text(0.012, 1 - 0.62 / height, dashboard["description"], color=FAINT, size=9.5, va="center")
        figure.text(0.012, 0.13 / height, SAID.format(f"{file.stem}.json"), color=FAINT, size=7, va="center")
        for panel in dashboard["panels"]:
            _panel(figure, panel, asking, height)
        figure.savefig(file, dpi=90, facecolor=CANVAS)


def _panel(figure: Figure, panel: Json, asking: Asking, height: float) -> None:
    grid, column = panel["gridPos"], WIDTH / 24
    left, wide = grid["x"] * column + GAP, grid["w"] * column - 2 * GAP
    low, high = height - 0.85 - (grid["y"] + grid["h"]) * ROW + GAP, grid["h"] * ROW - 2 * GAP
    box = FancyBboxPatch(
        (left / WIDTH, low / height), wide / WIDTH, high / height, boxstyle="round,pad=0,rounding_size=0.002",
        transform=figure.transFigure, facecolor=PANEL, edgecolor=GRID, linewidth=0.8, zorder=-1,
    )  # fmt: skip
    figure.add_artist(box)
    title = cut(panel["title"], int(wide / (9 * CHARACTER)))
    figure.text((left + 0.1) / WIDTH, (low + high - 0.17) / height, title, color=TEXT, size=9, va="center")
    place = Place(left + 0.1, low + 0.08, wide - 0.2, high - 0.4)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_facecolor(PANEL)
    _put(axes, place)
    answers = [(target, asking.target(target)) for target in panel["targets"]]
    if any(frame.holds_data() for _, frames in answers for frame in frames):
        _KINDS[panel["type"]](axes, panel, answers, place)
        return
    axes.axis("off")
    axes.text(0.5, 0.5, "no data", color=FAINT, size=10, ha="center", va="center")


# --- the kinds of panels ------------------------------------------------------------------


def _stat(axes: Axes, panel: Json, answers: Any, place: Place) -> None:
    axes.axis("off")
    frame = answers[0][1][-1]
    field = panel["options"]["reduceOptions"].get("fields", "").strip("/^$")
    if field in frame.labels:
        value: Any = frame.labels[field]
    else:
        value = frame.rows[0][frame.columns.index(field)] if field else frame.rows[-1][-1]
    defaults = panel["fieldConfig"]["defaults"]
    text = formatted(value, defaults["unit"])
    colour = shown.mapped(defaults.get("mappings")).get(text, NAMED["green"])
    if isinstance(value, int | float | Decimal):
        colour = shown.threshold(value, defaults["thresholds"])
    size = min(27.0, place.wide / (max(4, len(text)) * 0.0092))
    axes.text(0.5, 0.5, text, color=colour, size=size, ha="center", va="center", weight="bold")


def _lines(axes: Axes, panel: Json, answers: Any, place: Place) -> None:
    custom, unit = panel["fieldConfig"]["defaults"]["custom"], panel["fieldConfig"]["defaults"]["unit"]
    series = sorted(shown.series(answers), key=lambda each: each[0])
    colours = shown.colours(panel, [name for name, *_ in series])
    times = sorted({moment for _, moments, _ in series for moment in moments})
    base = dict.fromkeys(times, 0.0)
    stacked, bars = custom.get("stacking", {}).get("mode") == "normal", custom.get("drawStyle") == "bars"
    for name, moments, values in series:
        known, colour = dict(zip(moments, values, strict=True)), colours[name]
        top = {t: base[t] + known.get(t, 0.0) for t in times} if stacked else known
        if bars:
            wide = max(times[-1] - times[0], 30 / 86_400) / 40
            axes.bar(moments, values, width=wide, bottom=[base[t] for t in moments], color=colour, label=name)
        elif stacked:
            axes.fill_between(times, [*base.values()], [*top.values()], color=colour, alpha=0.35, linewidth=0)
            axes.plot(times, [*top.values()], color=colour, linewidth=1.3, label=name)
        else:
            dots = "o" if len(moments) < 8 else ""
            axes.plot(moments, values, color=colour, linewidth=1.5, label=name, marker=dots, markersize=4)
        base = top if stacked else base
    _axes(axes, unit)
    _from_zero(axes, [v for *_, values in series for v in values], narrow=unit == "none")
    _clock(axes, times)
    _legend(axes, place)


def _heat(axes: Axes, _: Json, answers: Any, place: Place) -> None:
    target, frames = answers[0]
    known = sorted((float(shown.name(target, frame)), dict(frame.rows)) for frame in frames)
    times = sorted({t for _, values in known for t in values})
    cells, edges, below = [], [], dict.fromkeys(times, 0.0)
    for edge, values in known:
        cells.append([max(0.0, values.get(t, 0.0) - below[t]) or float("nan") for t in times])
        below = {t: values.get(t, 0.0) for t in times}
        edges.append("+∞" if edge == float("inf") else f"{edge:g}")
    filled = [n for n, row in enumerate(cells) if any(value == value for value in row)]  # noqa: PLR0124 - NaN is empty
    first, last = min(filled), max(filled)
    moments = [shown.moment(t) for t in times]
    axes.pcolormesh(moments, range(last - first + 1), cells[first : last + 1], cmap="plasma", shading="nearest")
    _axes(axes, "short")
    axes.set_yticks(range(last - first + 1), [f"to {edge}" for edge in edges[first : last + 1]])
    _clock(axes, moments)
    _put(axes, Place(place.left + 0.6, place.low + 0.22, place.wide - 0.7, place.high - 0.22))


def _bars(axes: Axes, panel: Json, answers: Any, place: Place) -> None:
    frame = answers[0][1][0]
    names, columns = [str(row[0]) for row in frame.rows][::-1], frame.columns[1:]
    colours, base = shown.colours(panel, columns), [0.0] * len(names)
    stacked = panel["options"].get("stacking") == "normal"
    thick = 0.62 / (1 if stacked else len(columns))
    for number, column in enumerate(columns):
        values = [float(row[number + 1] or 0) for row in frame.rows][::-1]
        at = [n if stacked else n - (number - (len(columns) - 1) / 2) * thick for n in range(len(names))]
        axes.barh(at, values, height=thick, left=base, color=colours[column], label=column)
        base = [a + b for a, b in zip(base, values, strict=True)] if stacked else base
    _axes(axes, panel["fieldConfig"]["defaults"]["unit"], across=True)
    axes.set_yticks(range(len(names)), names)
    _loose(axes, len(names))
    _legend(axes, place, left=0.25 + 0.065 * max(map(len, names)))


def _gauges(axes: Axes, panel: Json, answers: Any, place: Place) -> None:
    unit, values = panel["fieldConfig"]["defaults"]["unit"], []
    for target, frames in answers:
        for frame in frames:
            named = "rawSql" in target
            values += [(str(row[0]) if named else shown.name(target, frame), float(row[1])) for row in frame.rows]
    values = values[: max(3, int(place.high / 0.2))][::-1]
    most, left = max(value for _, value in values) or 1.0, 0.15 + 0.064 * max(len(name) for name, _ in values)
    axes.barh(range(len(values)), [most] * len(values), color="#22252b", height=0.62)
    axes.barh(range(len(values)), [value for _, value in values], color=NAMED["green"], height=0.62)
    for n, (_, value) in enumerate(values):
        axes.text(most * 1.02, n, formatted(value, unit), color=TEXT, size=8, va="center")
    _axes(axes, unit, across=True)
    axes.grid(visible=False)
    axes.set_yticks(range(len(values)), [name for name, _ in values], color=TEXT, size=8)
    axes.set_xlim(0, most)
    axes.set_xticks([])
    _loose(axes, len(values))
    left = min(left, place.wide * 0.6)
    _put(axes, Place(place.left + left, place.low, place.wide - left - 0.6, place.high))


def _table(axes: Axes, panel: Json, answers: Any, place: Place) -> None:
    axes.axis("off")
    frame, size, fields = answers[0][1][0], 7.5, shown.overrides(panel)
    units = [fields.get(column, {}).get("unit", "") for column in frame.columns]
    fitting = frame.rows[: int(place.high / LINE) - 1]
    rows = [[formatted(value, unit) for value, unit in zip(row, units, strict=True)] for row in fitting]
    widths = [max(len(name) * 1.15, *(len(row[n]) for row in rows)) + 2 for n, name in enumerate(frame.columns)]
    room = place.wide / (size * CHARACTER)
    while sum(widths) > room:
        widths[widths.index(max(widths))] -= 1
    # As in Grafana the columns share what is left.
    spare, at = (room - sum(widths)) / len(widths), 0.0
    for n, column in enumerate(frame.columns):
        x, rules, fits = at / room, fields.get(column, {}), int(widths[n] + spare) - 1
        colours, plain = shown.mapped(rules.get("mappings")), NAMED["blue"] if "links" in rules else TEXT
        _cell(axes, (x, 0), cut(column, fits), FAINT, place)
        for number, row in enumerate(rows, 1):
            _cell(axes, (x, number), cut(row[n], fits), colours.get(row[n], plain), place)
        at += widths[n] + spare
    if left := len(frame.rows) - len(rows):
        axes.text(1, 1 + 0.17 / place.high, f"{left} more rows", color=FAINT, size=7, ha="right", va="center")


def _cell(axes: Axes, at: tuple[float, int], text: str, colour: str, place: Place) -> None:
    weight = "normal" if at[1] else "bold"
    axes.text(at[0], 1 - (at[1] + 0.4) * LINE / place.high, text, color=colour, size=7.5, va="center", weight=weight)


_KINDS = {
    "stat": _stat, "timeseries": _lines, "heatmap": _heat, "barchart": _bars, "bargauge": _gauges, "table": _table,
}  # fmt: skip

# --- parts --------------------------------------------------------------------------------


def _put(axes: Axes, place: Place) -> None:
    figure = axes.get_figure()
    assert figure is not None
    wide, high = figure.get_size_inches()  # type: ignore[union-attr]
    axes.set_position((place.left / wide, place.low / high, place.wide / wide, place.high / high))


def _axes(axes: Axes, unit: str, *, across: bool = False) -> None:
    axes.grid(axis="x" if across else "y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, labelsize=7.5, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axis = axes.xaxis if across else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: formatted(value, unit)))
    axis.set_major_locator(MaxNLocator(5, integer=unit == "short"))


def _from_zero(axes: Axes, values: list[float], *, narrow: bool) -> None:
    """Values begin at 0, but where they are numbers without a unit, as scores are, and close together."""
    low, high = axes.get_ylim()
    close = narrow and min(values) > 0.2 * max(values)
    axes.set_ylim(low if close else 0, high if high > 0 else 1)


def _clock(axes: Axes, times: list[float]) -> None:
    daily = all(t == int(t) for t in times)
    if times[0] == times[-1]:
        around = 2.0 if daily else 30 / 86_400
        axes.set_xlim(times[0] - around, times[0] + around)
        axes.set_xticks([times[0]])
    else:
        axes.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=6))  # type: ignore[no-untyped-call]
    form = "%d %B" if daily else "%H:%M:%S"
    axes.xaxis.set_major_formatter(dates.DateFormatter(form, tz=UTC))  # type: ignore[no-untyped-call]


def _loose(axes: Axes, count: int) -> None:
    """Few bars are no thicker than three."""
    spare = max(0, 3 - count) / 2
    axes.set_ylim(-0.5 - spare, count - 0.5 + spare)


def _legend(axes: Axes, place: Place, left: float = 0.55) -> None:
    names = axes.get_legend_handles_labels()[1]
    across = max(1, min(len(names), int(place.wide / (max(map(len, names)) * 0.062 + 0.45))))
    lines = -(-len(names) // across)
    below = 0.28 + 0.17 * lines
    _put(axes, Place(place.left + left, place.low + below, place.wide - left - 0.1, place.high - below))
    wide, high = axes.figure.get_size_inches()  # type: ignore[union-attr]
    axes.legend(
        loc="lower left", bbox_to_anchor=(place.left / wide, (place.low - 0.04) / high), ncols=across, frameon=False,
        bbox_transform=axes.figure.transFigure, fontsize=7.2, labelcolor=TEXT, handlelength=1.1, columnspacing=1.1,
        borderaxespad=0,
    )  # fmt: skip
