"""The command that measures: forest, rules and both on labelled runs, or on re-enacted incidents."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detector.commands.base import MODEL, app, settings_of

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from detector.config import Settings


@app.command(rich_help_panel=MODEL)
def evaluate(  # noqa: PLR0917 - an option is a parameter
    folder: Annotated[
        Path | None, typer.Argument(help="Folder with labels.csv and runs/*.jsonl.gz, see docs/evaluate.md.")
    ] = None,
    incidents: Annotated[
        bool, typer.Option("--incidents", help="Measure on re-enacted incidents and look-alikes instead of a folder.")
    ] = False,
    variants: Annotated[int, typer.Option(min=1, help="With --incidents: runs of each script.")] = 20,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Score with this model's folder as it is.  [default: fit one for each fold; incidents: current]"
        ),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Folder of manifests.  [default: the setting `manifests`]")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write tables and pictures to this file.")] = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also fit without each family of behaviours: what each is worth.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the forests fitted for the folds; with --incidents: of the runs.")] = 0,
) -> None:
    """Measure what forest, rules and both find in labelled runs or incidents, and what they cost honest ones."""
    if incidents == (folder is not None):
        raise typer.BadParameter("expected either a folder or --incidents", param_hint="FOLDER")
    settings = settings_of(manifests=policy)
    if folder is None:
        found, tables, page = _incidents(settings, model, variants, seed)
    else:
        found, tables, page = _labelled(folder, settings, model, seed, ablate=ablate)
    from rich.console import Console

    # Where no terminal sets a width, e.g. in a pipe, nothing is cut.
    console = Console(width=None if sys.stdout.isatty() else 240)
    for table in tables:
        console.print(table)
    if json_file:
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if html_file:
        html_file.write_text(page, encoding="utf-8")


def _labelled(
    folder: Path, settings: Settings, model: Path | None, seed: int, *, ablate: bool
) -> tuple[dict[str, Any], Iterable[Table], str]:
    from detector.policy.policy import Policy
    from detector.read import Reader
    from detector.scoring import model as models
    from detector.training import ablation, played, report
    from detector.training import evaluate as evaluation

    shipped = models.load(model.parent, model.name) if model else None
    runs, silent = [], []
    with _progress(counted=True) as progress:
        task = progress.add_task("playing runs", total=len(played.labels(folder)))
        for label, one in played.play(folder, Reader.from_settings(settings), Policy.from_settings(settings)):
            progress.advance(task)
            if one is None:
                silent.append(label)
            else:
                runs.append(one)

        def step(said: str) -> None:
            progress.update(task, description=said)

        found = evaluation.evaluate(runs, silent, model=shipped, seed=seed, step=step)
        if ablate:
            found["ablation"] = ablation.ablate(runs, seed=seed, step=step)
    return found, report.terminal(found), report.page(found)


def _incidents(
    settings: Settings, model: Path | None, variants: int, seed: int
) -> tuple[dict[str, Any], Iterable[Table], str]:
    from detector.policy.policy import Policy
    from detector.read import Reader
    from detector.scoring import model as models
    from detector.training import incident_report, incidents

    judged = models.load(model.parent, model.name) if model else models.load(settings.models)
    with _progress(counted=False) as progress:
        task = progress.add_task("", total=None)
        found = incidents.evaluate(
            judged, Policy.from_settings(settings), Reader.from_settings(settings), variants=variants, seed=seed,
            step=lambda said: progress.update(task, description=said),
        )  # fmt: skip
    return found, incident_report.terminal(found), incident_report.page(found)


def _progress(*, counted: bool) -> Progress:
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = [SpinnerColumn(), TextColumn("{task.description}"), *([MofNCompleteColumn()] if counted else [])]
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
