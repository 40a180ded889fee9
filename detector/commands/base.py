"""What the commands share: the program itself, common options, settings, Kafka's faults as one line."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Coroutine, Iterable
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

SERVE, PEOPLE, SETUP, MODEL = "Run the parts", "Look at runs and decide", "Set up", "Model and records"

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line instead.")]


def fail(*texts: str) -> None:
    """Ends the command with a line for each text on stderr, and exit code 1."""
    from detector.lexicon.secrets import redact

    for text in texts:
        print(redact(f"detector: {text}"), file=sys.stderr)
    sys.exit(1)


def settings_of(*, log: bool = False, **overrides: Any) -> Settings:
    """The settings, with options that were given in place of what the environment says; sets up logs on request.

    Raises ConfigError.
    """
    from detector.config import load

    settings = load(**{name: value for name, value in overrides.items() if value is not None})
    if log:
        from detector.observe.logs import configure

        configure(settings)
    return settings


def listen(what: str, work: Coroutine[Any, Any, None]) -> None:
    """Runs a server until it is told to stop. Raises TransportError where its address can't be had."""
    from detector.errors import TransportError

    try:
        asyncio.run(work)
    except OSError as fault:
        raise TransportError(f"{what}: {fault.strerror or fault}") from fault


def ask(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs what asks Kafka something; its faults come back as a DetectorError and are said once."""
    # Without a handler aiokafka's lines would go to stderr beside our own.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    return asyncio.run(work)


def print_json(records: Iterable[msgspec.Struct]) -> None:
    """One JSON object a line, its texts without secrets."""
    import msgspec

    for record in records:
        print(msgspec.json.encode(_redacted(msgspec.to_builtins(record, str_keys=True))).decode(), flush=True)


def _redacted(value: Any) -> Any:
    # Before it is encoded: in the line a secret could take the escape of a quote with it.
    from detector.lexicon.secrets import redact

    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): _redacted(each) for key, each in value.items()}
    return [_redacted(each) for each in value] if isinstance(value, list) else value
