"""Watching: what there is, a marker, then what changes; slow readers miss what was in between."""

from collections.abc import AsyncIterator

from tests.control.conftest import Planes
from tests.control.test_lanes import Envoy, apply, spec
from xds.control.feeds import Current, Gone, Here, feed
from xds.control.standing import Standing
from xds.control.terms import Terms
from xds.fleet.listing import Envoy as Listed

ME = Terms("me", force=True)


def told(event: object) -> object:
    """A deployment's revision, an Envoy's id; all else as it is."""
    if isinstance(event, Here) and isinstance(event.value, Standing):
        return event.value.revision.deployment, event.value.revision.number
    return event.value.id if isinstance(event, Here) and isinstance(event.value, Listed) else event


async def test_a_watch_begins_with_what_there_is_and_goes_on_with_what_changes(planes: Planes) -> None:
    """Changed, made, deleted."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        events = plane.deployments.watch()
        first = [told(await anext(events)) for _ in range(3)]
        assert first == [("x", 1), ("y", 1), Current()]
        await plane.deployments.abort("x", ME)
        plane.publisher.publish()
        assert told(await anext(events)) == ("x", 2)
        await plane.deployments.delete("y", ME)
        plane.publisher.publish()
        assert told(await anext(events)) == Gone("y")


async def test_only_those_named_are_watched(planes: Planes) -> None:
    """Also one that isn't there yet."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        events = plane.deployments.watch(["z"])
        assert told(await anext(events)) == Current()
        await plane.deployments.abort("x", ME)
        await apply(plane, spec("z", "2", 10))
        assert told(await anext(events)) == ("z", 1)


async def test_a_watch_shows_how_the_envoys_follow(planes: Planes) -> None:
    """One that acknowledges is a change of the deployment's standing."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        events = plane.deployments.watch(["x"])
        assert told(await anext(events)) == ("x", 1)
        assert await anext(events) == Current()
        Envoy(plane).settle()
        event = await anext(events)
        assert isinstance(event, Here)
        assert (event.value.convergence.envoys, event.value.convergence.in_sync) == (1, 1)


async def test_the_fleet_is_watched_alike(planes: Planes) -> None:
    """Who comes, and who goes."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        one = Envoy(plane, id_="one")
        one.settle()
        events = plane.fleet.watch("default")
        assert [told(await anext(events)) for _ in range(2)] == ["one", Current()]
        Envoy(plane, id_="two").settle()
        assert told(await anext(events)) == "two"
        plane.hub.close(one.stream)
        assert told(await anext(events)) == Gone("one")


async def test_a_slow_reader_is_sent_the_end_and_not_the_way() -> None:
    """What changed back in between was never there."""

    async def looks() -> AsyncIterator[dict[str, int]]:
        for found in ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"b": 1}):
            yield found

    events = [event async for event in feed(looks())]
    assert events == [Here(1), Here(1), Current(), Here(2), Gone("a")]
