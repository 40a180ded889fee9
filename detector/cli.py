"""The `detector` command: its groups of commands are in detector/commands.

A DetectorError ends as its text on stderr and exit code 1, without a traceback.
"""

from __future__ import annotations

import traceback

# In the order in which `detector --help` lists them.
from detector.commands import parts, store, people, explain, setup, grafana, manifest, model, evaluate  # isort: skip
from detector.commands.base import app, fail

__all__ = ["app", "evaluate", "explain", "grafana", "main", "manifest", "model", "parts", "people", "setup", "store"]


def main() -> None:
    """Runs the command line; the entry point of `detector` and `python -m detector`."""
    from detector.errors import ConfigError, DetectorError

    try:
        app()
    except ConfigError as fault:
        fail(*[f"settings: {text}" for text in fault.faults])
    except DetectorError as fault:
        fail(str(fault))
    except Exception:  # noqa: BLE001 - as Python would print it, but without secrets
        fail(traceback.format_exc().rstrip())


if __name__ == "__main__":
    main()
