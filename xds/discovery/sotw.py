"""The state-of-the-world dialect: decoding its requests, encoding its answers.

A request names everything its peer wants of a type, each time anew; here it becomes what changed, so
that both dialects drive the same watches. `version_info` is the fingerprint of all that the peer is
to have, in hexadecimal: a reconnecting peer that shows the catalog's own is up to date.
"""

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Self

from xds.catalog.catalog import Catalog
from xds.catalog.resource import Resource
from xds.catalog.types import WILDCARD_BY_DEFAULT
from xds.catalog.wire import field
from xds.discovery.answer import Answer, encoded_once
from xds.discovery.node import node_of
from xds.discovery.request import Node, Request
from xds.discovery.stream import Stream, Verdict
from xds.discovery.subscription import WILDCARD
from xds.discovery.watch import Watch
from xds.stubs import envoy_service_discovery_v3_pb2 as discovery

SOME_VERSION = ""
"""A version no resource has: the peer has the resource, but nobody knows which."""

_CONTROL_PLANE = field(6, field(1, b"canary"))


@dataclasses.dataclass(frozen=True, slots=True)
class StateRequest:
    """One request: everything the peer wants of a type."""

    type: str
    node: Node | None = None
    names: tuple[str, ...] = ()
    version: str = ""
    nonce: str = ""
    error: str | None = None

    def of_type(self, type_: str) -> Self:
        """The same request, of a service that carries only this type."""
        return dataclasses.replace(self, type=type_)


def decode(raw: bytes) -> StateRequest:
    """The request in an encoded DiscoveryRequest.

    Raises:
        google.protobuf.message.DecodeError: it is none.
    """
    message = discovery.DiscoveryRequest.FromString(raw)
    return StateRequest(
        type=message.type_url,
        node=node_of(message.node) if message.HasField("node") else None,
        names=tuple(message.resource_names),
        version=message.version_info,
        nonce=message.response_nonce,
        error=message.error_detail.message if message.HasField("error_detail") else None,
    )


def receive(stream: Stream, request: StateRequest) -> Verdict | None:
    """Hand a request to its stream, as what it changes."""
    changes = as_changes(request, stream.watches.get(request.type), stream.catalog)
    if changes is None:
        stream.stale()
        return None
    return stream.receive(changes)


def as_changes(request: StateRequest, watch: Watch | None, catalog: Catalog) -> Request | None:
    """What a request changes; None for a stale one, which is not even answered.

    Args:
        request: what the peer wants now.
        watch: the type's watch; None for the first request of the type on its stream.
        catalog: what the peer is to have.
    """
    if watch is None:
        return _first(request, catalog)
    if request.nonce != watch.last_nonce and request.nonce:
        return None
    wanted, had = set(request.names), watch.subscription.names
    keeps_all = WILDCARD in wanted or (watch.legacy and not wanted) or not watch.subscription.wildcard
    return Request(
        type=request.type,
        subscribe=tuple(name for name in request.names if name not in had),
        unsubscribe=tuple(had - wanted) + (() if keeps_all else (WILDCARD,)),
        nonce=request.nonce if request.nonce in watch.in_flight else "",
        error=request.error,
    )


def _first(request: StateRequest, catalog: Catalog) -> Request:
    known = _known(request, catalog)
    return Request(
        type=request.type,
        node=request.node,
        subscribe=request.names,
        known=known,
        has_more=bool(request.version) and not known,
    )


def _known(request: StateRequest, catalog: Catalog) -> Mapping[str, str]:
    """What a reconnecting peer has: everything, or some version of what it names, or it doesn't say."""
    names = request.names or ((WILDCARD,) if request.type in WILDCARD_BY_DEFAULT else ())
    if WILDCARD in names and request.version == version_info(catalog.fingerprint(request.type)):
        return catalog.versions(request.type)
    return dict.fromkeys(names, SOME_VERSION) if request.version and WILDCARD not in names else {}


def encode(answer: Answer) -> bytes:
    """The answer as an encoded DiscoveryResponse; streams sent the same share one `bytes`."""
    if answer.batch is not None and not answer.rest:
        there = filter(None, answer.batch.resources.values())
        key = f"{answer.nonce} {answer.state}"
        return encoded_once(
            answer.batch, key, lambda: _message(answer.type, answer.nonce, answer.state, there)
        )
    new = tuple(item.after for item in answer.items if item.after is not None)
    return _encode(answer.type, answer.nonce, answer.state, new + answer.rest)


@functools.lru_cache(maxsize=8)
def _encode(type_: str, nonce: str, state: int, resources: tuple[Resource, ...]) -> bytes:
    return _message(type_, nonce, state, resources)


def _message(type_: str, nonce: str, state: int, resources: Iterable[Resource]) -> bytes:
    return b"".join(
        [
            field(1, version_info(state).encode()),
            *(field(2, field(1, resource.type.encode()) + field(2, resource.body)) for resource in resources),
            field(4, type_.encode()),
            field(5, nonce.encode()),
            _CONTROL_PLANE,
        ]
    )


def version_info(state: int) -> str:
    """A fingerprint as a version."""
    return f"{state:016x}"
