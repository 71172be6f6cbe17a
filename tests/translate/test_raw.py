"""Raw Envoy messages: every fault with its path, and merging that does what it says."""

from typing import Any

import pytest
from google.protobuf.message import Message

from xds.spec.findings import dotted
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_extensions_filters_http_fault_v3_pb2 as fault_v3
from xds.stubs import envoy_extensions_transport_sockets_tls_v3_pb2 as tls_v3
from xds.translate.raw import RawError, merge, parse, parse_any
from xds.translate.raw_check import faults
from xds.translate.raw_names import clusters_in

FAULT = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"

WRONG: list[tuple[type[Message], dict[str, Any], list[str]]] = [
    (cluster_v3.Cluster, {"nam": "x"}, ["nam: Cluster has no such field (did you mean name?)"]),
    (
        cluster_v3.Cluster,
        {"connect_timeout": "soon", "type": "EDSS"},
        [
            'connect_timeout: Duration must end with letter "s": soon ()',
            "type: Invalid enum value EDSS for enum type envoy.config.cluster.v3.Cluster.DiscoveryType ()",
        ],
    ),
    (
        cluster_v3.Cluster,
        {"healthChecks": [{"timeout": "1s"}, {"timeut": "1s"}]},
        ["healthChecks[1].timeut: HealthCheck has no such field (did you mean timeout?)"],
    ),
    (cluster_v3.Cluster, {"health_checks": {}}, ["health_checks: a mapping is no list ()"]),
    (route_v3.Route, {"route": "x"}, ["route: 'x' is no RouteAction (write a mapping)"]),
    (
        route_v3.Route,
        {"redirect": {}, "route": {}},
        ["route: excludes redirect (keep one of them)"],
    ),
    (
        cluster_v3.Cluster,
        {"transport_socket": {"typed_config": {"@type": TLS, "snii": "x"}}},
        ["transport_socket.typed_config.snii: UpstreamTlsContext has no such field (did you mean sni?)"],
    ),
    (
        cluster_v3.Cluster,
        {"transport_socket": {"typed_config": {"sni": "x"}}},
        [
            (
                "transport_socket.typed_config: has no @type"
                " (write @type: type.googleapis.com/envoy... and its fields)"
            )
        ],
    ),
    (
        cluster_v3.Cluster,
        {"transport_socket": {"typed_config": {"@type": TLS.replace(".extensions", "")}}},
        [
            (
                "transport_socket.typed_config.@type: there is no type"
                " envoy.transport_sockets.tls.v3.UpstreamTlsContext"
                " (did you mean envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext?)"
            )
        ],
    ),
    (
        cluster_v3.Cluster,
        {"@type": TLS},
        [
            (
                f"@type: '{TLS[:57]}...' does not belong here"
                " (write envoy.config.cluster.v3.Cluster, or leave it out)"
            )
        ],
    ),
]


@pytest.mark.parametrize(("kind", "value", "said"), WRONG)
def test_every_fault_has_its_path(kind: type[Message], value: dict[str, Any], said: list[str]) -> None:
    """Of fields, values, lists, extensions and types; all of them at once."""
    found = [f"{dotted(wrong.path)}: {wrong.message} ({wrong.mend})" for wrong in faults(kind, value)]
    assert found == said


def test_contrib_types_are_refused() -> None:
    """`v3alpha` is no part of Envoy proper."""
    with pytest.raises(RawError, match=r"there is no type envoy\.extensions\.filters\.http\.golang\.v3alpha"):
        parse_any({"@type": "type.googleapis.com/envoy.extensions.filters.http.golang.v3alpha.Config"})


def test_both_spellings_are_accepted() -> None:
    """As in Envoy's own files."""
    snake = parse(cluster_v3.Cluster, {"connect_timeout": "1s"})
    assert snake == parse(cluster_v3.Cluster, {"connectTimeout": "1s"})


def test_extensions_within_extensions_are_found() -> None:
    """However deep the `@type`."""
    handshaker = {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "3s"}
    context_value: dict[str, Any] = {"custom_handshaker": {"typed_config": handshaker}}
    socket: dict[str, Any] = {"typed_config": {"@type": TLS, "common_tls_context": context_value}}
    cluster = parse(cluster_v3.Cluster, {"transport_socket": socket})
    context = tls_v3.UpstreamTlsContext()
    assert cluster.transport_socket.typed_config.Unpack(context)
    assert context.common_tls_context.custom_handshaker.typed_config.type_url.endswith("Duration")


@pytest.fixture
def route() -> route_v3.Route:
    """A route with a bit of everything."""
    return parse(
        route_v3.Route,
        {
            "name": "r",
            "match": {"prefix": "/", "headers": [{"name": "a", "present_match": True}]},
            "route": {"cluster": "c", "timeout": "5s", "retry_policy": {"retry_on": "reset"}},
            "typed_per_filter_config": {"fault": {"@type": FAULT, "abort": {"http_status": 503}}},
            "metadata": {"filter_metadata": {"canary": {"deployment": "d"}}},
        },
    )


def test_messages_merge(route: route_v3.Route) -> None:
    """What a patch does not mention stays."""
    merged = merge(route, {"route": {"retry_policy": {"num_retries": 3}}})
    assert (merged.route.retry_policy.retry_on, merged.route.retry_policy.num_retries.value) == ("reset", 3)


def test_lists_replace(route: route_v3.Route) -> None:
    """There is no telling which element is meant."""
    merged = merge(route, {"match": {"headers": [{"name": "b", "present_match": True}]}})
    assert [header.name for header in merged.match.headers] == ["b"]


def test_null_clears(route: route_v3.Route) -> None:
    """A field, or an entry of a map."""
    merged = merge(route, {"route": {"timeout": None}, "typed_per_filter_config": {"fault": None}})
    assert (merged.route.HasField("timeout"), len(merged.typed_per_filter_config)) == (False, 0)


def test_one_of_several_replaces_the_others(route: route_v3.Route) -> None:
    """A redirect instead of a route."""
    assert merge(route, {"redirect": {"host_redirect": "x"}}).WhichOneof("action") == "redirect"


def test_an_extension_merges_with_its_own_type(route: route_v3.Route) -> None:
    """And so does what is in it."""
    merged = merge(route, {"typed_per_filter_config": {"fault": {"@type": FAULT, "max_active_faults": 1}}})
    fault = fault_v3.HTTPFault()
    merged.typed_per_filter_config["fault"].Unpack(fault)
    assert (fault.abort.http_status, fault.max_active_faults.value) == (503, 1)


def test_an_extension_of_another_type_replaces(route: route_v3.Route) -> None:
    """Nothing of the old one is left."""
    merged = merge(route, {"typed_per_filter_config": {"fault": {"@type": TLS, "sni": "x"}}})
    assert merged.typed_per_filter_config["fault"].type_url == TLS


def test_metadata_keeps_what_is_ours(route: route_v3.Route) -> None:
    """A map's other entries stay, and a struct's other fields."""
    merged = merge(route, {"metadata": {"filter_metadata": {"canary": {"team": "t"}, "mine": {"a": [1]}}}})
    assert dict(merged.metadata.filter_metadata["canary"].items()) == {"deployment": "d", "team": "t"}


def test_the_message_itself_is_not_touched(route: route_v3.Route) -> None:
    """A merge is a new message."""
    before = route.SerializeToString(deterministic=True)
    merge(route, {"name": "other", "route": {"timeout": None}})
    assert route.SerializeToString(deterministic=True) == before


def test_clusters_are_found_wherever_they_are_named() -> None:
    """Shares, mirrors, and services that extensions call."""
    ext_authz = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"
    host = parse(
        route_v3.VirtualHost,
        {
            "name": "h",
            "domains": ["h"],
            "request_mirror_policies": [{"cluster": "mirror"}],
            "routes": [
                {"match": {"prefix": "/a"}, "route": {"cluster": "direct"}},
                {
                    "match": {"prefix": "/b"},
                    "route": {"weighted_clusters": {"clusters": [{"name": "share", "weight": 1}]}},
                },
            ],
            "typed_per_filter_config": {
                "x": {"@type": ext_authz, "grpc_service": {"envoy_grpc": {"cluster_name": "auth"}}}
            },
        },
    )
    assert clusters_in(host) == {"mirror", "direct", "share", "auth"}
