"""The catalog of one target: everything a group of Envoys is to have.

A commit takes what is new and what goes, and yields only what really changed, each change with the
resource before and after. Streams keep no copy of the catalog: they note what they owe (see
`xds.discovery.watch`), so a commit costs as much as it changes, however much there is.
"""

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from xds.catalog.batches import Batches, Change, Push
from xds.catalog.resource import Resource, fingerprint
from xds.catalog.types import ROUTING

_NONE: Mapping[str, Resource] = {}
"""What there is of a type that nobody has resources of. Peers may ask for any; that leaves no trace."""

_BATCHES_KEPT = 32
"""Envoys ask for endpoints once for each message of clusters that they are sent."""


class Catalog:
    """Resources by type and name. `position` grows by one with every commit that changes something.

    `push` is the number of the push it is up to date with, whether that changed anything or not: unlike
    positions, those of several catalogs can be compared. `foreign` are the types that its Envoys only have
    from when their gateway had another mode.
    """

    def __init__(self) -> None:
        self.foreign: frozenset[str] = frozenset()
        self.position = 0
        self.push = 0
        self.pushes: tuple[Push, ...] = ()
        """What the last commit changed, by type."""
        self._resources: defaultdict[str, dict[str, Resource]] = defaultdict(dict)
        self._versions: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._batches: OrderedDict[tuple[str, frozenset[str] | None, int], Batches] = OrderedDict()
        self._named: dict[str, int] = {}
        self._fingerprints: defaultdict[str, int] = defaultdict(int)

    def get(self, type_: str, name: str) -> Resource | None:
        """The resource of that name, if there is one."""
        return self._resources.get(type_, _NONE).get(name)

    def all(self, type_: str) -> Mapping[str, Resource]:
        """Every resource of a type by name (a live view: don't keep it)."""
        return self._resources.get(type_, _NONE)

    def sizes(self) -> dict[str, int]:
        """How many resources there are, by type."""
        return {type_: len(resources) for type_, resources in self._resources.items() if resources}

    def fingerprint(self, type_: str) -> int:
        """Of all resources of a type: equal sets of names and versions have equal ones."""
        return self._fingerprints.get(type_, 0)

    def versions(self, type_: str) -> Mapping[str, str]:
        """The version of every resource of a type by name (a live view: don't keep it)."""
        return self._versions.get(type_, {})

    def differing(self, type_: str, known: Mapping[str, str]) -> set[str]:
        """The names of which these are not the versions there are; also those that only one side has."""
        versions = self.versions(type_)
        return set() if known == versions else {name for name, _ in known.items() ^ versions.items()}

    def batches(self, type_: str, names: frozenset[str] | None, limit: int) -> Batches:
        """All of a type, or what was asked for by name, in messages of at most `limit` bytes of resources."""
        key = type_, names, limit
        kept = self._batches.pop(key, None)
        if kept is None or kept.is_stale:
            wanted = self.all(type_) if names is None else sorted(names)
            kept = Batches(functools.partial(self.get, type_), wanted, limit, asked=names is not None)
        self._batches[key] = kept
        while len(self._batches) > _BATCHES_KEPT:
            _, dropped = self._batches.popitem(last=False)
            dropped.is_stale = True  # nobody tells it of changes any more; a peer may be halfway through it
        return kept

    def release(self) -> None:
        """Nobody needs it any more: forget what refers back to it, so that its memory is free at once."""
        self.pushes = ()
        self._batches.clear()

    def names_cluster(self, cluster: str) -> bool:
        """Whether any resource of a routing type names the cluster."""
        return cluster in self._named

    def commit(self, put: Iterable[Resource], gone: Iterable[tuple[str, str]] = ()) -> tuple[Change, ...]:
        """Take new resources in and others out, and say what changed.

        Args:
            put: resources that are new or may have changed; an equal version is no change.
            gone: (type, name) of those that are to be no more.
        """
        changes = tuple(self._commit(put, gone))
        self.position += bool(changes)
        self.pushes = tuple(self._pushes(changes, self.position))
        return changes

    def _pushes(self, changes: Iterable[Change], position: int) -> Iterator[Push]:
        by_type: defaultdict[str, list[Change]] = defaultdict(list)
        for change in changes:
            by_type[change.type].append(change)
        for type_, mine in by_type.items():
            yield Push(type_, mine, lambda: self.position == position)

    def _commit(self, put: Iterable[Resource], gone: Iterable[tuple[str, str]]) -> Iterator[Change]:
        for resource in put:
            before = self._resources[resource.type].get(resource.name)
            self._resources[resource.type][resource.name] = resource
            if before is None or before.version != resource.version:
                yield self._changed(resource.type, resource.name, before, resource)
        for type_, name in gone:
            removed = self._resources[type_].pop(name, None)
            if removed is not None:
                yield self._changed(type_, name, removed, None)

    def _changed(self, type_: str, name: str, before: Resource | None, after: Resource | None) -> Change:
        if after is None:
            del self._versions[type_][name]
        else:
            self._versions[type_][name] = after.version
        for (kept_type, _, _), batches in self._batches.items():
            if kept_type == type_:
                batches.follow(name, is_there=after is not None)
        for resource in (before, after):
            self._fingerprints[type_] ^= fingerprint(resource) if resource else 0
        if type_ in ROUTING:
            named = after.clusters if after else frozenset()
            no_more = before.clusters if before else frozenset()
            for cluster in named - no_more:
                self._named[cluster] = self._named.get(cluster, 0) + 1
            for cluster in no_more - named:
                self._named[cluster] -= 1
                if not self._named[cluster]:
                    del self._named[cluster]
        return Change(type_, name, before, after)
