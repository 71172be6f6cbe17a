"""Who moves from one revision to the next: from which build to which.

Where the key, its place and its salt stay, the slots tell. Where they change, everybody is hashed anew,
and who was where says nothing about where they will be.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping

from xds.revisions.record import Revision, percent
from xds.slots.table import SLOTS, SlotTable
from xds.spec.deployment import Deployment


@dataclasses.dataclass(frozen=True)
class Moves:
    """Users by where they were and will be.

    Attributes:
        slots: by build keys before and after, those who stay among them; they add up to 10,000.
        note: why more move than need to, or nobody is remembered; "" otherwise.
    """

    slots: Mapping[tuple[str, str], float]
    note: str = ""

    @property
    def moved(self) -> float:
        """Percent that get another build."""
        return percent(round(sum(size for (old, new), size in self.slots.items() if old != new)))

    @property
    def least(self) -> float:
        """Percent that have to: the sum of the increases."""
        changes: defaultdict[str, float] = defaultdict(float)
        for (old, new), size in self.slots.items():
            changes[old] -= size
            changes[new] += size
        return percent(round(sum(change for change in changes.values() if change > 0)))


def moves(before: Revision, after: Revision) -> Moves:
    """Who moves between two revisions of a deployment."""
    if _anew(before.spec, after.spec) and (_is_split(before.slots) or _is_split(after.slots)):
        return Moves(
            _independent(before.slots, after.slots), "everybody is hashed anew: the key or its salt changes"
        )
    chance = "" if after.spec.canary.is_sticky else "chance decides for every request; nobody is remembered"
    return Moves(_by_slot(before.slots, after.slots), chance if _is_split(after.slots) else "")


def _anew(before: Deployment, after: Deployment) -> bool:
    return _key(before) != _key(after)


def _key(spec: Deployment) -> tuple[str, ...]:
    """What is hashed; nothing in a split by chance."""
    canary, by = spec.canary, spec.canary.route_by or ""
    if not canary.is_sticky:
        return ()
    return canary.route_type, by.lower() if canary.route_type == "header" else by, spec.salt


def _is_split(table: SlotTable) -> bool:
    return len(table.segments) > 1


def _by_slot(before: SlotTable, after: SlotTable) -> dict[tuple[str, str], float]:
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    cuts = sorted({*_ends(before), *_ends(after)})
    begin = 0
    for end in cuts:
        found[before.owner(begin), after.owner(begin)] += end - begin
        begin = end
    return dict(found)


def _ends(table: SlotTable) -> Iterator[int]:
    end = 0
    for segment in table:
        end += segment.size
        yield end


def _independent(before: SlotTable, after: SlotTable) -> dict[tuple[str, str], float]:
    return {
        (old, new): was * will / SLOTS
        for old, was in before.shares().items()
        for new, will in after.shares().items()
    }
