"""A cluster for each build: named for the build, so that no change of role touches it.

A build reached by address gets its endpoints over EDS; one reached by name is resolved by Envoy, and
its names are part of the cluster.

Clusters whose settings are the same differ in little. What they have alike is made once, and copied.
"""

import functools
from collections.abc import Sequence

from google.protobuf.wrappers_pb2 import UInt32Value

from xds.spec.upstream import (
    CircuitBreakers,
    ClusterSettings,
    HealthCheck,
    OutlierDetection,
    SlowStart,
    Tls,
)
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.stubs import envoy_config_core_v3_pb2 as core
from xds.stubs import envoy_extensions_load_balancing_policies_ring_hash_v3_pb2 as ring_hash_v3
from xds.stubs import envoy_extensions_transport_sockets_tls_v3_pb2 as tls_v3
from xds.stubs import envoy_extensions_upstreams_http_v3_pb2 as http_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.stubs import envoy_type_v3_pb2 as type_v3
from xds.translate.endpoints import assignment
from xds.translate.keys import by_header, ring_header
from xds.translate.raw_patches import patched
from xds.translate.settings import Said, said_of_cluster, settled
from xds.translate.values import ads, describe, duration, packed
from xds.translate.view import Build, View

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_POLICIES = {
    "least_request": cluster_v3.Cluster.LEAST_REQUEST,
    "round_robin": cluster_v3.Cluster.ROUND_ROBIN,
    "ring_hash": cluster_v3.Cluster.RING_HASH,
}
_BUDGET = 20.0
"""Percent of a build's requests under way that may be retries."""

_ELSEWHERE = 1_024
"""Retries at a time that the budget grants in any case, where nobody says `max_retries`. Envoy takes a
retry on another version out of the failed one's budget until its answer is over, and answers stream; of
a canary that fails at once hardly a request is under way, so a share of these would be nothing."""

_EDS_PATIENCE = 5.0
"""Seconds a new cluster waits for endpoints. They are sent with it; this bounds a lost answer."""


def cluster(view: View, build: Build) -> cluster_v3.Cluster:
    """The cluster of one of a view's builds."""
    levels = (build.settings, build.revision.spec, view.gateway.defaults)
    ring, elsewhere, is_dns = ring_header(build.revision.spec), _tries_elsewhere(view, levels), build.is_dns
    out = cluster_v3.Cluster()
    out.CopyFrom(_alike(said_of_cluster(*levels), ring, elsewhere, is_dns=is_dns))
    out.name = build.cluster
    describe(out.metadata, {"deployment": view.revision.deployment, "build": build.ref})
    if is_dns:
        out.load_assignment.CopyFrom(assignment(build.cluster, build.endpoints))
    for check in out.health_checks:
        if check.HasField("http_health_check"):
            check.http_health_check.host = build.revision.deployment
    return patched(out, *build.revision.spec.cluster_patches_of(build.label))


@functools.lru_cache(1024)
def _alike(levels: Said, ring: str | None, elsewhere: int | None, *, is_dns: bool) -> cluster_v3.Cluster:
    """What clusters with the same settings have alike; to be copied, not changed.

    Args:
        levels: what is said of them.
        ring: the header that endpoints are chosen by, where a ring hashes one of its own.
        elsewhere: where requests are tried on other versions: how many at a time in any case.
        is_dns: whether Envoy resolves the endpoints' names.
    """
    said = settled(levels)
    out = cluster_v3.Cluster(connect_timeout=duration(said.connect_timeout or 0))
    out.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(packed(_protocol(said)))
    _discovery(out, is_dns=is_dns)
    _balancing(out, said, ring)
    if said.circuit_breakers:
        out.circuit_breakers.thresholds.append(_thresholds(said.circuit_breakers, elsewhere))
    if said.outlier_detection:
        out.outlier_detection.CopyFrom(_outliers(said.outlier_detection))
    if said.health_check:
        out.health_checks.append(_health_check(said.health_check, said.protocol))
    if said.tls:
        out.transport_socket.CopyFrom(_tls(said.tls, said.protocol))
    return out


def _tries_elsewhere(view: View, levels: Sequence[ClusterSettings]) -> int | None:
    """How many retries at a time a cluster grants in any case; None: nothing is tried on other versions."""
    if not view.retries_elsewhere:
        return None
    asked = (level.circuit_breakers.max_retries for level in levels if level.circuit_breakers)
    return next(filter(None, asked), _ELSEWHERE)


def _discovery(out: cluster_v3.Cluster, *, is_dns: bool) -> None:
    if is_dns:
        out.type = cluster_v3.Cluster.STRICT_DNS
        out.dns_lookup_family = cluster_v3.Cluster.V4_PREFERRED
        return
    out.type = cluster_v3.Cluster.EDS
    source = ads()
    source.initial_fetch_timeout.CopyFrom(duration(_EDS_PATIENCE))
    out.eds_cluster_config.eds_config.CopyFrom(source)


def _balancing(out: cluster_v3.Cluster, said: ClusterSettings, header: str | None) -> None:
    """How endpoints are chosen; by a hash of its own where `header` is given."""
    policy = said.load_balancing.policy if said.load_balancing else "least_request"
    out.lb_policy = _POLICIES[policy]
    if policy == "ring_hash" and header:
        ring = ring_hash_v3.RingHash()
        ring.consistent_hashing_lb_config.hash_policy.append(by_header(header))
        extension = out.load_balancing_policy.policies.add().typed_extension_config
        extension.name = "envoy.load_balancing_policies.ring_hash"
        extension.typed_config.CopyFrom(packed(ring))
    if said.slow_start and policy == "least_request":
        out.least_request_lb_config.slow_start_config.CopyFrom(_slow_start(said.slow_start))
    elif said.slow_start and policy == "round_robin":
        out.round_robin_lb_config.slow_start_config.CopyFrom(_slow_start(said.slow_start))


def _slow_start(said: SlowStart) -> cluster_v3.Cluster.SlowStartConfig:
    return cluster_v3.Cluster.SlowStartConfig(slow_start_window=duration(said.window))


def _protocol(said: ClusterSettings) -> http_v3.HttpProtocolOptions:
    explicit = http_v3.HttpProtocolOptions.ExplicitHttpConfig()
    if said.protocol in ("http2", "grpc"):
        explicit.http2_protocol_options.SetInParent()
    else:
        explicit.http_protocol_options.SetInParent()
    return http_v3.HttpProtocolOptions(explicit_http_config=explicit)


def _thresholds(said: CircuitBreakers, elsewhere: int | None) -> cluster_v3.CircuitBreakers.Thresholds:
    out = cluster_v3.CircuitBreakers.Thresholds()
    for name, limit in said.model_dump(exclude_none=True).items():
        getattr(out, name).value = limit
    if elsewhere is not None:  # retries are a part of the requests under way, or so many if that is more
        out.retry_budget.budget_percent.value = _BUDGET
        out.retry_budget.min_retry_concurrency.value = elsewhere
        out.ClearField("max_retries")
    return out


def _outliers(said: OutlierDetection) -> cluster_v3.OutlierDetection:
    return cluster_v3.OutlierDetection(
        consecutive_5xx=UInt32Value(value=said.consecutive_5xx),
        interval=duration(said.interval),
        base_ejection_time=duration(said.base_ejection_time),
        max_ejection_percent=UInt32Value(value=round(said.max_ejection_percent)),
    )


def _health_check(said: HealthCheck, protocol: str | None) -> core.HealthCheck:
    out = core.HealthCheck(
        interval=duration(said.interval),
        # Else a version that nobody asked for yet is checked once a minute.
        no_traffic_interval=duration(said.interval),
        timeout=duration(said.timeout),
        unhealthy_threshold=UInt32Value(value=said.unhealthy_threshold),
        healthy_threshold=UInt32Value(value=said.healthy_threshold),
    )
    if said.type == "http":
        out.http_health_check.path = said.path
        if protocol in ("http2", "grpc"):
            out.http_health_check.codec_client_type = type_v3.HTTP2
    elif said.type == "grpc":
        out.grpc_health_check.SetInParent()
    else:
        out.tcp_health_check.SetInParent()
    return out


def _tls(said: Tls, protocol: str | None) -> core.TransportSocket:
    context = tls_v3.UpstreamTlsContext(sni=said.sni or "")
    common = context.common_tls_context
    common.alpn_protocols.append("h2" if protocol in ("http2", "grpc") else "http/1.1")
    if said.ca_file:
        common.validation_context.trusted_ca.filename = said.ca_file
        if said.sni:
            common.validation_context.match_typed_subject_alt_names.append(
                tls_v3.SubjectAltNameMatcher(
                    san_type=tls_v3.SubjectAltNameMatcher.DNS,
                    matcher=matcher_v3.StringMatcher(exact=said.sni),
                )
            )
    if said.cert_file and said.key_file:
        common.tls_certificates.add(
            certificate_chain=core.DataSource(filename=said.cert_file),
            private_key=core.DataSource(filename=said.key_file),
        )
    return core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(context))
