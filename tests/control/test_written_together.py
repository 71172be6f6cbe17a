"""Changes at the same time are written together, and each caller hears of its own."""

import asyncio
from collections.abc import Iterable

import pytest

from tests.control.conftest import Planes
from tests.control.test_lanes import apply, spec
from xds.control import writer
from xds.control.plane import ControlPlane
from xds.control.standing import Outcome
from xds.control.state import State
from xds.control.terms import Terms
from xds.errors import Conflict, NotFound, StoreError
from xds.store.records import Write
from xds.store.sqlite import SqliteStore

ME = Terms("me", force=True)
NAMES = tuple("abcdefgh")


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The deployments in each transaction; one with revision 2 of `bad` fails."""
    made: list[list[str]] = []
    commit = SqliteStore.commit

    def watched(store: SqliteStore, *writes: Write) -> int:
        names = [revision.deployment for write in writes for revision in write.revisions]
        if "bad" in names and any(revision.number > 1 for write in writes for revision in write.revisions):
            raise StoreError("the disk is full")
        number = commit(store, *writes)
        made.append(names)
        return number

    monkeypatch.setattr(SqliteStore, "commit", watched)
    return made


async def all_at_once(plane: ControlPlane, names: Iterable[str]) -> list[Outcome | BaseException]:
    """A weight change of each."""
    changes = (plane.deployments.set_weights(name, {"a": 20}, ME) for name in names)
    return await asyncio.gather(*changes, return_exceptions=True)


async def test_changes_at_the_same_time_share_a_transaction(
    planes: Planes, transactions: list[list[str]]
) -> None:
    """Those that come while one is written go with the next."""
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in NAMES))
        transactions.clear()
        outcomes = await all_at_once(plane, NAMES)
    assert [outcome.changed for outcome in outcomes if isinstance(outcome, Outcome)] == [True] * len(NAMES)
    assert transactions == [["a"], list("bcdefgh")]


async def test_a_caller_hears_when_its_own_is_durable(planes: Planes, transactions: list[list[str]]) -> None:
    """And not before."""
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in NAMES))
        transactions.clear()

        async def change(name: str) -> bool:
            await plane.deployments.set_weights(name, {"a": 20}, ME)
            return any(name in each for each in transactions)

        assert all(await asyncio.gather(*map(change, NAMES)))


async def test_one_that_can_not_be_written_takes_nobody_along(
    planes: Planes, transactions: list[list[str]]
) -> None:
    """The others are written, each by itself."""
    names = ("a", "bad", "c")
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in names))
        transactions.clear()
        outcomes = await all_at_once(plane, names)
        assert [isinstance(outcome, StoreError) for outcome in outcomes] == [False, True, False]
        assert transactions == [["a"], ["c"]]
        assert [plane.deployments.get(name).revision.number for name in names] == [2, 1, 2]


async def test_one_that_is_written_and_not_followed_takes_nobody_along(
    planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug's victim hears of it; whoever else is in the transaction is served."""
    adopt = State.adopt

    def fails(state: State, write: Write, now: float) -> set[str]:
        if any(revision.deployment == "bad" for revision in write.revisions):
            raise ValueError("a bug")
        return adopt(state, write, now)

    names = ("a", "bad", "c")
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in names))
        monkeypatch.setattr(State, "adopt", fails)
        outcomes = await all_at_once(plane, names)
        assert [isinstance(outcome, ValueError) for outcome in outcomes] == [False, True, False]
        assert [plane.deployments.get(name).revision.number for name in names] == [2, 1, 2]


async def test_nobody_is_told_of_success_by_whoever_failed_to_write_it(
    planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that fails in the store."""
    names = ("a", "b", "c")
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in names))

        def fails(_: SqliteStore, *__: Write) -> int:
            raise ValueError("a bug")

        monkeypatch.setattr(SqliteStore, "commit", fails)
        outcomes = await all_at_once(plane, names)
        assert all(isinstance(outcome, Exception) for outcome in outcomes)


async def test_all_is_followed_before_anything_is_said_of_it(
    planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that can't be written keeps nobody from having what is durable."""
    names = ("a", "b", "c")
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in names))

        def fails(_: Write) -> None:
            raise OSError("nobody reads it")

        monkeypatch.setattr(writer, "_log", fails)
        await all_at_once(plane, names)
        assert [plane.deployments.get(name).revision.number for name in names] == [2, 2, 2]


async def test_of_two_who_saw_the_same_one_is_told_of_the_other(planes: Planes) -> None:
    """Also when they come at the same time."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        seen = Terms("me", expected=1, force=True)
        both = [plane.deployments.set_weights("x", {"a": share}, seen) for share in (20, 30)]
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert [isinstance(outcome, Conflict) for outcome in outcomes] == [False, True]


async def test_a_retry_beside_the_request_it_repeats_is_answered_alike(planes: Planes) -> None:
    """It is done once."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        terms = Terms("me", request="r1", force=True)
        twice = [plane.deployments.set_weights("x", {"a": 20}, terms) for _ in range(2)]
        outcomes = await asyncio.gather(*twice)
        assert [outcome.standing.revision.number for outcome in outcomes] == [2, 2]


async def test_the_last_endpoint_does_not_go_while_users_come(planes: Planes) -> None:
    """What is decided of a build's endpoints and of its users is decided one after the other."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 0))
        both = (
            plane.endpoints.drain("x@a", [], Terms("me")),
            plane.deployments.set_weights("x", {"a": 100, "main": 0}, Terms("me")),
        )
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert [isinstance(outcome, BaseException) for outcome in outcomes] == [False, True]


async def test_who_names_what_is_not_there_waits_for_nobody_else(planes: Planes) -> None:
    """A change of endpoints that nothing can come of, beside a long one of another deployment."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        begun, ends = asyncio.Event(), asyncio.Event()

        async def long() -> None:
            begun.set()
            await ends.wait()

        other = asyncio.create_task(plane.writer.alone(long, lambda: frozenset({"y"})))
        await begun.wait()
        with pytest.raises(NotFound):
            await asyncio.wait_for(plane.endpoints.drain("x@nobody", [], ME), 5)
        ends.set()
        await other
