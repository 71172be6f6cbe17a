"""Small Envoy messages that appear everywhere."""

from collections.abc import Mapping

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_route_v3_pb2 as route_v3

VERSION = "x-canary-version"
"""The request header that tells upstreams, and the log, the version where clients are not told."""

METADATA = "canary"
"""The filter-metadata namespace of what we say about clusters and routes."""


def duration(seconds: float) -> Duration:
    """A duration, to the millisecond."""
    return Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1000) * 1_000_000)


def packed(message: Message) -> Any:
    """A message as `Any`."""
    wrapped = Any()
    wrapped.Pack(message, deterministic=True)
    return wrapped


def ads() -> core.ConfigSource:
    """From the aggregated stream that the peer has already."""
    return core.ConfigSource(ads=core.AggregatedConfigSource(), resource_api_version=core.V3)


def awaited_ads() -> core.ConfigSource:
    """The same, for what an Envoy is nothing without: after 15 s without it, it would say it is ready."""
    source = ads()
    source.initial_fetch_timeout.SetInParent()
    return source


def address(host: str, port: int) -> core.Address:
    """An IP address or a name, and a TCP port."""
    return core.Address(socket_address=core.SocketAddress(address=host, port_value=port))


def match_path(prefix: str) -> route_v3.RouteMatch:
    """A path and everything below it, by whole parts."""
    if prefix == "/":
        return route_v3.RouteMatch(prefix="/")
    return route_v3.RouteMatch(path_separated_prefix=prefix)


def describe(metadata: core.Metadata, facts: Mapping[str, str]) -> None:
    """Say facts about a resource, for the access log and for whoever reads a config dump."""
    fields = metadata.filter_metadata[METADATA].fields
    for name, value in facts.items():
        fields[name].string_value = value


def set_header(name: str, value: str) -> core.HeaderValueOption:
    """Set a header to exactly this text, whatever there was."""
    literal = value.replace("%", "%%")
    return core.HeaderValueOption(
        header=core.HeaderValue(key=name, value=literal),
        append_action=core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )
