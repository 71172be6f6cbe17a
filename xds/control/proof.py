"""Which deployments' routes an Envoy has accepted, as parts of a shared route table.

A table that is accepted proves every part in it. One that is refused makes suspects of the parts in it
that are not proven yet. A part that can't be used stays at its proven state.
"""

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Mapping

from xds.translate.hosts import Section

_LEFT_OUT = "-"

_TABLES_KEPT = 16
"""Versions of the table whose verdict may still come; verdicts on older ones prove nothing."""


@dataclasses.dataclass(frozen=True)
class Part:
    """What one deployment brings to the table."""

    hosts: tuple[str, ...]
    section: Section


class Proof:
    """The wanted and the proven part of every deployment on one kind of Envoy."""

    def __init__(self) -> None:
        self.wanted: dict[str, Part] = {}
        self.patched: set[str] = set()
        """Those that may name clusters of others: with patches, or raw altogether."""
        self._proven: dict[str, Part] = {}
        self._unproven: dict[str, Part] = {}
        self._tables: OrderedDict[str, Mapping[str, Part]] = OrderedDict()

    def want(self, name: str, part: Part) -> None:
        """A deployment is to bring this."""
        if self.wanted.get(name) != part:
            self.wanted[name] = self._unproven[name] = part
            (self.patched.add if part.section.patched else self.patched.discard)(name)

    def forget(self, name: str) -> None:
        """A deployment brings nothing any more."""
        for parts in (self.wanted, self._proven, self._unproven):
            parts.pop(name, None)
        self.patched.discard(name)

    def names_any(self, name: str, clusters: set[str]) -> bool:
        """Whether the wanted part of a deployment names any of these clusters."""
        part = self.wanted.get(name)
        return part is not None and not clusters.isdisjoint(part.section.clusters())

    def can_fall_back(self, name: str, missing: set[str]) -> bool:
        """Whether a deployment has routes without these clusters: proven ones, or its `main`."""
        if name in self._proven:
            return True
        part = self.wanted[name]
        return not part.section.patched and part.section.main not in missing

    def has_proven(self) -> bool:
        """Whether any table was accepted since this server began."""
        return bool(self._proven)

    def proven(self, name: str) -> Part | None:
        """The last part of a deployment that was accepted."""
        return self._proven.get(name)

    def built(self, version: str, without: frozenset[str]) -> None:
        """A table of this version has every wanted part, but for some that stay at their proven state."""
        missing = {name.removeprefix(_LEFT_OUT) for name in without}
        self._tables[version] = {name: part for name, part in self._unproven.items() if name not in missing}
        self._tables.move_to_end(version)
        while len(self._tables) > _TABLES_KEPT:
            self._tables.popitem(last=False)

    def accepted(self, version: str, works: Callable[[Part], bool]) -> None:
        """An Envoy took the table of this version, in which not every part need work for it.

        A route that names a cluster it doesn't have is taken without a word.
        """
        table = self._tables.get(version)
        if not table:
            return
        self._tables[version] = {name: part for name, part in table.items() if not works(part)}
        for name in table.keys() - self._tables[version].keys():
            if name in self.wanted:
                self._proven[name] = table[name]
            if self._unproven.get(name) is table[name]:
                del self._unproven[name]

    def suspects(self, version: str) -> dict[str, Part]:
        """The parts for which the table of this version may have been refused."""
        table = self._tables.get(version, {})
        return {name: part for name, part in table.items() if self._unproven.get(name) is part}


@dataclasses.dataclass(frozen=True)
class Lane:
    """Envoys of one kind that hold the same deployments at their proven state; nearly always none."""

    proof: Proof
    held: frozenset[str] = frozenset()

    def part(self, name: str, wanted: Part, main_only: Callable[[], Part | None]) -> Part | None:
        """What a deployment is to bring in this lane; None: nothing.

        Where it is held and nothing of it was accepted since this server began, everyone gets `main`.
        """
        self.proof.want(name, wanted)
        if name in self.held:
            return self.proof.proven(name) or main_only()
        return self.proof.proven(name) if left_out(name) in self.held else wanted


def left_out(name: str) -> str:
    """How a target says that not even a deployment's `main` can be had (no name begins like this)."""
    return _LEFT_OUT + name
