"""The command that measures: forest, rules and both on labelled runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from detector.commands.base import MODEL, app, settings_of


@app.command(rich_help_panel=MODEL)
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Folder with labels.csv and runs/*.jsonl.gz, see docs/evaluate.md.")],
    model: Annotated[
        Path | None, typer.Option(help="Score with this model's folder as it is.  [default: fit one for each fold]")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Folder of manifests.  [default: the setting `manifests`]")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write tables and pictures to this file.")] = None,
    seed: Annotated[int, typer.Option(help="Of the forests that are fitted for the folds.")] = 0,
) -> None:
    """Measure what forest, rules and both find in labelled runs, and what they cost honest ones."""
    import json

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from detector.policy.policy import Policy
    from detector.read import Reader
    from detector.scoring import model as models
    from detector.training import evaluate as evaluation
    from detector.training import played, report

    settings = settings_of(manifests=policy)
    shipped = models.load(model.parent, model.name) if model else None
    runs, silent = [], []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        total = len(played.labels(folder))
        task = progress.add_task("playing runs", total=total)
        for label, one in played.play(folder, Reader.from_settings(settings), Policy.from_settings(settings)):
            progress.advance(task)
            if one is None:
                silent.append(label)
            else:
                runs.append(one)
        found = evaluation.evaluate(
            runs, silent, model=shipped, seed=seed, step=lambda said: progress.update(task, description=said)
        )
    # Where no terminal sets a width, e.g. in a pipe, nothing is cut.
    console = Console(width=None if sys.stdout.isatty() else 240)
    for table in report.terminal(found):
        console.print(table)
    if json_file:
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if html_file:
        html_file.write_text(report.page(found), encoding="utf-8")
