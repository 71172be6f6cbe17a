"""How the slot table follows the shares: the fewest slots change hands, in the fewest segments.

Those whose share shrinks give slots to those whose share grows, and nobody else's are touched: the
number that changes hands is the sum of the increases, which is the least possible. So 5 % -> 10 % -> 25 %
keeps everybody who was in.

Which slots they give is free, and decides into how many segments the table falls (each is an entry of
Envoy's route). A table changes step by step: a segment goes to somebody as a whole, or the part at one
of its ends does. Of all steps the one is taken that leaves the fewest segments, and among these the one
that leaves the most pairs of owners side by side: between neighbours a later change only shifts the border.

Up to three owners never make more than 4 segments, whatever the history: with a border between any two
of them nothing but borders moves. With more, a change makes at most one more for each owner that shrinks
or grows. Over long random histories of `n` owners there are some `2 n` of them and never more than `2 n²`
(tests/slots, bench/slot_moves.py); one who chose every change for the worst could make more. As soon as
everybody is with one owner, the table is whole again.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from xds.slots.table import SLOTS, Segment, SlotTable

Segments = tuple[Segment, ...]


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
    table = before
    while steps := list(_steps(table.segments, _changes(table.shares(), shares))):
        table = SlotTable.of(min(steps, key=_rank)[1])
    return table


def _changes(had: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, int]:
    """By how many slots each owner is to grow, or, below 0, to shrink."""
    owners = dict.fromkeys((*wanted, *had))
    return {owner: wanted.get(owner, 0) - had.get(owner, 0) for owner in owners}


def _steps(segments: Segments, changes: Mapping[str, int]) -> Iterator[tuple[int, Segments]]:
    """What can be done next: the size of the segment that gives, and all segments afterwards."""
    takers = {owner: more for owner, more in changes.items() if more > 0}
    for index, giver in enumerate(segments):
        surplus = -changes[giver.owner]
        for owner, missing in takers.items() if surplus > 0 else ():
            given = Segment(owner, min(giver.size, surplus, missing))
            kept = Segment(giver.owner, giver.size - given.size)
            for pair in ((kept, given), (given, kept)):
                yield giver.size, _merged((*segments[:index], *pair, *segments[index + 1 :]))


def _rank(step: tuple[int, Segments]) -> tuple[int, int, int]:
    """Lower is better: fewer segments, more owners side by side; of equals, small segments go first."""
    size, segments = step
    neighbours = {frozenset((left.owner, right.owner)) for left, right in pairwise(segments)}
    return len(segments), -len(neighbours), size


def _merged(segments: Iterable[Segment]) -> Segments:
    """Without empty segments, and with one for neighbours of the same owner."""
    merged: list[Segment] = []
    for segment in segments:
        if merged and merged[-1].owner == segment.owner:
            merged[-1] = Segment(segment.owner, merged[-1].size + segment.size)
        elif segment.size:
            merged.append(segment)
    return tuple(merged)


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
