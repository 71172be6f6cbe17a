"""Reflection and health know every service."""

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tests.support.serving import Serving
from xds.stubs import canary_admin_v1_pb2 as pb

SERVICES = [service.full_name for service in pb.DESCRIPTOR.services_by_name.values()]


async def test_reflection_lists_every_service(served: Serving) -> None:
    """So that grpcurl and its like need no .proto file."""
    path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    async with grpc.aio.insecure_channel(served.admin) as channel:
        ask: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(path)
        asked = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
        (answer,) = [raw async for raw in ask(iter([asked]))]
    listed = reflection_pb2.ServerReflectionResponse.FromString(answer).list_services_response.service
    assert {each.name for each in listed} >= set(SERVICES)


async def test_health_knows_every_service(served: Serving) -> None:
    """All of them are served."""
    async with grpc.aio.insecure_channel(served.admin) as channel:
        check: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/grpc.health.v1.Health/Check"
        )
        asked = [health_pb2.HealthCheckRequest(service=name).SerializeToString() for name in SERVICES]
        said = [health_pb2.HealthCheckResponse.FromString(await check(raw)).status for raw in asked]
    assert set(said) == {health_pb2.HealthCheckResponse.SERVING}
