"""How far the connected Envoys have got."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Protocol

from xds.catalog.types import ROUTING, Type, short_name
from xds.discovery.stream import Stream
from xds.fleet.envoys import by_envoy, in_sync
from xds.fleet.limits import limits
from xds.fleet.profile import Profile, profile_of
from xds.revisions.record import Revision

_OWNED = frozenset({Type.CLUSTER, Type.ENDPOINT})
"""Types whose resources each belong to one deployment."""

_SHARED = ROUTING - {Type.LISTENER, Type.SCOPED_ROUTE}
"""Types whose resources hold the routes of all."""


@dataclasses.dataclass(frozen=True)
class Convergence:
    """Of so many connected Envoys, so many acknowledged everything; and what keeps the others.

    Attributes:
        rejections: what an Envoy refuses: `<id>: <type> <name>: <text>`.
        limited: the Envoys that can't do all of it, and what they do instead.
    """

    envoys: int
    in_sync: int
    rejections: tuple[str, ...]
    limited: tuple[str, ...] = ()


class Blame(Protocol):
    """Whose fault a refusal is."""

    def owner(self, resource: str) -> str | None:
        """The deployment a cluster or an endpoint resource belongs to; None: to none."""

    def shares(self, stream: Stream, scope: str, deployment: str) -> bool | None:
        """Whether a deployment has routes in a scope; None: it is no scope of ours."""

    def objects(self, stream: Stream) -> bool:
        """Whether a peer may be held at older routes of anybody's."""

    def objection(self, stream: Stream, deployment: str) -> str | None:
        """What a peer said of a deployment's routes, where it is held at older ones for that."""


class Picture:
    """The Envoys of some gateways at one moment. What is asked of it costs as much as there are exceptions.

    Args:
        streams: of the Envoys.
        blame: whose fault a refusal is.
        pending: something was committed that none has been sent yet.
    """

    def __init__(self, streams: Iterable[Stream], blame: Blame, *, pending: bool) -> None:
        envoys = by_envoy(streams)
        everyone = [stream for envoy in envoys for stream in envoy]
        self._blame = blame
        self._pending = pending
        self._count = len(envoys)
        self._behind = frozenset(envoy[0].node.id for envoy in envoys if not in_sync(envoy))
        self._refusing = [each for each in everyone if any(each.rejections()) or blame.objects(each)]
        self._limited = [each.node for each in everyone if profile_of(each.node) is not Profile.NEWEST]

    def convergence(self, revision: Revision) -> Convergence:
        """How they stand with a deployment."""
        refused = [(s.node.id, each) for s in self._refusing for each in refusals(revision, s, self._blame)]
        delayed = self._behind.union(id_ for id_, refusal in refused if refusal.delays)
        return Convergence(
            envoys=self._count,
            in_sync=0 if self._pending else self._count - len(delayed),
            rejections=tuple(f"{id_}: {refusal.text}" for id_, refusal in refused),
            limited=limits(revision.spec, self._limited),
        )


def convergence(revision: Revision, streams: Iterable[Stream], blame: Blame, *, pending: bool) -> Convergence:
    """How these streams stand with one deployment."""
    return Picture(streams, blame, pending=pending).convergence(revision)


@dataclasses.dataclass(frozen=True)
class Refusal:
    """Something a peer refuses.

    Attributes:
        type: its type URL; "" for the routes of a deployment.
        name: its name; a deployment's.
        version: the one it refuses.
        text: `<type> <name>: <what it said>`.
        delays: whether the deployment waits for it.
        its_own: whether it is known to be the deployment's.
    """

    type: str
    name: str
    version: str
    text: str
    delays: bool
    its_own: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from another."""
        return self.type, self.name, self.version

    def is_current(self, stream: Stream) -> bool:
        """Whether it is of what the peer is to have now, and not of what is about to be replaced."""
        if not self.type:
            return True
        watch = stream.watches[self.type]
        return watch.rejections.holds_back(self.name, stream.catalog.get(self.type, self.name))


def refusals(revision: Revision, stream: Stream, blame: Blame) -> Iterator[Refusal]:
    """What a peer refuses of what is in force of one deployment, or of what belongs to none."""
    in_force = {revision.cluster_of(key) for key in revision.builds}

    def concerns(type_: str, name: str) -> bool | None:
        """Whether a resource is this deployment's, or has routes of it; None: it is nobody's, or all have."""
        if type_ == Type.SCOPED_ROUTE:
            return blame.shares(stream, name, revision.deployment)
        owner = blame.owner(name) if type_ in _OWNED else None
        return name in in_force if owner is not None else None

    for type_, rejection in stream.rejections():
        its_own = concerns(type_, rejection.name)
        if its_own is not False:
            text = f"{short_name(type_)} {rejection.name}: {rejection.text}"
            delays = its_own is True or type_ in _SHARED
            yield Refusal(type_, rejection.name, rejection.version, text, delays, its_own is True)
    said = blame.objection(stream, revision.deployment)
    if said is not None:
        name = revision.deployment
        yield Refusal("", name, "", f"routes of {name}: {said}", delays=True, its_own=True)
