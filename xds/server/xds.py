"""The discovery services over grpc.aio: bytes in, bytes out, one stream an Envoy (or a type).

A stream has two tasks. One reads requests and feeds the state machine; the other writes whatever the
state machine says next, and sleeps when that is nothing. An answer is made at the moment it can be
written, so a slow Envoy costs a wake-up, never a queue.
"""

import asyncio
import dataclasses
import time
import urllib.parse
from collections.abc import AsyncIterator, Callable
from typing import Generic, Protocol, Self, TypeVar

import grpc
import structlog
from google.protobuf.message import DecodeError

from xds.catalog.types import Type
from xds.discovery import delta, sotw
from xds.discovery.answer import Answer
from xds.discovery.dialect import DELTA, STATE_OF_THE_WORLD, Dialect
from xds.discovery.hub import Hub
from xds.discovery.request import Node, TooMuch
from xds.discovery.stream import Peer, Stream, Verdict
from xds.fleet.admission import Admission, NotAdmitted
from xds.spec.gateway import Gateway

AGGREGATED = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_PER_TYPE = {
    Type.CLUSTER: ("envoy.service.cluster.v3.ClusterDiscoveryService", "Clusters"),
    Type.ENDPOINT: ("envoy.service.endpoint.v3.EndpointDiscoveryService", "Endpoints"),
    Type.LISTENER: ("envoy.service.listener.v3.ListenerDiscoveryService", "Listeners"),
    Type.ROUTE: ("envoy.service.route.v3.RouteDiscoveryService", "Routes"),
    Type.SCOPED_ROUTE: ("envoy.service.route.v3.ScopedRoutesDiscoveryService", "ScopedRoutes"),
    Type.VIRTUAL_HOST: ("envoy.service.route.v3.VirtualHostDiscoveryService", "VirtualHosts"),
    Type.SECRET: ("envoy.service.secret.v3.SecretDiscoveryService", "Secrets"),
    Type.RUNTIME: ("envoy.service.runtime.v3.RuntimeDiscoveryService", "Runtime"),
    Type.EXTENSION: ("envoy.service.extension.v3.ExtensionConfigDiscoveryService", "ExtensionConfigs"),
}
"""By type: the service that carries it alone, and what its methods are called for."""

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
    def of_type(self, type_: str) -> Self: ...  # noqa: D102 (see the requests)


R = TypeVar("R", bound=Decoded)


class Codec(Protocol[R]):
    """A dialect's module: `xds.discovery.delta`, `xds.discovery.sotw`."""

    def decode(self, raw: bytes) -> R: ...  # noqa: D102 (see the modules)
    def receive(self, stream: Stream, request: R) -> Verdict | None: ...  # noqa: D102
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


class Discovery:
    """Serves both dialects, all types on one stream or each on its own.

    Args:
        hub: whose streams they are to be.
        gateways: in the order in which they are tried.
        wakers: who waits for news.
        whole: whether the hub can make what any Envoy is to have; else those wait whose catalog it lacks.
    """

    def __init__(
        self, hub: Hub, gateways: tuple[Gateway, ...], wakers: Wakers, *, whole: bool = True
    ) -> None:
        self.admission = Admission(gateways, time.time)
        self._hub = hub
        self._wakers = wakers
        self._whole = asyncio.Event()
        if whole:
            self._whole.set()

    def follow(self, hub: Hub) -> None:
        """Go on with this hub, which has the streams of the one before, and can make what is lacking."""
        self._hub = hub
        self._whole.set()

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """The handlers to register; identity (de)serializers keep messages as bytes."""
        aggregated = grpc.method_handlers_generic_handler(
            AGGREGATED,
            {
                "DeltaAggregatedResources": self._method(delta, DELTA),
                "StreamAggregatedResources": self._method(sotw, STATE_OF_THE_WORLD),
            },
        )
        return aggregated, *(self._per_type(type_, *names) for type_, names in _PER_TYPE.items())

    def _per_type(self, type_: str, service: str, noun: str) -> grpc.GenericRpcHandler:
        methods = {f"Delta{noun}": self._method(delta, DELTA, type_)}
        if type_ != Type.VIRTUAL_HOST:  # which is incremental only
            methods[f"Stream{noun}"] = self._method(sotw, STATE_OF_THE_WORLD, type_)
        return grpc.method_handlers_generic_handler(service, methods)

    def _method(
        self, codec: Codec[R], dialect: Dialect, only: str | None = None
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":  # (generic in its stubs only)
        """A method that carries all types, or `only` one (whose requests need not name it)."""

        async def serve(requests: AsyncIterator[bytes], context: Context) -> None:
            await self._serve(_Conversation(codec, dialect, requests, context, only))

        return grpc.stream_stream_rpc_method_handler(serve)

    async def _serve(self, talk: "_Conversation[R]") -> None:
        first = await talk.next_request()
        if first is None:
            return await talk.turn_away()
        node = first.node or Node()
        try:
            target = self.admission.admit(first.node)
        except NotAdmitted as refusal:
            (log.warning if refusal.node.times == 1 else log.debug)("envoy turned away", reason=str(refusal))
            await talk.context.abort(grpc.StatusCode.PERMISSION_DENIED, str(refusal))
        if target not in self._hub.targets():
            await self._whole.wait()
        stream = self._hub.open(target, node, talk.dialect, aggregated=talk.only is None)
        stream.peer = Peer(_address(talk.context.peer()), time.time())
        news = self._wakers.add(stream)
        bound = log.bind(node=node.id, gateway=target.gateway)
        known = {"version": node.version, "dialect": talk.dialect.name, "only": talk.only}
        bound.info("envoy connected", **{fact: value for fact, value in known.items() if value})
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(talk.write(stream, news, bound))
                await talk.read(first, stream, news, self._hears, bound)
                talk.over = True
                news.set()
            await talk.turn_away()
        finally:
            self._wakers.remove(stream)
            self._hub.close(stream)
            bound.info("envoy disconnected", **dataclasses.asdict(stream.counters))

    def _hears(self, stream: Stream, verdict: Verdict) -> None:
        self._hub.hears(stream, verdict)  # of the hub that is followed now


@dataclasses.dataclass
class _Conversation(Generic[R]):
    """One call: how it is spoken, and its two directions."""

    codec: Codec[R]
    dialect: Dialect
    requests: AsyncIterator[bytes]
    context: Context
    only: str | None
    fault: tuple[grpc.StatusCode, str] | None = None
    """Why the call is to end, where the peer asked for what can't be."""
    over: bool = False
    """The peer is not heard any more. The writer then ends by itself: grpc can't end a call while a
    message is being written, not even one whose writer was cancelled."""

    async def next_request(self) -> R | None:
        """What the peer says next; None when it has finished, or `fault` says why it is not heard."""
        raw = await anext(self.requests, None)
        if raw is None:
            return None
        try:
            request = self.codec.decode(raw)
        except (DecodeError, UnicodeDecodeError):
            self.fault = grpc.StatusCode.INVALID_ARGUMENT, "this is no discovery request"
            return None
        if self.only is not None and request.type in ("", self.only):
            return request.of_type(self.only)
        if self.only is None and request.type:
            return request
        expected = f"this service carries {self.only}" if self.only else "a request names its type"
        self.fault = grpc.StatusCode.INVALID_ARGUMENT, f"{expected}; this one says {request.type!r}"
        return None

    async def turn_away(self) -> None:
        """End the call with its fault, if it has one (outside of any task group, which would wrap it)."""
        if self.fault is not None:
            await self.context.abort(*self.fault)

    async def read(
        self,
        first: R,
        stream: Stream,
        news: asyncio.Event,
        hears: Callable[[Stream, Verdict], object],
        bound: structlog.typing.FilteringBoundLogger,
    ) -> None:
        """Take in the first request and all that follow, until there are no more.

        `hears` is told what the peer says to answers.
        """
        request: R | None = first
        while request is not None:
            if request.error is not None:
                bound.warning("rejected", type=request.type, error=request.error)
            try:
                verdict = self.codec.receive(stream, request)
            except TooMuch as excess:
                self.fault = grpc.StatusCode.RESOURCE_EXHAUSTED, str(excess)
                return
            if verdict is not None:
                hears(stream, verdict)
            if stream.restless:  # nearly every request acknowledges the only thing there was to say
                news.set()
            request = await self.next_request()

    async def write(
        self, stream: Stream, news: asyncio.Event, bound: structlog.typing.FilteringBoundLogger
    ) -> None:
        """Write what there is to say, whenever there is something, until the talk is over."""
        alarm = _Alarm(news)
        try:
            while True:
                while not self.over and (answer := stream.next_answer()) is not None:
                    await self.context.write(self.codec.encode(answer))
                if self.over:
                    return
                news.clear()
                alarm.at(stream.next_deadline())
                await news.wait()
                for type_ in stream.overdue():
                    bound.warning("no acknowledgement yet", type=type_)
        finally:
            alarm.cancel()


class _Alarm:
    """Makes news of its own when it is time to look without any.

    It may go off too early, never too late: one that is set for each of many answers costs more than an
    answer does.
    """

    def __init__(self, news: asyncio.Event) -> None:
        self._news = news
        self._set: asyncio.TimerHandle | None = None

    def at(self, moment: float | None) -> None:
        """Go off at this moment at the latest, by the loop's clock; None: there is no need."""
        if moment is not None and (self._set is None or moment < self._set.when()):
            self.cancel()
            self._set = asyncio.get_running_loop().call_at(moment, self._ring)

    def cancel(self) -> None:
        """Don't go off any more."""
        if self._set is not None:
            self._set.cancel()
        self._set = None

    def _ring(self) -> None:
        self._set = None
        self._news.set()


def _address(peer: str) -> str:
    """`10.0.0.7` from gRPC's `ipv4:10.0.0.7:41234` (`ipv6:%5B::1%5D:41234`)."""
    return urllib.parse.unquote(peer.partition(":")[2]).rpartition(":")[0].strip("[]")
