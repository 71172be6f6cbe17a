"""Endpoints that register themselves, for a while."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.control.test_endpoint_verbs import at, begin, one
from tests.support.waiting import eventually
from xds.catalog.types import Type
from xds.control.endpoint_book import FADE
from xds.control.plane import ControlPlane
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.control.terms import Terms
from xds.discovery.hub import Hub
from xds.errors import InvalidInput, NotFound, StoreError
from xds.spec.gateway import Gateway, Listen
from xds.store.records import Write
from xds.store.sqlite import SqliteStore

ME = Terms("pod")


class Timed:
    """A control plane whose time is the test's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.now = 0.0

    @contextlib.asynccontextmanager
    async def start(self) -> AsyncIterator[ControlPlane]:
        """Start one; a second one starts from what the first one stored."""
        gateways = (Gateway(name="default", listeners=(Listen(port=10000),)),)
        with ThreadPoolExecutor(1) as thread:
            store = thread.submit(SqliteStore, self._folder / "canary.db").result()
            state = State(gateways, thread.submit(store.load, 0.0).result(), clock=lambda: self.now)
            self.state = state
            yield ControlPlane(state, store, thread, Publisher(state, Hub(["default"]), lambda _: None))
            thread.submit(store.close).result()


@pytest.fixture
def timed(tmp_path: Path) -> Timed:
    """Starts control planes."""
    return Timed(tmp_path)


@contextlib.asynccontextmanager
async def running(plane: ControlPlane) -> AsyncIterator[None]:
    """The task that ends leases is there."""
    task = asyncio.create_task(plane.endpoints.run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def has(plane: ControlPlane, target: str, usable: int) -> Callable[[], Awaitable[bool]]:
    """Whether a build has so many usable endpoints."""

    async def look() -> bool:
        return one(plane, target).usable == usable

    return look


async def test_a_lease_is_made_once_and_renewed_without_a_write(timed: Timed) -> None:
    """A thousand heartbeats cost the disk nothing."""
    async with timed.start() as plane:
        await begin(plane)
        first = await plane.endpoints.register("s:2", at(9)[0], 30, ME)
        plane.publisher.publish()
        lines = await plane.audit()
        timed.now = 20.0
        again = await plane.endpoints.register("s:2", at(9)[0], 30, ME)
        assert (first.created, again.created, await plane.audit()) == (True, False, lines)
        assert timed.state.book.next_due() == 50.0
        assert not plane.publisher.pending


async def test_a_lease_that_is_not_renewed_ends(timed: Timed) -> None:
    """And the audit says so."""
    async with timed.start() as plane:
        await begin(plane)
        await plane.endpoints.register("s:2", at(9)[0], 30, ME)
        timed.now = 29.99
        async with running(plane):
            await asyncio.sleep(0)
            timed.now = 30.5
            await eventually(has(plane, "s:2", 1), "it is over")
        (_, entry), *_ = await plane.audit()
        assert (entry.verb, entry.subjects) == ("endpoints expire", ("s:2", "s"))


async def test_every_lease_has_its_time_again_after_a_restart(timed: Timed) -> None:
    """Nobody could renew it meanwhile."""
    async with timed.start() as plane:
        await begin(plane)
        await plane.endpoints.register("s:2", at(9)[0], 30, ME)
    timed.now = 1_000.0
    async with timed.start() as plane:
        assert one(plane, "s:2").usable == 2
        timed.now = 1_029.99
        async with running(plane):
            await asyncio.sleep(0)
            timed.now = 1_030.5
            await eventually(has(plane, "s:2", 1), "it is over")


async def test_a_server_that_was_stopped_ends_no_lease_for_it(timed: Timed) -> None:
    """Its clients could not reach it: every lease has its time again."""
    async with timed.start() as plane:
        await begin(plane)
        await plane.endpoints.register("s:2", at(9)[0], 30, ME)
        timed.now = 29.99
        async with running(plane):
            await asyncio.sleep(0)
            timed.now = 90.0

            async def renewed() -> bool:
                return timed.state.book.next_due() == 120.0

            await eventually(renewed, "it has its time again")
        assert one(plane, "s:2").usable == 2


async def test_a_store_that_fails_for_a_while_renews_no_lease(
    timed: Timed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended as soon as that can be written, however late that is."""
    monkeypatch.setattr("xds.control.endpoints._RETRY", 0.0)
    commit, failures = SqliteStore.commit, iter([StoreError("the disk is full")] * 2)

    def failing(store: SqliteStore, write: Write) -> int:
        failure = next(failures, None) if write.leases else None
        if failure is not None:
            timed.now += 5.0
            raise failure
        return commit(store, write)

    async with timed.start() as plane:
        await begin(plane)
        await plane.endpoints.register("s:2", at(9)[0], 30, ME)
        monkeypatch.setattr(SqliteStore, "commit", failing)
        timed.now = 29.99
        async with running(plane):
            await asyncio.sleep(0)
            timed.now = 30.5
            await eventually(has(plane, "s:2", 1), "it is over")


async def test_deregister_ends_it_at_once(timed: Timed) -> None:
    """A pod that stops says goodbye; a second goodbye finds nothing."""
    async with timed.start() as plane:
        await begin(plane)
        await plane.endpoints.register("s:2", at(9)[0], 30, ME)
        outcome = await plane.endpoints.deregister("s:2", at(9)[0], ME)
        assert outcome.build.usable == 1
        with pytest.raises(NotFound, match="no lease"):
            await plane.endpoints.deregister("s:2", at(9)[0], ME)


async def test_a_lease_keeps_its_build_when_its_version_changes(timed: Timed) -> None:
    """What runs there is what ran there before the label went to another build."""
    async with timed.start() as plane:
        await begin(plane)
        await plane.endpoints.register("s@a", at(9)[0], 30, ME)
        await plane.deployments.promote("s", "a", Terms("me"))
        renewed = await plane.endpoints.register("s@a", at(9)[0], 30, ME)
        assert (renewed.ref, renewed.created) == ("s:2", False)


@pytest.mark.parametrize("ttl", [0.0, 0.9, 3601.0, -1.0, float("nan")])
async def test_a_time_to_live_has_bounds(timed: Timed, ttl: float) -> None:
    """1 s to 1 h."""
    async with timed.start() as plane:
        with pytest.raises(InvalidInput, match="1 s to 1 h"):
            await plane.endpoints.register("s:2", at(9)[0], ttl, ME)


async def test_removing_ends_a_lease(timed: Timed) -> None:
    """By hand, from outside."""
    async with timed.start() as plane:
        await begin(plane)
        await plane.endpoints.register("s:2", at(9)[0], 30, ME)
        outcome = await plane.endpoints.remove("s:2", at(9), ME)
        assert outcome.build.usable == 1


async def test_the_last_endpoints_go_when_their_time_is_over(timed: Timed) -> None:
    """The publisher wakes up for it."""
    async with timed.start() as plane:
        await begin(plane)
        await plane.endpoints.drain("s:2", (), ME)
        plane.publisher.publish()
        catalog = plane.hub.catalogs["default"]
        before = catalog.fingerprint(Type.ENDPOINT)
        timed.now = FADE - 0.01
        publishing = asyncio.create_task(plane.publisher.run())
        await asyncio.sleep(0)
        timed.now = FADE

        async def emptied() -> bool:
            return catalog.fingerprint(Type.ENDPOINT) != before

        await eventually(emptied, "they are gone")
        publishing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await publishing
