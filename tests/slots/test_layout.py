"""Laying out the slot table: right sums, fewest moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds.slots.hashing import slot_of
from xds.slots.layout import lay_out, moved
from xds.slots.table import SLOTS, Segment, SlotTable

OWNERS = ("main", "a", "b", "c", "d")


@st.composite
def shares(draw: st.DrawFn) -> dict[str, int]:
    """Shares of some of the owners."""
    owners = draw(st.lists(st.sampled_from(OWNERS), min_size=1, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, SLOTS), min_size=len(owners) - 1, max_size=len(owners) - 1)))
    bounds = [0, *cuts, SLOTS]
    return {owner: bounds[i + 1] - bounds[i] for i, owner in enumerate(owners)}


@given(st.lists(shares(), min_size=1, max_size=8))
def test_every_layout_has_the_shares_asked_for(history: list[dict[str, int]]) -> None:
    """Whatever came before, each owner has exactly its share."""
    table = None
    for wanted in history:
        table = lay_out(wanted, table)
        assert table.shares() == {owner: size for owner, size in wanted.items() if size}


@given(st.lists(shares(), min_size=2, max_size=8))
def test_a_change_moves_exactly_the_increases(history: list[dict[str, int]]) -> None:
    """The slots that change hands are the sum of the increases: the least possible."""
    table = lay_out(history[0])
    for wanted in history[1:]:
        had = table.shares()
        changed = lay_out(wanted, table)
        assert moved(table, changed) == sum(max(0, n - had.get(o, 0)) for o, n in wanted.items())
        table = changed


def test_growing_keeps_who_was_in() -> None:
    """5 % -> 10 % -> 25 %: nobody leaves the canary, though another canary sits beside it."""
    table = lay_out({"main": 6500, "a": 500, "b": 3000})
    inside: set[int] = set()
    for size in (500, 1000, 2500):
        table = lay_out({"main": 7000 - size, "a": size, "b": 3000}, table)
        now = {slot for slot in range(SLOTS) if table.owner(slot) == "a"}
        assert inside <= now
        inside = now


def test_handing_an_owners_slots_over_moves_nobody_elses() -> None:
    """`replaced` renames one owner and merges it with its neighbours."""
    table = SlotTable((Segment("main", 5000), Segment("a", 2000), Segment("b", 3000)))
    assert table.replaced({"a": "main"}) == SlotTable((Segment("main", 7000), Segment("b", 3000)))


def test_a_table_of_another_size_is_refused() -> None:
    """Another sum would reshuffle everybody."""
    with pytest.raises(ValueError, match="10000 slots, not 9999"):
        SlotTable((Segment("main", 9999),))


def test_shares_of_another_sum_are_refused() -> None:
    """The shares given must add up, too."""
    with pytest.raises(ValueError, match="add up to 10000"):
        lay_out({"main": 1})


def test_the_slot_of_a_key_is_xxh64_of_its_bytes() -> None:
    """Known values of XXH64 with seed 0."""
    assert slot_of("") == 0xEF46DB3751D8E999 % SLOTS
    assert slot_of("user123") == slot_of(b"user123")
