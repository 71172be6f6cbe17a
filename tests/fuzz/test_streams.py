"""Garbage on plain streams, by the thousand: nothing but a clean end, and nothing left behind."""

import random
from types import ModuleType

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.garbage import garbage
from tests.support.talk import Talk, cluster, route
from xds.catalog.types import Type
from xds.discovery import delta, sotw, stream
from xds.discovery.dialect import DELTA, STATE_OF_THE_WORLD, Dialect
from xds.discovery.hub import Hub
from xds.discovery.request import Node, Request, TooMuch
from xds.discovery.stream import Stream
from xds.stubs.envoy_service_discovery_v3_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    DiscoveryRequest,
    DiscoveryResponse,
)

MANY = 20
"""Requests an example sends."""


def say(codec: ModuleType, to: Stream, raw: bytes) -> list[bytes] | None:
    """What the server's adapter does with a request: the answers, or None where the stream ends."""
    try:
        codec.receive(to, codec.decode(raw))
    except (DecodeError, UnicodeDecodeError, TooMuch):
        return None
    answers: list[bytes] = []
    while (answer := to.next_answer()) is not None:
        answers.append(codec.encode(answer))
        assert len(answers) < 100, "the server never stops talking"
    return answers


@pytest.mark.parametrize(
    ("codec", "dialect", "request_type", "response_type"),
    [
        (delta, DELTA, DeltaDiscoveryRequest, DeltaDiscoveryResponse),
        (sotw, STATE_OF_THE_WORLD, DiscoveryRequest, DiscoveryResponse),
    ],
    ids=["delta", "sotw"],
)
@settings(max_examples=4 * settings().max_examples)
@given(seed=st.integers(0, 2**32), aggregated=st.booleans())
def test_garbage_ends_a_stream_cleanly_or_is_answered(
    codec: ModuleType,
    dialect: Dialect,
    request_type: type[DeltaDiscoveryRequest] | type[DiscoveryRequest],
    response_type: type[DeltaDiscoveryResponse] | type[DiscoveryResponse],
    seed: int,
    *,
    aggregated: bool,
) -> None:
    """Whatever comes in, what goes out is a message; a neighbour has what it is to have."""
    chance = random.Random(seed)
    hub = Hub(["g"])
    hub.commit("g", [cluster("a"), cluster("b"), route("a", "a")])
    neighbour = Talk()
    neighbour.hub, neighbour.stream = hub, hub.open("g", Node())
    neighbour.ask(Type.CLUSTER)
    neighbour.take()
    garbled = hub.open("g", Node(), dialect, aggregated=aggregated)
    for number in range(MANY):
        answers = say(codec, garbled, garbage(request_type, chance))
        if answers is None:
            hub.close(garbled)
            garbled = hub.open("g", Node(), dialect, aggregated=aggregated)
        for answer in answers or ():
            assert response_type.FromString(answer).nonce
        if number % 5 == 0:
            hub.commit("g", [cluster("a", str(number)), route("a", "a", version=str(number))])
            assert neighbour.take() == {"a": str(number)}
    assert neighbour.stream.in_sync


def remembered(of: Stream) -> int:
    """How many things a stream remembers."""
    return sum(
        len(watch.subscription.names)
        + len(watch.owed)
        + len(watch.unsure)
        + len(watch._asked)
        + sum(len(answer.items) for answer in watch.in_flight.values())
        + len(watch.rejections.parked)
        + sum(map(len, watch.rejections._suspects))
        for watch in of.watches.values()
    )


def test_names_given_up_are_forgotten() -> None:
    """Asked for, answered, acknowledged, dropped: a thousand times leaves nothing."""
    talk = Talk(route("r"))
    for number in range(1000):
        talk.ask(Type.ROUTE, f"ghost-{number}", "r")
        talk.take()
        talk.drop(Type.ROUTE, f"ghost-{number}", "r")
        talk.take()
    assert remembered(talk.stream) == 0


def test_names_given_up_after_a_refusal_are_forgotten() -> None:
    """The suspects and the parked go with them."""
    talk = Talk(*(route(f"r{number}") for number in range(8)))
    for _ in range(200):
        names = [f"r{number}" for number in range(8)]
        talk.ask(Type.ROUTE, *names)
        talk.hear()
        talk.nack()
        talk.take()
        talk.drop(Type.ROUTE, *names)
        assert talk.hear() is None
    assert remembered(talk.stream) == 0


def test_a_peer_that_never_answers_costs_nothing_more() -> None:
    """A thousand changes of all it has: one answer in flight, one thing owed for each resource."""
    talk = Talk(*(cluster(f"c{number}") for number in range(10)))
    talk.ask(Type.CLUSTER)
    for version in range(1000):
        talk.commit(*(cluster(f"c{number}", f"v{version}") for number in range(10)))
        talk.hear()
    assert remembered(talk.stream) == 20


def test_a_peer_that_refuses_everything_costs_nothing_more() -> None:
    """However long it goes on: what is parked is what there is."""
    talk = Talk(*(cluster(f"c{number}") for number in range(10)))
    talk.ask(Type.CLUSTER)
    for version in range(300):
        talk.commit(*(cluster(f"c{number}", f"v{version}") for number in range(10)))
        while talk.hear() is not None:
            talk.nack()
    assert remembered(talk.stream) <= 4 * 10


def test_acknowledgements_of_nothing_are_not_remembered() -> None:
    """Nonces that nobody sent."""
    talk = Talk(cluster("a"))
    talk.ask(Type.CLUSTER)
    talk.take()
    for number in range(1000):
        talk.stream.receive(Request(Type.CLUSTER, nonce=f"made-up-{number}", error="no"))
    assert remembered(talk.stream) == 0


def test_ever_new_names_end_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Subscribing without end is not served without end."""
    monkeypatch.setattr(stream, "MOST_NAMES", 100)
    talk = Talk()
    for number in range(100):
        talk.ask(Type.ROUTE if number % 2 else Type.ENDPOINT, f"name-{number}")
    with pytest.raises(TooMuch):
        talk.ask(Type.ROUTE, "one more")


def test_ever_new_names_dropped_under_a_wildcard_end_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is to be answered, and waits, while the peer acknowledges nothing."""
    monkeypatch.setattr(stream, "MOST_NAMES", 100)
    talk = Talk(cluster("a"))
    talk.ask(Type.CLUSTER)
    talk.hear()
    for number in range(101):
        talk.ask(Type.CLUSTER, f"name-{number}")
        talk.drop(Type.CLUSTER, f"name-{number}")
    with pytest.raises(TooMuch):
        talk.ask(Type.CLUSTER, "one more")


def test_an_honest_peer_of_a_large_catalog_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the catalog has is not held against it."""
    monkeypatch.setattr(stream, "MOST_NAMES", 100)
    talk = Talk(*(cluster(f"c{number}") for number in range(500)))
    talk.ask(Type.CLUSTER)
    assert len(talk.take() or ()) == 500
