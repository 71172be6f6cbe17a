"""Envoy resources given to a gateway: all or nothing, durable, and rolled back like everything else."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.control.conftest import Planes
from xds.catalog.types import Type
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.control.terms import Terms
from xds.discovery.hub import Hub
from xds.errors import InvalidInput, NotFound, NothingToDo, SettingsError
from xds.spec.gateway import Gateway
from xds.store.sqlite import SqliteStore

_PREFIX = "'@type': type.googleapis.com/envoy.config"


def cluster(name: str = "legacy", timeout: str = "1s", **more: str) -> str:
    """A static cluster."""
    lines = [f"{key}: {value}" for key, value in {"connect_timeout": timeout, **more}.items()]
    return "\n".join([f"{_PREFIX}.cluster.v3.Cluster", f"name: {name}", *lines, ""])


def eds_cluster(name: str = "legacy", timeout: str = "1s") -> str:
    """A cluster that asks for its endpoints."""
    return cluster(
        name, timeout, type="EDS", eds_cluster_config="{eds_config: {ads: {}, resource_api_version: V3}}"
    )


def endpoints(name: str = "legacy") -> str:
    """Nowhere."""
    return f"{_PREFIX}.endpoint.v3.ClusterLoadAssignment\ncluster_name: {name}\n"


def routes(name: str = "old", to: str = "legacy") -> str:
    """A route table with one route."""
    route = f"{{match: {{prefix: /}}, route: {{cluster: {to}}}}}"
    hosts = f"[{{name: h, domains: [h], routes: [{route}]}}]"
    return f"{_PREFIX}.route.v3.RouteConfiguration\nname: {name}\nvirtual_hosts: {hosts}\n"


async def give(plane: ControlPlane, *documents: str) -> int:
    """Give the default gateway resources; returns the number of the set."""
    outcome = await plane.resources.set("default", [("r.yaml", "---\n".join(documents))], Terms("test"))
    plane.publisher.publish()
    assert outcome.standing.given is not None
    return outcome.standing.given.number


def published(plane: ControlPlane) -> set[tuple[str, str]]:
    """Type and name of everything in the catalog."""
    catalog = plane.hub.catalogs["default"]
    return {(type_.name, name) for type_ in Type for name in catalog.all(type_)}


async def test_what_is_given_is_published(planes: Planes) -> None:
    """Beside what Canary makes."""
    async with planes() as plane:
        await give(plane, cluster(), routes())
        assert {("CLUSTER", "legacy"), ("ROUTE", "old"), ("ROUTE", "default")} <= published(plane)


async def test_what_is_given_replaces_what_was_given(planes: Planes) -> None:
    """What is no longer there goes."""
    async with planes() as plane:
        before = published(plane)
        await give(plane, cluster(), routes())
        await give(plane)
        assert published(plane) == before


async def test_the_same_again_changes_nothing(planes: Planes) -> None:
    """No new number."""
    async with planes() as plane:
        assert [await give(plane, cluster()), await give(plane, cluster())] == [1, 1]


async def test_a_restart_keeps_what_was_given(planes: Planes) -> None:
    """The store alone decides."""
    async with planes() as plane:
        await give(plane, cluster(), routes())
        before, given = published(plane), plane.resources.get("default").given
    async with planes() as plane:
        assert (published(plane), plane.resources.get("default").given) == (before, given)


async def test_rollbacks_walk_back(planes: Planes) -> None:
    """A second one goes further, and a third finds nothing."""
    async with planes() as plane:
        for timeout in ("1s", "2s", "3s"):
            await give(plane, cluster(timeout=timeout))
        sources = []
        for _ in range(2):
            standing = (await plane.resources.rollback("default", Terms("test", "why"))).standing
            sources.append(standing.given.source if standing.given else None)
        assert sources == [2, 1]
        with pytest.raises(NothingToDo, match="the resources of gateway default has no earlier"):
            await plane.resources.rollback("default", Terms("test"))
        kinds = [given.kind for given in await plane.resources.history("default")]
        assert kinds == ["rollback", "rollback", "set", "set", "set"]


async def test_a_rollback_restores_the_old_versions(planes: Planes) -> None:
    """Equal contents are equal bytes."""
    async with planes() as plane:
        catalog = plane.hub.catalogs["default"]
        await give(plane, cluster())
        before = catalog.fingerprint(Type.CLUSTER)
        await give(plane, cluster(timeout="2s"))
        await plane.resources.rollback("default", Terms("test"))
        plane.publisher.publish()
        assert catalog.fingerprint(Type.CLUSTER) == before


async def test_endpoints_change_their_version_with_their_cluster(planes: Planes) -> None:
    """An Envoy that was sent a new cluster waits for its endpoints to come again."""
    async with planes() as plane:
        catalog = plane.hub.catalogs["default"]
        versions = []
        for timeout in ("1s", "2s"):
            await give(plane, eds_cluster(timeout=timeout), endpoints())
            resource = catalog.get(Type.ENDPOINT, "legacy")
            versions.append(resource.version if resource else None)
        assert versions[0] != versions[1]


async def test_routes_list_the_clusters_they_name(planes: Planes) -> None:
    """They must not reach an Envoy before them."""
    async with planes() as plane:
        await give(plane, cluster(), routes())
        resource = plane.hub.catalogs["default"].get(Type.ROUTE, "old")
        assert resource is not None
        assert resource.clusters == {"legacy"}


BAD = {
    "no type": ("name: x\n", "r.yaml:1: has no @type"),
    "not xDS": (
        "'@type': type.googleapis.com/envoy.config.route.v3.Route\nname: x\n",
        "r.yaml:1: @type: .* is no type that xDS carries",
    ),
    "no name": (f"{_PREFIX}.cluster.v3.Cluster\nconnect_timeout: 1s\n", "r.yaml:1: name: is missing"),
    "unknown field": (
        cluster(connect_timeoutt="1s"),
        r"r.yaml:4: connect_timeoutt: .*did you mean connect_t",
    ),
    "twice": (cluster() + "---\n" + cluster(), r"r.yaml:6: name: Cluster legacy is also given in r.yaml:2"),
    "ours": (routes("default", "chat_main"), "name: RouteConfiguration default is made by Canary"),
    "our cluster": (cluster("chat_main"), "name: Cluster chat_main is made by Canary"),
    "dangling": (routes(), "r.yaml:1: names the cluster legacy, which is not there"),
    "no endpoints": (eds_cluster(), "name: asks for the endpoints legacy, which are not there"),
    "silent": (
        cluster(lb_policy="MAGLEV", maglev_lb_config="{table_size: 10}"),
        r"r.yaml:2: name: a table of 10 entries can't be built \(write a table_size that is prime\)",
    ),
    "no table": (
        (
            f"{_PREFIX}.route.v3.ScopedRouteConfiguration\nname: s\nroute_configuration_name: defualt\n"
            "key: {fragments: [{string_key: x}]}\n"
        ),
        r"names the RouteConfiguration defualt, which is not there \(did you mean default\?\)",
    ),
}


@pytest.mark.parametrize("kind", BAD)
async def test_what_is_wrong_is_refused_as_a_whole(planes: Planes, kind: str) -> None:
    """With its place, and nothing changes."""
    text, message = BAD[kind]
    async with planes() as plane:
        await plane.deployments.apply_texts([("chat.yaml", "name: chat\n")], Terms("test"))
        plane.publisher.publish()
        before = published(plane)
        with pytest.raises(InvalidInput, match=message):
            await give(plane, text, cluster("innocent"))
        assert (published(plane), plane.resources.get("default").given) == (before, None)


async def test_routes_may_name_clusters_of_deployments(planes: Planes) -> None:
    """Also of one applied a moment ago."""
    async with planes() as plane:
        await plane.deployments.apply_texts([("chat.yaml", "name: chat\n")], Terms("test"))
        await give(plane, routes(to="chat_main"))


async def test_routes_may_name_the_cluster_of_the_control_plane(planes: Planes) -> None:
    """Every bootstrap has it."""
    async with planes() as plane:
        await give(plane, routes(to="xds"))


async def test_a_deployment_cannot_take_the_name_of_a_cluster_that_was_given(planes: Planes) -> None:
    """Nothing is there twice."""
    async with planes() as plane:
        await give(plane, cluster("chat_main"))
        with pytest.raises(InvalidInput, match="its cluster chat_main is also among the resources"):
            await plane.deployments.apply_texts([("chat.yaml", "name: chat\n")], Terms("test"))


async def test_a_rollback_to_what_no_longer_holds_is_refused(planes: Planes) -> None:
    """The cluster that was given then is a deployment's now."""
    async with planes() as plane:
        await give(plane, cluster("chat_main"))
        await give(plane)
        await plane.deployments.apply_texts([("chat.yaml", "name: chat\n")], Terms("test"))
        with pytest.raises(InvalidInput, match="resources 1: name: Cluster chat_main is made by Canary"):
            await plane.resources.rollback("default", Terms("test"))


async def test_an_unknown_gateway_is_named_with_those_there_are(planes: Planes) -> None:
    """NotFound."""
    async with planes() as plane:
        with pytest.raises(NotFound, match=r"there is no gateway 'edge' \(there are: default\)"):
            plane.resources.get("edge")


async def test_a_virtual_host_that_takes_a_deployments_host_stops_the_start(
    planes: Planes, tmp_path: Path
) -> None:
    """The message names both; what Envoys have stays."""
    async with planes() as plane:
        await plane.deployments.apply_texts(
            [("chat.yaml", "name: chat\nhosts: [legacy.test]\n")], Terms("me")
        )
    host: dict[str, JsonValue] = {"name": "old", "domains": ["legacy.test"]}
    gateway = Gateway(name="default", virtual_hosts=(host,))
    with ThreadPoolExecutor(1) as thread:
        store = thread.submit(SqliteStore, tmp_path / "canary.db").result()
        state = State([gateway], thread.submit(store.load, 0.0).result())
        publisher = Publisher(state, Hub(["default"]), lambda _: None)
        with pytest.raises(SettingsError, match=r"chat claims legacy\.test .* virtual host old has it"):
            ControlPlane(state, store, thread, publisher)
        thread.submit(store.close).result()
