"""The DeploymentService: each method hands its request to the control plane and answers."""

from collections.abc import AsyncGenerator
from typing import Literal

from xds.admin import deployment_messages as messages
from xds.admin import explained, paging
from xds.admin.access import Context
from xds.admin.calls import Service, answer, answers
from xds.admin.messages import confirmation
from xds.admin.terms import patience_of, terms_of, waiting
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc

_MODES: dict[int, Literal["apply", "create", "update"]] = {
    admin.ApplyRequest.APPLY: "apply",
    admin.ApplyRequest.CREATE: "create",
    admin.ApplyRequest.UPDATE: "update",
}


class DeploymentService(Service, admin_grpc.DeploymentServiceServicer):
    """Deployments: shown, changed, watched."""

    @answer
    async def Apply(self, request: admin.ApplyRequest, context: Context) -> admin.ApplyResponse:
        """Take whole deployment files; all or nothing."""
        applied, warnings = await self._plane.deployments.apply_texts(
            [(file.name, file.text) for file in request.files],
            terms_of(request.options, context),
            mode=_MODES[request.mode],
            strict=request.strict,
        )
        return admin.ApplyResponse(
            changes=await self._waiting.changes(applied.outcomes, patience_of(request.options)),
            endpoints=map(messages.endpoint_change, applied.endpoints),
            warnings=map(str, warnings),
        )

    @answer
    async def Get(self, request: admin.GetRequest, _context: Context) -> admin.Deployment:
        """One deployment."""
        return messages.deployment(self._plane.deployments.get(request.name))

    @answer
    async def List(self, request: admin.ListRequest, _context: Context) -> admin.ListResponse:
        """All deployments, by name."""
        page = paging.page_of(request, paging.name, "deleted" if request.deleted else "deployments")
        found = self._plane.deployments.list(page.after or "", page.limit, deleted=request.deleted)
        items, token = page.cut(found, lambda standing: standing.revision.deployment)
        return admin.ListResponse(deployments=map(messages.deployment, items), next_page_token=token)

    @answer
    async def SetWeights(self, request: admin.SetWeightsRequest, context: Context) -> admin.ChangeResponse:
        """Change the weights of the versions named."""
        outcome = await self._plane.deployments.set_weights(
            request.name, request.weights, terms_of(request.options, context)
        )
        return await self._waiting.change(outcome, patience_of(request.options))

    @answer
    async def Promote(self, request: admin.PromoteRequest, context: Context) -> admin.ChangeResponse:
        """Make a version `main`."""
        outcome = await self._plane.deployments.promote(
            request.name, request.version, terms_of(request.options, context)
        )
        return await self._waiting.change(outcome, patience_of(request.options))

    @answer
    async def Abort(self, request: admin.AbortRequest, context: Context) -> admin.ChangeResponse:
        """Put all traffic on `main`."""
        outcome = await self._plane.deployments.abort(request.name, terms_of(request.options, context))
        return await self._waiting.change(outcome, patience_of(request.options))

    @answer
    async def Rollback(self, request: admin.RollbackRequest, context: Context) -> admin.ChangeResponse:
        """Return to an earlier revision."""
        outcome = await self._plane.deployments.rollback(
            request.name,
            terms_of(request.options, context),
            to=request.to_revision if request.HasField("to_revision") else None,
            stable=request.to_stable,
        )
        return await self._waiting.change(outcome, patience_of(request.options))

    @answer
    async def Delete(self, request: admin.DeleteRequest, context: Context) -> admin.ChangeResponse:
        """Take a deployment out of service."""
        outcome = await self._plane.deployments.delete(request.name, terms_of(request.options, context))
        return await self._waiting.change(outcome, patience_of(request.options))

    @answer
    async def Undelete(self, request: admin.UndeleteRequest, context: Context) -> admin.ChangeResponse:
        """Bring a deleted deployment back."""
        outcome = await self._plane.deployments.undelete(request.name, terms_of(request.options, context))
        return await self._waiting.change(outcome, patience_of(request.options))

    @answer
    async def ListRevisions(
        self, request: admin.ListRevisionsRequest, _context: Context
    ) -> admin.ListRevisionsResponse:
        """A deployment's revisions, newest first."""
        page = paging.page_of(request, paging.number, "revisions", request.name)
        found = await self._plane.deployments.history(request.name, page.after, page.limit)
        items, token = page.cut(found, lambda past: past.revision.number)
        return admin.ListRevisionsResponse(revisions=map(messages.past, items), next_page_token=token)

    @answer
    async def Diff(self, request: admin.DiffRequest, _context: Context) -> admin.DiffResponse:
        """What differs between two revisions, or between files and what is in force."""
        deployments = self._plane.deployments
        if request.files:
            found = await deployments.diff_texts([(file.name, file.text) for file in request.files])
        else:
            found = [await deployments.diff(request.name, request.from_revision, request.to_revision)]
        return admin.DiffResponse(differences=map(messages.difference, found))

    @answer
    async def Explain(self, request: admin.ExplainRequest, _context: Context) -> admin.ExplainResponse:
        """Which version a request gets, and why."""
        told = await self._plane.explained.explain(
            request.name, explained.asked(request), request.gateway, request.keys
        )
        return explained.told(told)

    @answer
    async def Simulate(self, request: admin.SimulateRequest, _context: Context) -> admin.SimulateResponse:
        """How many users applying files would move."""
        found = await self._plane.explained.simulate(
            [(file.name, file.text) for file in request.files], request.keys
        )
        return admin.SimulateResponse(simulations=map(explained.simulation, found))

    @answers
    async def Watch(
        self, request: admin.WatchRequest, _context: Context
    ) -> AsyncGenerator[admin.WatchResponse, None]:
        """Deployments as they stand, then what changes."""
        async for event in self._plane.deployments.watch(request.names):
            yield messages.event(event)

    @answers
    async def Wait(
        self, request: admin.WaitRequest, _context: Context
    ) -> AsyncGenerator[admin.Confirmation, None]:
        """A revision on its way to the Envoys."""
        async for progress in self._waiting.progress(request.name, request.revision, waiting(request.wait)):
            yield confirmation(progress)
