"""Messages that are wire-compatible with OTLP's own, but laid out for reading.

`attributes` are declared as a map: a map entry and a KeyValue are the same bytes, so the C parser
builds the lookup. The messages are built from the descriptors in opentelemetry-proto, in a pool and
a package of their own. They are declared proto2 because proto3 refuses a whole request for one byte
that isn't UTF-8. Events, lists and maps are declared bytes, and parsed where somebody asks for them:
an empty message of two bytes takes seventy in memory, and a record may hold millions.

Source: opentelemetry-proto v1, opentelemetry/proto/collector/trace/v1/trace_service.proto.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

LAZY = frozenset({"events", "array_value", "kvlist_value"})
BYTES = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED


def _message_classes() -> tuple[Any, ...]:
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, trace_pb2, trace_service_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        pool.AddSerializedFile(_as_our_own(file).SerializeToString())
    items = descriptor_pb2.FileDescriptorProto(name="detector/items.proto", package="detector", syntax="proto2")
    fields = items.message_type.add(name="Items").field
    for number, name in enumerate(("first", "second"), 1):
        fields.add(name=name, number=number, label=REPEATED, type=BYTES)
    pool.AddSerializedFile(items.SerializeToString())
    ours = (
        trace_service_pb2.ExportTraceServiceRequest, resource_pb2.Resource, trace_pb2.Span.Event,
        common_pb2.ArrayValue, common_pb2.KeyValueList,
    )  # fmt: skip
    names = [*("detector." + message.DESCRIPTOR.full_name for message in ours), "detector.Items"]
    return tuple(message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names)


def _as_our_own(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """The file moved to package `detector.…`, with maps where it had lists of KeyValue, and bytes for the LAZY."""
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
    # A field that is unknown stays as it came; nobody reads the links of a span.
    for index in reversed([index for index, field in enumerate(message.field) if field.name == "links"]):
        del message.field[index]
    for field in message.field:
        if field.name in LAZY:
            field.type = BYTES
            field.ClearField("type_name")
        if field.type_name:
            field.type_name = ".detector" + field.type_name
        if field.type_name.endswith(".common.v1.KeyValue"):
            # The compiler demands this name of a map's entry: the field's, in camel case.
            entry = message.nested_type.add(name=field.name.title() + "Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=1, type=9)
            entry.field.add(name="value", number=2, label=1, type=11, type_name=field.type_name[:-8] + "AnyValue")
            field.type_name = f"{path}.{entry.name}"


Request, ResourceMessage, EventMessage, ArrayValue, KeyValueList, Items = _message_classes()
"""`Items` are two lists of bytes: the groups of a request, the spans of a group, unparsed."""
