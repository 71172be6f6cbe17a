"""What goes into the store and comes out."""

import dataclasses
from collections.abc import Mapping

from xds.revisions.record import Note, Revision
from xds.revisions.resources import ResourceSet
from xds.spec.endpoints import Endpoint

EndpointLists = Mapping[tuple[str, str], tuple[Endpoint, ...]]
"""Endpoints by source (a file, the API) and build ref. A build's are the union over its sources."""

Applied = Mapping[tuple[str, str], str]
"""Digest of what was last applied, by file and by the part of it (a deployment's name)."""

Place = tuple[str, str]
"""A build ref, and one of its endpoints as `host:port`; "" for the whole build."""


@dataclasses.dataclass(frozen=True)
class Lease:
    """An endpoint that is there for as long as it is registered again.

    Attributes:
        ttl: seconds from one registration within which the next has to come. When the last one came
            is not stored: a server that starts gives every lease its time again.
    """

    endpoint: Endpoint
    ttl: float


@dataclasses.dataclass(frozen=True)
class Entry:
    """One line of the audit: who did what. Its number, given by the store, is a snapshot's too.

    Attributes:
        verb: as the command has it: `set-weights`, `endpoints add`, `rollback gateway`.
        subjects: the deployments, builds and gateways it changed.
        outcome: what it came to, in a few words.
        request: the request's id; "" where it had none.
    """

    note: Note
    verb: str
    subjects: tuple[str, ...]
    outcome: str = ""
    request: str = ""


@dataclasses.dataclass(frozen=True)
class Reply:
    """What a request with an id came to, so that a retry is answered and not done again.

    Attributes:
        digest: of the request; another one under the same id is refused.
        revisions: by deployment, the revision it was answered with and whether that was new.
    """

    request: str
    digest: str
    at: float
    revisions: Mapping[str, tuple[int, bool]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Write:
    """One transaction: all of it, or nothing."""

    revisions: tuple[Revision, ...] = ()
    endpoints: EndpointLists = dataclasses.field(default_factory=dict)
    applied: Applied = dataclasses.field(default_factory=dict)
    resources: tuple[ResourceSet, ...] = ()
    leases: Mapping[Place, Lease | None] = dataclasses.field(default_factory=dict)
    """None ends one."""
    drains: Mapping[Place, bool] = dataclasses.field(default_factory=dict)
    """False undoes one."""
    entry: Entry | None = None
    reply: Reply | None = None


@dataclasses.dataclass(frozen=True)
class Memory:
    """All that a server needs at its start.

    Attributes:
        recent: by deployment, oldest first: the revision in force (or its deletion), last, and those
            it or a predecessor replaced since `since` (their builds keep their clusters for a while).
        builds: by deployment: key by ref of every build it ever had.
        resources: by gateway: those that people gave it, as of now.
    """

    recent: Mapping[str, tuple[Revision, ...]]
    builds: Mapping[str, Mapping[str, str]]
    endpoints: EndpointLists
    applied: Applied
    resources: Mapping[str, ResourceSet] = dataclasses.field(default_factory=dict)
    leases: Mapping[Place, Lease] = dataclasses.field(default_factory=dict)
    drains: frozenset[Place] = frozenset()
    snapshot: int = 0
    """The newest entry's number."""
    position: int = 0
    """How many writes there were."""


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What changed at one entry, and so what every gateway had after it.

    Attributes:
        number: the entry's.
        revisions: those it brought, by deployment.
        resources: the sets it brought, by gateway.
    """

    number: int
    entry: Entry
    revisions: Mapping[str, int]
    resources: Mapping[str, int]
