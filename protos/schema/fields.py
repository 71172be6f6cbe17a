"""The fields of a message as betterproto2 tells them, and the types they refer to.

betterproto2 keeps number, type, oneof and presence in each dataclass field's metadata; the class
that a message or enum field refers to is only in the annotation. Well-known types are the
exception: their annotation is the Python value (a `bool` for a BoolValue), and the metadata's
`unwrap` gives the class. Field options, `deprecated` among them, are lost.
"""

import dataclasses
import functools
import keyword
import sys
import typing
from typing import cast

from betterproto2 import TYPE_ENUM, TYPE_MESSAGE, FieldMetadata, Message

from protos.schema.catalogue import SchemaClass


@dataclasses.dataclass(frozen=True)
class Field:
    """A field: its protobuf name, what betterproto2 says of it, and the type it refers to."""

    name: str
    metadata: FieldMetadata
    type: SchemaClass | None
    """The message or enum; of a map, the one of its values. None for numbers, strings, bytes."""


@functools.cache
def fields_of(cls: type[Message]) -> tuple[Field, ...]:
    """The fields of a message, in the order in which they are written."""
    annotations = typing.get_type_hints(cls, vars(sys.modules[cls.__module__]))
    return tuple(_field(field, annotations[field.name]) for field in dataclasses.fields(cls))  # type: ignore[arg-type]  # every message is a dataclass; mypy sees the base only


def _field(field: "dataclasses.Field[object]", annotation: object) -> Field:
    metadata = FieldMetadata.get(field)
    return Field(_protobuf_name(field.name), metadata, _referred_type(metadata, annotation))


def _referred_type(metadata: FieldMetadata, annotation: object) -> SchemaClass | None:
    value = metadata.map_meta[1] if metadata.map_meta else metadata
    if value.proto_type not in {TYPE_MESSAGE, TYPE_ENUM}:
        return None
    return cast("SchemaClass", value.unwrap() if value.unwrap else _innermost(annotation))


def _innermost(annotation: object) -> object:
    """`X | None`, `list[X]` and `dict[K, X]` to X."""
    while arguments := [a for a in typing.get_args(annotation) if a is not type(None)]:
        annotation = arguments[-1]
    return annotation


def _protobuf_name(attribute: str) -> str:
    """Takes off the underscore that keeps `in_` or `_100` from being no Python name."""
    bare = attribute.strip("_")
    return bare if keyword.iskeyword(bare) or not bare.isidentifier() else attribute
