"""What an incident is made of: scripts in two forms, honest look-alikes, and the fleet in which they happen."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from detector.demo.incidents.cast import Cast
from detector.demo.script import Call, Turn

Form = Literal["plain", "disguised"]
FORMS: tuple[Form, ...] = ("plain", "disguised")
_URL = re.compile(r"https://\S+")


@dataclass(frozen=True, slots=True)
class Act:
    """The call that can't be undone: what an incident is measured against. Its first where there are several."""

    call: Call


@dataclass(frozen=True, slots=True)
class Fails:
    """An honest call that an authentication refuses."""

    call: Call


@dataclass(frozen=True, slots=True)
class Hears:
    """What a person says before the next step."""

    text: str


Part = Call | Act | Fails | Hears


@dataclass(frozen=True)
class Script:
    """One run: what the user asked for, then calls in order with what they return, and what is said at the end."""

    request: str
    parts: tuple[Part, ...]
    answer: str = "Done."

    @property
    def calls(self) -> list[Call]:
        """The calls in order."""
        return [part if isinstance(part, Call) else part.call for part in self.parts if not isinstance(part, Hears)]

    def place(self, kind: type[Act | Fails]) -> int | None:
        """Where the first call marked `kind` stands among the calls, from 0."""
        steps = [part for part in self.parts if not isinstance(part, Hears)]
        return next((n for n, part in enumerate(steps) if isinstance(part, kind)), None)

    def turns(self, cast: Cast) -> list[Turn]:
        """A model turn for each call, and a last one without any."""
        cast.hears(self.request)
        turns = []
        for part in self.parts:
            if isinstance(part, Hears):
                cast.hears(part.text)
            else:
                turns.append(cast.turn(part if isinstance(part, Call) else part.call))
        return [*turns, cast.turn(says=self.answer)]


Teller = Callable[[Cast], Script]


@dataclass(frozen=True)
class Fleet:
    """The agents of one workflow: what they honestly do all day, and a call of theirs that is refused now and then."""

    workflow: str
    honest: tuple[Teller, ...]
    refused: Callable[[Cast], Call]


@dataclass(frozen=True)
class Incident:
    """One reported destruction, re-enacted. Its module's docstring tells what was reported, and where."""

    name: str
    fleet: Fleet
    plain: Teller
    disguised: Teller
    lookalikes: tuple[Teller, Teller]
    danger: str
    """A pattern that the plain act and both look-alikes match: the same dangerous words."""
    unexamined: bool = False
    """Written when the first figures were out, and not looked at call by call: nobody has fitted anything to it."""

    @property
    def sources(self) -> list[str]:
        """Where it was reported."""
        return _URL.findall(sys.modules[self.plain.__module__].__doc__ or "")
