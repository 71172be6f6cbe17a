"""What Envoys reach first: the xDS port, which answers from the store's image before all else is loaded.

Where no image fits, the port opens when everything is there. The other services on it are there then,
too; who calls one before is asked to come again.
"""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Self

import grpc
import structlog

from xds.catalog.resource import Resource
from xds.control.image import fill
from xds.discovery.hub import Hub
from xds.server.listeners import xds_server
from xds.server.settings import Settings
from xds.server.tls import Tls
from xds.server.xds import Discovery, Wakers
from xds.store.image_rows import Whose

_GIVES_WAY = 10.0
"""Seconds, in all, for which what is loaded waits for Envoys that are served. One that is stuck, or thousands
that come one after the other, must not keep people out for longer."""

_LOOKS = 0.02
"""Seconds between two looks at whether any Envoy is served."""

_LAST_PUSH = 0.2
"""Seconds for the last push; Envoys' streams never end by themselves."""

log = structlog.get_logger(__name__)


class Front:
    """The xDS port.

    Attributes:
        hub: the streams, until the control plane takes them over.
        address: where it listens.
        is_open: whether anybody is answered.
    """

    def __init__(self, settings: Settings, tls: Tls | None) -> None:
        self.hub = Hub((gateway.name for gateway in settings.gateways), time.monotonic)
        self.wakers = Wakers()
        self.discovery = Discovery(self.hub, settings.gateways, self.wakers, whole=False)
        self.address = settings.xds_listen
        self._gateways = settings.gateways
        self._tls = tls
        self._rest = _Rest()
        self._patience = _GIVES_WAY
        self._looked_at = 0.0
        self.is_open = False

    async def __aenter__(self) -> Self:
        """Take the port.

        Raises:
            SettingsError: it can't be had.
        """
        handlers = *self.discovery.handlers(), self._rest
        self._server, self.address = await xds_server(handlers, self.address, self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of it."""
        await self.close()

    async def open_with(self, image: Mapping[Whose, Iterable[Resource]]) -> None:
        """Serve what an image has."""
        fill(self.hub, self._gateways, image)
        await self.open()
        log.info("serving Envoys, loading the rest", xds=self.address)

    async def open(self) -> None:
        """Serve, if it doesn't already."""
        if not self.is_open:
            self.is_open = True
            await self._server.start()

    async def close(self) -> None:
        """End all streams, which never end by themselves."""
        if self.is_open:
            self.is_open = False
            await self._server.stop(_LAST_PUSH)

    def give_way(self) -> None:
        """In a thread that loads: wait while Envoys take in what they are sent; they have little else to do.

        Two cores that load and take in at once do both at half the speed; the Envoy is what users wait for.
        """
        if time.monotonic() < self._looked_at + _LOOKS:
            return
        while self._is_serving() and self._patience > 0:
            time.sleep(_LOOKS)
            self._patience -= _LOOKS
        self._looked_at = time.monotonic()

    def _is_serving(self) -> bool:
        streams = (stream for target in self.hub.targets() for stream in self.hub.streams_of(target))
        return any(stream.is_awaited for stream in streams)

    def follow(self, hub: Hub) -> None:
        """From here on another hub says what Envoys are to have; it has taken over the streams."""
        self.discovery.follow(hub)

    def add(self, services: Iterable[grpc.GenericRpcHandler]) -> None:
        """The other services of the port are there."""
        self._rest.handlers = tuple(services)


class _Rest(grpc.GenericRpcHandler):
    """The services that are there when everything is."""

    def __init__(self) -> None:
        self.handlers: tuple[grpc.GenericRpcHandler, ...] | None = None

    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """Who handles a call; None: nobody knows the method."""
        if self.handlers is None:
            return grpc.stream_stream_rpc_method_handler(_come_again)
        found = (handler.service(call) for handler in self.handlers)
        return next((handler for handler in found if handler is not None), None)


async def _come_again(_: AsyncIterator[bytes], context: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
    await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is still loading; try again")
