"""Refused answers: the offender is found, parked, and left alone."""

from tests.support.talk import Talk, cluster, route
from xds.catalog.types import Type
from xds.discovery import sotw
from xds.discovery.dialect import STATE_OF_THE_WORLD
from xds.discovery.hub import Hub
from xds.discovery.request import Node


def reject_all_with(talk: Talk, *bad: str) -> int:
    """Refuse every answer with one of these names; returns how many answers there were."""
    answers = 0
    while (said := talk.hear()) is not None:
        answers += 1
        if any(said.get(name) for name in bad):
            talk.nack()
        else:
            talk.ack()
    return answers


def test_the_offender_among_many_is_found_in_few_messages() -> None:
    """At most 2 log2(n) + 2 answers, and the good ones arrive."""
    talk = Talk(*(cluster(f"c{n}") for n in range(1000)))
    talk.ask(Type.CLUSTER)
    assert reject_all_with(talk, "c777") <= 22
    assert [(type_, parked.name) for type_, parked in talk.stream.rejections()] == [(Type.CLUSTER, "c777")]


def test_a_refused_version_is_not_sent_again() -> None:
    """Nothing spins; another change of another resource goes out as usual."""
    talk = Talk(cluster("bad"))
    talk.ask(Type.CLUSTER)
    talk.hear()
    talk.nack("because")
    assert talk.hear() is None
    talk.commit(cluster("good"))
    assert talk.take() == {"good": "1"}


def test_a_mended_resource_leaves_quarantine_by_itself() -> None:
    """Its new version is sent and accepted."""
    talk = Talk(cluster("bad"))
    talk.ask(Type.CLUSTER)
    talk.hear()
    talk.nack()
    talk.commit(cluster("bad", "2"))
    assert talk.take() == {"bad": "2"}
    assert list(talk.stream.rejections()) == []


def test_what_was_refused_and_taken_back_is_sent_again() -> None:
    """The peer may have applied part of the refused answer: its state is uncertain."""
    talk = Talk(cluster("a"), cluster("b"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.commit(cluster("a", "2"), cluster("b", "2"))
    talk.hear()
    talk.nack()
    talk.commit(cluster("a", "1"), cluster("b", "1"))
    sent = [talk.take(), talk.take()]
    assert sent == [{"a": "1"}, {"b": "1"}]


def test_a_route_that_needs_a_refused_cluster_stays_as_it_was() -> None:
    """It waits for the cluster, and goes out when that is mended."""
    talk = Talk(cluster("a"), route("r", "a"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.ask(Type.ROUTE, "r")
    talk.take()
    talk.commit(cluster("bad"), route("r", "bad", version="2"))
    assert talk.hear() == {"bad": "1"}
    talk.nack()
    assert talk.hear() is None
    talk.commit(cluster("bad", "2"))
    assert [talk.take(), talk.take()] == [{"bad": "2"}, {"r": "2"}]


def test_a_route_refused_for_want_of_a_cluster_is_tried_once_more_when_it_is_there() -> None:
    """A newly accepted cluster that it names lifts its quarantine."""
    talk = Talk(route("r", "a"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.ask(Type.ROUTE, "r")
    talk.hear()
    talk.nack("unknown cluster a")
    talk.commit(cluster("a"))
    assert [talk.take(), talk.take()] == [{"a": "1"}, {"r": "1"}]


def test_a_peer_that_refuses_everything_is_left_alone_soon() -> None:
    """A bounded number of answers, whatever the number of resources."""
    talk = Talk(*(cluster(f"c{n}") for n in range(5000)))
    talk.ask(Type.CLUSTER)
    answers = 0
    while talk.hear() is not None:
        answers += 1
        talk.nack()
    assert answers <= 13


def test_what_was_dropped_before_it_was_refused_is_owed_to_nobody() -> None:
    """The refusal is of something the peer no longer asks for."""
    talk = Talk(route("r"))
    talk.ask(Type.ROUTE, "r")
    talk.hear()
    talk.drop(Type.ROUTE, "r")
    talk.nack()
    assert talk.hear() is None
    assert talk.stream.in_sync
    assert list(talk.stream.rejections()) == []


def test_what_was_refused_dropped_and_asked_for_again_is_sent_again() -> None:
    """The peer asked: its quarantine ended when it gave the name up."""
    talk = Talk(route("r"))
    talk.ask(Type.ROUTE, "r")
    talk.hear()
    talk.nack()
    talk.drop(Type.ROUTE, "r")
    talk.ask(Type.ROUTE, "r")
    assert talk.hear() == {"r": "1"}


def test_a_whole_answer_has_the_accepted_version_of_what_is_refused() -> None:
    """State-of-the-world: once, and not the version the peer refused."""
    talk = Talk(cluster("a"))
    talk.stream = talk.hub.open("g", Node(), STATE_OF_THE_WORLD)
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.commit(cluster("a", "2"))
    talk.hear()
    talk.nack()
    talk.commit(cluster("b"))
    assert talk.take() == {"b": "1"}
    assert talk.last is not None
    assert talk.last.rest == (cluster("a"),)


def test_an_acceptance_between_refusals_restores_patience() -> None:
    """Only a peer that refuses everything is given up on, not one that refuses something now and then."""
    talk = Talk(cluster("a"))
    talk.ask(Type.CLUSTER)
    talk.take()
    for number in range(20):
        talk.commit(cluster(f"bad-{number}"))
        talk.hear()
        talk.nack()
        talk.commit(cluster("a", f"v{number}"))
        talk.take()
    talk.commit(*(cluster(name) for name in "wxyz"))
    reject_all_with(talk, "x")
    assert not {"w", "y", "z"} & {parked.name for _, parked in talk.stream.rejections()}
    assert {name for name in "wxyz" if name in talk.stream.watches[Type.CLUSTER].owed} == {"x"}


def test_who_was_cleared_is_tried_with_the_others_again() -> None:
    """A group that was accepted is suspected no more, though one of it changed meanwhile."""
    talk = Talk(*(cluster(name) for name in "abcd"))
    talk.ask(Type.CLUSTER)
    talk.hear()
    talk.nack()
    assert talk.hear() == {"a": "1", "b": "1"}
    cleared = talk.last
    talk.commit(cluster("a", "2"), cluster("e"))
    talk.ack(cleared)
    assert talk.take() == {"c": "1", "d": "1"}
    assert talk.take() == {"a": "2", "e": "1"}


def test_an_update_of_a_cluster_does_not_bring_a_refused_route_back() -> None:
    """Only a cluster the peer did not have can have been what it missed."""
    talk = Talk(cluster("a"), route("r", "a"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.ask(Type.ROUTE, "r")
    talk.hear()
    talk.nack()
    talk.commit(cluster("a", "2"))
    assert talk.take() == {"a": "2"}
    assert talk.hear() is None


def test_after_a_refusal_a_whole_answer_without_the_offender_follows() -> None:
    """State-of-the-world: only an answer that is taken tells a reconnected peer what is gone."""
    hub = Hub(["g"])
    hub.commit("g", [cluster("bad")])
    stream = hub.open("g", Node(), STATE_OF_THE_WORLD)
    sotw.receive(stream, sotw.StateRequest(Type.CLUSTER, version="of an earlier stream"))
    refused = stream.next_answer()
    assert refused is not None
    sotw.receive(stream, sotw.StateRequest(Type.CLUSTER, nonce=refused.nonce, error="no"))
    restored = stream.next_answer()
    assert restored is not None
    assert (restored.items, restored.rest) == ((), ())
    sotw.receive(stream, sotw.StateRequest(Type.CLUSTER, nonce=restored.nonce, error="no again"))
    assert stream.next_answer() is None
