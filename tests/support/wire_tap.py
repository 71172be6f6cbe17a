"""A listener on the line between an Envoy and its control plane.

It relays every delta message unchanged, writes each down, and can swallow what a test names: that is
how a control plane "dies" after the clusters went out and before their endpoints did.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import grpc

from tests.support.delta import DELTA, short_type
from tests.support.ports import LOOPBACK
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse

_CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
]
_SERVER_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000),
]


class Line:
    """What went over one stream, from its beginning to its end."""

    def __init__(self) -> None:
        self.requests: list[DeltaDiscoveryRequest] = []
        self.responses: list[DeltaDiscoveryResponse] = []

    def sent(self) -> list[tuple[str, str, str]]:
        """Every resource that was sent: (type, name, version), in order."""
        return [
            (short_type(response.type_url), resource.name, resource.version)
            for response in self.responses
            for resource in response.resources
        ]

    def rejections(self) -> list[str]:
        """What Envoy said no to."""
        return [request.error_detail.message for request in self.requests if request.HasField("error_detail")]


class WireTap:
    """Stands between; used with `async with`.

    Attributes:
        lines: the streams, oldest first.
        swallow: tells which responses are never to arrive.
    """

    def __init__(self, control_plane: tuple[str, int]) -> None:
        self.lines: list[Line] = []
        self.swallow: Callable[[DeltaDiscoveryResponse], bool] = lambda _: False
        self._target = f"{control_plane[0]}:{control_plane[1]}"
        self._server = grpc.aio.server(options=_SERVER_OPTIONS)

    async def __aenter__(self) -> Self:
        relay: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self._relay)
        service, method = DELTA.strip("/").split("/")
        handlers = grpc.method_handlers_generic_handler(service, {method: relay})
        self._server.add_generic_rpc_handlers((handlers,))
        self.address = (LOOPBACK, self._server.add_insecure_port(f"{LOOPBACK}:0"))
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.stop(grace=None)

    async def _relay(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> None:
        line = Line()
        self.lines.append(line)
        async with grpc.aio.insecure_channel(self._target, options=_CHANNEL_OPTIONS) as channel:
            upstream: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(DELTA)()

            async def up() -> None:
                async for request in requests:
                    line.requests.append(DeltaDiscoveryRequest.FromString(request))
                    await upstream.write(request)
                await upstream.done_writing()

            async def down() -> None:
                async for response in upstream:
                    message = DeltaDiscoveryResponse.FromString(response)
                    if not self.swallow(message):
                        line.responses.append(message)
                        await context.write(response)

            going_up = asyncio.create_task(up())
            try:
                await down()
            except grpc.aio.AioRpcError as lost:
                await context.abort(grpc.StatusCode.UNAVAILABLE, lost.details() or "")
            finally:
                going_up.cancel()
                with contextlib.suppress(asyncio.CancelledError, grpc.RpcError, asyncio.InvalidStateError):
                    await going_up
