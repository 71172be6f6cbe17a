"""Envoy messages that people wrote as YAML or JSON: parsed, and merged over our own."""

from typing import TypeVar, cast

from google.protobuf import json_format
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from xds.spec.findings import dotted
from xds.translate.raw_check import (
    ANY,
    STRUCT,
    TYPE,
    Json,
    Wrong,
    faults,
    faults_of_any,
    field_of,
    is_googles,
    map_value,
)
from xds.translate.raw_types import descriptor, message_class

M = TypeVar("M", bound=Message)

_TEXT = FieldDescriptor.CPPTYPE_STRING
_IN_PIECES = frozenset({ANY, STRUCT})
"""Of protobuf's own messages, those whose JSON form can be merged; others come as one, as `1s`."""


class RawError(ValueError):
    """A raw value that is no such message. One that was checked never raises it."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(f"{dotted(wrong.path)}: {wrong.message}")


def parse(kind: type[M], value: Json) -> M:
    """A message of this kind; `@type` may be there, and then has to say the same.

    Raises:
        RawError: the value has faults.
    """
    return merge(kind(), value)


def parse_any(value: Json) -> Message:
    """The message that a value with `@type` is.

    Raises:
        RawError: the value has faults.
    """
    _refuse(faults_of_any(value))
    return merge(message_class(str(value[TYPE]))(), value)


def merge(message: M, patch: Json) -> M:
    """The message with a patch over it: messages and maps merge, all else replaces, null clears.

    Setting one field of a `oneof` clears the others. An extension merges with one of its own `@type`.

    Raises:
        RawError: the patch has faults.
    """
    _refuse(faults(type(message), patch))
    merged = type(message)()
    merged.CopyFrom(message)
    _fill(merged, patch)
    return merged


def _refuse(wrongs: list[Wrong]) -> None:
    if wrongs:
        raise RawError(wrongs[0])


def _fill(message: Message, value: Json) -> None:
    for key, said in value.items():
        field = field_of(descriptor(type(message)), key)
        if field is None:
            continue
        if said is None:
            message.ClearField(field.name)
        elif isinstance(said, dict) and _is_map_by_name(field):
            _fill_map(message, field, said)
        elif isinstance(said, dict) and not field.is_repeated and not _is_one_piece(field):
            part: Message = getattr(message, field.name)
            part.SetInParent()
            _fill_part(part, said)
        else:
            message.ClearField(field.name)
            json_format.ParseDict({field.name: said}, message)


def _fill_map(message: Message, field: FieldDescriptor, said: Json) -> None:
    entries = getattr(message, field.name)
    merges = not _is_one_piece(cast("FieldDescriptor", map_value(field)))
    for key, value in said.items():
        if value is None:
            entries.pop(key, None)
        elif isinstance(value, dict) and merges:
            _fill_part(entries[key], value)
        else:
            json_format.ParseDict({field.name: {key: value}}, message)


def _fill_part(part: Message, said: Json) -> None:
    if isinstance(part, Any):
        _fill_any(part, said)
    elif isinstance(part, Struct):
        part.MergeFrom(json_format.ParseDict(said, Struct()))
    else:
        _fill(part, said)


def _fill_any(part: Any, said: Json) -> None:
    inner = message_class(str(said[TYPE]))()
    if is_googles(descriptor(type(inner))):
        json_format.ParseDict(said, part)
        return
    part.Unpack(inner)
    _fill(inner, said)
    part.Pack(inner, deterministic=True)


def _is_map_by_name(field: FieldDescriptor) -> bool:
    """Whether it is a map whose keys are text, as all are but one of Dubbo's."""
    kind = field.message_type
    return kind is not None and map_value(field) is not None and kind.fields_by_name["key"].cpp_type == _TEXT


def _is_one_piece(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is None or (is_googles(kind) and kind.full_name not in _IN_PIECES)
