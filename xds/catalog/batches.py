"""Whole types, and long lists of names, cut into messages once for all peers that have none of it.

A thousand Envoys that connect are all sent the same. What differs from one to the next is when: which
gates are open, what has changed meanwhile. So each message's worth of resources is made into a batch,
kept with the catalog, and made anew when one of its resources changes. A peer that begins with nothing
is walked through them for as long as nothing sets it apart (`xds.discovery.watch`).
"""

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping

from xds.catalog.resource import Resource, fingerprint

_GROWN = 1.5
"""How far beyond its limit a batch may grow by changes before it is given up."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What is sent as one message; itself whatever it holds, so that its encoding is found by it.

    Attributes:
        resources: by name; None for those asked for that don't exist.
        asked: whether they were asked for by name.
        clusters: those that any of them names.
        fingerprint: of all of them.
    """

    resources: Mapping[str, Resource | None]
    asked: bool
    clusters: frozenset[str]
    fingerprint: int


class Batches:
    """Names of one type, in the messages that bring them to a peer that has none of them.

    Args:
        find: the resource of a name, as it is now.
        names: all that is to be sent.
        asked: whether they were asked for by name.
        limit: bytes of resources in a message.
    """

    def __init__(
        self, find: Callable[[str], Resource | None], names: Iterable[str], limit: int, *, asked: bool
    ) -> None:
        self.is_stale = False
        """Whether something came or went, or grew, so that these are no messages any more."""
        self._find = find
        self._asked = asked
        self._most = limit * _GROWN
        self._names = list(_cut(find, names, limit))
        self._place = {name: number for number, group in enumerate(self._names) for name in group}
        self._made: dict[int, Batch] = {}

    def __len__(self) -> int:
        """How many messages there are."""
        return len(self._names)

    def batch(self, number: int) -> Batch | None:
        """One of them, as its resources are now; None where these are stale."""
        if number not in self._made and not self.is_stale:
            self._made[number] = self._make(self._names[number])
        return None if self.is_stale else self._made[number]

    def follow(self, name: str, *, is_there: bool) -> None:
        """A resource of this type changed; or came, or went."""
        place = self._place.get(name)
        if place is not None:
            self._made.pop(place, None)
        came_or_went = (place is None) == is_there
        self.is_stale |= came_or_went and not self._asked

    def _make(self, names: Iterable[str]) -> Batch:
        resources = {name: self._find(name) for name in names}
        there = [resource for resource in resources.values() if resource is not None]
        self.is_stale |= sum(len(resource.body) for resource in there) > self._most
        clusters = frozenset[str]().union(*(resource.clusters for resource in there))
        return Batch(
            resources, self._asked, clusters, functools.reduce(operator.xor, map(fingerprint, there), 0)
        )


def _cut(
    find: Callable[[str], Resource | None], names: Iterable[str], limit: int
) -> Iterator[tuple[str, ...]]:
    """Names in groups that fit into messages, one at least in each."""
    group: list[str] = []
    size = 0
    for name in names:
        resource = find(name)
        one = len(resource.body) if resource else len(name)
        if group and size + one > limit:
            yield tuple(group)
            group, size = [], 0
        group.append(name)
        size += one
    if group:
        yield tuple(group)
