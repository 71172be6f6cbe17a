"""What is wrong with an Envoy message that people wrote as YAML or JSON.

A value is walked along the message's descriptor, so that every fault comes with its path, and all of
them at once. On the way the module of each `@type` is imported, which puts the type into protobuf's
pool; after a walk without faults parsing can't fail. `snake_case` and `camelCase` are both fine.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import cast

from google.protobuf import json_format, message_factory
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from pydantic import JsonValue

from xds.spec.complaint import show
from xds.spec.faults import Fault
from xds.spec.findings import Path, dotted
from xds.spec.keys import nearest
from xds.translate.raw_types import UnknownTypeError, descriptor, message_class

Json = dict[str, JsonValue]

TYPE = "@type"
ANY, STRUCT = "google.protobuf.Any", "google.protobuf.Struct"
_GOOGLES = "google.protobuf."
_NOISE = re.compile(r"^(Failed to parse [^ ]+ field: )+|\.* at .*$|\.$", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Wrong:
    """One thing that is wrong with a raw value.

    Attributes:
        path: where, below the value.
        message: what.
        mend: what to write instead.
    """

    path: Path
    message: str
    mend: str = ""

    def below(self, *at: str | int) -> "Wrong":
        """The same, seen from further up."""
        return dataclasses.replace(self, path=(*at, *self.path))

    def fault(self, file: str, line_of: Callable[[Path], int]) -> Fault:
        """The same, as it is said to whoever wrote the file."""
        return Fault(file, line_of(self.path), dotted(self.path), self.message, self.mend)


def faults(kind: type[Message], value: Json) -> list[Wrong]:
    """Everything that keeps a value from being, or from patching, a message of this kind."""
    return list(_walk(descriptor(kind), value, ()))


def faults_of_any(value: Json) -> list[Wrong]:
    """Everything that keeps a value with `@type` from being a message."""
    return list(_any(value, ()))


def field_paths(kind: type[Message], value: Json) -> Iterator[tuple[Path, Path]]:
    """Every field a value sets, also in messages within: its path in snake case, and as it is written."""
    yield from _field_paths(descriptor(kind), value, (), ())


def field_of(kind: Descriptor, key: str) -> FieldDescriptor | None:
    """The field that a key means."""
    found: FieldDescriptor | None = kind.fields_by_name.get(key) or kind.fields_by_camelcase_name.get(key)
    return found


def is_googles(kind: Descriptor) -> bool:
    """Whether it is a message of protobuf's own, which has a JSON form of its own, as `1s`."""
    return kind.full_name.startswith(_GOOGLES)


def map_value(field: FieldDescriptor) -> FieldDescriptor | None:
    """The field of a map's values; None of what is no map."""
    kind = field.message_type
    if kind is None or not kind.GetOptions().map_entry:
        return None
    value: FieldDescriptor = kind.fields_by_name["value"]
    return value


def _field_paths(kind: Descriptor, value: Json, at: Path, written: Path) -> Iterator[tuple[Path, Path]]:
    for key, said in value.items():
        field = field_of(kind, key)
        if field is None:
            continue
        yield (*at, field.name), (*written, key)
        if isinstance(said, dict) and field.message_type is not None and map_value(field) is None:
            yield from _field_paths(field.message_type, said, (*at, field.name), (*written, key))


def _walk(kind: Descriptor, value: JsonValue, at: Path) -> Iterator[Wrong]:
    """The faults of a value that is to be a message with fields."""
    if not isinstance(value, dict):
        yield Wrong(at, f"{show(value)} is no {kind.name}", "write a mapping")
        return
    chosen: dict[str, str] = {}
    for key, said in value.items():
        field = field_of(kind, key)
        if field is None:
            yield from _stray(kind, key, said, (*at, key))
        elif said is not None:
            other = chosen.setdefault(field.containing_oneof.name, key) if field.containing_oneof else key
            if other != key:
                yield Wrong((*at, key), f"excludes {other}", "keep one of them")
            yield from _walk_field(field, said, (*at, key))


def _stray(kind: Descriptor, key: str, said: JsonValue, at: Path) -> Iterator[Wrong]:
    if key != TYPE:
        yield Wrong(at, f"{kind.name} has no such field", nearest(key, list(kind.fields_by_name)))
    elif str(said).rpartition("/")[2] != kind.full_name:
        yield Wrong(at, f"{show(said)} does not belong here", f"write {kind.full_name}, or leave it out")


def _walk_field(field: FieldDescriptor, said: JsonValue, at: Path) -> Iterator[Wrong]:
    entry = map_value(field)
    if entry is not None and isinstance(said, dict):
        for key, value in said.items():
            if value is not None:
                yield from _walk_value(entry, value, (*at, key))
    elif entry is not None:
        yield Wrong(at, f"{show(said)} is no mapping")
    elif field.is_repeated and isinstance(said, list):
        for index, value in enumerate(said):
            yield from _walk_value(field, value, (*at, index))
    elif field.is_repeated:
        yield Wrong(at, f"{show(said)} is no list")
    else:
        yield from _walk_value(field, said, at)


def _walk_value(field: FieldDescriptor, said: JsonValue, at: Path) -> Iterator[Wrong]:
    """The faults of one value of a field: a message, or a leaf, which protobuf judges itself."""
    kind = field.message_type
    if kind is not None and kind.full_name == ANY:
        yield from _any(said, at)
    elif kind is not None and not is_googles(kind):
        yield from _walk(kind, said, at)
    elif field.type == FieldDescriptor.TYPE_STRING and not isinstance(said, str):
        yield Wrong(at, f"{show(said)} is no text", "put it in quotes")
    else:
        holder = message_factory.GetMessageClass(cast("Descriptor", field.containing_type))()
        yield from _unreadable(holder, {field.name: [said] if field.is_repeated else said}, at)


def _any(value: JsonValue, at: Path) -> Iterator[Wrong]:
    said = value.get(TYPE) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(said, str):
        yield Wrong(at, f"has no {TYPE}", f"write {TYPE}: type.googleapis.com/envoy... and its fields")
        return
    try:
        kind = descriptor(message_class(said))
    except UnknownTypeError as error:
        yield Wrong((*at, TYPE), error.message, error.mend)
        return
    if is_googles(kind):
        yield from _unreadable(Any(), value, at)
    else:
        yield from _walk(kind, value, at)


def _unreadable(holder: Message, value: Json, at: Path) -> Iterator[Wrong]:
    try:
        json_format.ParseDict(value, holder)
    except json_format.ParseError as error:
        yield Wrong(at, _NOISE.sub("", str(error)))
