"""What a stream keeps, and when it wants to be looked at again: nothing for ever, never at once again."""

import pytest

from tests.support.talk import Talk, cluster, route
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery import order, sotw
from xds.discovery.dialect import DELTA, STATE_OF_THE_WORLD, Dialect
from xds.discovery.hub import Hub
from xds.discovery.node import node_of
from xds.discovery.request import Node, Request
from xds.discovery.stream import ACK_DEADLINE, Stream
from xds.stubs import envoy_config_core_v3_pb2 as core


class Clock:
    """A clock that stands still unless moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of a stream."""
    return Clock()


def alone(clock: Clock, *resources: Resource, dialect: Dialect = DELTA) -> tuple[Hub, Stream]:
    """A stream without gates, in sync with all clusters."""
    hub = Hub(["g"], clock)
    hub.commit("g", resources)
    stream = hub.open("g", Node(), dialect, aggregated=False)
    stream.receive(Request(Type.CLUSTER, subscribe=("*",)))
    acknowledge(stream)
    return hub, stream


def acknowledge(stream: Stream) -> list[str]:
    """Take all there is; returns the names in it."""
    names = []
    while (answer := stream.next_answer()) is not None:
        names += [item.name for item in answer.items]
        stream.receive(Request(answer.type, nonce=answer.nonce))
    return names


def test_a_removal_elsewhere_is_nothing_to_wait_for(clock: Clock) -> None:
    """Of a type the stream doesn't carry: it has no grace, and nobody is woken when that would end."""
    hub, stream = alone(clock, cluster("a"), route("r"))
    hub.commit("g", [], [(Type.ROUTE, "r")])
    assert acknowledge(stream) == []
    assert stream.next_deadline() is None


def test_a_grace_is_waited_for_once(clock: Clock) -> None:
    """Its end is the next deadline; after it, the removal goes out and there is none."""
    hub, stream = alone(clock, cluster("a"))
    hub.commit("g", [], [(Type.CLUSTER, "a")])
    assert acknowledge(stream) == []
    assert stream.next_deadline() == order.GRACE
    clock.now = order.GRACE
    assert acknowledge(stream) == ["a"]
    assert stream.next_deadline() is None


def test_a_grace_that_ends_while_an_answer_is_awaited_wakes_nobody(clock: Clock) -> None:
    """The acknowledgement will; a deadline in the past would be looked at without end."""
    hub, stream = alone(clock, cluster("a"))
    hub.commit("g", [cluster("b")], [(Type.CLUSTER, "a")])
    awaited = stream.next_answer()
    assert awaited is not None
    clock.now = order.GRACE + 1
    assert stream.next_answer() is None
    assert stream.next_deadline() == ACK_DEADLINE
    stream.receive(Request(Type.CLUSTER, nonce=awaited.nonce))
    assert acknowledge(stream) == ["a"]


def test_a_grace_that_ends_between_two_looks_is_not_missed(clock: Clock) -> None:
    """The deadline counts from what the last look saw, not from when it is asked for."""
    hub, stream = alone(clock, cluster("a"))
    hub.commit("g", [], [(Type.CLUSTER, "a")])
    assert acknowledge(stream) == []
    clock.now = order.GRACE + 5
    assert stream.next_deadline() == order.GRACE


def test_removals_long_past_are_forgotten(clock: Clock) -> None:
    """On streams with gates too."""
    hub = Hub(["g"], clock)
    stream = hub.open("g", Node())
    stream.receive(Request(Type.CLUSTER))
    for number in range(1000):
        clock.now += 1
        hub.commit("g", [cluster(f"c{number}")])
        acknowledge(stream)
        hub.commit("g", [], [(Type.CLUSTER, f"c{number}")])
        acknowledge(stream)
    assert len(stream._order._removed_at) <= order.GRACE + 1


def test_what_is_back_is_not_waited_for(clock: Clock) -> None:
    """Its grace is over with it."""
    hub, stream = alone(clock, cluster("a"))
    hub.commit("g", [], [(Type.CLUSTER, "a")])
    hub.commit("g", [cluster("a")])
    assert acknowledge(stream) == []
    assert stream.next_deadline() is None


def test_what_the_dialect_cannot_say_leaves_no_deadline(clock: Clock) -> None:
    """State-of-the-world has no word for a route that is gone: nothing is waited for in the end."""
    hub = Hub(["g"], clock)
    hub.commit("g", [route("r")])
    stream = hub.open("g", Node(), STATE_OF_THE_WORLD, aggregated=False)
    stream.receive(Request(Type.ROUTE, subscribe=("r",)))
    assert acknowledge(stream) == ["r"]
    hub.commit("g", [], [(Type.ROUTE, "r")])
    clock.now = order.GRACE + 1
    assert acknowledge(stream) == []
    assert stream.next_deadline() is None


def test_an_acknowledgement_ends_the_waiting_for_it(clock: Clock) -> None:
    """Late peers are reported once, and again only when they are late again."""
    hub, stream = alone(clock, cluster("a"))
    for start in (100.0, 200.0):
        clock.now = start
        hub.commit("g", [cluster("a", str(start))])
        answer = stream.next_answer()
        assert answer is not None
        assert stream.next_deadline() == start + ACK_DEADLINE
        assert stream.overdue() == []
        clock.now += ACK_DEADLINE
        assert [stream.overdue(), stream.overdue()] == [[Type.CLUSTER], []]
        assert stream.next_deadline() is None
        stream.receive(Request(Type.CLUSTER, nonce=answer.nonce))
        assert stream.next_deadline() is None


def test_each_part_of_a_split_answer_is_awaited(clock: Clock) -> None:
    """From when it was sent, and none is sent before that."""
    hub, stream = alone(clock)
    hub.commit("g", [Resource(Type.CLUSTER, name, "1", b"." * 900_000) for name in "ab"])
    first = stream.next_answer()
    assert first is not None
    assert stream.next_answer() is None
    clock.now = 7.0
    stream.receive(Request(Type.CLUSTER, nonce=first.nonce))
    assert stream.next_answer() is not None
    assert stream.next_deadline() == 7.0 + ACK_DEADLINE


def test_what_is_known_only_by_version_is_never_sent_empty() -> None:
    """State-of-the-world, by name, after a reconnect: what the peer has then is unknown."""
    talk = Talk(*(cluster(name) for name in "ab"))
    talk.stream = talk.hub.open("g", Node(), STATE_OF_THE_WORLD)
    sotw.receive(talk.stream, sotw.StateRequest(Type.CLUSTER, names=("a", "b"), version="an old one"))
    assert talk.hear() == {"a": "1", "b": "1"}
    talk.nack()
    while talk.hear() is not None:
        assert talk.last is not None
        assert all(resource.body for resource in talk.last.rest)
        talk.ack()


def test_an_absurd_version_of_envoy_is_no_version() -> None:
    """Digits without end are not a number."""
    node = core.Node(user_agent_name="envoy", user_agent_version="9" * 5000 + ".0.0")
    assert node_of(node).version is None


def test_no_nonce_comes_twice_though_the_target_goes_back_and_forth(clock: Clock) -> None:
    """Each catalog counts its own positions; a stream's nonces only ever go up."""
    hub, stream = alone(clock, cluster("a"))
    other = Hub(["g"])
    for version in "23456":
        other.commit("g", [cluster("a", f"other-{version}")])
    nonces = []
    for catalog in [other.catalogs["g"], hub.catalogs["g"]] * 3:
        stream.retarget(catalog)
        answer = stream.next_answer()
        assert answer is not None
        nonces.append(answer.nonce)
        stream.receive(Request(Type.CLUSTER, nonce=answer.nonce))
    assert len(set(nonces)) == len(nonces)
