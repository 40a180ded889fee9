"""The command that keeps PostgreSQL up to date with the detector's topics."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from detector.commands.base import SERVE, app, fail, settings_of


@app.command(rich_help_panel=SERVE)
def store(
    init: Annotated[
        bool, typer.Option("--init", help="Make or migrate tables, views and roles, and end. For their owner.")
    ] = False,
) -> None:
    """Keep verdicts, commands, acks, labels and summaries in PostgreSQL, for dashboards (needs the extra `store`)."""
    try:
        from detector.observe.store.service import open_database, store as keep  # isort: skip
    except ModuleNotFoundError as fault:
        if fault.name != "psycopg":
            raise
        fail("store: expected the package psycopg, came none; pip install 'agent-run-detector[store]'")
    settings = settings_of(log=True)
    if not init:
        asyncio.run(keep(settings))
        return
    for line in asyncio.run(open_database(settings).prepare()):
        print(line)
