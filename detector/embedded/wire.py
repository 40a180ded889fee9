"""The Kafka wire format: primitive types, error codes and API keys.

Names and numbers follow the Kafka protocol guide (https://kafka.apache.org/protocol).
Only the classic, non-flexible encodings are spoken.
"""

import struct
from collections.abc import Callable, Collection
from enum import IntEnum
from typing import Self, TypeVar

T = TypeVar("T")

_I8 = struct.Struct(">b")
_I16 = struct.Struct(">h")
_I32 = struct.Struct(">i")
_I64 = struct.Struct(">q")


class Api(IntEnum):
    """Protocol guide, "API Keys"."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    DESCRIBE_GROUPS = 15
    LIST_GROUPS = 16
    API_VERSIONS = 18
    CREATE_TOPICS = 19
    DELETE_TOPICS = 20
    INIT_PRODUCER_ID = 22
    DESCRIBE_CONFIGS = 32
    ALTER_CONFIGS = 33
    CREATE_PARTITIONS = 37
    DELETE_GROUPS = 42
    INCREMENTAL_ALTER_CONFIGS = 44


class Code(IntEnum):
    """Protocol guide, "Error Codes"."""

    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    CORRUPT_MESSAGE = 2
    UNKNOWN_TOPIC_OR_PARTITION = 3
    MESSAGE_TOO_LARGE = 10
    OFFSET_METADATA_TOO_LARGE = 12
    COORDINATOR_NOT_AVAILABLE = 15
    INVALID_TOPIC_EXCEPTION = 17
    INVALID_REQUIRED_ACKS = 21
    ILLEGAL_GENERATION = 22
    INCONSISTENT_GROUP_PROTOCOL = 23
    INVALID_GROUP_ID = 24
    UNKNOWN_MEMBER_ID = 25
    INVALID_SESSION_TIMEOUT = 26
    REBALANCE_IN_PROGRESS = 27
    UNSUPPORTED_VERSION = 35
    TOPIC_ALREADY_EXISTS = 36
    INVALID_PARTITIONS = 37
    INVALID_REPLICATION_FACTOR = 38
    INVALID_CONFIG = 40
    INVALID_REQUEST = 42
    POLICY_VIOLATION = 44
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45
    INVALID_PRODUCER_EPOCH = 47
    NON_EMPTY_GROUP = 68
    GROUP_ID_NOT_FOUND = 69
    GROUP_MAX_SIZE_REACHED = 81
    FENCED_INSTANCE_ID = 82
    INVALID_RECORD = 87


class MalformedRequestError(Exception):
    """The bytes are no request that this broker understands: the connection ends."""


class RefusedError(Exception):
    """A request, or a part of one, is answered with an error code."""

    def __init__(self, code: Code, why: str = "") -> None:
        """`why` goes to the client where the response has a message field."""
        super().__init__(why or code.name)
        self.code = code
        self.why = why or code.name


class Reader:
    """Takes values from the front of a request.

    Raises MalformedRequestError where the request ends too early.
    """

    __slots__ = ("_data", "_pos")

    def __init__(self, data: bytes) -> None:
        """Start at the first byte."""
        self._data = data
        self._pos = 0

    def _take(self, form: struct.Struct) -> int:
        try:
            value: int = form.unpack_from(self._data, self._pos)[0]
        except struct.error as error:
            msg = f"request ends at byte {len(self._data)}, value due at {self._pos}"
            raise MalformedRequestError(msg) from error
        self._pos += form.size
        return value

    def _raw(self, length: int) -> bytes:
        end = self._pos + length
        if length < 0 or end > len(self._data):
            msg = f"{length} bytes due at {self._pos} of {len(self._data)}"
            raise MalformedRequestError(msg)
        raw = self._data[self._pos : end]
        self._pos = end
        return raw

    def i8(self) -> int:
        """INT8."""
        return self._take(_I8)

    def i16(self) -> int:
        """INT16."""
        return self._take(_I16)

    def i32(self) -> int:
        """INT32."""
        return self._take(_I32)

    def i64(self) -> int:
        """INT64."""
        return self._take(_I64)

    def boolean(self) -> bool:
        """BOOLEAN."""
        return self._take(_I8) != 0

    def nullable_string(self) -> str | None:
        """NULLABLE_STRING."""
        length = self._take(_I16)
        if length == -1:
            return None
        try:
            return self._raw(length).decode()
        except UnicodeDecodeError as error:
            msg = f"string before byte {self._pos} is not UTF-8"
            raise MalformedRequestError(msg) from error

    def string(self) -> str:
        """STRING; null reads as empty, as some clients send it so."""
        return self.nullable_string() or ""

    def blob(self) -> bytes:
        """BYTES or NULLABLE_BYTES; null reads as empty."""
        length = self._take(_I32)
        return b"" if length == -1 else self._raw(length)

    def nullable_array(self, each: Callable[[], T]) -> list[T] | None:
        """ARRAY of what `each` reads, None where it is null."""
        count = self._take(_I32)
        return None if count == -1 else [each() for _ in range(count)]

    def array(self, each: Callable[[], T]) -> list[T]:
        """ARRAY of what `each` reads; null reads as empty."""
        return self.nullable_array(each) or []


class Writer:
    """Collects a response; every method returns the writer, so that calls chain."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        """Start empty."""
        self._parts: list[bytes] = []

    def i8(self, value: int) -> Self:
        """INT8."""
        self._parts.append(_I8.pack(value))
        return self

    def i16(self, value: int) -> Self:
        """INT16."""
        self._parts.append(_I16.pack(value))
        return self

    def i32(self, value: int) -> Self:
        """INT32."""
        self._parts.append(_I32.pack(value))
        return self

    def i64(self, value: int) -> Self:
        """INT64."""
        self._parts.append(_I64.pack(value))
        return self

    def boolean(self, value: bool) -> Self:
        """BOOLEAN."""
        return self.i8(int(value))

    def string(self, value: str | None) -> Self:
        """STRING or NULLABLE_STRING."""
        if value is None:
            return self.i16(-1)
        raw = value.encode()
        self._parts += (_I16.pack(len(raw)), raw)
        return self

    def blobs(self, parts: Collection[bytes]) -> Self:
        """BYTES made of several parts, which are not copied yet."""
        self.i32(sum(map(len, parts)))
        self._parts += parts
        return self

    def blob(self, value: bytes) -> Self:
        """BYTES."""
        return self.blobs((value,))

    def array(self, items: Collection[T], each: Callable[[T], object]) -> Self:
        """ARRAY: the count, then `each` writes one item after the other."""
        self.i32(len(items))
        for item in items:
            each(item)
        return self

    def frame(self, correlation: int) -> bytes:
        """Return the whole response, with its length and header, ready to send."""
        body = sum(map(len, self._parts))
        return b"".join((_I32.pack(body + 4), _I32.pack(correlation), *self._parts))
