"""Our errors as gRPC statuses: the canonical code, and every fault as a detail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from xds.errors import (
    AlreadyExists,
    CanaryError,
    Conflict,
    InvalidInput,
    NotFound,
    NothingToDo,
    StoreError,
    TooFewEndpoints,
    Unauthenticated,
)

_CODES: dict[type[CanaryError], grpc.StatusCode] = {
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    Conflict: grpc.StatusCode.ABORTED,
    NothingToDo: grpc.StatusCode.FAILED_PRECONDITION,
    TooFewEndpoints: grpc.StatusCode.FAILED_PRECONDITION,
    StoreError: grpc.StatusCode.UNAVAILABLE,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
}
_DETAILS = "grpc-status-details-bin"
_DOMAIN = "canary"
_LONGEST_MESSAGE = 1000
"""Characters of the status message, which travels in a header; the details have it all."""


@asynccontextmanager
async def explained(context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
    """End the call with the status that fits the error raised inside."""
    try:
        yield
    except CanaryError as error:
        code = _CODES.get(type(error), grpc.StatusCode.INTERNAL)
        text = str(error)[:_LONGEST_MESSAGE]
        details = _status(error, code, text).SerializeToString()
        await context.abort(code, text, trailing_metadata=((_DETAILS, details),))


def _status(error: CanaryError, code: grpc.StatusCode, text: str) -> Status:
    status = Status(code=code.value[0], message=text)
    if isinstance(error, InvalidInput):
        violations = [
            BadRequest.FieldViolation(
                field=f"{fault.file}:{fault.line}: {fault.path}", description=str(fault)
            )
            for fault in error.faults
        ]
        status.details.append(_packed(BadRequest(field_violations=violations)))
    # Two errors can share a code; the reason says which it is.
    status.details.append(_packed(ErrorInfo(reason=type(error).__name__, domain=_DOMAIN)))
    return status


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
