"""Random messages of any type, made from its descriptor by way of protobuf's JSON form.

A message made here has every one of its fields (one of each oneof); the messages inside it have
fewer the deeper they are. Values are such that betterproto2 can hold them too: whole microseconds
in times, and in proto2 messages, whose presence it does not know, nothing that equals the default.
"""

import base64
import random
import struct
from typing import TYPE_CHECKING, cast

from google.protobuf import (  # noqa: F401 - wrappers: BoolValue is what our Any messages hold
    json_format,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

if TYPE_CHECKING:
    from collections.abc import Callable

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

DEEPEST = 5
_TEXT = "aZ09_.-/* \u00e9\u2603\U0001f424"
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (1, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (1, 2**64 - 1),
}


class RandomMessages:
    """A source of random messages; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._well_known: dict[str, Callable[[], Json]] = {
            "google.protobuf.Any": lambda: {
                "@type": "type.googleapis.com/google.protobuf.BoolValue",
                "value": True,
            },
            "google.protobuf.Duration": lambda: f"{self._random.randint(-(10**6), 10**6)}s",
            "google.protobuf.ListValue": lambda: [self._text(), 0.5, None],
            "google.protobuf.Struct": lambda: {self._text(): {"list": [True, None, self._text()]}},
            "google.protobuf.Timestamp": lambda: f"2026-01-01T00:00:00.{self._random.randrange(10**6):06}Z",
            "google.protobuf.Value": self._text,
        }

    def message(self, descriptor: Descriptor) -> Message:
        """A random message of this type."""
        fields = cast("dict[str, Json]", self._message(descriptor, depth=0))
        return json_format.ParseDict(fields, GetMessageClass(descriptor)())

    def _message(self, descriptor: Descriptor, depth: int) -> Json:
        if well_known := self._well_known.get(descriptor.full_name):
            return well_known()
        if descriptor.full_name.startswith("google.protobuf.") and descriptor.full_name.endswith("Value"):
            return self._scalar(descriptor.fields_by_name["value"])
        fields = [f for f in descriptor.fields if f.containing_oneof is None]
        fields += [self._random.choice(oneof.fields) for oneof in descriptor.oneofs]
        return {f.name: self._value(f, depth) for f in fields if self._is_wanted(f, depth)}

    def _is_wanted(self, field: FieldDescriptor, depth: int) -> bool:
        if depth == 0:
            return True
        if field.message_type and depth == DEEPEST:
            return False
        return self._random.random() < 0.5 / depth

    def _value(self, field: FieldDescriptor, depth: int) -> Json:
        count = self._random.randint(1, 2)
        if field.message_type and field.message_type.GetOptions().map_entry:
            key = field.message_type.fields_by_name["key"]
            value = field.message_type.fields_by_name["value"]
            return {str(self._scalar(key)): self._single(value, depth) for _ in range(count)}
        if field.is_repeated:
            return [self._single(field, depth) for _ in range(count)]
        return self._single(field, depth)

    def _single(self, field: FieldDescriptor, depth: int) -> Json:
        return self._message(field.message_type, depth + 1) if field.message_type else self._scalar(field)

    def _scalar(self, field: FieldDescriptor) -> Json:
        lost_if_default = field.has_presence and field.containing_oneof is None
        kind = field.cpp_type
        if kind in _RANGES:
            low, high = _RANGES[kind]
            return self._random.choice([1, low, high, self._random.randint(low, high) or 1])
        if field.enum_type:
            numbers = [value.number for value in field.enum_type.values]
            return self._random.choice([n for n in numbers if n or not lost_if_default])
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return lost_if_default or self._random.random() < 0.5
        if kind == FieldDescriptor.CPPTYPE_STRING:
            text = self._text()
            return base64.b64encode(text.encode()).decode() if field.type == field.TYPE_BYTES else text
        single: float = struct.unpack("f", struct.pack("f", self._random.uniform(-1e9, 1e9)))[0]
        return single

    def _text(self) -> str:
        return "".join(self._random.choices(_TEXT, k=self._random.randint(1, 9)))
