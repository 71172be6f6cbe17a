"""Reflection and health know every service."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.serving import Serving
from xds.stubs import canary_admin_v1_pb2 as pb

SERVICES = [service.full_name for service in pb.DESCRIPTOR.services_by_name.values()]


async def test_reflection_lists_every_service(served: Serving) -> None:
    """So that grpcurl and its like need no .proto file."""
    async with grpc.aio.insecure_channel(served.admin) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[no-untyped-call]  # of its package
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        (answer,) = [each async for each in stub.ServerReflectionInfo(asked)]
    assert {each.name for each in answer.list_services_response.service} >= set(SERVICES)


async def test_health_knows_every_service(served: Serving) -> None:
    """All of them are served."""
    async with grpc.aio.insecure_channel(served.admin) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        states = [(await stub.Check(health_pb2.HealthCheckRequest(service=name))).status for name in SERVICES]
    assert set(states) == {health_pb2.HealthCheckResponse.SERVING}
