"""Garbage to every method: it is answered or refused, and never breaks anything."""

import random
from collections.abc import Sequence
from typing import cast

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from tests.admin.methods import METHODS, Method, ended
from tests.support.serving import Serving
from xds.stubs import canary_admin_v1_pb2 as pb

FEW, MANY = 25, 1500
"""Requests to each method without and with `--long`."""

TEXTS = ["", "chat", "chat@a", "default", "a", "main", "\0", "\N{SNOWMAN}", "x" * 3000, "name: [", "model:m2"]
NUMBERS = [0, 1, 2, 3, -1, 9, 3002, 65_535, 2**31 - 1, -(2**31)]
LARGE = [*NUMBERS, 2**63 - 1, -(2**63), 2**53, 1_800_000_000]
REALS = [0.0, 1.0, 0.5, -1.0, 100.0, 0.001, float("nan"), float("inf"), 1e308]

REFUSALS = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("name", METHODS)
async def test_garbage_is_answered_or_refused(
    served: Serving, name: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """No message of the right type, however odd, makes the server fail."""
    method, chance = METHODS[name], random.Random(name)
    odd = []
    async with grpc.aio.insecure_channel(served.admin) as channel:
        for _ in range(MANY if request.config.getoption("--long") else FEW):
            sent = garbage(method, chance)
            came = await ended(channel, method, sent, seconds=2)
            if came.code not in REFUSALS:
                odd.append((sent, came))
    assert odd == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("grpc")] == []


def garbage(method: Method, chance: random.Random) -> bytes:
    """A message with some of its fields, sensible or not; or what a few accidents make of its bytes."""
    made = filled(method.takes(), chance)
    if chance.random() < 0.7:
        return made.SerializeToString()
    raw = bytearray(made.SerializeToString())
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(raw))
        raw[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(raw)


def filled(message: Message, chance: random.Random, depth: int = 0) -> Message:
    """Put something into about half of a message's fields."""
    for field in cast("Descriptor", message.DESCRIPTOR).fields:
        if chance.random() < 0.4:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(getattr(message, field.name), field, chance)
        elif field.message_type is not None:
            if depth < 4:
                _fill_message(message, field, chance, depth)
        elif field.is_repeated:
            getattr(message, field.name).extend(_value(field, chance) for _ in range(chance.randint(0, 3)))
        else:
            setattr(message, field.name, _value(field, chance))
    _be_brief(message)
    return message


def _fill_message(message: Message, field: FieldDescriptor, chance: random.Random, depth: int) -> None:
    inner = getattr(message, field.name)
    if field.is_repeated:
        for _ in range(chance.randint(0, 3)):
            filled(inner.add(), chance, depth + 1)
    else:
        inner.SetInParent()
        filled(inner, chance, depth + 1)


def _fill_map(inner: dict[object, object], field: FieldDescriptor, chance: random.Random) -> None:
    key, value = cast("Descriptor", field.message_type).fields
    for _ in range(chance.randint(0, 3)):
        inner[_value(key, chance)] = _value(value, chance)


VALUES: dict[int, Sequence[object]] = {
    FieldDescriptor.TYPE_STRING: TEXTS,
    FieldDescriptor.TYPE_BYTES: (*(text.encode() for text in TEXTS), b"/?a=b", b"\xff"),
    FieldDescriptor.TYPE_BOOL: (False, True),
    FieldDescriptor.TYPE_DOUBLE: REALS,
    FieldDescriptor.TYPE_UINT32: tuple(map(abs, NUMBERS)),
    FieldDescriptor.TYPE_INT64: LARGE,
}
"""What fields are filled with, by their types; others with NUMBERS."""


def _value(field: FieldDescriptor, chance: random.Random) -> object:
    return chance.choice(VALUES.get(field.type, NUMBERS))


def _be_brief(message: Message) -> None:
    """Nobody waits for long here."""
    if isinstance(message, pb.WaitOptions) and message.timeout.seconds >= 0:
        message.timeout.CopyFrom(Duration(nanos=1_000_000))
