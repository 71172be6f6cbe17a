"""A control plane that starts again answers from its image: Envoys notice nothing, and nothing is older."""

import asyncio
from pathlib import Path

import pytest

from tests.support.admin_client import AdminClient
from tests.support.control_plane import ControlPlane
from tests.support.delta import CLUSTER, ROUTES, SCOPES, DeltaClient
from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import BUILDS
from tests.support.traffic import Ask, Client, Load
from tests.support.upstreams import Upstreams
from tests.support.wire_tap import WireTap

pytestmark = [pytest.mark.envoy, pytest.mark.both_modes]

HOST = "steady"
FROM_THE_IMAGE = "loading the rest"


def file(upstreams: Upstreams) -> str:
    """A deployment of three builds with their endpoints."""
    canary = split("X-User-ID", route_type="header", a=("a1", 20), b=("b1", 30))
    where = {build: upstreams.endpoint(build) for build in BUILDS}
    return documents(deployment(HOST, canary=canary), endpoints(**where))


async def test_a_restart_under_load_is_not_noticed(tmp_path: Path, upstreams: Upstreams, mode: str) -> None:
    """No request fails, and nothing is sent until something changes."""
    plane = ControlPlane(tmp_path, mode=mode)
    try:
        async with WireTap(plane.xds) as tap:
            async with AdminClient(plane.admin) as admin:
                await admin.apply(file(upstreams))
            envoy = Envoy(tmp_path, tap.address, wait=False)
            try:
                await asyncio.to_thread(envoy.process.wait_until, envoy.ready)
                async with AdminClient(plane.admin) as admin:
                    await admin.settled(HOST)
                async with Client(plane.listener) as client, Load(client, Ask(HOST)) as load:
                    await load.more(100)
                    before = len(tap.lines)
                    assert await asyncio.to_thread(plane.stop) == 0
                    await load.more(100)
                    await asyncio.to_thread(plane.start)
                    async with AdminClient(plane.admin) as admin:
                        await admin.settled(HOST)
                        await admin.set_weights(HOST, a=25)
                        await admin.settled(HOST)
                    await load.more(50)
            finally:
                envoy.stop()
        assert FROM_THE_IMAGE in plane.process.log.read_text()
        sent = [(kind, name) for line in tap.lines[before:] for kind, name, _ in line.sent()]
        routes = ("RouteConfiguration", "default") if mode == "table" else ("ScopedRouteConfiguration", HOST)
        assert sent == [routes]
        assert load.failures() == {}
    finally:
        plane.kill()


async def test_killed_right_after_a_commit_it_never_sends_what_was_before(
    tmp_path: Path, upstreams: Upstreams, mode: str
) -> None:
    """The image may not have it yet; then it is not used."""
    plane = ControlPlane(tmp_path, mode=mode)
    try:
        async with AdminClient(plane.admin) as admin:
            await admin.apply(file(upstreams))
        plane.stop()
        plane.start()
        for weight in (25, 30, 35):
            before = await routes(plane, mode)
            async with AdminClient(plane.admin) as admin:
                await admin.set_weights(HOST, a=weight)
            await asyncio.to_thread(plane.kill)
            await asyncio.to_thread(plane.start)
            assert await routes(plane, mode) != before
    finally:
        plane.kill()


async def routes(plane: ControlPlane, mode: str) -> bytes:
    """The routes that an Envoy is sent first."""
    async with DeltaClient(plane.xds) as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.ack(await envoy.receive())
        if mode == "table":
            await envoy.subscribe(ROUTES, "default")
        else:
            await envoy.subscribe(SCOPES)
        (resource,) = (await envoy.receive()).resources
        return resource.resource.value
