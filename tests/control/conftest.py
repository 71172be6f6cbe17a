"""A control plane over a store of its own, without any listener."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.discovery.hub import Hub
from xds.spec.gateway import Gateway, Listen
from xds.store.sqlite import SqliteStore

Planes = Callable[[], AbstractAsyncContextManager[ControlPlane]]


@pytest.fixture
def planes(tmp_path: Path) -> Planes:
    """Starts a control plane; a second one starts from what the first one stored."""

    @asynccontextmanager
    async def start() -> AsyncIterator[ControlPlane]:
        gateways = (Gateway(name="default", listeners=(Listen(port=10000),)),)
        with ThreadPoolExecutor(1) as thread:
            store = thread.submit(SqliteStore, tmp_path / "canary.db").result()
            state = State(gateways, thread.submit(store.load, 0.0).result())
            yield ControlPlane(state, store, thread, Publisher(state, Hub(["default"]), lambda _: None))
            thread.submit(store.close).result()

    return start
