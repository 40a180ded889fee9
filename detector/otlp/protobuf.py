"""OTLP's protobuf to spans.

upb parses the bytes into messages that are wire-compatible with OTLP's own, but declare
`attributes` as a map: a map entry and a KeyValue are the same bytes, so the C parser builds
the lookup, and only the attributes that somebody asks for become Python values. The messages
are built from the descriptors in opentelemetry-proto, in a pool and a package of their own.
They are declared proto2 because proto3 refuses a whole request for one byte that isn't UTF-8.
What stands under a key that isn't UTF-8 can't be looked up, and reads as if it weren't there.

Source: opentelemetry-proto v1, opentelemetry/proto/collector/trace/v1/trace_service.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from detector.errors import Drop
from detector.records import Resource, Span

MAX_DEPTH = 32
"""Levels of nested lists and maps in one attribute that are read; what lies deeper reads as None."""

MAX_KNOWN_RESOURCE_BYTES = 8192


def spans(value: bytes) -> Iterator[Span]:
    """The spans in `value`. Raises Drop with `truncated_protobuf`, `not_otlp` or `too_deep`."""
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
                name, status = span.name, span.status
                message = status.message
                yield Span(
                    span.trace_id,
                    span.span_id,
                    span.parent_span_id,
                    name if name.__class__ is str else _text(name),
                    span.kind,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    status.code,
                    _Attributes(span.attributes),  # type: ignore[arg-type]  # registered as a Mapping
                    _Events(span),  # type: ignore[arg-type]  # registered as a Sequence
                    resource,
                    scope,
                    message if message.__class__ is str else _text(message),
                )


def _why(value: bytes, fault: str) -> Drop:
    if "MaxDepth" in fault:
        return Drop("too_deep", "expected an OTLP request, came one nested beyond what protobuf allows")
    # Field 1, length-delimited, is how every request begins.
    reason = "truncated_protobuf" if value[:1] == b"\x0a" else "not_otlp"
    return Drop(reason, f"expected an ExportTraceServiceRequest, came {len(value)} bytes that are none")


def _resource(message: Any) -> Resource:
    value = message.SerializeToString()
    return _known_resource(value) if len(value) <= MAX_KNOWN_RESOURCE_BYTES else _new_resource(value)


def _new_resource(value: bytes) -> Resource:
    return Resource(dict(_Attributes(_Resource.FromString(value).attributes)))


_known_resource = lru_cache(maxsize=1024)(_new_resource)
"""By bytes, since a process sends the same ones with every request."""


# --- values -----------------------------------------------------------------------------


@Mapping.register
class _Attributes(msgspec.Struct, gc=False, eq=False):
    """Attributes of a message, made into Python values as they are asked for. A Mapping in all but its base:
    a Struct is made in a third of the time, and each span has one.
    """

    map: Any

    def pick(self, keys: frozenset[str]) -> dict[str, Any]:
        """The attributes among `keys` that have a value."""
        values = self.map
        picked = {}
        for key in values:
            if key in keys:
                value = values[key]
                # Of a oneof at most one is set, so reading on where nothing was found is cheaper than asking which.
                plain = value.string_value or value.int_value
                if not plain or plain.__class__ is bytes:
                    plain = _plain(value)
                    if plain is None:
                        continue
                picked[key] = plain
        return picked

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self.map:
            return default
        value = self.map[key]
        text = value.string_value
        return text if text and text.__class__ is str else _plain(value)

    def __getitem__(self, key: str) -> Any:
        if key not in self.map:
            raise KeyError(key)
        return _plain(self.map[key])

    def __contains__(self, key: object) -> bool:
        return key in self.map

    def __iter__(self) -> Iterator[str]:
        return (key for key in self.map if key.__class__ is str)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys(self) -> Iterator[str]:
        """The keys, in no order."""
        return iter(self)


@Sequence.register
class _Events(msgspec.Struct, gc=False, eq=False):
    """Span events, touched only where a dialect reads them."""

    span: Any

    def __getitem__(self, index: int) -> tuple[str, Mapping[str, Any]]:
        event = self.span.events[index]
        return _text(event.name), _Attributes(event.attributes)  # type: ignore[return-value]

    def __len__(self) -> int:
        return len(self.span.events)


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
        return {key: _plain(items[key], depth - 1) for key in items if isinstance(key, str)}
    return getattr(value, which)


# --- messages ---------------------------------------------------------------------------


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
