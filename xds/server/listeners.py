"""The two gRPC servers: one for Envoys, one for people and programs."""

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from xds.admin.about import About
from xds.admin.access import AccessControl
from xds.admin.closing import Closing
from xds.admin.services import add_services
from xds.control.plane import ControlPlane
from xds.errors import SettingsError
from xds.fleet.admission import Admission
from xds.server.entrance import Entrance
from xds.server.tls import Tls
from xds.server.xds import AGGREGATED

_MANY = 100_000
_OPTIONS = [
    # Several servers on one port would split the fleet between them unseen.
    ("grpc.so_reuseport", 0),
    # Envoy's keepalive pings would otherwise be answered with GOAWAY.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
    ("grpc.http2.max_ping_strikes", 0),
    # A fleet that reconnects at once would otherwise be refused beyond a thousand pending calls.
    ("grpc.server.max_pending_requests", _MANY),
    ("grpc.server.max_pending_requests_hard_limit", _MANY),
    # Nor would those that wait longer than half a minute for their turn be given up.
    ("grpc.server_max_unrequested_time_in_server", 600),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # An Envoy that vanished without a word is noticed.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]


async def xds_server(
    handlers: tuple[grpc.GenericRpcHandler, ...], listen: str, tls: Tls | None = None
) -> tuple[grpc.aio.Server, str]:
    """The server for Envoys, with health; returns it and the address it is bound to."""
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers(handlers)
    await _serve_health(server, AGGREGATED)
    return server, _bind(server, listen, tls)


async def metrics_server(
    handler: grpc.GenericRpcHandler, listen: str, tls: Tls | None = None
) -> tuple[grpc.aio.Server, str]:
    """A server for Envoys' reports alone, with health; returns it and the address it is bound to."""
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers((handler,))
    await _serve_health(server)
    return server, _bind(server, listen, tls)


def admin_server(listen: str, entrance: Entrance) -> tuple[grpc.aio.Server, str]:
    """The server of the admin API, without services so far; returns it and its address."""
    server = grpc.aio.server(interceptors=[AccessControl(entrance.authenticator)], options=_OPTIONS)
    return server, _bind(server, listen, entrance.tls)


async def add_admin_services(
    server: grpc.aio.Server, plane: ControlPlane, admission: Admission, about: About
) -> Closing:
    """Add the admin API, health and reflection; returns what ends its streams."""
    closing = Closing()
    services = add_services(server, plane, closing, admission, about)
    await _serve_health(server, *services)
    reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return closing


async def _serve_health(server: grpc.aio.Server, *services: str) -> None:
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for name in ("", *services):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)


def _bind(server: grpc.aio.Server, listen: str, tls: Tls | None) -> str:
    host = listen.rpartition(":")[0]
    try:
        if tls is None:
            port = server.add_insecure_port(listen)
        else:
            port = server.add_secure_port(listen, tls.credentials())
    except RuntimeError as error:
        raise SettingsError(f"can't listen on {listen}: {error}; is the port taken?") from error
    return f"{host}:{port}"
