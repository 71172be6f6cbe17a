"""Messages whose modules another distribution brings: import theirs, never generate our own.

protobuf has one pool of names per process and takes each name once. protobuf itself brings the
well-known types, googleapis-common-protos brings google.rpc, and opentelemetry-proto what OpenTelemetry's
exporter loads into the same process.
"""

import importlib

from google.protobuf.descriptor import FileDescriptor

from protos.schema.catalogue import SchemaClass, full_name, package_of

_MODULES = (
    "google.protobuf.any_pb2",
    "google.protobuf.duration_pb2",
    "google.protobuf.empty_pb2",
    "google.protobuf.struct_pb2",
    "google.protobuf.timestamp_pb2",
    "google.protobuf.wrappers_pb2",
    "google.rpc.status_pb2",
    "opentelemetry.proto.common.v1.common_pb2",
)

FILES: tuple[FileDescriptor, ...] = tuple(importlib.import_module(name).DESCRIPTOR for name in _MODULES)
"""The files of other distributions that Envoy's schema imports, each after those it needs itself."""

_PACKAGES = {file.package for file in FILES}
_FILE_BY_NAME = {
    name: file
    for file in FILES
    for name in (
        *(message.full_name for message in file.message_types_by_name.values()),
        *(enum.full_name for enum in file.enum_types_by_name.values()),
    )
}


def is_elsewhere(cls: SchemaClass) -> bool:
    """Whether another distribution brings this message or enum."""
    return package_of(cls) in _PACKAGES


def file_elsewhere(cls: SchemaClass) -> str:
    """The name of the file that has this message or enum, such as `google/protobuf/any.proto`.

    Raises:
        KeyError: no file listed here has it; Envoy has begun to import another.
    """
    return _FILE_BY_NAME[full_name(cls)].name
