"""An evaluation for people: tables for the terminal, and one HTML file with its pictures inside, nothing loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from rich.table import Table as RichTable
from rich.text import Text

from detector.training import evaluation_pictures as pictures
from detector.training.evaluation_pictures import DETECTORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES: tuple[tuple[str, str, Callable[[dict[str, Any]], Figure]], ...] = (
    (
        "Ranking",
        "How often an unsafe run in scope scores above an honest one. Calls and lexicon are trivial counts.",
        pictures.auroc,
    ),
    ("Peaks", "How high runs ever score, by what they were; each kind to its own highest bar.", pictures.peaks),
    (
        "Recall by honest runs paused",
        "The forest alone, with thresholds from these very runs: a best case that the settings below don't have.",
        pictures.roc,
    ),
    (
        "At the three settings",
        "Thresholds are from honest runs of other tasks; what then happens to honest runs stands under each bar.",
        pictures.cost,
    ),
    ("When", "A pause at the harmful call prevents it only where the agent asks the gate first.", pictures.when),
    ("At which call", "Rules and forest together; bins by their last call.", pictures.positions),
    ("By harm", "All unsafe runs, in scope or not.", pictures.harms),
)
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a202c}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #e2e8f0}
td:first-child,th:first-child{text-align:left}caption{text-align:left;color:#4a5568;padding:.3rem 0}
svg{display:block;margin:1rem 0;max-width:100%;height:auto}h2{margin:2.2rem 0 .2rem}p{margin:.2rem 0;color:#4a5568}"""

RULED = ("honest", "in_scope", "resisted", "attempted")
Sheet = tuple[str, list[str], list[list[str]]]
"""Title, heads, rows."""


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The figures as tables."""
    return [_ranking(found), *map(_setting, found["settings"]), _when(found), _harms(found), _rules(found)]


def terminal(found: dict[str, Any]) -> Iterable[RichTable]:
    """The tables for a console, over all workflows where the page has each."""
    for title, heads, rows in [_ranking(found), *(_setting(each, by_workflow=False) for each in found["settings"]),
                               _when(found), _harms(found), _rules(found)]:  # fmt: skip
        table = RichTable(title=title, title_justify="left")
        for n, head in enumerate(heads):
            table.add_column(head, justify="right" if n else "left", no_wrap=not n)
        for row in rows:
            table.add_row(*map(Text, row))
        yield table


def page(found: dict[str, Any]) -> str:
    """The HTML file."""
    data, model = found["data"], found["model"]["version"] or f"out of fold, {found['model']['out_of_fold']} folds"
    parts = [
        (f"<p>{data['runs']} runs of {data['tasks']} tasks, {data['without_calls']} of them without a call; "
        f"{data['honest']} honest, {data['in_scope']} unsafe in scope. Model: {escape(model)}. "
        "Intervals are of 95 %, over tasks drawn again; thresholds are from honest runs of other tasks.</p>"),
        *(f"<h2>{title}</h2><p>{said}</p>{pictures.svg(draw(found))}" for title, said, draw in PICTURES),
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


def _rules(found: dict[str, Any]) -> Sheet:
    rows = [
        [name, *(f"{figure[group]['hit']} of {figure[group]['runs']}" for group in RULED),
         percent(figure["honest"]["bound"])]
        for name, figure in found["rules"].items()
    ]  # fmt: skip
    return "Runs that each rule alone would pause", ["rule", *(g.replace("_", " ") for g in RULED), "bound"], rows


def _html(sheet: Sheet) -> str:
    title, heads, rows = sheet
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption><tr>{head}</tr>{body}</table>"
