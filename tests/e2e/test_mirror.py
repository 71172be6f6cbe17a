"""Copies of requests: they arrive, say what they are, and never change an answer."""

import asyncio
import dataclasses
import math
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, documents, endpoints, split
from tests.support.mesh import Mesh
from tests.support.ports import LOOPBACK
from tests.support.raw_http import RawClient
from tests.support.waiting import eventually

pytestmark = pytest.mark.envoy


@dataclasses.dataclass
class Shadow:
    """A build that notes what reaches it: (host, mirrored header) of every request."""

    address: str = ""
    status: int = 200
    free: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Answers wait for it."""
    seen: list[tuple[str, str | None]] = dataclasses.field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Note it, and answer as told."""
        self.seen.append((request.headers["host"], request.headers.get("x-canary-mirrored")))
        await self.free.wait()
        return web.Response(text="shadow", status=self.status)

    async def gets(self, count: int) -> None:
        """Wait until `count` requests came."""

        async def there() -> bool:
            return len(self.seen) >= count

        await eventually(there, f"{count} requests at the shadow")


@pytest.fixture
async def shadow() -> AsyncIterator[Shadow]:
    """One that serves."""
    shadow = Shadow()
    shadow.free.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shadow.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    shadow.address = f"{LOOPBACK}:{runner.addresses[0][1]}"
    yield shadow
    shadow.free.set()
    await runner.cleanup()


async def serve(admin: AdminClient, host: str, shadow: Shadow, percentage: float = 100) -> None:
    """A deployment whose `main` answers, and whose `s` gets copies."""
    canary = {
        **split(s=(host, 0)),
        "mirror": {"version": "s", "percentage": percentage},
        "version_selector": {"header": "X-Version"},
    }
    await admin.apply(documents(deployment(host, canary=canary), endpoints(**{host: shadow.address})))
    await admin.settled(host)


@pytest.mark.parametrize("trouble", ["none", "failing", "stuck"])
async def test_answers_are_mains(mesh: Mesh, admin: AdminClient, shadow: Shadow, trouble: str) -> None:
    """All of them, whether the mirror answers, fails or never comes back; and every copy arrives."""
    if trouble == "failing":
        shadow.status = 503
    if trouble == "stuck":
        shadow.free.clear()
    host = f"mirrored-{trouble}"
    await serve(admin, host, shadow)
    async with RawClient(mesh.gateway) as client:
        answers = [await client.get(host) for _ in range(40)]
    assert {(each.status, each.version, each.body) for each in answers} == {(200, "main", b"m1")}
    await shadow.gets(40)
    assert set(shadow.seen) == {(host, "s")}


async def test_a_part_is_mirrored(mesh: Mesh, admin: AdminClient, shadow: Shadow) -> None:
    """25 % of 800 requests, within five standard deviations."""
    await serve(admin, "mirrored-part", shadow, 25)
    async with RawClient(mesh.gateway) as client:
        for _ in range(800):
            assert (await client.get("mirrored-part")).version == "main"
    await shadow.gets(100)
    assert abs(len(shadow.seen) - 200) < 5 * math.sqrt(800 * 0.25 * 0.75)


async def test_what_goes_there_is_not_copied_there(mesh: Mesh, admin: AdminClient, shadow: Shadow) -> None:
    """A request pinned to the mirrored version reaches it once, and isn't called a copy."""
    await serve(admin, "mirrored-pin", shadow)
    async with RawClient(mesh.gateway) as client:
        pinned = [await client.get("mirrored-pin", b"/", [("x-version", b"s")]) for _ in range(10)]
        await client.get("mirrored-pin", b"/", [("x-version", b"main")])
    assert {each.body for each in pinned} == {b"shadow"}
    await shadow.gets(11)
    assert sorted(told or "" for _, told in shadow.seen) == [""] * 10 + ["s"]
