"""Commands for Grafana: bring one to what the detector has for it, write the same as files, annotate."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from detector.commands.base import SETUP, app, fail, settings_of

grafana_app = typer.Typer(
    help="Dashboards, alert rules, contact points and annotations in Grafana.", no_args_is_help=True
)
app.add_typer(grafana_app, name="grafana", rich_help_panel=SETUP)

Url = Annotated[str | None, typer.Option(help="Grafana's address.  [default: the setting `grafana_url`]")]
TokenFile = Annotated[
    Path | None, typer.Option(help="File with a service account's token.  [default: the setting `grafana_token_file`]")
]
Token = Annotated[
    str | None,
    typer.Option(
        help="The token itself; others on this machine can read it: prefer DETECTOR_GRAFANA_TOKEN or --token-file."
    ),
]


def _needs_the_extra() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("grafana_client", "grafana_foundation_sdk") if find_spec(name) is None]
    if missing:
        fail(f"grafana: expected the packages {' and '.join(missing)}: pip install 'agent-run-detector[grafana]'")


@grafana_app.command()
def sync(  # noqa: PLR0917 - an option is a parameter
    url: Url = None,
    token: Token = None,
    token_file: TokenFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the difference.")] = False,
    skip: Annotated[
        list[str] | None,
        typer.Option(help="Leave out datasources, folder, dashboards, rules, templates, contact-points or policy."),
    ] = None,
    editable: Annotated[
        bool, typer.Option("--editable", help="Let people edit new alert rules, contact points and templates there.")
    ] = False,
    renew_secrets: Annotated[
        bool, typer.Option("--renew-secrets", help="Write secrets again; Grafana does not show the ones that it has.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Delete data sources, contact points and the route that no setting names."),
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Show every line of the difference.")] = False,
) -> None:
    """Show how a Grafana differs from what the detector has for it, and put it right.

    Nothing is touched but what has a uid of the detector's own, and one route of the notification policy.
    """
    _needs_the_extra()
    from rich.console import Console

    from detector.observe.grafana import content
    from detector.observe.grafana import sync as work
    from detector.observe.grafana.api import Grafana, token_of

    settings = settings_of(grafana_url=url, grafana_token_file=token_file)
    grafana = Grafana(settings.grafana_url, token or token_of(settings))
    try:
        how = {"editable": editable, "renew": renew_secrets, "prune": prune}
        changes = work.plan(grafana, content(settings), skip=skip or (), **how)
        console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 240)
        work.show(changes, console, full=full)
        if not dry_run:
            work.apply(grafana, changes)
    finally:
        grafana.close()
    print(f"{grafana.url}: {work.told(changes)}" + (" (dry run: nothing is written)" if dry_run and changes else ""))


@grafana_app.command()
def write(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; detector/observe/stack in a checkout.")],
) -> None:
    """Write the same as provisioning files, for Grafana and Prometheus in containers; prints those that changed."""
    _needs_the_extra()
    from detector.observe.grafana import content, files

    for path in files.write(content(settings_of()), folder):
        print(path)


@grafana_app.command()
def annotate(
    url: Url = None,
    token_file: TokenFile = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(help="Port of /metrics, /healthz and /readyz.  [default: the setting `annotate_metrics_port`]"),
    ] = None,
) -> None:
    """Mark pauses, kills, decisions and changes of the model in Grafana's graphs, as long as it runs."""
    _needs_the_extra()
    from detector.observe.grafana.annotate import annotate as mark

    given = {"grafana_url": url, "grafana_token_file": token_file, "annotate_metrics_port": metrics_port}
    asyncio.run(mark(settings_of(log=True, **given)))
