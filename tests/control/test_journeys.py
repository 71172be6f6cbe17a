"""A change on its way: when it was committed and pushed, and when the first and the last Envoy had it."""

from tests.control.conftest import Planes
from tests.control.test_confirmation import ME, settle
from tests.control.test_lanes import Envoy, apply, spec
from xds.control.journeys import Journey
from xds.control.plane import ControlPlane
from xds.discovery.stream import Verdict


def followed(plane: ControlPlane) -> list[Journey]:
    """Every push that arrives from now on."""
    arrived: list[Journey] = []
    plane.publisher.journeys.arrived.append(arrived.append)
    return arrived


async def test_a_push_has_arrived_when_the_last_envoy_has_answered(planes: Planes) -> None:
    """With every moment on the way, in their order."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        one, two = Envoy(plane, id_="one"), Envoy(plane, id_="two")
        settle(plane, one, two)
        arrived = followed(plane)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        plane.publisher.publish()
        one.settle()
        assert arrived == []
        two.settle()
    (journey,) = arrived
    (commit,) = journey.commits
    assert (commit.verb, commit.subjects, commit.author) == ("set-weights", ("x",), "me")
    assert journey.streams == 2
    assert journey.first is not None
    moments = [commit.asked, commit.begun, commit.decided, commit.committed, journey.begun, journey.pushed]
    moments += [journey.first, journey.last]
    assert moments == sorted(moments)


async def test_changes_of_a_window_travel_together(planes: Planes) -> None:
    """One push, two commits."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane)
        settle(plane, envoy)
        arrived = followed(plane)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        await plane.deployments.abort("x", ME)
        settle(plane, envoy)
    assert [[commit.verb for commit in journey.commits] for journey in arrived] == [["set-weights", "abort"]]


async def test_nobody_waits_for_an_envoy_that_left(planes: Planes) -> None:
    """What it was sent has arrived as far as it can."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane)
        settle(plane, envoy)
        arrived = followed(plane)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        plane.publisher.publish()
        plane.hub.close(envoy.stream)
        assert [(journey.streams, journey.first) for journey in arrived] == [(1, None)]


async def test_an_envoy_that_never_answers_is_given_up(planes: Planes) -> None:
    """What is kept of pushes has an end."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane)
        settle(plane, envoy)
        for weight in range(40):
            await plane.deployments.set_weights("x", {"a": 50 + weight % 2}, ME)
            plane.publisher.publish()
        journeys = plane.publisher.journeys
        assert journeys.given_up > 0
        assert len(journeys._underway) <= 32


async def test_each_answer_is_told_of(planes: Planes) -> None:
    """With the seconds it took."""
    async with planes() as plane:
        told: list[Verdict] = []
        plane.publisher.journeys.answered.append(told.append)
        await apply(plane, spec("x", "2", 10))
        settle(plane, Envoy(plane))
    assert told
    assert all(verdict.seconds >= 0 and verdict.error is None for verdict in told)


async def test_who_fails_to_write_it_down_stops_nothing(planes: Planes) -> None:
    """The others are told, and the Envoys served."""

    def fail(_: Journey) -> None:
        raise ValueError("no space left")

    async with planes() as plane:
        plane.publisher.journeys.arrived.append(fail)
        arrived = followed(plane)
        await apply(plane, spec("x", "2", 10))
        settle(plane, Envoy(plane))
    assert arrived
