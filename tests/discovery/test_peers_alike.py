"""Peers that nothing sets apart are sent the very same bytes, made once; who is set apart gets its own."""

import sys

import pytest

from tests.support.counting import Calls, Counting
from tests.support.talk import Talk, cluster, route
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery import delta, sotw
from xds.discovery.dialect import STATE_OF_THE_WORLD
from xds.discovery.request import Node, Request
from xds.discovery.stream import Stream

MANY = 300


def endpoints(name: str, version: str = "1") -> Resource:
    """The endpoints of a cluster."""
    return Resource(Type.ENDPOINT, name, version, b".")


def connected(talk: Talk, names: tuple[str, ...]) -> list[int]:
    """A new peer that takes all clusters and asks for their endpoints; which bytes it was sent."""
    stream = talk.hub.open("g", Node())
    stream.receive(Request(Type.CLUSTER))
    sent = taken(stream)
    stream.receive(Request(Type.ENDPOINT, subscribe=names))
    return sent + taken(stream)


def taken(stream: Stream) -> list[int]:
    """The identities of the bytes that a stream is sent now; all is acknowledged."""
    sent = []
    while (answer := stream.next_answer()) is not None:
        sent.append(id(delta.encode(answer)))
        stream.receive(Request(answer.type, nonce=answer.nonce))
    assert stream.in_sync
    return sent


def filled(count: int) -> tuple[Talk, tuple[str, ...]]:
    """A server with so many clusters and their endpoints, and what they are called."""
    names = tuple(f"c{number}" for number in range(count))
    return Talk(*map(cluster, names), *map(endpoints, names)), names


def test_all_who_connect_are_sent_the_same_bytes() -> None:
    """Clusters by wildcard, and endpoints by their names, in whatever order they are asked for."""
    talk, names = filled(MANY)
    first = connected(talk, names)
    assert first == connected(talk, names[::-1])
    assert len(first) == 2


def cost_of_connecting(count: int) -> Calls:
    """What is called when one more peer connects."""
    talk, names = filled(count)
    connected(talk, names)
    with Counting() as calls:
        connected(talk, names)
    return calls


def test_one_more_who_connects_costs_the_same_among_many_resources() -> None:
    """Nothing is done for each resource."""
    assert cost_of_connecting(MANY) == cost_of_connecting(10 * MANY)


def cost_of_reconnecting(count: int) -> Calls:
    """What is called when a peer comes back that has everything."""
    talk, names = filled(count)
    stream = talk.hub.open("g", Node())
    with Counting() as calls:
        for type_, wanted in ((Type.CLUSTER, ("*",)), (Type.ENDPOINT, names)):
            known = dict.fromkeys(names, "1")
            stream.receive(Request(type_, subscribe=wanted, known=known))
        assert stream.next_answer() is None
    assert stream.in_sync
    return calls


def test_who_comes_back_with_everything_costs_the_same_among_many_resources() -> None:
    """Nothing is done for each resource, and nothing is said."""
    assert cost_of_reconnecting(MANY) == cost_of_reconnecting(10 * MANY)


def test_a_change_in_the_middle_of_a_first_answer_is_in_what_follows() -> None:
    """What was not sent yet is sent as it is by then, what was sent is sent again: each once."""
    big = [Resource(Type.CLUSTER, f"c{number}", "1", b"." * 600_000) for number in range(3)]
    talk = Talk(*big)
    talk.ask(Type.CLUSTER, "*")
    heard = [talk.take()]
    talk.commit(*(Resource(Type.CLUSTER, f"c{number}", "2", b"." * 600_000) for number in (0, 2)))
    while (said := talk.take()) is not None:
        heard.append(said)
    assert heard == [{"c0": "1"}, {"c1": "1"}, {"c2": "2"}, {"c0": "2"}]


def test_what_comes_in_the_middle_of_a_first_answer_is_not_forgotten() -> None:
    """Nor what goes: it is not sent at all."""
    big = [Resource(Type.CLUSTER, f"c{number}", "1", b"." * 600_000) for number in range(3)]
    talk = Talk(*big)
    talk.ask(Type.CLUSTER, "*")
    said = [talk.take()]
    talk.commit(cluster("new"), gone=[(Type.CLUSTER, "c2")])
    while (more := talk.take()) is not None:
        said.append(more)
    assert sorted(name for each in said for name in each or ()) == ["c0", "c1", "new"]


def test_who_refuses_a_first_answer_finds_the_offender() -> None:
    """From then on it is looked at by itself; the rest of what it is owed comes all the same."""
    talk, _ = filled(MANY)
    talk.ask(Type.CLUSTER, "*")
    held: set[str] = set()
    while (said := talk.hear()) is not None:
        if "c7" in said:
            talk.nack()
        else:
            held |= said.keys()
            talk.ack()
    assert held == {f"c{number}" for number in range(MANY)} - {"c7"}


def test_a_long_first_answer_of_routes_waits_for_the_clusters() -> None:
    """Until those are acknowledged; then it goes as one."""
    names = tuple(f"c{number}" for number in range(MANY))
    scopes = [Resource(Type.SCOPED_ROUTE, name, "1", b".", frozenset({name})) for name in names]
    talk = Talk(*map(cluster, names), *scopes)
    talk.ask(Type.CLUSTER, "*")
    clusters = talk.hear()
    answer = talk.last
    talk.ask(Type.SCOPED_ROUTE, "*")
    assert (len(clusters or ()), talk.hear()) == (MANY, None)
    talk.ack(answer)
    assert len(talk.hear() or ()) == MANY


@pytest.mark.parametrize("first", [True, False])
def test_a_short_push_of_routes_does_not_wait_for_clusters_of_others(first: bool) -> None:  # noqa: FBT001
    """A route goes as soon as its own clusters are there, whatever else is in flight."""
    talk = Talk(cluster("a"), cluster("b"), route("r", "a"))
    talk.ask(Type.CLUSTER, "*")
    talk.take()
    talk.ask(Type.ROUTE, "r")
    talk.take()
    talk.commit(cluster("c"), *([cluster("b", "2")] if first else []))
    talk.hear()
    talk.commit(route("r", "a", version="2"))
    assert talk.hear() == {"r": "2"}


def room_of(count: int) -> int:
    """Bytes that a peer's clusters and endpoints take up, when it has so many of them."""
    talk, names = filled(count)
    talk.ask(Type.CLUSTER, "*")
    talk.take()
    talk.ask(Type.ENDPOINT, *names)
    talk.take()
    assert talk.stream.in_sync
    watches = talk.stream.watches.values()
    return sum(
        sys.getsizeof(each) for watch in watches for each in (watch.owed, watch.unsure, watch.in_flight)
    )


def test_who_has_everything_takes_up_the_same_room_however_much_that_is() -> None:
    """What was needed to know what it lacked is given back."""
    assert room_of(10) == room_of(10 * MANY)


def test_what_changed_since_a_list_was_forgotten_is_sent() -> None:
    """Only so many lists are kept; a peer may be halfway through one that is not."""
    names = tuple(f"c{number:03}" for number in range(20))
    large = [Resource(Type.ENDPOINT, name, "1", b"." * 90_000) for name in names]
    talk = Talk(*large)
    other = talk.hub.open("g", Node())
    other.receive(Request(Type.ENDPOINT, subscribe=names))
    assert len(taken(other)) == 2
    talk.ask(Type.ENDPOINT, *names)
    first = talk.hear()
    answer = talk.last
    for number in range(40):
        talk.hub.catalogs["g"].batches(Type.ENDPOINT, frozenset({f"other{number}"}), 1_000_000)
    talk.commit(Resource(Type.ENDPOINT, names[-1], "2", b"."))
    talk.ack(answer)
    assert names[-1] not in (first or {})
    assert (talk.take() or {})[names[-1]] == "2"


def test_another_subscription_of_the_same_names_keeps_the_batch() -> None:
    """In state-of-the-world each request says all names again; that gives none of them up."""
    talk, _ = filled(3)
    talk.stream = talk.hub.open("g", Node(), STATE_OF_THE_WORLD)
    names = ("c0", "c1")
    sotw.receive(talk.stream, sotw.StateRequest(Type.ENDPOINT, names=names))
    talk.hear()
    talk.commit(endpoints("c0", "2"))
    assert talk.last is not None
    answered = sotw.StateRequest(Type.ENDPOINT, names=names, nonce=talk.last.nonce)
    talk.commit(endpoints("c0", "3"))
    sotw.receive(talk.stream, answered)
    talk.hear()
    talk.commit(endpoints("c1", "2"))
    assert talk.last is not None
    sotw.receive(talk.stream, sotw.StateRequest(Type.ENDPOINT, names=names, nonce=talk.last.nonce))
    assert talk.hear() == {"c1": "2"}
    assert talk.last is not None
    assert talk.last.batch is not None
