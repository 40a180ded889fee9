"""The `detector` command: its groups of commands are in detector/commands.

A DetectorError ends as its text on stderr and exit code 1, without a traceback.
"""

from __future__ import annotations

# In the order in which `detector --help` lists them.
from detector.commands import parts, people, setup, manifest, model, evaluate  # isort: skip
from detector.commands.base import app, fail

__all__ = ["app", "evaluate", "main", "manifest", "model", "parts", "people", "setup"]


def main() -> None:
    """Runs the command line; the entry point of `detector` and `python -m detector`."""
    from detector.errors import ConfigError, DetectorError

    try:
        app()
    except ConfigError as fault:
        fail(*[f"settings: {text}" for text in fault.faults])
    except DetectorError as fault:
        fail(str(fault))


if __name__ == "__main__":
    main()
