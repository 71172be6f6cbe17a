"""Reports as an Envoy sends them, made up by a test and handed to the telemetry as such."""

import bisect
import time
from collections.abc import Mapping, Sequence

from xds.telemetry.buckets import BOUNDS, BUCKETS
from xds.telemetry.message import COUNTERS, Measured, Report, Sample
from xds.telemetry.telemetry import Telemetry

Said = Mapping[str, int | Sequence[float]]
"""Counters by their name; `active`, `healthy` and `total`; `ms` and `first_ms`: how long each took."""


class Reports:
    """An Envoy that reports what it is told to."""

    def __init__(self, telemetry: Telemetry, node: str = "e1", gateway: str = "default") -> None:
        self._telemetry = telemetry
        self._feed = telemetry.join(node, gateway, time.time() - 5.0)
        self._at = 0

    def report(self, **clusters: Said) -> None:
        """Send a report: what each cluster has to say."""
        self._at += 1
        samples = {cluster: _sample(said) for cluster, said in clusters.items()}
        self._telemetry.take(self._feed, Report(self._at, samples), 100, time.time())

    def leave(self) -> None:
        """Hang up."""
        self._telemetry.leave(self._feed)


def _sample(said: Said) -> Sample:
    whole = {name: value for name, value in said.items() if isinstance(value, int)}
    return Sample(
        counts=[(COUNTERS.index(name), value) for name, value in whole.items() if name in COUNTERS],
        time=_measured(said.get("ms")),
        first_byte=_measured(said.get("first_ms")),
        active=whole.get("active"),
        healthy=whole.get("healthy"),
        total=whole.get("total"),
    )


def _measured(took: int | Sequence[float] | None) -> Measured | None:
    if not isinstance(took, Sequence):
        return None
    counts = [0] * BUCKETS
    for each in took:
        counts[bisect.bisect_left(BOUNDS, each)] += 1
    return Measured(0, counts, sum(took))
