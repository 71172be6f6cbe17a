"""Where builds run, in memory: lists by source, leases, drains; and what follows from them.

Each source owns its own list. A build's endpoints are the union of these; those of them that are
drained get no requests, whatever the sources say. Nothing here is part of a revision.

A build that loses its last usable endpoint lends its slots to `main` at once, but what tells Envoy so
is a route, and routes wait for their clusters while endpoints wait for nothing. So it goes on with the
endpoints it had last for a little longer: until every Envoy has the route, nobody is sent into the void.

The book knows no clock. Its times are seconds of one that never jumps (`time.monotonic`), or every
lease would be over when somebody sets the time.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping

from xds.spec.endpoint_lists import parse_endpoint
from xds.spec.endpoints import Endpoint
from xds.store.records import EndpointLists, Lease, Place, Write

API = "api"
"""The source of endpoints that came by the verbs for endpoints."""

APPLY = "apply"
"""The source of endpoints in files that came by the admin API."""

LEASE = "lease"
"""The source of endpoints that register themselves."""

POLLS = ("file_sd: ", "http_sd: ")
"""How the names of sources that are polled begin. Every other source is a file of the specs folder."""

WHOLE = ""
"""In a place: not one endpoint of the build, but the build."""

FADE = 30.0
"""Seconds a build without usable endpoints keeps those it had. Routes follow within one, but wait for
clusters that warm (`xds.translate.clusters` bounds that to five) and for Envoys that are busy."""

Lists = Mapping[str, tuple[Endpoint, ...]]
"""A build's endpoints by source."""


@dataclasses.dataclass(frozen=True)
class Known:
    """An endpoint of a build.

    Attributes:
        sources: whose lists it is on.
        drained: it gets no requests: it, or its whole build, is drained.
        due: when its lease is over, by the book's clock; None where it has none.
    """

    endpoint: Endpoint
    sources: tuple[str, ...]
    drained: bool
    due: float | None = None


class EndpointBook:
    """The endpoints of every build.

    Args:
        lists: by source and build ref.
        leases: each begins anew.
        drains: what gets no requests.
        now: by the book's clock.
        fade: seconds a build without usable endpoints keeps the last ones.
    """

    def __init__(
        self,
        lists: EndpointLists,
        leases: Mapping[Place, Lease],
        drains: frozenset[Place],
        now: float,
        fade: float = FADE,
    ) -> None:
        self._fade = fade
        self._lists: defaultdict[str, dict[str, tuple[Endpoint, ...]]] = defaultdict(dict)
        self._leases: defaultdict[str, dict[str, Lease]] = defaultdict(dict)
        self._due: dict[Place, float] = {}
        self._drains: set[Place] = set()
        self._union: dict[str, tuple[Endpoint, ...]] = {}
        self._usable: dict[str, tuple[Endpoint, ...]] = {}
        self._fading: dict[str, tuple[Endpoint, ...]] = {}
        self._faded_at: dict[str, float] = {}
        self.adopt(Write(endpoints=lists, leases=leases, drains=dict.fromkeys(drains, True)), now)

    @property
    def union(self) -> Mapping[str, tuple[Endpoint, ...]]:
        """By build ref: all endpoints of all sources, also those that are drained."""
        return self._union

    @property
    def usable(self) -> Mapping[str, tuple[Endpoint, ...]]:
        """By build ref: the endpoints that are to get requests."""
        return self._usable

    @property
    def fading(self) -> Mapping[str, tuple[Endpoint, ...]]:
        """By ref of a build that lost its last usable endpoint a moment ago: those it had."""
        return self._fading

    def refs(self) -> list[str]:
        """Every build that has endpoints, or is drained."""
        return sorted(
            {*(ref for ref, union in self._union.items() if union), *(ref for ref, _ in self._drains)}
        )

    def lists_of(self, ref: str) -> Lists:
        """A build's endpoints by source, leases included."""
        lists = {**self._lists.get(ref, {})}
        if leases := self._leases.get(ref):
            lists[LEASE] = tuple(lease.endpoint for _, lease in sorted(leases.items()))
        return lists

    def known(self, ref: str) -> tuple[Known, ...]:
        """All endpoints of a build, drained or not, and drained places that no source lists at the moment."""
        lists = self.lists_of(ref)
        on: defaultdict[str, list[str]] = defaultdict(list)
        for source in by_rank(lists):
            for endpoint in lists[source]:
                on[str(endpoint)].append(source)
        return tuple(
            Known(
                endpoint,
                tuple(on[str(endpoint)]),
                self.is_drained(ref, str(endpoint)),
                self._due.get((ref, str(endpoint))),
            )
            for endpoint in self._union.get(ref, ())
        ) + tuple(
            Known(parse_endpoint(where), (), drained=True)
            for where in sorted(self.drained_places(ref) - {WHOLE} - on.keys())
        )

    def is_drained(self, ref: str, place: str = WHOLE) -> bool:
        """Whether a place, or its whole build, is drained."""
        return (ref, WHOLE) in self._drains or (ref, place) in self._drains

    def drained_places(self, ref: str) -> frozenset[str]:
        """What is drained of a build, as it was said; also places no source lists any more."""
        return frozenset(place for drained, place in self._drains if drained == ref)

    def owned_by(self, source: str) -> frozenset[str]:
        """The builds that a source lists endpoints for."""
        return frozenset(ref for ref, lists in self._lists.items() if lists.get(source))

    def lease(self, place: Place) -> Lease | None:
        """The lease of a place, if there is one."""
        ref, where = place
        return self._leases.get(ref, {}).get(where)

    def due(self, place: Place) -> float | None:
        """When the lease of a place is over."""
        return self._due.get(place)

    def renew(self, place: Place, now: float) -> float:
        """Give a lease all of its time again; returns when it is over then.

        Raises:
            KeyError: there is no such lease.
        """
        ref, where = place
        self._due[place] = now + self._leases[ref][where].ttl
        return self._due[place]

    def renew_all(self, now: float) -> None:
        """Give every lease all of its time again."""
        for place in self._due:
            self.renew(place, now)

    def overdue(self, now: float) -> list[Place]:
        """The leases whose time is over."""
        return sorted(place for place, due in self._due.items() if due <= now)

    def next_due(self) -> float | None:
        """When the next lease is over."""
        return min(self._due.values(), default=None)

    def adopt(self, write: Write, now: float) -> set[str]:
        """Follow what was committed; returns the builds of which Envoys are to hear."""
        for (source, ref), endpoints in write.endpoints.items():
            self._lists[ref][source] = endpoints
        for (ref, where), lease in write.leases.items():
            if lease is None:
                self._leases[ref].pop(where, None)
                self._due.pop((ref, where), None)
            else:
                self._leases[ref][where] = lease
                self.renew((ref, where), now)
        for place, drained in write.drains.items():
            (self._drains.add if drained else self._drains.discard)(place)
        return {ref for ref in _builds(write) if self._settle(ref, now)}

    def trial(self, ref: str, write: Write, now: float) -> "EndpointBook":
        """A book of one build alone, in which something was written that isn't in this one."""
        leases = {(ref, where): lease for where, lease in self._leases.get(ref, {}).items()}
        book = EndpointBook(
            {(source, ref): given for source, given in self._lists.get(ref, {}).items()},
            leases,
            frozenset((ref, where) for where in self.drained_places(ref)),
            now,
        )
        book._due |= {place: self._due[place] for place in leases}
        book.adopt(_of_build(write, ref), now)
        return book

    def next_fade(self) -> float | None:
        """When the next build's last endpoints go."""
        return min(self._faded_at.values(), default=None)

    def fade(self, now: float) -> set[str]:
        """Let go of those whose time is over; returns their builds."""
        gone = {ref for ref, at in self._faded_at.items() if at <= now}
        for ref in gone:
            self._stop_fading(ref)
        return gone

    def _settle(self, ref: str, now: float) -> bool:
        """Work out what is usable; returns whether that changed."""
        before = self._usable.get(ref, ())
        self._union[ref] = merged(self.lists_of(ref))
        usable = _undrained(ref, self._union[ref], self._drains)
        if usable == before:
            return False
        self._usable[ref] = usable
        if usable:
            self._stop_fading(ref)
        else:
            self._fading[ref], self._faded_at[ref] = before, now + self._fade
        return True

    def _stop_fading(self, ref: str) -> None:
        self._fading.pop(ref, None)
        self._faded_at.pop(ref, None)


def by_rank(lists: Lists) -> list[str]:
    """The sources of a build: what people said by hand first, then by name."""
    return sorted(lists, key=lambda source: (source not in (API, APPLY, LEASE), source))


def merged(lists: Lists) -> tuple[Endpoint, ...]:
    """The union of a build's endpoints over its sources, each place once; the first source has its say.

    Its order is that of the sources' names and of their lists: any server makes the same of it.
    """
    union: dict[str, Endpoint] = {}
    for source in by_rank(lists):
        for endpoint in lists[source]:
            union.setdefault(str(endpoint), endpoint)
    return tuple(union.values())


def is_file(source: str) -> bool:
    """Whether a source is a file of the specs folder."""
    return source not in (API, APPLY, LEASE) and not source.startswith(POLLS)


def title(source: str) -> str:
    """A source as people are told of it: `specs: chat.yaml`, and all others as they are called."""
    return f"specs: {source}" if is_file(source) else source


def _undrained(ref: str, endpoints: tuple[Endpoint, ...], drains: set[Place]) -> tuple[Endpoint, ...]:
    if not drains:
        return endpoints
    if (ref, WHOLE) in drains:
        return ()
    return tuple(endpoint for endpoint in endpoints if (ref, str(endpoint)) not in drains)


def _of_build(write: Write, ref: str) -> Write:
    """What a write says of one build's endpoints."""
    return Write(
        endpoints={key: given for key, given in write.endpoints.items() if key[1] == ref},
        leases={place: lease for place, lease in write.leases.items() if place[0] == ref},
        drains={place: on for place, on in write.drains.items() if place[0] == ref},
    )


def _builds(write: Write) -> Iterator[str]:
    yield from {ref for _, ref in write.endpoints}
    yield from {ref for ref, _ in (*write.leases, *write.drains)}
