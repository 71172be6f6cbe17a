"""How far the connected Envoys have got."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Protocol

from xds.catalog.types import ROUTING, Type, short_name
from xds.discovery.hub import Hub
from xds.discovery.stream import Stream
from xds.fleet.limits import limited, limits
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

    def objection(self, stream: Stream, deployment: str) -> str | None:
        """What a peer said of a deployment's routes, where it is held at older ones for that."""


class Picture:
    """The Envoys of some gateways at one moment. What is asked of it costs as much as there are exceptions.

    Args:
        hub: where they are connected.
        gateways: those.
        blame: whose fault a refusal is.
        pending: something was committed that none has been sent yet.
    """

    def __init__(self, hub: Hub, gateways: Iterable[str], blame: Blame, *, pending: bool) -> None:
        self._hub = hub
        self._gateways = tuple(gateways)
        self._blame = blame
        self._pending = pending

    def convergence(self, revision: Revision) -> Convergence:
        """How they stand with a deployment."""
        members = [self._hub.members(gateway) for gateway in self._gateways]
        refused = [
            (each, stream.node.id, refusal)
            for each in members
            for stream in sorted(each.refusing(), key=lambda stream: stream.node.id)
            for refusal in refusals(revision, stream, self._blame)
        ]
        behind = sum(len(each.behind()) for each in members)
        waiting = {
            (each, id_) for each, id_, refusal in refused if refusal.delays and id_ not in each.behind()
        }
        count = sum(map(len, members))
        return Convergence(
            envoys=count,
            in_sync=0 if self._pending else count - behind - len(waiting),
            rejections=tuple(f"{id_}: {refusal.text}" for _, id_, refusal in refused),
            limited=limits(revision.spec, limited(revision.spec, self._hub, self._gateways)),
        )


def convergence(
    revision: Revision, hub: Hub, gateways: Iterable[str], blame: Blame, *, pending: bool
) -> Convergence:
    """How the Envoys of these gateways stand with one deployment."""
    return Picture(hub, gateways, blame, pending=pending).convergence(revision)


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
