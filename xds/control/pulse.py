"""The pulse: something happened that a watcher may want to see.

It says no more than that: whoever listens looks again at what it cares for. Beats that come while
nobody looks are one, so a slow watcher costs nothing, and without any watcher a beat is an addition.
Watchers look one after the other, and everything else has its turn in between.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.05
"""Seconds between two looks of one watcher, at least."""

_REST = 4
"""A watcher rests so many times as long as its look took, with the wait for its turn: all of them together
leave room for the work."""


class Pulse:
    """Beats whenever a commit, a push, a verdict, or an Envoy that comes or goes may change a picture."""

    def __init__(self) -> None:
        self._beats = 0
        self._waiting: list[asyncio.Event] = []
        self._turn = asyncio.Lock()

    def beat(self) -> None:
        """Something happened."""
        self._beats += 1
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for event in waiting:
                event.set()

    async def looks(self, look: Callable[[], T], patience: float | None = None) -> AsyncIterator[T]:
        """What a look shows: now, after beats, and a last time when patience is at its end.

        Args:
            look: how to look; it doesn't wait for anything.
            patience: seconds; None: for ever.
        """
        end = None if patience is None else time.monotonic() + patience
        while True:
            came = time.monotonic()
            async with self._turn:
                seen, began = self._beats, time.monotonic()
                shown = look()
                rest = max(PAUSE, _REST * (time.monotonic() - came))
                await asyncio.sleep(0)
            yield shown
            if end is not None and began >= end:
                return
            await asyncio.sleep(rest if end is None else min(rest, max(0.0, end - time.monotonic())))
            await self._after(seen, end)

    async def _after(self, seen: int, end: float | None) -> None:
        """Wait for a beat after these, but not for longer than to the end."""
        if self._beats != seen:
            return
        event = asyncio.Event()
        self._waiting.append(event)
        try:
            async with asyncio.timeout(None if end is None else max(0.0, end - time.monotonic())):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            if event in self._waiting:
                self._waiting.remove(event)
