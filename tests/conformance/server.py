"""The real gRPC server over a catalog of arbitrary resources, without anything above `discovery`.

A test, or a foreign suite through `tests/conformance/serve.py`, puts in what it likes: any type, any
name, any version, any bytes.
"""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from tests.support.ports import LOOPBACK
from xds.catalog.resource import Resource
from xds.discovery.hub import Hub
from xds.server.listeners import xds_server
from xds.server.xds import Discovery, Wakers
from xds.spec.gateway import default_gateway

FENCE = "type.googleapis.com/conformance.Fence"
"""A type of its own, answered after all others (`tests/conformance/conversation.py`)."""


def resource(type_: str, name: str, version: str = "1", *clusters: str, body: bytes = b"") -> Resource:
    """A resource of any type; its bytes say its name and version, and nothing any Envoy would take."""
    return Resource(type_, name, version, body or f"{name}={version}".encode(), frozenset(clusters))


class Server:
    """A server on a free port; used with `async with`.

    Args:
        resources: what its one catalog has to begin with.
        port: 0 takes a free one.
    """

    def __init__(self, *resources: Resource, port: int = 0) -> None:
        self._ahead = 0.0
        self._wakers = Wakers()
        self.hub = Hub(["default"], lambda: time.monotonic() + self._ahead)
        self.commit(*resources)
        self._port = port

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, once it does."""
        return LOOPBACK, self._port

    async def __aenter__(self) -> Self:
        discovery = Discovery(self.hub, (default_gateway(),), self._wakers)
        self._server, bound = await xds_server(discovery.handlers(), f"{LOOPBACK}:{self._port}")
        self._port = int(bound.rpartition(":")[2])
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.stop(None)

    def commit(self, *put: Resource, gone: Iterable[tuple[str, str]] = ()) -> int:
        """Change the catalog and wake whom it concerns; returns its position."""
        for stream in self.hub.commit("default", put, gone):
            self._wakers.wake(stream)
        return self.hub.catalogs["default"].position

    def advance(self, seconds: float) -> None:
        """Let the streams' clock run ahead, and let them look at it."""
        self._ahead += seconds
        for stream in self.hub.streams("default"):
            self._wakers.wake(stream)
