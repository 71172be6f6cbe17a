"""The server's own look at endpoints: every second, so many at a time, and not more than a core can spare.

An endpoint that makes us wait holds up nobody: its check goes on while the next round of the others
begins. Rounds are spread out: with thousands of endpoints a second's worth of checks takes its time,
and what waits meanwhile is streams of Envoys.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal

import aiohttp
import grpc
import structlog
from grpc_health.v1 import health_pb2

from xds.control.checking import HealthControl
from xds.control.health import Check
from xds.spec.places import ip_or_none

INTERVAL = 1.0
"""Seconds from one round to the next, unless there is more to check than `RATE` allows."""

RATE = 1_000
"""Checks begun a second, at most: a quarter of a core where TCP is all that is asked."""

_BATCH = 20
"""Checks that are begun at once."""

AT_ONCE = 400
"""Checks under way. Many systems allow a process 1,024 sockets, and Envoys need some too."""

_OURS = frozenset(
    (
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.EAFNOSUPPORT,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EACCES,
        errno.EPERM,
    )
)
"""Errors that say something about this machine, and nothing about the endpoint."""

_HTTP_OK = 200

log = structlog.get_logger(__name__)


class HealthChecks:
    """Looks at endpoints on behalf of a control plane. `run` is its one task."""

    def __init__(self, health: HealthControl) -> None:
        self._health = health
        self._under_way: dict[Check, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Look at everything again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        cookies = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=cookies) as session,
            asyncio.TaskGroup() as tasks,
        ):
            looks = _looks(session)
            while True:
                began = loop.time()
                begun = await self._round(self._health.checks(), looks, tasks)
                rest = began + INTERVAL - loop.time()
                if begun and rest > 0:
                    await asyncio.wait(begun, timeout=rest)
                self._health.settle()
                await asyncio.sleep(max(0.0, began + INTERVAL - loop.time()))

    async def _round(
        self, checks: Iterable[Check], looks: "Looks", tasks: asyncio.TaskGroup
    ) -> list[asyncio.Task[None]]:
        """Begin a check of everything that isn't being checked already."""
        begun = []
        for check in checks:
            if check in self._under_way:
                continue
            await self._slots.acquire()
            task = tasks.create_task(self._check(check, looks[check.kind]))
            self._under_way[check] = task
            begun.append(task)
            if len(begun) % _BATCH == 0:
                await asyncio.sleep(_BATCH / RATE)
        return begun

    async def _check(self, check: Check, look: "Look") -> None:
        try:
            self._health.heard(check, await seen(look, check))
        finally:
            del self._under_way[check]
            self._slots.release()


async def heed_envoys(health: HealthControl) -> None:
    """Look at nothing, but let builds lend by what the Envoys say, until cancelled."""
    while True:
        health.checks()
        health.settle()
        await asyncio.sleep(INTERVAL)


Look = Callable[[Check], Awaitable[str]]
"""Looks at an endpoint; "": it is fine, else what is wrong. May raise what sockets raise."""

Looks = Mapping[Literal["tcp", "http", "grpc"], Look]


async def seen(look: Look, check: Check) -> str | None:
    """What came of a look: "": it is fine; None: that can't be said from here; else what is wrong."""
    try:
        async with asyncio.timeout(check.timeout):
            return await look(check)
    except TimeoutError:
        return f"no answer in {check.timeout:g} s"
    except (OSError, aiohttp.ClientError) as error:
        return _problem(error)
    except Exception as error:  # a bug in here must not take share away from anybody
        log.exception("health check", endpoint=f"{check.address}:{check.port}", error=str(error))
        return None


def _problem(error: OSError | aiohttp.ClientError) -> str | None:
    """What an error says about an endpoint; None: it is about this machine, or the name is unknown here."""
    if isinstance(error, (socket.gaierror, aiohttp.ClientConnectorDNSError)):
        return None
    number = error.errno if isinstance(error, OSError) else None
    if number in _OURS:
        return None
    return os.strerror(number) if number else str(error) or type(error).__name__


def _looks(session: aiohttp.ClientSession) -> Looks:
    """The ways to look."""

    async def ask(check: Check) -> str:
        host = f"[{check.address}]" if ":" in check.address else check.address
        url = f"http://{host}:{check.port}{check.path}"
        async with session.get(url, headers={"host": check.host}, allow_redirects=False) as answer:
            return "" if answer.status == _HTTP_OK else f"{check.path} answers {answer.status}"

    return {"tcp": connect, "http": ask, "grpc": ask_by_grpc}


async def connect(check: Check) -> str:
    """Whether the port takes a connection; an address is asked without a transport, at half the cost."""
    loop = asyncio.get_running_loop()
    if ip_or_none(check.address) is None:
        transport, _ = await loop.create_connection(asyncio.Protocol, check.address, check.port)
        transport.abort()
        return ""
    with socket.socket(socket.AF_INET6 if ":" in check.address else socket.AF_INET) as sock:
        sock.setblocking(False)  # noqa: FBT003 (its only argument)
        await loop.sock_connect(sock, (check.address, check.port))
    return ""


async def ask_by_grpc(check: Check) -> str:
    """Whether gRPC's health service says that the server as a whole is serving."""
    host = f"[{check.address}]" if ":" in check.address else check.address
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(f"{host}:{check.port}", options) as channel:
        call = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await call(health_pb2.HealthCheckRequest())
        except grpc.aio.AioRpcError as error:
            return f"gRPC: {error.code().name}: {error.details()}"
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return ""
    return f"gRPC: {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}"
