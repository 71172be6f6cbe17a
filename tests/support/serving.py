"""A whole control plane inside the test: store, verbs, publisher, and the two real gRPC servers."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.ports import LOOPBACK
from xds.admin.about import About
from xds.admin.access import Anybody
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.discovery.hub import Hub
from xds.fleet.admission import Admission
from xds.server import load, metrics
from xds.server.admin_listener import add_admin_services, admin_server
from xds.server.entrance import Entrance
from xds.server.listeners import xds_server
from xds.server.status import ClientStatus
from xds.server.telemetry import MetricsService
from xds.server.tls import Tls
from xds.server.xds import Discovery, Wakers
from xds.spec.gateway import Gateway
from xds.store.sqlite import SqliteStore


@dataclasses.dataclass(frozen=True)
class Serving:
    """What a test may reach: the plane itself, and where Envoys and people connect to.

    Attributes:
        admin: `host:port` of the admin API, where everyone is who they say.
        stop_admin: stops the admin API as the server does.
    """

    plane: ControlPlane
    admission: Admission
    registry: metrics.Metrics
    xds: tuple[str, int]
    admin: str
    stop_admin: Callable[[float], Awaitable[None]]


@asynccontextmanager
async def serving(folder: Path, *gateways: Gateway, tls: Tls | None = None) -> AsyncIterator[Serving]:
    """Serve these gateways on a free port."""
    wakers = Wakers()
    with ThreadPoolExecutor(1) as thread:
        store = thread.submit(SqliteStore, folder / "canary.db").result()
        state = State(gateways, thread.submit(store.load, 0.0).result())
        hub = Hub((gateway.name for gateway in gateways), time.monotonic)
        plane = ControlPlane(state, store, thread, Publisher(state, hub, wakers.wake))
        discovery = Discovery(hub, gateways, wakers)
        reports = MetricsService(plane.telemetry, discovery.admission, time.time)
        handlers = (*discovery.handlers(), ClientStatus(hub).handler(), load.handler(), reports.handler())
        server, address = await xds_server(handlers, f"{LOOPBACK}:0", tls)
        people, people_address = admin_server(f"{LOOPBACK}:0", Entrance(None, Anybody(), "anybody"))
        about = _about(address, people_address)
        closing = await add_admin_services(people, plane, discovery.admission, about)

        async def stop_admin(grace: float) -> None:
            closing.close()
            await people.stop(grace)

        publishing = asyncio.create_task(plane.publisher.run())
        await server.start()
        await people.start()
        port = int(address.rpartition(":")[2])
        registry = metrics.registry(plane, discovery.admission)
        yield Serving(plane, discovery.admission, registry, (LOOPBACK, port), people_address, stop_admin)
        publishing.cancel()
        await stop_admin(0.0)
        await server.stop(None)
        thread.submit(store.close).result()


def _about(xds: str, admin: str) -> About:
    return About(
        version="0",
        started_at=time.time(),
        xds_address=xds,
        admin_address=admin,
        http_address="",
        xds_tls=False,
        xds_client_certificates=False,
        admin_tls=False,
        admin_access=("anybody",),
        store="canary.db",
    )
