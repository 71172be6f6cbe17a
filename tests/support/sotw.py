"""A hand-driven state-of-the-world client: it keeps the names and versions each request must repeat."""

import asyncio
from types import TracebackType
from typing import Self

import grpc

from xds.stubs.envoy_service_discovery_v3_pb2 import DiscoveryRequest, DiscoveryResponse

SOTW = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"


class SotwClient:
    """One stream; used with `async with`. It has no opinions: nothing is ACKed unasked.

    Args:
        xds: host and port of the server.
        node_id: who it says it is, on the first request only ("": it never says).
        gateway: its `node.cluster`.
        method: the full name of the method to call.
    """

    def __init__(
        self,
        xds: tuple[str, int],
        *,
        node_id: str = "hand-driven",
        gateway: str = "default",
        method: str = SOTW,
    ) -> None:
        self._channel = grpc.aio.insecure_channel(f"{xds[0]}:{xds[1]}")
        self._node = (node_id, gateway)
        self._method = method
        self.names: dict[str, list[str]] = {}
        self.version: dict[str, str] = {}
        self.nonce: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._call = self._channel.stream_stream(
            self._method,
            request_serializer=DiscoveryRequest.SerializeToString,
            response_deserializer=DiscoveryResponse.FromString,
        )()
        self._received: asyncio.Queue[DiscoveryResponse] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        self._call.cancel()
        await self._channel.close()

    async def subscribe(self, type_url: str, *names: str, version: str | None = None) -> None:
        """Ask for these names besides those asked for already (none at all, ever: for everything)."""
        known = self.names.setdefault(type_url, [])
        known += [name for name in names if name not in known]
        await self.request(type_url, version=version)

    async def unsubscribe(self, type_url: str, *names: str) -> None:
        """Name them no longer."""
        self.names[type_url] = [name for name in self.names[type_url] if name not in names]
        await self.request(type_url)

    async def ack(self, response: DiscoveryResponse) -> None:
        """Accept a response."""
        self.nonce[response.type_url] = response.nonce
        self.version[response.type_url] = response.version_info
        await self.request(response.type_url)

    async def nack(self, response: DiscoveryResponse, text: str = "refused by the test") -> None:
        """Refuse a response; the version stays the one before."""
        self.nonce[response.type_url] = response.nonce
        await self.request(response.type_url, error=text)

    async def request(
        self, type_url: str, *, version: str | None = None, nonce: str | None = None, error: str = ""
    ) -> None:
        """Send what is asked for now, with another version or nonce than the last one where given."""
        message = DiscoveryRequest(
            type_url=type_url,
            resource_names=self.names.get(type_url, ()),
            version_info=self.version.get(type_url, "") if version is None else version,
            response_nonce=self.nonce.get(type_url, "") if nonce is None else nonce,
        )
        if error:
            message.error_detail.code = 3
            message.error_detail.message = error
        node_id, gateway = self._node
        if node_id:
            message.node.id, message.node.cluster = node_id, gateway
            self._node = ("", "")
        await self._call.write(message)

    async def receive(self, seconds: float = 10.0) -> DiscoveryResponse:
        """The next response.

        Raises:
            TimeoutError: there was none within `seconds`.
        """
        return await asyncio.wait_for(self._received.get(), seconds)

    async def status(self) -> tuple[grpc.StatusCode, str]:
        """How the server ended the call, once it has."""
        return await self._call.code(), await self._call.details()

    async def _read(self) -> None:
        # A task of its own, because giving up on a read would end the whole call.
        try:
            async for response in self._call:
                self._received.put_nowait(response)
        except grpc.aio.AioRpcError:
            return  # `status` tells
