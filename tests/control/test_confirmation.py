"""Following a change on its way to the Envoys: how each way of faring is told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.control.conftest import Planes
from tests.control.test_lanes import Envoy, apply, spec
from tests.control.test_resources import cluster, give
from tests.support.waiting import eventually
from xds.control.confirmation import Confirmed, Progress
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.errors import NotFound

LONG, SHORT = 20.0, 0.3
"""Seconds: for what happens, and for what doesn't."""

ME = Terms("me", force=True)


async def last(following: AsyncIterator[Progress]) -> Progress:
    """How it fared."""
    return [progress async for progress in following][-1]


def settle(plane: ControlPlane, *envoys: Envoy) -> None:
    """Publish, and let these answer all that they are sent."""
    plane.publisher.publish()
    for envoy in envoys:
        envoy.settle()


async def test_a_change_is_confirmed_when_every_envoy_has_it(planes: Planes) -> None:
    """First nobody, then one, then both."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        one, two = Envoy(plane, id_="one"), Envoy(plane, id_="two")
        settle(plane, one, two)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        following = plane.confirm("x", timeout=LONG)
        assert await anext(following) == Progress(Confirmed.WAITING, 2, 0, (), ("one", "two"))
        settle(plane, one)
        assert await anext(following) == Progress(Confirmed.WAITING, 2, 1, (), ("two",))
        settle(plane, two)
        assert [each async for each in following] == [Progress(Confirmed.CONFIRMED, 2, 2)]


async def test_a_share_of_the_envoys_can_be_enough(planes: Planes) -> None:
    """Rounded up."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoys = [Envoy(plane, id_=f"e{number}") for number in range(4)]
        settle(plane, *envoys)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        settle(plane, *envoys[:3])
        assert await last(plane.confirm("x", share=0.6, timeout=LONG)) == Progress(
            Confirmed.CONFIRMED, 4, 3, (), ("e3",)
        )


async def test_a_rejection_ends_it_and_says_which_envoy_and_why(planes: Planes) -> None:
    """At the first one."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        good, bad = Envoy(plane, id_="good"), Envoy(plane, lambda r: r.name == "x_bad", "bad")
        settle(plane, good, bad)
        await plane.deployments.apply_texts([("x.yaml", spec("x", "bad", 10))], ME)
        settle(plane, bad)
        told = await last(plane.confirm("x", timeout=LONG))
        assert (told.state, told.envoys, told.undone_by) == (Confirmed.REJECTED, 2, None)
        assert [text.partition(": ")[2].partition(": ")[0] for text in told.rejections] == ["Cluster x_bad"]
        assert told.rejections[0].startswith("bad: ")


async def test_a_rejected_change_is_undone_where_that_was_asked_for(planes: Planes) -> None:
    """Back to the very revision before, as a rollback that says why."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        bad = Envoy(plane, lambda resource: resource.name == "x_bad", "bad")
        settle(plane, bad)
        await plane.deployments.abort("x", ME)
        await plane.deployments.apply_texts([("x.yaml", spec("x", "bad", 10))], ME)
        settle(plane, bad)
        told = await last(plane.confirm("x", 3, timeout=LONG, rollback_on_reject=True))
        undone = plane.deployments.get("x").revision
        assert (told.state, told.undone_by) == (Confirmed.REJECTED, 4)
        assert (undone.number, undone.kind, undone.source) == (4, "rollback", 2)
        assert undone.note.comment.startswith("undone: bad: Cluster x_bad")


async def test_a_rejected_creation_is_undone_by_deleting_it(planes: Planes) -> None:
    """There is nothing before it."""
    async with planes() as plane:
        bad = Envoy(plane, lambda resource: resource.name == "x_bad")
        await apply(plane, spec("x", "bad", 10))
        settle(plane, bad)
        told = await last(plane.confirm("x", timeout=LONG, rollback_on_reject=True))
        assert (told.state, told.undone_by) == (Confirmed.REJECTED, 2)
        with pytest.raises(NotFound, match="was deleted"):
            plane.deployments.get("x")


async def test_what_was_refused_before_and_gets_no_traffic_does_not_count(planes: Planes) -> None:
    """An abort is confirmed although the canary's cluster is still refused."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        bad = Envoy(plane, lambda resource: resource.name == "x_bad")
        settle(plane, bad)
        await apply(plane, spec("x", "bad", 10))
        settle(plane, bad)
        await plane.deployments.abort("x", ME)
        following = plane.confirm("x", timeout=LONG)
        assert (await anext(following)).state is Confirmed.WAITING
        settle(plane, bad)
        assert (await last(following)).state is Confirmed.CONFIRMED


async def test_a_version_that_was_refused_before_and_gets_traffic_counts(planes: Planes) -> None:
    """The Envoy can't have the new split."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        bad = Envoy(plane, lambda resource: resource.name == "x_bad")
        settle(plane, bad)
        await apply(plane, spec("x", "bad", 10))
        settle(plane, bad)
        await plane.deployments.set_weights("x", {"a": 50}, ME)
        following = plane.confirm("x", timeout=LONG)
        assert (await anext(following)).state is Confirmed.WAITING
        settle(plane, bad)
        assert (await last(following)).state is Confirmed.REJECTED


async def test_another_deployments_rejection_does_not_count(planes: Planes) -> None:
    """It is held at what works, and the others go on."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        bad = Envoy(plane, lambda resource: resource.name == "x_bad")
        settle(plane, bad)
        await apply(plane, spec("x", "bad", 10))
        await plane.deployments.set_weights("y", {"a": 20}, ME)
        settle(plane, bad)
        assert (await last(plane.confirm("y", timeout=LONG))).state is Confirmed.CONFIRMED


async def test_an_envoy_that_does_not_answer_is_waited_for_in_vain(planes: Planes) -> None:
    """The last progress names it."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane)
        settle(plane, envoy)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        plane.publisher.publish()
        assert await last(plane.confirm("x", timeout=SHORT)) == Progress(
            Confirmed.TIMED_OUT, 1, 0, (), ("e",)
        )


async def test_without_an_envoy_nothing_is_confirmed(planes: Planes) -> None:
    """And that is said."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        assert await last(plane.confirm("x", timeout=SHORT)) == Progress(Confirmed.NO_ENVOY, 0, 0)


async def test_where_no_envoy_turns_up_nobody_waits_for_long(
    planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However patient the caller is: the test's own time limit is far below an hour."""
    monkeypatch.setattr("xds.control.confirmation.ARRIVAL", SHORT)
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        assert (await last(plane.confirm("x", timeout=3600))).state is Confirmed.NO_ENVOY


async def test_a_change_that_another_replaces_is_superseded(planes: Planes) -> None:
    """Before any Envoy had it."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane)
        settle(plane, envoy)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        following = plane.confirm("x", timeout=LONG)
        assert (await anext(following)).state is Confirmed.WAITING
        await plane.deployments.set_weights("x", {"a": 30}, ME)
        assert (await last(following)).state is Confirmed.SUPERSEDED


async def test_newer_changes_of_others_do_not_starve_it(planes: Planes) -> None:
    """An Envoy that is never in sync, as there is always something newer, has confirmed what it answered."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        envoy = Envoy(plane)
        settle(plane, envoy)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        following = plane.confirm("x", timeout=LONG)
        assert (await anext(following)).state is Confirmed.WAITING
        plane.publisher.publish()
        for weight in (20, 30, 40):
            assert envoy.listen()
            await plane.deployments.set_weights("y", {"a": weight}, ME)
            plane.publisher.publish()
            envoy.reply()
            assert not envoy.stream.in_sync
        assert (await last(following)).state is Confirmed.CONFIRMED


async def test_an_envoy_that_comes_late_is_waited_for(planes: Planes) -> None:
    """None was there at the beginning."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        following = plane.confirm("x", timeout=LONG)
        assert (await anext(following)).envoys == 0
        envoy = Envoy(plane)
        envoy.settle()
        assert await last(following) == Progress(Confirmed.CONFIRMED, 1, 1)


async def test_who_follows_looks_seldom_however_much_is_acknowledged(planes: Planes) -> None:
    """A thousand beats within one pause are one look."""
    async with planes() as plane:
        looked: list[int] = []

        async def follow() -> None:
            async for _ in plane.pulse.looks(lambda: looked.append(0)):
                pass

        async def seen() -> bool:
            return len(looked) == 2

        follower = asyncio.create_task(follow())
        await asyncio.sleep(0)
        for _ in range(1000):
            plane.pulse.beat()
        await eventually(seen, "one more look")
        follower.cancel()
        assert len(looked) == 2


async def test_resources_that_an_envoy_refuses_are_undone(planes: Planes) -> None:
    """Back to the set before."""
    async with planes() as plane:
        envoy = Envoy(plane, lambda resource: b"legacy" in resource.body and b"bad" in resource.body)
        await give(plane, cluster())
        settle(plane, envoy)
        await give(plane, cluster(alt_stat_name="bad"))
        settle(plane, envoy)
        told = await last(plane.confirm_resources("default", timeout=LONG, rollback_on_reject=True))
        given = plane.resources.get("default").given
        assert given is not None
        assert (told.state, told.undone_by, given.source) == (Confirmed.REJECTED, 3, 1)


async def test_a_revision_that_is_in_force_no_more_is_superseded(planes: Planes) -> None:
    """However well the fleet has got on with the one that is."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        envoy = Envoy(plane)
        settle(plane, envoy)
        assert (await last(plane.confirm("x", 1, timeout=LONG))).state is Confirmed.SUPERSEDED


async def test_a_revision_that_never_went_out_is_not_confirmed(planes: Planes) -> None:
    """The push that was to carry it carried the next one."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane)
        settle(plane, envoy)
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        following = plane.confirm("x", timeout=LONG)
        assert (await anext(following)).state is Confirmed.WAITING
        await plane.deployments.set_weights("x", {"a": 30}, ME)
        settle(plane, envoy)
        assert (await last(following)).state is Confirmed.SUPERSEDED
