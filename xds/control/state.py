"""What is in force, in memory: a mirror of the store, changed only by what was committed to it."""

import bisect
import dataclasses
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from xds.control.endpoint_book import FADE, EndpointBook, Lists
from xds.control.health import Health
from xds.errors import NotFound
from xds.revisions.history import KEEP_BUILDS, retired_builds
from xds.revisions.record import Revision, cluster_name
from xds.revisions.resources import ResourceSet
from xds.spec.claims import Claim, claims_of
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway
from xds.spec.upstream import ClusterSettings
from xds.store.records import Memory, Write
from xds.translate.settings import LendWhen, lend_when
from xds.translate.view import Endpoints, View, lending_builds

ClaimKey = tuple[str, str, str, str]
"""Gateway, host, path prefix, model."""


class State:
    """Deployments, endpoints, and who claims which hosts.

    Args:
        gateways: those there are.
        memory: what the store has.
        keep_builds: seconds for which a build nobody references keeps its cluster.
        fade: seconds for which one without usable endpoints keeps the last ones.
        clock: one that never jumps, for leases.
    """

    def __init__(
        self,
        gateways: Iterable[Gateway],
        memory: Memory,
        keep_builds: float = KEEP_BUILDS,
        *,
        fade: float = FADE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep_builds = keep_builds
        self.position = memory.position
        """How many writes it follows."""
        self.gateways = {gateway.name: gateway for gateway in gateways}
        self.builds: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.applied: dict[tuple[str, str], str] = dict(memory.applied)
        self._recent: dict[str, tuple[Revision, ...]] = {}
        self._users: defaultdict[str, set[str]] = defaultdict(set)
        self._claims: dict[ClaimKey, Claim] = {}
        for name, refs in memory.builds.items():
            self._know_builds(name, refs)
        for name, revisions in memory.recent.items():
            self._recent[name] = revisions
            self._claim(None, revisions[-1])
        self._names = sorted(name for name in self._recent if self.head(name) is not None)
        self.present: frozenset[str] = frozenset()
        """The files of the specs folder."""
        self._governing: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._govern(memory.applied)
        self.clock = clock
        self.book = EndpointBook(memory.endpoints, memory.leases, memory.drains, clock(), fade)
        self.resources: dict[str, ResourceSet] = dict(memory.resources)
        self.health = Health()
        self._unwatched = set(self._names)

    @property
    def endpoints(self) -> Mapping[str, tuple[Endpoint, ...]]:
        """By build ref: those that can be used."""
        return self.book.usable

    def names(self) -> list[str]:
        """Every deployment that is not deleted, sorted."""
        return self._names

    def deleted(self) -> list[str]:
        """Every deployment that was deleted, sorted."""
        return sorted(name for name in self._recent if self.head(name) is None)

    def head(self, name: str) -> Revision | None:
        """The revision in force; None where there is none, or no more."""
        newest = self.newest(name)
        return None if newest is None or newest.kind == "delete" else newest

    def newest(self, name: str) -> Revision | None:
        """The revision in force, or the deletion."""
        recent = self._recent.get(name)
        return recent[-1] if recent else None

    def existing(self, name: str) -> Revision:
        """The revision in force.

        Raises:
            NotFound: there is no such deployment, or none any more.
        """
        newest = self.ever(name)
        if newest.kind == "delete":
            raise NotFound(
                f"{name} was deleted (revision {newest.number} by {newest.note.author}); "
                f"`canary undelete {name}` brings it back"
            )
        return newest

    def ever(self, name: str) -> Revision:
        """The revision in force, or the deletion.

        Raises:
            NotFound: there never was such a deployment.
        """
        newest = self.newest(name)
        if newest is None:
            there_are = ", ".join(self.names()[:10]) or "none yet"
            raise NotFound(f"there is no deployment {name!r} (there are: {there_are})")
        return newest

    def adopt(self, write: Write, now: float) -> set[str]:
        """Follow what was committed; returns the deployments it concerns."""
        self.position += 1
        concerned = set()
        for revision in write.revisions:
            name = revision.deployment
            recent = (*self._recent.get(name, ()), revision)
            self._claim(recent[-2] if len(recent) > 1 else None, revision)
            self._know_builds(name, {ref: key for key, ref in revision.builds.items()})
            self._recent[name] = recent
            self._forget_old(name, now)
            self._list(name)
            concerned.add(name)
        concerned |= self._users_of_any(self.book.adopt(write, self.clock()))
        self._unwatched |= concerned
        self.applied |= write.applied
        self._govern(write.applied)
        self.resources |= {given.gateway: given for given in write.resources}
        return concerned

    def view(self, name: str, gateway: Gateway, now: float) -> View | None:
        """A deployment as a gateway is to serve it; None where it isn't."""
        head = self.head(name)
        if head is None:
            return None
        if head.spec.gateways is not None and gateway.name not in head.spec.gateways:
            return None
        retired = self._retired(name, now)
        return View(
            gateway,
            head,
            self.book.usable,
            {key: kept for key, (kept, _) in retired.items()},
            fading=self.book.fading,
            unhealthy=self.health.lending(name),
        )

    def next_retirement(self, name: str, now: float) -> float | None:
        """When the next of a deployment's retired builds may go (epoch seconds)."""
        return min((until for _, until in self._retired(name, now).values()), default=None)

    def fade(self) -> set[str]:
        """Let go of the last endpoints of builds that have none any more; returns who used them."""
        return self._users_of_any(self.book.fade(self.clock()))

    def rivals(self, claims: Iterable[Claim], of: set[str]) -> list[Claim]:
        """The claims in force, of other deployments than these, to the same hosts and paths.

        Each says where it came from.
        """
        held = (self._claims.get(claim.key) for claim in claims)
        rivals = [claim for claim in held if claim is not None and claim.deployment not in of]
        return list(self._placed(rivals)) if rivals else []

    def claims(self) -> Iterator[Claim]:
        """Every claim in force; each says where it came from, which is worked out as they are asked for."""
        return self._placed(self._claims.values())

    def clusters_ever(self) -> frozenset[str]:
        """The clusters of every build there ever was."""
        return frozenset(
            cluster_name(name, key) for name, keys in self.builds.items() for key in keys.values()
        )

    def check_gateway(self, name: str) -> None:
        """Make sure there is such a gateway.

        Raises:
            NotFound: there is none.
        """
        if name not in self.gateways:
            raise NotFound(f"there is no gateway {name!r} (there are: {', '.join(self.gateways)})")

    def unserved(self) -> Iterator[Deployment]:
        """The deployments in force all of whose gateways are gone from the configuration."""
        return filter(self.has_no_gateway, (self.existing(name).spec for name in self.names()))

    def serving(self, spec: Deployment) -> list[Gateway]:
        """The gateways that serve a deployment."""
        return [
            each for name, each in self.gateways.items() if spec.gateways is None or name in spec.gateways
        ]

    def lend_when(self, revision: Revision) -> LendWhen:
        """When a deployment's builds lend their slots; where its gateways differ, the most ready counts."""
        said = {lend_when(revision.spec, gateway.defaults) for gateway in self.serving(revision.spec)}
        ready: tuple[LendWhen, ...] = ("unhealthy", "empty", "never")
        return next((when for when in ready if when in said), "unhealthy")

    def lending(self, revision: Revision, endpoints: Endpoints) -> frozenset[str]:
        """The builds of a revision, by key, whose slots `main` serves, had they these endpoints."""
        ill = self.health.lending(revision.deployment)
        return lending_builds(revision, endpoints, self.lend_when(revision), ill)

    def levels(self, revision: Revision, label: str) -> tuple[ClusterSettings, ...]:
        """Who says how a version's cluster is set, the strongest first; of gateways the first counts."""
        defaults = [gateway.defaults for gateway in self.serving(revision.spec)]
        return (revision.spec.settings_of(label), revision.spec, *defaults[:1])

    def take_unwatched(self, count: int) -> list[str]:
        """Some of the deployments whose endpoints may have changed since they were taken last."""
        taken = list(itertools.islice(self._unwatched, count))
        self._unwatched.difference_update(taken)
        return taken

    def has_no_gateway(self, spec: Deployment) -> bool:
        """Whether no gateway there is serves a deployment."""
        return spec.gateways is not None and self.gateways.keys().isdisjoint(spec.gateways)

    def lists_of(self, ref: str) -> Lists:
        """A build's endpoints by source."""
        return self.book.lists_of(ref)

    def users_of(self, ref: str) -> frozenset[str]:
        """The deployments that have, or had, a build."""
        return frozenset(self._users.get(ref, ()))

    def governing(self, name: str) -> tuple[str, str]:
        """The file that has a deployment, and the digest of what was applied from it last; "" where none."""
        digests = self._governing.get(name, {})
        return next((each for each in digests.items() if each[0] in self.present), ("", ""))

    def _govern(self, applied: Mapping[tuple[str, str], str]) -> None:
        for (file, part), digest in applied.items():
            self._governing[part][file] = digest

    def _list(self, name: str) -> None:
        """Keep the names of what is in force in order."""
        place = bisect.bisect_left(self._names, name)
        is_listed = self._names[place : place + 1] == [name]
        if self.head(name) is None and is_listed:
            del self._names[place]
        elif self.head(name) is not None and not is_listed:
            self._names.insert(place, name)

    def _know_builds(self, name: str, refs: Mapping[str, str]) -> None:
        self.builds[name] |= refs
        for ref in refs:
            self._users[ref].add(name)

    def _claim(self, before: Revision | None, after: Revision) -> None:
        for claim in self._claims_of(before) if before else ():
            if claim == self._claims.get(claim.key):
                del self._claims[claim.key]
        self._claims |= {claim.key: claim for claim in self._claims_of(after)}

    def _claims_of(self, revision: Revision) -> tuple[Claim, ...]:
        """The hosts that a revision claims; a deletion claims none."""
        if revision.kind == "delete":
            return ()
        return claims_of(revision.spec, self.gateways.values())

    def _placed(self, claims: Iterable[Claim]) -> Iterator[Claim]:
        """Claims with the file that governs their deployment, else with who made it what it is."""
        files = {part: file for file, part in self.applied}
        for claim in claims:
            yield dataclasses.replace(claim, file=_place(self.existing(claim.deployment), files))

    def _users_of_any(self, refs: Iterable[str]) -> set[str]:
        return {user for ref in refs for user in self.users_of(ref)}

    def _retired(self, name: str, now: float) -> Mapping[str, tuple[Revision, float]]:
        """What still keeps its cluster; of a deleted deployment all goes at once."""
        if self.head(name) is None:
            return {}
        return retired_builds(self._recent[name], now, self._keep_builds)

    def _forget_old(self, name: str, now: float) -> None:
        """Keep the head and what still retires."""
        recent = self._recent[name]
        kept = {revision.number for revision, _ in self._retired(name, now).values()}
        oldest = min(kept, default=recent[-1].number)
        self._recent[name] = tuple(revision for revision in recent if revision.number >= oldest)


def usable_of(state: State, revision: Revision) -> dict[str, int]:
    """How many usable endpoints the builds of a revision have, by ref."""
    return {ref: len(state.endpoints.get(ref, ())) for ref in revision.builds.values()}


def _place(head: Revision, files: Mapping[str, str]) -> str:
    file = files.get(head.deployment)
    return f"{file}, revision {head.number}" if file else f"revision {head.number} by {head.note.author}"
