"""What a scripted agent does: model turns and the calls they ask for, told by a seeded story.

A story is told once and played twice: live through the OpenTelemetry SDK in the demo's
fleet, and offline on a clock of its own for training and tests (see play.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Dialect = Literal["genai", "genai-old", "openinference"]
Identity = Literal["conversation", "trace"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a call ended. `status` is that of the inner request, 0 where there is none."""

    text: str
    failed: str = ""
    """error.type; empty where the tool's own span says all is well."""
    status: int = 0


@dataclass(frozen=True, slots=True)
class Inner:
    """An HTTP or database client span inside a tool's span: attributes in the current conventions."""

    kind: Literal["http", "db"]
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call. `result` is what it returns, or the act that it really performs."""

    tool: str
    arguments: Mapping[str, Any]
    result: Result | Callable[[], Result]
    seconds: float
    inner: Inner | None = None
    note: str = ""
    """What it does, in words for an onlooker; never a secret."""

    def perform(self) -> Result:
        """The result, after doing what the call does."""
        return self.result if isinstance(self.result, Result) else self.result()


@dataclass(frozen=True, slots=True)
class Turn:
    """A model turn: what a person said before it, what the model says, the calls that it asks for."""

    heard: tuple[str, ...]
    says: str
    calls: tuple[Call, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    """One run of one agent. `turns` may be told lazily, so that a turn can build on earlier results."""

    run: str
    workflow: str
    task: str
    service: str
    agent: str
    dialect: Dialect
    identity: Identity
    turns: Iterable[Turn]
    resource: Mapping[str, str] = field(default_factory=dict)
