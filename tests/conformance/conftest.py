"""A server for each test, and peers that speak one dialect or, where the rule is the same, either."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.conversation import AnyConversation, Conversation, said_in_delta, said_in_sotw
from tests.conformance.server import FENCE, Server, resource
from tests.support.delta import DeltaClient
from tests.support.sotw import SotwClient
from xds.stubs.envoy_service_discovery_v3_pb2 import DeltaDiscoveryResponse, DiscoveryResponse

Delta = Conversation[DeltaDiscoveryResponse]
Sotw = Conversation[DiscoveryResponse]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server whose catalog has nothing but fences."""
    async with Server(*(resource(FENCE, f"fence-{number}") for number in range(20))) as running:
        yield running


@pytest.fixture
async def delta_client(server: Server) -> AsyncIterator[DeltaClient]:
    """An incremental aggregated stream."""
    async with DeltaClient(server.address) as client:
        yield client


@pytest.fixture
async def sotw_client(server: Server) -> AsyncIterator[SotwClient]:
    """A state-of-the-world aggregated stream."""
    async with SotwClient(server.address) as client:
        yield client


@pytest.fixture
def delta(delta_client: DeltaClient) -> Delta:
    """A talk in the incremental dialect."""
    return Conversation(delta_client, said_in_delta)


@pytest.fixture
def sotw(sotw_client: SotwClient) -> Sotw:
    """A talk in the state-of-the-world dialect."""
    return Conversation(sotw_client, said_in_sotw)


@pytest.fixture(params=["delta", "sotw"])
def talk(request: pytest.FixtureRequest, delta: Delta, sotw: Sotw) -> AnyConversation:
    """A talk in each dialect in turn."""
    return delta if request.param == "delta" else sotw
