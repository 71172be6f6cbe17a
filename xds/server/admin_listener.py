"""The gRPC server for people and programs."""

import grpc
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection

from xds.admin.about import About
from xds.admin.access import AccessControl
from xds.admin.closing import Closing
from xds.admin.services import add_services
from xds.control.plane import ControlPlane
from xds.fleet.admission import Admission
from xds.server.entrance import Entrance
from xds.server.listeners import OPTIONS, bind, serve_health


def admin_server(listen: str, entrance: Entrance) -> tuple[grpc.aio.Server, str]:
    """The server of the admin API, without services so far; returns it and its address."""
    server = grpc.aio.server(interceptors=[AccessControl(entrance.authenticator)], options=OPTIONS)
    return server, bind(server, listen, entrance.tls)


async def add_admin_services(
    server: grpc.aio.Server, plane: ControlPlane, admission: Admission, about: About
) -> Closing:
    """Add the admin API, health and reflection; returns what ends its streams."""
    closing = Closing()
    services = add_services(server, plane, closing, admission, about)
    await serve_health(server, *services)
    reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return closing
