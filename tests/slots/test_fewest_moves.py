"""Fewest moves in few segments, over long histories: builds come and go, shares rise and fall."""

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.slot_histories import KINDS, MAIN, Shares, Step, cumulative, necessary, shares_after
from xds.revisions import decide
from xds.revisions.record import Note, Revision
from xds.slots.layout import lay_out, moved
from xds.slots.table import SLOTS, SlotTable
from xds.spec.deployment import Deployment
from xds.spec.read import read

steps = st.builds(
    Step,
    st.sampled_from([*KINDS[:2], *KINDS]),
    st.integers(0, 99),
    st.integers(0, 99),
    st.one_of(st.sampled_from([1, 5, 100, 500, 1000]), st.integers(1, SLOTS)),
)
histories = st.lists(steps, min_size=1, max_size=60)
NOTE = Note("tester", 0.0)


def _check(history: list[Step], most: int) -> None:
    """Every promise of a layout, change by change."""
    before, table = {MAIN: SLOTS}, SlotTable.whole(MAIN)
    for shares in shares_after(history, most):
        after = lay_out(shares, table)
        assert after.shares() == {owner: size for owner, size in shares.items() if size}
        assert (
            moved(table, after) == necessary(before, shares) <= moved(cumulative(before), cumulative(shares))
        )
        assert len(after.segments) <= len(table.segments) + _concerned(before, shares)
        assert len(after.segments) <= bound(most)
        before, table = shares, after


def bound(most: int) -> int:
    """Segments that so many owners at a time never exceed."""
    return {1: 1, 2: 2, 3: 4}.get(most, 2 * most**2)


def _concerned(before: Shares, after: Shares) -> int:
    return sum(before.get(owner, 0) != after.get(owner, 0) for owner in {*before, *after})


@given(histories, st.integers(2, 6))
def test_fewest_moves_in_few_segments(history: list[Step], most: int) -> None:
    """Exactly the sum of the increases moves, never more than Envoy alone would move; segments stay few."""
    _check(history, most)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=10_000)
@given(st.lists(steps, min_size=20, max_size=100), st.sampled_from([2, 3, 3, 4, 5, 7]))
def test_fewest_moves_in_ten_thousand_long_histories(history: list[Step], most: int) -> None:
    """The same, 10,000 times, up to 100 changes each."""
    _check(history, most)


@given(histories)
@example([Step("add", 0, 0, 1), Step("add", 0, 0, 1), Step("swap", 1, 2, 1), Step("swap", 2, 0, 1)] * 5)
def test_two_canaries_make_four_segments_at_most(history: list[Step]) -> None:
    """Whatever their history, in steps down to 0.01 %."""
    table = None
    for shares in shares_after(history, 3):
        table = lay_out(shares, table)
        assert len(table.segments) <= 4


@given(histories, st.integers(2, 5), st.lists(st.integers(1, 3000), min_size=2, max_size=5))
def test_who_is_in_stays_in_while_a_version_grows(history: list[Step], most: int, rises: list[int]) -> None:
    """Whatever came before, and whoever pays for it."""
    shares: Shares = {MAIN: SLOTS}
    table = SlotTable.whole(MAIN)
    for shares in shares_after(history, most):
        table = lay_out(shares, table)
    inside: set[int] = set()
    for rise in rises:
        rise = min(rise, shares[MAIN])  # noqa: PLW2901 (as much as there is)
        shares = shares | {MAIN: shares[MAIN] - rise, "new": shares.get("new", 0) + rise}
        table = lay_out(shares, table)
        now = _slots(table, "new")
        assert inside <= now
        inside = now


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=12), st.data())
def test_rollback_promotion_and_relabelling(weights: list[tuple[int, int]], data: st.DataObject) -> None:
    """A rollback brings the very table back; other labels move nobody; a promotion moves only the others."""
    revisions: list[Revision] = [_first()]
    for a, b in weights:
        changed = decide.set_weights(revisions[-1], {"a": a / 100, "b": b / 100}, NOTE)
        revisions += [changed] if changed else []
    target = data.draw(st.sampled_from(revisions))
    if not target.same_content(revisions[-1]):
        assert decide.rollback(revisions, NOTE, target.number).slots == target.slots

    head = revisions[-1]
    relabelled = decide.apply(_relabelled(head.spec), head, {ref: k for k, ref in head.builds.items()}, NOTE)
    assert relabelled is not None
    assert relabelled.slots == head.slots

    won = decide.promote(head, "a", NOTE)
    key = head.labels["a"]
    assert moved(head.slots, won.slots) == SLOTS - head.slots.shares().get(key, 0)
    assert won.slots == SlotTable.whole(key)


@given(histories, st.integers(2, 5))
def test_everything_to_one_is_one_segment(history: list[Step], most: int) -> None:
    """What fragments there were are gone."""
    table = None
    for shares in shares_after(history, most):
        table = lay_out(shares, table)
    assert lay_out({MAIN: SLOTS}, table) == SlotTable.whole(MAIN)


def _slots(table: SlotTable, owner: str) -> set[int]:
    ends = list(itertools.accumulate(segment.size for segment in table))
    return {
        slot
        for segment, end in zip(table, ends, strict=True)
        if segment.owner == owner
        for slot in range(end - segment.size, end)
    }


def _first() -> Revision:
    made = decide.apply(_spec("a", "b"), None, {}, NOTE)
    assert made is not None
    return made


def _spec(one: str, other: str, weights: tuple[float, float] = (0, 0)) -> Deployment:
    text = f"""
name: chat
bento: "chat:m1"
canary:
  route_type: header
  route_by: X-User-ID
  versions:
    {one}: {{bento: "chat:a1", weight: {weights[0]}}}
    {other}: {{bento: "chat:b1", weight: {weights[1]}}}
"""
    reading = read([("chat.yaml", text)])
    (document,) = reading.documents
    assert document.deployment is not None
    return document.deployment


def _relabelled(spec: Deployment) -> Deployment:
    """The same builds and weights under other labels."""
    weights = spec.weights()
    return _spec("green", "blue", (weights["a"], weights["b"]))
