"""The order of answers: no route before its clusters, no cluster gone before its routes."""

from tests.support.talk import Talk, cluster, route
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery.dialect import STATE_OF_THE_WORLD
from xds.discovery.hub import Hub
from xds.discovery.order import GRACE
from xds.discovery.request import Node, Request

ENVOY = Node(version=(1, 40, 0))


def connected() -> Talk:
    """An Envoy in sync with one cluster and a route to it."""
    talk = Talk(cluster("a"), route("r", "a"))
    talk.ask(Type.CLUSTER)
    assert talk.take() == {"a": "1"}
    talk.ask(Type.ROUTE, "r")
    assert talk.take() == {"r": "1"}
    return talk


def test_a_changed_route_waits_until_its_new_cluster_is_acknowledged() -> None:
    """The route goes out only after the cluster's ACK."""
    talk = connected()
    talk.commit(cluster("b"), route("r", "a", "b", version="2"))
    assert talk.hear() == {"b": "1"}
    unanswered = talk.last
    assert talk.hear() is None
    talk.ack(unanswered)
    assert talk.take() == {"r": "2"}


def test_a_route_does_not_wait_for_an_update_of_a_cluster_the_peer_has() -> None:
    """Some version was acknowledged: that is enough."""
    talk = connected()
    talk.commit(cluster("a", "2"), route("r", "a", version="2"))
    assert [talk.hear(), talk.hear()] == [{"a": "2"}, {"r": "2"}]


def test_a_newly_asked_route_is_answered_at_once() -> None:
    """The peer waits for it, whatever it has said of clusters."""
    talk = Talk(cluster("a"), route("r", "a"))
    talk.ask(Type.LISTENER)
    talk.ask(Type.ROUTE, "r")
    assert [talk.hear(), talk.hear()] == [{}, {"r": "1"}]


def test_after_a_reconnect_changed_routes_wait_for_word_about_clusters() -> None:
    """Until the stream has said anything about clusters, nobody knows what it has."""
    talk = Talk(cluster("a"), route("r", "a", version="2"))
    talk.ask(Type.LISTENER, "*", known={"l": "1"})
    talk.take()
    talk.ask(Type.ROUTE, "r", known={"r": "1"})
    assert talk.hear() is None
    talk.ask(Type.CLUSTER, "*", known={"a": "1"})
    assert talk.hear() == {"r": "2"}


def test_a_cluster_goes_only_after_the_route_that_named_it() -> None:
    """Removal waits for the new route's ACK."""
    talk = connected()
    talk.commit(cluster("b"))
    talk.take()
    talk.commit(route("r", "b", version="2"), gone=[(Type.CLUSTER, "a")])
    assert talk.hear() == {"r": "2"}
    moved = talk.last
    assert talk.hear() is None
    talk.ack(moved)
    assert talk.hear() == {"a": None}


def test_a_cluster_stays_while_a_refused_route_may_still_name_it() -> None:
    """The peer kept its old route, or part of it."""
    talk = connected()
    talk.commit(route("r", version="2"), gone=[(Type.CLUSTER, "a")])
    talk.hear()
    talk.nack()
    assert talk.hear() is None
    talk.commit(route("r", version="3"))
    assert talk.take() == {"r": "3"}
    assert talk.take() == {"a": None}


def test_endpoints_never_wait_for_their_clusters_acknowledgement() -> None:
    """Envoy acknowledges a cluster only after its endpoints."""
    talk = connected()
    places = Resource(Type.ENDPOINT, "b", "1", b"b")
    talk.commit(cluster("b"), places)
    assert talk.hear() == {"b": "1"}
    talk.ask(Type.ENDPOINT, "b")
    assert talk.hear() == {"b": "1"}


def test_a_client_that_asks_for_everything_by_name_has_no_gates() -> None:
    """A gRPC client walks from listener to endpoint by itself."""
    talk = Talk(route("r", "a"))
    talk.ask(Type.ROUTE, "r")
    talk.take()
    talk.commit(cluster("a"), route("r", "a", version="2"))
    assert talk.hear() == {"r": "2"}


def test_a_newer_target_replaces_the_old_one() -> None:
    """What changes while an answer is awaited is sent once, in its latest state."""
    talk = connected()
    talk.commit(route("r", "a", version="2"))
    assert talk.hear() == {"r": "2"}
    unanswered = talk.last
    for version in ("3", "4", "5"):
        talk.commit(route("r", "a", version=version))
    assert talk.hear() is None
    talk.ack(unanswered)
    assert talk.hear() == {"r": "5"}


def test_a_change_taken_back_is_not_sent() -> None:
    """1 -> 2 -> 1 while an answer is awaited: the peer has 1 already."""
    talk = connected()
    talk.commit(cluster("a", "2"))
    first = talk.hear(), talk.last
    assert first[0] == {"a": "2"}
    talk.commit(route("r", "a", version="2"))
    talk.commit(route("r", "a", version="1"))
    assert talk.hear() is None


def test_what_changes_between_two_parts_of_an_answer_comes_after_the_last() -> None:
    """What was sent already is sent once more, in a part of its own."""
    talk = Talk(*(Resource(Type.CLUSTER, name, "1", b"." * 900_000) for name in "ab"))
    talk.ask(Type.CLUSTER)
    assert talk.hear() == {"a": "1"}
    first = talk.last
    talk.commit(cluster("a", "2"))
    assert talk.hear() is None
    talk.ack(first)
    assert [talk.take(), talk.take(), talk.take()] == [{"b": "1"}, {"a": "2"}, None]


def test_endpoints_do_not_overtake_the_newest_version_of_their_cluster() -> None:
    """An Envoy that is sent a new cluster waits for endpoints anew: what came before is lost."""
    talk = Talk(cluster("a"), cluster("b"), Resource(Type.ENDPOINT, "a", "1"))
    talk.ask(Type.CLUSTER, "*")
    talk.take()
    talk.ask(Type.ENDPOINT, "a")
    talk.take()
    talk.commit(cluster("b", "2"))
    assert talk.hear() == {"b": "2"}
    in_flight = talk.last
    talk.commit(cluster("a", "2"), Resource(Type.ENDPOINT, "a", "2"))
    assert talk.hear() is None
    talk.ack(in_flight)
    assert [talk.hear(), talk.hear()] == [{"a": "2"}, {"a": "2"}]


def test_endpoints_go_to_a_cluster_that_is_in_flight_though_it_changed_again() -> None:
    """The Envoy acknowledges the one it was sent only when it has its endpoints."""
    talk = Talk(cluster("a"), *(Resource(Type.ENDPOINT, name, "1") for name in "ab"))
    talk.ask(Type.CLUSTER, "*")
    talk.take()
    talk.ask(Type.ENDPOINT, "a", "b")
    talk.take()
    talk.commit(Resource(Type.ENDPOINT, "b", "2"))
    assert talk.hear() == {"b": "2"}
    endpoints = talk.last
    talk.commit(cluster("a", "2"), Resource(Type.ENDPOINT, "a", "2"))
    assert talk.hear() == {"a": "2"}
    talk.commit(cluster("a", "3"), Resource(Type.ENDPOINT, "a", "3"))
    talk.ack(endpoints)
    said = talk.hear()
    assert talk.last is not None
    assert (talk.last.type, said) == (Type.ENDPOINT, {"a": "3"})


def test_endpoints_do_not_wait_for_a_cluster_that_the_peer_refuses() -> None:
    """It keeps the one it has, and needs the endpoints."""
    talk = Talk(cluster("a"), Resource(Type.ENDPOINT, "a", "1"))
    talk.ask(Type.CLUSTER, "*")
    talk.take()
    talk.ask(Type.ENDPOINT, "a")
    talk.take()
    talk.commit(cluster("a", "bad"))
    talk.hear()
    talk.nack()
    talk.commit(Resource(Type.ENDPOINT, "a", "2"))
    assert talk.take() == {"a": "2"}


def test_what_changed_back_while_it_was_in_flight_is_in_sync_when_it_is_taken() -> None:
    """At once, and not when somebody looks for something to send."""
    talk = connected()
    talk.commit(cluster("a", "2"))
    assert talk.hear() == {"a": "2"}
    in_flight = talk.last
    talk.commit(cluster("a", "3"))
    talk.commit(cluster("a", "2"))
    talk.ack(in_flight)
    assert talk.stream.in_sync


def test_asking_again_does_not_get_a_route_past_its_gate() -> None:
    """Only a peer that has nothing yet is answered at once; this one can wait for the cluster."""
    talk = connected()
    talk.commit(cluster("b"), route("r", "b", version="2"))
    assert talk.hear() == {"b": "1"}
    unanswered = talk.last
    talk.ask(Type.ROUTE, "r")
    assert talk.hear() is None
    talk.ack(unanswered)
    assert talk.take() == {"r": "2"}


def test_a_cluster_stays_while_a_peer_may_have_a_route_it_refused() -> None:
    """A refused answer may have been applied in part, so the refused version counts as well."""
    talk = connected()
    talk.commit(cluster("b"))
    talk.take()
    talk.commit(route("r", "b", version="2"))
    talk.hear()
    talk.nack()
    talk.commit(route("r", "a", version="3"), gone=[(Type.CLUSTER, "b")])
    assert talk.take() == {"r": "3"}
    assert talk.take() == {"b": None}


def test_a_cluster_that_a_route_still_names_is_not_removed() -> None:
    """Though the catalog has it no more: the route would answer 503."""
    talk = connected()
    talk.commit(gone=[(Type.CLUSTER, "a")])
    assert talk.hear() is None
    talk.commit(route("r", version="2"))
    assert [talk.take(), talk.take()] == [{"r": "2"}, {"a": None}]


def test_endpoints_go_after_their_cluster() -> None:
    """A cluster without endpoints that still gets requests answers 503."""
    talk = connected()
    talk.commit(Resource(Type.ENDPOINT, "a", "1", b"a"))
    talk.ask(Type.ENDPOINT, "a")
    assert talk.take() == {"a": "1"}
    talk.commit(route("r", version="2"), gone=[(Type.CLUSTER, "a"), (Type.ENDPOINT, "a")])
    heard = []
    while (said := talk.take()) is not None:
        assert talk.last is not None
        heard.append((talk.last.type, said))
    assert heard == [(Type.ROUTE, {"r": "2"}), (Type.CLUSTER, {"a": None}), (Type.ENDPOINT, {"a": None})]


def test_a_route_that_goes_without_a_word_opens_the_gate_behind_it() -> None:
    """State-of-the-world can't say that a route is gone: its cluster waits for nothing then."""
    talk = Talk(cluster("a"), route("r", "a"))
    talk.stream = talk.hub.open("g", Node(), STATE_OF_THE_WORLD)
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.ask(Type.ROUTE, "r")
    talk.take()
    talk.commit(gone=[(Type.ROUTE, "r"), (Type.CLUSTER, "a")])
    assert talk.hear() == {"a": None}


def test_after_a_reconnect_a_cluster_stays_until_the_peer_has_shown_its_routes() -> None:
    """It may hold a route to it, though nobody has heard of that yet."""
    talk = Talk(cluster("new"), route("r", "new", version="2"), node=ENVOY)
    talk.ask(Type.CLUSTER, known={"old": "1"})
    assert talk.take() == {"new": "1"}
    talk.ask(Type.ROUTE, "r", known={"r": "1"})
    assert talk.take() == {"r": "2"}
    assert talk.take() == {"old": None}


def test_a_peer_that_shows_no_routes_for_long_has_none() -> None:
    """The grace bounds the wait, and the stream wakes up for it."""
    now = 0.0
    hub = Hub(["g"], lambda: now)
    stream = hub.open("g", ENVOY)
    stream.receive(Request(Type.CLUSTER, known={"old": "1"}))
    assert stream.next_answer() is None
    assert stream.next_deadline() == GRACE
    now = GRACE
    answer = stream.next_answer()
    assert answer is not None
    assert [item.name for item in answer.items] == ["old"]


def test_a_peer_whose_clusters_come_from_elsewhere_gets_its_routes() -> None:
    """After the grace nobody expects it to speak of clusters any more."""
    now = 0.0
    hub = Hub(["g"], lambda: now)
    hub.commit("g", [cluster("a"), route("r", "a")])
    stream = hub.open("g", Node())
    stream.receive(Request(Type.LISTENER))
    stream.receive(Request(Type.ROUTE, subscribe=("r",), known={"r": "0"}))
    assert [answer.type for answer in iter(stream.next_answer, None)] == [Type.LISTENER]
    now = GRACE
    assert [answer.type for answer in iter(stream.next_answer, None)] == [Type.ROUTE]


def test_a_cluster_that_is_being_removed_is_not_there_for_a_route() -> None:
    """Brought back while its removal is under way, it goes out again before the route."""
    talk = connected()
    talk.commit(cluster("b"))
    talk.take()
    talk.commit(gone=[(Type.CLUSTER, "b")])
    assert talk.hear() == {"b": None}
    removal = talk.last
    talk.commit(cluster("b"), route("r", "a", "b", version="2"))
    assert talk.hear() is None
    talk.ack(removal)
    assert [talk.take(), talk.take()] == [{"b": "1"}, {"r": "2"}]
