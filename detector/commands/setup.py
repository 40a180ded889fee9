"""Commands that set up: check everything, make and check the topics."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from detector.commands.base import SETUP, app, ask, fail, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detector.config import Settings
    from detector.kafka.topics import Difference

topics_app = typer.Typer(help="Make and check the Kafka topics.", no_args_is_help=True)
app.add_typer(topics_app, name="topics", rich_help_panel=SETUP)


@app.command(rich_help_panel=SETUP)
def check(
    labels: Annotated[
        bool, typer.Option("--labels", help="Also what people's labels say of the model's pauses: reads the topics.")
    ] = False,
) -> None:
    """Print settings, plug-ins, the model and what it guarantees, Kafka and its topics; or every fault at once."""
    from rich.console import Console
    from rich.markup import escape

    from detector.observe.check import check as look

    # Where no terminal sets a width, e.g. in a pipe, nothing is cut.
    console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 240)
    with Console(stderr=True).status("Looking") as status:
        parts = ask(look(labels=labels, progress=lambda count: status.update(f"{count:,} records read")))
    for part in parts:
        console.print(f"[bold]{escape(part.name)}[/]  " + ("[red]FAULTS[/]" if part.faults else "[green]ok[/]"))
        for line in part.lines:
            console.print(f"  {escape(line)}")
        for table in part.tables:
            console.print(table, soft_wrap=False)
    faults = [f"{part.name}: {fault}" for part in parts for fault in part.faults]
    if faults:
        fail(*faults)


@topics_app.command("apply")
def topics_apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
) -> None:
    """Make the topics that are missing and put right the settings of those that exist.

    Nothing is deleted, and no topic that exists gets other partitions or replicas. Exit code 1 where something is left
    that it can't put right, or would be.
    """
    from detector.kafka import topics

    settings = settings_of()
    found = ask(topics.find(settings))
    wrong = topics.differences(settings, found)
    for each in _alterable(wrong):
        print(_intent(each, settings, "would " if dry_run else ""))
    if not dry_run:
        ask(topics.apply(settings))
        ask(topics.alter(settings, found, wrong))
        _judge(settings)
    elif left := [each.text for each in wrong if not each.alterable]:
        fail(*left)


@topics_app.command("check")
def topics_check() -> None:
    """Say in what the topics are not as they should be: missing, partitions, replicas, settings.

    Exit code 1 where they aren't, or Kafka can't be asked.
    """
    _judge(settings_of())


def _judge(settings: Settings) -> None:
    from detector.kafka import topics

    faults = topics.faults(settings, ask(topics.find(settings)))
    if faults:
        fail(*faults)
    print(f"all {len(topics.wanted(settings))} topics are as they should be")


def _alterable(wrong: Iterable[Difference]) -> list[Difference]:
    return [each for each in wrong if each.alterable]


def _intent(each: Difference, settings: Settings, would: str) -> str:
    if each.what == "topic":
        shape = f"{settings.partitions} partitions, {settings.replication} replicas"
        return f"{would}make {each.topic}: {shape}"
    return f"{would}set {each.topic}: {each.what}={each.expected}, was {each.came}"
