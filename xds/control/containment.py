"""Which deployments spoil a resource that many share: a gateway's route table.

An Envoy refuses a whole table, whoever's routes it dislikes. Those whose routes differ from the last
table it accepted are suspects; they are tried in halves, the others staying as they were accepted,
until the offender stands alone. It is held at its last accepted routes until they change again, and
everybody else's changes go on. Plain bookkeeping: others build tables and bring verdicts.
"""

from collections import deque
from collections.abc import Mapping
from typing import Generic, TypeVar

Part = TypeVar("Part")
"""What one deployment brings: anything that can be compared."""


class Containment(Generic[Part]):
    """The last accepted part of each deployment, and who is being tried or held."""

    def __init__(self) -> None:
        self._accepted: dict[str, Part] = {}
        self._held: dict[str, Part] = {}
        self._groups: deque[frozenset[str]] = deque()

    @property
    def held(self) -> frozenset[str]:
        """The offenders: deployments whose present part was refused."""
        return frozenset(self._held)

    @property
    def idle(self) -> bool:
        """Whether nobody is suspected or held: the table is what everybody wants."""
        return not self._held and not self._groups

    def choose(self, wanted: Mapping[str, Part]) -> dict[str, Part]:
        """The parts to build the next table from, of those that are wanted."""
        for name, part in list(self._held.items()):
            if wanted.get(name) != part:
                del self._held[name]
        waiting = frozenset().union(*list(self._groups)[1:])
        chosen: dict[str, Part] = {}
        for name, part in wanted.items():
            if name not in self._held and name not in waiting:
                chosen[name] = part
            elif name in self._accepted:
                chosen[name] = self._accepted[name]
        return chosen

    def accepted(self, built: Mapping[str, Part]) -> None:
        """A table of these parts was accepted."""
        self._accepted = dict(built)
        if self._groups:
            self._groups.popleft()

    def refused(self, built: Mapping[str, Part]) -> None:
        """A table of these parts was refused."""
        if self._groups:
            self._groups.popleft()
        suspects = sorted(name for name, part in built.items() if self._accepted.get(name) != part)
        if len(suspects) == 1:
            self._held[suspects[0]] = built[suspects[0]]
        elif suspects:
            middle = len(suspects) // 2
            self._groups += [frozenset(suspects[:middle]), frozenset(suspects[middle:])]
