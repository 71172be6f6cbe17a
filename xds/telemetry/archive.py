"""All series, by whose they are.

There are at most `MOST_SERIES`. When there are so many, those that were silent for an hour make room; as
long as there is none, what is new is not counted but by `crowded`. To forget what is counted now would
help nobody: it comes back with the next report, and another goes.

What is counted of requests may be taken back a report later (a copy's), so totals are the highest there were.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from xds.telemetry.message import COUNTERS
from xds.telemetry.records import Scope
from xds.telemetry.series import HOUR, Series
from xds.telemetry.window import Window

RevisionOf = Callable[[str, str], int | None]
"""Deployment and build key -> the number of the deployment's newest revision; None: no build of ours."""

MOST_SERIES = 20_000
"""Builds times gateways times revisions, within a day."""

Key = tuple[str, str, str, int]
"""Deployment, build, gateway, revision. A gateway's clock has neither deployment nor build."""

Minute = tuple[Key, int, bytes]
"""What a series saw in a minute: whose it is, when it begins (epoch seconds), the packed window."""

_COVERED = COUNTERS.index("covered")
_MICRO = 1_000_000


class Archive:
    """What was counted, when and of whom.

    Args:
        revision_of: tells the builds there are.
    """

    def __init__(self, revision_of: RevisionOf) -> None:
        self._revision_of = revision_of
        self._series: OrderedDict[Key, Series] = OrderedDict()
        """What was silent longest comes first."""
        self._keys: defaultdict[str, set[Key]] = defaultdict(set)
        """By deployment; the clocks are with ""."""
        self._past: dict[tuple[str, str, str], Window] = {}
        """By deployment, build and gateway: what series counted that are forgotten."""
        self._totals: Mapping[tuple[str, str, str], Window] = {}
        """As they were told last."""
        self.crowded = 0
        """Reports about series for which there is no room."""

    def window(self, key: Key, now: float) -> Window | None:
        """The present window of a series, to count in; None: there is no room for it."""
        series = self._series_of(key, now)
        return series.window(now) if series is not None else None

    def advance(self, gateway: str, seconds: float, now: float) -> None:
        """Put a gateway's clock on: its Envoys' reports cover so much more."""
        window = self.window(("", "", gateway, 0), now)
        if window is not None:
            window.counts[_COVERED] += round(seconds * _MICRO)

    def covered(self, gateway: str, begins: float, now: float) -> Iterator[tuple[int, float]]:
        """The seconds that a gateway's reports cover, with the beginning of the window they are in."""
        clock = self._series.get(("", "", gateway, 0))
        for start, window in clock.windows(begins, now) if clock else ():
            yield start, window.counts[_COVERED] / _MICRO

    def windows(self, key: Key, begins: float, now: float) -> Iterator[tuple[int, Window]]:
        """What a series saw from a time on, with the beginnings."""
        return self._series[key].windows(begins, now)

    def matching(self, scope: Scope) -> list[Key]:
        """The series that a scope is made of."""
        return [
            key
            for key in self._keys.get(scope.deployment, ())
            if scope.build in (None, key[1])
            and scope.gateway in (None, key[2])
            and scope.revision in (None, key[3])
        ]

    def scopes(self, deployment: str | None = None) -> Iterable[Scope]:
        """Everything there are numbers of: each with build, gateway and revision."""
        names = [deployment] if deployment is not None else [name for name in self._keys if name]
        return [Scope(*key) for name in names for key in sorted(self._keys.get(name, ()))]

    def totals(self) -> Mapping[tuple[str, str, str], Window]:
        """All that was counted since the server began, by deployment, build and gateway; they only grow."""
        found: defaultdict[tuple[str, str, str], Window] = defaultdict(Window)
        for place, window in self._past.items():
            found[place].add(window)
        for key, series in self._series.items():
            if key[0]:
                series.add_total(found[key[:3]])
        for place, window in found.items():
            if place in self._totals:
                window.rise_to(self._totals[place])
        self._totals = found
        return found

    def take_unsaved(self, now: float, *, final: bool = False) -> list[Minute]:
        """Minutes to save: those that ended since this was asked last; `final`: and the present ones."""
        unsaved: list[Minute] = []
        for key, series in list(self._series.items()):
            unsaved += [(key, *minute) for minute in series.take_unsaved(now, final=final)]
            if series.is_empty():
                self._forget(key)
        return unsaved

    def restore(self, minutes: Iterable[Minute], now: float) -> None:
        """What was saved; by beginning, oldest first."""
        for key, start, raw in minutes:
            series = self._series_of(key, float(start))
            if series is not None:
                series.restore(start, raw, now)

    def _series_of(self, key: Key, now: float) -> Series | None:
        series = self._series.get(key)
        if series is None:
            if key[0] and len(self._series) >= MOST_SERIES:  # there are few gateways
                oldest = next(iter(self._series))
                if now - self._series[oldest].last <= HOUR:
                    self.crowded += 1
                    return None
                self._forget(oldest)
            series = self._series[key] = Series()
            self._keys[key[0]].add(key)
        self._series.move_to_end(key)
        return series

    def _forget(self, key: Key) -> None:
        if key[0] and self._revision_of(key[0], key[1]) is not None:
            self._series[key].add_total(self._past.setdefault(key[:3], Window()))
        del self._series[key]
        self._keys[key[0]].discard(key)
        if not self._keys[key[0]]:
            del self._keys[key[0]]
