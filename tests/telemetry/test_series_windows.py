"""Windows: packed without loss, five seconds for an hour, minutes for a day, nothing twice."""

import itertools
import random

import hypothesis
from hypothesis import strategies as st

from xds.telemetry.buckets import BUCKETS
from xds.telemetry.message import COUNTERS
from xds.telemetry.series import DAY, HOUR, MINUTE, STEP, Series
from xds.telemetry.window import Histogram, Window, pack, unpack

NOW = 1_800_000_000
small = st.integers(-3, 2**40)


def measured() -> st.SearchStrategy[Histogram]:
    """Any histogram."""
    counts = st.lists(small, min_size=BUCKETS, max_size=BUCKETS)
    return st.builds(Histogram, counts, st.integers(0, 2**50).map(float))


windows = st.builds(
    Window,
    st.lists(small, min_size=len(COUNTERS), max_size=len(COUNTERS)),
    measured(),
    measured(),
    st.integers(0, 2**31),
)


def total(series: Series, begins: float, now: float) -> int:
    """What was counted since then."""
    return sum(window.counts[0] for _, window in series.windows(begins, now))


def count(series: Series, at: float, times: int = 1) -> None:
    """Count something."""
    series.window(at).counts[0] += times


@hypothesis.given(windows)
def test_packing_loses_nothing(window: Window) -> None:
    """Whatever is in it."""
    assert unpack(pack(window)) == window


@hypothesis.given(st.binary(max_size=60))
def test_bytes_that_are_no_window_are_an_empty_one(raw: bytes) -> None:
    """A store of another version, or a broken one, stops no server."""
    assert isinstance(unpack(raw), Window)
    assert isinstance(unpack(b"\x01" + raw), Window)


def test_a_busy_window_is_small() -> None:
    """The size that the documentation promises."""
    window = Window(active=30)
    for value in random.Random(1).choices(range(10, 50), k=5_000):
        window.time.counts[value] += 1
        window.first_byte.counts[value // 2] += 1
    window.counts[:4] = [0, 4_900, 60, 40]
    assert len(pack(window)) < 250


@hypothesis.given(st.lists(st.integers(0, 3 * HOUR), min_size=1, max_size=60))
def test_everything_counts_once(gaps: list[int]) -> None:
    """However requests are spread over a day, and asked for at its end."""
    series, at = Series(), float(NOW)
    counted = []
    for gap in gaps:
        at += gap
        count(series, at)
        counted.append(at)
    horizon = (at - DAY) // MINUTE * MINUTE + MINUTE
    assert total(series, horizon, at) == sum(each >= horizon for each in counted)


def test_the_last_hour_is_known_to_five_seconds() -> None:
    """And what is older to a minute."""
    series = Series()
    for at in range(NOW, NOW + 2 * HOUR, STEP):
        count(series, at)
    now = NOW + 2 * HOUR - 1
    starts = [start for start, _ in series.windows(now - 2 * HOUR + 1, now)]
    steps = {after - before for before, after in itertools.pairwise(starts)}
    assert steps == {MINUTE, STEP}
    assert total(series, NOW, now) == 2 * HOUR / STEP


def test_it_never_holds_more_than_its_windows() -> None:
    """An hour of five seconds, a day of minutes: bounded, however long it goes on."""
    series = Series()
    for at in range(NOW, NOW + 2 * DAY, 30):
        count(series, at)
    assert len(series._fine) <= (HOUR + MINUTE) / STEP
    assert len(series._coarse) <= DAY / MINUTE + 1


def test_what_was_saved_is_there_after_a_restart() -> None:
    """The minutes that ended, and the one that hadn't; the latter goes on counting."""
    before, after = Series(), Series()
    for at in range(NOW, NOW + 150, STEP):
        count(before, at)
    now = NOW + 150
    saved = before.take_unsaved(now) + before.take_unsaved(now, final=True)
    for start, raw in saved:
        after.restore(start, raw, now)
    count(after, now + 1)
    assert total(after, NOW, now + 2) == 31
    ((start, raw),) = after.take_unsaved(now + 2, final=True)
    assert (start, unpack(raw).counts[0]) == (NOW + 120, 7)


def test_a_clock_that_goes_back_loses_nothing() -> None:
    """What comes meanwhile counts to the newest window."""
    series = Series()
    for at in (NOW, NOW + 10, NOW - 300, NOW + 12):
        count(series, at)
    assert total(series, NOW - HOUR, NOW + 12) == 4
