"""Who a peer is: what is worth keeping of the large message that says so."""

import re

from google.protobuf.struct_pb2 import Struct

from xds.discovery.request import Locality, Node
from xds.stubs import envoy_config_core_v3_pb2 as core


def node_of(message: core.Node) -> Node:
    """The node in a request."""
    return Node(
        id=message.id,
        cluster=message.cluster,
        metadata=_strings(message.metadata),
        locality=_locality(message.locality),
        version=_version(message) if message.user_agent_name == "envoy" else None,
    )


def _locality(message: core.Locality) -> Locality:
    return Locality(message.region, message.zone, message.sub_zone)


def _strings(struct: Struct) -> dict[str, str]:
    return {key: value.string_value for key, value in struct.fields.items() if value.HasField("string_value")}


def _version(message: core.Node) -> tuple[int, int, int] | None:
    if message.HasField("user_agent_build_version"):
        version = message.user_agent_build_version.version
        return version.major_number, version.minor_number, version.patch
    found = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", message.user_agent_version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
