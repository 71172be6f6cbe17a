"""Incremental subscriptions, as the protocol's specification has them."""

from tests.support.talk import Talk, cluster, route
from xds.catalog.types import Type
from xds.discovery import sotw
from xds.discovery.dialect import STATE_OF_THE_WORLD
from xds.discovery.request import Node


def test_a_first_request_for_clusters_without_names_asks_for_all() -> None:
    """The legacy wildcard."""
    talk = Talk(cluster("a"), cluster("b"))
    talk.ask(Type.CLUSTER)
    assert talk.hear() == {"a": "1", "b": "1"}


def test_a_first_request_for_routes_without_names_asks_for_nothing() -> None:
    """Only clusters and listeners have the legacy wildcard."""
    talk = Talk(route("r"))
    talk.ask(Type.ROUTE)
    assert talk.hear() is None


def test_an_empty_catalog_is_answered_too() -> None:
    """The peer waits for a first answer before it is ready."""
    talk = Talk()
    talk.ask(Type.LISTENER)
    assert talk.hear() == {}


def test_an_explicit_wildcard_works_for_any_type() -> None:
    """`*` among the names."""
    talk = Talk(route("r"), route("s"))
    talk.ask(Type.ROUTE, "*")
    assert talk.hear() == {"r": "1", "s": "1"}


def test_a_name_that_is_not_there_is_answered_as_removed() -> None:
    """So that the peer need not wait."""
    talk = Talk()
    talk.ask(Type.ROUTE, "nobody")
    assert talk.take() == {"nobody": None}
    talk.commit(route("nobody"))
    assert talk.hear() == {"nobody": "1"}


def test_a_name_asked_for_again_is_answered_again() -> None:
    """Even if nothing changed."""
    talk = Talk(route("r"))
    talk.ask(Type.ROUTE, "r")
    assert talk.take() == {"r": "1"}
    talk.ask(Type.ROUTE, "r")
    assert talk.hear() == {"r": "1"}


def test_a_name_dropped_is_no_longer_served() -> None:
    """Changes of it are not sent."""
    talk = Talk(route("r"))
    talk.ask(Type.ROUTE, "r")
    talk.take()
    talk.drop(Type.ROUTE, "r")
    talk.commit(route("r", version="2"))
    assert talk.hear() is None


def test_a_name_dropped_under_a_wildcard_is_answered() -> None:
    """The peer can't know whether the wildcard still covers it."""
    talk = Talk(cluster("a"))
    talk.ask(Type.CLUSTER, "*", "a", "ghost")
    talk.take()
    talk.drop(Type.CLUSTER, "a", "ghost")
    assert talk.hear() == {"a": "1", "ghost": None}


def test_dropping_the_wildcard_keeps_the_names() -> None:
    """Only what was asked for by name goes on."""
    talk = Talk(cluster("a"), cluster("b"))
    talk.ask(Type.CLUSTER, "*", "a")
    talk.take()
    talk.drop(Type.CLUSTER, "*")
    talk.commit(cluster("a", "2"), cluster("b", "2"))
    assert talk.hear() == {"a": "2"}


def test_what_the_peer_proves_to_have_is_not_sent_again() -> None:
    """`initial_resource_versions`: only differences go out, removals among them."""
    talk = Talk(cluster("a"), cluster("b", "2"), cluster("c"))
    talk.ask(Type.CLUSTER, known={"a": "1", "b": "1", "gone": "1"})
    assert talk.hear() == {"b": "2", "c": "1", "gone": None}


def test_a_peer_that_has_everything_is_told_nothing() -> None:
    """Not even an empty answer."""
    talk = Talk(cluster("a"))
    talk.ask(Type.CLUSTER, known={"a": "1"})
    assert talk.hear() is None


def test_an_unknown_type_has_no_resources() -> None:
    """Names of it are answered as removed."""
    talk = Talk()
    talk.ask("type.googleapis.com/no.such.Type", "x")
    assert talk.hear() == {"x": None}


def test_a_stale_nonce_still_changes_the_subscription() -> None:
    """The acknowledgement says nothing, the names do."""
    talk = Talk(route("r"), route("s"))
    talk.ask(Type.ROUTE, "r")
    talk.take()
    assert talk.last is not None
    talk.ack(talk.last)
    assert talk.stream.counters.stale == 1
    talk.ask(Type.ROUTE, "s")
    assert talk.hear() == {"s": "1"}


def test_one_answer_a_type_is_awaited_at_a_time() -> None:
    """A change waits for its own type's acknowledgement, and for no other's."""
    talk = Talk(cluster("a"), route("r"))
    talk.ask(Type.CLUSTER)
    talk.hear()
    clusters = talk.last
    talk.ask(Type.ROUTE, "r")
    assert talk.take() == {"r": "1"}
    talk.commit(cluster("b"))
    assert talk.hear() is None
    talk.ack(clusters)
    assert talk.hear() == {"b": "1"}


def test_naming_more_with_the_last_nonce_is_not_stale() -> None:
    """State-of-the-world requests repeat it, whether it was acknowledged already or not."""
    talk = Talk(route("r"), route("s"))
    talk.stream = talk.hub.open("g", Node(), STATE_OF_THE_WORLD)
    sotw.receive(talk.stream, sotw.StateRequest(Type.ROUTE, names=("r",)))
    assert talk.take() == {"r": "1"}
    assert talk.last is not None
    sotw.receive(talk.stream, sotw.StateRequest(Type.ROUTE, names=("r", "s"), nonce=talk.last.nonce))
    assert talk.hear() == {"s": "1"}
    assert talk.stream.counters.stale == 0
