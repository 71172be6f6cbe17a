"""Following a change on its way to the Envoys: how each way of faring is told."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.control.conftest import Planes
from tests.control.test_lanes import Envoy, apply, spec
from tests.control.test_resources import cluster, give
from tests.support.waiting import eventually
from xds.admin.closing import Closing
from xds.admin.terms import Patience
from xds.admin.waiting import Waiting
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.control.confirmation import Confirmed, Progress
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.errors import NotFound
from xds.stubs import canary_admin_v1_pb2 as pb

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


async def pushed(plane: ControlPlane, envoy: Envoy) -> None:
    """Wait until the publisher has published all there is; let this one answer it."""

    async def is_out() -> bool:
        return not plane.publisher.pending

    await eventually(is_out, "the push")
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


async def test_it_does_not_count_however_soon_the_change_is_pushed(planes: Planes) -> None:
    """Nor is a good change undone for it, whenever somebody begins to follow it."""
    with_idle = spec("x", "2", 10).replace("versions: {", "versions: {b: {bento: 'x:bad', weight: 0}, ")
    with_idle = with_idle.replace("endpoints: {", "endpoints: {'x:bad': ['10.0.0.3:80'], ")
    async with planes() as plane:
        publishing = asyncio.create_task(plane.publisher.run())
        bad = Envoy(plane, lambda resource: resource.name == "x_bad")
        await plane.deployments.apply_texts([("x.yaml", with_idle)], ME)
        await pushed(plane, bad)
        assert [rejection.name for _, rejection in bad.stream.rejections()] == ["x_bad"]
        await plane.deployments.set_weights("x", {"a": 20}, ME)
        await pushed(plane, bad)
        told = await last(plane.confirm("x", timeout=LONG, rollback_on_reject=True))
        assert (told.state, told.undone_by) == (Confirmed.CONFIRMED, None)
        publishing.cancel()


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


async def test_who_follow_look_one_after_the_other(planes: Planes) -> None:
    """However many follow, between two looks everything else has its turn."""
    async with planes() as plane:
        turns: list[str] = []

        async def follow() -> None:
            async for _ in plane.pulse.looks(lambda: turns.append("look"), 0.0):
                pass

        async def work() -> None:
            while turns.count("look") < 100:
                turns.append("work")
                await asyncio.sleep(0)

        async with asyncio.timeout(LONG), asyncio.TaskGroup() as tasks:
            tasks.create_task(work())
            for _ in range(100):
                tasks.create_task(follow())
        assert ["look", "look"] not in [turns[at : at + 2] for at in range(len(turns))]


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


def dislikes_tables_with(build: bytes) -> Callable[[Resource], bool]:
    """A table is refused that names a build."""
    return lambda resource: resource.type == Type.ROUTE and build in resource.body


async def test_an_abort_is_never_undone(planes: Planes) -> None:
    """Rejected or not, nobody gets the canary back."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        bad = Envoy(plane, lambda r: r.type == Type.ROUTE and b"x_2" not in r.body)
        settle(plane, bad)
        await plane.deployments.abort("x", ME)
        settle(plane, bad)
        told = await last(plane.confirm("x", timeout=LONG, rollback_on_reject=True))
        assert (told.state, told.undone_by) == (Confirmed.REJECTED, None)
        assert plane.deployments.get("x").revision.kind == "abort"


async def test_nobody_waits_in_vain_while_anothers_table_is_tried(planes: Planes) -> None:
    """Three changes in one push, one bad: told after every single answer, the good ones are confirmed."""
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in "xyz"))
        envoy = Envoy(plane, dislikes_tables_with(b"x_spoilt"))
        settle(plane, envoy)
        for name, build in (("x", "spoilt"), ("y", "3"), ("z", "3")):
            await plane.deployments.apply_texts([(f"{name}.yaml", spec(name, build, 10))], ME)
        following = {name: plane.confirm(name, timeout=LONG, rollback_on_reject=True) for name in "xyz"}
        told = {name: [await anext(each)] for name, each in following.items()}
        plane.publisher.publish()
        while envoy.listen():
            envoy.reply()
            await asyncio.sleep(0)
        for name, each in following.items():
            told[name] += [progress async for progress in each]
        assert {name: each[-1].state for name, each in told.items()} == {
            "x": Confirmed.REJECTED,
            "y": Confirmed.CONFIRMED,
            "z": Confirmed.CONFIRMED,
        }
        assert not any(progress.rejections for name in "yz" for progress in told[name])
        assert [each[-1].undone_by for each in told.values()] == [3, None, None]


async def test_a_refusal_nobody_knows_the_reason_of_rejects_and_undoes_nothing(planes: Planes) -> None:
    """Others accepted the table, with changes of two: the Envoy is waited for."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        good, odd = Envoy(plane, id_="good"), Envoy(plane, dislikes_tables_with(b"x_3"), "odd")
        settle(plane, good, odd)
        for name in "xy":
            await plane.deployments.apply_texts([(f"{name}.yaml", spec(name, "3", 10))], ME)
        settle(plane, good, odd)
        told = await last(plane.confirm("y", timeout=SHORT, rollback_on_reject=True))
        assert (told.state, told.undone_by, told.waiting_for) == (Confirmed.TIMED_OUT, None, ("odd",))
        assert told.rejections == ("odd: RouteConfiguration default: bad",)


async def test_where_others_accepted_a_change_the_one_who_refuses_it_counts(planes: Planes) -> None:
    """Whichever of them answers first."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        good, odd = Envoy(plane, id_="good"), Envoy(plane, dislikes_tables_with(b"x_3"), "odd")
        settle(plane, good, odd)
        await plane.deployments.apply_texts([("x.yaml", spec("x", "3", 10))], ME)
        settle(plane, good, odd)
        told = await last(plane.confirm("x", timeout=LONG, rollback_on_reject=True))
        assert (told.state, told.undone_by) == (Confirmed.REJECTED, 3)
        assert told.rejections[0] == "odd: routes of x: bad"


async def test_a_write_that_changes_nothing_undoes_nothing(planes: Planes) -> None:
    """What was rejected long ago stays as it is; so it does where endpoints were written."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        bad = Envoy(plane, lambda resource: resource.name == "x_bad")
        settle(plane, bad)
        await apply(plane, spec("x", "bad", 10))
        settle(plane, bad)
        waiting, patience = Waiting(plane, Closing()), Patience(0.0, LONG, rollback_on_reject=True)
        outcome = await plane.deployments.set_weights("x", {"a": 10}, ME)
        answer = await waiting.change(outcome, patience)
        assert (answer.change.changed, answer.change.confirmation.undone_by) == (False, 0)
        (confirmation,) = await waiting.deployments(["x"], patience)
        assert confirmation.state == pb.Confirmation.REJECTED
        assert plane.deployments.get("x").revision.number == 2
