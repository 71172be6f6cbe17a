"""The admin API as a test calls it."""

from types import TracebackType
from typing import Self, TypeVar

import grpc
from google.protobuf.message import Message

from tests.support.waiting import eventually
from xds.stubs import canary_admin_v1_pb2 as pb
from xds.stubs import canary_admin_v1_pb2_grpc as pb_grpc

_SERVICE = "/canary.admin.v1.DeploymentService/"

Answer = TypeVar("Answer", bound=Message)


class AdminClient:
    """Calls a control plane; used with `async with`, in the test's own event loop.

    Attributes:
        services: every method of the API by its service, for messages in and out.
    """

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address)
        self.services = Services(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()

    async def apply(self, text: str, *, name: str = "test.yaml", strict: bool = False) -> pb.ApplyResponse:
        """Take a deployment file."""
        request = pb.ApplyRequest(files=[pb.File(name=name, text=text)], strict=strict)
        return await self._call("Apply", request, pb.ApplyResponse)

    async def get(self, name: str) -> pb.Deployment:
        """One deployment."""
        return await self._call("Get", pb.GetRequest(name=name), pb.Deployment)

    async def deployments(self) -> list[pb.Deployment]:
        """All of them."""
        return list((await self._call("List", pb.ListRequest(), pb.ListResponse)).deployments)

    async def set_weights(self, name: str, **weights: float) -> pb.Change:
        """Change the weights of the versions named."""
        request = pb.SetWeightsRequest(name=name, weights=weights)
        return (await self._call("SetWeights", request, pb.ChangeResponse)).change

    async def abort(self, name: str) -> pb.Change:
        """Put everything on `main`."""
        return (await self._call("Abort", pb.AbortRequest(name=name), pb.ChangeResponse)).change

    async def rollback(self, name: str) -> pb.Change:
        """Go back one revision."""
        return (await self._call("Rollback", pb.RollbackRequest(name=name), pb.ChangeResponse)).change

    async def history(self, name: str) -> list[pb.Revision]:
        """The revisions, newest first."""
        request = pb.ListRevisionsRequest(name=name)
        return list((await self._call("ListRevisions", request, pb.ListRevisionsResponse)).revisions)

    async def settled(self, name: str, envoys: int = 1, seconds: float = 20.0) -> pb.Deployment:
        """The deployment, once at least `envoys` Envoys are there and all have taken everything.

        Raises:
            TimeoutError: they didn't within `seconds`; with what they refused.
        """
        last = pb.Deployment()

        async def in_sync() -> pb.Deployment | None:
            last.CopyFrom(await self.get(name))
            state = last.convergence
            return last if state.envoys >= envoys and state.in_sync == state.envoys else None

        try:
            return await eventually(in_sync, f"{envoys} Envoys in sync with {name}", seconds)
        except TimeoutError as late:
            raise TimeoutError(f"{late}: {last.convergence}") from late

    async def appears(self, name: str, revision: int) -> pb.Deployment:
        """The deployment, once its revision is at least `revision`.

        Raises:
            TimeoutError: it never was.
        """

        async def there() -> pb.Deployment | None:
            found = [deployment for deployment in await self.deployments() if deployment.name == name]
            return found[0] if found and found[0].revision.number >= revision else None

        return await eventually(there, f"revision {revision} of {name}")

    async def _call(self, method: str, request: Message, answer: type[Answer]) -> Answer:
        call = self._channel.unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return await call(request)


class Services:
    """The stubs of the API."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.deployments = pb_grpc.DeploymentServiceStub(channel)
        self.endpoints = pb_grpc.EndpointServiceStub(channel)
        self.gateways = pb_grpc.GatewayServiceStub(channel)
        self.resources = pb_grpc.ResourceServiceStub(channel)
        self.fleet = pb_grpc.FleetServiceStub(channel)
        self.metrics = pb_grpc.MetricsServiceStub(channel)
        self.audit = pb_grpc.AuditServiceStub(channel)
        self.server = pb_grpc.ServerServiceStub(channel)
