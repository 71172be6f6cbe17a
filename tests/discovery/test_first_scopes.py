"""Scopes: an Envoy that was told of some thinks that it knows all."""

from tests.support.talk import Talk, cluster
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery.hub import Hub, Target
from xds.discovery.order import GRACE
from xds.discovery.request import Node, Request


def scope(name: str, *clusters: str, size: int = 1) -> Resource:
    """A scope that names clusters."""
    return Resource(Type.SCOPED_ROUTE, name, "1", b"." * size, frozenset(clusters))


def test_the_first_scopes_wait_for_all_clusters() -> None:
    """None is sent while one of them can't be: without it its host would not be found."""
    talk = Talk(cluster("a"), scope("x"), scope("y", "a"))
    talk.ask(Type.CLUSTER)
    clusters = talk.stream.next_answer()
    talk.ask(Type.SCOPED_ROUTE)
    assert talk.hear() is None
    talk.ack(clusters)
    assert talk.take() == {"x": "1", "y": "1"}


def test_the_first_scopes_wait_as_long_as_clusters_are_taken_in() -> None:
    """However long that takes in all; a peer that falls silent is not waited for longer than the grace."""
    moment = 0.0
    hub = Hub(["g"], lambda: moment)
    large = [Resource(Type.CLUSTER, name, "1", b"." * 900_000) for name in "abc"]
    hub.commit("g", [*large, scope("x"), scope("y", "a")])
    stream = hub.open("g", Node())
    stream.receive(Request(Type.CLUSTER))
    stream.receive(Request(Type.SCOPED_ROUTE))
    for moment in (8.0, 16.0):  # noqa: B007 (the clock reads it)
        clusters = stream.next_answer()
        assert clusters is not None
        stream.receive(Request(Type.CLUSTER, nonce=clusters.nonce))
    assert [answer and answer.type for answer in (stream.next_answer(), stream.next_answer())] == [
        Type.CLUSTER,
        None,
    ]
    assert stream.next_deadline() == 16.0 + GRACE
    moment = 16.0 + GRACE
    scopes = stream.next_answer()
    assert scopes is not None
    assert [item.name for item in scopes.items] == ["x", "y"]


def test_later_scopes_only_wait_for_their_own_clusters() -> None:
    """A new cluster that is not answered yet holds up nobody else's routes."""
    talk = Talk(cluster("a"), scope("x", "a"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.ask(Type.SCOPED_ROUTE)
    talk.take()
    talk.commit(cluster("b"), scope("y", "b"), scope("z", "a"))
    assert talk.hear() == {"b": "1"}
    clusters = talk.last
    assert talk.take() == {"z": "1"}
    talk.ack(clusters)
    assert talk.take() == {"y": "1"}


def test_the_first_scopes_are_one_message() -> None:
    """However long; what comes later is split as usual."""
    talk = Talk(*(scope(f"x{number}", size=400_000) for number in range(6)))
    talk.ask(Type.SCOPED_ROUTE)
    said = talk.take()
    assert said is not None
    assert len(said) == 6
    talk.commit(*(scope(f"y{number}", size=400_000) for number in range(6)))
    said = talk.take()
    assert said is not None
    assert len(said) == 2


def test_scopes_of_another_mode_are_left_to_who_has_them() -> None:
    """It still serves the connections with them that it drains."""
    talk = Talk(cluster("a"))
    talk.hub.call_foreign(Target("g"), frozenset({Type.SCOPED_ROUTE}))
    talk.ask(Type.SCOPED_ROUTE, known={"x": "1"})
    assert talk.hear() is None
    assert talk.stream.in_sync


def test_who_has_no_scopes_hears_that_there_are_none() -> None:
    """A listener of people's own waits for that."""
    talk = Talk()
    talk.hub.call_foreign(Target("g"), frozenset({Type.SCOPED_ROUTE}))
    talk.ask(Type.SCOPED_ROUTE)
    assert talk.take() == {}


def test_a_scope_that_is_gone_is_taken_back() -> None:
    """The last one too, where the gateway is scoped."""
    talk = Talk()
    talk.stream = talk.hub.open("g", Node())
    talk.stream.receive(Request(Type.SCOPED_ROUTE, known={"x": "1"}))
    assert talk.take() == {"x": None}
