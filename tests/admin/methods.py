"""Every method of the API: what it takes, and how to call it with bytes."""

import dataclasses
from collections.abc import Iterator

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure
from google.rpc.status_pb2 import Status

from xds.stubs import canary_admin_v1_pb2 as pb


@dataclasses.dataclass(frozen=True)
class Method:
    """One method."""

    name: str
    """`Service.Method`."""
    takes: type[Message]
    path: str
    streams: bool


def methods() -> Iterator[Method]:
    """All of them."""
    for service in pb.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            takes = GetMessageClass(method.input_type)
            yield Method(f"{service.name}.{method.name}", takes, path, method.server_streaming)


METHODS = {method.name: method for method in methods()}


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a call ended, with what it said of it."""

    code: grpc.StatusCode
    text: str = ""
    fields: tuple[str, ...] = ()
    """Those a BadRequest names."""
    mends: tuple[str, ...] = ()
    reason: str = ""
    violations: int = 0
    """Of preconditions."""


async def ended(channel: grpc.aio.Channel, method: Method, request: bytes, seconds: float = 10.0) -> Ended:
    """Call a method; of a stream, read one answer."""
    try:
        if method.streams:
            many: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(method.path)
            stream = many(request, timeout=seconds)
            await stream.read()
            stream.cancel()
        else:
            unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method.path)
            await unary(request, timeout=seconds)
    except grpc.aio.AioRpcError as error:
        return _told(error)
    return Ended(grpc.StatusCode.OK)


def _told(error: grpc.aio.AioRpcError) -> Ended:
    bad, info, broken = BadRequest(), ErrorInfo(), PreconditionFailure()
    sent = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    assert isinstance(sent, bytes)
    for detail in Status.FromString(sent).details:
        for known in (bad, info, broken):
            detail.Unpack(known)
    return Ended(
        error.code(),
        error.details() or "",
        tuple(violation.field for violation in bad.field_violations),
        tuple(violation.description for violation in bad.field_violations),
        info.reason,
        len(broken.violations),
    )
