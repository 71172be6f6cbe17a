"""What messages name: every message within a message, extensions unpacked, and the clusters they name."""

from collections.abc import Iterator
from typing import cast

from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from xds.translate.raw_types import UnknownTypeError, message_class

_CLUSTER_FIELDS = frozenset({"cluster", "cluster_name"})
"""What Envoy calls the field with a cluster's name: of routes, mirrors, gRPC and HTTP services, TCP."""
_SHARE = "ClusterWeight"


def messages_in(message: Message) -> Iterator[Message]:
    """The message and every message within it, extensions unpacked."""
    if isinstance(message, Any):
        unpacked = _unpacked(message)
        if unpacked is not None:
            yield from messages_in(unpacked)
        return
    yield message
    for field, value in message.ListFields():
        for part in _parts(field, value):
            yield from messages_in(part)


def clusters_in(*messages: Message) -> frozenset[str]:
    """The clusters that messages name, wherever in them."""
    return frozenset(
        name for message in messages for part in messages_in(message) for name in _clusters_of(part)
    )


def _clusters_of(part: Message) -> Iterator[str]:
    for field, value in part.ListFields():
        is_share = field.name == "name" and part.DESCRIPTOR.name == _SHARE
        if field.type == FieldDescriptor.TYPE_STRING and (is_share or field.name in _CLUSTER_FIELDS):
            yield cast("str", value)


def _parts(field: FieldDescriptor, value: object) -> Iterator[Message]:
    kind = field.message_type
    if kind is None:
        return
    if kind.GetOptions().map_entry:
        if kind.fields_by_name["value"].message_type is not None:
            yield from cast("dict[object, Message]", value).values()
    elif field.is_repeated:
        yield from cast("list[Message]", value)
    else:
        yield cast("Message", value)


def _unpacked(packed: Any) -> Message | None:
    try:
        inner = message_class(packed.type_url)()
    except UnknownTypeError:
        return None
    packed.Unpack(inner)
    return inner
