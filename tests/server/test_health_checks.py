"""The server's own look at endpoints: what counts as healthy, and who is held up by whom."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import grpc
import pytest
from aiohttp import web
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.ports import LOOPBACK, free_port
from tests.support.waiting import eventually
from xds.control.checking import HealthControl
from xds.control.health import Check
from xds.server import health_checks
from xds.server.health_checks import HealthChecks

Serve = Callable[[web.Request], Awaitable[web.Response]]


class Listening:
    """Stands for the control plane: wants these checks, and notes what was seen."""

    def __init__(self, *checks: Check) -> None:
        self._checks = checks
        self.seen: dict[Check, list[str | None]] = {check: [] for check in checks}
        self.rounds = 0

    def checks(self) -> tuple[Check, ...]:
        return self._checks

    def heard(self, check: Check, problem: str | None) -> None:
        self.seen[check].append(problem)

    def settle(self) -> None:
        self.rounds += 1


@asynccontextmanager
async def looking(*checks: Check) -> AsyncIterator[Listening]:
    """Looks at these until the end of the block."""
    listening = Listening(*checks)
    looks = HealthChecks(cast("HealthControl", listening))
    task = asyncio.create_task(looks.run())
    try:
        yield listening
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def said(check: Check) -> str | None:
    """What is seen at the first look."""
    async with looking(check) as listening:

        async def there() -> bool:
            return bool(listening.seen[check])

        await eventually(there, "a verdict")
        return listening.seen[check][0]


@asynccontextmanager
async def http(serve: Serve) -> AsyncIterator[int]:
    """An HTTP server; its port."""
    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_port_that_takes_connections_is_healthy_and_one_that_is_closed_is_not() -> None:
    """That is all there is to know where nobody says how to look."""
    listener = socket.create_server((LOOPBACK, 0))
    with listener:
        assert await said(Check(LOOPBACK, listener.getsockname()[1])) == ""
    assert await said(Check(LOOPBACK, free_port())) == "Connection refused"


async def test_http_asks_for_the_path_by_the_deployments_name_and_wants_200() -> None:
    """As Envoy's own check does."""

    async def serve(request: web.Request) -> web.Response:
        fine = (request.path, request.host) == ("/ready", "chat")
        return web.Response(status=200 if fine else 404)

    async with http(serve) as port:
        assert await said(Check(LOOPBACK, port, "http", "/ready", "chat")) == ""
        assert await said(Check(LOOPBACK, port, "http", "/live", "chat")) == "/live answers 404"


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (health_pb2.HealthCheckResponse.SERVING, ""),
        (health_pb2.HealthCheckResponse.NOT_SERVING, "gRPC: NOT_SERVING"),
    ],
)
async def test_grpc_asks_the_health_service(status: int, problem: str) -> None:
    """About the server as a whole."""
    server = grpc.aio.server()
    servicer = grpc_health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    await server.start()
    await servicer.set("", status)
    assert await said(Check(LOOPBACK, port, "grpc")) == problem
    await server.stop(None)


async def test_grpc_where_nothing_listens() -> None:
    """It says so, and not what gRPC has to say about itself."""
    problem = await said(Check(LOOPBACK, free_port(), "grpc"))
    assert problem
    assert problem.startswith("gRPC: UNAVAILABLE")


@pytest.mark.parametrize("kind", ["tcp", "http"])
async def test_a_name_that_means_nothing_here_has_no_verdict(kind: str) -> None:
    """Envoy may know it."""
    assert await said(Check("nowhere.invalid", 80, "http" if kind == "http" else "tcp", "/")) is None


async def test_who_makes_us_wait_holds_up_nobody() -> None:
    """A check that takes long goes on while the others are looked at again; it has failed in the end."""

    async def serve(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    listener = socket.create_server((LOOPBACK, 0))
    with listener:
        async with http(serve) as port:
            slow = Check(LOOPBACK, port, "http", "/", "chat", timeout=1.5)
            quick = Check(LOOPBACK, listener.getsockname()[1])
            async with looking(slow, quick) as listening:

                async def failed() -> bool:
                    return bool(listening.seen[slow])

                await eventually(failed, "the slow one failed")
                assert listening.seen[slow] == ["no answer in 1.5 s"]
                assert len(listening.seen[quick]) > 1


async def test_no_more_are_under_way_than_there_are_sockets_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, and however slow."""
    monkeypatch.setattr(health_checks, "AT_ONCE", 3)
    at_once, most = 0, 0

    async def serve(_: web.Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        return web.Response()

    async with http(serve) as port:
        checks = [Check(LOOPBACK, port, "http", f"/{number}", "chat") for number in range(30)]
        async with looking(*checks) as listening:

            async def all_seen() -> bool:
                return all(listening.seen.values())

            await eventually(all_seen, "all were looked at")
    assert most == 3
