"""The delta dialect over real gRPC, spoken by hand: the adapters carry what the core decides."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.delta import CLUSTER, ENDPOINTS, LISTENER, ROUTES, DeltaClient
from tests.support.files import deployment, documents, endpoints, split

NAME = "wired"
FILE = documents(
    deployment(NAME, canary=split(a=("a1", 20))), endpoints(m1="127.0.0.1:3001", a1="127.0.0.1:3002")
)
CLUSTERS = {f"{NAME}_m1", f"{NAME}_a1"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane without any Envoy; the deployment is in force before it says it is ready."""
    folder = tmp_path_factory.mktemp("wire")
    (folder / "specs").mkdir()
    (folder / "specs" / "wired.yaml").write_text(FILE)
    nothing_runs = {"health_checks": False}
    running = ControlPlane(folder, specs=folder / "specs", settings=nothing_runs)
    yield running
    running.kill()


@pytest.fixture
async def admin(plane: ControlPlane) -> AsyncIterator[AdminClient]:
    """Its admin API."""
    async with AdminClient(plane.admin) as client:
        yield client


async def take_all(client: DeltaClient) -> dict[str, dict[str, str]]:
    """Take everything as Envoy would; versions by name by type."""
    held: dict[str, dict[str, str]] = {}

    async def take(type_url: str, *names: str) -> None:
        await client.subscribe(type_url, *names)
        response = await client.receive()
        await client.ack(response)
        assert response.type_url == type_url
        held[type_url] = {resource.name: resource.version for resource in response.resources}

    await take(CLUSTER)
    await take(ENDPOINTS, *sorted(CLUSTERS))
    await take(LISTENER)
    await take(ROUTES, "default")
    return held


async def silence(client: DeltaClient) -> bool:
    """Whether nothing comes for a while."""
    try:
        await client.receive(seconds=0.5)
    except TimeoutError:
        return True
    return False


async def test_a_weight_change_is_one_resource(plane: ControlPlane, admin: AdminClient) -> None:
    """Who holds everything is sent the route table, and nothing besides."""
    async with DeltaClient(plane.xds) as client:
        await take_all(client)
        await admin.set_weights(NAME, a=30)
        response = await client.receive()
        await client.ack(response)

        assert [resource.name for resource in response.resources] == ["default"]
        assert response.type_url == ROUTES
        assert await silence(client)


async def test_what_a_reconnecting_client_proves_to_hold_is_not_sent(plane: ControlPlane) -> None:
    """With its versions in `initial_resource_versions` a client hears only of what it lacks."""
    async with DeltaClient(plane.xds) as client:
        held = await take_all(client)
    lacking = min(CLUSTERS)
    del held[CLUSTER][lacking]

    async with DeltaClient(plane.xds) as client:
        await client.subscribe(CLUSTER, has=held[CLUSTER])
        response = await client.receive()
        await client.ack(response)
        await client.subscribe(LISTENER, has=held[LISTENER])
        assert [resource.name for resource in response.resources] == [lacking]
        assert await silence(client)


async def test_a_rejected_resource_is_not_pressed(plane: ControlPlane, admin: AdminClient) -> None:
    """After a NACK the old table comes back, the refused one never; the author learns who said what."""
    async with DeltaClient(plane.xds, node_id="choosy") as client:
        await take_all(client)
        await admin.set_weights(NAME, a=40)
        rejected = await client.receive()
        await client.nack(rejected, "not to my taste")
        restored = await client.receive()
        await client.ack(restored)
        assert await silence(client)

        assert restored.resources[0].version != rejected.resources[0].version
        convergence = (await admin.get(NAME)).convergence
        assert (convergence.envoys, convergence.in_sync) == (1, 0)
        assert list(convergence.rejections) == [f"choosy: routes of {NAME}: not to my taste"]


async def test_any_node_belongs_to_the_default_gateway(plane: ControlPlane) -> None:
    """`default` also takes nodes nobody else matches."""
    async with DeltaClient(plane.xds, gateway="somewhere-else") as client:
        held = await take_all(client)

    assert set(held[CLUSTER]) == CLUSTERS


async def test_many_clients_hear_of_a_change(plane: ControlPlane, admin: AdminClient) -> None:
    """One change reaches fifty streams, and each gets it once."""
    clients = [DeltaClient(plane.xds, node_id=f"one-of-many-{number}") for number in range(50)]
    for client in clients:
        await client.__aenter__()
    try:
        await asyncio.gather(*(take_all(client) for client in clients))
        await admin.set_weights(NAME, a=50)
        heard = await asyncio.gather(*(client.receive() for client in clients))
        await asyncio.gather(*(client.ack(response) for client, response in zip(clients, heard, strict=True)))
        state = await admin.settled(NAME, envoys=len(clients))
    finally:
        for client in clients:
            await client.__aexit__(None, None, None)

    assert {resource.version for response in heard for resource in response.resources} == {
        heard[0].resources[0].version
    }
    assert state.convergence.in_sync == len(clients)


async def test_a_server_without_deployments_still_answers(tmp_path: Path) -> None:
    """Listeners and an empty route table, so that its Envoys become ready."""
    empty = ControlPlane(tmp_path)
    try:
        async with DeltaClient(empty.xds) as client:
            await client.subscribe(LISTENER)
            listeners = await client.receive()
            await client.ack(listeners)
            await client.subscribe(ROUTES, "default")
            routes = await client.receive()
    finally:
        empty.kill()

    assert len(listeners.resources) == 1
    assert [resource.name for resource in routes.resources] == ["default"]
