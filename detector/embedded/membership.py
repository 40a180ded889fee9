"""FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup and committed offsets."""

import time

from detector.embedded.call import NODE, Call, Reply, Served
from detector.embedded.groups import Groups
from detector.embedded.members import Committed, Joined, Joining
from detector.embedded.topics import Topics
from detector.embedded.wire import Api, Code, RefusedError, Writer

_GROUP_COORDINATOR = 0
_NOTHING_COMMITTED = Committed(-1, -1, "")


class Membership:
    """The handlers that consumers in a group use."""

    def __init__(self, groups: Groups, topics: Topics) -> None:
        """Commit only offsets of `topics`."""
        self._groups = groups
        self._topics = topics

    def apis(self) -> dict[int, Served]:
        """Return the APIs served here."""
        return {
            Api.FIND_COORDINATOR: Served(0, 2, self.find_coordinator),
            Api.JOIN_GROUP: Served(0, 5, self.join),
            Api.SYNC_GROUP: Served(0, 3, self.sync),
            Api.HEARTBEAT: Served(0, 3, self.heartbeat),
            Api.LEAVE_GROUP: Served(0, 3, self.leave),
            Api.OFFSET_COMMIT: Served(2, 7, self.commit),
            Api.OFFSET_FETCH: Served(1, 5, self.committed),
        }

    def find_coordinator(self, call: Call) -> Reply:
        """Coordinate every group here; there are no transactions to coordinate."""
        call.body.string()
        kind = call.body.i8() if call.version >= 1 else _GROUP_COORDINATOR
        refused = kind != _GROUP_COORDINATOR
        out = Writer()
        if call.version >= 1:
            out.i32(0)
        out.i16(Code.COORDINATOR_NOT_AVAILABLE if refused else Code.NONE)
        if call.version >= 1:
            out.string("transactions are not supported" if refused else None)
        host, port = call.local
        return out.i32(NODE).string(host).i32(port)

    def join(self, call: Call) -> Reply:
        """Join, and answer when the rebalance is through."""
        body, version = call.body, call.version
        name, session_ms = body.string(), body.i32()
        rebalance_ms = body.i32() if version >= 1 else session_ms
        member = body.string()
        instance = body.nullable_string() if version >= 5 else None
        kind = body.string()
        protocols = dict(body.array(lambda: (body.string(), body.blob())))
        request = Joining(
            member=member,
            instance=instance,
            client=call.client,
            host=call.host,
            session_ms=session_ms,
            rebalance_ms=rebalance_ms,
            protocol_type=kind,
            protocols=protocols,
        )
        return self._joined(name, request, version)

    async def _joined(self, name: str, request: Joining, version: int) -> Writer:
        code, joined = Code.NONE, Joined(-1, "", "", request.member, [])
        try:
            joined = await self._groups.get(name).join(request, time.monotonic())
        except RefusedError as error:
            code = error.code
        out = Writer()
        if version >= 2:
            out.i32(0)
        out.i16(code).i32(joined.generation).string(joined.protocol)
        out.string(joined.leader).string(joined.member)

        def each(member: tuple[str, str | None, bytes]) -> None:
            out.string(member[0])
            if version >= 5:
                out.string(member[1])
            out.blob(member[2])

        return out.array(joined.members, each)

    def sync(self, call: Call) -> Reply:
        """Give the leader's assignments out."""
        body, version = call.body, call.version
        name, generation, member = body.string(), body.i32(), body.string()
        if version >= 3:
            body.nullable_string()  # instance
        assignments = dict(body.array(lambda: (body.string(), body.blob())))
        return self._synced(name, member, generation, assignments, version)

    async def _synced(
        self,
        name: str,
        member: str,
        generation: int,
        assignments: dict[str, bytes],
        version: int,
    ) -> Writer:
        code, assignment = Code.NONE, b""
        try:
            group = self._groups.get(name)
            now = time.monotonic()
            assignment = await group.sync(member, generation, assignments, now)
        except RefusedError as error:
            code = error.code
        out = Writer()
        if version >= 1:
            out.i32(0)
        return out.i16(code).blob(assignment)

    def heartbeat(self, call: Call) -> Reply:
        """Keep a session alive, or tell the member to join again."""
        body = call.body
        name, generation, member = body.string(), body.i32(), body.string()
        code = Code.NONE
        try:
            self._groups.get(name).heartbeat(member, generation, time.monotonic())
        except RefusedError as error:
            code = error.code
        out = Writer()
        if call.version >= 1:
            out.i32(0)
        return out.i16(code)

    def leave(self, call: Call) -> Reply:
        """Remove one member, or from v3 any number."""
        body, version = call.body, call.version
        name = body.string()
        members: list[tuple[str, str | None]]
        if version >= 3:
            members = body.array(lambda: (body.string(), body.nullable_string()))
        else:
            members = [(body.string(), None)]
        codes: list[tuple[str, str | None, Code]] = []
        for member, instance in members:
            code = Code.NONE
            try:
                self._groups.get(name).leave(member, instance, time.monotonic())
            except RefusedError as error:
                code = error.code
            codes.append((member, instance, code))
        out = Writer()
        if version >= 1:
            out.i32(0)
        if version < 3:
            return out.i16(codes[0][2])
        return out.i16(Code.NONE).array(codes, lambda m: out.string(m[0]).string(m[1]).i16(m[2]))

    def commit(self, call: Call) -> Reply:
        """Store offsets of a member of the present generation."""
        body, version = call.body, call.version
        name, generation, member = body.string(), body.i32(), body.string()
        if version >= 7:
            body.nullable_string()  # instance
        if version <= 4:
            body.i64()  # retention time: offsets are kept until the group is deleted

        def one() -> tuple[int, Committed]:
            number, offset = body.i32(), body.i64()
            epoch = body.i32() if version >= 6 else -1
            return number, Committed(offset, epoch, body.string())

        topics = body.array(lambda: (body.string(), body.array(one)))
        refused = self._fence(name, member, generation)
        out = Writer()
        if version >= 3:
            out.i32(0)

        def each(item: tuple[str, list[tuple[int, Committed]]]) -> None:
            topic, offsets = item
            out.string(topic).array(
                offsets,
                lambda o: out.i32(o[0]).i16(refused or self._commit(name, topic, o[0], o[1])),
            )

        return out.array(topics, each)

    def _fence(self, name: str, member: str, generation: int) -> Code:
        try:
            self._groups.get(name).may_commit(member, generation, time.monotonic())
        except RefusedError as error:
            return error.code
        return Code.NONE

    def _commit(self, name: str, topic: str, number: int, offset: Committed) -> Code:
        try:
            self._topics.partition(topic, number)
            self._groups.get(name).commit(topic, number, offset)
        except RefusedError as error:
            return error.code
        return Code.NONE

    def committed(self, call: Call) -> Reply:
        """Committed offsets, -1 where there is none; of all partitions for null."""
        body, version = call.body, call.version
        group = self._groups.find(body.string())
        known = {} if group is None else group.offsets
        topics = body.nullable_array(lambda: (body.string(), body.array(body.i32)))
        if topics is None:
            names = dict.fromkeys(topic for topic, _ in known)
            topics = [(name, [p for t, p in known if t == name]) for name in names]
        out = Writer()
        if version >= 3:
            out.i32(0)

        def one(topic: str, number: int) -> None:
            found = known.get((topic, number), _NOTHING_COMMITTED)
            out.i32(number).i64(found.offset)
            if version >= 5:
                out.i32(found.leader_epoch)
            out.string(found.metadata).i16(Code.NONE)

        def each(item: tuple[str, list[int]]) -> None:
            topic, numbers = item
            out.string(topic).array(numbers, lambda number: one(topic, number))

        out.array(topics, each)
        if version >= 2:
            out.i16(Code.NONE)
        return out
