"""What there is to check: every module that was generated from envoy-data-plane's schema."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor

import xds.stubs


def schema_files() -> list[FileDescriptor]:
    """Imports every generated module, our own API left out, and returns what they describe."""
    names = (module.name for module in pkgutil.iter_modules(xds.stubs.__path__))
    return [
        importlib.import_module(f"xds.stubs.{name}").DESCRIPTOR
        for name in names
        if name.endswith("_pb2") and not name.startswith("canary_")
    ]


def messages(files: Iterable[FileDescriptor]) -> Iterator[Descriptor]:
    """Every message, the nested ones and the entries of maps among them."""
    todo = [message for file in files for message in file.message_types_by_name.values()]
    while todo:
        message = todo.pop()
        yield message
        todo += message.nested_types


def enums(files: list[FileDescriptor]) -> Iterator[EnumDescriptor]:
    """Every enum, the nested ones among them."""
    for file in files:
        yield from file.enum_types_by_name.values()
    for message in messages(files):
        yield from message.enum_types
