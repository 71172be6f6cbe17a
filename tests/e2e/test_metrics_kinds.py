"""Each number that tells how a version does, from a real Envoy: what went wrong here is counted there."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
from aiohttp import web

from tests.support.envoys import Envoy
from tests.support.files import deployment, documents, endpoints, split
from tests.support.ports import LOOPBACK, free_port
from tests.support.serving import Serving, serving
from tests.support.traffic import Ask, Client
from tests.support.waiting import eventually
from xds.control.terms import Terms
from xds.spec.gateway import Gateway, Listen
from xds.telemetry.records import Scope, Summary
from xds.translate.bootstrap import bootstrap

pytestmark = pytest.mark.envoy

_PIECES = 10
_EVERY = 0.1


@dataclasses.dataclass(frozen=True)
class Running:
    """A server, and an Envoy that reports to it every half second."""

    server: Serving
    port: tuple[str, int]
    folder: Path

    def summary(self, host: str, build: str | None = None) -> Summary:
        """What is known by now."""
        return self.server.plane.telemetry.summary(Scope(host, build), 60, time.time())

    async def becomes(self, look: Callable[[], bool], what: str) -> None:
        """Wait for a report."""

        async def there() -> bool:
            return look()

        await eventually(there, what, 8)

    async def apply(self, *texts: str) -> None:
        """Serve this."""
        await self.server.plane.deployments.apply_texts([("file.yaml", documents(*texts))], Terms("test"))


async def streamed(request: web.Request) -> web.StreamResponse:
    """Begin after a moment, and go on for a second."""
    response = web.StreamResponse()
    await asyncio.sleep(0.2)
    await response.prepare(request)
    for _ in range(_PIECES):
        await response.write(b"token ")
        await asyncio.sleep(_EVERY)
    return response


async def cut(request: web.Request) -> web.StreamResponse:
    """Begin, and break off."""
    response = web.StreamResponse(headers={"content-length": "1000"})
    await response.prepare(request)
    await response.write(b"half of it")
    await asyncio.sleep(0.05)
    if request.transport is not None:
        request.transport.abort()
    return response


async def broken(request: web.Request) -> web.Response:
    """Break off before there is an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def stuck(_: web.Request) -> web.Response:
    """Answer much too late."""
    await asyncio.sleep(3)
    return web.Response()


async def plain(_: web.Request) -> web.Response:
    """Answer at once."""
    return web.Response(text="fine")


@pytest.fixture
async def model() -> AsyncIterator[str]:
    """A build that does what the path says; its address."""
    app = web.Application()
    for path, handler in (("/streamed", streamed), ("/cut", cut), ("/broken", broken), ("/stuck", stuck)):
        app.router.add_get(path, handler)
    app.router.add_get("/{path:.*}", plain)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    yield f"{LOOPBACK}:{runner.addresses[0][1]}"
    await runner.cleanup()


async def fails(call: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    """Fail with the status that was asked for."""
    if call != b"0":
        code = next(code for code in grpc.StatusCode if code.value[0] == int(call))
        await context.abort(code, "as you wish")
    return call


@pytest.fixture
async def grpc_model() -> AsyncIterator[str]:
    """A gRPC service that fails as it is told; its address."""
    server = grpc.aio.server()
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(fails)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {"Fail": method}),))
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    await server.start()
    yield f"{LOOPBACK}:{port}"
    await server.stop(None)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A server and its Envoy."""
    where = (LOOPBACK, free_port())
    gateway = Gateway(name="default", listeners=(Listen(address=where[0], port=where[1]),))
    async with serving(tmp_path, gateway) as server:
        config = bootstrap(
            gateway="default", xds=server.xds, node_id="e1", envoy_admin=(LOOPBACK, 0), report_every=0.5
        )
        envoy = Envoy(tmp_path, server.xds, node_id="e1", config=config, wait=False)
        await asyncio.to_thread(envoy.process.wait_until, envoy.ready)
        yield Running(server, where, tmp_path)
        envoy.stop()


async def test_what_goes_wrong_has_its_number(running: Running, model: str) -> None:
    """Broken off before and after the first byte, given up, streamed, copied: each where it belongs."""
    canary = {**split(s=("s", 0)), "mirror": {"version": "s", "percentage": 100}}
    await running.apply(deployment("odd", main="m", canary=canary, timeout="1s"), endpoints(m=model, s=model))
    async with Client(running.port, 20) as client:

        async def ask(path: str) -> int:
            return (await client.ask(Ask("odd", path))).status

        async def served() -> bool:
            return await ask("/") == 200

        await eventually(served, "it is served")
        paths = ["/"] * 8 + ["/cut"] * 4 + ["/broken"] * 3 + ["/stuck"] * 2
        statuses = await asyncio.gather(*map(ask, paths))
    assert sorted(statuses) == [0] * 4 + [200] * 8 + [503] * 3 + [504] * 2

    def all_counted() -> bool:
        return running.summary("odd", "m").counts.requests >= len(paths) + 1

    await running.becomes(all_counted, "all of it was reported")
    main, copies = running.summary("odd", "m"), running.summary("odd", "s")
    assert main.counts.statuses == {"2xx": 13, "5xx": 5}
    assert main.counts.failures == 5
    assert main.counts.timeouts == 2
    assert main.counts.resets == 7
    assert main.counts.resets_after_first_byte == 4
    assert (main.counts.mirrored, copies.counts.mirrored > 0) == (0, True)
    assert (copies.counts.requests, copies.rate, copies.latency.count) == (0, 0.0, 0)


async def test_a_streamed_answer_is_fast_at_its_first_byte(running: Running, model: str) -> None:
    """Its whole time is the length of what it says."""
    await running.apply(deployment("chatty", main="m"), endpoints(m=model))
    async with Client(running.port, 20) as client:

        async def served() -> bool:
            return (await client.ask(Ask("chatty", "/streamed"))).status == 200

        await eventually(served, "it is served")
    await running.becomes(lambda: running.summary("chatty").latency.count == 1, "it was reported")
    summary = running.summary("chatty")
    assert 0.2 / 1.25 <= summary.first_byte.p50 < _PIECES * _EVERY
    assert summary.latency.p50 >= _PIECES * _EVERY / 1.25


async def test_calls_that_fail_are_failures(running: Running, grpc_model: str) -> None:
    """By their gRPC status, though HTTP says 200; a caller's own mistake is none."""
    await running.apply(deployment("calls", main="g", protocol="grpc"), endpoints(g=grpc_model))
    options = [("grpc.default_authority", "calls"), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"{LOOPBACK}:{running.port[1]}", options) as channel:
        fail: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/test.Echo/Fail")

        async def call(status: int) -> int:
            try:
                await fail(str(status).encode())
            except grpc.aio.AioRpcError as error:
                code: tuple[int, str] = error.code().value
                return code[0]
            return 0

        async def served() -> bool:
            return await call(0) == 0

        await eventually(served, "it is served")
        statuses = [0, 0, 0, 14, 14, 3, 13]
        assert [await call(status) for status in statuses] == statuses
    await running.becomes(lambda: running.summary("calls").counts.requests == 8, "they were reported")
    counts = running.summary("calls").counts
    assert counts.grpc == {"0": 4, "14": 2, "3": 1, "13": 1}
    assert (counts.statuses, counts.failures) == ({"2xx": 8}, 3)


async def test_calls_that_envoy_answers_itself_fail_once(running: Running) -> None:
    """They are 503 and UNAVAILABLE, and took no time: that tells them apart."""
    nobody = f"{LOOPBACK}:{free_port()}"
    await running.apply(deployment("dead", main="x", protocol="grpc"), endpoints(x=nobody))
    options = [("grpc.default_authority", "dead"), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"{LOOPBACK}:{running.port[1]}", options) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/test.Echo/Fail")

        async def fails() -> bool:
            try:
                await call(b"0")
            except grpc.aio.AioRpcError as error:
                return error.code() is grpc.StatusCode.UNAVAILABLE
            return False

        await eventually(fails, "it is served")
        assert [await fails() for _ in range(5)] == [True] * 5
    await running.becomes(lambda: running.summary("dead").counts.requests >= 5, "they were reported")
    seen = running.summary("dead")
    assert (seen.counts.failures, seen.latency.count) == (seen.counts.requests, 0)
    assert seen.counts.grpc == {"14": seen.counts.requests}
