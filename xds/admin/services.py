"""All services of the admin API."""

import grpc

from xds.admin.about import About
from xds.admin.audit import AuditService
from xds.admin.closing import Closing
from xds.admin.deployments import DeploymentService
from xds.admin.endpoints import EndpointService
from xds.admin.fleet import FleetService
from xds.admin.gateways import GatewayService
from xds.admin.resources import ResourceService
from xds.admin.server import ServerService
from xds.control.plane import ControlPlane
from xds.fleet.admission import Admission
from xds.stubs import canary_admin_v1_pb2 as admin
from xds.stubs import canary_admin_v1_pb2_grpc as admin_grpc


def add_services(
    server: grpc.aio.Server, plane: ControlPlane, closing: Closing, admission: Admission, about: About
) -> tuple[str, ...]:
    """Add them to a server; returns their full names."""
    admin_grpc.add_DeploymentServiceServicer_to_server(DeploymentService(plane, closing), server)
    admin_grpc.add_EndpointServiceServicer_to_server(EndpointService(plane, closing), server)
    admin_grpc.add_GatewayServiceServicer_to_server(GatewayService(plane, closing), server)
    admin_grpc.add_ResourceServiceServicer_to_server(ResourceService(plane, closing), server)
    admin_grpc.add_FleetServiceServicer_to_server(FleetService(plane, closing), server)
    admin_grpc.add_AuditServiceServicer_to_server(AuditService(plane, closing), server)
    about_itself = ServerService(plane, closing, admission, about)
    admin_grpc.add_ServerServiceServicer_to_server(about_itself, server)
    return tuple(service.full_name for service in admin.DESCRIPTOR.services_by_name.values())
