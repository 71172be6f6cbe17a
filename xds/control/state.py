"""What is in force, in memory: a mirror of the store, changed only by what was committed to it."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from xds.errors import NotFound
from xds.revisions.history import KEEP_BUILDS, retired_builds
from xds.revisions.record import Revision, cluster_name
from xds.revisions.resources import ResourceSet
from xds.spec.claims import Claim, claims_of
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway
from xds.store.records import Memory, Write
from xds.translate.view import View

ClaimKey = tuple[str, str, str]
"""Gateway, host, path prefix."""


class State:
    """Deployments, endpoints, and who claims which hosts.

    Args:
        gateways: those there are.
        memory: what the store has.
        keep_builds: seconds for which a build nobody references keeps its cluster.
    """

    def __init__(self, gateways: Iterable[Gateway], memory: Memory, keep_builds: float = KEEP_BUILDS) -> None:
        self._keep_builds = keep_builds
        self.gateways = {gateway.name: gateway for gateway in gateways}
        self.builds: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.applied: dict[tuple[str, str], str] = dict(memory.applied)
        self._recent: dict[str, tuple[Revision, ...]] = {}
        self._lists: dict[str, dict[str, tuple[Endpoint, ...]]] = {}
        self._endpoints: dict[str, tuple[Endpoint, ...]] = {}
        self._users: defaultdict[str, set[str]] = defaultdict(set)
        self._claims: dict[ClaimKey, Claim] = {}
        for name, refs in memory.builds.items():
            self._know_builds(name, refs)
        for name, revisions in memory.recent.items():
            self._recent[name] = revisions
            self._claim(None, revisions[-1])
        self._take_endpoints(memory.endpoints)
        self.resources: dict[str, ResourceSet] = dict(memory.resources)

    @property
    def endpoints(self) -> Mapping[str, tuple[Endpoint, ...]]:
        """By build ref: the union over all sources."""
        return self._endpoints

    def names(self) -> list[str]:
        """Every deployment."""
        return sorted(self._recent)

    def head(self, name: str) -> Revision | None:
        """The revision in force."""
        recent = self._recent.get(name)
        return recent[-1] if recent else None

    def existing(self, name: str) -> Revision:
        """The revision in force.

        Raises:
            NotFound: there is no such deployment.
        """
        head = self.head(name)
        if head is None:
            there_are = ", ".join(self.names()[:10]) or "none yet"
            raise NotFound(f"there is no deployment {name!r} (there are: {there_are})")
        return head

    def adopt(self, write: Write, now: float) -> set[str]:
        """Follow what was committed; returns the deployments it concerns."""
        concerned = set()
        for revision in write.revisions:
            name = revision.deployment
            recent = (*self._recent.get(name, ()), revision)
            self._claim(recent[-2] if len(recent) > 1 else None, revision)
            self._know_builds(name, {ref: key for key, ref in revision.builds.items()})
            self._recent[name] = recent
            self._forget_old(name, now)
            concerned.add(name)
        for ref in self._take_endpoints(write.endpoints):
            concerned |= self._users[ref]
        self.applied |= write.applied
        self.resources |= {given.gateway: given for given in write.resources}
        return concerned

    def view(self, name: str, gateway: Gateway, now: float) -> View | None:
        """A deployment as a gateway is to serve it; None where it isn't."""
        head = self._recent[name][-1]
        if head.spec.gateways is not None and gateway.name not in head.spec.gateways:
            return None
        retired = self._retired(name, now)
        return View(gateway, head, self._endpoints, {key: kept for key, (kept, _) in retired.items()})

    def next_retirement(self, name: str, now: float) -> float | None:
        """When the next of a deployment's retired builds may go (epoch seconds)."""
        return min((until for _, until in self._retired(name, now).values()), default=None)

    def rivals(self, claims: Iterable[Claim], of: set[str]) -> list[Claim]:
        """The claims in force, of other deployments than these, to the same hosts and paths.

        Each says where it came from.
        """
        held = (self._claims.get(_key(claim)) for claim in claims)
        rivals = [claim for claim in held if claim is not None and claim.deployment not in of]
        return self._placed(rivals) if rivals else []

    def claims(self) -> Iterable[Claim]:
        """Every claim in force; each says where it came from."""
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
        heads = (recent[-1].spec for recent in self._recent.values())
        return filter(self.has_no_gateway, heads)

    def has_no_gateway(self, spec: Deployment) -> bool:
        """Whether no gateway there is serves a deployment."""
        return spec.gateways is not None and self.gateways.keys().isdisjoint(spec.gateways)

    def lists_of(self, ref: str) -> Mapping[str, tuple[Endpoint, ...]]:
        """A build's endpoints by source."""
        return self._lists.get(ref, {})

    def users_of(self, ref: str) -> frozenset[str]:
        """The deployments that have, or had, a build."""
        return frozenset(self._users.get(ref, ()))

    def _know_builds(self, name: str, refs: Mapping[str, str]) -> None:
        self.builds[name] |= refs
        for ref in refs:
            self._users[ref].add(name)

    def _claim(self, before: Revision | None, after: Revision) -> None:
        for claim in self._claims_of(before) if before else ():
            if claim == self._claims.get(_key(claim)):
                del self._claims[_key(claim)]
        self._claims |= {_key(claim): claim for claim in self._claims_of(after)}

    def _claims_of(self, revision: Revision) -> tuple[Claim, ...]:
        return claims_of(revision.spec, self.gateways.values())

    def _placed(self, claims: Iterable[Claim]) -> list[Claim]:
        """Claims with the file that governs their deployment, else with who made it what it is."""
        files = {part: file for file, part in self.applied}
        return [
            dataclasses.replace(claim, file=_place(self.existing(claim.deployment), files))
            for claim in claims
        ]

    def _take_endpoints(self, lists: Mapping[tuple[str, str], tuple[Endpoint, ...]]) -> set[str]:
        changed = set()
        for (source, ref), endpoints in lists.items():
            self._lists.setdefault(ref, {})[source] = endpoints
            union = merged(self._lists[ref])
            if union != self._endpoints.get(ref, ()):
                self._endpoints[ref] = union
                changed.add(ref)
        return changed

    def _retired(self, name: str, now: float) -> Mapping[str, tuple[Revision, float]]:
        return retired_builds(self._recent[name], now, self._keep_builds)

    def _forget_old(self, name: str, now: float) -> None:
        """Keep the head and what still retires."""
        recent = self._recent[name]
        kept = {revision.number for revision, _ in self._retired(name, now).values()}
        oldest = min(kept, default=recent[-1].number)
        self._recent[name] = tuple(revision for revision in recent if revision.number >= oldest)


def merged(lists: Mapping[str, tuple[Endpoint, ...]]) -> tuple[Endpoint, ...]:
    """The union of a build's endpoints over its sources, each place once."""
    return tuple({str(endpoint): endpoint for given in lists.values() for endpoint in given}.values())


def _place(head: Revision, files: Mapping[str, str]) -> str:
    file = files.get(head.deployment)
    return f"{file}, revision {head.number}" if file else f"revision {head.number} by {head.note.author}"


def _key(claim: Claim) -> ClaimKey:
    return claim.gateway, claim.host, claim.path_prefix
