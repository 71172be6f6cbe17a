"""A steady stream of changes, cut into slices, and a time limit that ends what hangs."""

import threading

import pytest

from bench.limit import limited
from bench.works import Slice, slices

EVEN = [(0.0, 0.0), (10.0, 1.0), (20.0, 3.0), (20.5, 3.0)]


def test_a_slice_has_its_changes_and_their_cpu() -> None:
    """What was begun in it, and what was used meanwhile."""
    starts = [1.0, 2.0, 11.0, 12.0, 13.0]
    assert list(slices(EVEN, starts, 5, 10.0)) == [Slice(10.0, 2, (1.0,)), Slice(10.0, 3, (2.0,))]


def test_changes_at_unknown_times_are_spread_evenly() -> None:
    """The floor's are: it makes those that ours made."""
    assert [each.changes for each in slices(EVEN, [], 10, 10.0)] == [5.0, 5.0]


def test_the_rest_after_the_last_change_is_no_slice() -> None:
    """Otherwise a server that rests would look idle."""
    samples = [(0.0, 0.0), (10.0, 1.0), (20.0, 1.0)]
    assert len(list(slices(samples, [1.0, 2.0, 3.0, 4.0], 4, 10.0))) == 1


def test_what_hangs_is_ended() -> None:
    """Soon after the limit, and it is known why."""
    killed = threading.Event()
    with limited(0.0, grace=0.0) as limit:
        limit.covers(killed.set)
        assert killed.wait(10) or limit.passed


def test_what_comes_back_is_left_alone() -> None:
    """Its time was not over."""
    with limited(60.0) as limit:
        limit.covers(lambda: pytest.fail("killed"))
        assert not limit.over
    assert not limit.passed
