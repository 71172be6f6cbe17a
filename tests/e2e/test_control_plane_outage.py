"""The control plane dies: Envoy goes on, and when it is back nothing is sent that Envoy has."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.delta import CLUSTER, ENDPOINTS, short_type
from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import BUILDS
from tests.support.traffic import Ask, Client, Load
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from tests.support.wire_tap import WireTap

pytestmark = pytest.mark.envoy

HOST = "steady"
CLUSTERS = {f"{HOST}_{build}" for build in BUILDS}


def file(upstreams: Upstreams, connect_timeout: str = "5s") -> str:
    """A deployment of three builds with their endpoints."""
    canary = split("X-User-ID", route_type="header", a=("a1", 20), b=("b1", 30))
    where = {build: upstreams.endpoint(build) for build in BUILDS}
    return documents(deployment(HOST, canary=canary, connect_timeout=connect_timeout), endpoints(**where))


class Wired:
    """A control plane, a tap, and an Envoy behind it."""

    def __init__(self, plane: ControlPlane, tap: WireTap, envoy: Envoy) -> None:
        self.plane, self.tap, self.envoy = plane, tap, envoy

    async def kill(self) -> None:
        """Kill the control plane."""
        await asyncio.to_thread(self.plane.kill)

    async def come_back(self) -> None:
        """Start it again at the same addresses."""
        await asyncio.to_thread(self.plane.start)


@pytest.fixture
async def wired(tmp_path: Path, upstreams: Upstreams, mode: str) -> AsyncIterator[Wired]:
    """All of it, serving the deployment."""
    plane = ControlPlane(tmp_path, mode=mode)
    try:
        async with WireTap(plane.xds) as tap, AdminClient(plane.admin) as admin:
            await admin.apply(file(upstreams))
            envoy = Envoy(tmp_path, tap.address, wait=False)
            try:
                await asyncio.to_thread(envoy.process.wait_until, envoy.ready)
                await admin.settled(HOST)
                yield Wired(plane, tap, envoy)
            finally:
                envoy.stop()
    finally:
        plane.kill()


@pytest.mark.both_modes
async def test_envoy_serves_on_and_nothing_is_sent_again(wired: Wired, mode: str) -> None:
    """Killed and started under load: no request fails, and after the reconnect no resource crosses the wire.

    A weight change closes the observation: it has to be the one and only thing that is sent.
    """
    async with Client(wired.plane.listener) as client, Load(client, Ask(HOST, header="X-User-ID")) as load:
        await load.more(100)
        before = len(wired.tap.lines)
        await wired.kill()
        await load.more(300)
        await wired.come_back()
        async with AdminClient(wired.plane.admin) as admin:
            await admin.settled(HOST)
            await admin.set_weights(HOST, a=25)
            await admin.settled(HOST)
        await load.more(50)

    sent = [resource for line in wired.tap.lines[before:] for resource in line.sent()]
    routes = ("RouteConfiguration", "default") if mode == "table" else ("ScopedRouteConfiguration", HOST)
    assert [(kind, name) for kind, name, _ in sent] == [routes]
    assert load.failures() == {}


async def test_a_cluster_updated_without_its_endpoints_does_not_stall(
    wired: Wired, upstreams: Upstreams
) -> None:
    """Clusters changed, the server killed before their endpoints went out: they come first thing on return.

    The tap swallows the endpoints, so that this Envoy warms clusters on the endpoints it never got, and
    offers the old ones' versions when it reconnects.
    """
    wired.tap.swallow = lambda response: response.type_url == ENDPOINTS
    before = len(wired.tap.lines[-1].sent())
    async with AdminClient(wired.plane.admin) as admin:
        await admin.apply(file(upstreams, connect_timeout="3.5s"))

    async def warming() -> bool:
        return set(await asyncio.to_thread(wired.envoy.warming_clusters)) >= CLUSTERS

    await eventually(warming, "the clusters warm")
    assert {kind for kind, _, _ in wired.tap.lines[-1].sent()[before:]} == {short_type(CLUSTER)}

    broken_off = len(wired.tap.lines)
    await wired.kill()
    wired.tap.swallow = lambda _: False
    await wired.come_back()
    async with AdminClient(wired.plane.admin) as admin:
        await admin.settled(HOST)

    responses = [response for line in wired.tap.lines[broken_off:] for response in line.responses]
    first = next(response for response in responses if response.resources)
    assert {resource.name for resource in first.resources} == CLUSTERS
    assert first.type_url == ENDPOINTS
