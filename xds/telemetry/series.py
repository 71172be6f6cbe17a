"""The windows of one series: five seconds each for an hour, a minute each for a day; empty ones aren't kept.

A window that is over is packed and added to its minute. What a server that starts gets back are
minutes only: each stands for its twelve windows, at the time of the first.
"""

from collections import deque
from collections.abc import Iterator

from xds.telemetry.window import Window, pack, unpack

STEP = 5
"""Seconds of a fine window."""
MINUTE = 60
HOUR = 3600
DAY = 24 * HOUR

Stretch = tuple[int, bytes]
"""When it begins (epoch seconds), and the packed window."""


class Series:
    """Windows by time. Time must not go back; where it does, the newest window takes it all."""

    def __init__(self) -> None:
        self._fine: deque[Stretch] = deque()
        self._coarse: deque[Stretch] = deque()
        self._unsaved: deque[Stretch] = deque(maxlen=DAY // MINUTE)
        self._open: tuple[int, Window] | None = None
        self._minute: tuple[int, Window] | None = None
        self._total = Window()
        self.last = 0.0
        """When something was counted last."""

    def window(self, now: float) -> Window:
        """The present window, to count in."""
        self.last = now
        start = _floor(now, STEP)
        if self._open is None or self._open[0] < start:
            self.settle(now)
            self._open = (start, Window())
        return self._open[1]

    def settle(self, now: float) -> None:
        """Close what is over, and forget what is too old."""
        if self._open is not None and self._open[0] < _floor(now, STEP):
            start, window = self._open
            self._open = None
            self._fine.append((start, pack(window)))
            self._total.add(window)
            self._add_to_minute(_floor(start, MINUTE), window)
        if self._minute is not None and self._minute[0] < _floor(now, MINUTE):
            self._close_minute()
        _forget(self._fine, now - HOUR - MINUTE)
        _forget(self._coarse, now - DAY)

    def take_unsaved(self, now: float, *, final: bool = False) -> list[Stretch]:
        """The minutes that ended since this was asked last; `final`: and the present one, as it is so far."""
        self.settle(now)
        taken = list(self._unsaved)
        self._unsaved.clear()
        if final:
            minutes: dict[int, Window] = {}
            for held in (self._minute, self._open):
                if held is not None:
                    minutes.setdefault(_floor(held[0], MINUTE), Window()).add(held[1])
            taken += [(start, pack(window)) for start, window in minutes.items()]
        return taken

    def restore(self, start: int, raw: bytes, now: float) -> None:
        """A minute that was saved; oldest first, and before anything is counted."""
        if start > now - HOUR - MINUTE:
            self._fine.append((start, raw))
        if start == _floor(now, MINUTE):
            self._minute = (start, unpack(raw))
        else:
            self._coarse.append((start, raw))
        self.last = max(self.last, float(start))

    def windows(self, begins: float, now: float) -> Iterator[tuple[int, Window]]:
        """All from a time on, with their beginnings; by minutes where they are older than an hour."""
        border = begins
        if begins < now - HOUR - STEP:
            border = _floor(now - HOUR, MINUTE)
            yield from _since(self._coarse, begins, border)
        yield from _since(self._fine, border, now + DAY)
        if self._open is not None and self._open[0] >= begins:
            yield self._open

    def add_total(self, to: Window) -> None:
        """Add all that was ever counted here (not what was restored) to a window."""
        to.add(self._total)
        if self._open is not None:
            to.add(self._open[1])

    def is_empty(self) -> bool:
        """Whether there is nothing left."""
        return not (self._fine or self._coarse or self._open or self._minute or self._unsaved)

    def _add_to_minute(self, start: int, window: Window) -> None:
        if self._minute is not None and self._minute[0] < start:
            self._close_minute()
        if self._minute is None:
            self._minute = (start, Window())
        self._minute[1].add(window)

    def _close_minute(self) -> None:
        if self._minute is not None:
            start, window = self._minute
            self._coarse.append((start, pack(window)))
            self._unsaved.append(self._coarse[-1])
            self._minute = None


def _since(stretches: deque[Stretch], begins: float, until: float) -> Iterator[tuple[int, Window]]:
    """Those that begin in a time, oldest first."""
    wanted = []
    for stretch in reversed(stretches):
        if stretch[0] < begins:
            break
        if stretch[0] < until:
            wanted.append(stretch)
    for start, raw in reversed(wanted):
        yield start, unpack(raw)


def _forget(stretches: deque[Stretch], before: float) -> None:
    while stretches and stretches[0][0] < before:
        stretches.popleft()


def _floor(at: float, step: int) -> int:
    return int(at) // step * step
