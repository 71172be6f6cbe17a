"""Our errors as gRPC statuses: the canonical code, and every fault as a detail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from xds.errors import CanaryError, InvalidInput, NotFound, NothingToDo, StoreError, Unauthenticated

_CODES: dict[type[CanaryError], grpc.StatusCode] = {
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    NothingToDo: grpc.StatusCode.FAILED_PRECONDITION,
    StoreError: grpc.StatusCode.UNAVAILABLE,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
}
_DETAILS = "grpc-status-details-bin"
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
        detail = AnyMessage()
        detail.Pack(BadRequest(field_violations=violations))
        status.details.append(detail)
    return status
