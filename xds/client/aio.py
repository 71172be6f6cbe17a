"""`AsyncAsyncClient`: the verbs for asyncio."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import grpc

from xds.client import deployment_calls, endpoint_calls, errors, fleet_calls, gateway_calls, metric_calls
from xds.client.call import Call, Pages, Stream, speak_for
from xds.client.connection import Tls, connection
from xds.client.sync import RETRY_PAUSE
from xds.stubs import canary_admin_v1_pb2 as pb

P = ParamSpec("P")
A = TypeVar("A")


def verb(build: Callable[P, Call[A]]) -> "Callable[Concatenate[AsyncClient, P], Coroutine[None, None, A]]":
    """A method that makes this call."""

    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> A:
        return await self.call(build(*args, **kwargs))

    speak_for(method, build)
    return method


def listing(build: Callable[P, Pages[A]]) -> "Callable[Concatenate[AsyncClient, P], AsyncIterator[A]]":
    """A method that iterates over all pages, each asked for when it is needed."""

    def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[A]:
        return self.all(build(*args, **kwargs))

    speak_for(method, build)
    return method


def stream(build: Callable[P, Stream[A]]) -> "Callable[Concatenate[AsyncClient, P], AsyncIterator[A]]":
    """A method that iterates over what the server sends."""

    def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[A]:
        return self.follow(build(*args, **kwargs))

    speak_for(method, build)
    return method


def decided(
    build: Callable[P, Stream[pb.Confirmation]],
) -> "Callable[Concatenate[AsyncClient, P], Coroutine[None, None, pb.Confirmation]]":
    """A method that returns when the Envoys have confirmed."""

    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> pb.Confirmation:
        confirmation = pb.Confirmation()
        async for each in self.follow(build(*args, **kwargs)):
            confirmation = each
        errors.check([confirmation], confirmation)
        return confirmation

    speak_for(method, build)
    return method


class AsyncClient:
    """A connection to a Canary server; used with `async with`, in one event loop.

    Every call raises an error of `xds.errors` or xds.client.errors (all are CanaryErrors) where it
    doesn't work. A server that can't be reached is asked again for `retry` seconds; that changes nothing
    twice, because every write has a request id.
    """

    def __init__(  # noqa: PLR0913 (how to call, said by name)
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        tls: Tls | None = None,
        author: str | None = None,
        insecure: bool | None = None,
        timeout: float = 10.0,
        retry: float = 10.0,
    ) -> None:
        """Connect when first needed.

        Args:
            server: `host:port` of the admin API; without: CANARY_SERVER, else 127.0.0.1:18001.
            token: without: CANARY_TOKEN.
            tls: without: CANARY_TLS_CA, _CERT, _KEY and _SERVER_NAME; none of them: no TLS.
            author: who makes the changes, where the server doesn't know from the token; without: the
                user of this machine.
            insecure: send the token to another machine although there is no TLS; without: CANARY_INSECURE.
            timeout: seconds for an answer; what `wait=` allows comes on top.
            retry: seconds to go on trying to reach the server.

        Raises:
            SettingsError: a file named in `tls` can't be read, or the token would go out in plain text.
        """
        self._to = connection(server, token=token, tls=tls, author=author, insecure=insecure)
        self._channel = self._to.aio_channel()
        self._timeout = timeout
        self._retry = retry

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def server(self) -> str:
        """`host:port` of the server."""
        return self._to.server

    async def close(self) -> None:
        """End the connection, and what is still under way."""
        await self._channel.close()

    async def call(self, call: Call[A]) -> A:
        """Make one call; what every verb comes to."""
        allowed = self._timeout + call.patience
        ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(call.path)
        asked = call.request.SerializeToString()
        start = time.monotonic()
        reached = False
        while True:
            spent = time.monotonic() - start
            try:
                answer: bytes = await ask(asked, timeout=allowed - spent, metadata=self._to.metadata)
            except grpc.RpcError as error:
                failure = errors.failure(error, self.server, allowed)
                again = isinstance(failure, errors.NoAnswer) and failure.again
                if isinstance(failure, errors.NoAnswer):
                    reached = failure.reached = failure.reached or reached
                if not again or time.monotonic() - start + RETRY_PAUSE >= min(self._retry, allowed):
                    raise failure from error
                await asyncio.sleep(RETRY_PAUSE)
            else:
                return call.read(answer)

    async def all(self, pages: Pages[A]) -> AsyncIterator[A]:
        """Iterate over all pages of a listing."""
        token = ""
        while True:
            page = await self.call(pages.page(token))
            for item in page.items:
                yield item
            token = page.after
            if not token:
                return

    async def follow(self, stream: Stream[A]) -> AsyncIterator[A]:
        """Iterate over what the server sends; ends it when the iterator is closed."""
        timeout = None if stream.patience is None else self._timeout + stream.patience
        ask: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(stream.path)
        running = ask(stream.request.SerializeToString(), timeout=timeout, metadata=self._to.metadata)
        try:
            async for answer in running:
                yield stream.read(answer)
        except grpc.RpcError as error:
            raise errors.failure(error, self.server, timeout or 0.0) from error
        finally:
            running.cancel()

    apply = verb(deployment_calls.apply)
    create = verb(deployment_calls.create)
    update = verb(deployment_calls.update)
    get = verb(deployment_calls.get)
    list = listing(deployment_calls.list_)
    set_weights = verb(deployment_calls.set_weights)
    promote = verb(deployment_calls.promote)
    abort = verb(deployment_calls.abort)
    rollback = verb(deployment_calls.rollback)
    delete = verb(deployment_calls.delete)
    undelete = verb(deployment_calls.undelete)
    history = listing(deployment_calls.history)
    diff = verb(deployment_calls.diff)
    diff_files = verb(deployment_calls.diff_files)
    explain = verb(deployment_calls.explain)
    simulate = verb(deployment_calls.simulate)
    watch = stream(deployment_calls.watch)
    wait = decided(deployment_calls.progress)
    progress = stream(deployment_calls.progress)

    endpoints = listing(endpoint_calls.list_)
    endpoint_sources = verb(endpoint_calls.sources)
    set_endpoints = verb(endpoint_calls.set_)
    add_endpoints = verb(endpoint_calls.add)
    remove_endpoints = verb(endpoint_calls.remove)
    drain = verb(endpoint_calls.drain)
    undrain = verb(endpoint_calls.undrain)
    register = verb(endpoint_calls.register)
    deregister = verb(endpoint_calls.deregister)
    watch_endpoints = stream(endpoint_calls.watch)

    gateways = listing(gateway_calls.list_)
    snapshots = listing(gateway_calls.snapshots)
    rollback_gateway = verb(gateway_calls.rollback)
    resources = verb(gateway_calls.resources)
    set_resources = verb(gateway_calls.set_resources)
    rollback_resources = verb(gateway_calls.rollback_resources)
    resource_history = listing(gateway_calls.resource_history)

    fleet = listing(fleet_calls.list_)
    envoy = verb(fleet_calls.envoy)
    watch_fleet = stream(fleet_calls.watch)
    audit = listing(fleet_calls.audit)
    server_info = verb(fleet_calls.server)

    metrics = verb(metric_calls.metrics)
    watch_metrics = stream(metric_calls.watch)
    draining = stream(metric_calls.draining)
