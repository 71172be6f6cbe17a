"""`canary wait --for drained` on a real Envoy: not while an answer is still on its way, and soon after."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually
from xds.client import AsyncClient
from xds.control.terms import Terms
from xds.spec.gateway import Gateway, Listen
from xds.stubs import canary_admin_v1_pb2 as pb
from xds.translate.bootstrap import bootstrap

pytestmark = pytest.mark.envoy

SECONDS = 3.0
"""How long an answer takes."""
STATE = pb.Confirmation.State


class Model:
    """A build whose answers take their time.

    Attributes:
        ended: when the last answer ended.
    """

    def __init__(self) -> None:
        self.address = ""
        self.ended = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        """At once, or in a while."""
        if request.path == "/slow":
            await asyncio.sleep(SECONDS)
            self.ended = time.monotonic()
        return web.Response()


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    """On a port of its own."""
    found = Model()
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    found.address = f"{LOOPBACK}:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def running(tmp_path: Path, model: Model) -> AsyncIterator[tuple[Serving, str]]:
    """A server, its Envoy with everybody on `a`, and where that takes requests."""
    port = free_port()
    text = documents(
        deployment("chat", main="m", canary=split(a=("a", 100))), endpoints(m=model.address, a=model.address)
    )
    async with serving(
        tmp_path, Gateway(name="default", listeners=(Listen(address=LOOPBACK, port=port),))
    ) as server:
        await server.plane.deployments.apply_texts([("chat.yaml", text)], Terms("test"))
        config = bootstrap(
            gateway="default", xds=server.xds, node_id="e1", envoy_admin=(LOOPBACK, 0), report_every=0.5
        )
        envoy = Envoy(tmp_path, server.xds, node_id="e1", config=config, wait=False)
        await asyncio.to_thread(envoy.process.wait_until, envoy.ready)
        yield server, f"http://{LOOPBACK}:{port}"
        envoy.stop()


async def test_a_version_is_drained_when_its_last_answer_has_ended(
    running: tuple[Serving, str], model: Model
) -> None:
    """And what it was asked by then is on /metrics."""
    server, url = running
    async with (
        aiohttp.ClientSession(headers={"host": "chat"}) as session,
        AsyncClient(server.admin) as canary,
    ):

        async def served() -> bool:
            async with session.get(f"{url}/") as answer:
                return answer.status == 200 and answer.headers["x-canary-version"] == "a"

        await eventually(served, "it is served")
        slow = asyncio.create_task(session.get(f"{url}/slow"))

        async def busy() -> bool:
            return (await canary.metrics("chat", "a")).versions[0].in_flight == 1

        await eventually(busy, "the request is in flight")
        await canary.set_weights("chat", {"a": 0}, wait=True)
        said = [drain async for drain in canary.draining("chat", "a", timeout=20)]
        drained = time.monotonic()
        assert (await slow).status == 200

    assert [drain.state for drain in said[:-1]] == [STATE.WAITING] * (len(said) - 1)
    assert any("in flight: 1" in drain.reasons for drain in said)
    assert (said[-1].state, said[-1].envoys, said[-1].reported) == (STATE.CONFIRMED, 1, 1)
    assert 0 < model.ended < drained
    labels = {"deployment": "chat", "version": "a", "build": "model:a", "gateway": "default", "class": "2xx"}
    assert (server.registry.get_sample_value("canary_requests_total", labels) or 0) >= 2
