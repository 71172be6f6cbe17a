"""What is loaded gives way to Envoys that are served meanwhile."""

from collections.abc import Callable

import pytest

from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.discovery.request import Node, Request
from xds.discovery.stream import Stream
from xds.server import front
from xds.server.front import Front
from xds.server.settings import Settings
from xds.spec.gateway import Gateway


class Time:
    """Passes while somebody sleeps; then `meanwhile` happens."""

    def __init__(self) -> None:
        self.slept = 0.0
        self.meanwhile: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return 1_000.0 + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.meanwhile()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The front's."""
    made = Time()
    monkeypatch.setattr(front, "time", made)
    return made


@pytest.fixture
def starting() -> Front:
    """A front that answers from an image."""
    made = Front(Settings(gateways=(Gateway(name="default"),)), None)
    made.hub.commit("default", [Resource(Type.CLUSTER, "c", "1", b".")])
    return made


def served(starting: Front) -> Stream:
    """An Envoy that was just sent something."""
    stream = starting.hub.open("default", Node("e"))
    stream.receive(Request(Type.CLUSTER))
    assert stream.next_answer() is not None
    return stream


def test_it_waits_until_the_envoy_has_what_it_was_sent(starting: Front, time: Time) -> None:
    """And goes on as soon as that is acknowledged."""
    stream = served(starting)
    time.meanwhile = lambda: stream.receive(Request(Type.CLUSTER, nonce="1.0")) if time.slept > 1 else None
    starting.give_way()
    assert not stream.is_awaited
    assert 1 < time.slept < 1.1


def test_it_does_not_wait_while_nobody_is_served(starting: Front, time: Time) -> None:
    """An Envoy that has everything is not waited for."""
    stream = served(starting)
    stream.receive(Request(Type.CLUSTER, nonce="1.0"))
    starting.give_way()
    assert time.slept == 0


def test_it_does_not_wait_for_ever(starting: Front, time: Time) -> None:
    """However often it is asked to: an Envoy may be stuck."""
    served(starting)
    for _ in range(100):
        starting.give_way()
        time.slept += 1
    assert time.slept < 100 + 11
