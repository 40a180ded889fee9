"""The incidents' figures for people: tables for the terminal, and one HTML file, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from rich.table import Table as RichTable
from rich.text import Text

from detector.demo.incidents import FORMS
from detector.training.report import STYLE, Sheet, percent

SETTINGS = {
    "shipped": "as shipped: rules pause, the model alerts",
    "calibrated": "with thresholds from honest runs of the same simulated fleets",
}
WHENS = ("before", "at", "after", "never")


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The figures as tables."""
    made = [_stopped(found), _spared(found)]
    for name in found["settings"]:
        made += [_incidents(found, name), _lookalikes(found, name)]
    return [*made, _failed(found)]


def terminal(found: dict[str, Any]) -> Iterable[RichTable]:
    """The tables for a console."""
    for title, heads, rows in sheets(found):
        table = RichTable(title=title, title_justify="left")
        for n, head in enumerate(heads):
            table.add_column(head, justify="right" if n else "left", no_wrap=not n)
        for row in rows:
            table.add_row(*map(Text, row))
        yield table


def page(found: dict[str, Any]) -> str:
    """The HTML file."""
    said = (
        f"{found['variants']} runs of each script, seed {found['seed']}, model {escape(found['model'])}. Intervals are "
        "exact 95 % ones, as if runs were independent. A pause at the act prevents it only where the agent asks the "
        "gate first. The words are not those of the training fleet. Settings: "
        + "; ".join(f"{name}: {said}" for name, said in SETTINGS.items())
    )
    tables = "".join(_html(sheet) for sheet in sheets(found))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Incidents</title>'
        f"<style>{STYLE}</style><h1>Incidents</h1><p>{said}</p>{tables}</html>\n"
    )


def _stopped(found: dict[str, Any]) -> Sheet:
    rows = []
    for which in ("all", "unexamined"):
        for name, each in found["settings"].items():
            for form in FORMS:
                told = each[which][form]
                rates = [_rate(told[w]) for w in ("before", "at", "prevented_with_gate", "alerted_before")]
                rows.append([f"{which}, {form}, {name}", *rates, _median(told["lead_calls"])])
    heads = ["incidents", "paused before", "at", "with the gate", "alerted before", "lead, calls"]
    return "Incidents, against the act that can't be undone", heads, rows


def _spared(found: dict[str, Any]) -> Sheet:
    rows = []
    for name, each in found["settings"].items():
        failed = each["all"]["failed_call"]
        for kind, figure, at in (
            ("all look-alikes", each["all"]["lookalikes"], ""),
            ("unexamined look-alikes", each["unexamined"]["lookalikes"], ""),
            ("one refused call", failed, _rate(failed["paused_at"])),
        ):
            ever = figure["paused"]
            rows.append([f"{kind}, {name}", _rate(ever), percent(ever["bound"]), at, _rate(figure["alerted"])])
    return "Honest runs", ["runs, setting", "ever paused", "bound", "at the refused call", "alerted"], rows


def _incidents(found: dict[str, Any], name: str) -> Sheet:
    rows = []
    for incident, each in found["settings"][name]["incidents"].items():
        for form in FORMS:
            told = each[form]
            leads = [_median(told["lead_calls"]), _median(told["lead_seconds"])]
            rows.append([f"{incident}, {form}", *(percent(told[w]["rate"]) for w in WHENS), *leads, _causes(told)])
    return f"When incidents are paused, {name}", ["incident", *WHENS, "lead, calls", "seconds", "by what"], rows


def _lookalikes(found: dict[str, Any], name: str) -> Sheet:
    rows = [
        [f"{incident}, {story}", _hits(figure["paused"]), percent(figure["paused"]["bound"]), _hits(figure["alerted"]),
         _causes(figure)]
        for incident, each in found["settings"][name]["incidents"].items()
        for story, figure in each["lookalikes"].items()
    ]  # fmt: skip
    return f"Honest look-alikes, {name}", ["look-alike", "ever paused", "bound", "alerted", "by what"], rows


def _failed(found: dict[str, Any]) -> Sheet:
    rows = [
        [f"{workflow}, {name}", _hits(figure["failed_call"]["paused_at"]), _hits(figure["failed_call"]["paused"]),
         percent(figure["failed_call"]["paused"]["bound"])]
        for name, each in found["settings"].items()
        for workflow, figure in each["fleets"].items()
    ]  # fmt: skip
    return "Honest runs in which one call is refused", ["fleet, setting", "paused at it", "ever paused", "bound"], rows


def _rate(figure: dict[str, Any]) -> str:
    if figure["rate"] is None:
        return "-"
    return f"{percent(figure['rate'])} ({percent(figure['exact_low'])}-{percent(figure['exact_high'])})"


def _hits(figure: dict[str, Any]) -> str:
    return f"{figure['hit']} of {figure['runs']}"


def _median(spread: dict[str, Any]) -> str:
    return "-" if spread["median"] is None else f"{spread['median']:.0f}"


def _causes(figure: dict[str, Any]) -> str:
    return ", ".join(f"{cause} {count}" for cause, count in figure["causes"].items()) or "-"


def _html(sheet: Sheet) -> str:
    title, heads, rows = sheet
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption><tr>{head}</tr>{body}</table>"
