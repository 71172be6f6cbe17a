"""Adopting an Envoy in place: what its own bootstrap lacks to take part, and nothing else.

Its listeners stay where they are; only their routes, and the clusters those name, come from us. So
`lds_config` is not added, and `cds_config` waits for us the usual 15 s instead of for ever: an Envoy
that started without a control plane goes on to.

What is there is kept, in protobuf's names or in their JSON forms (`staticResources`). What can't be
kept (an Envoy has one ADS stream, and one source of clusters) is a fault. What its owner has to
change by hand, the routes of its connection managers, is said with the text to put there.
"""

import copy
import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from xds.spec.complaint import show
from xds.spec.findings import Findings, Path
from xds.translate.bootstrap import (
    METRICS_CLUSTER,
    REPORT_EVERY,
    ControlPlaneTls,
    Dialect,
    Json,
    ads_config,
    buckets,
    control_plane,
    metrics_sink,
    reporting,
)

_BY_ADS: Json = {"ads": {}, "resource_api_version": "V3"}
_MANAGER = ".HttpConnectionManager"
_ROUTES = ("route_config", "scoped_routes", "rds")
_STATIC, _DYNAMIC = "static_resources", "dynamic_resources"


def merge(  # noqa: PLR0913 (five of them are keywords)
    existing: Mapping[str, JsonValue],
    findings: Findings,
    *,
    gateway: str,
    xds: tuple[str, int],
    node_id: str | None = None,
    dialect: Dialect = "delta",
    tls: ControlPlaneTls | None = None,
    report_every: float | None = REPORT_EVERY,
    metrics_to: tuple[str, int] | None = None,
) -> Json:
    """Add to a bootstrap what its Envoy needs to take part in a gateway.

    Args:
        existing: an `envoy.config.bootstrap.v3.Bootstrap` in protobuf's JSON form; left as it is.
        findings: takes as faults what stands in the way, as warnings what is left to do by hand.
        gateway: whose routes it is to have; becomes `node.cluster` where there is none.
        xds: host (an IP address or a name) and port of the control plane.
        node_id: becomes `node.id` where there is none.
        dialect: how the stream speaks.
        tls: towards the control plane; None is plain text.
        report_every: seconds between two reports of metrics, where it doesn't say; None: it sends none.
        metrics_to: host and port that it reports to; None: the control plane's own.

    Returns:
        The bootstrap with the additions. Of use only if no fault was noted.
    """
    merged = copy.deepcopy(dict(existing))
    _introduce(merged, findings, gateway, node_id)
    _subscribe(merged, findings, ads_config(dialect))
    _add_control_plane(merged, findings, control_plane(xds, tls))
    sink = metrics_sink()
    if metrics_to is not None:
        _add_control_plane(merged, findings, control_plane(metrics_to, tls, METRICS_CLUSTER))
        sink = metrics_sink(METRICS_CLUSTER)
    if report_every is not None and not findings.faults:
        _report_metrics(merged, findings, sink, report_every)
    if not findings.faults:
        _advise(merged, findings, gateway)
    return merged


def _introduce(merged: Json, findings: Findings, gateway: str, node_id: str | None) -> None:
    node = _mapping(merged, "node", findings)
    if node_id is not None:
        node.setdefault("id", node_id)
    if "id" not in node:
        findings.fault(("node", "id"), "is missing", "say who this Envoy is with --node-id")
    elif node_id not in (None, node["id"]):
        findings.warn(("node", "id"), f"stays {show(node['id'])}")
    cluster = node.setdefault("cluster", gateway)
    if cluster != gateway:
        findings.warn(
            ("node", "cluster"),
            f"stays {show(cluster)}",
            f"so let the gateway {gateway} take it: nodes: [{{cluster: {cluster}}}]",
        )


def _subscribe(merged: Json, findings: Findings, ads: Json) -> None:
    dynamic = _mapping(merged, _DYNAMIC, findings)
    source, clusters = _spelt(dynamic, "ads_config"), _spelt(dynamic, "cds_config")
    if dynamic.setdefault(source, ads) != ads:
        findings.fault(
            (_spelt(merged, _DYNAMIC), source),
            "this Envoy has a control plane already, and can have one",
            "remove it, or leave this Envoy to it",
        )
    if not _is_ads(dynamic.setdefault(clusters, {**_BY_ADS})):
        findings.fault(
            (_spelt(merged, _DYNAMIC), clusters),
            "clusters come from elsewhere, and an Envoy has one source of them: ours would not come",
            f"move them to {_STATIC}, and remove it",
        )


def _add_control_plane(merged: Json, findings: Findings, ours: Json) -> None:
    clusters = _mapping(merged, _STATIC, findings).setdefault("clusters", [])
    path = (_spelt(merged, _STATIC), "clusters")
    if not isinstance(clusters, list):
        findings.fault(path, f"{show(clusters)} is no list")
        return
    names = [cluster.get("name") if isinstance(cluster, dict) else None for cluster in clusters]
    name = str(ours["name"])
    if name not in names:
        clusters.append(ours)
    elif ours not in clusters:
        findings.fault(
            (*path, names.index(name)),
            f"is called {name}, which is what the control plane is to be called",
            "give it another name, here and in the routes to it",
        )


def _report_metrics(merged: Json, findings: Findings, sink: Json, every: float) -> None:
    """Send metrics too. What else is sent, and what is kept, stays its owner's."""
    sinks = merged.setdefault(_spelt(merged, "stats_sinks"), [])
    if isinstance(sinks, list) and sink not in sinks:
        sinks.append(sink)
    interval, on_admin = _spelt(merged, "stats_flush_interval"), _spelt(merged, "stats_flush_on_admin")
    if interval not in merged and on_admin not in merged:
        merged |= reporting(every)
    stats = _mapping(merged, "stats_config", findings)
    settings = _spelt(stats, "histogram_bucket_settings")
    if stats.setdefault(settings, buckets()) != buckets():
        findings.warn(
            (_spelt(merged, "stats_config"), settings),
            "stays, so latencies are counted in other buckets than ours, and left out",
            "for percentiles, put those of `canary bootstrap` there",
        )
    matcher = _spelt(stats, "stats_matcher")
    if matcher in stats:
        findings.warn(
            (_spelt(merged, "stats_config"), matcher),
            "stays; what it leaves out is not reported",
            "for the metrics of versions, let it keep what `canary bootstrap` keeps",
        )


def _advise(merged: Json, findings: Findings, gateway: str) -> None:
    """Say what to do about routes and listeners, which are their owner's."""
    rds = f"rds: {{route_config_name: {gateway}, config_source: {{ads: {{}}, resource_api_version: V3}}}}"
    dynamic = _mapping(merged, _DYNAMIC, findings)
    source = _spelt(dynamic, "lds_config")
    managers = list(_connection_managers(merged.get(_spelt(merged, _STATIC)), (_spelt(merged, _STATIC),)))
    for path, manager in managers:
        _advise_manager(manager, path, findings, gateway, rds)
    if source in dynamic and not _is_ads(dynamic[source]):
        findings.warn(
            (_spelt(merged, _DYNAMIC), source),
            "listeners come from elsewhere",
            f"for the gateway's routes, put into each HttpConnectionManager there: {rds}",
        )
    if source not in dynamic and not managers:
        findings.warn(
            (_spelt(merged, _DYNAMIC),),
            "no listener takes HTTP requests",
            "for the gateway's listeners, add: lds_config: {ads: {}, resource_api_version: V3}",
        )


def _advise_manager(manager: Json, path: Path, findings: Findings, gateway: str, rds: str) -> None:
    given = {known: key for known in _ROUTES if (key := _spelt(manager, known)) in manager}
    if "rds" in given and _is_rds(manager["rds"], gateway):
        findings.warn((*path, "rds"), f"is fine: it has the routes of the gateway {gateway}")
    elif "route_config" in given:
        findings.warn(
            (*path, given["route_config"]),
            "keeps its own routes",
            f"for the gateway's, put instead: {rds}; what is there can go on as the gateway's virtual_hosts",
        )
    elif given:
        findings.warn(
            (*path, *given.values()), "keeps its own routes", f"for the gateway's, put instead: {rds}"
        )
    else:
        findings.warn(path, "has no routes", f"for the gateway's, add: {rds}")


def _connection_managers(value: JsonValue, path: Path) -> Iterator[tuple[Path, Json]]:
    """Every HttpConnectionManager below a value, and where it stands."""
    if isinstance(value, dict):
        if str(value.get("@type")).endswith(_MANAGER):
            yield path, value
        else:
            for key, below in value.items():
                yield from _connection_managers(below, (*path, key))
    elif isinstance(value, list):
        for position, below in enumerate(value):
            yield from _connection_managers(below, (*path, position))


def _is_rds(rds: JsonValue, gateway: str) -> bool:
    if not isinstance(rds, dict):
        return False
    names_it = rds.get(_spelt(rds, "route_config_name")) == gateway
    return names_it and _is_ads(rds.get(_spelt(rds, "config_source")))


def _is_ads(source: JsonValue) -> bool:
    return isinstance(source, dict) and "ads" in source


def _mapping(parent: Json, key: str, findings: Findings) -> Json:
    """The mapping under a key, made if it is not there."""
    key = _spelt(parent, key)
    value = parent[key] = {} if parent.get(key) is None else parent[key]
    if isinstance(value, dict):
        return value
    findings.fault((key,), f"{show(value)} is no mapping")
    return {}


def _spelt(mapping: Json, key: str) -> str:
    """The key as the mapping has it: protobuf's name, or its JSON form."""
    camel = re.sub("_(.)", lambda found: found[1].upper(), key)
    return camel if camel in mapping else key
