"""What panels show of answers: names of series, values in their units, colours. As Grafana has it, in a few lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from matplotlib import dates

from tests.integration.asking import Frame, Json

NAMED = {
    "green": "#73bf69",
    "yellow": "#fade2a",
    "orange": "#ff9830",
    "red": "#f2495c",
    "blue": "#5794f2",
    "purple": "#b877d9",
}
PALETTE = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff9830", "#f2495c", "#b877d9", "#5794f2", "#fade2a", "#96d98d", "#ffb357"]
LENGTHS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))

Series = tuple[str, list[float], list[float]]
"""Name, moments as matplotlib counts them (days), values."""


def series(answers: Any) -> Iterator[Series]:
    """The lines of a panel. `answers`: (target, frames) of each of its targets."""
    for target, frames in answers:
        for frame in frames:
            if "rawSql" in target:
                yield from _of_rows(frame)
                continue
            known = [(t, v) for t, v in frame.rows if v == v]  # noqa: PLR0124 - NaN is a gap
            if known:
                yield name(target, frame), [moment(t) for t, _ in known], [v for _, v in known]


def _of_rows(frame: Frame) -> Iterator[Series]:
    if "metric" in frame.columns:
        for own_name in dict.fromkeys(row[1] for row in frame.rows):
            own = [row for row in frame.rows if row[1] == own_name]
            yield str(own_name), [moment(row[0]) for row in own], [float(row[2]) for row in own]
        return
    for n, column in enumerate(frame.columns[1:], 1):
        own = [row for row in frame.rows if row[n] is not None]
        if own:
            yield column, [moment(row[0]) for row in own], [float(row[n]) for row in own]


def moment(time: Any) -> float:
    """A time, or seconds since 1970, as matplotlib counts."""
    at = time if isinstance(time, datetime) else datetime.fromtimestamp(float(time), UTC)
    return float(dates.date2num(at))  # type: ignore[no-untyped-call]


def name(target: Json, frame: Frame) -> str:
    """What a series of Prometheus is called."""
    legend = target.get("legendFormat", "__auto")
    if legend == "__auto":
        return ", ".join(f"{k}={v}" for k, v in frame.labels.items()) or "value"
    return re.sub(r"\{\{(\w+)\}\}", lambda found: frame.labels.get(found[1], ""), legend)


def formatted(value: Any, unit: str) -> str:
    """A value in the unit of its panel or column."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%H:%M:%S")
    if not isinstance(value, int | float | Decimal):
        return str(value)
    number = float(value)
    if unit == "percentunit":
        return f"{number:.1%}" if 0 < number < 0.1 else f"{number:.0%}"
    if unit == "s":
        return _length(number)
    return f"{number:.3g}/s" if unit == "ops" else _number(number)


def _length(seconds: float) -> str:
    for size, letter in LENGTHS:
        if seconds >= size:
            return f"{seconds / size:.3g} {letter}"
    return f"{seconds * 1000:.3g} ms" if seconds else "0 s"


def _number(number: float) -> str:
    if number >= 10_000:
        return f"{number / 1000:.3g}k" if number < 1_000_000 else f"{number / 1_000_000:.3g}M"
    if number == int(number) or number >= 100:
        return f"{number:.0f}"
    return f"{number:.3f}" if number < 1 else f"{number:.3g}"


def threshold(value: float | Decimal, thresholds: Json) -> str:
    """The colour of the highest step that the value reaches."""
    reached = [step for step in thresholds["steps"] if step["value"] is None or float(value) >= step["value"]]
    return NAMED[reached[-1]["color"]]


def mapped(mappings: Any) -> dict[str, str]:
    """Colours by text, of value mappings."""
    return {text: NAMED[to["color"]] for mapping in mappings or [] for text, to in mapping["options"].items()}


def overrides(panel: Json) -> dict[str, Json]:
    """What a panel sets for single fields, by their names."""
    found: dict[str, Json] = {}
    for each in panel["fieldConfig"]["overrides"]:
        found.setdefault(each["matcher"]["options"], {}).update({p["id"]: p["value"] for p in each["properties"]})
    return found


def colours(panel: Json, names: list[str]) -> dict[str, str]:
    """A colour for each series: its own, else the next of the palette."""
    fixed = {
        field: NAMED[rules["color"]["fixedColor"]] for field, rules in overrides(panel).items() if "color" in rules
    }
    free = [colour for colour in PALETTE if colour not in fixed.values()]
    others = [each for each in names if each not in fixed]
    return fixed | {each: free[n % len(free)] for n, each in enumerate(others)}


def cut(text: str, room: int) -> str:
    """The text in so many characters."""
    return text if len(text) <= room else text[: max(1, room - 1)] + "…"
