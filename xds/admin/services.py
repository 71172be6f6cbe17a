"""All services of the admin API."""

import functools

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from xds.admin.about import About
from xds.admin.access import Handler
from xds.admin.audit import AuditService
from xds.admin.calls import Service
from xds.admin.closing import Closing
from xds.admin.deployments import DeploymentService
from xds.admin.endpoints import EndpointService
from xds.admin.fleet import FleetService
from xds.admin.gateways import GatewayService
from xds.admin.metrics import MetricsService
from xds.admin.resources import ResourceService
from xds.admin.rules import read
from xds.admin.server import ServerService
from xds.control.plane import ControlPlane
from xds.fleet.admission import Admission
from xds.stubs import canary_admin_v1_pb2 as admin


def add_services(
    server: grpc.aio.Server, plane: ControlPlane, closing: Closing, admission: Admission, about: About
) -> tuple[str, ...]:
    """Add them to a server; returns their full names."""
    services: dict[str, Service] = {
        "DeploymentService": DeploymentService(plane, closing),
        "EndpointService": EndpointService(plane, closing),
        "GatewayService": GatewayService(plane, closing),
        "ResourceService": ResourceService(plane, closing),
        "FleetService": FleetService(plane, closing),
        "MetricsService": MetricsService(plane, closing),
        "AuditService": AuditService(plane, closing),
        "ServerService": ServerService(plane, closing, admission, about),
    }
    described = admin.DESCRIPTOR.services_by_name
    for name, service in services.items():
        handlers = {method.name: _handler(service, method) for method in described[name].methods}
        handler = grpc.method_handlers_generic_handler(described[name].full_name, handlers)
        server.add_generic_rpc_handlers((handler,))
    return tuple(described[name].full_name for name in services)


def _handler(service: Service, method: MethodDescriptor) -> Handler:
    """As the generated `add_...` has it; but bytes that are no message are the caller's fault."""
    streams = method.server_streaming
    kind = grpc.unary_stream_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
    return kind(
        getattr(service, method.name),
        request_deserializer=functools.partial(read, GetMessageClass(method.input_type)),
        response_serializer=GetMessageClass(method.output_type).SerializeToString,
    )
