"""Bytes of an `ExportTraceServiceRequest` to spans: protobuf or OTLP/JSON, told apart by content.

Protobuf is parsed by upb into messages that are wire-compatible with OTLP's own, but declare
`attributes` as a map: a map entry and a KeyValue are the same bytes, so the C parser builds
the lookup, and only the attributes that somebody asks for become Python values. The messages
are built from the descriptors in opentelemetry-proto, in a pool and a package of their own.
They are declared proto2 because proto3 refuses a whole request for one byte that isn't UTF-8.

Source: opentelemetry-proto v1, opentelemetry/proto/collector/trace/v1/trace_service.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from detector import otlp_json
from detector.errors import Drop
from detector.records import Blind, Resource, Span

MAX_DEPTH = 32
"""Levels of nested lists and maps in one attribute that are read; what lies deeper reads as None."""

MAX_SPANS = 65_536
"""Spans of one request that are read; an exporter's batch has some hundred."""

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
MAX_KNOWN_RESOURCE_BYTES = 8192
_NO_TRACE = bytes(TRACE_ID_BYTES)
_NO_SPAN = bytes(SPAN_ID_BYTES)
_ERROR = 2
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


def decode(value: bytes, faults: dict[str, int] | None = None) -> list[Span]:
    """The spans of one request, in its order. `faults` counts the spans that were dropped, by reason.

    Raises Drop with `empty`, `bad_json`, `truncated_protobuf`, `not_otlp` or `too_deep` where
    nothing of the request can be used. A request without spans is an empty list.
    """
    faults = {} if faults is None else faults
    if not value:
        raise Drop("empty", "expected an ExportTraceServiceRequest, came no bytes")
    spans = otlp_json.spans(value) if _looks_like_json(value) else _protobuf_spans(value)
    kept: list[Span] = []
    for span in spans:
        # A str stands for a span that can't be read, and says why.
        fault = span if isinstance(span, str) else _id_fault(span)
        if not fault and len(kept) == MAX_SPANS:
            fault = "too_many_spans"
        if fault:
            faults[fault] = faults.get(fault, 0) + 1
        else:
            kept.append(span)  # type: ignore[arg-type]  # no str: these have a fault
    return kept


def pick(spans: Iterable[Span], keys: frozenset[str]) -> list[dict[str, Any]]:
    """Of each decoded span the attributes among `keys`, as plain values."""
    return [span.attributes.pick(keys) for span in spans]  # type: ignore[attr-defined]  # decode gives such


def _looks_like_json(value: bytes) -> bool:
    # 0x0a begins JSON after a blank line, and every protobuf request (field 1). A protobuf
    # request whose first length byte is `{` goes on with a tag, never with a JSON string.
    if value[0] == 0x7B:
        return True
    head = value[:64].removeprefix(_BOM).lstrip(_BLANK)
    return head[:1] == b"{" and value[:1] in (b"\xef", b" ", b"\t", b"\r", b"\n") and _json_follows(head)


def _json_follows(head: bytes) -> bool:
    return head[1:].lstrip(_BLANK)[:1] in (b'"', b"}")


def _id_fault(span: Span) -> str:
    """Why the span can't be placed, or an empty string. Repairs what can be repaired."""
    trace, own, parent = span.trace_id, span.span_id, span.parent_id
    if len(trace) != TRACE_ID_BYTES or trace == _NO_TRACE:
        return "bad_trace_id" if trace.strip(b"\0") else "no_trace_id"
    if parent and (len(parent) != SPAN_ID_BYTES or parent == _NO_SPAN):
        span.parent_id = b""
        if parent.strip(b"\0"):
            span.blind |= Blind.IDS
    if len(own) != SPAN_ID_BYTES or own == _NO_SPAN:
        if own.strip(b"\0"):
            return "bad_span_id"
        span.span_id = _id_from_content(span)
        span.blind |= Blind.IDS
    return ""


def _id_from_content(span: Span) -> bytes:
    """An id for a span that came without: the same whenever the same span comes."""
    content = blake2b(digest_size=SPAN_ID_BYTES)
    for part in (span.trace_id, span.parent_id, span.name, span.start, span.end, span.kind, span.scope):
        content.update(repr(part).encode("utf-8", "surrogatepass") + b"\0")
    for key in sorted(span.attributes):
        content.update(f"{key}={span.attributes[key]!r}"[:256].encode("utf-8", "surrogatepass") + b"\0")
    return content.digest()


# --- protobuf ---------------------------------------------------------------------------


def _message_classes() -> tuple[Any, ...]:
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, trace_pb2, trace_service_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        pool.AddSerializedFile(_as_our_own(file).SerializeToString())
    return tuple(
        message_factory.GetMessageClass(pool.FindMessageTypeByName("detector." + message.DESCRIPTOR.full_name))
        for message in (trace_service_pb2.ExportTraceServiceRequest, resource_pb2.Resource)
    )


def _as_our_own(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """The file moved to package `detector.…`, with maps where it had lists of KeyValue."""
    file.name = "detector/" + file.name
    file.package = "detector." + file.package
    file.syntax = "proto2"
    file.ClearField("service")
    file.ClearField("options")
    for index, dependency in enumerate(file.dependency):
        file.dependency[index] = "detector/" + dependency
    for message in file.message_type:
        _with_maps(message, f".{file.package}.{message.name}")
    return file


def _with_maps(message: descriptor_pb2.DescriptorProto, path: str) -> None:
    for inner in message.nested_type:
        _with_maps(inner, f"{path}.{inner.name}")
    for field in message.field:
        if field.type_name:
            field.type_name = ".detector" + field.type_name
        if field.type_name.endswith(".common.v1.KeyValue"):
            # The compiler demands this name of a map's entry: the field's, in camel case.
            entry = message.nested_type.add(name=field.name.title() + "Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=1, type=9)
            entry.field.add(name="value", number=2, label=1, type=11, type_name=field.type_name[:-8] + "AnyValue")
            field.type_name = f"{path}.{entry.name}"


_Request, _Resource = _message_classes()


class _Attributes(Mapping[str, Any]):
    """Attributes of a message, made into Python values as they are asked for."""

    __slots__ = ("_map",)

    def __init__(self, values: Any) -> None:
        self._map = values

    def pick(self, keys: frozenset[str]) -> dict[str, Any]:
        """The attributes among `keys`, in one pass: one lookup for each that is there, none for those that aren't."""
        values = self._map
        picked = {}
        for key in values:
            if key in keys:
                value = values[key]
                # Of a oneof at most one is set, so reading on where nothing was found is cheaper than asking which.
                picked[key] = value.string_value or value.int_value or _plain(value)
        return picked

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self._map:
            return default
        value = self._map[key]
        return value.string_value or _plain(value)

    def __getitem__(self, key: str) -> Any:
        if key not in self._map:
            raise KeyError(key)
        return _plain(self._map[key])

    def __contains__(self, key: object) -> bool:
        return key in self._map

    def __iter__(self) -> Iterator[str]:
        return (_text(key) for key in self._map)

    def __len__(self) -> int:
        return len(self._map)


class _Events(Sequence[tuple[str, Mapping[str, Any]]]):
    """Span events, touched only where a dialect reads them."""

    __slots__ = ("_span",)

    def __init__(self, span: Any) -> None:
        self._span = span

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        event = self._span.events[index]
        return _text(event.name), _Attributes(event.attributes)

    def __len__(self) -> int:
        return len(self._span.events)


def _text(value: str | bytes) -> str:
    # upb gives bytes for a proto2 string that isn't UTF-8.
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    which = value.WhichOneof("value")
    if which == "string_value":
        return _text(value.string_value)
    if which is None or depth == 0:
        return None
    if which == "array_value":
        return [_plain(item, depth - 1) for item in value.array_value.values]
    if which == "kvlist_value":
        items = value.kvlist_value.values
        return {_text(key): _plain(items[key], depth - 1) for key in items}
    return getattr(value, which)


def _protobuf_spans(value: bytes) -> Iterator[Span]:
    try:
        request = _Request.FromString(value)
    except DecodeError as fault:
        raise _why(value, str(fault)) from None
    resource_spans = request.resource_spans
    if not resource_spans:
        raise Drop("not_otlp", f"expected field 1, ResourceSpans, came none in {len(value)} bytes")
    for group in resource_spans:
        resource = _resource(group.resource)
        for scope_spans in group.scope_spans:
            scope = _text(scope_spans.scope.name)
            for span in scope_spans.spans:
                yield _span(span, resource, scope)


def _resource(message: Any) -> Resource:
    value = message.SerializeToString()
    return _known_resource(value) if len(value) <= MAX_KNOWN_RESOURCE_BYTES else _new_resource(value)


def _new_resource(value: bytes) -> Resource:
    return Resource(dict(_Attributes(_Resource.FromString(value).attributes)))


_known_resource = lru_cache(maxsize=1024)(_new_resource)
"""By bytes, since a process sends the same ones with every request."""


def _span(span: Any, resource: Resource, scope: str) -> Span:
    name = span.name
    code, message = 0, ""
    if span.HasField("status"):
        status = span.status
        code, message = status.code, _text(status.message)
    return Span(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        name if name.__class__ is str else _text(name),
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        code,
        _Attributes(span.attributes),
        _Events(span),
        resource,
        scope,
        message,
    )


def _why(value: bytes, fault: str) -> Drop:
    if "MaxDepth" in fault:
        return Drop("too_deep", "expected an OTLP request, came one nested beyond what protobuf allows")
    # Field 1, length-delimited, is how every request begins.
    reason = "truncated_protobuf" if value[:1] == b"\x0a" else "not_otlp"
    return Drop(reason, f"expected an ExportTraceServiceRequest, came {len(value)} bytes that are none")
