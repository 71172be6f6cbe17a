"""A change costs what it changes, however much there is besides: counted in calls, not in seconds."""

from collections.abc import Callable

import pytest

from tests.control.conftest import DEFAULT, SCOPED, Planes
from tests.support.counting import Calls, Counting
from tests.support.talk import Talk, cluster
from xds.catalog.types import Type
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.discovery import delta
from xds.discovery.request import Node, Request
from xds.discovery.stream import Stream
from xds.spec.gateway import Gateway

JOINING = {"catalog/table.py", "catalog/wire.py"}
"""In `table` mode one message has every virtual host: they are joined again, from encoded parts."""
ENCODING = {"discovery/delta.py", "catalog/wire.py"}
"""In `scoped` mode the answer is the same to the bit, however many there are: it is encoded once for both."""


def text(number: int) -> str:
    """The file of a deployment with a canary, and its endpoints."""
    return (
        f'endpoints: {{"s{number}:1": ["10.0.0.1:80"], "s{number}:2": ["10.0.0.2:80"]}}\n---\n'
        f"name: s{number}\nbento: s{number}:1\n"
        "canary: {route_type: header, route_by: X-User, "
        f"versions: {{a: {{bento: 's{number}:2', weight: 10}}}}}}\n"
    )


def in_sync(plane: ControlPlane) -> Stream:
    """An Envoy that has everything."""
    stream = plane.hub.open("default", Node())
    for type_ in (Type.CLUSTER, Type.ENDPOINT, Type.LISTENER, Type.ROUTE, Type.SCOPED_ROUTE):
        stream.receive(Request(type_, subscribe=("*",)))
    while (answer := stream.next_answer()) is not None:
        stream.receive(Request(answer.type, nonce=answer.nonce))
    assert stream.in_sync
    return stream


async def cost_of_a_weight_change(planes: Planes, deployments: int, gateway: Gateway = DEFAULT) -> Calls:
    """What is called from the verb to the bytes of the answer, in a gateway with so many deployments."""
    sent = (Type.SCOPED_ROUTE, "s3") if gateway.mode == "scoped" else (Type.ROUTE, "default")
    async with planes(gateway) as plane:
        files = [(f"{number}.yaml", text(number)) for number in range(deployments)]
        await plane.deployments.apply_texts(files, Terms("test"))
        plane.publisher.publish()
        stream = in_sync(plane)
        plane.deployments.get("s3")  # who may vote on its health is asked once a second, whatever changes
        with Counting() as calls:
            await plane.deployments.set_weights("s3", {"a": 20}, Terms("test"))
            plane.publisher.publish()
            answer = stream.next_answer()
            assert answer is not None
            delta.encode(answer)
            assert stream.next_answer() is None
        assert [(answer.type, item.name) for item in answer.items] == [sent]
        return calls


async def test_a_weight_change_costs_the_same_among_many(
    planes: Planes, request: pytest.FixtureRequest
) -> None:
    """Every function of ours is called as often as among ten deployments, those that join hosts aside."""
    many = 10_000 if request.config.getoption("--long") else 500
    few, more = await cost_of_a_weight_change(planes, 10), await cost_of_a_weight_change(planes, many)
    differing = {name for name in few | more if few[name] != more[name]}
    assert {name.partition(":")[0] for name in differing} <= JOINING


async def test_in_scoped_mode_a_weight_change_costs_the_same_among_many(
    planes: Planes, request: pytest.FixtureRequest
) -> None:
    """Every function of ours is called as often as among ten deployments."""
    many = 10_000 if request.config.getoption("--long") else 500
    few, more = [await cost_of_a_weight_change(planes, count, SCOPED) for count in (10, many)]
    differing = {name for name in few | more if few[name] != more[name]}
    assert {name.partition(":")[0] for name in differing} <= ENCODING
    assert few["translate/hosts.py:virtual_host"] == few["translate/scopes.py:scope"] == 1


async def test_a_weight_change_builds_and_encodes_one_virtual_host(planes: Planes) -> None:
    """Of its own deployment; and of the table it makes one resource and one answer."""
    calls = await cost_of_a_weight_change(planes, 50)
    assert calls["translate/hosts.py:virtual_host"] == 1
    assert calls["catalog/table.py:route_table"] == 1
    assert calls["discovery/watch.py:Watch.notice"] == 1
    assert calls["discovery/delta.py:_message"] == 1
    assert calls["translate/listeners.py:listener"] == 0


def cost_on_a_stream(watched: int, drive: Callable[[Talk], None]) -> Calls:
    """What is called when a peer that has so many clusters hears of something."""
    talk = Talk(*(cluster(f"c{number}") for number in range(watched)))
    talk.ask(Type.CLUSTER)
    talk.take()
    with Counting() as calls:
        drive(talk)
    return calls


def change(talk: Talk) -> None:
    """One cluster changes, and the peer takes it."""
    talk.commit(cluster("c3", "2"))
    assert talk.take() == {"c3": "2"}


def refusal(talk: Talk) -> None:
    """One cluster changes, the peer refuses it, and accepts the next one."""
    talk.commit(cluster("c3", "2"))
    talk.hear()
    talk.nack()
    talk.commit(cluster("c3", "3"))
    assert talk.take() == {"c3": "3"}


def removal(talk: Talk) -> None:
    """One cluster goes."""
    talk.commit(gone=[(Type.CLUSTER, "c3")])
    assert talk.take() == {"c3": None}


def asking(talk: Talk) -> None:
    """The peer asks for one again, and gives the name up."""
    talk.ask(Type.CLUSTER, "c3")
    assert talk.take() == {"c3": "1"}
    talk.drop(Type.CLUSTER, "c3")
    assert talk.take() == {"c3": "1"}


@pytest.mark.parametrize("drive", [change, refusal, removal, asking])
def test_one_of_many_watched_costs_as_much_as_one_of_few(drive: Callable[[Talk], None]) -> None:
    """Whatever happens to one resource, the others are not looked at."""
    assert cost_on_a_stream(10, drive) == cost_on_a_stream(10_000, drive)


def test_two_streams_that_are_sent_the_same_share_its_bytes() -> None:
    """An answer is encoded once, not once a stream."""
    talk = Talk(*(cluster(f"c{number}") for number in range(10)))
    streams = [talk.hub.open("g", Node()) for _ in range(5)]
    for stream in streams:
        stream.receive(Request(Type.CLUSTER))
    with Counting() as calls:
        sent = [delta.encode(answer) for stream in streams if (answer := stream.next_answer())]
    assert len({id(raw) for raw in sent}) == 1
    assert calls["discovery/delta.py:_message"] == 1
