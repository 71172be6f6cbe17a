"""What a verb costs doesn't grow with the Envoys that are in sync: counted in calls, not in seconds."""

import itertools
from collections.abc import Awaitable, Callable

import pytest

from tests.control.conftest import DEFAULT, Planes
from tests.control.test_cost import text
from tests.control.test_lanes import Envoy
from tests.support.counting import Calls, Counting
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.fleet.admission import Admission
from xds.server import metrics

ME = Terms("me", force=True)

ADDING = {"discovery/hub.py:Hub.totals.<locals>.<genexpr>"}
"""Where metrics are read, what all streams have seen is added up."""

Verb = Callable[[ControlPlane], Awaitable[object]]


async def get(plane: ControlPlane) -> object:
    """One deployment."""
    return plane.deployments.get("s3")


async def show_all(plane: ControlPlane) -> object:
    """All of them."""
    return plane.deployments.list()


async def set_weights(plane: ControlPlane) -> object:
    """A change, not published yet."""
    return await plane.deployments.set_weights("s3", {"a": 20}, ME)


async def set_endpoints(plane: ControlPlane) -> object:
    """The same, of endpoints."""
    return await plane.endpoints.drain("s3@a", [], ME)


async def gateways(plane: ControlPlane) -> object:
    """How each of them stands."""
    return await plane.gateways.list()


async def resources(plane: ControlPlane) -> object:
    """What a gateway was given."""
    return plane.resources.get("default")


async def page(plane: ControlPlane) -> object:
    """A page of the Envoys."""
    return plane.fleet.list(after=("default", "e01"), limit=2)


async def envoy(plane: ControlPlane) -> object:
    """One Envoy."""
    return plane.fleet.get("e02")


async def confirm(plane: ControlPlane) -> object:
    """A change that everybody has."""
    return [each async for each in plane.confirm("s3")]


async def review(plane: ControlPlane) -> object:
    """What follows a push: who is held may be so no longer."""
    plane.publisher.lanes.review()
    return plane.hub.drop_deserted()


async def scrape(plane: ControlPlane) -> object:
    """The server's own metrics."""
    return list(metrics._Collector(plane, Admission((DEFAULT,))).collect())


async def cost(planes: Planes, verb: Verb, envoys: int) -> Calls:
    """What is called with so many Envoys, all of them in sync but one, which refuses something."""
    async with planes() as plane:
        await plane.deployments.apply_texts([(f"{n}.yaml", text(n)) for n in range(5)], Terms("test"))
        await plane.endpoints.undrain("s3@a", [], ME)  # the store knows of the time before
        plane.publisher.publish()
        for number in range(envoys):
            Envoy(plane, id_=f"e{number:02}").settle()
        Envoy(plane, lambda resource: resource.name.startswith("s1"), id_="odd").settle()
        plane.fleet.list(limit=1)
        plane.deployments.get("s3")  # who may vote on its health is asked once a second
        with Counting() as calls:
            await verb(plane)
        return calls


@pytest.mark.parametrize(
    "verb",
    [get, show_all, set_weights, set_endpoints, gateways, resources, page, envoy, confirm, review, scrape],
)
async def test_who_is_in_sync_costs_nothing(planes: Planes, verb: Verb) -> None:
    """Every function of ours is called as often for forty Envoys as for four."""
    few, many = await cost(planes, verb, 4), await cost(planes, verb, 40)
    differing = {name for name in few | many if few[name] != many[name]}
    assert differing <= ADDING


async def test_a_page_of_the_fleet_is_all_that_is_made(planes: Planes) -> None:
    """However many come after it."""
    calls = await cost(planes, page, 40)
    assert calls["fleet/listing.py:_envoy"] == 2


async def test_an_acknowledgement_costs_the_same_with_many_pushes_under_way(planes: Planes) -> None:
    """Only those that this Envoy has not answered are looked at."""
    taken: list[Calls] = []
    for pushes in (1, 20):
        async with planes() as plane:
            await plane.deployments.apply_texts([("x.yaml", text(1))], Terms("test"))
            plane.publisher.publish()
            stuck, envoy = Envoy(plane, id_="stuck"), Envoy(plane, id_="e")
            stuck.settle()
            envoy.settle()
            for share in itertools.islice(itertools.cycle((20, 30)), pushes):
                await plane.deployments.set_weights("s1", {"a": share}, ME)
                plane.publisher.publish()
                assert envoy.listen()
                with Counting() as calls:
                    envoy.reply()
            taken.append(calls)
    assert taken[0] == taken[1]
