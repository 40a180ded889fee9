"""The `detector` command: thin calls into the parts, which are imported when needed.

A DetectorError ends as its text on stderr and exit code 1, without a traceback.
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import socket
import sys
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    import msgspec

    from detector.config import Settings

Result = TypeVar("Result")

app = typer.Typer(
    name="detector",
    help="Watches the runs of AI agents and pauses or kills those that drift towards destruction.\n\n"
    "Settings come from DETECTOR_* in the environment, then from detector.toml in the working directory; "
    "`detector check` prints them all.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics_app = typer.Typer(help="Make and check the Kafka topics.", no_args_is_help=True)
app.add_typer(topics_app, name="topics", rich_help_panel="Set up")

SERVE, PEOPLE, SETUP, MODEL = "Run the parts", "Look at runs and decide", "Set up", "Model and records"

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Run id, as `detector runs` prints it.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line instead.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes into the audit trail.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides.  [default: you, at this machine]")]


def main() -> None:
    """Runs the command line; the entry point of `detector` and `python -m detector`."""
    from detector.errors import ConfigError, DetectorError

    try:
        app()
    except ConfigError as fault:
        _fail(*[f"settings: {text}" for text in fault.faults])
    except DetectorError as fault:
        _fail(str(fault))


def _fail(*texts: str) -> None:
    for text in texts:
        print(f"detector: {text}", file=sys.stderr)
    sys.exit(1)


def _settings(*, log: bool = False, **overrides: Any) -> Settings:
    from detector.config import load

    settings = load(**{name: value for name, value in overrides.items() if value is not None})
    if log:
        from detector.observe.logs import configure

        configure(settings)
    return settings


def _listen(what: str, work: Coroutine[Any, Any, None]) -> None:
    from detector.errors import TransportError

    try:
        asyncio.run(work)
    except OSError as fault:
        raise TransportError(f"{what}: {fault.strerror or fault}") from fault


def _ask(work: Coroutine[Any, Any, Result]) -> Result:
    # What aiokafka logs of a broker that it can't reach comes back as our own error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return asyncio.run(work)


def _print_json(records: Iterable[msgspec.Struct]) -> None:
    import msgspec

    for record in records:
        print(msgspec.json.encode(record).decode(), flush=True)


# --- run the parts ----------------------------------------------------------------------


@app.command(rich_help_panel=SERVE)
def worker() -> None:
    """Judge runs: reads spans from Kafka, writes verdicts and commands. Start as many as you need."""
    from detector.app import main as work

    work(_settings(log=True))


@app.command(rich_help_panel=SERVE)
def enforce() -> None:
    """Carry out commands on this machine and by webhook, and acknowledge them."""
    from detector.control.enforce import enforce as carry_out

    asyncio.run(carry_out(_settings(log=True)))


@app.command(rich_help_panel=SERVE)
def receive(
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback a token is needed.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Take spans over OTLP/HTTP and write them to Kafka as they come, in place of a Collector."""
    from detector.embedded.receiver import Receiver, serve

    settings = _settings(log=True, receive_host=host, receive_port=port)
    receiver = Receiver(
        settings.bootstrap,
        settings.receive_host,
        settings.receive_port,
        spans_topic=settings.spans_topic,
        logs_topic=settings.logs_topic,
        token=settings.receive_token.get_secret_value() or None,
        kafka=settings.aiokafka_security(),
    )
    _listen("receiver", serve(receiver))


@app.command(rich_help_panel=SERVE)
def broker(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9092,
) -> None:
    """Run the embedded Kafka-protocol broker: in memory, for demos and tests, never for production."""
    from detector.embedded import serve

    _settings(log=True)
    _listen("broker", serve(host, port))


@app.command(rich_help_panel=SERVE, context_settings={"allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="The agent's command and arguments.")],
    run_id: Annotated[str | None, typer.Option(help="Name of the run.  [default: made up]")] = None,
    workflow: Annotated[str | None, typer.Option(help="Workflow that baselines and modes are kept by.")] = None,
) -> None:
    """Start an agent so that it can be frozen, thawed and killed with its whole process tree.

    Its run id is in OTEL_RESOURCE_ATTRIBUTES; its exit code is passed through.
    """
    from detector.control.launch import launch

    sys.exit(launch(command, run_id, workflow, _settings()))


@app.command(rich_help_panel=SERVE)
def demo(seed: Annotated[int, typer.Option(help="Same seed, same story.")] = 1) -> None:
    """Watch a drifting agent being frozen before it deletes a production volume."""
    from detector.demo.__main__ import main as play

    sys.exit(play(seed))


# --- look at runs and decide ------------------------------------------------------------


@app.command(rich_help_panel=PEOPLE)
def runs(as_json: AsJson = False) -> None:
    """List the runs that have a verdict, a command or an end, the latest first."""
    from rich.console import Console

    from detector.control import people
    from detector.observe import view

    rows = _ask(people.runs(_settings()))
    if as_json:
        _print_json(rows)
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

    entries = _ask(people.history(_settings(), run))
    if not entries:
        _fail(f"run {run}: no verdict, command, ack, decision or summary is known")
    if as_json:
        _print_json(entries)
        return
    console = Console(soft_wrap=True, highlight=False)
    for line in view.history(entries):
        console.print(line)


def _decide(run: str, kind: str, reason: str, who: str | None) -> None:
    from detector.observe.view import decide

    print(_ask(decide(_settings(), run, kind, who or f"{getpass.getuser()}@{socket.gethostname()}", reason)))


@app.command(rich_help_panel=PEOPLE)
def pause(run: RunId, reason: Reason, who: Who = None) -> None:
    """Freeze a run until it's resumed, killed or its deadline ends it."""
    _decide(run, "pause", reason, who)


@app.command(rich_help_panel=PEOPLE)
def resume(run: RunId, reason: Reason, who: Who = None) -> None:
    """Let a paused run go on; the evidence so far does not pause it again, new evidence does."""
    _decide(run, "resume", reason, who)


@app.command(rich_help_panel=PEOPLE)
def kill(run: RunId, reason: Reason, who: Who = None) -> None:
    """End a run for good, with its whole process tree."""
    _decide(run, "kill", reason, who)


# --- set up -----------------------------------------------------------------------------


@app.command(rich_help_panel=SETUP)
def check() -> None:
    """Print settings, plug-ins, the model, Kafka and its topics; or every fault at once."""
    from rich.console import Console
    from rich.markup import escape

    from detector.observe.check import check as look

    console = Console(soft_wrap=True, highlight=False)
    parts = _ask(look())
    for part in parts:
        console.print(f"[bold]{escape(part.name)}[/]  " + ("[red]FAULTS[/]" if part.faults else "[green]ok[/]"))
        for line in part.lines:
            console.print(f"  {escape(line)}")
    faults = [f"{part.name}: {fault}" for part in parts for fault in part.faults]
    if faults:
        _fail(*faults)


@topics_app.command("apply")
def topics_apply() -> None:
    """Make the topics that are missing; change none that exists."""
    from detector import topics

    for name in _ask(topics.apply(_settings())):
        print(f"made {name}")
    topics_check()


@topics_app.command("check")
def topics_check() -> None:
    """Say what is wrong with the topics: missing, partitions, cleanup policy."""
    from detector import topics

    settings = _settings()
    faults = topics.faults(settings, _ask(topics.find(settings)))
    if faults:
        _fail(*faults)
    print(f"all {len(topics.wanted(settings))} topics are as they should be")


# --- model and records ------------------------------------------------------------------


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

    settings = _settings()
    reader = Reader.from_settings(settings)
    honest = chain.from_iterable(corpus.examples(source, reader) for source in sources)
    fleet = corpus.simulated(seed, simulated, reader) if simulated else ()
    fitted = fit.train([*honest, *fleet], out or settings.models, version, seed=seed)
    print(f"{fitted.folder}: fitted on {fitted.runs} honest runs of {fitted.tasks} tasks")
    for workflow, limit in fitted.workflows.items():
        proof = f"{limit.runs} runs of {limit.tasks} tasks, at most {limit.bound:.2%} of such runs with 95 % confidence"
        print(f"  {workflow}: alerts above {limit.alert:.3f}, pauses above {limit.pause:.3f} ({proof})")
    print(f"  elsewhere: alerts above {fitted.everywhere.alert:.3f}, never pauses: no local proof")


@app.command(rich_help_panel=MODEL)
def replay(
    file: Annotated[Path, typer.Argument(help="OTLP: .jsonl or .jsonl.gz, one request a line; or one request .binpb")],
) -> None:
    """Judge recorded spans and print the verdicts as JSON lines: those that the stream would give."""
    from detector.replay import replay as judge

    _print_json(judge(file, _settings()))


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


if __name__ == "__main__":
    main()
