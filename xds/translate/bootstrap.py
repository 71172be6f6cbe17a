"""The bootstrap an Envoy of a gateway starts with: who it is, and where its control plane is.

Everything else comes over one ADS stream, delta unless asked otherwise. What is decided here can't be
changed later without restarting the Envoy, so each choice follows a measured fact:

- the node goes out once per stream (it is 61 KB, nearly all of it the list of extensions);
- reconnecting takes 0.25 to 2 s instead of Envoy's 5 to 12 s;
- an Envoy that has never heard from its control plane doesn't say that it is ready;
- the statistics that are kept suffice to follow every version, at half the memory of all of them; those
  of a cluster's traffic come into being with its first request (18 KB less for each idle cluster);
- they go to the control plane every few seconds, counters as what was counted since, latencies as counts
  in buckets that can be added up (xds.telemetry).
"""

import dataclasses
import ipaddress
from typing import Literal

from pydantic import JsonValue

Json = dict[str, JsonValue]

Dialect = Literal["delta", "sotw"]
"""How the stream speaks: what changed, or the state of the world each time."""


@dataclasses.dataclass(frozen=True)
class ControlPlaneTls:
    """How an Envoy and its control plane prove who they are; paths are those of the Envoy's machine."""

    ca: str
    """Whom the control plane's certificate must come from."""
    certificate: str | None = None
    """The Envoy's own, with `key`."""
    key: str | None = None
    server_name: str | None = None
    """What the control plane's certificate must be for, if not for the host that is called."""


_API_TYPE: dict[Dialect, str] = {"delta": "DELTA_GRPC", "sotw": "GRPC"}

CONTROL_PLANE_CLUSTER = "xds"
METRICS_CLUSTER = "xds-metrics"
"""The control plane again, where reports have a port of their own."""
MAX_DOWNSTREAM_CONNECTIONS = 50_000
"""Connections an Envoy accepts on all its listeners together; more are closed at once."""

STATISTICS = "canary"
"""What the names of those statistics begin with that our listeners add (xds.translate.statistics)."""

_LAST = 600_000
_DIGITS = (10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82)

BUCKETS: tuple[float, ...] = (
    *(digits * 10**power / 10 for power in range(5) for digits in _DIGITS),
    *(float(digits * 10**4) for digits in _DIGITS if digits * 10**4 < _LAST),
    float(_LAST),
)
"""Upper bounds of latencies in milliseconds: twelve a decade, from one to ten minutes. All have two
digits, with which Envoy itself counts, so that none of its own bins is cut by a bound."""

_KEPT_STATS = (
    "cluster.xds.",
    "http.",
    "listener.",
    "control_plane.",
    "cluster_manager.",
    "listener_manager.",
    "server.",
    f"{STATISTICS}.",
)
_OF_REQUESTS = (
    "[1-5]xx|active|time|total|completed|timeout|per_try_timeout|rx_reset|retry|retry_success|"
    "retry_overflow|pending_overflow"
)
_OF_CONNECTIONS = "active|total|destroy|destroy_remote_with_active_rq|connect_fail|connect_timeout|overflow"
_KEPT_CLUSTER_STATS = (
    rf"cluster\.[^.]+\.(upstream_rq_({_OF_REQUESTS})|upstream_cx_({_OF_CONNECTIONS})|"
    r"membership_(change|healthy|total)|grpc\.[0-9]+|mirrored\.upstream_rq_([1-5]xx|time))"
)
"""What tells how a version does. Each of them costs the Envoy memory, and bytes with every report."""

REPORT_EVERY = 5.0
"""Seconds between two reports."""

_METRICS_SERVICE = "envoy.config.metrics.v3.MetricsServiceConfig"

_TYPE = "type.googleapis.com/envoy.extensions"


def bootstrap(  # noqa: PLR0913 (keywords)
    *,
    gateway: str,
    xds: tuple[str, int],
    node_id: str,
    envoy_admin: tuple[str, int],
    dialect: Dialect = "delta",
    tls: ControlPlaneTls | None = None,
    report_every: float | None = REPORT_EVERY,
    metrics_to: tuple[str, int] | None = None,
) -> Json:
    """Write an Envoy's bootstrap.

    Args:
        gateway: the gateway the Envoy belongs to; becomes `node.cluster`.
        xds: host (an IP address or a name) and port of the control plane.
        node_id: what the Envoy is called among its like.
        envoy_admin: IP address and port of Envoy's own admin interface.
        dialect: how the stream speaks.
        tls: towards the control plane; None is plain text.
        report_every: seconds between two reports of metrics; None: it sends none.
        metrics_to: host and port that it reports to; None: the control plane's own.

    Returns:
        An `envoy.config.bootstrap.v3.Bootstrap` in protobuf's JSON form.
    """
    clusters: list[JsonValue] = [control_plane(xds, tls)]
    sink = metrics_sink()
    if metrics_to is not None:
        clusters.append(control_plane(metrics_to, tls, METRICS_CLUSTER))
        sink = metrics_sink(METRICS_CLUSTER)
    return {
        "node": {"cluster": gateway, "id": node_id},
        "admin": {"address": _address(envoy_admin), "ignore_global_conn_limit": True},
        "dynamic_resources": {
            "ads_config": ads_config(dialect),
            "cds_config": _by_ads(),
            "lds_config": _by_ads(),
        },
        "static_resources": {"clusters": clusters},
        "stats_config": stats_config(),
        **({} if report_every is None else {**reporting(report_every), "stats_sinks": [sink]}),
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "overload_manager": {"resource_monitors": [_connection_limit()]},
    }


def ads_config(dialect: Dialect) -> Json:
    """Write how to reach the control plane: an `ApiConfigSource`."""
    backoff: Json = {"base_interval": "0.25s", "max_interval": "2s"}
    return {
        "api_type": _API_TYPE[dialect],
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [
            {
                "envoy_grpc": {
                    "cluster_name": CONTROL_PLANE_CLUSTER,
                    "retry_policy": {"retry_back_off": backoff},
                }
            }
        ],
    }


def _by_ads() -> Json:
    # 0 waits for ever: after the default of 15 s Envoy would call itself ready with nothing to serve.
    return {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}


def control_plane(
    xds: tuple[str, int], tls: ControlPlaneTls | None = None, name: str = CONTROL_PLANE_CLUSTER
) -> Json:
    """Write the cluster that the control plane is, with host and port."""
    endpoint: Json = {"endpoint": {"address": _address(xds)}}
    http2: Json = {"connection_keepalive": {"interval": "15s", "timeout": "5s"}}
    return {
        "name": name,
        **(
            {"type": "STATIC"}
            if _is_ip(xds[0])
            else {"type": "STRICT_DNS", "dns_lookup_family": "V4_PREFERRED"}
        ),
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPE}.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": http2},
            }
        },
        **({} if tls is None else {"transport_socket": _transport_socket(tls, xds[0])}),
    }


def _transport_socket(tls: ControlPlaneTls, host: str) -> Json:
    """Without a check of the name, any certificate of the authority would pass, another Envoy's too."""
    name = tls.server_name or host
    san: Json = {"san_type": "IP_ADDRESS" if _is_ip(name) else "DNS", "matcher": {"exact": name}}
    context: Json = {
        "alpn_protocols": ["h2"],
        "validation_context": {"trusted_ca": {"filename": tls.ca}, "match_typed_subject_alt_names": [san]},
    }
    if tls.certificate is not None and tls.key is not None:
        own: Json = {
            "certificate_chain": {"filename": tls.certificate},
            "private_key": {"filename": tls.key},
        }
        context["tls_certificates"] = [own]
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TYPE}.transport_sockets.tls.v3.UpstreamTlsContext",
            **({} if _is_ip(name) else {"sni": name}),
            "common_tls_context": context,
        },
    }


def stats_config() -> Json:
    """Write which statistics are kept, and in which buckets latencies are counted."""
    kept: list[JsonValue] = [{"prefix": prefix} for prefix in _KEPT_STATS]
    kept.append({"safe_regex": {"regex": _KEPT_CLUSTER_STATS}})
    return {
        "stats_matcher": {"inclusion_list": {"patterns": kept}},
        "histogram_bucket_settings": buckets(),
    }


def buckets() -> list[JsonValue]:
    """Write the buckets in which latencies are counted."""
    sent: Json = {"safe_regex": {"regex": rf"(cluster|{STATISTICS})\..*"}}
    return [{"match": sent, "buckets": list(BUCKETS)}]


def reporting(every: float) -> Json:
    """Write how often Envoy reports."""
    return {"stats_flush_interval": f"{every:g}s"}


def metrics_sink(cluster: str = CONTROL_PLANE_CLUSTER) -> Json:
    """Write where Envoy reports to: the control plane it has its configuration from."""
    return {
        "name": "envoy.stat_sinks.metrics_service",
        "typed_config": {
            "@type": f"type.googleapis.com/{_METRICS_SERVICE}",
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": cluster}},
            "report_counters_as_deltas": True,
            "emit_tags_as_labels": True,
            "histogram_emit_mode": "HISTOGRAM",
        },
    }


def _connection_limit() -> Json:
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": f"{_TYPE}.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            "max_active_downstream_connections": MAX_DOWNSTREAM_CONNECTIONS,
        },
    }


def _address(where: tuple[str, int]) -> Json:
    host, port = where
    return {"socket_address": {"address": host, "port_value": port}}


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
