"""What a gateway's configuration brings: filters, virtual hosts, patches of its listeners."""

from typing import Any

import pytest

from xds.spec.claims import claims_of
from xds.spec.deployment import Deployment
from xds.spec.gateway import Gateway, Listen
from xds.spec.read import read
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.stubs.envoy_config_route_v3_pb2 import RouteConfiguration, ScopedRouteConfiguration
from xds.translate.listeners import listener
from xds.translate.offline import translate
from xds.translate.raw_gateway import clashes, faults_of_gateways

CORS = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
NEVER_FOUND = (
    "is never found: a scoped gateway looks hosts up by their exact name"
    " (write it in lower case, without wildcard and port)"
)
LEGACY = {
    "name": "legacy",
    "domains": ["Legacy.test"],
    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "c"}}],
}


def edge(**said: Any) -> Gateway:
    """A gateway with one listener."""
    return Gateway.model_validate({"name": "edge", "listeners": [{"port": 10000}], **said})


def connection_manager(gateway: Gateway) -> http_v3.HttpConnectionManager:
    """What its listener does with HTTP."""
    made = listener(gateway, Listen(port=10000))
    manager = http_v3.HttpConnectionManager()
    assert made.filter_chains[0].filters[0].typed_config.Unpack(manager)
    return manager


def test_filters_stand_in_front_of_the_router() -> None:
    """In their order, behind those that read models, before the one that counts gRPC statuses."""
    filters = [{"name": name, "typed_config": {"@type": CORS}} for name in ("b", "a")]
    names = [each.name for each in connection_manager(edge(http_filters=filters)).http_filters]
    ours = ["envoy.filters.http.grpc_stats", "envoy.filters.http.router"]
    assert names == ["canary.body", "canary.model", "b", "a", *ours]


def test_each_part_of_a_listener_can_be_patched() -> None:
    """The listener, its filter chain, its connection manager."""
    patched = edge(
        patches={
            "listener": {"stat_prefix": "mine"},
            "filter_chain": {"transport_socket": {"name": "tls", "typed_config": {"@type": TLS}}},
            "http_connection_manager": {"server_name": "mine", "use_remote_address": None},
        }
    )
    made, manager = listener(patched, Listen(port=10000)), connection_manager(patched)
    assert (made.stat_prefix, made.filter_chains[0].transport_socket.name) == ("mine", "tls")
    assert (manager.server_name, manager.HasField("use_remote_address")) == ("mine", False)


def test_virtual_hosts_are_in_the_same_table() -> None:
    """After those of deployments."""
    documents = read([("chat.yaml", "name: chat\n")]).documents
    _, table, *_ = translate(documents, [edge(virtual_hosts=[LEGACY])])
    assert [host.name for host in table.virtual_hosts] == ["chat", "legacy"]  # type: ignore[attr-defined]  # a table


def test_a_deployment_cannot_claim_a_domain_of_a_virtual_host() -> None:
    """The fault names both."""
    gateways = [edge(virtual_hosts=[LEGACY])]
    claims = claims_of(Deployment(name="chat", hosts=("legacy.test",)), gateways, "chat.yaml", 1)
    (fault,) = clashes(claims, gateways)
    assert str(fault) == (
        "chat.yaml:1: hosts: chat claims legacy.test on gateway edge,"
        " whose own virtual host legacy has it (take it out of one of them)"
    )


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown filter": (
        {"http_filters": [{"name": "x", "typed_config": {"@type": CORS + "s"}}]},
        (
            "http_filters[0].typed_config.@type: there is no type envoy.extensions.filters.http.cors.v3.Corss"
            " (did you mean envoy.extensions.filters.http.cors.v3.Cors?)"
        ),
    ),
    "nameless filter": ({"http_filters": [{}]}, "http_filters[0].name: is missing"),
    "filter twice": (
        {"http_filters": [{"name": "x"}, {"name": "x"}]},
        "http_filters[1].name: x is listed twice (keep one of them)",
    ),
    "router": (
        {"http_filters": [{"name": "x", "typed_config": {"@type": ROUTER}}]},
        "http_filters[0]: is the router, which is there already, at the end (leave it out)",
    ),
    "nameless host": (
        {"virtual_hosts": [{"domains": ["x"]}]},
        "virtual_hosts[0].name: is missing",
    ),
    "no domains": (
        {"virtual_hosts": [{"name": "x"}]},
        "virtual_hosts[0].domains: is missing (write the hosts it answers to)",
    ),
    "domain twice": (
        {"virtual_hosts": [LEGACY, {"name": "x", "domains": ["legacy.test"]}]},
        "virtual_hosts[1].domains[0]: legacy.test belongs to legacy already (keep one of them)",
    ),
    "host twice": (
        {"virtual_hosts": [LEGACY, {"name": "legacy", "domains": ["x"]}]},
        "virtual_hosts[1].name: legacy is also the name of another (rename one of them)",
    ),
    "a wildcard among scopes": (
        {"mode": "scoped", "virtual_hosts": [{"name": "x", "domains": ["x.test", "*.test"]}]},
        f"virtual_hosts[0].domains[1]: *.test {NEVER_FOUND}",
    ),
    "capitals among scopes": (
        {"mode": "scoped", "virtual_hosts": [{"name": "x", "domains": ["X.test"]}]},
        f"virtual_hosts[0].domains[0]: X.test {NEVER_FOUND}",
    ),
    "routes": (
        {"patches": {"http_connection_manager": {"routeConfig": {}}}},
        "patches.http_connection_manager.routeConfig: can't be patched (routes come from here)",
    ),
    "address": (
        {"patches": {"listener": {"address": {}}}},
        "patches.listener.address: can't be patched (listeners say it)",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_with_its_path(what: str) -> None:
    """Before any Envoy hears of it."""
    said, fault = WRONG[what]
    found = faults_of_gateways([edge(**said)], "canary.yaml", lambda _: 7)
    assert [str(each) for each in found] == [f"canary.yaml:7: gateways[0].{fault}"]


def test_scopes_as_translate_prints_them() -> None:
    """The listener looks for scopes; each host and each domain of the gateway's own is one."""
    documents = read([("chat.yaml", "name: chat\n")]).documents
    made = translate(
        documents, [edge(mode="scoped", virtual_hosts=[{**LEGACY, "domains": ["a.test", "b.test"]}])]
    )
    names = [each.name for each in made if isinstance(each, ScopedRouteConfiguration)]
    assert names == ["chat", "a.test", "b.test"]
    assert not [each for each in made if isinstance(each, RouteConfiguration)]
