"""The aggregated discovery service over grpc.aio: bytes in, bytes out, one stream an Envoy.

A stream has two tasks. One reads requests and feeds the state machine; the other writes whatever the
state machine says next, and sleeps when that is nothing. An answer is made at the moment it can be
written, so a slow Envoy costs a wake-up, never a queue.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

import grpc
import structlog
from google.protobuf.message import DecodeError

from xds.discovery import delta, sotw
from xds.discovery.dialect import DELTA, STATE_OF_THE_WORLD, Dialect
from xds.discovery.hub import Hub
from xds.discovery.request import Node
from xds.discovery.stream import Stream
from xds.discovery.watch import Answer
from xds.fleet.membership import gateway_of
from xds.spec.gateway import Gateway

_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
Context = grpc.aio.ServicerContext[bytes, bytes]
log = structlog.get_logger(__name__)


class Decoded(Protocol):
    """What every dialect's requests have."""

    @property
    def type(self) -> str: ...  # noqa: D102 (its type URL)
    @property
    def node(self) -> Node | None: ...  # noqa: D102 (who says so, on a stream's first request)
    @property
    def error(self) -> str | None: ...  # noqa: D102 (why it refuses)


R = TypeVar("R", bound=Decoded)


class Codec(Protocol[R]):
    """A dialect's module: `xds.discovery.delta`, `xds.discovery.sotw`."""

    def decode(self, raw: bytes) -> R: ...  # noqa: D102 (see the modules)
    def receive(self, stream: Stream, request: R) -> None: ...  # noqa: D102
    def encode(self, answer: Answer) -> bytes: ...  # noqa: D102


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
    """Serves both dialects."""

    def __init__(self, hub: Hub, gateways: tuple[Gateway, ...], wakers: Wakers) -> None:
        self._hub = hub
        self._gateways = gateways
        self._wakers = wakers

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler to register; identity (de)serializers keep messages as bytes."""
        incremental: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self.delta)
        whole: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self.sotw)
        methods = {"DeltaAggregatedResources": incremental, "StreamAggregatedResources": whole}
        return grpc.method_handlers_generic_handler(_SERVICE, methods)

    async def delta(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """An Envoy that speaks the incremental dialect, for as long as it stays connected."""
        await self._serve(delta, DELTA, requests, context)

    async def sotw(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """An Envoy that speaks the state-of-the-world dialect, for as long as it stays connected."""
        await self._serve(sotw, STATE_OF_THE_WORLD, requests, context)

    async def _serve(
        self, codec: Codec[R], dialect: Dialect, requests: AsyncIterator[bytes], context: Context
    ) -> None:
        first = await _next(codec, requests, context)
        if first is None:
            return
        gateway = gateway_of(first.node, self._gateways) if first.node else None
        if first.node is None or gateway is None:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, _turned_away(first.node, self._gateways))
        stream = self._hub.open(gateway.name, first.node, dialect)
        news = self._wakers.add(stream)
        bound = log.bind(node=first.node.id, gateway=gateway.name)
        bound.info("envoy connected", version=first.node.version, dialect=dialect.name)
        try:
            codec.receive(stream, first)
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(_write(codec, stream, news, context))
                while (request := await _next(codec, requests, context)) is not None:
                    if request.error is not None:
                        bound.warning("rejected", type=request.type, error=request.error)
                    codec.receive(stream, request)
                    news.set()
                writer.cancel()
        finally:
            self._wakers.remove(stream)
            self._hub.close(gateway.name, stream)
            bound.info("envoy disconnected", **dataclasses.asdict(stream.counters))


async def _write(codec: Codec[R], stream: Stream, news: asyncio.Event, context: Context) -> None:
    while True:
        while (answer := stream.next_answer()) is not None:
            await context.write(codec.encode(answer))
        news.clear()
        await news.wait()


async def _next(codec: Codec[R], requests: AsyncIterator[bytes], context: Context) -> R | None:
    raw = await anext(requests, None)
    try:
        return codec.decode(raw) if raw is not None else None
    except (DecodeError, UnicodeDecodeError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "this is no discovery request")


def _turned_away(node: Node | None, gateways: tuple[Gateway, ...]) -> str:
    if node is None:
        return "the first request on a stream says which node it is from"
    names = ", ".join(gateway.name for gateway in gateways)
    return (
        f"node {node.id!r} of cluster {node.cluster!r} belongs to no gateway; "
        f"set node.cluster to one of: {names}; or add it to a gateway's nodes"
    )
