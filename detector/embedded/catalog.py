"""Metadata, and what an admin client asks about topics, their settings and groups."""

from detector.embedded.call import CLUSTER, NODE, Call, Reply, Served
from detector.embedded.groups import Groups
from detector.embedded.log import Partition
from detector.embedded.topics import Topic, Topics
from detector.embedded.wire import Api, Code, RefusedError, Writer

_UNASKED = -(1 << 31)  # authorized operations, where nobody asked for them
_LEADER_EPOCH = 0


class Catalog:
    """The handlers that list, create, grow and delete topics and groups."""

    def __init__(self, topics: Topics, groups: Groups) -> None:
        """Speak for `topics` and `groups`."""
        self._topics = topics
        self._groups = groups

    def apis(self) -> dict[int, Served]:
        """Return the APIs served here."""
        return {
            Api.METADATA: Served(0, 8, self.metadata),
            Api.CREATE_TOPICS: Served(0, 4, self.create_topics),
            Api.DELETE_TOPICS: Served(0, 3, self.delete_topics),
            Api.CREATE_PARTITIONS: Served(0, 1, self.create_partitions),
            Api.LIST_GROUPS: Served(0, 2, self.list_groups),
            # v3 is left out: aiokafka 0.14 reads its answer with the schema of v2.
            Api.DESCRIBE_GROUPS: Served(0, 2, self.describe_groups),
            Api.DELETE_GROUPS: Served(0, 1, self.delete_groups),
        }

    def metadata(self, call: Call) -> Reply:
        """One broker leads everything; topics asked for by name are created."""
        body, version = call.body, call.version
        names = body.nullable_array(body.string)
        if version == 0 and not names:
            names = None
        create = body.boolean() if version >= 4 else True
        host, port = call.local
        out = Writer()
        if version >= 3:
            out.i32(0)
        out.i32(1).i32(NODE).string(host).i32(port)
        if version >= 1:
            out.string(None)  # rack
        if version >= 2:
            out.string(CLUSTER)
        if version >= 1:
            out.i32(NODE)  # controller
        if names is None:
            names = [topic.name for topic in self._topics.all()]
        out.array(names, lambda name: self._describe(out, name, version, create=create))
        if version >= 8:
            out.i32(_UNASKED)
        return out

    def _describe(self, out: Writer, name: str, version: int, *, create: bool) -> None:
        code, partitions = Code.NONE, list[Partition]()
        try:
            partitions = self._found(name, create=create).partitions
        except RefusedError as error:
            code = error.code
        out.i16(code).string(name)
        if version >= 1:
            out.boolean(value=False)  # internal

        def one(number: int) -> None:
            out.i16(Code.NONE).i32(number).i32(NODE)
            if version >= 7:
                out.i32(_LEADER_EPOCH)
            out.i32(1).i32(NODE).i32(1).i32(NODE)  # replicas, in-sync replicas
            if version >= 5:
                out.i32(0)  # offline replicas

        out.array(range(len(partitions)), one)
        if version >= 8:
            out.i32(_UNASKED)

    def _found(self, name: str, *, create: bool) -> Topic:
        topic = self._topics.get(name)
        if topic is not None:
            return topic
        if not create:
            raise RefusedError(Code.UNKNOWN_TOPIC_OR_PARTITION)
        return self._topics.create(name)

    def create_topics(self, call: Call) -> Reply:
        """Create topics; replication other than 1, or by hand, is refused."""
        body, version = call.body, call.version
        wanted = body.array(
            lambda: (
                body.string(),
                body.i32(),
                body.i16(),
                body.array(lambda: (body.i32(), body.array(body.i32))),
                dict(body.array(lambda: (body.string(), body.string()))),
            )
        )
        body.i32()  # timeout
        dry = body.boolean() if version >= 1 else False
        out = Writer()
        if version >= 2:
            out.i32(0)

        def each(
            topic: tuple[str, int, int, list[tuple[int, list[int]]], dict[str, str]],
        ) -> None:
            name, partitions, replicas, by_hand, settings = topic
            code, why = Code.NONE, None
            try:
                if replicas not in {-1, 1}:
                    raise RefusedError(  # noqa: TRY301
                        Code.INVALID_REPLICATION_FACTOR, "there is one broker"
                    )
                count = len(by_hand) or partitions
                self._topics.create(name, count, settings, dry=dry)
            except RefusedError as error:
                code, why = error.code, error.why
            out.string(name).i16(code)
            if version >= 1:
                out.string(why)

        return out.array(wanted, each)

    def delete_topics(self, call: Call) -> Reply:
        """Delete topics with their committed offsets."""
        names = call.body.array(call.body.string)
        out = Writer()
        if call.version >= 1:
            out.i32(0)

        def each(name: str) -> None:
            code = Code.NONE
            try:
                self._topics.delete(name)
                self._groups.forget_topic(name)
            except RefusedError as error:
                code = error.code
            out.string(name).i16(code)

        return out.array(names, each)

    def create_partitions(self, call: Call) -> Reply:
        """Add partitions to topics."""
        body = call.body

        def one() -> tuple[str, int]:
            wanted = body.string(), body.i32()
            body.array(lambda: body.array(body.i32))
            return wanted

        wanted = body.array(one)
        body.i32()  # timeout
        dry = body.boolean()
        out = Writer().i32(0)

        def each(item: tuple[str, int]) -> None:
            name, total = item
            code, why = Code.NONE, None
            try:
                self._topics.grow(self._found(name, create=False), total, dry=dry)
            except RefusedError as error:
                code, why = error.code, error.why
            out.string(name).i16(code).string(why)

        return out.array(wanted, each)

    def list_groups(self, call: Call) -> Reply:
        """Every group and its kind."""
        out = Writer()
        if call.version >= 1:
            out.i32(0)
        return out.i16(Code.NONE).array(self._groups.all(), lambda g: out.string(g.name).string(g.protocol_type))

    def describe_groups(self, call: Call) -> Reply:
        """State and members of groups; one that is not there is described as Dead."""
        names = call.body.array(call.body.string)
        out = Writer()
        if call.version >= 1:
            out.i32(0)

        def each(name: str) -> None:
            group = self._groups.find(name)
            out.i16(Code.NONE).string(name)
            if group is None:
                out.string("Dead").string("").string("").i32(0)
                return
            out.string(group.state).string(group.protocol_type).string(group.protocol)
            out.array(
                list(group.members.values()),
                lambda m: (
                    out.string(m.id)
                    .string(m.request.client)
                    .string(m.request.host)
                    .blob(m.request.protocols.get(group.protocol, b""))
                    .blob(m.assignment)
                ),
            )

        return out.array(names, each)

    def delete_groups(self, call: Call) -> Reply:
        """Delete groups without members."""
        names = call.body.array(call.body.string)
        out = Writer().i32(0)

        def each(name: str) -> None:
            code = Code.NONE
            try:
                self._groups.delete(name)
            except RefusedError as error:
                code = error.code
            out.string(name).i16(code)

        return out.array(names, each)
