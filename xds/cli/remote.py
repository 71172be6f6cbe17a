"""One call of the admin API, and what its errors mean to whoever typed the command.

The server's sentence is printed as it is, because the server knows what happened; the faults of bad
files come one by one as google.rpc.BadRequest details. Only a server that can't be reached is described
here. A call gives up after ten seconds; it is not repeated, since a change may have been made.
"""

import getpass
from typing import TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from xds.cli.failures import Conflict, Failure, Faulty, NoAnswer

SERVICE = "canary.admin.v1.DeploymentService"
DEADLINE = 10.0
"""Seconds."""

_AUTHOR = "canary-author"
_STATUS = "grpc-status-details-bin"
_MOST_METADATA = 16 * 1024 * 1024
"""Bytes; every fault of every file travels in the trailing metadata."""

_OPTIONS = (
    ("grpc.max_metadata_size", _MOST_METADATA),
    ("grpc.absolute_max_metadata_size", _MOST_METADATA),
    ("grpc.max_receive_message_length", -1),  # a list may have thousands of deployments
    ("grpc.enable_http_proxy", 0),  # a proxy for web pages is none for the admin API
)

Answer = TypeVar("Answer", bound=Message)


def call(server: str, method: str, request: Message, answer: type[Answer]) -> Answer:
    """Call one method of the admin API.

    Args:
        server: `HOST:PORT`.
        method: its name in `DeploymentService`.
        request: its request.
        answer: the type it answers with.

    Raises:
        Failure: refused, failed, or not answered; its exit code says which.
    """
    with grpc.insecure_channel(server, options=_OPTIONS) as channel:
        ask = channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            return ask(request, timeout=DEADLINE, metadata=((_AUTHOR, _who()),))
        except grpc.RpcError as error:
            raise _failure(error, server) from error


def _who() -> str:
    """The user of this machine, in the ASCII that metadata can carry."""
    try:
        return getpass.getuser().encode("ascii", "replace").decode()
    except (KeyError, OSError):  # a container's user often has no name
        return "unknown"


def _failure(error: grpc.RpcError, server: str) -> Failure:
    code, details = error.code(), _one_line(error.details() or "")
    status = _status(error)
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
        return NoAnswer(details if status else _no_answer(code, details, server))
    if code is grpc.StatusCode.ABORTED:
        return Conflict(details)
    if faults := _faults(status):
        return Faulty(faults)
    return Failure(_refusal(code, details, server))


def _no_answer(code: grpc.StatusCode, details: str, server: str) -> str:
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return (
            f"{server} did not answer within {DEADLINE:g} s "
            "(a change may have been made all the same: `canary list` shows what is in force)"
        )
    tried = details.startswith("failed to connect")  # then the end of grpc's account says why
    return (
        f"no answer from {server}: {details.rpartition(': ')[2] if tried else details} "
        "(is `canary serve` running there? --server or CANARY_SERVER names another)"
    )


def _refusal(code: grpc.StatusCode, details: str, server: str) -> str:
    match code:
        case grpc.StatusCode.UNKNOWN | grpc.StatusCode.INTERNAL:
            return f"the server failed: {details} (its log says more)"
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"{server} does not know this command (it runs another version, or is no Canary server)"
        case _:
            return details or f"the server answered {code.name}"


def _status(error: grpc.RpcError) -> bytes:
    """The google.rpc.Status a Canary server sends with what it refuses; grpc itself sends none."""
    metadata = {entry.key: entry.value for entry in error.trailing_metadata() or ()}
    status = metadata.get(_STATUS)
    return status if isinstance(status, bytes) else b""


def _faults(status: bytes) -> list[str]:
    bad = error_details_pb2.BadRequest()
    try:
        return [
            _one_line(violation.description)
            for detail in status_pb2.Status.FromString(status).details
            if detail.Unpack(bad)
            for violation in bad.field_violations
        ]
    except DecodeError:
        return []


def _one_line(text: str) -> str:
    return " ".join(text.split())
