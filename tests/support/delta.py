"""A hand-driven delta xDS client: a test says what it asks for and what it acknowledges."""

import asyncio
from types import TracebackType
from typing import Self

import grpc

from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse

DELTA = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
SCOPES = "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"


def short_type(type_url: str) -> str:
    """`Cluster` of a cluster's type URL."""
    return type_url.rsplit(".", 1)[-1]


class DeltaClient:
    """One delta ADS stream; used with `async with`. It has no opinions: nothing is ACKed unasked."""

    def __init__(
        self,
        xds: tuple[str, int],
        *,
        node_id: str = "hand-driven",
        gateway: str = "default",
        method: str = DELTA,
        envoy: tuple[int, int, int] | None = None,
    ) -> None:
        self._method = method
        self._envoy = envoy
        self._channel = grpc.aio.insecure_channel(f"{xds[0]}:{xds[1]}")
        self._node = (node_id, gateway)

    async def __aenter__(self) -> Self:
        self._call = self._channel.stream_stream(
            self._method,
            request_serializer=DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=DeltaDiscoveryResponse.FromString,
        )()
        self._received: asyncio.Queue[DeltaDiscoveryResponse] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        self._call.cancel()
        await self._channel.close()

    async def subscribe(self, type_url: str, *names: str, has: dict[str, str] | None = None) -> None:
        """Ask for names of a type (none: for all), telling which versions are held already."""
        await self._send(
            DeltaDiscoveryRequest(
                type_url=type_url, resource_names_subscribe=names, initial_resource_versions=has or {}
            )
        )

    async def unsubscribe(self, type_url: str, *names: str) -> None:
        """Want them no longer."""
        await self._send(DeltaDiscoveryRequest(type_url=type_url, resource_names_unsubscribe=names))

    async def ack(self, response: DeltaDiscoveryResponse) -> None:
        """Accept a response."""
        await self._send(DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce))

    async def nack(self, response: DeltaDiscoveryResponse, text: str = "refused by the test") -> None:
        """Refuse a response."""
        request = DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
        request.error_detail.code = 3
        request.error_detail.message = text
        await self._send(request)

    async def receive(self, seconds: float = 10.0) -> DeltaDiscoveryResponse:
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

    async def _send(self, request: DeltaDiscoveryRequest) -> None:
        node_id, gateway = self._node
        if node_id:
            request.node.id, request.node.cluster = node_id, gateway
            if self._envoy is not None:
                request.node.user_agent_name = "envoy"
                request.node.user_agent_version = ".".join(map(str, self._envoy))
            self._node = ("", "")
        await self._call.write(request)
