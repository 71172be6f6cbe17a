"""A control plane over a store of its own, without any listener."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.discovery.hub import Hub
from xds.spec.gateway import Gateway, Listen
from xds.store.sqlite import SqliteStore

DEFAULT = Gateway(name="default", listeners=(Listen(port=10000),))
SCOPED = DEFAULT.model_copy(update={"mode": "scoped"})


class Planes(Protocol):
    """Starts a control plane with one gateway, `default`; a second one starts from what the first stored."""

    def __call__(self, gateway: Gateway = DEFAULT) -> AbstractAsyncContextManager[ControlPlane]: ...


@pytest.fixture
def planes(tmp_path: Path) -> Planes:
    """Starts them, one after the other."""

    @asynccontextmanager
    async def start(gateway: Gateway = DEFAULT) -> AsyncIterator[ControlPlane]:
        async with plane_over(tmp_path / "canary.db", gateway) as plane:
            yield plane

    return start


@asynccontextmanager
async def plane_over(path: Path, gateway: Gateway = DEFAULT) -> AsyncIterator[ControlPlane]:
    """One over the store in this file."""
    with ThreadPoolExecutor(1) as thread:
        store = thread.submit(SqliteStore, path).result()
        state = State((gateway,), thread.submit(store.load, 0.0).result())
        yield ControlPlane(state, store, thread, Publisher(state, Hub(["default"]), lambda _: None))
        thread.submit(store.close).result()
