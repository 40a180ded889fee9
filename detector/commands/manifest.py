"""Commands around workflow manifests: propose, check."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.commands.base import SETUP, app, fail, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.config import Settings
    from detector.policy.manifest import Manifest
    from detector.training.corpus import Example

manifest_app = typer.Typer(help="Propose and check what is approved for each workflow.", no_args_is_help=True)
app.add_typer(manifest_app, name="manifest", rich_help_panel=SETUP)

Runs = Annotated[
    list[Path],
    typer.Option("--from", help="Folder with labels.csv and runs/, or an OTLP file; more than one may be given."),
]
Workflow = Annotated[str | None, typer.Option(help="Only this workflow.")]


@manifest_app.command()
def propose(
    sources: Runs,
    workflow: Workflow = None,
    out: Annotated[Path | None, typer.Option(help="Write a file a workflow into this folder.")] = None,
) -> None:
    """Write manifests that honest runs do not leave, with how many runs needed each line.

    A first draft: a person strikes out what should not be, lists assets and says what leaving is answered with.
    """
    from detector.policy import history

    names: dict[int, str] = {}
    found = history.observe(_examples(sources, settings_of(), {}, names, workflow))
    if not found:
        fail(f"manifest propose: expected honest runs{f' of workflow {workflow}' if workflow else ''}, found none")
    texts = {_file_name(name): history.text(found[name], names) for name in sorted(found)}
    if out is None:
        print("\n---\n".join(texts.values()), end="")
        return
    if there := [str(out / name) for name in texts if (out / name).exists()]:
        fail(
            *[
                f"manifest propose: {path} is there already: move it away, or write into another folder"
                for path in there
            ]
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
        print(out / name)


@manifest_app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of manifests.  [default: the setting `manifests`]", metavar="[DIR]")
    ] = None,
    sources: Annotated[
        list[Path] | None, typer.Option("--from", help="Honest runs: say what each workflow's would have left.")
    ] = None,
    workflow: Workflow = None,
) -> None:
    """Say what is wrong with manifests, every fault at once; and what recorded runs would have left of them."""
    from detector.policy import history, manifest

    settings = settings_of()
    folder = folder or settings.manifests
    if folder is None:
        fail("manifest check: expected a folder, came none, and the setting `manifests` is not set")
    found = manifest.load(folder)
    print(f"{len(found)} manifest{'s' if len(found) != 1 else ''} in {folder}: {', '.join(sorted(found)) or 'none'}")
    if not sources:
        return
    names: dict[int, str] = {}
    examples = _examples(sources, settings, found, names, workflow)
    checked = history.check(examples, found, settings.hash_key.get_secret_value().encode())
    for name in sorted(checked):
        print("\n".join(history.report(checked[name], names)))
    for name in sorted(found.keys() - checked.keys() if workflow is None else {workflow} - checked.keys()):
        print(f"{name}: no run")


def _examples(
    sources: list[Path], settings: Settings, manifests: dict[str, Manifest], names: dict[int, str], only: str | None
) -> Iterator[Example]:
    """The honest runs in `sources`; `names` takes what hashes stand for."""
    from detector.lexicon import Lexicon, extend
    from detector.policy.manifest import globs
    from detector.read import Reader
    from detector.training import corpus

    key = settings.hash_key.get_secret_value().encode()
    reader = Reader(
        key,
        settings.max_text_chars,
        settings.max_record_bytes,
        lexicon=Lexicon(extend.load(settings.lexicon_file)),
        assets=globs(manifests),
        names=names,
    )
    for example in chain.from_iterable(corpus.examples(source, reader) for source in sources):
        if only in {None, example.workflow}:
            yield example


def _file_name(workflow: str) -> str:
    return (
        re.sub(r"[^A-Za-z0-9._-]+", "-", workflow).strip(".-") + ".yaml" if workflow.strip("./- ") else "workflow.yaml"
    )
