"""Gateways: groups of Envoys, their listeners, and the defaults of what they serve."""

from typing import Literal

from pydantic import Field

from xds.spec.envoy import GatewayPatches, Raw
from xds.spec.names import GatewayName, HeaderName
from xds.spec.places import Domain, IpAddress
from xds.spec.sizes import MIB, Size
from xds.spec.upstream import Model, UpstreamSettings
from xds.spec.values import Port, Text

DEFAULT_GATEWAY = "default"
MAX_BODY = 16 * MIB


class Listen(Model):
    """Where the Envoys of a gateway accept requests."""

    address: IpAddress = "127.0.0.1"
    port: Port


class LocalityMatch(Model):
    """Where Envoys stand: every part given must be equal."""

    region: Text | None = None
    zone: Text | None = None
    sub_zone: Text | None = None


class NodeMatch(Model):
    """Which Envoys belong to a gateway: every condition given must hold."""

    cluster: Text | None = None
    """The `node.cluster` of its bootstrap."""
    id: Text | None = None
    """A glob: `edge-*`."""
    metadata: dict[str, str] = Field(default_factory=dict)
    """Keys and values of `node.metadata`."""
    locality: LocalityMatch = LocalityMatch()
    """The `node.locality` of its bootstrap."""


class Gateway(Model):
    """A group of Envoys that are all to have the same configuration."""

    name: GatewayName
    mode: Literal["table", "scoped", "proxyless"] = "table"
    """`table`: Envoys, with all routes in one table. `scoped`: Envoys, with a table for each host, which
    has no wildcard. `proxyless`: gRPC's own clients, without Envoys."""
    domain: Domain | None = None
    """A deployment without `hosts` is also reached at `<name>.<domain>`."""
    nodes: tuple[NodeMatch, ...] = ()
    """Any of these; none: `node.cluster` equals the gateway's name."""
    listeners: tuple[Listen, ...] = ()
    version_header: HeaderName | None = "x-canary-version"
    """The response header that names the version; null turns it off."""
    max_body: Size = MAX_BODY
    """Bytes of a body that are taken in to read its model; more is refused with 413."""
    defaults: UpstreamSettings = UpstreamSettings()
    http_filters: tuple[Raw, ...] = ()
    """Envoy's HttpFilters, in front of the router."""
    virtual_hosts: tuple[Raw, ...] = ()
    """Envoy's VirtualHosts, in the same route table: services that are no deployments yet."""
    static_clusters: tuple[Text, ...] = ()
    """Clusters its Envoys have from their own bootstraps, which raw resources may name."""
    patches: GatewayPatches = GatewayPatches()

    @property
    def is_raw(self) -> bool:
        """Whether it says anything in Envoy's own words."""
        return bool(self.http_filters or self.virtual_hosts) or self.patches != GatewayPatches()


def default_gateway() -> Gateway:
    """The gateway of a server that was configured with none."""
    return Gateway(name=DEFAULT_GATEWAY, listeners=(Listen(port=10000),))
