"""The slot table: 10,000 slots, each owned by one build, kept as run-length segments.

Envoy takes `xxh64(key) % sum(weights)` and walks the entries of a weighted cluster in order, so a
table written as segments *is* the route's list of weighted clusters. The sum never changes:
another modulus would reshuffle everybody.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping

SLOTS = 10_000
"""One slot is 0.01 % of the hash space."""

_BLOCKS = 50
"""Pieces a table is cut into where a share is taken of it: many enough to take of everybody alike, and
few enough for a route, which lists each."""
_BLOCK = SLOTS // _BLOCKS
_STRIDE = 21
"""Which blocks give one slot more: scattered, and those that gave one go on doing so."""


@dataclasses.dataclass(frozen=True)
class Segment:
    """`size` neighbouring slots of one owner."""

    owner: str
    size: int


@dataclasses.dataclass(frozen=True)
class SlotTable:
    """All slots, in order. Neighbouring segments have different owners.

    Raises:
        ValueError: the segments don't add up to 10,000, or one is empty.
    """

    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        if sum(segment.size for segment in self.segments) != SLOTS:
            raise ValueError(f"a slot table has {SLOTS} slots, not {sum(s.size for s in self.segments)}")
        if any(segment.size < 1 for segment in self.segments):
            raise ValueError("a segment has at least one slot")

    @classmethod
    def of(cls, owners: Iterable[Segment]) -> "SlotTable":
        """The table of segments that may be empty or have neighbours of the same owner."""
        runs = itertools.groupby((s for s in owners if s.size), key=lambda segment: segment.owner)
        return cls(tuple(Segment(owner, sum(s.size for s in run)) for owner, run in runs))

    @classmethod
    def whole(cls, owner: str) -> "SlotTable":
        """Everything to one owner."""
        return cls((Segment(owner, SLOTS),))

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def owner(self, slot: int) -> str:
        """Who owns a slot (0-9,999)."""
        end = 0
        for segment in self.segments:
            end += segment.size
            if slot < end:
                return segment.owner
        raise ValueError(f"slot {slot} is not between 0 and {SLOTS - 1}")

    def shares(self) -> dict[str, int]:
        """Slots by owner, in order of first appearance."""
        shares: dict[str, int] = {}
        for segment in self.segments:
            shares[segment.owner] = shares.get(segment.owner, 0) + segment.size
        return shares

    def replaced(self, owners: Mapping[str, str]) -> "SlotTable":
        """The table with some owners' slots handed to others (`{from: to}`)."""
        return SlotTable.of(Segment(owners.get(s.owner, s.owner), s.size) for s in self.segments)

    def turned(self, offset: int) -> "SlotTable":
        """The table that begins with slot `offset` (0-9,999): its slot `x` is our `x + offset`."""
        return SlotTable.of([*self._between(offset, SLOTS), *self._between(0, offset)])

    def with_share(self, owner: str, slots: int) -> "SlotTable":
        """The table in which `owner` has taken `slots` slots: of each block of 200 as many, its first.

        Which ones doesn't depend on the table, so the same slots are taken when borders move, and more
        of them when the share grows. Whoever isn't taken is spread as before, to within a percent of
        all slots for each segment, and stays where they were.
        """
        segments: list[Segment] = []
        each, more = divmod(slots, _BLOCKS)
        for block in range(_BLOCKS):
            begin = block * _BLOCK
            taken = each + (block * _STRIDE % _BLOCKS < more)
            segments.append(Segment(owner, taken))
            segments += self._between(begin + taken, begin + _BLOCK)
        return SlotTable.of(segments)

    def _between(self, begin: int, end: int) -> Iterator[Segment]:
        """The segments of the slots from `begin` up to `end`, cut where they reach beyond."""
        at = 0
        for segment in self.segments:
            size = min(at + segment.size, end) - max(at, begin)
            at += segment.size
            if size > 0:
                yield Segment(segment.owner, size)
