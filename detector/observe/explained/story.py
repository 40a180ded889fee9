"""A run told call by call: what was read of each, where its targets came from, what it moved, what was hidden."""

from __future__ import annotations

import msgspec

from detector.records import Level


class Target(msgspec.Struct, omit_defaults=True):
    """What a call is aimed at."""

    name: str
    """The word, or its keyed hash where words are not at hand."""
    kind: str = ""
    """url, address, path, number or name, by its form; of a hash only whether it's an address."""
    origin: str = ""
    """Who was first to say it: a constant of `witness`; empty where it is no salient value."""
    call: int = 0
    """The call whose result it came from, from 1; 0: none, or not known."""
    listed: bool = False
    """The workflow's manifest lists it as an asset."""


class Moved(msgspec.Struct):
    """A signal that a call moved, and by how much."""

    signal: str
    amount: float
    words: str


class Call(msgspec.Struct, omit_defaults=True):
    """One call, all looks at it together."""

    number: int
    """From 1."""
    tool: str
    at: int
    """End of the first look at it, ns since 1970."""
    seen: list[str] = []
    does: list[str] = []
    environment: list[str] = []
    signs: list[str] = []
    outcome: str = ""
    targets: list[Target] = []
    carried: dict[str, int] = {}
    """How many of the values that it carries out were first said by whom."""
    principals: list[str] = []
    secrets: list[str] = []
    moved: list[Moved] = []
    score: float = 0.0
    level: str = Level.ALLOW.name
    verdicts: list[str] = []
    hidden: list[str] = []


class Story(msgspec.Struct):
    """One run."""

    run: str
    workflow: str
    service: str
    model: str
    alert: float
    pause: float | None
    """None: the model only alerts in this workflow."""
    turns: int = 0
    wordless: int = 0
    """Model turns that came without the messages that they read."""
    level: str = Level.ALLOW.name
    words: bool = False
    """Whether it was read from spans; else from the run log, which has no words."""
    calls: list[Call] = []
    notes: list[str] = []
