"""The GatewayService: each method hands its request to the control plane and answers."""

from xds.admin import gateway_messages as messages
from xds.admin import paging
from xds.admin.access import Context
from xds.admin.calls import Service, answer
from xds.admin.terms import patience_of, terms_of
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc


class GatewayService(Service, admin_grpc.GatewayServiceServicer):
    """Gateways and what they had."""

    @answer
    async def List(
        self, _request: admin.ListGatewaysRequest, _context: Context
    ) -> admin.ListGatewaysResponse:
        """All gateways, in the order of the configuration."""
        return admin.ListGatewaysResponse(gateways=map(messages.gateway, await self._plane.gateways.list()))

    @answer
    async def ListSnapshots(
        self, request: admin.ListSnapshotsRequest, _context: Context
    ) -> admin.ListSnapshotsResponse:
        """What a gateway had after each change, newest first."""
        page = paging.page_of(request, paging.number, "snapshots", request.gateway)
        found = await self._plane.gateways.snapshots(request.gateway, page.after, page.limit)
        items, token = page.cut(found, lambda snapshot: snapshot.number)
        return admin.ListSnapshotsResponse(snapshots=map(messages.snapshot, items), next_page_token=token)

    @answer
    async def Rollback(
        self, request: admin.RollbackGatewayRequest, context: Context
    ) -> admin.RollbackGatewayResponse:
        """Return all that a gateway serves to what it was at a snapshot."""
        made = await self._plane.gateways.rollback(
            request.gateway, request.snapshot, terms_of(request.options, context)
        )
        changes = await self._waiting.changes(made.outcomes, patience_of(request.options))
        return admin.RollbackGatewayResponse(changes=changes)
