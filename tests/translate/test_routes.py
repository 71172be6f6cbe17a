"""Which routes a deployment has, in which order, and which it hasn't."""

from typing import Any

import pytest

from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway, Listen
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_extensions_load_balancing_policies_ring_hash_v3_pb2 as ring_hash_v3
from xds.translate.clusters import cluster
from xds.translate.hosts import section
from xds.translate.routes import routes
from xds.translate.view import View

HERE = (Endpoint(address="10.0.0.1", port=80),)
GATEWAY = Gateway(name="edge", listeners=(Listen(port=1),))
BETA = {"headers": {"X-Beta": "true"}}
EVERYTHING: dict[str, Any] = {
    "rules": [
        {"match": BETA, "version": "a"},
        {"match": {"path": "/x"}, "version": "b", "percentage": 10},
    ],
    "canary": {
        "route_type": "header",
        "route_by": "X-User",
        "when_missing": "sticky",
        "version_selector": {"header": "X-Version", "cookie": "v", "unknown": "not_found"},
        "mirror": {"version": "c"},
        "versions": {"a": {"weight": 20}, "b": {"weight": 0}, "c": {"weight": 0}},
    },
}


def view(*down: str, said: dict[str, Any] | None = None, **how: Any) -> View:
    """A deployment of everything (or what is said), as a gateway is to serve it; some builds are down."""
    spec = Deployment.model_validate({"name": "chat", **(EVERYTHING if said is None else said)})
    revision = decide.apply(spec, None, {}, Note("test", 0.0))
    assert revision is not None
    up = {f"chat@{label}": HERE for label in spec.weights() if label not in down}
    return View(GATEWAY, revision, up, **how)


def names(of: View) -> list[str]:
    """Its routes, in order, without the deployment's name."""
    return [route.name.removeprefix("chat/") for route in routes(of)]


def clusters_of(of: View, name: str) -> list[str]:
    """The builds that a route shares requests out to."""
    (found,) = (route for route in routes(of) if route.name == f"chat/{name}")
    return [entry.name.removeprefix("chat_") for entry in found.route.weighted_clusters.clusters]


def mirrors(route: route_v3.Route) -> set[str]:
    """The clusters that get copies of a route's requests."""
    return {copies.cluster for copies in route.route.request_mirror_policies}


def canary(**more: Any) -> dict[str, Any]:
    """A deployment with one canary of 20 %."""
    return {"canary": {"versions": {"a": {"weight": 20}}, **more}}


def test_the_order_of_everything() -> None:
    """Pins, rules, those with a key, those with a cookie, the rest."""
    pins = ["version/main", "version/a", "version/b", "version/c", "version/unknown"]
    part = ["sticky", "affinity/b", "affinity/main", "affinity/a", "split"]
    rest = ["sticky", "affinity/main", "affinity/a", "split"]
    assert names(view()) == [*pins, *pins, "rule-1", *(f"rule-2/{each}" for each in part), *rest]


def test_old_envoys_have_no_split_by_key() -> None:
    """Pins and whole rules are for them, too; who would be split gets `main`."""
    of = view(sticky_splits=False)
    assert names(of)[10:] == ["rule-1", "rule-2/split", "split"]
    assert clusters_of(of, "split") == ["main"]


def test_main_alone_names_no_other_build() -> None:
    """What an Envoy is given that lacks a cluster."""
    of = view(only_main=True)
    assert names(of) == ["split"]
    assert section(of)[1].clusters() == {"chat_main"}


def test_a_mirrors_cluster_is_known() -> None:
    """The routes must not go out before it."""
    said = canary(mirror={"version": "c"}, versions={"c": {"weight": 0}})
    assert section(view(said=said))[1].clusters() == {"chat_main", "chat_c"}


def test_a_mirror_is_on_every_route_but_those_to_itself() -> None:
    """A pin to `c` reaches it once."""
    mirrored = {route.name: mirrors(route) for route in routes(view()) if route.HasField("route")}
    assert mirrored.pop("chat/version/c") == set()
    assert set(map(frozenset, mirrored.values())) == {frozenset({"chat_c"})}


@pytest.mark.parametrize(
    "mirror",
    [{"version": "a", "percentage": 0}, {"version": "gone"}],
    ids=["nothing", "a version that was promoted"],
)
def test_a_mirror_of_nothing_is_none(mirror: dict[str, Any]) -> None:
    """No copies, and no trouble."""
    assert not any(map(mirrors, routes(view(said=canary(mirror=mirror)))))


def test_a_mirror_that_is_down_gets_nothing() -> None:
    """Copies to nowhere are only noise."""
    assert not any(map(mirrors, routes(view("c"))))


def test_a_rule_for_a_version_that_is_gone_is_passed_over() -> None:
    """After a promotion its label means nothing; the next rule is asked."""
    said = {"rules": [{"match": BETA, "version": "gone"}, {"match": BETA, "version": "a"}], **canary()}
    assert names(view(said=said)) == ["rule-2", "split"]


def test_a_rule_to_a_build_that_is_down_goes_to_main() -> None:
    """Whole or in part, as its slots would."""
    of = view("a", "b")
    assert clusters_of(of, "rule-1") == ["main"]
    assert set(clusters_of(of, "rule-2/split")) == {"main"}


def test_a_build_that_is_down_keeps_its_cookies() -> None:
    """Whoever is with it goes to `main` meanwhile, and isn't given another cookie."""
    of = view("a", said=canary(session_affinity={}))
    kept = {route.name: route for route in routes(of)}["chat/affinity/a"]
    (entry,) = kept.route.weighted_clusters.clusters
    assert entry.name == "chat_main"
    assert {edit.header.key for edit in entry.response_headers_to_add} == {"x-canary-version"}


def test_an_aborted_canary_keeps_nobody() -> None:
    """Cookies are taken back, whatever they say."""
    assert names(view(said=canary(versions={"a": {"weight": 0}}, session_affinity={}))) == [
        "affinity",
        "split",
    ]


def test_a_patch_of_forwarding_leaves_the_404_one() -> None:
    """What else it says holds there, too."""
    patch = {"route": {"route": {"host_rewrite_literal": "x"}, "response_headers_to_remove": ["x-a"]}}
    patched = routes(view(said={**EVERYTHING, "envoy": patch}))
    unknown = [route for route in patched if route.name == "chat/version/unknown"]
    assert {route.direct_response.status for route in unknown} == {404}
    assert {tuple(route.response_headers_to_remove) for route in patched} == {("x-a",)}


def test_a_salt_is_literal() -> None:
    """A backslash in it refers to no group."""
    said = canary(route_type="header", route_by="X-User", salt="a\\1")
    policy = routes(view(said=said))[0].route.hash_policy[0]
    assert policy.header.regex_rewrite.substitution == "a\\\\1:\\1"


@pytest.mark.parametrize(
    ("split", "own"),
    [
        ({}, False),
        ({"route_type": "header", "route_by": "x-PREFIX"}, False),
        ({"route_type": "header", "route_by": "X-User"}, True),
        ({"route_type": "query", "route_by": "user"}, True),
    ],
    ids=["random", "same header", "other header", "query"],
)
def test_a_ring_has_a_hash_of_its_own_beside_another(split: dict[str, Any], *, own: bool) -> None:
    """And the route's where that is the same, so that its cluster stays as plain as it was."""
    balancing = {"policy": "ring_hash", "header": "X-Prefix"}
    of = view(said={**canary(**split), "load_balancing": balancing})
    made = cluster(of, of.builds()[0])
    assert made.HasField("load_balancing_policy") == own
    if own:
        ring = ring_hash_v3.RingHash()
        made.load_balancing_policy.policies[0].typed_extension_config.typed_config.Unpack(ring)
        (policy,) = ring.consistent_hashing_lb_config.hash_policy
        assert policy.header.header_name == "X-Prefix"
