"""What the demo shows while it runs: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

WIDTH = 100
LINE_EVERY = 3.0
"""Seconds between two lines of progress where there is no terminal."""
STYLES = {"": "dim", "ALLOW": "green", "ALERT": "yellow", "PAUSE": "bold red", "KILL": "bold red"}
WORDS = {"": "unwatched", "ALLOW": "ok", "ALERT": "alert", "PAUSE": "PAUSED", "KILL": "KILLED"}
STOPPED = frozenset({"PAUSE", "KILL"})


@dataclass(frozen=True)
class Row:
    """One run on the table. `score` 0: not known yet; `level` empty: nobody watches it."""

    name: str
    calls: int
    score: float
    level: str
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """All runs at one moment: the agents under `detector run`, and the honest fleet."""

    agents: tuple[Row, ...]
    honest: tuple[Row, ...]


class Board:
    """Shows the picture that `look` returns. A context manager; `say` writes a line that stays."""

    def __init__(self, look: Callable[[], Picture], console: Console | None = None) -> None:
        # The width is fixed: what is written into a file or a CI log reads like the terminal's.
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=WIDTH, file=self.console.file)
        self._look = look
        self._began = time.monotonic()
        self._next_line = LINE_EVERY
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(get_renderable=self._render, console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()
            # The last picture stays on the screen, above what follows.
            self.console.print(self._render())
            self._live = None

    @property
    def elapsed(self) -> float:
        """Seconds since the board was made."""
        return time.monotonic() - self._began

    def say(self, text: str, style: str = "") -> None:
        """A line with its time."""
        self.console.print(Text(f"{self.elapsed:5.1f} s  ", "dim") + Text(text, style), soft_wrap=True)

    def tick(self) -> None:
        """Where there is no terminal: a line of progress, every LINE_EVERY seconds."""
        if self._live is not None or self.elapsed < self._next_line:
            return
        self._next_line = self.elapsed + LINE_EVERY
        picture = self._look()
        if picture.honest:
            self.say(summary_line(picture), "dim")

    def _render(self) -> RenderableType:
        return render(self._look(), self.elapsed)


def summary_line(picture: Picture) -> str:
    """All runs in a line."""
    honest = picture.honest
    worst, paused = max((row.score for row in honest), default=0.0), sum(row.level in STOPPED for row in honest)
    parts = [f"honest: {sum(row.calls for row in honest)} calls, top {worst:.2f}" + f", {paused} PAUSED" * bool(paused)]
    for row in picture.agents:
        if row.level:
            stands = "" if row.level == "ALLOW" else f" {WORDS[row.level]}"
            parts.append(f"{row.name}: call {row.calls}, {row.score:.2f}{stands}")
    return " | ".join(parts)


def render(picture: Picture, elapsed: float) -> RenderableType:
    """The table: the agents in full, the honest runs side by side."""
    agents = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for heading, justify in (
        ("run", "left"),
        ("calls", "right"),
        ("score", "right"),
        ("verdict", "left"),
        ("does", "left"),
    ):
        agents.add_column(heading, justify=justify, no_wrap=True, header_style="dim")  # type: ignore[arg-type]
    for row in picture.agents:
        agents.add_row(*_cells(row), Text(row.note, "dim"))
    honest = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for _ in range(2):
        for heading, justify, width in (
            ("honest run", "left", 24),
            ("calls", "right", 5),
            ("score", "right", 5),
            ("verdict", "left", 7),
        ):
            honest.add_column(heading, justify=justify, width=width, no_wrap=True, header_style="dim")  # type: ignore[arg-type]
    rows = list(picture.honest)
    half = (len(rows) + 1) // 2
    for n in range(half):
        right: Iterable[RenderableType] = _cells(rows[n + half]) if n + half < len(rows) else ()
        honest.add_row(*_cells(rows[n]), *right)
    return Group(Text(f"{elapsed:5.1f} s", "dim"), agents, Text(), honest) if rows else agents


def _cells(row: Row) -> tuple[RenderableType, ...]:
    score = Text(f"{row.score:.2f}" if row.score else "·")
    return Text(row.name), Text(str(row.calls)), score, Text(WORDS[row.level], STYLES[row.level])
