"""A build's endpoints as a cluster load assignment, by zone."""

from collections.abc import Iterable

from xds.spec.endpoints import Endpoint
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_config_endpoint_v3_pb2 as endpoint_v3


def assignment(cluster: str, endpoints: Iterable[Endpoint]) -> endpoint_v3.ClusterLoadAssignment:
    """Where a cluster's requests can go; nowhere is a valid answer."""
    zones: dict[str | None, list[Endpoint]] = {}
    for endpoint in endpoints:
        zones.setdefault(endpoint.zone, []).append(endpoint)
    return endpoint_v3.ClusterLoadAssignment(
        cluster_name=cluster,
        endpoints=[
            endpoint_v3.LocalityLbEndpoints(
                locality=core.Locality(zone=zone) if zone else None,
                lb_endpoints=[_lb_endpoint(endpoint) for endpoint in members],
            )
            for zone, members in zones.items()
        ],
    )


def _lb_endpoint(endpoint: Endpoint) -> endpoint_v3.LbEndpoint:
    out = endpoint_v3.LbEndpoint()
    place = out.endpoint.address.socket_address
    place.address, place.port_value = endpoint.address, endpoint.port
    out.load_balancing_weight.value = endpoint.weight
    return out
