"""Percentiles of merged buckets, against those of the values themselves."""

import bisect
import itertools

import hypothesis
import pytest
from hypothesis import strategies as st

from xds.telemetry.buckets import BOUNDS, BUCKETS, RATIO, from_cumulative, latency, percentile

SHARES = (0.5, 0.9, 0.95, 0.99)
times = st.lists(st.floats(1, BOUNDS[-1], exclude_max=True), min_size=1, max_size=200)


def counted(values: list[float]) -> list[int]:
    """Counts by bucket."""
    counts = [0] * BUCKETS
    for value in values:
        counts[bisect.bisect_right(BOUNDS, value)] += 1
    return counts


def exact(values: list[float], share: float) -> float:
    """The smallest value that a share of them doesn't exceed."""
    ordered = sorted(values)
    return next(value for place, value in enumerate(ordered, 1) if place >= share * len(ordered))


@hypothesis.given(times)
def test_they_are_within_the_bound(values: list[float]) -> None:
    """Whatever was measured, by not more than a bucket's width."""
    for share in SHARES:
        true, said = exact(values, share), percentile(counted(values), share)
        assert true / RATIO - 1e-9 <= said <= true * RATIO + 1e-9


def test_no_bucket_is_wider_than_that() -> None:
    """So the bound is what the documentation says: 25 %."""
    assert max(high / low for low, high in itertools.pairwise(BOUNDS)) == pytest.approx(RATIO)


@hypothesis.given(times, times)
def test_merging_is_like_counting_together(one: list[float], other: list[float]) -> None:
    """Envoys and windows can be added up in any order."""
    merged = [mine + its for mine, its in zip(counted(one), counted(other), strict=True)]
    assert latency(merged, 0.0) == latency(counted(one + other), 0.0)


@hypothesis.given(times)
def test_cumulative_counts_are_taken_apart(values: list[float]) -> None:
    """As Envoy sends them: each bucket with all below."""
    below = [sum(value < bound for value in values) for bound in BOUNDS]
    assert from_cumulative(below, len(values)) == counted(values)


def test_what_is_slower_than_the_last_bound_counts_as_that() -> None:
    """Ten minutes."""
    assert percentile(counted([700_000.0]), 0.5) == 600_000


def test_nothing_measured_is_nothing_said() -> None:
    """No division by nothing."""
    assert latency([0] * BUCKETS, 0.0).count == 0
