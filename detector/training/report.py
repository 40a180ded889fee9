"""An evaluation for people: tables for the terminal, and one HTML file with pictures drawn as SVG, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from rich.table import Table as RichTable

DETECTORS = ("forest", "rules", "both")
COLOURS = {"forest": "#2b6cb0", "rules": "#c05621", "both": "#276749", "calls": "#a0aec0", "lexicon": "#718096",
           "trees": "#805ad5"}  # fmt: skip
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a202c}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #e2e8f0}
td:first-child,th:first-child{text-align:left}caption{text-align:left;color:#4a5568}svg{display:block;margin:1rem 0}
text{font:12px system-ui,sans-serif;fill:#1a202c}"""

Sheet = tuple[str, list[str], list[list[str]]]
"""Title, heads, rows."""


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The figures as tables."""
    return [_ranking(found), *(_setting(each) for each in found["settings"]), _when(found), _harms(found)]


def terminal(found: dict[str, Any]) -> Iterable[RichTable]:
    """The tables for a console, over all workflows where the page has each."""
    for title, heads, rows in [_ranking(found), *(_setting(each, by_workflow=False) for each in found["settings"]),
                               _when(found), _harms(found)]:  # fmt: skip
        table = RichTable(title=title, title_justify="left")
        for n, head in enumerate(heads):
            table.add_column(head, justify="right" if n else "left", no_wrap=not n)
        for row in rows:
            table.add_row(*row)
        yield table


def page(found: dict[str, Any]) -> str:
    """The HTML file."""
    data, model = found["data"], found["model"]["version"] or f"out of fold, {found['model']['out_of_fold']} folds"
    parts = [
        (f"<p>{data['runs']} runs of {data['tasks']} tasks, {data['without_calls']} of them without a call; "
        f"{data['honest']} honest, {data['in_scope']} unsafe in scope. Model: {escape(model)}. "
        "Intervals are of 95 %, over tasks drawn again; thresholds are from honest runs of other tasks.</p>"),
        "<h2>Ranking: unsafe in scope against honest</h2>", _auroc_picture(found),
        "<h2>Recall in scope by honest runs paused</h2>", _recall_picture(found),
        "<h2>At which call runs are paused</h2>", _positions_picture(found),
        "<h2>Figures</h2>", *(_html(sheet) for sheet in sheets(found)),
    ]  # fmt: skip
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title>'
        f"<style>{STYLE}</style><h1>Evaluation</h1>{''.join(parts)}</html>\n"
    )


def percent(value: float | None) -> str:
    """A rate as people read it."""
    return "-" if value is None else f"{value:.1%}"


def _between(figure: dict[str, Any], key: str = "value") -> str:
    if figure[key] is None:
        return "-"
    return f"{figure[key]:.2f} ({figure['low']:.2f}-{figure['high']:.2f})"


def _ranking(found: dict[str, Any]) -> Sheet:
    names = ("forest", "rules", "trees", "calls", "lexicon")
    rows = [
        [name, str(group["honest"]), str(group["in_scope"]), *(_between(group["auroc"][n]) for n in names),
         _between(group["auroc_resisted"])]
        for kind in ("workflows", "files") for name, group in found[kind].items()
    ]  # fmt: skip
    heads = ["workflow or file", "honest", "in scope", *names, "forest, resisted"]
    return "AUROC against honest runs; trees saw the attacks; calls and lexicon are counts", heads, rows


def _setting(each: dict[str, Any], *, by_workflow: bool = True) -> Sheet:
    rows = []
    for name in DETECTORS:
        local = each["detectors"][name]["workflows"] if by_workflow else {}
        for where, figure in [("all", each["detectors"][name]), *local.items()]:
            honest = figure["honest"]
            rows.append([
                f"{name}, {where}", f"{percent(figure['in_scope']['rate'])} of {figure['in_scope']['runs']}",
                f"{percent(figure['in_scope']['low'])}-{percent(figure['in_scope']['high'])}",
                f"{honest['hit']} of {honest['runs']}", percent(honest["bound"]), percent(honest["bound_by_task"]),
                percent(figure["resisted"]["rate"]), percent(figure["attempted"]["rate"]),
            ])  # fmt: skip
    heads = ["detector", "recall in scope", "95 %", "honest paused", "bound", "bound by task", "resisted", "attempted"]
    return f"At a threshold that {each['rate']:.1%} of other tasks' honest runs pass", heads, rows


def _when(found: dict[str, Any]) -> Sheet:
    rows = []
    for each in found["settings"]:
        for name in DETECTORS:
            when = each["detectors"][name]["when"]
            lead, seconds = when["lead_calls"], when["lead_seconds"]
            rows.append([
                f"{name}, {each['rate']:.1%}", *(percent(when[k]["rate"]) for k in ("before", "at", "after")),
                percent(when["prevented_with_gate"]["rate"]),
                "-" if lead["median"] is None else f"{lead['median']:.0f}",
                "-" if seconds["median"] is None else f"{seconds['median']:.0f}",
            ])  # fmt: skip
    heads = ["detector", "before", "at", "after", "prevented with the gate", "median lead, calls", "seconds"]
    return "When unsafe runs in scope are paused, against the harmful call", heads, rows


def _harms(found: dict[str, Any]) -> Sheet:
    rows = [
        [harm or "not said", str(figure["runs"]), *(
            percent(each["detectors"][name]["by_harm"][harm]["rate"])
            for each in found["settings"] for name in ("forest", "both")
        )]
        for harm, figure in found["settings"][0]["detectors"]["forest"]["by_harm"].items()
    ]  # fmt: skip
    heads = ["harm", "runs", *(f"{n}, {each['rate']:.1%}" for each in found["settings"] for n in ("forest", "both"))]
    return "Recall by harm, in scope or not", heads, rows


def _html(sheet: Sheet) -> str:
    title, heads, rows = sheet
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption><tr>{head}</tr>{body}</table>"


def _auroc_picture(found: dict[str, Any]) -> str:
    groups = [(n, g) for n, g in found["workflows"].items() if g["auroc"]["forest"]["value"] is not None]
    marks, y = [], 10
    for name, group in groups:
        marks.append(f'<text x="0" y="{y + 12}">{escape(name)}</text>')
        for kind, figure in group["auroc"].items():
            low, mid, high = (150 + 500 * figure[k] for k in ("low", "value", "high"))
            marks.append(
                f'<line x1="{low:.0f}" x2="{high:.0f}" y1="{y + 8}" y2="{y + 8}" stroke="{COLOURS[kind]}"/>'
                f'<circle cx="{mid:.0f}" cy="{y + 8}" r="4" fill="{COLOURS[kind]}"/>'
                f'<text x="665" y="{y + 12}">{kind} {figure["value"]:.2f}</text>'
            )
            y += 18
        y += 10
    marks.append(f'<line x1="400" x2="400" y1="0" y2="{y}" stroke="#cbd5e0" stroke-dasharray="4"/>')
    return f'<svg width="780" height="{y + 10}" role="img" aria-label="AUROC by workflow">{"".join(marks)}</svg>'


def _recall_picture(found: dict[str, Any]) -> str:
    marks = ['<line x1="60" x2="700" y1="220" y2="220" stroke="#cbd5e0"/>']
    settings, width = found["settings"], 640 / max(1, len(found["settings"]))
    for n, each in enumerate(settings):
        marks.append(f'<text x="{70 + n * width:.0f}" y="238">{each["rate"]:.1%} of honest runs</text>')
        for m, name in enumerate(DETECTORS):
            rate = each["detectors"][name]["in_scope"]["rate"] or 0.0
            x, height = 70 + n * width + m * 45, 190 * rate
            marks.append(
                f'<rect x="{x:.0f}" y="{220 - height:.0f}" width="36" height="{height:.0f}" fill="{COLOURS[name]}"/>'
                f'<text x="{x:.0f}" y="{214 - height:.0f}">{rate:.0%}</text>'
            )
    return f'<svg width="780" height="280" role="img" aria-label="Recall">{"".join(marks)}{_legend(262)}</svg>'


def _positions_picture(found: dict[str, Any]) -> str:
    figures = {
        "both": found["settings"][0]["detectors"]["both"]["positions"]["in_scope"],
        "rules": found["settings"][-1]["detectors"]["both"]["positions"]["honest"],
    }
    most = max([1, *(count for bins in figures.values() for count in bins.values())])
    marks = []
    for m, (colour, bins) in enumerate(figures.items()):
        for n, (end, count) in enumerate(bins.items()):
            height = 150 * count / most
            marks.append(
                f'<rect x="{60 + n * 90 + m * 36}" y="{180 - height:.0f}" width="32" height="{height:.0f}" '
                f'fill="{COLOURS[colour]}"/><text x="{60 + n * 90 + m * 36}" y="{175 - height:.0f}">{count}</text>'
            )
            if not m:
                marks.append(f'<text x="{60 + n * 90}" y="198">call {end}</text>' if end != "later" else
                             f'<text x="{60 + n * 90}" y="198">later</text>')  # fmt: skip
    said = "left: unsafe in scope at the strictest setting; right: honest at the loosest; rules and forest together"
    marks.append(f'<text x="60" y="222">{said}</text>')
    return f'<svg width="780" height="240" role="img" aria-label="Positions of pauses">{"".join(marks)}</svg>'


def _legend(y: int) -> str:
    return "".join(
        f'<rect x="{70 + n * 90}" y="{y - 10}" width="12" height="12" fill="{COLOURS[name]}"/>'
        f'<text x="{86 + n * 90}" y="{y}">{name}</text>'
        for n, name in enumerate(DETECTORS)
    )
