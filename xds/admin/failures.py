"""Our errors as gRPC statuses: the canonical code, and every fault as a detail.

All of it travels in one header block, of which gRPC's clients take 8 KiB: what doesn't fit is counted.
"""

import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure
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
    Unavailable,
)
from xds.spec.faults import Fault


class Stopping(CanaryError):
    """The server is being stopped; another, or the same a moment later, will answer."""


_CODES: dict[type[CanaryError], grpc.StatusCode] = {
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    Conflict: grpc.StatusCode.ABORTED,
    NothingToDo: grpc.StatusCode.FAILED_PRECONDITION,
    TooFewEndpoints: grpc.StatusCode.FAILED_PRECONDITION,
    StoreError: grpc.StatusCode.UNAVAILABLE,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    Stopping: grpc.StatusCode.UNAVAILABLE,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
}
_DETAILS = "grpc-status-details-bin"
_DOMAIN = "canary"
_LONGEST_MESSAGE = 1500
"""Bytes of the status message, which is sent percent-encoded."""
_LONGEST_FIELD = 300
"""Characters of a fault's place and of what it says; nobody's names are that long."""
_LONGEST_DETAILS = 3500
"""Bytes of all faults; they are sent in base64."""


@asynccontextmanager
async def explained(context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
    """End the call with the status that fits the error raised inside."""
    try:
        yield
    except CanaryError as error:
        code = _CODES.get(type(error), grpc.StatusCode.INTERNAL)
        text = _fitting(str(error))
        # Without details it reads like a server that is gone, which is what it is about to be.
        details = () if isinstance(error, Stopping) else ((_DETAILS, _status(error, code, text)),)
        await context.abort(code, text, trailing_metadata=details)


def _status(error: CanaryError, code: grpc.StatusCode, text: str) -> bytes:
    status = Status(code=code.value[0], message=text)
    if isinstance(error, InvalidInput):
        status.details.append(_packed(_bad_request(error.faults)))
    if isinstance(error, TooFewEndpoints):
        violation = PreconditionFailure.Violation(type="ENDPOINTS", description=text)
        status.details.append(_packed(PreconditionFailure(violations=[violation])))
    # Two errors can share a code; the reason says which it is.
    status.details.append(_packed(ErrorInfo(reason=type(error).__name__, domain=_DOMAIN)))
    return status.SerializeToString()


def _bad_request(faults: tuple[Fault, ...]) -> BadRequest:
    """The faults, as many as fit."""
    bad = BadRequest()
    for told, fault in enumerate(faults):
        place, text = f"{fault.file}:{fault.line}: {fault.path}", str(fault)
        violation = BadRequest.FieldViolation(
            field=place[:_LONGEST_FIELD], description=text[: 2 * _LONGEST_FIELD]
        )
        if bad.field_violations and bad.ByteSize() + violation.ByteSize() > _LONGEST_DETAILS:
            bad.field_violations.add(field=fault.file, description=f"and {len(faults) - told} more")
            break
        bad.field_violations.append(violation)
    return bad


def _fitting(text: str) -> str:
    """As much of a message as fits."""
    budget = _LONGEST_MESSAGE
    for position, character in enumerate(text):
        budget -= len(urllib.parse.quote(character, safe=" "))
        if budget < 0:
            return text[:position] + "..."
    return text


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
