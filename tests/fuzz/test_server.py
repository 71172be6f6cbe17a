"""Garbage over real calls: each is answered or ended with a reason, and nobody else notices."""

import random

import grpc
import pytest

from tests.conformance.conversation import Conversation, said_in_delta
from tests.conformance.server import FENCE, Server, resource
from tests.fuzz.garbage import garbage
from tests.support.delta import DELTA, DeltaClient
from tests.support.sotw import SOTW
from xds.catalog.types import Type
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryRequest, DiscoveryRequest

FEW, MANY = 150, 5000
"""Calls without and with `--long`, each of up to ten requests."""

EXPECTED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}

_OWN = "Internal error from Core"
"""What grpc's own client says where the call ended while it was still writing."""


@pytest.mark.parametrize(
    ("method", "request_type"),
    [(DELTA, DeltaDiscoveryRequest), (SOTW, DiscoveryRequest)],
    ids=["delta", "sotw"],
)
async def test_garbage_over_real_calls(
    method: str,
    request_type: type[DeltaDiscoveryRequest] | type[DiscoveryRequest],
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No exception leaves a stream; no stream stays behind; a neighbour is served throughout."""
    chance = random.Random(0)
    fences = (resource(FENCE, f"fence-{number}") for number in range(100))
    async with Server(resource(Type.CLUSTER, "a"), *fences) as server, DeltaClient(server.address) as client:
        neighbour = Conversation(client, said_in_delta)
        await neighbour.ask(Type.CLUSTER)
        assert await neighbour.take() == {"a": "1"}
        async with grpc.aio.insecure_channel("{}:{}".format(*server.address)) as channel:
            endings = set()
            for number in range(MANY if request.config.getoption("--long") else FEW):
                endings.add(await _call(channel, method, [garbage(request_type, chance) for _ in range(10)]))
                if number % 50 == 0:
                    server.commit(resource(Type.CLUSTER, "a", f"v{number}"))
                    assert await neighbour.take() == {"a": f"v{number}"}
        await neighbour.quiet()
        assert len(list(server.hub.streams("default"))) == 1
    assert [code for code, why in endings if code not in EXPECTED and why != _OWN] == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("grpc")] == []


async def _call(channel: grpc.aio.Channel, method: str, requests: list[bytes]) -> tuple[grpc.StatusCode, str]:
    """Say all this on a call of its own; returns how it ended."""
    multicallable: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
    call = multicallable(iter(requests))
    try:
        async for _ in call:
            pass
    except grpc.aio.AioRpcError:
        pass  # the server has ended it
    return await call.code(), await call.details()
