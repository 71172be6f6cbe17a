"""A canary that Envoy finds unhealthy while its port is open lends, though the server looks at nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, tag
from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.traffic import Ask, Client
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.control import health
from xds.control.terms import Terms
from xds.server.health_checks import heed_envoys
from xds.spec.gateway import Gateway, Listen
from xds.translate.bootstrap import bootstrap

pytestmark = pytest.mark.envoy

CHECK = {"path": "/healthz", "interval": "0.2s", "unhealthy_threshold": 2}


class Moody:
    """A build that answers everybody, and its health checks as it is told to."""

    def __init__(self) -> None:
        self.status = 200

    async def check(self, _: web.Request) -> web.Response:
        """How it is."""
        return web.Response(status=self.status)

    async def answer(self, _: web.Request) -> web.Response:
        """What it is for."""
        return web.Response(text="moody")

    async def serve(self) -> web.AppRunner:
        """Listen."""
        app = web.Application()
        app.router.add_get("/healthz", self.check)
        app.router.add_get("/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0).start()
        return runner


@pytest.fixture
async def moody() -> AsyncIterator[tuple[Moody, str]]:
    """One, and where it runs."""
    model = Moody()
    runner = await model.serve()
    yield model, f"{LOOPBACK}:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[tuple[Serving, Client]]:
    """A server without checks of its own, and an Envoy that reports every half second."""
    gateway_port = free_port()
    gateway = Gateway(name="default", listeners=(Listen(address=LOOPBACK, port=gateway_port),))
    async with serving(tmp_path, gateway) as server:
        config = bootstrap(
            gateway="default",
            xds=server.xds,
            node_id="e1",
            envoy_admin=(LOOPBACK, 0),
            report_every=0.5,
        )
        heeding = asyncio.create_task(heed_envoys(server.plane.health))
        envoy = Envoy(tmp_path, server.xds, node_id="e1", config=config, wait=False)
        try:
            async with Client((LOOPBACK, gateway_port)) as client:
                yield server, client
        finally:
            heeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heeding
            await asyncio.to_thread(envoy.stop)


async def test_what_envoy_finds_unhealthy_lends(
    scene: tuple[Serving, Client],
    moody: tuple[Moody, str],
    upstreams: Upstreams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its users get `main`, are told why, and have it again when Envoy finds it healthy."""
    monkeypatch.setattr(health, "HOLD", 1.0)
    (server, client), (model, where) = scene, moody
    version = {"bento": tag("a1"), "weight": 100, "health_check": CHECK}
    text = documents(
        endpoints(m1=upstreams.endpoint("m1"), a1=where),
        deployment("moods", canary={"versions": {"a": version}}),
    )
    await server.plane.deployments.apply_texts([("moods.yaml", text)], Terms("test"))

    async def until(version: str) -> None:
        async def there() -> bool:
            answer = await client.ask(Ask("moods"))
            return (answer.status, answer.version) == (200, version)

        await eventually(there, f"{version} serves", 20.0)

    await until("a")
    model.status = 503
    await until("main")
    (why,) = server.plane.deployments.get("moods").unhealthy.values()
    assert why == "most Envoys find none of its endpoints healthy"
    model.status = 200
    await until("a")
