"""The incremental dialect: decoding its requests, encoding its answers.

Answers are put together from parts that are encoded already: a protobuf message is the
concatenation of its fields, so a resource's bytes are copied, never encoded again. The same answer
with the same nonce goes to many streams as the very same `bytes`.
"""

import functools
from collections.abc import Iterable

from xds.catalog.batches import Batch
from xds.catalog.resource import Resource
from xds.catalog.wire import field
from xds.discovery.answer import Answer, encoded_once
from xds.discovery.node import node_of
from xds.discovery.request import Request
from xds.discovery.stream import Stream, Verdict
from xds.stubs import envoy_service_discovery_v3_pb2 as discovery

_CONTROL_PLANE = field(7, field(1, b"canary"))


def decode(raw: bytes) -> Request:
    """The request in an encoded DeltaDiscoveryRequest.

    Raises:
        google.protobuf.message.DecodeError: it is none.
    """
    message = discovery.DeltaDiscoveryRequest.FromString(raw)
    versions = message.initial_resource_versions
    return Request(
        type=message.type_url,
        node=node_of(message.node) if message.HasField("node") else None,
        subscribe=tuple(message.resource_names_subscribe),
        unsubscribe=tuple(message.resource_names_unsubscribe),
        known={name: versions[name] for name in versions},
        nonce=message.response_nonce,
        error=message.error_detail.message if message.HasField("error_detail") else None,
    )


def receive(stream: Stream, request: Request) -> Verdict | None:
    """Hand a request to its stream."""
    return stream.receive(request)


def encode(answer: Answer) -> bytes:
    """The answer as an encoded DeltaDiscoveryResponse; streams sent the same share one `bytes`."""
    if answer.batch is not None:
        batch = answer.batch
        return encoded_once(batch, answer.nonce, lambda: _batch(answer.type, answer.nonce, batch))
    resources = tuple(item.after for item in answer.items if item.after is not None)
    removed = tuple(item.name for item in answer.items if item.after is None)
    return _encode(answer.type, answer.nonce, resources, removed)


def _batch(type_: str, nonce: str, batch: Batch) -> bytes:
    there = {name: resource for name, resource in batch.resources.items() if resource is not None}
    return _message(type_, nonce, there.values(), batch.resources.keys() - there.keys())


@functools.lru_cache(maxsize=8)
def _encode(type_: str, nonce: str, resources: tuple[Resource, ...], removed: tuple[str, ...]) -> bytes:
    return _message(type_, nonce, resources, removed)


def _message(type_: str, nonce: str, resources: Iterable[Resource], removed: Iterable[str]) -> bytes:
    return b"".join(
        [
            *(field(2, _resource(resource)) for resource in resources),
            field(4, type_.encode()),
            field(5, nonce.encode()),
            *(field(6, name.encode()) for name in removed),
            _CONTROL_PLANE,
        ]
    )


def _resource(resource: Resource) -> bytes:
    any_ = field(1, resource.type.encode()) + field(2, resource.body)
    return field(1, resource.version.encode()) + field(2, any_) + field(3, resource.name.encode())
