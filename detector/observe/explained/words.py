"""Stories of runs as people read them in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detector.observe.explained import witness
from detector.observe.explained.story import Call, Story, Target
from detector.observe.view import COLOURS

_ORIGIN_COLOURS = {witness.RESULT: "yellow", witness.NOBODY: "magenta", witness.PERSON: "green"}


def listing(stories: list[Story]) -> Table:
    """Runs, one a row."""
    made = Table("run", "workflow", "calls", "turns", "peak", "verdict", box=None, pad_edge=False)
    for story in stories:
        peak = max((call.score for call in story.calls), default=0.0)
        made.add_row(
            escape(story.run), escape(story.workflow), str(len(story.calls)), str(story.turns), f"{peak:.3f}",
            _level(story.level),
        )  # fmt: skip
    return made


def told(story: Story) -> Iterator[RenderableType]:
    """A run, call by call."""
    pauses = f"pauses above {story.pause:.3f}" if story.pause is not None else "never pauses here, only alerts"
    yield Text.from_markup(
        f"[bold]{escape(story.run)}[/]  workflow {escape(story.workflow) or 'unknown'}, "
        f"{len(story.calls)} calls, {story.turns} model turns, {_level(story.level)}\n"
        f"model {escape(story.model)} alerts above {story.alert:.3f}, {pauses}"
    )
    if not story.words:
        yield Text("Out of the run log, which has no words: names are keyed hashes.", style="dim")
    if story.wordless:
        yield Text(f"{story.wordless} model turns came without the messages that they read.", style="dim")
    for call in story.calls:
        yield _call(call)
    for note in story.notes:
        yield Text(f"* {note}")
    yield Text(_hidden(story), style="dim")


def _call(call: Call) -> RenderableType:
    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column(width=3, justify="right")
    head.add_column(ratio=1)
    head.add_column(justify="right")
    head.add_column(width=6)
    where = f" [cyan]{escape(', '.join(call.environment))}[/]" if call.environment else ""
    went = f" [dim]{escape(call.outcome)}[/]" if call.outcome else ""
    head.add_row(
        str(call.number), f"[bold]{escape(call.tool) or 'a call'}[/]{where}{went}", f"{call.score:.3f}",
        _level(call.level),
    )  # fmt: skip
    body = Table.grid(padding=(0, 1))
    body.add_column(width=8, style="dim")
    body.add_column(overflow="fold")
    for label, text in _lines(call):
        body.add_row(label, text)
    return Group(head, Padding(body, (0, 0, 0, 4)))


def _lines(call: Call) -> Iterator[tuple[str, str]]:
    if call.does or call.signs:
        read = escape(", ".join(call.does))
        signs = "; ".join(escape(sign) for sign in call.signs)
        yield "read as", f"{read} ({signs})" if read and signs else read or signs
    for n, target in enumerate(call.targets):
        yield "" if n else "target", _target(target)
    if call.carried:
        yield "content", ", ".join(f"{count} first said by {who}" for who, count in call.carried.items())
    if call.principals:
        yield "acts as", escape(", ".join(call.principals))
    if call.secrets:
        yield "secrets", escape("; ".join(call.secrets))
    for n, moved in enumerate(call.moved):
        yield "" if n else "moved", f"{moved.signal} [bold]+{moved.amount:g}[/]  {escape(moved.words)}"
    for verdict in call.verdicts:
        yield "verdict", f"[{COLOURS.get(call.level, 'white')}]{escape(verdict)}[/]"
    if call.hidden:
        yield "hidden", escape("; ".join(call.hidden))


def _target(target: Target) -> str:
    text = escape(target.name)
    text += f" [dim]{target.kind}[/]" if target.kind else ""
    if target.origin:
        colour = _ORIGIN_COLOURS.get(target.origin, "dim")
        said = f"the result of call {target.call}" if target.call else target.origin
        text += f"  [{colour}]{said}[/]"
    return text + ("  [cyan]listed by the manifest[/]" if target.listed else "")


def _hidden(story: Story) -> str:
    blind = sum(bool(call.hidden) for call in story.calls)
    return f"Something is hidden of {blind} of {len(story.calls)} calls." if blind else "No call hides anything."


def _level(level: str) -> str:
    return f"[{COLOURS.get(level, 'white')}]{level}[/]"
