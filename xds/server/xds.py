"""The aggregated discovery service over grpc.aio: bytes in, bytes out, one stream an Envoy.

A stream has two tasks. One reads requests and feeds the state machine; the other writes whatever the
state machine says next, and sleeps when that is nothing. An answer is made at the moment it can be
written, so a slow Envoy costs a wake-up, never a queue.
"""

import asyncio
from collections.abc import AsyncIterator

import grpc
import structlog
from google.protobuf.message import DecodeError

from xds.discovery import delta
from xds.discovery.hub import Hub
from xds.discovery.request import Request
from xds.discovery.stream import Stream
from xds.fleet.membership import gateway_of
from xds.spec.gateway import Gateway

_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
Context = grpc.aio.ServicerContext[bytes, bytes]
log = structlog.get_logger(__name__)


class Wakers:
    """The event that each stream's writer sleeps on."""

    def __init__(self) -> None:
        self._events: dict[Stream, asyncio.Event] = {}

    def add(self, stream: Stream) -> asyncio.Event:
        """A new stream's event."""
        return self._events.setdefault(stream, asyncio.Event())

    def remove(self, stream: Stream) -> None:
        """The stream has ended."""
        self._events.pop(stream, None)

    def wake(self, stream: Stream) -> None:
        """There may be something to say."""
        event = self._events.get(stream)
        if event is not None:
            event.set()


class AggregatedDiscovery:
    """Serves the incremental dialect."""

    def __init__(self, hub: Hub, gateways: tuple[Gateway, ...], wakers: Wakers) -> None:
        self._hub = hub
        self._gateways = gateways
        self._wakers = wakers

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler to register; identity (de)serializers keep messages as bytes."""
        incremental: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self.delta)
        return grpc.method_handlers_generic_handler(_SERVICE, {"DeltaAggregatedResources": incremental})

    async def delta(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """One Envoy, for as long as it stays connected."""
        first = await _next(requests, context)
        if first is None:
            return
        gateway = gateway_of(first.node, self._gateways) if first.node else None
        if first.node is None or gateway is None:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, _turned_away(first, self._gateways))
        stream = self._hub.open(gateway.name, first.node)
        news = self._wakers.add(stream)
        bound = log.bind(node=first.node.id, gateway=gateway.name)
        bound.info("envoy connected", version=first.node.version)
        try:
            stream.receive(first)
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(_write(stream, news, context))
                await _feed(requests, stream, news, context, bound)
                writer.cancel()
        finally:
            self._wakers.remove(stream)
            self._hub.close(gateway.name, stream)
            bound.info(
                "envoy disconnected", answers=stream.counters.answers, refusals=stream.counters.refusals
            )


async def _feed(
    requests: AsyncIterator[bytes],
    stream: Stream,
    news: asyncio.Event,
    context: Context,
    bound: structlog.typing.FilteringBoundLogger,
) -> None:
    while (request := await _next(requests, context)) is not None:
        if request.error is not None:
            bound.warning("rejected", type=request.type, error=request.error)
        stream.receive(request)
        news.set()


async def _write(stream: Stream, news: asyncio.Event, context: Context) -> None:
    while True:
        while (answer := stream.next_answer()) is not None:
            await context.write(delta.encode(answer))
        news.clear()
        await news.wait()


async def _next(requests: AsyncIterator[bytes], context: Context) -> Request | None:
    raw = await anext(requests, None)
    try:
        return delta.decode(raw) if raw is not None else None
    except (DecodeError, UnicodeDecodeError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "this is no DeltaDiscoveryRequest")


def _turned_away(first: Request, gateways: tuple[Gateway, ...]) -> str:
    if first.node is None:
        return "the first request on a stream says which node it is from"
    names = ", ".join(gateway.name for gateway in gateways)
    return (
        f"node {first.node.id!r} of cluster {first.node.cluster!r} belongs to no gateway; set node.cluster to "
        f"one of: {names}; or add it to a gateway's nodes"
    )
