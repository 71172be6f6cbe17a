"""Envoys that can't keep people on a version: what they are sent, and who learns of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.delta import CLUSTER, LISTENER, ROUTES, DeltaClient
from tests.support.serving import Serving, serving
from xds.control.terms import Terms
from xds.errors import InvalidInput
from xds.spec.gateway import default_gateway
from xds.stubs.envoy_config_route_v3_pb2 import Route, RouteConfiguration

ENDPOINTS = 'endpoints: {"s:1": ["10.0.0.1:80"], "s:2": ["10.0.0.2:80"]}\n'
LIMITED = ("old (Envoy 1.35.0): can't keep people on a version before 1.36; everyone gets main",)


def spec(weight: float = 20, on_unsupported: str = "main") -> str:
    """A deployment that is split by a header."""
    return (
        f"name: s\nbento: 's:1'\ncanary:\n  {{route_type: header, route_by: X-User, "
        f"on_unsupported: {on_unsupported}, versions: {{a: {{bento: 's:2', weight: {weight}}}}}}}\n"
    )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Serving]:
    """A control plane without deployments."""
    async with serving(tmp_path, default_gateway()) as running:
        await running.plane.deployments.apply_texts([("e.yaml", ENDPOINTS)], Terms("test"))
        yield running


async def apply(server: Serving, text: str) -> None:
    """Apply a file and publish what it changes."""
    await server.plane.deployments.apply_texts([("s.yaml", text)], Terms("test"))
    server.plane.publisher.publish()


@asynccontextmanager
async def envoy(
    server: Serving, version: tuple[int, int, int], node_id: str = "old"
) -> AsyncIterator[tuple[DeltaClient, list[Route]]]:
    """An Envoy of this version that has taken its clusters, and the routes it was sent then."""
    async with DeltaClient(server.xds, node_id=node_id, envoy=version) as client:
        await client.subscribe(CLUSTER)
        await client.ack(await client.receive())
        await client.subscribe(ROUTES, "default")
        yield client, await take_routes(client)


async def take_routes(client: DeltaClient) -> list[Route]:
    """The routes in the next answer, acknowledged."""
    answer = await client.receive()
    await client.ack(answer)
    table = RouteConfiguration.FromString(answer.resources[0].resource.value)
    return [route for host in table.virtual_hosts for route in host.routes]


def shares(routes: list[Route]) -> list[list[int]]:
    """The weights of each route."""
    return [[entry.weight.value for entry in route.route.weighted_clusters.clusters] for route in routes]


async def test_an_old_envoy_sends_everyone_to_main(server: Serving) -> None:
    """One plain route, without a hash that it would ignore."""
    await apply(server, spec())
    async with envoy(server, (1, 35, 0)) as (_, routes):
        assert shares(routes) == [[10_000]]
        assert not routes[0].route.weighted_clusters.HasField("use_hash_policy")


async def test_a_new_envoy_beside_it_keeps_the_split(server: Serving) -> None:
    """Each has what it can do."""
    await apply(server, spec())
    async with envoy(server, (1, 35, 0)), envoy(server, (1, 36, 0), "new") as (_, routes):
        assert routes[0].route.weighted_clusters.use_hash_policy.value


async def test_by_chance_if_the_deployment_prefers_that(server: Serving) -> None:
    """The same shares, for requests instead of people."""
    await apply(server, spec(on_unsupported="random"))
    async with envoy(server, (1, 35, 0)) as (_, routes):
        assert shares(routes) == [[8000, 2000]]
        assert not routes[0].route.weighted_clusters.HasField("use_hash_policy")


async def test_later_changes_reach_it_too(server: Serving) -> None:
    """Every target is published, not only the one of the newest."""
    await apply(server, spec(weight=100))
    async with envoy(server, (1, 35, 0)) as (client, routes):
        assert shares(routes) == [[10_000]]
        before = routes[0].route.weighted_clusters.clusters[0].name
        await apply(server, spec(weight=20))
        (after,) = await take_routes(client)
        assert after.route.weighted_clusters.clusters[0].name != before


async def test_it_is_listed_while_it_is_connected(server: Serving) -> None:
    """With the reason, for whoever looks at the deployment."""
    await apply(server, spec())
    async with envoy(server, (1, 35, 0)), envoy(server, (1, 40, 0), "new"):
        assert server.plane.deployments.get("s").convergence.limited == LIMITED
        await server.plane.deployments.abort("s", Terms("test"))
        assert server.plane.deployments.get("s").convergence.limited == ()


async def test_one_catalog_is_enough_for_one_kind_of_envoy(server: Serving) -> None:
    """The other is made when the first Envoy that needs it connects."""
    await apply(server, spec())
    async with envoy(server, (1, 40, 0), "new"):
        assert len(server.plane.hub.targets()) == 1
        async with envoy(server, (1, 35, 0)):
            assert len(server.plane.hub.targets()) == 2


async def test_refuse_takes_no_split_while_one_is_connected(server: Serving) -> None:
    """Neither by a file nor by weights; what ends a split is always taken."""
    await apply(server, spec(weight=0, on_unsupported="refuse"))
    async with envoy(server, (1, 35, 0)):
        with pytest.raises(InvalidInput, match=r"refuses old \(Envoy 1\.35\.0\)"):
            await apply(server, spec(on_unsupported="refuse"))
        with pytest.raises(InvalidInput, match=r"refuses old \(Envoy 1\.35\.0\)"):
            await server.plane.deployments.set_weights("s", {"a": 10}, Terms("test"))
        await server.plane.deployments.set_weights("s", {"a": 100}, Terms("test"))
        await server.plane.deployments.rollback("s", Terms("test"))
    assert server.plane.deployments.get("s").revision.number == 3


async def test_one_that_connects_later_is_listed_and_sends_everyone_to_main(server: Serving) -> None:
    """Nobody could be refused then."""
    await apply(server, spec(on_unsupported="refuse"))
    async with envoy(server, (1, 35, 0)) as (_, routes):
        assert shares(routes) == [[10_000]]
        assert server.plane.deployments.get("s").convergence.limited == LIMITED


async def test_an_old_envoy_is_not_trusted_with_bodies(server: Serving) -> None:
    """It has no filters that read models, and what is for a model goes to nobody; it is listed."""
    await apply(server, "name: s\nhosts: [h]\nbento: 's:1'\nmatch: {model: llama}\n")
    async with envoy(server, (1, 35, 0)) as (client, routes):
        assert [route.name for route in routes] == ["canary/no-model"]
        await client.subscribe(LISTENER)
        assert b"canary.body" not in (await client.receive()).resources[0].resource.value
        limited = ("old (Envoy 1.35.0): can't look for the model in a body before 1.36; nobody gets here",)
        assert server.plane.deployments.get("s").convergence.limited == limited


async def test_a_newer_one_reads_them(server: Serving) -> None:
    """With what every listener has."""
    await apply(server, "name: s\nhosts: [h]\nbento: 's:1'\nmatch: {model: llama}\n")
    async with envoy(server, (1, 36, 0)) as (client, routes):
        assert [route.name for route in routes] == ["canary/read", "s/split", "canary/no-model"]
        await client.subscribe(LISTENER)
        assert b"canary.body" in (await client.receive()).resources[0].resource.value
