"""Latencies as counts in fixed buckets, so that Envoys', windows' and versions' can be added up.

The bounds are those that our bootstrap gives Envoy. A percentile is interpolated inside the bucket it is
in. The true one is in the same bucket, so the two differ by a factor of `RATIO` at most. Envoy cuts what
it measures down to whole milliseconds before, which may be another one.

Counts are a list: one for each bucket, and the last for what took longer than the last bound.
"""

import operator
from collections.abc import Iterable, Sequence

from xds.telemetry.records import Latency
from xds.translate.bootstrap import BUCKETS as ENVOYS_BOUNDS

BOUNDS = ENVOYS_BOUNDS
"""Upper bounds in milliseconds."""

BUCKETS = len(BOUNDS) + 1

RATIO = 1.25
"""The widest bucket: 1.2 to 1.5."""

ERROR = RATIO - 1
"""How far off a percentile may be, relative to the true one."""

_SECOND = 1000.0
"""In milliseconds."""


def percentile(counts: Sequence[int], share: float) -> float:
    """The value below which a share of what was counted lies, in milliseconds.

    What took longer than the last bound counts as that bound.
    """
    rank, seen = share * sum(counts), 0
    for place, count in enumerate(counts):
        if count and seen + count >= rank:
            if place == len(BOUNDS):
                return BOUNDS[-1]
            lower = BOUNDS[place - 1] if place else 0.0
            return lower + (BOUNDS[place] - lower) * max(0.0, rank - seen) / count
        seen += count
    return 0.0


def latency(counts: Sequence[int], total: float) -> Latency:
    """Counts, and the milliseconds they add up to, as people want them."""
    count = sum(counts)
    if not count:
        return Latency()
    p50, p90, p95, p99 = (percentile(counts, share) / _SECOND for share in (0.5, 0.9, 0.95, 0.99))
    return Latency(count, total / count / _SECOND, p50, p90, p95, p99, ERROR)


def from_cumulative(cumulative: Iterable[int], count: int) -> list[int]:
    """The counts of Envoy's buckets, each of which includes all those below it."""
    upto = [0, *cumulative, count]
    return list(map(operator.sub, upto[1:], upto))
