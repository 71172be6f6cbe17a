"""A whole control plane inside the test: store, verbs, publisher, and the real gRPC server for Envoys."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry

from tests.support.ports import LOOPBACK
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.discovery.hub import Hub
from xds.fleet.admission import Admission
from xds.server import load, metrics
from xds.server.listeners import xds_server
from xds.server.status import ClientStatus
from xds.server.tls import Tls
from xds.server.xds import Discovery, Wakers
from xds.spec.gateway import Gateway
from xds.store.sqlite import SqliteStore


@dataclasses.dataclass(frozen=True)
class Serving:
    """What a test may reach: the plane itself, and where Envoys connect to."""

    plane: ControlPlane
    admission: Admission
    registry: CollectorRegistry
    xds: tuple[str, int]


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
        handlers = (*discovery.handlers(), ClientStatus(hub).handler(), load.handler())
        server, address = await xds_server(handlers, f"{LOOPBACK}:0", tls)
        publishing = asyncio.create_task(plane.publisher.run())
        await server.start()
        port = int(address.rpartition(":")[2])
        registry = metrics.registry(plane, discovery.admission)
        yield Serving(plane, discovery.admission, registry, (LOOPBACK, port))
        publishing.cancel()
        await server.stop(None)
        thread.submit(store.close).result()
