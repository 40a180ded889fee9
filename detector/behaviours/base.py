"""What a behaviour is, and the layout that all of them make together.

A behaviour file defines BEHAVIOUR: its signals, its initial memory and an `update` that looks
at one action and says how much of each signal it is. It keeps what it has to remember in its
memory, a list of plain values that stays small for ever. Decay, scoring, explanation and
storage are the same for all and not its business. Flags that `update` tests for every action
are plain ints at the top of the file: `&` with an IntFlag costs a microsecond, and there are
thirty of them in an action.

Every signal becomes two features: its amounts summed with a short and with a long half-life.
Half-lives count actions, not seconds: an agent in a hurry and one that waits for people do
the same things in the same order, and a clock that lies changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from detector import plugins
from detector.records import Action, Labelled, Turn

SHORT_HALF_LIFE = 4.0
LONG_HALF_LIFE = 32.0
"""In actions."""

SHORT = 0xFFFF_FFFF
"""`hash & SHORT` is enough to tell what one run has seen from what it has not, and half as long in its state."""

Memory = list[Any]


AGAIN = 3.0
"""For `Signal.full`: what comes again and again is another thing than what came once."""


class Signal(NamedTuple):
    """One thing that an action can be. `gravity` ranks evidence for people; it scores nothing.

    `full`: its sum counts up to this. At 1 that a run shows it is all: counts grow with every long honest run,
    and a count that none of them has reached yet would weigh as much as what none of them does.
    """

    name: str
    words: str
    gravity: int = 1
    full: float = 1.0


class Moment:
    """Where in its run an action stands."""

    __slots__ = ("does", "first", "left", "outcome", "position")

    def __init__(self, position: int, does: int, outcome: int, *, first: bool, left: int = 0) -> None:
        self.position = position
        """Calls before this one."""
        self.does = does
        """What of `action.does` counts now: an intent has its share before the call that completes it."""
        self.outcome = outcome
        """`action.outcome` where no earlier look at the call had it; else UNKNOWN."""
        self.first = first
        """The call was not seen before, neither as intent nor from the inside."""
        self.left = left
        """Flags of policy.approved.Left that no earlier look at the call had: what it leaves of the manifest."""


Update = Callable[[Memory, Action, Moment], Sequence[float] | None]
Listen = Callable[[Memory, "Turn | Labelled | Action"], None]


@dataclass(frozen=True)
class Behaviour:
    """A family of signals. `update` returns an amount for each signal, or None for nothing.

    `listen` hears model turns and labels, and calls that show nothing new but what their result held; what it puts
    into memory shows at the next action.
    """

    name: str
    signals: tuple[Signal, ...]
    initial: Callable[[], Memory]
    update: Update
    listen: Listen | None = None


@dataclass(frozen=True)
class Layout:
    """All behaviours in order: where each one's signals stand, and what the features are called."""

    behaviours: tuple[Behaviour, ...]
    offsets: tuple[int, ...] = field(init=False)
    signals: tuple[Signal, ...] = field(init=False)
    names: tuple[str, ...] = field(init=False)
    index: dict[str, int] = field(init=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        offsets: list[int] = []
        signals: list[Signal] = []
        names: list[str] = []
        for behaviour in self.behaviours:
            offsets.append(len(signals))
            signals += behaviour.signals
            names += [f"{behaviour.name}.{signal.name}" for signal in behaviour.signals]
        put = object.__setattr__
        put(self, "offsets", tuple(offsets))
        put(self, "signals", tuple(signals))
        put(self, "names", tuple(names))
        put(self, "index", {name: n for n, name in enumerate(names)})
        described = repr((self.names, SHORT_HALF_LIFE, LONG_HALF_LIFE)).encode()
        put(self, "version", hashlib.sha256(described).hexdigest()[:12])

    @property
    def full(self) -> tuple[float, ...]:
        """Up to what each signal's sum counts."""
        return tuple(signal.full for signal in self.signals)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Short sums of all signals, then long sums."""
        return tuple(f"{n}/short" for n in self.names) + tuple(f"{n}/long" for n in self.names)

    def initial_memories(self) -> list[Memory]:
        """A fresh memory for each behaviour."""
        return [behaviour.initial() for behaviour in self.behaviours]


def layout() -> Layout:
    """The layout of the behaviours that are installed."""
    return Layout(plugins.find("detector.behaviours"))


def remember(known: list[int], values: Iterable[int], limit: int) -> int:
    """Adds `values` to the capped set `known`, oldest out first. Returns how many were new."""
    new = 0
    for value in values:
        if value not in known:
            known.append(value)
            new += 1
    if len(known) > limit:
        del known[: len(known) - limit]
    return new
