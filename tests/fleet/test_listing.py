"""The connected Envoys, one line each."""

import pytest

from tests.support.talk import cluster
from xds.catalog.types import Type
from xds.discovery.hub import Hub
from xds.discovery.request import Node, Request
from xds.discovery.stream import Peer, Stream
from xds.fleet.listing import Envoy, envoys


def opened(hub: Hub, id_: str = "e", gateway: str = "edge") -> Stream:
    """An Envoy that asks for all clusters."""
    stream = hub.open(gateway, Node(id_, "c", version=(1, 36, 2)))
    stream.peer = Peer("10.0.0.7", 12.0)
    stream.receive(Request(Type.CLUSTER, subscribe=("*",)))
    return stream


def answer(stream: Stream, error: str | None = None) -> None:
    """Answer the next message."""
    sent = stream.next_answer()
    assert sent is not None
    stream.receive(Request(sent.type, nonce=sent.nonce, error=error))


def counts(hub: Hub) -> tuple[bool, int, int, int]:
    """In sync, applied, waiting, rejected, of the only one."""
    (envoy,) = envoys(hub, hub.catalogs)
    return envoy.in_sync, envoy.applied, envoy.waiting, envoy.rejected


def test_an_envoy_says_who_it_is_and_where_it_comes_from() -> None:
    """All on one line."""
    hub = Hub(["edge"])
    hub.commit("edge", [cluster("a", "1")])
    answer(opened(hub))
    (envoy,) = envoys(hub, ["edge"])
    assert envoy == Envoy("e", "c", "edge", "1.36.2", "10.0.0.7", "delta", 12.0, True, 1, 0, 0, ())  # noqa: FBT003


def test_resources_are_counted_as_they_arrive() -> None:
    """Waiting, then applied."""
    hub = Hub(["edge"])
    hub.commit("edge", [cluster("a", "1"), cluster("b", "1")])
    stream = opened(hub)
    assert counts(hub) == (False, 0, 2, 0)
    answer(stream)
    assert counts(hub) == (True, 2, 0, 0)
    hub.commit("edge", [cluster("a", "2")])
    assert counts(hub) == (False, 1, 1, 0)
    hub.commit("edge", [], [(Type.CLUSTER, "b")])
    assert counts(hub) == (False, 0, 2, 0)


def test_what_is_refused_is_counted_and_told() -> None:
    """The others are applied; it is not in sync with what it refuses."""
    hub = Hub(["edge"])
    hub.commit("edge", [cluster("a", "1"), cluster("b", "1")])
    stream = opened(hub)
    answer(stream)
    hub.commit("edge", [cluster("a", "2")])
    answer(stream, "no such thing")
    assert counts(hub) == (False, 1, 0, 1)
    (envoy,) = envoys(hub, ["edge"])
    assert envoy.rejections == ("Cluster a: no such thing",)


def test_an_envoy_with_a_stream_for_each_type_has_one_line() -> None:
    """Its resources are added up."""
    hub = Hub(["edge"])
    hub.commit("edge", [cluster("a", "1")])
    for _ in range(2):
        answer(opened(hub))
    assert counts(hub) == (True, 2, 0, 0)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages_together_are_everybody(size: int) -> None:
    """By gateway and id."""
    hub = Hub(["edge", "inner"])
    for gateway in ("inner", "edge"):
        for id_ in ("b", "a"):
            opened(hub, id_, gateway)
    seen: list[tuple[str, str]] = []
    while page := [
        (each.gateway, each.id) for each in envoys(hub, ["edge", "inner"], seen[-1] if seen else None, size)
    ]:
        seen += page
    assert seen == [("edge", "a"), ("edge", "b"), ("inner", "a"), ("inner", "b")]


def test_only_names_that_there_are_count_as_applied() -> None:
    """One that nobody knows is neither applied nor waited for."""
    hub = Hub(["edge"])
    hub.commit("edge", [cluster("a", "1")])
    stream = hub.open("edge", Node("e"))
    stream.receive(Request(Type.CLUSTER, subscribe=("a", "nowhere")))
    answer(stream)
    assert counts(hub) == (True, 1, 0, 0)


def test_an_envoy_with_somebodys_older_routes_is_not_in_sync() -> None:
    """It acknowledged all it was sent, and refuses routes all the same; those being tried are not told."""
    hub = Hub(["edge"])
    hub.commit("edge", [cluster("a", "1")])
    answer(opened(hub))
    hub.holds = lambda _: {"chat": "bad rewrite", "tried": ""}
    assert counts(hub) == (False, 1, 0, 1)
    (envoy,) = envoys(hub, ["edge"])
    assert envoy.rejections == ("routes of chat: bad rewrite",)
