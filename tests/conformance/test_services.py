"""The methods, who may call them, and requests they can't serve."""

import grpc
import pytest

from tests.conformance.conftest import Delta, Sotw
from tests.conformance.conversation import AnyConversation, Conversation, said_in_delta, said_in_sotw
from tests.conformance.server import Server, resource
from tests.support.delta import DeltaClient
from tests.support.sotw import SotwClient
from xds.catalog.types import Type
from xds.discovery.request import MOST_TYPES

SERVICES = {
    Type.CLUSTER: "cluster.v3.ClusterDiscoveryService/{}Clusters",
    Type.ENDPOINT: "endpoint.v3.EndpointDiscoveryService/{}Endpoints",
    Type.LISTENER: "listener.v3.ListenerDiscoveryService/{}Listeners",
    Type.ROUTE: "route.v3.RouteDiscoveryService/{}Routes",
    Type.SCOPED_ROUTE: "route.v3.ScopedRoutesDiscoveryService/{}ScopedRoutes",
    Type.VIRTUAL_HOST: "route.v3.VirtualHostDiscoveryService/{}VirtualHosts",
    Type.SECRET: "secret.v3.SecretDiscoveryService/{}Secrets",
    Type.RUNTIME: "runtime.v3.RuntimeDiscoveryService/{}Runtime",
    Type.EXTENSION: "extension.v3.ExtensionConfigDiscoveryService/{}ExtensionConfigs",
}


def method(type_: Type, kind: str) -> str:
    """The full name of a type's own method: `Stream` or `Delta`."""
    return "/envoy.service." + SERVICES[type_].format(kind)


@pytest.mark.parametrize("type_", SERVICES)
async def test_a_delta_service_for_each_type(server: Server, type_: Type) -> None:
    """It serves its type, then what changes of it; requests need not name the type."""
    server.commit(resource(type_, "a"))
    async with DeltaClient(server.address, method=method(type_, "Delta")) as client:
        talk = Conversation(client, said_in_delta)
        await talk.ask("", "a", "nobody")
        assert await talk.take(type_) == {"a": "1", "nobody": None}
        server.commit(resource(type_, "a", "2"))
        assert await talk.take(type_) == {"a": "2"}


@pytest.mark.parametrize("type_", [type_ for type_ in SERVICES if type_ != Type.VIRTUAL_HOST])
async def test_a_state_of_the_world_service_for_each_type(server: Server, type_: Type) -> None:
    """The same, virtual hosts aside."""
    server.commit(resource(type_, "a"))
    async with SotwClient(server.address, method=method(type_, "Stream")) as client:
        talk = Conversation(client, said_in_sotw)
        await talk.ask(type_, "a", "nobody")
        assert await talk.take(type_) == {"a": "1"}
        server.commit(resource(type_, "a", "2"))
        assert await talk.take(type_) == {"a": "2"}


async def test_virtual_hosts_are_incremental_only(server: Server) -> None:
    """There is no other method."""
    async with SotwClient(server.address, method=method(Type.VIRTUAL_HOST, "Stream")) as client:
        assert (await client.status())[0] == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("type_", SERVICES)
async def test_a_service_carries_one_type(server: Server, type_: Type) -> None:
    """A request of another type ends the call, and says why."""
    other = Type.ROUTE if type_ != Type.ROUTE else Type.CLUSTER
    async with DeltaClient(server.address, method=method(type_, "Delta")) as client:
        await client.subscribe(other, "a")
        code, details = await client.status()
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert type_ in details
    assert other in details


async def test_a_wrong_type_later_on_ends_the_call_too(server: Server) -> None:
    """Not only on the first request."""
    async with DeltaClient(server.address, method=method(Type.VIRTUAL_HOST, "Delta")) as client:
        await client.subscribe(Type.VIRTUAL_HOST, "a")
        await client.receive()
        await client.subscribe(Type.CLUSTER)
        assert (await client.status())[0] == grpc.StatusCode.INVALID_ARGUMENT


async def test_an_aggregated_request_names_its_type(server: Server) -> None:
    """Nobody can guess it."""
    for client in (DeltaClient(server.address), SotwClient(server.address)):
        async with client:
            await client.subscribe("", "a")
            assert (await client.status())[0] == grpc.StatusCode.INVALID_ARGUMENT


async def test_the_node_comes_with_the_first_request(server: Server, talk: AnyConversation) -> None:
    """And need not come again (the clients here never repeat it)."""
    for type_ in (Type.CLUSTER, Type.LISTENER):
        await talk.ask(type_)
        assert await talk.take(type_) == {}
    (node,) = {stream.node.id for stream in server.hub.streams("default") if stream.watches}
    assert node == "hand-driven"


async def test_a_type_nobody_knows_has_no_resources(delta: Delta) -> None:
    """Its names don't exist; the stream goes on."""
    await delta.ask("type.googleapis.com/no.such.Type", "x")
    assert await delta.take() == {"x": None}
    await delta.ask(Type.CLUSTER)
    assert await delta.take() == {}


async def test_a_type_nobody_knows_does_not_end_the_stream(sotw: Sotw, sotw_client: SotwClient) -> None:
    """In state-of-the-world there is nothing to say of it, or an empty answer."""
    await sotw_client.subscribe("type.googleapis.com/no.such.Type", "x")
    assert await sotw.take() == {}
    await sotw.ask(Type.CLUSTER)
    assert await sotw.take(Type.CLUSTER) == {}


async def test_types_without_end(server: Server, talk: AnyConversation) -> None:
    """A peer that invents types is cut off: each is something to remember."""
    other = DeltaClient(server.address)
    async with other:
        for number in range(MOST_TYPES + 1):
            await other.subscribe(f"type.googleapis.com/invented.T{number}")
        assert (await other.status())[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
    await talk.quiet()


async def test_a_call_that_says_nothing(server: Server, talk: AnyConversation) -> None:
    """Opened and closed without a request: no harm, and nobody to remember."""
    async with grpc.aio.insecure_channel("{}:{}".format(*server.address)) as channel:
        call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(method(Type.CLUSTER, "Delta"))()
        await call.done_writing()
        assert await call.code() == grpc.StatusCode.OK
    await talk.quiet()
    assert len(list(server.hub.streams("default"))) == 1
