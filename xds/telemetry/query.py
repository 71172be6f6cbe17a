"""Who can say how a version does. The Envoys' own stream is one source; Prometheus can be another.

A source may have to ask over a network, so asking is awaited. `Telemetry` answers out of memory and
has the same methods without the wait; `Live` is the two put together.
"""

from collections.abc import Callable
from typing import Protocol

from xds.telemetry.records import Point, Scope, Summary

Clock = Callable[[], float]
"""Epoch seconds."""


class MetricSource(Protocol):
    """Answers about versions.

    Raises:
        Unavailable: it can't be asked at the moment, and says why.
    """

    async def summary(self, scope: Scope, span: float) -> Summary:
        """A scope over the last `span` seconds."""

    async def series(self, scope: Scope, step: float, span: float) -> list[Point]:
        """The same in steps of `step` seconds (5 or a multiple of it), oldest first; empty steps too."""


class Answers(Protocol):
    """What `Live` needs: see `xds.telemetry.telemetry.Telemetry`."""

    def summary(self, scope: Scope, span: float, now: float) -> Summary: ...  # noqa: D102 (see there)
    def series(self, scope: Scope, step: float, span: float, now: float) -> list[Point]: ...  # noqa: D102


class Live:
    """What the Envoys report, as a source.

    Args:
        telemetry: their reports.
        clock: epoch seconds.
    """

    def __init__(self, telemetry: Answers, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock

    async def summary(self, scope: Scope, span: float) -> Summary:
        """A scope over the last `span` seconds."""
        return self._telemetry.summary(scope, span, self._clock())

    async def series(self, scope: Scope, step: float, span: float) -> list[Point]:
        """The same in steps, oldest first."""
        return self._telemetry.series(scope, step, span, self._clock())
