"""Asking for everything: the legacy wildcard, the explicit one, and both with names."""

import pytest

from tests.conformance.conftest import Delta, Sotw
from tests.conformance.conversation import AnyConversation
from tests.conformance.server import Server, resource
from xds.catalog.types import Type


@pytest.mark.parametrize("type_", [Type.CLUSTER, Type.LISTENER])
async def test_legacy_wildcard(server: Server, talk: AnyConversation, type_: Type) -> None:
    """A peer that never named a cluster or listener wants all of them, later ones too."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await talk.ask(type_)
    assert await talk.take(type_) == {"a": "1", "b": "1"}
    server.commit(resource(type_, "c"))
    assert (await talk.take(type_))["c"] == "1"


async def test_no_legacy_wildcard_for_other_types(server: Server, talk: AnyConversation) -> None:
    """An empty request for routes asks for nothing."""
    server.commit(resource(Type.ROUTE, "r"))
    await talk.ask(Type.ROUTE)
    await talk.quiet()


async def test_wildcard_is_answered_even_when_there_is_nothing(talk: AnyConversation) -> None:
    """The first request is answered with an empty set: the peer waits for it before it is ready."""
    await talk.ask(Type.CLUSTER)
    assert await talk.take(Type.CLUSTER) == {}
    await talk.quiet()


@pytest.mark.parametrize("type_", [Type.CLUSTER, Type.ROUTE, Type.ENDPOINT])
async def test_explicit_wildcard(server: Server, talk: AnyConversation, type_: Type) -> None:
    """The name `*` asks for everything of a type."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await talk.ask(type_, "*")
    assert await talk.take() == {"a": "1", "b": "1"}


async def test_explicit_wildcard_with_names(server: Server, talk: AnyConversation) -> None:
    """`*` and a name in one request: everything, each resource once."""
    server.commit(resource(Type.CLUSTER, "a"), resource(Type.CLUSTER, "b"))
    await talk.ask(Type.CLUSTER, "*", "a")
    assert await talk.take() == {"a": "1", "b": "1"}


async def test_incremental_wildcard_life(server: Server, delta: Delta) -> None:
    """Nothing named: all. A name added: all still. `*` dropped: the name. The name dropped: nothing."""
    server.commit(resource(Type.CLUSTER, "a"), resource(Type.CLUSTER, "b"))
    await delta.ask(Type.CLUSTER)
    assert await delta.take() == {"a": "1", "b": "1"}
    await delta.ask(Type.CLUSTER, "a")
    assert await delta.take() == {"a": "1"}
    server.commit(resource(Type.CLUSTER, "b", "2"))
    assert await delta.take() == {"b": "2"}
    await delta.drop(Type.CLUSTER, "*")
    await delta.quiet()
    server.commit(resource(Type.CLUSTER, "a", "3"), resource(Type.CLUSTER, "b", "3"))
    assert await delta.take() == {"a": "3"}
    await delta.drop(Type.CLUSTER, "a")
    await delta.quiet()
    server.commit(resource(Type.CLUSTER, "a", "4"), resource(Type.CLUSTER, "b", "4"))
    await delta.quiet()


async def test_state_of_the_world_wildcard_life(server: Server, sotw: Sotw) -> None:
    """Nothing named: all. `*` and a name: all. The name alone: only that. Nothing again: nothing."""
    server.commit(resource(Type.CLUSTER, "a"), resource(Type.CLUSTER, "b"))
    await sotw.ask(Type.CLUSTER)
    assert await sotw.take() == {"a": "1", "b": "1"}
    await sotw.ask(Type.CLUSTER, "*", "a")
    assert await sotw.take() == {"a": "1", "b": "1"}
    await sotw.drop(Type.CLUSTER, "*")
    await sotw.quiet()
    server.commit(resource(Type.CLUSTER, "a", "2"), resource(Type.CLUSTER, "b", "2"))
    assert await sotw.take() == {"a": "2"}
    await sotw.drop(Type.CLUSTER, "a")
    await sotw.quiet()
    server.commit(resource(Type.CLUSTER, "a", "3"), resource(Type.CLUSTER, "b", "3"))
    await sotw.quiet()


async def test_legacy_wildcard_is_kept_by_empty_acknowledgements(server: Server, sotw: Sotw) -> None:
    """As long as a peer has named nothing, empty requests go on asking for everything."""
    server.commit(resource(Type.CLUSTER, "a"))
    await sotw.ask(Type.CLUSTER)
    await sotw.take()
    await sotw.ask(Type.CLUSTER)
    await sotw.quiet()
    server.commit(resource(Type.CLUSTER, "b"))
    assert await sotw.take() == {"a": "1", "b": "1"}


async def test_an_explicit_wildcard_ends_the_legacy_one(server: Server, sotw: Sotw) -> None:
    """Who has named `*` once and then names nothing wants nothing."""
    server.commit(resource(Type.CLUSTER, "a"))
    await sotw.ask(Type.CLUSTER, "*")
    await sotw.take()
    await sotw.drop(Type.CLUSTER, "*")
    await sotw.quiet()
    server.commit(resource(Type.CLUSTER, "a", "2"))
    await sotw.quiet()


async def test_the_explicit_wildcard_outlives_a_legacy_beginning(server: Server, sotw: Sotw) -> None:
    """Nothing, then `*`, then nothing: the legacy reading is not available any more."""
    server.commit(resource(Type.CLUSTER, "a"))
    await sotw.ask(Type.CLUSTER)
    await sotw.take()
    await sotw.ask(Type.CLUSTER, "*")
    await sotw.quiet()
    await sotw.drop(Type.CLUSTER, "*")
    await sotw.quiet()
    server.commit(resource(Type.CLUSTER, "a", "2"))
    await sotw.quiet()


async def test_a_first_request_that_only_unsubscribes_is_no_wildcard(server: Server, delta: Delta) -> None:
    """The legacy wildcard has neither names nor dropped names."""
    server.commit(resource(Type.CLUSTER, "a"))
    await delta.drop(Type.CLUSTER, "a")
    await delta.quiet()
