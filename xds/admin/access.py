"""Who calls, and whether they may: looked at before any method of the admin API runs.

    Authenticator    metadata and certificate -> Caller, or Unauthenticated
    Allowed          caller and method -> yes or no (everything, until there are roles)
    AccessControl    the interceptor that asks both, and keeps the caller for `caller_of`

An interceptor of grpc.aio doesn't see the peer's certificate, only a handler's context does: so each
handler is wrapped. Health is for anybody: whoever checks it has no secret to send. Reflection is not, as
it tells what there is to attack.
"""

import dataclasses
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import grpc
from grpc_health.v1 import health

from xds.admin.failures import explained
from xds.errors import Unauthenticated

AUTHOR = "canary-author"
"""Metadata key: who makes a change. A claim, believed only where nobody is authenticated."""
AUTHORIZATION = "authorization"
"""Metadata key: `Bearer <token>`."""

_BEARER = "bearer "

Context = grpc.aio.ServicerContext[Any, Any]
if TYPE_CHECKING:  # generic in its stubs only
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
else:
    Handler = grpc.RpcMethodHandler
Call = grpc.HandlerCallDetails
Metadata = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        name: the author of what is changed.
        by: how that is known; a `claim` is what the caller said, unchecked.
    """

    name: str
    by: Literal["token", "certificate", "claim"]


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What a verified client certificate says of its owner; either may be empty."""

    common_name: str
    alternative_names: tuple[str, ...]


class Authenticator(Protocol):
    """Finds out who calls."""

    async def authenticate(self, metadata: Metadata, certificate: Certificate | None) -> Caller:
        """Find out who calls.

        Args:
            metadata: the call's, less what is binary.
            certificate: the peer's, if TLS has verified one.

        Raises:
            Unauthenticated: nobody who is let in; the message says what to send.
        """
        ...


Allowed = Callable[[Caller, str], bool]
"""Whether a caller may call a method (`/package.Service/Method`)."""


def everything(_caller: Caller, _method: str) -> bool:
    """Whoever is let in may do everything, until there are roles."""
    return True


class Anybody:
    """Everyone is let in and is who they say; for the listener of one machine."""

    async def authenticate(self, metadata: Metadata, certificate: Certificate | None) -> Caller:  # noqa: ARG002 (the protocol's)
        """Take the caller's word."""
        return _claimed(metadata)


class ClientCertificates:
    """Whoever shows a certificate of the client CA: TLS has verified it before the call is here."""

    async def authenticate(self, metadata: Metadata, certificate: Certificate | None) -> Caller:  # noqa: ARG002 (the protocol's)
        """Take the common name, or else the first alternative name."""
        names = (certificate.common_name, *certificate.alternative_names) if certificate else ()
        name = next(filter(None, names), None)
        if name is None:
            raise Unauthenticated(
                "no client certificate with a name "
                "(set CANARY_TLS_CERT and CANARY_TLS_KEY to one with a common name)"
            )
        return Caller(name, "certificate")


class AccessControl(grpc.aio.ServerInterceptor):
    """Lets in whom the authenticator knows, to what they may do."""

    def __init__(self, authenticator: Authenticator, allowed: Allowed = everything) -> None:
        self._authenticator = authenticator
        self._allowed = allowed

    async def intercept_service(
        self, continuation: Callable[[Call], Awaitable[Handler | None]], handler_call_details: Call
    ) -> Handler | None:
        """Put the check before the method's handler."""
        handler, method = await continuation(handler_call_details), handler_call_details.method
        if handler is None or method.startswith(f"/{health.SERVICE_NAME}/"):
            return handler
        return _before(handler, lambda context: self._check(context, method))

    async def _check(self, context: Context, method: str) -> None:
        async with explained(context):
            caller = await self._authenticator.authenticate(_metadata(context), _certificate(context))
        if not self._allowed(caller, method):
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, f"{caller.name} may not call {method}")
        _CALLER.set(caller)


_CALLER: ContextVar[Caller] = ContextVar("caller")
"""Each call is a task of its own, and so has a value of its own."""


def caller_of(context: Context) -> Caller:
    """Who makes this call; where nobody was asked, who the caller claims to be."""
    return _CALLER.get(None) or _claimed(_metadata(context))


def bearer_token(metadata: Metadata) -> str | None:
    """The token sent as `authorization: Bearer <token>`."""
    sent = metadata.get(AUTHORIZATION, "")
    return sent[len(_BEARER) :].strip() if sent.lower().startswith(_BEARER) else None


def _claimed(metadata: Metadata) -> Caller:
    return Caller(metadata.get(AUTHOR) or "unknown", "claim")


def _metadata(context: Context) -> Metadata:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def _certificate(context: Context) -> Certificate | None:
    said = context.auth_context()
    if "x509_pem_cert" not in said:
        return None
    names = [value.decode(errors="replace") for value in said.get("x509_subject_alternative_name", ())]
    common = [value.decode(errors="replace") for value in said.get("x509_common_name", ())]
    return Certificate("".join(common[:1]), tuple(names))


def _before(handler: Handler, check: Callable[[Context], Awaitable[None]]) -> Handler:
    """The handler, run only once the check has passed."""
    kind = next(kind for kind in _KINDS if getattr(handler, kind) is not None)
    run = getattr(handler, kind)

    async def checked(request: Any, context: Context) -> Any:
        await check(context)
        return await run(request, context)

    async def checked_stream(request: Any, context: Context) -> AsyncIterator[Any]:
        await check(context)
        async for answer in run(request, context):
            yield answer

    guarded = checked_stream if inspect.isasyncgenfunction(run) else checked
    return _KINDS[kind](guarded, handler.request_deserializer, handler.response_serializer)


_KINDS: Mapping[str, Callable[..., Handler]] = {
    "unary_unary": grpc.unary_unary_rpc_method_handler,
    "unary_stream": grpc.unary_stream_rpc_method_handler,
    "stream_unary": grpc.stream_unary_rpc_method_handler,
    "stream_stream": grpc.stream_stream_rpc_method_handler,
}
