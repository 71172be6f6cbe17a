"""All descriptors -> one file a package, with its imports.

Envoy spreads a package over several .proto files; nobody can tell from the messages, and a module
per package is what one wants to import. It works because no two of the packages import each other;
should they ever, protoc says so and names the circle.
"""

from collections.abc import Iterable

from betterproto2 import Enum
from betterproto2.grpclib.grpclib_server import ServiceBase
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protos.schema.catalogue import SchemaClass, full_name, methods_of, package_of
from protos.schema.closure import referred_types
from protos.schema.descriptors import enum_descriptor, message_descriptor, service_descriptor
from protos.schema.elsewhere import file_elsewhere, is_elsewhere

STUBS = "xds/stubs"
"""The folder of the modules, which is also their Python package."""

# Their fields know whether they were set and their lists are unpacked, which only the syntax tells.
_PROTO2 = {"io.prometheus.client"}


def file_name(package: str) -> str:
    """The name of a package's file; protoc calls the module after it."""
    return f"{STUBS}/{package.replace('.', '_')}.proto"


def schema_files(
    classes: Iterable[SchemaClass], services: Iterable[type[ServiceBase]]
) -> list[FileDescriptorProto]:
    """Writes one file for each package of these messages, enums and services."""
    files = _Files()
    files.add_classes(sorted(classes, key=full_name))
    for service in services:
        files.add_service(service)
    return files.finished()


class _Files:
    """The files under work: nested messages find their outer one, references become imports."""

    def __init__(self) -> None:
        self._files: dict[str, FileDescriptorProto] = {}
        self._imports: dict[str, set[str]] = {}

    def add_classes(self, classes: list[SchemaClass]) -> None:
        messages = {full_name(c): message_descriptor(c) for c in classes if not issubclass(c, Enum)}
        for cls in sorted(classes, key=_depth, reverse=True):  # the innermost first: appending copies
            outer = messages.get(full_name(cls).rpartition(".")[0])
            if issubclass(cls, Enum):
                enums = self._file(cls).enum_type if outer is None else outer.enum_type
                enums.append(enum_descriptor(cls))
            else:
                siblings = self._file(cls).message_type if outer is None else outer.nested_type
                siblings.append(messages[full_name(cls)])
            self._import(cls, referred_types(cls))

    def add_service(self, cls: type[ServiceBase]) -> None:
        self._file(cls).service.append(service_descriptor(cls))
        for method in methods_of(cls):
            self._import(cls, (method.request, method.response))

    def finished(self) -> list[FileDescriptorProto]:
        for package, file in self._files.items():
            file.dependency.extend(sorted(self._imports.get(package, set()) - {file.name}))
        return [self._files[package] for package in sorted(self._files)]

    def _file(self, cls: type) -> FileDescriptorProto:
        package = package_of(cls)
        syntax = "proto2" if package in _PROTO2 else "proto3"
        new = FileDescriptorProto(name=file_name(package), package=package, syntax=syntax)
        return self._files.setdefault(package, new)

    def _import(self, cls: type, targets: Iterable[SchemaClass]) -> None:
        self._imports.setdefault(package_of(cls), set()).update(
            file_elsewhere(target) if is_elsewhere(target) else file_name(package_of(target))
            for target in targets
        )


def _depth(cls: SchemaClass) -> int:
    return full_name(cls).count(".")
