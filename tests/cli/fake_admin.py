"""A fake admin API with canned answers, and what it answers with."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import click.testing
import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from xds.stubs import canary_admin_v1_pb2 as pb

Run: TypeAlias = Callable[..., click.testing.Result]
"""`run(*args, stdin="", **environment)`."""

Answer: TypeAlias = "Message | Refusal"

REQUESTS: dict[str, type[Message]] = {
    "Apply": pb.ApplyRequest,
    "Get": pb.GetRequest,
    "List": pb.ListRequest,
    "SetWeights": pb.SetWeightsRequest,
    "Abort": pb.AbortRequest,
    "Rollback": pb.RollbackRequest,
    "ListRevisions": pb.ListRevisionsRequest,
}


@dataclass(frozen=True)
class Refusal:
    """An error to answer with; faults become google.rpc.BadRequest details."""

    code: grpc.StatusCode
    message: str = ""
    faults: Sequence[str] = ()
    details: bytes | None = None

    def trailer(self) -> tuple[tuple[str, bytes], ...]:
        """What a server sends after the answer."""
        if self.details is not None:
            return (("grpc-status-details-bin", self.details),)
        if not self.faults:
            return ()
        bad = error_details_pb2.BadRequest()
        for fault in self.faults:
            bad.field_violations.add(field="f.yaml:1: name", description=fault)
        packed = any_pb2.Any()
        packed.Pack(bad)
        status = status_pb2.Status(code=self.code.value[0], message=self.message, details=[packed])
        return (("grpc-status-details-bin", status.SerializeToString()),)


@dataclass
class AdminApi:
    """A server that answers each method with what the test put there, and keeps what it was asked."""

    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Message] = field(default_factory=list)

    def handler(self, method: str) -> "grpc.RpcMethodHandler[Message, Message]":
        """One method of the service."""

        def answer(request: Message, context: grpc.ServicerContext) -> Message:
            self.requests.append(request)
            canned = self.answers[method]
            if isinstance(canned, Refusal):
                context.set_trailing_metadata(canned.trailer())
                context.abort(canned.code, canned.message)
            return canned

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=REQUESTS[method].FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )


def revision(number: int, kind: str, source: int = 0, **weights: float) -> pb.Revision:
    """A revision, made `number` minutes past ten."""
    made = pb.Revision(number=number, kind=kind, source=source, author="ada", weights=weights)
    made.created_at.FromDatetime(dt.datetime(2026, 11, 22, 10, number, 5, tzinfo=dt.UTC))
    made.comment = f"comment {number}"
    return made


def only_main() -> pb.Deployment:
    """The smallest deployment there is."""
    return pb.Deployment(
        name="echo",
        revision=revision(1, "apply", main=100),
        versions=[
            pb.Version(
                label="main",
                build="echo@main",
                cluster="echo_1",
                weight=100,
                effective_weight=100,
                endpoints=["127.0.0.1:9000"],
            )
        ],
        spec_json='{"name": "echo"}',
    )
