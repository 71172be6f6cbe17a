"""A fake admin API with canned answers, and what it answers with."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import click.testing
import grpc
from google.protobuf import any_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from xds.stubs import canary_admin_v1_pb2 as pb

Run: TypeAlias = Callable[..., click.testing.Result]
"""`run(*args, stdin="", **environment)`."""

Answer: TypeAlias = "Message | Refusal | Sequence[Message] | Callable[[Message], Message]"
"""A message; an error; the messages of a stream; or a function of the request."""


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
            file, line, path, _ = fault.split(":", 3)
            bad.field_violations.add(field=f"{file}:{line}:{path}", description=fault)
        packed = any_pb2.Any()
        packed.Pack(bad)
        status = status_pb2.Status(code=self.code.value[0], message=self.message, details=[packed])
        return (("grpc-status-details-bin", status.SerializeToString()),)


@dataclass
class AdminApi:
    """A server that answers each method with what the test put there, and keeps what it was asked.

    Attributes:
        answers: by method: `Get` of the DeploymentService, `FleetService/List` of others.
        requests: all of them, in their order.
        queues: by method: what the next calls are answered with, before `answers` is looked at.
        called: the methods, in their order.
        metadata: what came along with the last.
    """

    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Message] = field(default_factory=list)
    queues: dict[str, list[Answer]] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    metadata: dict[str, str | bytes] = field(default_factory=dict)

    def done(self) -> list[Message]:
        """What was asked for, without looks at what would happen, and without random request ids."""
        done = []
        for request in self.requests:
            kept = type(request)()
            kept.CopyFrom(request)
            options = getattr(kept, "options", None)
            if isinstance(options, pb.WriteOptions):
                if options.dry_run:
                    continue
                if re.fullmatch(r"[0-9a-f]{32}", options.request_id):
                    options.ClearField("request_id")
            done.append(kept)
        return done

    def services(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """Every method of every service, for a server."""
        return tuple(
            grpc.method_handlers_generic_handler(
                service.full_name, {method.name: self._handler(method) for method in service.methods}
            )
            for service in pb.DESCRIPTOR.services_by_name.values()
        )

    def _handler(self, method: MethodDescriptor) -> "grpc.RpcMethodHandler[Message, Message]":
        short = f"{method.containing_service.name}/{method.name}".removeprefix("DeploymentService/")

        def canned(request: Message, context: grpc.ServicerContext) -> Answer:
            self.requests.append(request)
            self.called.append(f"{method.containing_service.name}/{method.name}")
            self.metadata = dict(context.invocation_metadata())
            queue = self.queues.get(short)
            answer = queue.pop(0) if queue else self.answers[short]
            if isinstance(answer, Refusal):
                context.set_trailing_metadata(answer.trailer())
                context.abort(answer.code, answer.message)
            return answer

        def one(request: Message, context: grpc.ServicerContext) -> Message:
            answer = canned(request, context)
            given = answer(request) if callable(answer) else answer
            assert isinstance(given, Message)
            return given

        def several(request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
            answer = canned(request, context)
            assert isinstance(answer, Sequence)
            yield from answer

        read = getattr(pb, method.input_type.name).FromString
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(several, read, _encoded)
        return grpc.unary_unary_rpc_method_handler(one, read, _encoded)


@contextmanager
def fake_admin() -> Iterator[AdminApi]:
    """An admin API on a port of its own."""
    fake = AdminApi()
    with ThreadPoolExecutor(max_workers=4) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers(fake.services())
        fake.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        yield fake
        server.stop(grace=None).wait()


def _encoded(message: Message) -> bytes:
    return message.SerializeToString()


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
