"""Commands around the model and the records: train, replay, schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detector.commands.base import MODEL, app, print_json, settings_of


@app.command(rich_help_panel=MODEL)
def train(
    sources: Annotated[
        list[Path], typer.Argument(help="Folders with labels.csv and runs/, or OTLP files of runs known to be honest.")
    ],
    version: Annotated[str, typer.Option(help="Name of the new version, e.g. 2026.11.")],
    out: Annotated[Path | None, typer.Option(help="Folder of models.  [default: the setting `models`]")] = None,
    simulated: Annotated[int, typer.Option(help="Add this many honest runs of the demo's fleet.")] = 0,
    seed: Annotated[int, typer.Option(help="Same seed, same runs: same forest.")] = 0,
) -> None:
    """Fit a model on honest runs, calibrate it on others, and make it the current one."""
    from itertools import chain

    from detector.read import Reader
    from detector.training import corpus, fit

    settings = settings_of()
    reader = Reader.from_settings(settings)
    honest = chain.from_iterable(corpus.examples(source, reader) for source in sources)
    fleet = corpus.simulated(seed, simulated, reader) if simulated else ()
    fitted = fit.train(list(corpus.with_twins([*honest, *fleet])), out or settings.models, version, seed=seed)
    print(f"{fitted.folder}: fitted on {fitted.runs} honest runs of {fitted.tasks} tasks")
    for workflow, limit in fitted.workflows.items():
        print(f"  {workflow}: {limit.in_words()}")
    print(f"  every other workflow: {fitted.everywhere.in_words()}")
    card(fitted.folder)


@app.command(rich_help_panel=MODEL)
def card(
    folder: Annotated[Path, typer.Argument(help="The model's folder, e.g. models/2026.11.")],
    evaluation: Annotated[Path | None, typer.Option(help="What `detector evaluate --json` wrote.")] = None,
    incidents: Annotated[Path | None, typer.Option(help="What `detector evaluate --incidents --json` wrote.")] = None,
) -> None:
    """Write the model's CARD.md: data, guarantees, figures, what it can't see, how to calibrate at home."""
    import json

    from detector.errors import DetectorError
    from detector.training.card import text

    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        found, told = (json.loads(path.read_bytes()) if path else None for path in (evaluation, incidents))
        (folder / "CARD.md").write_text(text(manifest, found, told), encoding="utf-8")
    except (OSError, ValueError) as fault:
        raise DetectorError(f"card: {fault}") from None
    print(folder / "CARD.md")


@app.command(rich_help_panel=MODEL)
def replay(
    file: Annotated[Path, typer.Argument(help="OTLP: .jsonl or .jsonl.gz, one request a line; or one request .binpb")],
) -> None:
    """Judge recorded spans and print the verdicts as JSON lines: those that the stream would give."""
    from detector.replay import replay as judge

    print_json(judge(file, settings_of()))


@app.command(rich_help_panel=MODEL)
def schema(
    name: Annotated[str | None, typer.Argument(help="verdict, command, ack, label or summary; all where none")] = None,
    write: Annotated[Path | None, typer.Option(help="Write one file a record into this folder instead.")] = None,
) -> None:
    """Print the JSON Schemas of the public records."""
    from detector import schemas

    if name is not None and name not in schemas.PUBLIC:
        raise typer.BadParameter(f"expected one of {', '.join(schemas.PUBLIC)}, came {name!r}", param_hint="NAME")
    if write is not None:
        for path in schemas.write(write):
            print(path)
        return
    for each in [name] if name else schemas.PUBLIC:
        print(schemas.text(each), end="")
