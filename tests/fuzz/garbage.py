"""Requests as no peer should send them: valid ones of either dialect, and what becomes of their bytes."""

import random

from xds.catalog.types import Type
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryRequest, DiscoveryRequest

TYPES = [*Type, Type.CLUSTER, Type.CLUSTER, Type.ROUTE, "type.googleapis.com/no.such.Type", ""]
NAMES = ["a", "b", "c", "*", "", "nobody", "\N{SNOWMAN}", "x" * 300]
NONCES = ["", "", "made up", *(f"{position}.{part}" for position in range(4) for part in range(4))]


def valid(kind: type[DeltaDiscoveryRequest] | type[DiscoveryRequest], chance: random.Random) -> bytes:
    """A well-formed request, sensible or not."""
    request = kind(type_url=chance.choice(TYPES), response_nonce=chance.choice(NONCES))
    if isinstance(request, DeltaDiscoveryRequest):
        request.resource_names_subscribe.extend(_some_names(chance))
        request.resource_names_unsubscribe.extend(_some_names(chance))
        for name in _some_names(chance):
            request.initial_resource_versions[name] = chance.choice("12")
    else:
        request.resource_names.extend(_some_names(chance))
        request.version_info = chance.choice(["", "1", "0" * 16])
    if chance.random() < 0.3:
        request.error_detail.message = chance.choice(NAMES)
    if chance.random() < 0.3:
        request.node.id, request.node.user_agent_name = chance.choice(NAMES), "envoy"
        request.node.user_agent_version = chance.choice(["1.40.0", "9" * 5000 + ".0.0", "none"])
        request.node.metadata.update({"a": {"b": [1, None, "c"]}})
    return request.SerializeToString()


def _some_names(chance: random.Random) -> list[str]:
    return chance.choices(NAMES, k=chance.randint(0, 3))


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """The same bytes after a few accidents: flipped, lost, repeated, put in."""
    out = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randint(0, len(out)), chance.randint(1, 8)
        piece = out[at : at + length]
        out[at : at + length] = chance.choice(
            [
                bytes(byte ^ 1 << chance.randint(0, 7) for byte in piece),
                b"",
                piece * 3,
                chance.randbytes(length),
            ]
        )
    return bytes(out)


def garbage(kind: type[DeltaDiscoveryRequest] | type[DiscoveryRequest], chance: random.Random) -> bytes:
    """A request: well-formed, mutated, or nothing but noise."""
    made = chance.choice([valid(kind, chance), chance.randbytes(chance.randint(0, 60))])
    return mutated(made, chance) if chance.random() < 0.5 else made
