"""The FleetService: each method asks the control plane and answers."""

from collections.abc import AsyncGenerator

from xds.admin import fleet_messages as messages
from xds.admin import paging
from xds.admin.access import Context
from xds.admin.calls import Service, answer, answers
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc


class FleetService(Service, admin_grpc.FleetServiceServicer):
    """The connected Envoys."""

    @answer
    async def List(self, request: admin.ListEnvoysRequest, _context: Context) -> admin.ListEnvoysResponse:
        """Envoys by gateway and id, without resources."""
        page = paging.page_of(request, paging.names, "envoys", request.gateway)
        found = self._plane.fleet.list(request.gateway, page.after, page.limit)
        items, token = page.cut(found, lambda envoy: (envoy.gateway, envoy.id))
        return admin.ListEnvoysResponse(envoys=map(messages.envoy, items), next_page_token=token)

    @answer
    async def Get(self, request: admin.GetEnvoyRequest, _context: Context) -> admin.Envoy:
        """One Envoy, with every resource it has or is to have."""
        envoy, resources = self._plane.fleet.get(request.id)
        return messages.envoy(envoy, resources)

    @answers
    async def Watch(
        self, request: admin.WatchEnvoysRequest, _context: Context
    ) -> AsyncGenerator[admin.WatchEnvoysResponse, None]:
        """Envoys as they are, then what changes."""
        async for event in self._plane.fleet.watch(request.gateway):
            yield messages.event(event)
