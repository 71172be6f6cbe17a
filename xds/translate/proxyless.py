"""Translation for gRPC's own clients (`xds:///host`), which go without an Envoy.

Such a client asks by name, link by link: the listener called like its target's host, that listener's
routes, each route's clusters, each cluster's endpoints. It refuses what it half knows and silently
ignores what it doesn't, so nothing is sent here but what it acts on:

    listener    one for each host, named like it; an `api_listener`, since nothing listens
    routes      for each host, one virtual host for any authority: the name has chosen already
    split       each build once, at its share of 10,000; segments mean nothing without a hash
    cluster     round robin or ring hash: its C core refuses any cluster with least-request
    endpoints   each zone with a weight: a zone without one gets no calls

`timeout` and `max_stream_duration` are one thing here: the time a call may take. What can't be done
at all is refused before (`xds.spec.proxyless`).
"""

from collections.abc import Iterable

from google.protobuf.wrappers_pb2 import UInt32Value

from xds.slots.table import SLOTS
from xds.spec.claims import hosts_of
from xds.spec.upstream import RouteSettings
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.stubs import envoy_config_endpoint_v3_pb2 as endpoint_v3
from xds.stubs import envoy_config_listener_v3_pb2 as listener_v3
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_extensions_filters_http_router_v3_pb2 as router_v3
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.translate.endpoints import assignment
from xds.translate.hosts import Section, virtual_host
from xds.translate.settings import cluster_settings, route_settings
from xds.translate.values import ads, duration, packed
from xds.translate.view import Build, View

_SERVICE_AND_METHOD = 2


def section(view: View) -> tuple[tuple[str, ...], Section]:
    """A deployment's hosts on a gateway, and what it brings to each of them."""
    spec = view.revision.spec
    return hosts_of(spec, view.gateway), Section(spec.name, spec.path_prefix, (split(view),))


def listener(host: str) -> listener_v3.Listener:
    """What a client with the target `xds:///<host>` asks for first."""
    manager = http_v3.HttpConnectionManager(
        stat_prefix=host,
        rds=http_v3.Rds(config_source=ads(), route_config_name=host),
        http_filters=[
            http_v3.HttpFilter(name="envoy.filters.http.router", typed_config=packed(router_v3.Router()))
        ],
    )
    return listener_v3.Listener(name=host, api_listener=listener_v3.ApiListener(api_listener=packed(manager)))


def routes(host: str, sections: Iterable[Section]) -> route_v3.RouteConfiguration:
    """The routes of a host, of all deployments on it."""
    answering = virtual_host(host, sections)
    answering.domains[:] = ["*"]
    return route_v3.RouteConfiguration(name=host, virtual_hosts=[answering])


def split(view: View) -> route_v3.Route:
    """The route of a deployment: its builds, each at its share."""
    spec, revision = view.revision.spec, view.revision
    out = route_v3.Route(name=f"{spec.name}/split", match=_match(spec.path_prefix))
    longest = _longest(route_settings(spec, view.gateway.defaults))
    if longest:
        out.route.max_stream_duration.max_stream_duration.CopyFrom(duration(longest))
    if spec.load_balancing and spec.load_balancing.header:
        out.route.hash_policy.add().header.header_name = spec.load_balancing.header
    entries = out.route.weighted_clusters
    entries.total_weight.value = SLOTS  # older clients take 100 where it is absent, and refuse the sum
    for key, slots in view.effective().shares().items():
        entries.clusters.add(name=revision.cluster_of(key), weight=UInt32Value(value=slots))
    return out


def cluster(view: View, build: Build) -> cluster_v3.Cluster:
    """The cluster of one of a view's builds."""
    said = cluster_settings(build.settings, build.revision.spec, view.gateway.defaults)
    hashes = said.load_balancing is not None and said.load_balancing.policy == "ring_hash"
    out = cluster_v3.Cluster(
        name=build.cluster,
        type=cluster_v3.Cluster.EDS,
        eds_cluster_config=cluster_v3.Cluster.EdsClusterConfig(eds_config=ads()),
        lb_policy=cluster_v3.Cluster.RING_HASH if hashes else cluster_v3.Cluster.ROUND_ROBIN,
    )
    if said.circuit_breakers and said.circuit_breakers.max_requests:
        out.circuit_breakers.thresholds.add().max_requests.value = said.circuit_breakers.max_requests
    return out


def endpoints(build: Build) -> endpoint_v3.ClusterLoadAssignment:
    """A build's endpoints, each zone as heavy as what is in it."""
    places = assignment(build.cluster, build.endpoints)
    for zone in places.endpoints:
        zone.locality.SetInParent()
        zone.load_balancing_weight.value = sum(
            member.load_balancing_weight.value for member in zone.lb_endpoints
        )
    return places


def _match(path_prefix: str) -> route_v3.RouteMatch:
    """A call's path is `/package.Service/Method`; prefixes by whole parts are unknown to gRPC."""
    parts = path_prefix.strip("/").split("/")
    if len(parts) == _SERVICE_AND_METHOD:
        return route_v3.RouteMatch(path=path_prefix)
    return route_v3.RouteMatch(prefix="/" if path_prefix == "/" else f"{path_prefix}/")


def _longest(said: RouteSettings) -> float:
    """Seconds that a call may take; 0: any time."""
    return min((limit for limit in (said.timeout, said.max_stream_duration) if limit), default=0.0)
