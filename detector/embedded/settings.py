"""DescribeConfigs, AlterConfigs, IncrementalAlterConfigs: the settings of topics."""

from collections.abc import Callable

from detector.embedded.call import Call, Reply, Served
from detector.embedded.topics import Topic, Topics
from detector.embedded.wire import Api, Code, RefusedError, Writer

_TOPIC = 2
_SET_ON_TOPIC, _DEFAULT = 1, 5  # config sources
_SET, _DELETE = 0, 1  # operations of IncrementalAlterConfigs
_STRING = 2  # config type

_Changes = list[tuple[str, int, str]]


class Settings:
    """The handlers of topic settings; brokers have none that can be read or set."""

    def __init__(self, topics: Topics) -> None:
        """Read and write the settings of `topics`."""
        self._topics = topics

    def apis(self) -> dict[int, Served]:
        """Return the APIs served here."""
        return {
            Api.DESCRIBE_CONFIGS: Served(0, 3, self.describe),
            Api.ALTER_CONFIGS: Served(0, 1, self.alter),
            Api.INCREMENTAL_ALTER_CONFIGS: Served(0, 0, self.alter_some),
        }

    def describe(self, call: Call) -> Reply:
        """Settings that were given, and the defaults of those that matter here."""
        body, version = call.body, call.version
        wanted = body.array(lambda: (body.i8(), body.string(), body.nullable_array(body.string)))
        out = Writer().i32(0)

        def entry(name: str, value: str, *, given: bool) -> None:
            out.string(name).string(value).boolean(value=False)
            if version == 0:
                out.boolean(not given)
            else:
                out.i8(_SET_ON_TOPIC if given else _DEFAULT)
            out.boolean(value=False)  # sensitive
            if version >= 1:
                out.i32(0)  # synonyms
            if version >= 3:
                out.i8(_STRING).string(None)  # documentation

        def each(resource: tuple[int, str, list[str] | None]) -> None:
            kind, name, only = resource
            code, why, shown = Code.NONE, None, dict[str, str]()
            given: dict[str, str] = {}
            try:
                if kind == _TOPIC:
                    given = self._topic(name).settings
                    shown = self._defaults() | given
            except RefusedError as error:
                code, why = error.code, error.why
            out.i16(code).string(why).i8(kind).string(name)
            entries = [(k, v) for k, v in shown.items() if not only or k in only]
            out.array(entries, lambda kv: entry(kv[0], kv[1], given=kv[0] in given))

        return out.array(wanted, each)

    def _defaults(self) -> dict[str, str]:
        limits = self._topics.limits
        return {
            "cleanup.policy": "delete",
            "retention.bytes": str(limits.retention_bytes),
            "retention.ms": "-1",
            "max.message.bytes": str(limits.message_bytes),
        }

    def _topic(self, name: str) -> Topic:
        topic = self._topics.get(name)
        if topic is None:
            raise RefusedError(Code.UNKNOWN_TOPIC_OR_PARTITION)
        return topic

    def alter(self, call: Call) -> Reply:
        """Replace all settings of a topic."""
        body = call.body

        def change() -> tuple[str, int, str]:
            return body.string(), _SET, body.string()

        return self._altered(call, change, keep=False)

    def alter_some(self, call: Call) -> Reply:
        """Set or delete single settings of a topic."""
        body = call.body

        def change() -> tuple[str, int, str]:
            return body.string(), body.i8(), body.string()

        return self._altered(call, change, keep=True)

    def _altered(self, call: Call, change: Callable[[], tuple[str, int, str]], *, keep: bool) -> Writer:
        body = call.body
        wanted = body.array(lambda: (body.i8(), body.string(), body.array(change)))
        dry = body.boolean()
        out = Writer().i32(0)

        def each(resource: tuple[int, str, _Changes]) -> None:
            kind, name, changes = resource
            code, why = Code.NONE, None
            try:
                if kind != _TOPIC:
                    raise RefusedError(  # noqa: TRY301
                        Code.INVALID_REQUEST, "only topics have settings"
                    )
                self._alter(self._topic(name), changes, keep=keep, dry=dry)
            except RefusedError as error:
                code, why = error.code, error.why
            out.i16(code).string(why).i8(kind).string(name)

        return out.array(wanted, each)

    def _alter(self, topic: Topic, changes: _Changes, *, keep: bool, dry: bool) -> None:
        settings = dict(topic.settings) if keep else {}
        for name, operation, value in changes:
            if operation == _SET:
                settings[name] = value
            elif operation == _DELETE:
                settings.pop(name, None)
            else:
                raise RefusedError(Code.INVALID_CONFIG, "append and subtract are not supported")
        if not dry:
            self._topics.configure(topic, settings)
