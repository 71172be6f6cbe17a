"""What goes wrong with a call, as exceptions: those of `xds.errors`, and these.

    CanaryError
    +-- NoAnswer        the server can't be reached, or did not answer in time
    +-- ServerFailed    it failed, or doesn't know the call
    +-- NotConfirmed    the change is made, but the Envoys did not confirm it (in time)
        +-- Rejected    an Envoy refused it

The server's sentence is taken as it is, because the server knows what happened; only a server that
can't be reached is described here.
"""

import re
from collections.abc import Iterable
from typing import cast

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from xds.client.unreachable import refused, unreachable
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
from xds.stubs import canary_admin_v1_pb2 as pb

STATUS = "grpc-status-details-bin"
_PLACE = re.compile(r"(?P<file>.*?):(?P<line>\d+): (?P<path>.*)", re.DOTALL)
_CODES: dict[grpc.StatusCode, type[CanaryError]] = {
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.ABORTED: Conflict,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: Unauthenticated,
}
_STATES = pb.Confirmation.State


class NoAnswer(CanaryError):
    """The server can't be reached, or did not answer in time.

    Attributes:
        again: whether asking again may help; the clients do so while there is time.
        reached: whether the server may have got the request: if not, nothing was done.
    """

    def __init__(self, message: str, *, again: bool = False, reached: bool = True) -> None:
        super().__init__(message)
        self.again = again
        self.reached = reached


class ServerFailed(CanaryError):
    """The server failed, or does not know the call."""


class NotConfirmed(CanaryError):
    """The change is made, but the Envoys have not confirmed it.

    Attributes:
        confirmation: how far they have got.
        answer: what the call would have returned.
    """

    def __init__(self, message: str, confirmation: pb.Confirmation, answer: Message) -> None:
        super().__init__(message)
        self.confirmation = confirmation
        self.answer = answer


class Rejected(NotConfirmed):
    """An Envoy refused the change; `confirmation.rejections` says which and why."""


def check(confirmations: Iterable[pb.Confirmation], answer: Message) -> None:
    """Raise where somebody waited and the Envoys did not confirm.

    Raises:
        Rejected: one of them refused.
        NotConfirmed: too few confirmed in time, none is connected, or another change came.
    """
    for confirmation in confirmations:
        match confirmation.state:
            case _STATES.STATE_UNSPECIFIED | _STATES.CONFIRMED:
                continue
            case _STATES.REJECTED:
                raise Rejected(verdict(confirmation), confirmation, answer)
            case _:
                raise NotConfirmed(verdict(confirmation), confirmation, answer)


def verdict(confirmation: pb.Confirmation, undo: str = "canary rollback") -> str:
    """What became of a change at the Envoys, in a sentence with what to do; `undo` is what undoes it."""
    reached = f"{confirmation.confirmed} of {confirmation.envoys} Envoys"
    match confirmation.state:
        case _STATES.CONFIRMED:
            return f"confirmed by {reached}"
        case _STATES.REJECTED:
            undone = confirmation.undone_by
            mend = f"undone by revision {undone}" if undone else f"`{undo}` undoes it"
            return f"rejected by Envoy: {_one_line('; '.join(confirmation.rejections))} ({mend})"
        case _STATES.TIMED_OUT:
            missing = ", ".join(confirmation.waiting_for)
            return f"only {reached} confirmed it in time; missing: {missing} (`canary status` follows it)"
        case _STATES.NO_ENVOY:
            return "made, but no Envoy is connected that could confirm it (`canary fleet` shows who is)"
        case _STATES.SUPERSEDED:
            return "another change took its place before it was confirmed (`canary history` shows which)"
        case _:
            return f"confirmed by {reached} so far"


def failure(error: grpc.RpcError, server: str, timeout: float) -> CanaryError:  # noqa: PLR0911 (one for each code)
    """The exception that a gRPC status stands for.

    Args:
        error: of either gRPC.
        server: who was asked.
        timeout: seconds it had.
    """
    code, details = error.code(), _one_line(error.details() or "")
    status = _status(error)
    match code:
        case grpc.StatusCode.UNAVAILABLE if status is not None:
            return (Unavailable if _reason(status) == Unavailable.__name__ else StoreError)(details)
        case grpc.StatusCode.UNAVAILABLE:
            return NoAnswer(unreachable(server, details), again=True, reached=not refused(details))
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return NoAnswer(
                f"{server} did not answer within {timeout:g} s (a change may have been made all the same: "
                "`canary list` shows what is in force)"
            )
        case grpc.StatusCode.INVALID_ARGUMENT:
            return InvalidInput(_faults(status, details))
        case grpc.StatusCode.FAILED_PRECONDITION:
            return (TooFewEndpoints if _reason(status) == TooFewEndpoints.__name__ else NothingToDo)(details)
        case grpc.StatusCode.UNIMPLEMENTED:
            return ServerFailed(
                f"{server} does not know this command (it runs another version, or is no Canary server)"
            )
        case grpc.StatusCode.UNKNOWN | grpc.StatusCode.INTERNAL:
            return ServerFailed(f"the server failed: {details} (its log says more)")
        case _:
            return _CODES.get(code, ServerFailed)(details or f"the server answered {code.name}")


def _status(error: grpc.RpcError) -> status_pb2.Status | None:
    """What a Canary server sends with what it refuses; grpc itself sends none."""
    sent = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())  # in both gRPCs
    raw = dict(sent).get(STATUS)
    if not isinstance(raw, bytes):
        return None
    try:
        return status_pb2.Status.FromString(raw)
    except DecodeError:
        return status_pb2.Status()


def _faults(status: status_pb2.Status | None, details: str) -> list[Fault]:
    bad = error_details_pb2.BadRequest()
    found = [
        _fault(violation.field, _one_line(violation.description))
        for detail in (status.details if status else ())
        if detail.Unpack(bad)
        for violation in bad.field_violations
    ]
    return found or [Fault("request", 0, "", details)]


def _fault(field: str, text: str) -> Fault:
    place = _PLACE.fullmatch(field)
    file, line, path = (place["file"], int(place["line"]), place["path"]) if place else (field, 0, "")
    bare = Fault(file, line, path, "")
    return Fault(file, line, path, text.removeprefix(str(bare)))


def _reason(status: status_pb2.Status | None) -> str:
    info = error_details_pb2.ErrorInfo()
    reasons = [info.reason for detail in (status.details if status else ()) if detail.Unpack(info)]
    return reasons[0] if reasons else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
