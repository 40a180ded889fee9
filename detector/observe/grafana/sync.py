"""Brings a Grafana to what `content` says: reads, tells the difference, writes it, and nothing else.

The order is that of dependence: a dashboard needs its folder, a policy its contact point; what goes, goes in the
reverse order. A second run finds no difference and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from rich.console import Console
from rich.markup import escape

from detector.errors import ConfigError
from detector.observe.grafana import alerting, parts
from detector.observe.grafana.api import Grafana, GrafanaError
from detector.observe.grafana.content import Content
from detector.observe.grafana.diff import Change

KINDS = ("datasources", "folder", "dashboards", "rules", "templates", "contact-points", "policy")
"""What can be left out, in the order in which it is written."""
SHOWN_LINES = 60
"""Of one object's difference."""

_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red")}
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def plan(
    grafana: Grafana,
    content: Content,
    *,
    skip: Collection[str] = (),
    editable: bool = False,
    renew: bool = False,
    prune: bool = False,
) -> list[Change]:
    """What is different, in the order in which it has to be written. Reads only. Raises ConfigError, GrafanaError.

    `prune`: what the settings make is deleted where they name it no more; without, it is left alone, for they may just
    not be set here.
    """
    if unknown := set(skip) - set(KINDS):
        raise ConfigError([f"--skip: expected any of {', '.join(KINDS)}, came {', '.join(sorted(unknown))}"])
    of: dict[str, Callable[[], Iterator[Change]]] = {
        "datasources": lambda: parts.datasources(grafana, content, renew=renew, prune=prune),
        "folder": lambda: parts.folder(grafana, content),
        "dashboards": lambda: parts.dashboards(grafana, content),
        "rules": lambda: alerting.rules(grafana, content, editable=editable),
        "templates": lambda: alerting.templates(grafana, content, editable=editable),
        "contact-points": lambda: alerting.contact_points(
            grafana, content, editable=editable, renew=renew, prune=prune
        ),
        "policy": lambda: alerting.policy(grafana, content, prune=prune),
    }
    found = [change for kind in KINDS if kind not in skip for change in of[kind]()]
    gone = [change for change in found if change.deed == "delete"]
    return [change for change in found if change.deed != "delete"] + gone[::-1]


def show(changes: list[Change], console: Console, *, full: bool = False) -> None:
    """The difference, object by object."""
    for change in changes:
        sign, colour = _SIGNS[change.deed]
        console.print(f"[bold {colour}]{sign} {escape(change.title)}[/]")
        lines = change.lines()
        for line in lines if full else lines[:SHOWN_LINES]:
            shade = _COLOURS.get(line[:1], "dim")
            console.print(f"    [{shade}]{escape(line)}[/]")
        if not full and len(lines) > SHOWN_LINES:
            console.print(f"    [dim]{len(lines) - SHOWN_LINES} more lines; --full shows them[/]")
        if change.obstacle:
            console.print(f"    [red]can't: {escape(change.obstacle)}[/]")


def apply(grafana: Grafana, changes: list[Change]) -> None:
    """Writes every change; nothing where one of them can't be. Raises GrafanaError, what came before it stands."""
    if stuck := [f"{change.title}: {change.obstacle}" for change in changes if change.obstacle]:
        raise GrafanaError(f"Grafana at {grafana.url}: nothing is written: {'; '.join(stuck)}")
    for change in changes:
        change.write()


def told(changes: list[Change]) -> str:
    """`2 to create, 1 to change`."""
    counts = {deed: sum(change.deed == deed for change in changes) for deed in _SIGNS}
    return ", ".join(f"{count} to {deed}" for deed, count in counts.items() if count) or "nothing to do"
