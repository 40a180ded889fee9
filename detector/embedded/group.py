"""One consumer group: who is a member, who leads, which offsets are committed.

The state machine of Apache Kafka's classic group coordinator (protocol guide, "Group
Membership API"), with no initial delay, without MEMBER_ID_REQUIRED and with static
members treated as ones that rejoin. Times are seconds of one monotonic clock that the
caller reads.
"""

import asyncio
import logging
import uuid
from collections import Counter

from detector.embedded.members import Committed, Joined, Joining, Member, State
from detector.embedded.wire import Code, RefusedError

log = logging.getLogger(__name__)

_MIN_SESSION_MS = 100
_MAX_SESSION_MS = 1_800_000
_MAX_METADATA = 4_096


class Group:
    """One group; methods raise RefusedError with the code that the client gets."""

    def __init__(self, name: str) -> None:
        """Start empty."""
        self.name = name
        self.state = State.EMPTY
        self.generation = 0
        self.protocol_type = ""
        self.protocol = ""
        self.leader = ""
        self.members: dict[str, Member] = {}
        self.offsets: dict[tuple[str, int], Committed] = {}
        self._rebalance_ends = 0.0

    async def join(self, request: Joining, now: float) -> Joined:
        """Wait for the rebalance that this request joins or starts."""
        self._admit(request)
        member = self.members.get(request.member)
        if member is None:
            member = self._enter(request)
            unchanged = False
        else:
            member.fail(Code.REBALANCE_IN_PROGRESS)
            unchanged = request.protocols == member.request.protocols
            member.request = request
        member.touch(now)
        settled = self.state is State.COMPLETING or (self.state is State.STABLE and member.id != self.leader)
        if unchanged and settled:
            return self._answer(member)
        future: asyncio.Future[Joined] = asyncio.get_running_loop().create_future()
        member.joined = future
        if self.state is not State.PREPARING:
            self._prepare(now)
        self._complete_if_all_joined(now)
        try:
            return await future
        except asyncio.CancelledError:
            # The connection is gone. Who was never told its id cannot come back.
            member.joined = None
            if not request.member and member.id in self.members:
                self._remove(member, now, "left while joining")
            raise

    def _admit(self, request: Joining) -> None:
        if not _MIN_SESSION_MS <= request.session_ms <= _MAX_SESSION_MS:
            raise RefusedError(Code.INVALID_SESSION_TIMEOUT)
        if request.member and request.member not in self.members:
            raise RefusedError(Code.UNKNOWN_MEMBER_ID)
        others = [m for m in self.members.values() if m.id != request.member]
        common = set(request.protocols).intersection(*(m.request.protocols for m in others))
        alike = not others or request.protocol_type == self.protocol_type
        if not (common and alike and request.protocol_type):
            raise RefusedError(Code.INCONSISTENT_GROUP_PROTOCOL)

    def _enter(self, request: Joining) -> Member:
        for old in list(self.members.values()):
            if request.instance and old.request.instance == request.instance:
                old.fail(Code.FENCED_INSTANCE_ID)
                del self.members[old.id]
        member = Member(f"{request.client[:200]}-{uuid.uuid4()}", request)
        self.members[member.id] = member
        self.protocol_type = request.protocol_type
        return member

    def _prepare(self, now: float) -> None:
        self.state = State.PREPARING
        longest = max(m.request.rebalance_ms for m in self.members.values())
        self._rebalance_ends = now + longest / 1000
        for member in self.members.values():
            if member.synced is not None:
                member.fail(Code.REBALANCE_IN_PROGRESS)

    def _complete_if_all_joined(self, now: float) -> None:
        if self.state is State.PREPARING and all(m.joined is not None for m in self.members.values()):
            self._complete(now)

    def _complete(self, now: float) -> None:
        self.generation += 1
        if not self.members:
            self.state, self.protocol, self.leader = State.EMPTY, "", ""
            return
        self.state = State.COMPLETING
        self.protocol = self._elected()
        if self.leader not in self.members:
            self.leader = next(iter(self.members))
        log.info(
            "group %s: generation %d, %d members",
            self.name,
            self.generation,
            len(self.members),
        )
        for member in self.members.values():
            member.touch(now)
            if member.joined is not None and not member.joined.done():
                member.joined.set_result(self._answer(member))
            member.joined = None

    def _elected(self) -> str:
        """Every member votes for the first of its protocols that all speak."""
        preferences = [m.request.protocols for m in self.members.values()]
        common = set.intersection(*map(set, preferences))
        votes = Counter(next(p for p in mine if p in common) for mine in preferences)
        return votes.most_common(1)[0][0]

    def _answer(self, member: Member) -> Joined:
        members = [
            (m.id, m.request.instance, m.request.protocols[self.protocol])
            for m in self.members.values()
            if member.id == self.leader
        ]
        return Joined(self.generation, self.protocol, self.leader, member.id, members)

    async def sync(self, name: str, generation: int, assignments: dict[str, bytes], now: float) -> bytes:
        """Return the member's assignment, once the leader has sent it."""
        member = self.member(name, generation)
        member.touch(now)
        if self.state is State.PREPARING:
            raise RefusedError(Code.REBALANCE_IN_PROGRESS)
        if self.state is State.COMPLETING and name == self.leader:
            self._distribute(assignments, now)
        if self.state is State.STABLE:
            return member.assignment
        member.fail(Code.REBALANCE_IN_PROGRESS)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        member.synced = future
        try:
            return await future
        except asyncio.CancelledError:
            member.synced = None
            raise

    def _distribute(self, assignments: dict[str, bytes], now: float) -> None:
        self.state = State.STABLE
        for member in self.members.values():
            member.assignment = assignments.get(member.id, b"")
            member.touch(now)
            if member.synced is not None and not member.synced.done():
                member.synced.set_result(member.assignment)
            member.synced = None

    def member(self, name: str, generation: int) -> Member:
        """Return the member; UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION otherwise."""
        member = self.members.get(name)
        if member is None:
            raise RefusedError(Code.UNKNOWN_MEMBER_ID)
        if generation != self.generation:
            raise RefusedError(Code.ILLEGAL_GENERATION)
        return member

    def heartbeat(self, name: str, generation: int, now: float) -> None:
        """Keep the session; REBALANCE_IN_PROGRESS tells the member to join again."""
        self.member(name, generation).touch(now)
        if self.state is State.PREPARING:
            raise RefusedError(Code.REBALANCE_IN_PROGRESS)

    def leave(self, name: str, instance: str | None, now: float) -> None:
        """Remove a member, named by its id or as a static one by its instance."""
        for member in self.members.values():
            if member.id == name or (not name and instance and member.request.instance == instance):
                self._remove(member, now, "left")
                return
        raise RefusedError(Code.UNKNOWN_MEMBER_ID)

    def _remove(self, member: Member, now: float, why: str) -> None:
        log.info("group %s: member %s %s", self.name, member.id, why)
        del self.members[member.id]
        member.fail(Code.UNKNOWN_MEMBER_ID)
        if self.members and self.state is not State.PREPARING:
            self._prepare(now)
        elif not self.members:
            self.state = State.PREPARING
        self._complete_if_all_joined(now)

    def may_commit(self, name: str, generation: int, now: float) -> None:
        """Fence commits: only members of this generation, or anybody while empty."""
        if generation < 0 and not name and not self.members:
            return
        self.member(name, generation).touch(now)
        if self.state is State.COMPLETING:
            raise RefusedError(Code.REBALANCE_IN_PROGRESS)

    def commit(self, topic: str, partition: int, committed: Committed) -> None:
        """Store an offset; OFFSET_METADATA_TOO_LARGE beyond 4,096 characters."""
        if len(committed.metadata) > _MAX_METADATA:
            raise RefusedError(Code.OFFSET_METADATA_TOO_LARGE)
        self.offsets[topic, partition] = committed

    def sweep(self, now: float) -> None:
        """Remove members whose session ended, and end a rebalance that is overdue."""
        for member in list(self.members.values()):
            waits = member.joined is not None or member.synced is not None
            if not waits and now >= member.deadline:
                self._remove(member, now, "timed out")
        if self.state is State.PREPARING and now >= self._rebalance_ends:
            for member in [m for m in self.members.values() if m.joined is None]:
                self._remove(member, now, "did not rejoin in time")
