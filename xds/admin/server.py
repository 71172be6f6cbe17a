"""The ServerService: what the server says of itself."""

import time

from xds.admin.about import About
from xds.admin.access import Context, caller_of
from xds.admin.calls import Service, answer
from xds.admin.closing import Closing
from xds.admin.endpoint_messages import source
from xds.admin.fleet_messages import turned_away
from xds.admin.messages import timestamp
from xds.control.plane import ControlPlane
from xds.fleet.admission import Admission
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc


class ServerService(Service, admin_grpc.ServerServiceServicer):
    """The server itself."""

    def __init__(self, plane: ControlPlane, closing: Closing, admission: Admission, about: About) -> None:
        super().__init__(plane, closing)
        self._admission = admission
        self._about = about

    @answer
    async def Get(self, _request: admin.GetServerRequest, context: Context) -> admin.Server:
        """What it is, who was not let in, and who the caller is."""
        about = self._about
        return admin.Server(
            version=about.version,
            started_at=timestamp(about.started_at),
            now=timestamp(time.time()),
            xds_address=about.xds_address,
            admin_address=about.admin_address,
            http_address=about.http_address,
            xds_tls=about.xds_tls,
            xds_client_certificates=about.xds_client_certificates,
            admin_tls=about.admin_tls,
            admin_access=about.admin_access,
            store=about.store,
            turned_away=map(turned_away, self._admission.turned_away()),
            endpoint_sources=map(source, self._plane.endpoints.sources()),
            caller=caller_of(context).name,
            spec_faults=map(str, self._plane.troubles.spec_faults()),
        )
