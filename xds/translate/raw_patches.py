"""Patches of what we generate: which are fine, and where they apply.

A patch may change anything but what the rest of Canary stands on: names, where endpoints come from,
and the split.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from google.protobuf.message import Message

from xds.spec.deployment import Deployment
from xds.spec.envoy import Raw
from xds.spec.faults import Fault
from xds.spec.findings import Path
from xds.spec.gateway import Gateway
from xds.spec.read import Document
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.stubs import envoy_config_listener_v3_pb2 as listener_v3
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.translate.raw import merge, parse
from xds.translate.raw_check import Wrong, faults, field_paths
from xds.translate.raw_silent import refused_in_silence

M = TypeVar("M", bound=Message)

_SPLIT = "the split is ours"
_RENAME = "others find it by its name"
_CLUSTER: Mapping[Path, str] = {
    ("name",): _RENAME,
    **dict.fromkeys(
        [("type",), ("cluster_type",), ("eds_cluster_config",), ("load_assignment",)],
        "endpoints are given with the deployment",
    ),
}
_ROUTE: Mapping[Path, str] = {
    ("name",): _RENAME,
    ("match",): "hosts and path_prefix choose the requests",
    **dict.fromkeys(
        [("redirect",), ("direct_response",), ("filter_action",), ("non_forwarding_action",)],
        "a deployment's requests go to its versions",
    ),
    **dict.fromkeys(
        [
            ("route", field.name)
            for field in route_v3.RouteAction.DESCRIPTOR.oneofs_by_name["cluster_specifier"].fields
        ],
        _SPLIT,
    ),
}
_STICKY: Mapping[Path, str] = {("route", "hash_policy"): _SPLIT}
_MIRRORED: Mapping[Path, str] = {("route", "request_mirror_policies"): "mirror says it"}
_LISTENER: Mapping[Path, str] = {
    ("name",): _RENAME,
    ("address",): "listeners say it",
    ("filter_chains",): "patch filter_chain, or http_connection_manager",
}
_FILTER_CHAIN: Mapping[Path, str] = {("filters",): "patch http_connection_manager"}
_CONNECTION_MANAGER: Mapping[Path, str] = {
    **dict.fromkeys([("rds",), ("route_config",), ("scoped_routes",)], "routes come from here"),
    ("http_filters",): "list them in the gateway's http_filters",
}


def patched(message: M, *patches: Raw | None) -> M:
    """The message with each patch over it, in turn."""
    for patch in patches:
        if patch:
            message = merge(message, patch)
    return message


def faults_of_document(document: Document) -> list[Fault]:
    """What is wrong with the patches of a document's deployment."""
    spec = document.deployment
    wrongs = faults_of_deployment(spec) if spec is not None else ()
    return [wrong.fault(document.file, document.line_of) for wrong in wrongs]


def faults_of_deployment(spec: Deployment) -> Iterator[Wrong]:
    """What is wrong with a deployment's patches; paths begin at its top."""
    if spec.envoy and spec.envoy.route:
        sticky = spec.canary.route_type != "random"
        ours = {**_ROUTE, **(_STICKY if sticky else {}), **(_MIRRORED if spec.canary.mirror else {})}
        yield from _faults(route_v3.Route, spec.envoy.route, ours, ("envoy", "route"))
    if spec.envoy and spec.envoy.cluster:
        yield from _faults(cluster_v3.Cluster, spec.envoy.cluster, _CLUSTER, ("envoy", "cluster"))
    for label, version in spec.canary.versions.items():
        at = ("canary", "versions", label, "envoy")
        if version.envoy and version.envoy.cluster:
            yield from _faults(cluster_v3.Cluster, version.envoy.cluster, _CLUSTER, (*at, "cluster"))
        if version.envoy and version.envoy.typed_per_filter_config:
            config: Raw = {"typed_per_filter_config": version.envoy.typed_per_filter_config}
            yield from _faults(route_v3.WeightedCluster.ClusterWeight, config, {}, at)


def faults_of_listener_patches(gateway: Gateway) -> Iterator[Wrong]:
    """What is wrong with a gateway's patches; paths begin at the gateway."""
    said = gateway.patches
    for name, kind, patch, ours in (
        ("listener", listener_v3.Listener, said.listener, _LISTENER),
        ("filter_chain", listener_v3.FilterChain, said.filter_chain, _FILTER_CHAIN),
        (
            "http_connection_manager",
            http_v3.HttpConnectionManager,
            said.http_connection_manager,
            _CONNECTION_MANAGER,
        ),
    ):
        if patch:
            yield from _faults(kind, patch, ours, ("patches", name))


def _faults(kind: type[Message], patch: Raw, ours: Mapping[Path, str], at: Path) -> Iterable[Wrong]:
    found = [wrong.below(*at) for wrong in faults(kind, patch)]
    if not found:
        found += [Wrong(at, *said) for said in refused_in_silence(parse(kind, patch))]
    found += [
        Wrong((*at, *written), "can't be patched", ours[path])
        for path, written in field_paths(kind, patch)
        if path in ours
    ]
    return found
