"""Commands that run the parts: worker, enforcer, receiver, broker, an agent, the demo."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from detector.commands.base import SERVE, app, listen, settings_of


@app.command(rich_help_panel=SERVE)
def worker() -> None:
    """Judge runs: reads spans from Kafka, writes verdicts and commands. Start as many as you need."""
    from detector.app import main as work

    work(settings_of(log=True))


@app.command(rich_help_panel=SERVE)
def enforce(
    metrics_port: Annotated[
        int | None,
        typer.Option(help="Port of /metrics, /healthz and /readyz.  [default: the setting `enforcer_metrics_port`]"),
    ] = None,
) -> None:
    """Carry out commands on this machine and by webhook, and acknowledge them."""
    from detector.control.enforce import enforce as carry_out

    asyncio.run(carry_out(settings_of(log=True, enforcer_metrics_port=metrics_port)))


@app.command(rich_help_panel=SERVE)
def notify(
    metrics_port: Annotated[
        int | None,
        typer.Option(help="Port of /metrics, /healthz and /readyz.  [default: the setting `notify_metrics_port`]"),
    ] = None,
) -> None:
    """Tell people of runs that are paused or killed, by webhook, Slack or mail: what they did, why, what to do."""
    from detector.observe.news.notify import notify as tell

    asyncio.run(tell(settings_of(log=True, notify_metrics_port=metrics_port)))


@app.command(rich_help_panel=SERVE)
def receive(
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback a token is needed.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Take spans over OTLP/HTTP and write them to Kafka as they come, in place of a Collector."""
    from detector.embedded.receiver import Receiver, serve
    from detector.kafka.connection import preflight

    settings = settings_of(log=True, receive_host=host, receive_port=port)
    asyncio.run(preflight(settings))
    receiver = Receiver(
        settings.bootstrap,
        settings.receive_host,
        settings.receive_port,
        spans_topic=settings.spans_topic,
        logs_topic=settings.logs_topic,
        token=settings.receive_token.get_secret_value() or None,
        kafka=settings.aiokafka_security(),
    )
    listen("receiver", serve(receiver))


@app.command(rich_help_panel=SERVE)
def broker(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9092,
) -> None:
    """Run the embedded Kafka-protocol broker: in memory, for demos and tests, never for production."""
    from detector.embedded import serve

    settings_of(log=True)
    listen("broker", serve(host, port))


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

    sys.exit(launch(command, run_id, workflow, settings_of()))


@app.command(rich_help_panel=SERVE)
def demo(seed: Annotated[int, typer.Option(help="Same seed, same story.")] = 1) -> None:
    """Watch a drifting agent being frozen before it deletes a production volume."""
    from detector.demo.__main__ import main as play

    sys.exit(play(seed))
