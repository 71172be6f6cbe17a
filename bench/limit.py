"""A time limit that also ends what hangs.

Work that asks `over` between its steps stops in good order. What does not come back by itself is ended: its
processes are killed soon after, and whoever waits for them learns it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE = 60.0


class Limit:
    """So many seconds from now, for the processes that are named to it."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._kills: list[Callable[[], None]] = []
        self.passed = False

    @property
    def left(self) -> float:
        """Seconds, never negative."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the time has passed."""
        return not self.left

    def covers(self, kill: Callable[[], None]) -> None:
        """Do this, too, if nothing else helps."""
        self._kills.append(kill)

    def enforce(self) -> None:
        """Kill them."""
        self.passed = True
        for kill in self._kills:
            kill()


@contextmanager
def limited(seconds: float, grace: float = GRACE) -> Iterator[Limit]:
    """A limit for the block."""
    limit = Limit(seconds)
    guard = threading.Timer(seconds + grace, limit.enforce)
    guard.daemon = True
    guard.start()
    try:
        yield limit
    finally:
        guard.cancel()
