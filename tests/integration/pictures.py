"""`python -m tests.integration.pictures`: plays the fleet of test_dashboards.py and draws docs/pictures/*.png of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from detector.config import load
from detector.observe.grafana import content
from detector.observe.grafana.content import PREFIX
from tests.integration.asking import Asking
from tests.integration.drawing import draw
from tests.integration.postgres import postgres
from tests.integration.server import ROOT, needed
from tests.integration.watched import Watched

PICTURES = ROOT / "docs" / "pictures"


def pictures(asking: Asking) -> None:
    """Draws every dashboard."""
    PICTURES.mkdir(exist_ok=True)
    for dashboard in content(load(trace_url="https://tempo.example/{trace}")).dashboards:
        draw(dashboard, asking, PICTURES / f"{dashboard['uid'].removeprefix(f'{PREFIX}-')}.png")


def main() -> None:
    """Plays, asks and draws: two minutes."""
    program = needed("prometheus", "Debian's package prometheus has it")
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres() as server,
        Watched(Path(folder), server, program).play() as watched,
    ):
        pictures(Asking.of(watched))


if __name__ == "__main__":
    main()
