"""The command that tells a run call by call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from detector.commands.base import PEOPLE, AsJson, app, ask, fail, print_json, settings_of

FILES = frozenset({".binpb", ".pb", ".json", ".jsonl", ".gz"})
"""Ends of a name that is a file's and no run's."""


@app.command(rich_help_panel=PEOPLE)
def explain(
    source: Annotated[
        str, typer.Argument(metavar="FILE|RUN", help="A file that `detector replay` reads, or a run in the run log.")
    ],
    run: Annotated[str | None, typer.Option(help="Of a file with many runs, this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a run call by call: what was read, where targets came from, what moved, what was hidden."""
    from rich.console import Console

    from detector.control import people
    from detector.observe.explained import runs, words

    settings = settings_of()
    if Path(source).is_file():
        stories = runs.of_file(Path(source), settings)
        stories = [story for story in stories if run in {None, story.run}]
    elif Path(source).suffix in FILES:
        fail(f"explain {source}: expected a file of spans, or the id of a run, found no such file")
    else:
        stories = runs.tell(ask(people.run_log(settings, source)), runs.judge_of(settings))
    if not stories:
        of = f"run {run} in {source}" if run else source
        fail(f"explain {of}: expected a file of spans, or a run that the run log has, found no call of any")
    if as_json:
        print_json(stories)
        return
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    if len(stories) > 1:
        console.print(words.listing(stories))
        console.print("Name one of them with --run.")
        return
    for part in words.told(stories[0]):
        console.print(part)
