"""A build's endpoints as a cluster load assignment, by zone."""

from collections.abc import Iterable

from xds.spec.endpoints import Endpoint
from xds.stubs import envoy_config_endpoint_v3_pb2 as endpoint_v3


def assignment(cluster: str, endpoints: Iterable[Endpoint]) -> endpoint_v3.ClusterLoadAssignment:
    """Where a cluster's requests can go; nowhere is a valid answer."""
    zones: dict[str | None, list[Endpoint]] = {}
    for endpoint in endpoints:
        zones.setdefault(endpoint.zone, []).append(endpoint)
    out = endpoint_v3.ClusterLoadAssignment(cluster_name=cluster)
    for zone, members in zones.items():
        locality = out.endpoints.add()
        if zone:
            locality.locality.zone = zone
        for endpoint in members:
            _place(locality.lb_endpoints.add(), endpoint)
    return out


def _place(out: endpoint_v3.LbEndpoint, endpoint: Endpoint) -> None:
    place = out.endpoint.address.socket_address
    place.address, place.port_value = endpoint.address, endpoint.port
    out.load_balancing_weight.value = endpoint.weight
