"""Make before break: in which order answers go out, and what waits for what."""

import pytest

from tests.conformance.conftest import Delta, Sotw
from tests.conformance.conversation import AnyConversation, Conversation, said_in_delta, said_in_sotw
from tests.conformance.server import Server, resource
from tests.support.delta import DeltaClient
from tests.support.sotw import SotwClient
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery import order

CLUSTERS = "/envoy.service.cluster.v3.ClusterDiscoveryService/"


def cluster(name: str, version: str = "1") -> Resource:
    """A cluster."""
    return resource(Type.CLUSTER, name, version)


def route(version: str, *clusters: str) -> Resource:
    """The route configuration `r`."""
    return resource(Type.ROUTE, "r", version, *clusters)


async def in_sync(server: Server, talk: AnyConversation) -> None:
    """An Envoy with one cluster, its endpoints, a listener and a route to the cluster."""
    server.commit(cluster("a"), resource(Type.ENDPOINT, "a"), resource(Type.LISTENER, "l"), route("1", "a"))
    for type_, names in (
        (Type.CLUSTER, ()),
        (Type.ENDPOINT, ("a",)),
        (Type.LISTENER, ()),
        (Type.ROUTE, ("r",)),
    ):
        await talk.ask(type_, *names)
        await talk.take(type_)


async def test_what_is_named_before_what_names_it(server: Server, talk: AnyConversation) -> None:
    """Clusters, endpoints, listeners, routes: one change of everything goes out in this order."""
    await in_sync(server, talk)
    server.commit(
        resource(Type.LISTENER, "l", "2"),
        route("2", "a"),
        resource(Type.ENDPOINT, "a", "2"),
        cluster("a", "2"),
    )
    for type_ in (Type.CLUSTER, Type.ENDPOINT, Type.LISTENER, Type.ROUTE):
        await talk.hear(type_)


async def test_a_route_waits_for_its_new_cluster(server: Server, talk: AnyConversation) -> None:
    """Until the cluster was acknowledged; nobody is routed to what is not there."""
    await in_sync(server, talk)
    server.commit(cluster("b"), route("2", "a", "b"))
    await talk.hear(Type.CLUSTER)
    await talk.quiet()
    await talk.ack()
    assert await talk.take(Type.ROUTE) == {"r": "2"}


async def test_a_route_does_not_follow_a_refused_cluster(server: Server, talk: AnyConversation) -> None:
    """It stays as it was, until the cluster is mended."""
    await in_sync(server, talk)
    server.commit(cluster("b"), route("2", "b"))
    await talk.hear(Type.CLUSTER)
    await talk.nack()
    await talk.quiet()
    server.commit(cluster("b", "2"))
    await talk.take(Type.CLUSTER)
    assert await talk.take(Type.ROUTE) == {"r": "2"}


async def test_endpoints_never_wait(server: Server, talk: AnyConversation) -> None:
    """A cluster is acknowledged only after its endpoints: they go out beside it."""
    await in_sync(server, talk)
    server.commit(cluster("a", "2"), resource(Type.ENDPOINT, "a", "2"))
    await talk.hear(Type.CLUSTER)
    assert await talk.hear(Type.ENDPOINT) == {"a": "2"}


async def test_a_new_cluster_is_warmed(server: Server, talk: AnyConversation) -> None:
    """Its endpoints are answered while its own acknowledgement is still missing."""
    await in_sync(server, talk)
    server.commit(cluster("b"), resource(Type.ENDPOINT, "b"))
    await talk.hear(Type.CLUSTER)
    await talk.ask(Type.ENDPOINT, "b")
    assert (await talk.take(Type.ENDPOINT))["b"] == "1"


async def test_a_newly_named_route_is_answered_at_once(server: Server, talk: AnyConversation) -> None:
    """The peer's listener is warming: a gate there would be a deadlock."""
    server.commit(cluster("a"), resource(Type.LISTENER, "l"), route("1", "a"))
    await talk.ask(Type.LISTENER)
    await talk.take(Type.LISTENER)
    await talk.ask(Type.ROUTE, "r")
    assert await talk.take(Type.ROUTE) == {"r": "1"}


async def test_a_cluster_goes_after_the_route_that_named_it(server: Server, delta: Delta) -> None:
    """Incremental: its removal waits for the new route's acknowledgement."""
    await in_sync(server, delta)
    server.commit(cluster("b"))
    await delta.take(Type.CLUSTER)
    server.commit(route("2", "b"), gone=[(Type.CLUSTER, "a")])
    await delta.hear(Type.ROUTE)
    await delta.quiet()
    await delta.ack()
    assert await delta.take(Type.CLUSTER) == {"a": None}


async def test_clusters_old_and_new_then_routes_then_only_the_new(server: Server, sotw: Sotw) -> None:
    """State-of-the-world: a set without the old cluster goes out last."""
    await in_sync(server, sotw)
    server.commit(cluster("b"), route("2", "b"), gone=[(Type.CLUSTER, "a")])
    assert await sotw.take(Type.CLUSTER) == {"a": "1", "b": "1"}
    assert await sotw.hear(Type.ROUTE) == {"r": "2"}
    await sotw.quiet()
    await sotw.ack()
    assert await sotw.take(Type.CLUSTER) == {"b": "1"}


async def test_who_asks_by_name_finds_the_way_alone(server: Server, talk: AnyConversation) -> None:
    """A client that names its clusters and listeners has no gates: they would deadlock it."""
    server.commit(resource(Type.LISTENER, "l"), route("1"))
    await talk.ask(Type.LISTENER, "l")
    await talk.take()
    await talk.ask(Type.ROUTE, "r")
    await talk.take()
    server.commit(cluster("a"), route("2", "a"))
    assert await talk.take(Type.ROUTE) == {"r": "2"}
    await talk.ask(Type.CLUSTER, "a")
    assert await talk.take(Type.CLUSTER) == {"a": "1"}


async def test_a_removal_by_name_waits_a_grace(server: Server, talk: AnyConversation) -> None:
    """Without gates, a fixed time is what keeps a cluster until the routes have moved."""
    server.commit(cluster("a"), cluster("b"))
    await talk.ask(Type.CLUSTER, "a", "b")
    await talk.take()
    server.commit(gone=[(Type.CLUSTER, "a")])
    server.advance(order.GRACE - 1)
    await talk.quiet()
    server.advance(1.5)
    assert (await talk.take(Type.CLUSTER)).get("a") is None
    await talk.quiet()


async def test_what_is_back_within_the_grace_was_never_gone(server: Server, talk: AnyConversation) -> None:
    """Nothing is said at all."""
    server.commit(cluster("a"), cluster("b"))
    await talk.ask(Type.CLUSTER, "a", "b")
    await talk.take()
    server.commit(gone=[(Type.CLUSTER, "a")])
    await talk.quiet()
    server.commit(cluster("a"))
    server.advance(order.GRACE + 1)
    await talk.quiet()


async def test_the_end_of_a_grace_wakes_the_stream(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a stream of one type, with nothing else going on."""
    monkeypatch.setattr(order, "GRACE", 0.3)
    server.commit(cluster("a"), cluster("b"))
    async with DeltaClient(server.address, method=CLUSTERS + "DeltaClusters") as client:
        talk = Conversation(client, said_in_delta)
        await talk.ask(Type.CLUSTER)
        await talk.take()
        server.commit(gone=[(Type.CLUSTER, "a")])
        assert await talk.take() == {"a": None}


async def test_a_stream_of_one_type_knows_no_routes(server: Server) -> None:
    """So there too removals wait a grace, in a wildcard as well."""
    server.commit(cluster("a"), cluster("b"))
    async with SotwClient(server.address, method=CLUSTERS + "StreamClusters") as client:
        talk = Conversation(client, said_in_sotw)
        await talk.ask(Type.CLUSTER)
        await talk.take()
        server.commit(gone=[(Type.CLUSTER, "a")])
        server.commit(cluster("b", "2"))
        assert await talk.take() == {"a": "1", "b": "2"}
        server.advance(order.GRACE + 1)
        assert await talk.take() == {"b": "2"}
