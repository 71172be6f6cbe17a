"""The EndpointService: each method hands its request to the control plane and answers."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from xds.admin import endpoint_messages as messages
from xds.admin import paging
from xds.admin.access import Context, caller_of
from xds.admin.calls import Service, answer, answers
from xds.admin.places import places_of
from xds.admin.rules import seconds
from xds.admin.terms import patience_of, terms_of
from xds.control.endpoint_standing import EndpointOutcome
from xds.control.terms import Terms
from xds.spec.endpoints import Endpoint
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc

_Verb = Callable[[str, Sequence[Endpoint], Terms], Awaitable[EndpointOutcome]]


class EndpointService(Service, admin_grpc.EndpointServiceServicer):
    """Endpoints: shown, changed, registered, watched."""

    @answer
    async def List(
        self, request: admin.ListEndpointsRequest, _context: Context
    ) -> admin.ListEndpointsResponse:
        """Endpoints by build, and the sources that are polled."""
        page = paging.page_of(request, paging.name, "endpoints", request.target)
        found = self._plane.endpoints.list(request.target, page.after or "", page.limit)
        items, token = page.cut(found, lambda standing: standing.ref)
        return admin.ListEndpointsResponse(
            builds=map(messages.build, items),
            sources=map(messages.source, self._plane.endpoints.sources()),
            next_page_token=token,
        )

    @answer
    async def Set(self, request: admin.EndpointsRequest, context: Context) -> admin.EndpointsResponse:
        """Replace the API's list of a build."""
        return await self._edit(self._plane.endpoints.set, request, context)

    @answer
    async def Add(self, request: admin.EndpointsRequest, context: Context) -> admin.EndpointsResponse:
        """Add to the API's list of a build."""
        return await self._edit(self._plane.endpoints.add, request, context)

    @answer
    async def Remove(self, request: admin.EndpointsRequest, context: Context) -> admin.EndpointsResponse:
        """Remove from the API's list, and end leases."""
        return await self._edit(self._plane.endpoints.remove, request, context)

    @answer
    async def Drain(self, request: admin.EndpointsRequest, context: Context) -> admin.EndpointsResponse:
        """No new requests for these."""
        return await self._edit(self._plane.endpoints.drain, request, context)

    @answer
    async def Undrain(self, request: admin.EndpointsRequest, context: Context) -> admin.EndpointsResponse:
        """Requests again for these."""
        return await self._edit(self._plane.endpoints.undrain, request, context)

    @answer
    async def Register(self, request: admin.RegisterRequest, context: Context) -> admin.RegisterResponse:
        """Add an endpoint for as long as it is registered again."""
        (endpoint,), _ = places_of([request.endpoint], "endpoint")
        terms = Terms(caller_of(context).name)
        made = await self._plane.endpoints.register(request.target, endpoint, seconds(request.ttl), terms)
        return messages.registration(made)

    @answer
    async def Deregister(self, request: admin.DeregisterRequest, context: Context) -> admin.EndpointsResponse:
        """End a lease at once."""
        (endpoint,), _ = places_of([request.endpoint], "endpoint")
        terms = Terms(caller_of(context).name)
        return messages.change(await self._plane.endpoints.deregister(request.target, endpoint, terms))

    @answers
    async def Watch(
        self, request: admin.WatchEndpointsRequest, _context: Context
    ) -> AsyncGenerator[admin.BuildEndpoints, None]:
        """Endpoints as they stand, then each build that changes."""
        async for standing in self._plane.endpoints.watch(request.target):
            yield messages.build(standing)

    async def _edit(
        self, verb: _Verb, request: admin.EndpointsRequest, context: Context
    ) -> admin.EndpointsResponse:
        endpoints, _ = places_of(request.endpoints, "endpoints")
        outcome = await verb(request.target, endpoints, terms_of(request.options, context))
        patience = patience_of(request.options)
        return messages.change(outcome, await self._waiting.deployments(outcome.deployments, patience))
