"""The gRPC servers for Envoys; that for people and programs is like them (`xds.server.admin_listener`)."""

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from xds.errors import SettingsError
from xds.server.tls import Tls
from xds.server.xds import AGGREGATED

_MANY = 100_000
OPTIONS = [
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
"""Of all our servers."""


async def xds_server(
    handlers: tuple[grpc.GenericRpcHandler, ...], listen: str, tls: Tls | None = None
) -> tuple[grpc.aio.Server, str]:
    """The server for Envoys, with health; returns it and the address it is bound to."""
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers(handlers)
    await serve_health(server, AGGREGATED)
    return server, bind(server, listen, tls)


async def metrics_server(
    handler: grpc.GenericRpcHandler, listen: str, tls: Tls | None = None
) -> tuple[grpc.aio.Server, str]:
    """A server for Envoys' reports alone, with health; returns it and the address it is bound to."""
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((handler,))
    await serve_health(server)
    return server, bind(server, listen, tls)


async def serve_health(server: grpc.aio.Server, *services: str) -> None:
    """Say of these services, and of the whole, that they are served."""
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for name in ("", *services):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)


def bind(server: grpc.aio.Server, listen: str, tls: Tls | None) -> str:
    """Take the port; returns the address.

    Raises:
        SettingsError: it can't be had.
    """
    host = listen.rpartition(":")[0]
    try:
        if tls is None:
            port = server.add_insecure_port(listen)
        else:
            port = server.add_secure_port(listen, tls.credentials())
    except RuntimeError as error:
        raise SettingsError(f"can't listen on {listen}: {error}; is the port taken?") from error
    return f"{host}:{port}"
