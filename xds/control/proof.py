"""Which deployments' routes an Envoy has accepted, as parts of what they share: a table, or a host's scope.

A table that is accepted proves every part in it. One that is refused makes suspects of the parts in it
that are not proven yet. A part that can't be used stays at its proven state. A scope is a small table.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping

from xds.translate.hosts import Section

LEFT_OUT = "-"

_TABLES_KEPT = 16
"""Versions of a table whose verdict may still come; verdicts on older ones prove nothing."""


@dataclasses.dataclass(frozen=True)
class Part:
    """What one deployment brings to the table."""

    hosts: tuple[str, ...]
    section: Section
    since: float = dataclasses.field(default=0.0, compare=False)
    """When it became like this (seconds since the epoch)."""


class Proof:
    """The wanted and the proven part of every deployment on one kind of Envoy."""

    def __init__(self) -> None:
        self.wanted: dict[str, Part] = {}
        self.patched: set[str] = set()
        """Those that may name clusters of others: with patches, or raw altogether."""
        self._proven: dict[str, Part] = {}
        self._unproven: dict[str, Part] = {}
        self._tables: dict[str, dict[str, Mapping[str, Part]]] = {}
        self._accepted: set[str] = set()
        self._changes = 0
        self._changed: dict[str, int] = {}
        self._built_at: dict[tuple[str, str], int] = {}
        """After which change a table got a version."""

    def want(self, name: str, part: Part) -> None:
        """A deployment is to bring this."""
        if self.wanted.get(name) != part:
            self.wanted[name] = self._unproven[name] = part
            self._changes += 1
            self._changed[name] = self._changes
            (self.patched.add if part.section.patched else self.patched.discard)(name)

    def forget(self, name: str) -> None:
        """A deployment brings nothing any more."""
        for parts in (self.wanted, self._proven, self._unproven):
            parts.pop(name, None)
        self._changed.pop(name, None)
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

    def has_proven(self, table: str) -> bool:
        """Whether any version of a table was accepted since this server began."""
        return table in self._accepted

    def shares(self, scope: str, name: str) -> bool | None:
        """Whether a deployment has routes in a scope; None: it is no scope of ours."""
        if scope not in self._tables:
            return None
        return name in self.wanted and scope in self.wanted[name].hosts

    def proven(self, name: str) -> Part | None:
        """The last part of a deployment that was accepted."""
        return self._proven.get(name)

    def built(self, table: str, version: str, without: frozenset[str]) -> None:
        """A table of this version has every wanted part, but for some that stay at their proven state."""
        self._build(table, version, self._unproven, without)

    def built_scope(self, scope: str, version: str, names: Collection[str], without: frozenset[str]) -> None:
        """A scope of this version has these deployments' parts; some may stay at their proven state."""
        parts = {name: self._unproven[name] for name in names if name in self._unproven}
        self._build(scope, version, parts, without)

    def dropped_scope(self, scope: str) -> None:
        """Nobody has routes in it any more."""
        for version in self._tables.pop(scope, {}):
            del self._built_at[scope, version]
        self._accepted.discard(scope)

    def accepted(self, table: str, version: str, works: Callable[[Part], bool]) -> None:
        """An Envoy took a table at this version, in which not every part need work for it.

        A route that names a cluster it doesn't have is taken without a word.
        """
        versions = self._tables.get(table, {})
        parts = versions.get(version)
        if not parts:
            return
        versions[version] = {name: part for name, part in parts.items() if not works(part)}
        for name in parts.keys() - versions[version].keys():
            known = self._proven.get(name)
            if name in self.wanted and (known is None or known.since <= parts[name].since):
                self._proven[name] = parts[name]
            if name in self.wanted:
                self._accepted.add(table)
            if self._unproven.get(name) is parts[name]:
                del self._unproven[name]

    def suspects(self, table: str, version: str) -> dict[str, Part]:
        """The parts for which a table may have been refused at this version, the oldest first."""
        parts = self._tables.get(table, {}).get(version, {})
        unproven = [name for name, part in parts.items() if self._unproven.get(name) is part]
        return {name: parts[name] for name in sorted(unproven, key=lambda name: (parts[name].since, name))}

    def changed_since(self, table: str, version: str) -> dict[str, Part]:
        """The parts that changed since a table or scope had this version; none where nobody knows."""
        then = self._built_at.get((table, version))
        if then is None:
            return {}
        late = {name: self.wanted[name] for name, change in self._changed.items() if change > then}
        in_scope = {name: part for name, part in late.items() if table in part.hosts}
        return in_scope or late

    def tables_of(self, names: Collection[str]) -> set[str]:
        """What these deployments' parts are in: scopes by host, or else the tables there are."""
        parts = [self.wanted[name] for name in names if name in self.wanted]
        hosts = {host for part in parts for host in part.hosts}
        return (hosts & self._tables.keys()) or (set(self._tables) if parts else set())

    def _build(self, table: str, version: str, parts: Mapping[str, Part], without: frozenset[str]) -> None:
        missing = {name.removeprefix(LEFT_OUT) for name in without}
        versions = self._tables.setdefault(table, {})
        versions.pop(version, None)
        versions[version] = {name: part for name, part in parts.items() if name not in missing}
        self._built_at[table, version] = self._changes
        while len(versions) > _TABLES_KEPT:
            oldest = next(iter(versions))
            del versions[oldest], self._built_at[table, oldest]


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
    return LEFT_OUT + name
