"""A new stream of a peer that has something already: what it proves to have is not sent."""

import pytest

from tests.conformance.conftest import Delta, Sotw
from tests.conformance.conversation import Conversation, said_in_delta, said_in_sotw
from tests.conformance.server import Server, resource
from tests.support.delta import DeltaClient
from tests.support.sotw import SotwClient
from xds.catalog.types import Type


async def test_initial_versions_under_a_wildcard(
    server: Server, delta: Delta, delta_client: DeltaClient
) -> None:
    """Only the difference goes out: what is newer, what is missing, what is gone."""
    server.commit(*(resource(Type.CLUSTER, name) for name in "abc"))
    await delta_client.subscribe(Type.CLUSTER, has={"a": "1", "b": "0", "gone": "1"})
    assert await delta.take() == {"b": "1", "c": "1", "gone": None}
    await delta.quiet()


async def test_initial_versions_of_names(server: Server, delta: Delta, delta_client: DeltaClient) -> None:
    """A name whose version the peer has is subscribed without an answer."""
    server.commit(resource(Type.ROUTE, "r"), resource(Type.ROUTE, "s"))
    await delta_client.subscribe(Type.ROUTE, "r", "s", "gone", has={"r": "1", "s": "0", "gone": "1"})
    assert await delta.take() == {"s": "1", "gone": None}
    server.commit(resource(Type.ROUTE, "r", "2"))
    assert await delta.take() == {"r": "2"}


async def test_up_to_date(server: Server, delta: Delta, delta_client: DeltaClient) -> None:
    """A peer that has everything is sent nothing, and hears of the next change."""
    server.commit(resource(Type.CLUSTER, "a"))
    await delta_client.subscribe(Type.CLUSTER, has={"a": "1"})
    await delta.quiet()
    server.commit(resource(Type.CLUSTER, "a", "2"))
    assert await delta.take() == {"a": "2"}


async def test_initial_versions_do_not_subscribe(
    server: Server, delta: Delta, delta_client: DeltaClient
) -> None:
    """The names of interest are those subscribed to, whatever else the peer has."""
    server.commit(resource(Type.ROUTE, "r"), resource(Type.ROUTE, "s"))
    await delta_client.subscribe(Type.ROUTE, "r", has={"s": "0"})
    assert await delta.take() == {"r": "1"}
    server.commit(resource(Type.ROUTE, "s", "2"))
    await delta.quiet()


async def test_nothing_is_assumed_of_an_earlier_stream(server: Server, delta: Delta) -> None:
    """The same node without proof is sent everything."""
    server.commit(resource(Type.CLUSTER, "a"))
    await delta.ask(Type.CLUSTER)
    assert await delta.take() == {"a": "1"}
    async with DeltaClient(server.address) as client:
        again = Conversation(client, said_in_delta)
        await again.ask(Type.CLUSTER)
        assert await again.take() == {"a": "1"}


@pytest.mark.parametrize("type_", [Type.CLUSTER, Type.LISTENER])
async def test_version_info_of_everything_is_proof(server: Server, sotw: Sotw, type_: Type) -> None:
    """A wildcard that shows the current version has everything: it is not sent again."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await sotw.ask(type_)
    await sotw.take()
    async with SotwClient(server.address) as client:
        again = Conversation(client, said_in_sotw)
        await client.subscribe(type_, version=sotw.last.version_info)
        await again.quiet()
        server.commit(resource(type_, "c"))
        assert await again.take() == {"a": "1", "b": "1", "c": "1"}


async def test_another_version_info_is_answered_in_full(server: Server, sotw: Sotw) -> None:
    """Whatever changed meanwhile, and be it a removal: the whole set."""
    server.commit(resource(Type.CLUSTER, "a"), resource(Type.CLUSTER, "b"))
    await sotw.ask(Type.CLUSTER)
    await sotw.take()
    server.commit(gone=[(Type.CLUSTER, "b")])
    async with SotwClient(server.address) as client:
        again = Conversation(client, said_in_sotw)
        await client.subscribe(Type.CLUSTER, version=sotw.last.version_info)
        assert await again.take() == {"a": "1"}


async def test_a_version_info_proves_nothing_about_names(server: Server, sotw: Sotw) -> None:
    """The version doesn't say for which names it was given: what is named is sent."""
    server.commit(resource(Type.ROUTE, "r"))
    await sotw.ask(Type.ROUTE, "r")
    await sotw.take()
    async with SotwClient(server.address) as client:
        again = Conversation(client, said_in_sotw)
        await client.subscribe(Type.ROUTE, "r", version=sotw.last.version_info)
        assert await again.take() == {"r": "1"}


async def test_a_nonce_does_not_survive_its_stream(
    server: Server, sotw: Sotw, sotw_client: SotwClient
) -> None:
    """On a stream's first request it means nothing, and the request is answered."""
    server.commit(resource(Type.CLUSTER, "a"))
    await sotw_client.request(Type.CLUSTER, nonce="of an earlier stream")
    assert await sotw.take() == {"a": "1"}
