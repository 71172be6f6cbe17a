"""Asking by name: what is sent, what is not there, what is no longer wanted."""

import pytest

from tests.conformance.conftest import Delta, Sotw
from tests.conformance.conversation import AnyConversation
from tests.conformance.server import Server, resource
from xds.catalog.types import Type

ANY = [Type.CLUSTER, Type.ENDPOINT, Type.LISTENER, Type.ROUTE, Type.SECRET]


@pytest.mark.parametrize("type_", ANY)
async def test_only_what_is_named(server: Server, talk: AnyConversation, type_: Type) -> None:
    """Nothing else of the type is sent, then or later."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await talk.ask(type_, "a")
    assert await talk.take() == {"a": "1"}
    server.commit(resource(type_, "b", "2"))
    await talk.quiet()


@pytest.mark.parametrize("type_", ANY)
async def test_a_name_more(server: Server, talk: AnyConversation, type_: Type) -> None:
    """A name added is answered, though nothing changed."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await talk.ask(type_, "a")
    await talk.take()
    await talk.ask(type_, "b")
    assert (await talk.take())["b"] == "1"
    await talk.quiet()


@pytest.mark.parametrize("type_", [Type.ENDPOINT, Type.ROUTE])
async def test_a_name_more_sends_only_that(server: Server, talk: AnyConversation, type_: Type) -> None:
    """Where answers need not be whole, what the peer has is not repeated."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await talk.ask(type_, "a")
    await talk.take()
    await talk.ask(type_, "b")
    assert await talk.take() == {"b": "1"}


async def test_the_same_name_twice_in_a_request(server: Server, talk: AnyConversation) -> None:
    """One answer, with the resource in it once."""
    server.commit(resource(Type.ROUTE, "r"))
    await talk.ask(Type.ROUTE, "r", "r")
    assert await talk.take() == {"r": "1"}
    await talk.quiet()


async def test_asked_for_again_is_answered_again(server: Server, delta: Delta) -> None:
    """Incremental: the peer may have forgotten what the server thinks it has."""
    server.commit(resource(Type.ROUTE, "r"))
    for _ in range(3):
        await delta.ask(Type.ROUTE, "r")
        assert await delta.take() == {"r": "1"}
    await delta.quiet()


async def test_the_same_names_again_are_no_new_request(server: Server, sotw: Sotw) -> None:
    """State-of-the-world: every request repeats all names; only what was not among them is new."""
    server.commit(resource(Type.ROUTE, "r"))
    await sotw.ask(Type.ROUTE, "r")
    await sotw.take()
    await sotw.ask(Type.ROUTE, "r")
    await sotw.quiet()


async def test_dropped_and_asked_for_again(server: Server, talk: AnyConversation) -> None:
    """Answered, though it was sent before and has not changed since."""
    server.commit(resource(Type.ROUTE, "r"), resource(Type.ROUTE, "s"))
    await talk.ask(Type.ROUTE, "r", "s")
    await talk.take()
    await talk.drop(Type.ROUTE, "r")
    await talk.quiet()
    await talk.ask(Type.ROUTE, "r")
    assert await talk.take() == {"r": "1"}


async def test_what_does_not_exist_incremental(server: Server, delta: Delta) -> None:
    """Named in `removed_resources`, so that nobody waits; sent when it comes into being."""
    server.commit(resource(Type.ROUTE, "r"))
    await delta.ask(Type.ROUTE, "r", "later")
    assert await delta.take() == {"r": "1", "later": None}
    server.commit(resource(Type.ROUTE, "later"))
    assert await delta.take() == {"later": "1"}


@pytest.mark.parametrize("type_", [Type.CLUSTER, Type.ROUTE])
async def test_what_does_not_exist_state_of_the_world(server: Server, sotw: Sotw, type_: Type) -> None:
    """Absent from the answer; sent when it comes into being."""
    server.commit(resource(type_, "r"))
    await sotw.ask(type_, "r", "later")
    assert await sotw.take() == {"r": "1"}
    server.commit(resource(type_, "later"))
    assert (await sotw.take())["later"] == "1"


async def test_a_dropped_name_is_not_served(server: Server, talk: AnyConversation) -> None:
    """No answer to the dropping, and none to a change afterwards."""
    server.commit(resource(Type.ROUTE, "r"), resource(Type.ROUTE, "s"))
    await talk.ask(Type.ROUTE, "r", "s")
    await talk.take()
    await talk.drop(Type.ROUTE, "r")
    await talk.quiet()
    server.commit(resource(Type.ROUTE, "r", "2"), resource(Type.ROUTE, "s", "2"))
    assert await talk.take() == {"s": "2"}


async def test_all_names_dropped(server: Server, talk: AnyConversation) -> None:
    """The peer wants nothing of the type any more."""
    server.commit(resource(Type.ROUTE, "r"))
    await talk.ask(Type.ROUTE, "r")
    await talk.take()
    await talk.drop(Type.ROUTE, "r")
    await talk.quiet()
    server.commit(resource(Type.ROUTE, "r", "2"))
    await talk.quiet()


async def test_phantom_unsubscription(server: Server, delta: Delta) -> None:
    """Dropping what was never asked for does nothing."""
    server.commit(resource(Type.ROUTE, "r"))
    await delta.ask(Type.ROUTE, "r")
    await delta.take()
    await delta.drop(Type.ROUTE, "never", "*")
    await delta.quiet()
    server.commit(resource(Type.ROUTE, "r", "2"))
    assert await delta.take() == {"r": "2"}


async def test_dropped_under_a_wildcard_is_answered(server: Server, delta: Delta) -> None:
    """Sent where the wildcard covers it, named as removed where there is no such thing."""
    server.commit(resource(Type.CLUSTER, "a"))
    await delta.ask(Type.CLUSTER, "*", "a", "ghost")
    assert await delta.take() == {"a": "1", "ghost": None}
    await delta.drop(Type.CLUSTER, "a", "ghost")
    assert await delta.take() == {"a": "1", "ghost": None}
    server.commit(resource(Type.CLUSTER, "a", "2"))
    assert await delta.take() == {"a": "2"}


async def test_an_alias_is_a_name_nobody_has(server: Server, delta: Delta) -> None:
    """This server gives no aliases: only a resource's own name finds it, and answers carry that."""
    server.commit(resource(Type.VIRTUAL_HOST, "table/a.test"))
    await delta.ask(Type.VIRTUAL_HOST, "table/a.test", "table/alias.test")
    assert await delta.hear() == {"table/a.test": "1", "table/alias.test": None}
    assert not any(resource.aliases for resource in delta.last.resources)
