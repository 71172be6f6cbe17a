"""A gateway's route table, put together from virtual hosts that are encoded already.

In `table` mode one RouteConfiguration holds every host, and each change sends all of it. What a
change need not do is build and encode all of it: only the virtual hosts that changed are.
"""

import dataclasses
from collections.abc import Iterable

from xds.catalog.resource import Resource, encode
from xds.catalog.types import Type
from xds.catalog.wire import field
from xds.stubs import envoy_config_route_v3_pb2 as route_v3

_VIRTUAL_HOSTS = route_v3.RouteConfiguration.VIRTUAL_HOSTS_FIELD_NUMBER


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """An encoded virtual host and the clusters its routes name."""

    body: bytes
    clusters: frozenset[str]


def route_table(name: str, hosts: Iterable[Host]) -> Resource:
    """The RouteConfiguration of these hosts, in this order."""
    hosts = list(hosts)
    head = route_v3.RouteConfiguration(name=name, ignore_port_in_host_matching=True)
    body = b"".join([head.SerializeToString(), *(field(_VIRTUAL_HOSTS, host.body) for host in hosts)])
    return encode(Type.ROUTE, name, body, clusters=frozenset().union(*(host.clusters for host in hosts)))
