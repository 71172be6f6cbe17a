"""How the slot table follows the shares: the fewest slots change hands.

Those whose share shrinks release their *last* slots; those whose share grows take released slots
in table order. Nobody else's slots are touched, so the number that changes hands is the sum of the
increases, which is the least possible. Releasing from the end keeps who was in first in longest:
5 % -> 10 % -> 25 % keeps everybody who was in.
"""

from collections.abc import Iterator, Mapping

from xds.slots.table import SLOTS, Segment, SlotTable

NOBODY = ""


def lay_out(shares: Mapping[str, int], before: SlotTable | None = None) -> SlotTable:
    """The table with these shares that differs least from `before`.

    Args:
        shares: slots by owner; they add up to 10,000, and the order is kept in a first table.
        before: the table in force, if any.

    Raises:
        ValueError: the shares don't add up to 10,000, or one is negative.
    """
    if sum(shares.values()) != SLOTS or min(shares.values()) < 0:
        raise ValueError(f"shares are not negative and add up to {SLOTS}: {dict(shares)}")
    if before is None:
        return SlotTable.of(Segment(owner, size) for owner, size in shares.items())
    released = _release(before, shares)
    kept = released.shares()
    wanted = [(owner, size - kept.get(owner, 0)) for owner, size in shares.items()]
    return SlotTable.of(_hand_out(released, iter([(owner, size) for owner, size in wanted if size])))


def _release(before: SlotTable, shares: Mapping[str, int]) -> SlotTable:
    """The table in which shrinking owners have given up their last slots (to nobody)."""
    left = dict(shares)
    segments: list[Segment] = []
    for segment in before:
        stays = min(segment.size, left.get(segment.owner, 0))
        left[segment.owner] = left.get(segment.owner, 0) - stays
        segments += [Segment(segment.owner, stays), Segment(NOBODY, segment.size - stays)]
    return SlotTable.of(segments)


def _hand_out(released: SlotTable, takers: Iterator[tuple[str, int]]) -> Iterator[Segment]:
    """The same table with nobody's slots handed to the takers (owner, number), in order."""
    taker, missing = next(takers, (NOBODY, 0))
    for segment in released:
        if segment.owner != NOBODY:
            yield segment
            continue
        free = segment.size
        while free:
            taken = min(free, missing)
            yield Segment(taker, taken)
            free, missing = free - taken, missing - taken
            if not missing:
                taker, missing = next(takers, (NOBODY, 0))


def moved(before: SlotTable, after: SlotTable) -> int:
    """How many slots change hands between two tables."""
    changed = 0
    left, right = iter(before), iter(after)
    a, b = next(left), next(right)
    a_left, b_left = a.size, b.size
    while True:
        step = min(a_left, b_left)
        changed += step if a.owner != b.owner else 0
        a_left, b_left = a_left - step, b_left - step
        if not a_left:
            following = next(left, None)
            if following is None:
                return changed
            a, a_left = following, following.size
        if not b_left:
            b = next(right)
            b_left = b.size
