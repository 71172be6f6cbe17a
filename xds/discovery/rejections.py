"""Finding the offender in an answer that was refused, and leaving the peer alone with it.

A peer refuses a whole answer, whichever resource it dislikes. The resources of a refused answer
become suspects and are tried again in halves, breadth first, until the offender stands alone: at
most 2 log2(n) + 2 messages. An offender is parked at the refused version: it is not sent again on
this stream until it changes, so nothing spins. A peer that refuses everything is given up on after
a few refusals in a row, whatever the number of resources: then all that it refused is parked.
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence

from xds.catalog.resource import Resource

GIVE_UP_AFTER = 12
"""Refusals in a row on one stream, without one acceptance, after which all suspects are parked.
Halving breadth first, a single offender among any number causes at most two in a row."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rejection:
    """A resource parked at the version the peer refused ("" for a refused removal)."""

    name: str
    version: str
    text: str


@dataclasses.dataclass(slots=True)
class Patience:
    """How often a stream's peer has refused in a row, over all types."""

    refusals: int = 0

    @property
    def at_end(self) -> bool:
        """Whether the peer seems to refuse everything."""
        return self.refusals >= GIVE_UP_AFTER


class Rejections:
    """The suspects and the parked of one watch."""

    def __init__(self, patience: Patience) -> None:
        self.parked: dict[str, Rejection] = {}
        self._suspects: list[tuple[Rejection, ...]] = []
        self._patience = patience

    def holds_back(self, name: str, target: Resource | None) -> bool:
        """Whether the peer refused just this version of it."""
        parked = self.parked.get(name)
        return parked is not None and parked.version == _version(target)

    def batches(self, owed: Collection[str]) -> Iterator[list[str]]:
        """What may be tried together: each group of suspects by itself, then all the others."""
        if not self._suspects:
            yield list(owed)
            return
        # A group of which nothing is owed any more was given up by the peer, or is being tried.
        self._suspects = [group for group in self._suspects if any(suspect.name in owed for suspect in group)]
        suspects: set[str] = set()
        for group in self._suspects:
            names = [suspect.name for suspect in group if suspect.name in owed]
            suspects.update(names)
            yield names
        yield [name for name in owed if name not in suspects]

    def accepted(self, names: Iterable[str]) -> None:
        """The peer took an answer with these names."""
        self._patience.refusals = 0
        if not self._suspects and not self.parked:
            return
        cleared = set(names)
        self._no_longer_suspect(cleared)
        for name in cleared & self.parked.keys():
            del self.parked[name]

    def refused(self, items: Sequence[tuple[str, Resource | None]], text: str) -> None:
        """The peer refused an answer of these."""
        self._patience.refusals += 1
        group = tuple(Rejection(name, _version(target), text) for name, target in items)
        self._no_longer_suspect({rejection.name for rejection in group})
        if self._patience.at_end:
            self._park(group)
            while self._suspects:
                self._park(self._suspects.pop())
        elif len(group) == 1:
            self._park(group)
        else:
            middle = len(group) // 2
            self._suspects += [group[:middle], group[middle:]]

    def retry(self, names: Iterable[str]) -> None:
        """Something these depend on has changed for the better: try them once more."""
        for name in names:
            self.parked.pop(name, None)

    def _no_longer_suspect(self, tried: set[str]) -> None:
        """The groups that these were tried as are done with."""
        self._suspects = [
            group for group in self._suspects if not any(suspect.name in tried for suspect in group)
        ]

    def _park(self, group: Iterable[Rejection]) -> None:
        self.parked |= {rejection.name: rejection for rejection in group}


def _version(target: Resource | None) -> str:
    return target.version if target else ""
