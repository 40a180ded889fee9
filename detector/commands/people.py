"""Commands for people: look at runs, decide on them."""

from __future__ import annotations

import getpass
import socket
import sys
from typing import Annotated

import typer

from detector.commands.base import PEOPLE, AsJson, app, ask, fail, print_json, settings_of

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Run id, as `detector runs` prints it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes into the audit trail.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides.  [default: you, at this machine]")]


@app.command(rich_help_panel=PEOPLE)
def runs(as_json: AsJson = False) -> None:
    """List the runs that have a verdict, a command or an end, the latest first."""
    from rich.console import Console

    from detector.control import people
    from detector.observe import view

    rows = ask(people.runs(settings_of()))
    if as_json:
        print_json(rows)
    elif rows:
        # Where no terminal sets a width, e.g. in a pipe, nothing is cut.
        Console(width=None if sys.stdout.isatty() else 240).print(view.table(rows))
    else:
        print("no run has a verdict yet")


@app.command(rich_help_panel=PEOPLE)
def show(run: RunId, as_json: AsJson = False) -> None:
    """Tell what happened to a run: verdicts with their evidence, commands, acks, decisions."""
    from rich.console import Console

    from detector.control import people
    from detector.observe import view

    entries = ask(people.history(settings_of(), run))
    if not entries:
        fail(f"run {run}: no verdict, command, ack, decision or summary is known")
    if as_json:
        print_json(entries)
        return
    console = Console(soft_wrap=True, highlight=False)
    for line in view.history(entries):
        console.print(line)


def _decide(run: str, kind: str, reason: str, who: str | None) -> None:
    from detector.lexicon.secrets import redact
    from detector.observe.view import decide

    name = who or f"{getpass.getuser()}@{socket.gethostname()}"
    print(redact(ask(decide(settings_of(), run, kind, name, reason))))


@app.command(rich_help_panel=PEOPLE)
def pause(run: RunId, reason: Reason, who: Who = None) -> None:
    """Freeze a run until it's resumed, killed or its deadline ends it."""
    _decide(run, "pause", reason, who)


@app.command(rich_help_panel=PEOPLE)
def resume(run: RunId, reason: Reason, who: Who = None) -> None:
    """Let a paused run go on; the evidence so far does not pause it again, new evidence does."""
    _decide(run, "resume", reason, who)


@app.command(rich_help_panel=PEOPLE)
def label(
    run: RunId,
    kind: Annotated[str, typer.Argument(help="honest or destructive: what the run was, whatever became of it.")],
    reason: Reason,
    who: Who = None,
) -> None:
    """Say what a run was. Nothing is stopped or resumed by it: training and `detector check --labels` go by it."""
    from detector.control import people

    if kind not in {"honest", "destructive"}:
        fail(f"label: expected honest or destructive, came {kind!r}")
    said = who or f"{getpass.getuser()}@{socket.gethostname()}"
    written = ask(people.send_label(settings_of(), run, kind, said, reason))
    print(f"run {written.run} is called {written.kind}")


@app.command(rich_help_panel=PEOPLE)
def kill(run: RunId, reason: Reason, who: Who = None) -> None:
    """End a run for good, with its whole process tree."""
    _decide(run, "kill", reason, who)
