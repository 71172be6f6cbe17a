"""A resource: one encoded Envoy message with a name, a type and a version.

Versions are content hashes: every replica computes the same one, an Envoy that reconnects is sent
nothing it already has, and rolling back restores old versions with old bytes. An endpoint
resource's version also hashes its cluster's version, because an Envoy that was sent a new cluster
waits for that cluster's endpoints to come again (facts: "the trap").
"""

import dataclasses
from collections.abc import Callable

import xxhash
from google.protobuf.message import Message

VersionOf = Callable[[bytes, str], str]


def content_version(body: bytes, salt: str = "") -> str:
    """The version of an encoded message: 16 hex digits of its content and the salt."""
    return xxhash.xxh3_64_hexdigest(salt.encode() + body)


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """One encoded message.

    Attributes:
        type: its type URL.
        body: the encoded message itself (not wrapped in an Any).
        clusters: the clusters its routes name; it must not reach an Envoy before them.
    """

    type: str
    name: str
    version: str
    body: bytes = b""
    clusters: frozenset[str] = frozenset()


def fingerprint(resource: Resource) -> int:
    """64 bits of a resource's name and version. A set's is the XOR of its members', in any order."""
    return xxhash.xxh3_64_intdigest(f"{resource.name}\0{resource.version}".encode())


def encode(
    type_: str,
    name: str,
    message: Message | bytes,
    *,
    clusters: frozenset[str] = frozenset(),
    salt: str = "",
    version_of: VersionOf = content_version,
) -> Resource:
    """Encode a message once and for all.

    Args:
        type_: what kind of resource it is.
        name: its name in xDS.
        message: the message, or its encoding where that was put together from parts.
        clusters: the clusters it names, where it is of a routing type.
        salt: what its version depends on besides its bytes: its cluster's version for endpoints.
        version_of: computes the version from bytes and salt.
    """
    body = message if isinstance(message, bytes) else message.SerializeToString(deterministic=True)
    return Resource(type_, name, version_of(body, salt), body, clusters)
