"""What a consumer group knows of its members, and what it asks and answers."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from detector.embedded.wire import Code, RefusedError


class State(StrEnum):
    """States as DescribeGroups names them."""

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"


class Committed(NamedTuple):
    """A committed offset with what the client wrote beside it."""

    offset: int
    leader_epoch: int
    metadata: str


class Joined(NamedTuple):
    """What JoinGroup answers; `members` is for the leader, empty for others."""

    generation: int
    protocol: str
    leader: str
    member: str
    members: list[tuple[str, str | None, bytes]]


@dataclass(slots=True, kw_only=True)
class Joining:
    """A JoinGroup request."""

    member: str
    instance: str | None
    client: str
    host: str
    session_ms: int
    rebalance_ms: int
    protocol_type: str
    protocols: dict[str, bytes]


@dataclass(slots=True, eq=False)
class Member:
    """A member; `joined` and `synced` are set while such a request waits."""

    id: str
    request: Joining
    deadline: float = 0.0
    assignment: bytes = b""
    joined: asyncio.Future[Joined] | None = None
    synced: asyncio.Future[bytes] | None = None

    def touch(self, now: float) -> None:
        """Start the session timeout again."""
        self.deadline = now + self.request.session_ms / 1000

    def fail(self, code: Code) -> None:
        """Answer whatever waits with an error."""
        for waiting in (self.joined, self.synced):
            if waiting is not None and not waiting.done():
                waiting.set_exception(RefusedError(code))
        self.joined = self.synced = None
