"""Whose turn it is: what concerns the same comes one after the other, all else side by side."""

import asyncio

from xds.control.turns import Concerns, Turns, anything


class Work:
    """Changes that begin when it is their turn, and end when they are told to."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, concerns: Concerns) -> None:
        """A change is asked for."""
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._work(name, concerns))
        await asyncio.sleep(0)

    async def _work(self, name: str, concerns: Concerns) -> None:
        async with self.turns.turn(concerns):
            self.begun.append(name)
            await self.ends[name].wait()

    async def end(self, name: str) -> None:
        """It is done."""
        self.ends[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)


def of(*names: str) -> Concerns:
    """What concerns these."""
    return lambda: frozenset(names)


async def test_what_concerns_the_same_comes_one_after_the_other() -> None:
    """In the order it was asked for."""
    work = Work()
    for name in ("one", "two", "three"):
        await work.ask(name, of("x"))
    assert work.begun == ["one"]
    await work.end("one")
    assert work.begun == ["one", "two"]
    await work.end("two")
    assert work.begun == ["one", "two", "three"]


async def test_what_has_nothing_in_common_goes_on_side_by_side() -> None:
    """However long one takes."""
    work = Work()
    await work.ask("one", of("x"))
    await work.ask("two", of("y"))
    assert work.begun == ["one", "two"]


async def test_who_waits_is_not_overtaken_in_what_it_waits_for() -> None:
    """Though what it waits for would be free for a later one."""
    work = Work()
    await work.ask("one", of("x"))
    await work.ask("two", of("x", "y"))
    await work.ask("three", of("y"))
    await work.ask("four", of("z"))
    assert work.begun == ["one", "four"]
    await work.end("one")
    assert work.begun == ["one", "four", "two"]


async def test_what_may_concern_anything_is_alone() -> None:
    """It waits for everybody before it, and everybody after it waits."""
    work = Work()
    await work.ask("one", of("x"))
    await work.ask("all", anything)
    await work.ask("two", of("y"))
    assert work.begun == ["one"]
    await work.end("one")
    assert work.begun == ["one", "all"]
    await work.end("all")
    assert work.begun == ["one", "all", "two"]


async def test_who_goes_away_while_waiting_holds_up_nobody() -> None:
    """Nor does who goes away while at work."""
    work = Work()
    await work.ask("one", of("x"))
    await work.ask("two", anything)
    await work.ask("three", of("x"))
    for name in ("two", "one"):
        work.tasks[name].cancel()
        await asyncio.wait([work.tasks[name]])
    await asyncio.sleep(0)
    assert work.begun == ["one", "three"]


async def test_what_a_change_concerns_is_asked_when_it_may_begin() -> None:
    """The change before may have made it something else."""
    work = Work()
    now = {"x"}
    await work.ask("one", of("x", "y"))
    await work.ask("two", lambda: frozenset(now))
    await work.ask("three", of("y"))
    now.clear()
    now.add("y")
    await work.end("one")
    assert work.begun == ["one", "two"]
