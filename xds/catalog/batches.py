"""What many peers are sent alike, made once for all of them.

A thousand Envoys that connect are all sent the same, and so are those that hear of a change. What
differs from one to the next is when: which gates are open, what has come between. So whole types, and
long lists of names, are cut into messages once; each is a batch, kept with the catalog and made anew
when one of its resources changes. What a commit changes of a type is a batch, too. A peer is sent
batches for as long as nothing sets it apart (`xds.discovery.watch`).
"""

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from xds.catalog.resource import Resource, fingerprint

MOST = 1_000_000
"""Bytes of resources in one message of several: well below the 4 MB that gRPC allows by default."""

_GROWN = 1.5
"""How far beyond its limit a batch may grow by changes before it is given up."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Batch:
    """What is sent as one message. Two of them are never equal, whatever they hold.

    Attributes:
        resources: by name; None for those that don't exist, or no more.
        had: those of them that the peer has in an earlier version.
        asked: whether they were asked for by name.
        clusters: those that any of them names.
        fingerprint: of all of them, before and after.
        removes: whether it takes anything away.
        encoded: the message, by what else it says; it goes when the batch does.
    """

    resources: Mapping[str, Resource | None]
    had: Mapping[str, Resource]
    asked: bool
    clusters: frozenset[str]
    fingerprint: int
    removes: bool
    encoded: dict[str, bytes] = dataclasses.field(default_factory=dict)


class Owed(Protocol):
    """What a peer that nothing sets apart is still to be sent, in batches."""

    def __len__(self) -> int: ...
    def batch(self, number: int) -> Batch | None: ...  # noqa: D102 (None: it isn't true any more)


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
        made = _batch({name: self._find(name) for name in names}, asked=self._asked)
        size = sum(len(each.body) for each in made.resources.values() if each)
        self.is_stale |= size > self._most and len(made.resources) > 1
        return made


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One resource before and after a commit; None where there was, or is, none."""

    type: str
    name: str
    before: Resource | None
    after: Resource | None


class Push:
    """What a commit changed of one type, for peers that had everything as it was.

    Args:
        type_: the type URL.
        changes: what changed of it.
        holds: whether there is still nothing newer.
    """

    def __init__(self, type_: str, changes: Sequence[Change], holds: Callable[[], bool]) -> None:
        self.type = type_
        self.changes = changes
        self._holds = holds
        self._made: list[Batch] | None = None

    def __len__(self) -> int:
        """How many messages there are."""
        return len(self._batches())

    def batch(self, number: int) -> Batch | None:
        """One of them; None where there is something newer."""
        return self._batches()[number] if self._holds() else None

    def _batches(self) -> list[Batch]:
        """Made when the first peer is to hear of it; there may be none."""
        if self._made is None:
            by_name = {change.name: change for change in self.changes}
            names = _cut(lambda name: by_name[name].after, by_name, MOST)
            self._made = [_pushed(by_name[name] for name in group) for group in names]
        return self._made


def _pushed(changes: Iterable[Change]) -> Batch:
    changes = list(changes)
    had = {change.name: change.before for change in changes if change.before is not None}
    return _batch({change.name: change.after for change in changes}, had)


def _batch(
    resources: Mapping[str, Resource | None],
    had: Mapping[str, Resource] | None = None,
    *,
    asked: bool = False,
) -> Batch:
    had = had or {}
    there = [resource for resource in resources.values() if resource is not None]
    return Batch(
        resources,
        had,
        asked,
        frozenset().union(*(resource.clusters for resource in there)),
        functools.reduce(operator.xor, map(fingerprint, [*there, *had.values()]), 0),
        removes=not asked and len(there) < len(resources),
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
