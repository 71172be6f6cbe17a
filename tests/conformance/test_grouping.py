"""What one answer holds: whole sets, only what is new, parts of what is too large."""

import pytest

from tests.conformance.conftest import Delta, Sotw
from tests.conformance.server import Server, resource
from xds.catalog.types import Type


def large(name: str) -> bytes:
    """Bytes of 600 KB that still say the name and version."""
    return f"{name}=1".encode() + b"." * 600_000


@pytest.mark.parametrize("type_", [Type.CLUSTER, Type.LISTENER])
async def test_clusters_and_listeners_come_whole(server: Server, sotw: Sotw, type_: Type) -> None:
    """Every answer has all there is; what is absent is gone; an empty one removes the last."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await sotw.ask(type_)
    await sotw.take()
    server.commit(resource(type_, "a", "2"))
    assert await sotw.take() == {"a": "2", "b": "1"}
    server.commit(gone=[(type_, "a")])
    assert await sotw.take() == {"b": "1"}
    server.commit(gone=[(type_, "b")])
    assert await sotw.take() == {}


async def test_named_clusters_come_whole(server: Server, sotw: Sotw) -> None:
    """Of what the peer named, all: a change of one repeats the other."""
    server.commit(*(resource(Type.CLUSTER, name) for name in "abc"))
    await sotw.ask(Type.CLUSTER, "a", "b")
    await sotw.take()
    server.commit(resource(Type.CLUSTER, "a", "2"))
    assert await sotw.take() == {"a": "2", "b": "1"}


@pytest.mark.parametrize("type_", [Type.ENDPOINT, Type.ROUTE, Type.SECRET, Type.RUNTIME])
async def test_other_types_bring_only_what_is_new(server: Server, sotw: Sotw, type_: Type) -> None:
    """Absence says nothing there, and a removal can't be said at all."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await sotw.ask(type_, "a", "b")
    await sotw.take()
    server.commit(resource(type_, "a", "2"))
    assert await sotw.take() == {"a": "2"}
    server.commit(gone=[(type_, "b")])
    await sotw.quiet()
    server.commit(resource(type_, "b"))
    assert await sotw.take() == {"b": "1"}


@pytest.mark.parametrize("type_", [Type.CLUSTER, Type.LISTENER, Type.ROUTE])
async def test_incremental_answers_bring_only_what_changed(server: Server, delta: Delta, type_: Type) -> None:
    """And name what is gone."""
    server.commit(resource(type_, "a"), resource(type_, "b"))
    await delta.ask(Type.CLUSTER, "*")
    await delta.take()
    if type_ != Type.CLUSTER:
        await delta.ask(type_, "*")
        await delta.take()
    server.commit(resource(type_, "a", "2"))
    assert await delta.take() == {"a": "2"}
    server.commit(gone=[(type_, "b")])
    assert await delta.take() == {"b": None}


async def test_a_large_answer_is_split(server: Server, delta: Delta) -> None:
    """At about 1 MB; each part waits for the one before to be acknowledged, each resource comes once."""
    names = [f"c{number}" for number in range(5)]
    server.commit(*(resource(Type.CLUSTER, name, body=large(name)) for name in names))
    await delta.ask(Type.CLUSTER)
    heard: list[str] = []
    parts = []
    while len(heard) < len(names):
        heard += await delta.hear(Type.CLUSTER)
        parts.append(delta.last)
        await delta.quiet()
        await delta.ack(delta.last)
    assert sorted(heard) == names
    assert all(part.ByteSize() < 1_100_000 for part in parts)
    assert len({part.nonce for part in parts}) == len(parts) == 5
    await delta.quiet()


async def test_state_of_the_world_is_never_split(server: Server, sotw: Sotw) -> None:
    """A part would say that the rest is gone."""
    server.commit(*(resource(Type.CLUSTER, name, body=large(name)) for name in "abc"))
    await sotw.ask(Type.CLUSTER)
    assert await sotw.take() == {"a": "1", "b": "1", "c": "1"}
