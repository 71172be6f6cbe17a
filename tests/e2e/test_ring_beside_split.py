"""A ring of endpoints hashes by its own header, beside a split that hashes something else."""

import collections
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, split
from tests.support.mesh import Mesh
from tests.support.ports import LOOPBACK
from tests.support.raw_http import Header, RawClient

pytestmark = pytest.mark.envoy

PLACES = 4
PREFIXES = 6


@pytest.fixture
async def places() -> AsyncIterator[list[str]]:
    """Endpoints of one build that say which of them they are."""
    runners, addresses = [], []
    for number in range(PLACES):

        async def answer(_: web.Request, name: str = str(number)) -> web.Response:
            return web.Response(text=name)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0).start()
        runners.append(runner)
        addresses.append(f"{LOOPBACK}:{runner.addresses[0][1]}")
    yield addresses
    for runner in runners:
        await runner.cleanup()


@pytest.mark.parametrize(("route_type", "by"), [("header", "X-User-ID"), ("query", "user"), ("random", None)])
async def test_the_prefix_keeps_its_endpoint(
    mesh: Mesh, admin: AdminClient, places: list[str], route_type: str, by: str | None
) -> None:
    """Prompts with one prefix share an endpoint, whoever asks; users keep their version all the same."""
    host = f"ring-beside-{route_type}"
    text = deployment(
        host,
        main=host,
        canary=split(by, route_type=route_type, a=("a1", 40)),
        endpoints=places,
        load_balancing={"policy": "ring_hash", "header": "X-Prefix"},
    )
    await admin.apply(text)
    await admin.settled(host)

    endpoints_of: collections.defaultdict[int, set[bytes]] = collections.defaultdict(set)
    versions_of: collections.defaultdict[int, set[str | None]] = collections.defaultdict(set)
    async with RawClient(mesh.gateway) as client:
        for number in range(600):
            user, prefix = number % 50, number % PREFIXES
            headers: list[Header] = [
                ("x-user-id", f"u{user}".encode()),
                ("x-prefix", f"p{prefix}".encode()),
            ]
            answer = await client.get(host, f"/?user=u{user}".encode(), headers)
            versions_of[user].add(answer.version)
            if answer.version == "main":
                endpoints_of[prefix].add(answer.body)

    assert {len(seen) for seen in endpoints_of.values()} == {1}
    assert len(endpoints_of) == PREFIXES
    assert len(set.union(*endpoints_of.values())) > 1
    if route_type != "random":
        assert {len(seen) for seen in versions_of.values()} == {1}
