"""Patches of what we generate: where they apply, and what they must leave alone."""

from typing import Any

import pytest

from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway, Listen
from xds.spec.read import read
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.translate.clusters import cluster
from xds.translate.hosts import section
from xds.translate.raw_patches import faults_of_document
from xds.translate.routes import routes
from xds.translate.view import View

CORS = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy"
GATEWAY = Gateway(name="edge", listeners=(Listen(port=1),))


def view(**more: Any) -> View:
    """A deployment with a sticky split between two builds, as a gateway is to serve it."""
    said: dict[str, Any] = {
        "name": "chat",
        "canary": {"route_type": "header", "route_by": "X-User", "versions": {"a": {"weight": 50}}},
    }
    revision = decide.apply(Deployment.model_validate(said | more), None, {}, Note("test", 0.0))
    assert revision is not None
    here = (Endpoint(address="10.0.0.1", port=80),)
    return View(GATEWAY, revision, {"chat@main": here, "chat@a": here})


def version(**envoy: Any) -> dict[str, Any]:
    """The `canary` key with patches of version `a`."""
    versions = {"a": {"weight": 50, "envoy": envoy}}
    return {"route_type": "header", "route_by": "X-User", "versions": versions}


def clusters(of: View) -> dict[str, cluster_v3.Cluster]:
    """Its clusters by name."""
    return {build.cluster: cluster(of, build) for build in of.builds()}


def test_a_routes_patch_applies_to_every_route() -> None:
    """To the sticky one and to the one that takes the rest."""
    patched = routes(view(envoy={"route": {"route": {"host_rewrite_literal": "x"}}}))
    assert [route.route.host_rewrite_literal for route in patched] == ["x", "x"]


def test_a_patched_route_still_splits() -> None:
    """Names, matches, hash policy and shares are those of an unpatched one."""
    plain, patched = routes(view()), routes(view(envoy={"route": {"route": {"timeout": "3s"}}}))
    for route in patched:
        route.route.timeout.Clear()
    for route in plain:
        route.route.timeout.Clear()
    assert patched == plain


def test_a_clusters_patch_applies_to_every_build() -> None:
    """With a version's own on top."""
    patched = view(
        envoy={"cluster": {"connect_timeout": "1s", "per_connection_buffer_limit_bytes": 1}},
        canary=version(cluster={"per_connection_buffer_limit_bytes": 2}),
    )
    said = {
        name: (each.connect_timeout.seconds, each.per_connection_buffer_limit_bytes.value)
        for name, each in clusters(patched).items()
    }
    assert said == {"chat_main": (1, 1), "chat_a": (1, 2)}


def test_filter_configuration_of_a_version_is_on_its_entries_only() -> None:
    """And on all of them."""
    patched = view(canary=version(typed_per_filter_config={"cors": {"@type": CORS}}))
    told = {
        (entry.name, "cors" in entry.typed_per_filter_config)
        for route in routes(patched)
        for entry in route.route.weighted_clusters.clusters
    }
    assert told == {("chat_main", False), ("chat_a", True)}


def test_clusters_that_patches_name_are_known() -> None:
    """A mirror's: the route must not go out before it."""
    mirror = {"route": {"request_mirror_policies": [{"cluster": "mirror"}]}}
    _, brought = section(view(envoy={"route": mirror}))
    assert brought.clusters() == {"chat_main", "chat_a", "mirror"}


STICKY = "canary: {route_type: header, route_by: X-User, versions: {a: {weight: 5%s}}}"
OURS = {
    "mirror": (
        "envoy: {route: {route: {request_mirror_policies: []}}}\ncanary: {mirror: {version: main}}",
        "envoy.route.route.request_mirror_policies",
    ),
    "route name": ("envoy: {route: {name: x}}", "envoy.route.name"),
    "match": ("envoy: {route: {match: {prefix: /x}}}", "envoy.route.match"),
    "redirect": ("envoy: {route: {redirect: {}}}", "envoy.route.redirect"),
    "cluster": ("envoy: {route: {route: {cluster: x}}}", "envoy.route.route.cluster"),
    "split": ("envoy: {route: {route: {weightedClusters: {}}}}", "envoy.route.route.weightedClusters"),
    "hash": (STICKY % "" + "\nenvoy: {route: {route: {hash_policy: []}}}", "envoy.route.route.hash_policy"),
    "cluster name": ("envoy: {cluster: {name: x}}", "envoy.cluster.name"),
    "discovery": ("envoy: {cluster: {eds_cluster_config: null}}", "envoy.cluster.eds_cluster_config"),
    "of a version": (STICKY % ", envoy: {cluster: {type: EDS}}", "canary.versions.a.envoy.cluster.type"),
}


@pytest.mark.parametrize("what", OURS)
def test_what_others_stand_on_cannot_be_patched(what: str) -> None:
    """With its line and path."""
    text, path = OURS[what]
    (document,) = read([("chat.yaml", f"name: chat\n{text}\n")]).documents
    line = 3 if what == "hash" else 2
    (said,) = map(str, faults_of_document(document))
    assert said.startswith(f"chat.yaml:{line}: {path}: can't be patched (")


def test_a_ring_that_cannot_be_built_is_refused() -> None:
    """Envoy would refuse the cluster once, and then acknowledge what it does not have."""
    text = (
        "name: chat\nenvoy: {cluster: {lb_policy: RING_HASH, ring_hash_lb_config: {maximum_ring_size: 5}}}\n"
    )
    (document,) = read([("chat.yaml", text)]).documents
    (fault,) = faults_of_document(document)
    assert str(fault) == (
        "chat.yaml:2: envoy.cluster: a ring of at least 1,024 and at most 5 entries can't be built"
        " (write a minimum_ring_size that is not over the maximum_ring_size)"
    )


def test_without_a_sticky_split_the_hash_policy_is_free() -> None:
    """It then only chooses between endpoints."""
    text = "name: chat\nenvoy: {route: {route: {hash_policy: [{header: {header_name: x}}]}}}\n"
    (document,) = read([("chat.yaml", text)]).documents
    assert faults_of_document(document) == []


def test_a_versions_route_is_refused_with_what_there_is_instead() -> None:
    """While reading: a route is chosen before its version is."""
    text = "name: chat\n" + STICKY % ", envoy: {route: {}}"
    (fault,) = read([("chat.yaml", text)]).faults
    assert str(fault) == (
        "chat.yaml:2: canary.versions.a.envoy.route: belongs to the deployment: a route is chosen before its"
        " version is (move it to the top level's envoy; typed_per_filter_config can differ between versions)"
    )


def test_a_patch_is_part_of_the_revision() -> None:
    """A deployment that differs in nothing else is another one, so it can be rolled back."""
    head = view().revision
    spec = view(envoy={"cluster": {"connect_timeout": None}}).revision.spec
    assert decide.apply(spec, head, {}, Note("test", 0.0)) is not None
