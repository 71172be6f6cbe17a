"""Finding, for one Envoy, the deployments that spoil its route table.

An Envoy refuses a whole table, whoever's routes it dislikes. The suspects are tried in halves, the others
held at what was accepted before, until the offender stands alone. It is held until it changes, and
everybody else's changes go on. Plain bookkeeping: others build tables and bring verdicts.

Where nothing was accepted before, there is nothing to hold the others at, and a table that is taken without
them takes them out of service. So the newest are held first, then more and more of them: the first
table that is taken has nearly everybody.
"""

from collections import deque
from collections.abc import Mapping
from typing import Generic, TypeVar

Part = TypeVar("Part")
"""What one deployment brings: anything that can be compared."""


class Trial(Generic[Part]):
    """Who is held, and who is still to be tried."""

    def __init__(self) -> None:
        self._offenders: dict[str, tuple[Part, str]] = {}
        self._groups: deque[frozenset[str]] = deque()
        self._blindly_held = 0

    def held(self, wanted: Mapping[str, Part]) -> frozenset[str]:
        """Who is to be left out of the next table, given what everybody wants now."""
        self._offenders = {
            name: found for name, found in self._offenders.items() if wanted.get(name) == found[0]
        }
        return frozenset(self._offenders).union(*list(self._groups)[1:])

    def reason(self, name: str) -> str | None:
        """What the Envoy said of an offender; None of everybody else."""
        return self._offenders[name][1] if name in self._offenders else None

    def accepted(self) -> None:
        """The Envoy took a table."""
        if self._groups:
            self._groups.popleft()

    def refused(self, suspects: Mapping[str, Part], text: str, *, blind: bool = False) -> None:
        """The Envoy refused a table in which these parts were new to it.

        Args:
            suspects: the oldest first.
            text: what it said.
            blind: nothing was accepted before.
        """
        if self._groups:
            self._groups.popleft()
        names = list(suspects)
        if len(names) == 1:
            self._offenders[names[0]] = suspects[names[0]], text
        elif names and blind:
            newest = min(max(1, self._blindly_held), len(names) // 2)
            self._blindly_held += newest
            self._groups.extendleft([frozenset(names[-newest:]), frozenset(names[:-newest])])
        elif names:
            middle = len(names) // 2
            self._groups += [frozenset(names[:middle]), frozenset(names[middle:])]
