"""What the demo shows: readable at 100 columns, with a terminal and without one."""

from __future__ import annotations

import io

from rich.console import Console

from detector.demo.board import WIDTH, Board, Picture, Row, render, summary_line

HONEST = tuple(Row(f"coding: story number {n}", n, 0.4, "ALLOW") for n in range(24))
PICTURE = Picture((Row("the incident", 12, 0.71, "PAUSE", "reads infra/dns/domains.toml"),), HONEST)


def drawn(picture: Picture) -> list[str]:
    """The table's lines at 100 columns."""
    console = Console(width=WIDTH, file=io.StringIO(), highlight=False)
    console.print(render(picture, 12.3))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_table_fits_100_columns_and_a_small_terminal() -> None:
    """Two agents and 24 honest runs take at most 20 lines of 100 columns, and every run is there."""
    lines = drawn(PICTURE)
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) <= 20
    assert sum(line.count("coding: story") for line in lines) == len(HONEST)
    assert "PAUSED" in "\n".join(lines)


def test_table_before_anything_runs() -> None:
    """An empty picture can be drawn."""
    assert drawn(Picture((), ())) != []


def test_plain_lines_without_a_terminal() -> None:
    """Where there is no terminal nothing is drawn over: lines with their time, and no escape codes."""
    out = io.StringIO()
    with Board(lambda: PICTURE, Console(file=out, highlight=False)) as board:
        board.say("broker is up")
        board.tick()
    assert "broker is up" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_summary_line_counts_paused_honest_runs() -> None:
    """The line of progress says how many honest runs are paused, and how the agents stand."""
    line = summary_line(Picture(PICTURE.agents, (*HONEST, Row("x", 3, 0.9, "PAUSE"))))
    assert "honest: 279 calls, top 0.90" in line
    assert len(line) <= WIDTH - len("  0.0 s  ")
    assert "1 PAUSED" in line
    assert "the incident: call 12, 0.71 PAUSED" in line
