"""When a version may be stopped: nothing is in flight on it, everybody said so, and nothing can come."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import files
from tests.support.delta import CLUSTER, DeltaClient
from tests.support.metric_reports import Reports
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually
from xds.control import draining
from xds.control.confirmation import Confirmed
from xds.control.draining import Drain
from xds.control.terms import Terms
from xds.errors import NotFound
from xds.spec.gateway import Gateway, Listen

CHAT = files.documents(
    files.deployment("chat", main="m1", canary=files.split(a=("m2", 10))),
    files.endpoints(m1="127.0.0.1:3001", m2="127.0.0.1:3002"),
)
ME = Terms("test")


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serving]:
    """`main` and a canary of 10 %; reports count as soon as they come."""
    monkeypatch.setattr(draining, "_SETTLED", 0.0)
    async with serving(tmp_path, Gateway(name="default", listeners=(Listen(port=10000),))) as running:
        await running.plane.deployments.apply_texts([("chat.yaml", CHAT)], ME)
        running.plane.publisher.publish()
        yield running


@pytest.fixture
async def envoy(served: Serving) -> AsyncIterator[DeltaClient]:
    """An Envoy that has everything."""
    async with DeltaClient(served.xds, node_id="e1") as connected:
        await connected.subscribe(CLUSTER)
        await connected.ack(await connected.receive())
        yield connected


@pytest.fixture
def reports(served: Serving) -> Reports:
    """What it reports."""
    return Reports(served.plane.telemetry, "e1", "default")


async def last(served: Serving, version: str = "a", patience: float = 0.6) -> Drain:
    """How waiting ends."""
    said = [drain async for drain in served.plane.draining.follow("chat", version, patience)]
    return said[-1]


async def to_zero(served: Serving) -> None:
    """Nobody is given the canary any more, and its Envoy knows."""
    await served.plane.deployments.set_weights("chat", {"a": 0}, ME)
    served.plane.publisher.publish()


@pytest.mark.usefixtures("envoy")
async def test_it_waits_for_the_last_request(served: Serving, reports: Reports) -> None:
    """And ends when a report says that there is none."""
    await to_zero(served)
    reports.report(chat_m2={"active": 2})
    said: list[Drain] = []

    async def follow() -> None:
        async for drain in served.plane.draining.follow("chat", "a", 20.0):
            said.append(drain)  # noqa: PERF401 (to be seen while it goes on)

    async def busy() -> bool:
        reports.report(chat_m2={"active": 2})
        return bool(said) and said[-1].in_flight == 2

    following = asyncio.create_task(follow())
    await eventually(busy, "two requests in flight")

    async def over() -> bool:
        reports.report(chat_m2={"active": 0})
        return following.done()

    await eventually(over, "it is drained")
    assert said[0].state is Confirmed.WAITING
    assert any("in flight: 2" in drain.reasons for drain in said)
    end = said[-1]
    assert (end.state, end.build, end.envoys, end.reported, end.in_flight) == (
        Confirmed.CONFIRMED,
        "model:m2",
        1,
        1,
        0,
    )


@pytest.mark.usefixtures("envoy")
async def test_a_version_that_gets_requests_is_not_drained(served: Serving, reports: Reports) -> None:
    """However quiet it is."""
    reports.report(chat_m1={"2xx": 1}, chat_m2={"active": 0})

    end = await last(served)

    assert (end.state, end.reasons) == (Confirmed.TIMED_OUT, ("10 % of the requests are for it",))


@pytest.mark.usefixtures("envoy")
async def test_an_envoy_that_reports_nothing_is_waited_for(served: Serving) -> None:
    """Nobody knows what it has."""
    await to_zero(served)

    end = await last(served)

    assert end.state is Confirmed.TIMED_OUT
    assert end.reasons == ("e1: says nothing of requests in flight (a bootstrap without metrics?)",)


async def test_an_envoy_that_lacks_the_routes_is_waited_for(served: Serving, reports: Reports) -> None:
    """It still sends requests there."""
    async with DeltaClient(served.xds, node_id="e1") as behind:
        await behind.subscribe(CLUSTER)
        await behind.receive()
        await to_zero(served)
        reports.report(chat_m2={"active": 0})

        end = await last(served)

    assert end.state is Confirmed.TIMED_OUT
    assert "e1: did not acknowledge yet that nobody gets it" in end.reasons


@pytest.mark.usefixtures("envoy")
async def test_an_envoy_that_falls_silent_is_waited_for(
    served: Serving, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two requests in flight, its stream still open: nobody hears them finish."""
    await to_zero(served)
    reports.report(chat_m2={"active": 2})
    clock = served.plane.draining._clock
    later = 0.0
    monkeypatch.setattr(served.plane.draining, "_clock", lambda: clock() + later)
    said: list[Drain] = []
    async for drain in served.plane.draining.follow("chat", "a", 120.0):
        said.append(drain)
        later = 60.0 * len(said)

    assert said[0].in_flight == 2
    silent, end = said[1:]
    assert (silent.state, silent.in_flight, silent.reported) == (Confirmed.WAITING, None, 0)
    assert silent.reasons[0].startswith("e1: silent since ")
    assert silent.reasons[1:] == ("e1 (2): had requests in flight when it was heard last",)
    assert end.state is Confirmed.TIMED_OUT


@pytest.mark.usefixtures("envoy")
async def test_an_envoy_that_left_with_requests_is_waited_for(
    served: Serving, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off, it may serve them yet; the others' silence about it says nothing."""
    await to_zero(served)
    reports.report(chat_m2={"active": 0})
    gone = Reports(served.plane.telemetry, "e2", "default")
    gone.report(chat_m2={"active": 2})
    clock = served.plane.draining._clock
    later = 0.0
    monkeypatch.setattr(served.plane.draining, "_clock", lambda: clock() + later)
    gone.leave()
    said: list[Drain] = []
    async for drain in served.plane.draining.follow("chat", "a", 40.0):
        said.append(drain)
        later += 30.0
        reports._feed.last = clock() + later  # it is heard, the other isn't

    assert said[-1].state is Confirmed.TIMED_OUT
    assert said[-1].in_flight == 0
    assert said[-1].reasons == ("e2 (2): had requests in flight when it was heard last",)


async def test_without_an_envoy_nobody_can_say(served: Serving) -> None:
    """That is said at once where nobody has the time to wait."""
    await to_zero(served)

    assert (await last(served)).state is Confirmed.NO_ENVOY


@pytest.mark.usefixtures("envoy")
async def test_a_rule_sends_requests_there_still(served: Serving, reports: Reports) -> None:
    """A weight of 0 is not enough."""
    rule = "rules: [{match: {path: /beta}, version: a}]\n"
    text = CHAT.replace("canary:", f"{rule}canary:", 1)
    await served.plane.deployments.apply_texts([("chat.yaml", text)], ME)
    await to_zero(served)
    reports.report(chat_m2={"active": 0})

    end = await last(served)

    assert (end.state, end.reasons[0][:16]) == (Confirmed.TIMED_OUT, "routes name it s")


@pytest.mark.usefixtures("envoy")
async def test_a_build_without_a_label(served: Serving, reports: Reports) -> None:
    """After a promotion: the old `main`, by its tag. The label now is the build with everybody."""
    await served.plane.deployments.promote("chat", "a", ME)
    served.plane.publisher.publish()
    waiting = asyncio.create_task(last(served, "model:m1", 20.0))

    async def over() -> bool:
        reports.report(chat_m1={"active": 0}, chat_m2={"active": 5})
        return waiting.done()

    await eventually(over, "it is drained")
    assert (await waiting).build == "model:m1"
    assert (await last(served, "main")).state is Confirmed.TIMED_OUT
    with pytest.raises(NotFound, match="model:m2"):
        await last(served, "z")
