"""What a peer says, whatever the dialect and the encoding: the messages between decoder and stream."""

import dataclasses
from collections.abc import Mapping
from typing import Self

from xds.errors import CanaryError

MOST_TYPES = 50
"""On one stream. There are a dozen in all; a type nobody knows is answered, and remembered, as well."""

MOST_NAMES = 250_000
"""Subscribed on one stream, over all types: several times what any Envoy can bear."""


class TooMuch(CanaryError):
    """A peer asks for more than any Envoy does. Its stream is ended, so that memory stays bounded."""


@dataclasses.dataclass(frozen=True, slots=True)
class Locality:
    """Where a peer stands; "" where it doesn't say."""

    region: str = ""
    zone: str = ""
    sub_zone: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """Who the peer is. Copied out of the first request, which is large and not kept."""

    id: str = ""
    cluster: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    locality: Locality = Locality()
    version: tuple[int, int, int] | None = None
    """Of Envoy; None where the peer is no Envoy or doesn't say."""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One request on a stream.

    Attributes:
        type: the type URL.
        node: given on the first request of a stream, at the least.
        subscribe: names newly asked for (`*`: everything).
        unsubscribe: names no longer wanted.
        known: version by name of what the peer has from an earlier stream.
        has_more: whether it has more from an earlier stream than `known` says.
        nonce: of the answer this one acknowledges or refuses; "" for a spontaneous request.
        error: why it refuses; None for an acknowledgement.
    """

    type: str
    node: Node | None = None
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    known: Mapping[str, str] = dataclasses.field(default_factory=dict)
    has_more: bool = False
    nonce: str = ""
    error: str | None = None

    def of_type(self, type_: str) -> Self:
        """The same request, of a service that carries only this type."""
        return dataclasses.replace(self, type=type_)
