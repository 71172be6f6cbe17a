"""The ResourceService: each method hands its request to the control plane and answers."""

from xds.admin import gateway_messages as messages
from xds.admin import paging
from xds.admin.access import Context
from xds.admin.calls import Service, answer
from xds.admin.terms import patience_of, terms_of
from xds.control.resource_control import ResourceOutcome
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc


class ResourceService(Service, admin_grpc.ResourceServiceServicer):
    """Envoy resources that people give a gateway."""

    @answer
    async def Get(self, request: admin.GetResourcesRequest, _context: Context) -> admin.Resources:
        """Those in force, or those of a number."""
        if request.number:
            given = await self._plane.resources.at(request.gateway, request.number)
            return messages.resources(request.gateway, given)
        standing = self._plane.resources.get(request.gateway)
        return messages.resources(request.gateway, standing.given, standing.convergence)

    @answer
    async def Set(self, request: admin.SetResourcesRequest, context: Context) -> admin.ResourcesResponse:
        """Replace all that the gateway was given before."""
        outcome = await self._plane.resources.set(
            request.gateway,
            [(file.name, file.text) for file in request.files],
            terms_of(request.options, context),
        )
        return await self._answer(request.gateway, outcome, request.options)

    @answer
    async def Rollback(
        self, request: admin.RollbackResourcesRequest, context: Context
    ) -> admin.ResourcesResponse:
        """Return to those of before."""
        outcome = await self._plane.resources.rollback(request.gateway, terms_of(request.options, context))
        return await self._answer(request.gateway, outcome, request.options)

    @answer
    async def ListRevisions(
        self, request: admin.ListResourceRevisionsRequest, _context: Context
    ) -> admin.ListResourceRevisionsResponse:
        """What a gateway was given, newest first, without contents."""
        page = paging.page_of(request, paging.number, "resources", request.gateway)
        found = await self._plane.resources.history(request.gateway, page.after, page.limit)
        items, token = page.cut(found, lambda given: given.number)
        return admin.ListResourceRevisionsResponse(
            revisions=[messages.resources(request.gateway, given, contents=False) for given in items],
            next_page_token=token,
        )

    async def _answer(
        self, gateway: str, outcome: ResourceOutcome, options: admin.WriteOptions
    ) -> admin.ResourcesResponse:
        given, patience = outcome.standing.given, patience_of(options)
        number = given.number if given else 0
        confirmation = await self._waiting.resources(gateway, number, patience, changed=outcome.changed)
        # How far they are by now: who waited wants to read that, not what was true before.
        far = outcome.standing if patience is None else self._plane.resources.standing(gateway, given)
        return admin.ResourcesResponse(
            resources=messages.resources(gateway, given, far.convergence),
            changed=outcome.changed,
            confirmation=confirmation,
        )
