"""When pushes happen: a lone change at once, what follows within the window together."""

import asyncio
import selectors
from collections.abc import Iterable
from itertools import pairwise

from tests.control.conftest import DEFAULT
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.discovery.hub import Hub
from xds.store.records import Memory

WINDOW = 0.05


class Skipping(selectors.DefaultSelector):
    """Instead of waiting, it moves the clock on."""

    now = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What there is at once."""
        self.now += max(0.0, timeout or 0.0)
        return super().select(0)


class FakeLoop(asyncio.SelectorEventLoop):
    """Its clock stands still while there is something to do."""

    def __init__(self) -> None:
        self._skipping = Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Seconds of a clock that nobody waits for."""
        return self._skipping.now


def pushes(changes: Iterable[float], *, resources: bool = False) -> list[float]:
    """When there is a push, if something changes at these moments (seconds)."""
    made: list[float] = []

    async def push() -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        publisher = Publisher(State((DEFAULT,), Memory({}, {}, {}, {})), Hub(["default"]), print, WINDOW)
        publisher.journeys.pushed = lambda *_: made.append(round(loop.time() - begun, 6))  # type: ignore[method-assign]
        running = asyncio.create_task(publisher.run())
        for at in changes:
            await asyncio.sleep(begun + at - loop.time())
            (publisher.touch_resources if resources else publisher.touch)(["default"])
        await asyncio.sleep(1.0)
        running.cancel()

    with asyncio.Runner(loop_factory=FakeLoop) as runner:
        runner.run(push())
    return made


def test_a_lone_change_is_pushed_at_once() -> None:
    """Nothing was pushed within the last window."""
    assert pushes([0.5, 0.8]) == [0.5, 0.8]


def test_what_people_give_a_gateway_is_pushed_at_once_too() -> None:
    """It goes the same way."""
    assert pushes([0.5, 0.51, 0.52], resources=True) == [0.5, 0.55]


def test_what_follows_within_the_window_is_gathered() -> None:
    """And pushed when the window closes."""
    assert pushes([0.5, 0.51, 0.52, 0.54]) == [0.5, 0.55]


def test_a_storm_makes_one_push_a_window() -> None:
    """However many changes there are."""
    storm = [0.5 + change / 1_000 for change in range(500)]
    made = pushes(storm)
    assert len(made) == 11
    assert all(later - sooner >= WINDOW - 1e-6 for sooner, later in pairwise(made))


def test_the_first_push_waits_for_nothing() -> None:
    """There was none before it."""
    assert pushes([0.0]) == [0.0]
