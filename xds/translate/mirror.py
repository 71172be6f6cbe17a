"""Mirroring: copies of a deployment's requests to a version, whose answers are dropped.

Envoy sends copies and doesn't wait for them. Nothing is mirrored to a build without endpoints, nor what
goes to the mirrored build anyway. A copy has the request's own host, and says that it is one.
"""

from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_v3_pb2 as type_v3
from xds.translate.values import set_header
from xds.translate.view import View

MIRRORED = "x-canary-mirrored"
"""The request header of copies; its value is the version they are for."""
_STATISTICS = "x-envoy-upstream-alt-stat-name"
"""What Envoy counts a copy under besides: it tells copies from users' requests (xds.telemetry.message)."""
_ALL = 100


def mirrored(view: View, route: route_v3.Route) -> route_v3.Route:
    """The route with the deployment's mirror, where there is one for it."""
    said = view.revision.spec.canary.mirror
    key = view.revision.labels.get(said.version) if said else None
    if said is None or key is None or not said.percentage or not route.HasField("route"):
        return route
    cluster = view.revision.cluster_of(key)
    goes_there = {entry.name for entry in route.route.weighted_clusters.clusters} == {cluster}
    if view.answering(key) != key or goes_there:
        return route
    policy = route.route.request_mirror_policies.add(cluster=cluster, disable_shadow_host_suffix_append=True)
    policy.request_headers_mutations.add().append.CopyFrom(set_header(MIRRORED, said.version))
    policy.request_headers_mutations.add().append.CopyFrom(set_header(_STATISTICS, "mirrored"))
    if said.percentage < _ALL:
        part = policy.runtime_fraction.default_value
        part.numerator = round(said.percentage * 100)
        part.denominator = type_v3.FractionalPercent.TEN_THOUSAND
    return route
