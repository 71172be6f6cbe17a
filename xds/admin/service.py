"""The DeploymentService: each method hands its request to the control plane and answers."""

from typing import Any

import grpc

from xds.admin import messages
from xds.admin.access import caller_of
from xds.admin.failures import explained
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class DeploymentService(admin_grpc.DeploymentServiceServicer):
    """Applies, shows and reverts deployments."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    async def Apply(self, request: admin.ApplyRequest, context: Context) -> admin.ApplyResponse:
        """Take whole deployment files; all or nothing."""
        async with explained(context):
            applied, warnings = await self._plane.deployments.apply_texts(
                [(file.name, file.text) for file in request.files],
                Terms(caller_of(context).name, request.options.comment),
                strict=request.strict,
            )
        return admin.ApplyResponse(
            changes=[messages.change(outcome) for outcome in applied.outcomes],
            endpoints=[messages.endpoint_change(edit) for edit in applied.endpoints],
            warnings=[str(warning) for warning in warnings],
        )

    async def Get(self, request: admin.GetRequest, context: Context) -> admin.Deployment:
        """One deployment."""
        async with explained(context):
            return messages.deployment(self._plane.deployments.get(request.name))
        raise AssertionError("explained() ends the call")

    async def List(self, request: admin.ListRequest, context: Context) -> admin.ListResponse:  # noqa: ARG002
        """All deployments, by name."""
        deployments = [messages.deployment(standing) for standing in self._plane.deployments.list()]
        return admin.ListResponse(deployments=deployments)

    async def SetWeights(self, request: admin.SetWeightsRequest, context: Context) -> admin.ChangeResponse:
        """Change the weights of the versions named."""
        async with explained(context):
            outcome = await self._plane.deployments.set_weights(
                request.name,
                request.weights,
                Terms(caller_of(context).name, request.options.comment),
            )
        return admin.ChangeResponse(change=messages.change(outcome))

    async def Abort(self, request: admin.AbortRequest, context: Context) -> admin.ChangeResponse:
        """Put all traffic on `main`."""
        async with explained(context):
            outcome = await self._plane.deployments.abort(
                request.name, Terms(caller_of(context).name, request.options.comment)
            )
        return admin.ChangeResponse(change=messages.change(outcome))

    async def Rollback(self, request: admin.RollbackRequest, context: Context) -> admin.ChangeResponse:
        """Return to the newest earlier revision that was not left on purpose."""
        async with explained(context):
            outcome = await self._plane.deployments.rollback(
                request.name, Terms(caller_of(context).name, request.options.comment)
            )
        return admin.ChangeResponse(change=messages.change(outcome))

    async def ListRevisions(
        self, request: admin.ListRevisionsRequest, context: Context
    ) -> admin.ListRevisionsResponse:
        """A deployment's revisions, newest first."""
        async with explained(context):
            history = await self._plane.deployments.history(request.name)
        revisions = [messages.revision(past.revision) for past in history]
        return admin.ListRevisionsResponse(revisions=revisions)
