"""All streams: which are to hear of a change.

Each target has one catalog; its streams note what they owe when the catalog changes. The caller
commits to a catalog through the hub and wakes the streams that come back.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from xds.catalog.batches import Change
from xds.catalog.catalog import Catalog
from xds.catalog.resource import Resource
from xds.discovery.dialect import DELTA, Dialect
from xds.discovery.members import Members
from xds.discovery.order import Clock
from xds.discovery.request import Node
from xds.discovery.stream import Counters, Stream, Verdict


class Target(NamedTuple):
    """Envoys that are all to have the same: those of a gateway that can do the same.

    A push in stages will make a third of two: this is where it goes.
    """

    gateway: str
    profile: str = ""
    """What they can do (`xds.fleet.profile`); "" for the newest."""
    held: frozenset[str] = frozenset()
    """What they are not to have in its newest state, because they refused it (`xds.control.lanes`)."""


class Hub:
    """Catalogs by target, and the streams that follow them.

    A gateway's name stands for its newest Envoys, whose catalog is always there. That of any other
    target is made when the first such Envoy connects: `provide` then fills it, before the stream
    opens. `hears` is told of every answer that a peer accepts or refuses, `stirs` of peers that come
    and go, `leaves` of whose stream has ended, `changes` of whatever changed in a catalog. `holds`
    tells whose newest routes a peer has not, and what it said of them ("" where nobody knows);
    `objects` whether a peer refused anybody's routes.
    """

    def __init__(self, gateways: Iterable[str], clock: Clock = lambda: 0.0) -> None:
        self.provide: Callable[[Target], object] = lambda _: None
        self.hears: Callable[[Stream, Verdict], object] = lambda _, __: None
        self.stirs: Callable[[], object] = lambda: None
        self.leaves: Callable[[Stream], object] = lambda _: None
        self.changes: Callable[[Target, tuple[Change, ...]], object] = lambda _, __: None
        self.holds: Callable[[Stream], Mapping[str, str]] = lambda _: {}
        self.objects: Callable[[Stream], bool] = lambda _: False
        self._clock = clock
        self._catalogs = {Target(gateway): Catalog() for gateway in gateways}
        self._streams: defaultdict[Target, set[Stream]] = defaultdict(set)
        self._target_of: dict[Stream, Target] = {}
        self._members = defaultdict[str, Members](lambda: Members(self._is_special))
        self.ended = Counters()
        """What the streams have seen that ended."""

    @property
    def catalogs(self) -> Mapping[str, Catalog]:
        """What the newest Envoys of each gateway are to have."""
        return {
            target.gateway: catalog
            for target, catalog in self._catalogs.items()
            if target == Target(target.gateway)
        }

    def targets(self) -> tuple[Target, ...]:
        """Every target that has a catalog."""
        return tuple(self._catalogs)

    def prepare(self, target: Target) -> Catalog:
        """The catalog of a target, made now if it isn't there."""
        if target not in self._catalogs:
            self._catalogs[target] = Catalog()
            try:
                self.provide(target)
            except BaseException:
                del self._catalogs[target]  # an empty one would tell Envoys that there is nothing
                raise
        return self._catalogs[target]

    def inherit(self, earlier: "Hub") -> list[Stream]:
        """Go on where another hub leaves off: with its streams, and its catalogs made to have what ours have.

        What it has for Envoys of which none is connected is not gone on with.

        Returns:
            The streams that have something to hear.
        """
        concerned = []
        for target in earlier.targets():
            catalog, streams = earlier.prepare(target), earlier.streams_of(target)
            wanted = self.prepare(target) if streams else self._catalogs.get(target, Catalog())
            changes = catalog.commit(*_what_makes(catalog, wanted))
            catalog.push, catalog.foreign = wanted.push, wanted.foreign
            self.changes(target, changes)
            if target in self._catalogs:
                self._catalogs[target] = catalog
            for stream in streams:
                self._enter(stream, target)
            concerned += [stream for stream in streams if changes and stream.notice(catalog.pushes)]
        self.ended += earlier.ended
        return concerned

    def open(
        self, target: Target | str, node: Node, dialect: Dialect = DELTA, *, aggregated: bool = True
    ) -> Stream:
        """A new stream of an Envoy."""
        target = _target(target)
        stream = Stream(self.prepare(target), node, dialect, self._clock, aggregated=aggregated)
        self._enter(stream, target)
        self.stirs()
        return stream

    def close(self, stream: Stream) -> None:
        """The stream has ended."""
        self._members[self._target_of[stream].gateway].leave(stream)
        self._leave(stream)
        self.ended += stream.counters
        self.leaves(stream)
        self.stirs()

    def move(self, stream: Stream, target: Target) -> None:
        """A stream's Envoy is to have what another target has."""
        catalog = self.prepare(target)
        self._leave(stream)
        stream.retarget(catalog)
        self._streams[target].add(stream)
        self._target_of[stream] = target

    def target_of(self, stream: Stream) -> Target:
        """Which target an open stream follows."""
        return self._target_of[stream]

    def members(self, gateway: str) -> Members:
        """The Envoys of a gateway, and which of them are behind or refuse something."""
        return self._members[gateway]

    def streams(self, gateway: str) -> Iterator[Stream]:
        """The open streams of a gateway, whatever their Envoys can do."""
        return itertools.chain.from_iterable(tuple(self._members[gateway].streams.values()))

    def nodes(self) -> Iterator[tuple[str, str]]:
        """The node id and the gateway of each Envoy."""
        return itertools.chain.from_iterable(
            zip(tuple(members.streams), itertools.repeat(gateway))
            for gateway, members in self._members.items()
        )

    def streams_of(self, target: Target) -> tuple[Stream, ...]:
        """The open streams of one target."""
        return tuple(self._streams.get(target, ()))

    def call_foreign(self, target: Target, types: frozenset[str]) -> None:
        """Of these types a target has none of its own; what its Envoys have is of an earlier mode."""
        self._catalogs[target].foreign = types

    def drop_deserted(self) -> tuple[Target, ...]:
        """Forget the targets made for what some Envoys refused, where there are none any more."""
        deserted = tuple(target for target in self._catalogs if target.held and not self._streams[target])
        for target in deserted:
            self._catalogs.pop(target).release()
            del self._streams[target]
        return deserted

    def _enter(self, stream: Stream, target: Target) -> None:
        """A stream is there, opened just now or inherited."""
        self._streams[target].add(stream)
        self._target_of[stream] = target
        self._members[target.gateway].join(stream)

    def _is_special(self, stream: Stream) -> bool:
        """Whether a peer has not what the others have, or refused that."""
        return bool(self._target_of[stream].held) or self.objects(stream)

    def _leave(self, stream: Stream) -> None:
        self._streams[self._target_of.pop(stream)].discard(stream)

    def totals(self) -> Counters:
        """What all streams have seen, those that ended included."""
        seen = [self.ended, *(stream.counters for stream in self._target_of)]
        return Counters(
            answers=sum(each.answers for each in seen),
            acknowledgements=sum(each.acknowledgements for each in seen),
            refusals=sum(each.refusals for each in seen),
            stale=sum(each.stale for each in seen),
        )

    def commit(
        self,
        target: Target | str,
        put: Iterable[Resource],
        gone: Iterable[tuple[str, str]] = (),
        *,
        push: int = 0,
    ) -> list[Stream]:
        """Change a target's catalog; returns the streams that have something to hear.

        Args:
            target: whose.
            put: what is new.
            gone: what is no more.
            push: the number of the push that brings it; they grow.
        """
        target = _target(target)
        changes = self._catalogs[target].commit(put, gone)
        self._catalogs[target].push = push
        if not changes:
            return []
        self.changes(target, changes)
        pushes = self._catalogs[target].pushes
        return [stream for stream in self._streams[target] if stream.notice(pushes)]


def _what_makes(catalog: Catalog, wanted: Catalog) -> tuple[Iterable[Resource], Iterable[tuple[str, str]]]:
    """What is to be put into a catalog, and what is to go, for it to have what another has."""
    put = [resource for type_ in wanted.sizes() for resource in wanted.all(type_).values()]
    gone = [
        (type_, name)
        for type_ in catalog.sizes()
        for name in catalog.all(type_).keys() - wanted.all(type_).keys()
    ]
    return put, gone


def _target(said: Target | str) -> Target:
    return Target(said) if isinstance(said, str) else said
