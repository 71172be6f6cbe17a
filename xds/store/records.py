"""What goes into the store and comes out."""

import dataclasses
from collections.abc import Mapping

from xds.revisions.record import Revision
from xds.revisions.resources import ResourceSet
from xds.spec.endpoints import Endpoint

EndpointLists = Mapping[tuple[str, str], tuple[Endpoint, ...]]
"""Endpoints by source (a file, the API) and build ref. A build's are the union over its sources."""

Applied = Mapping[tuple[str, str], str]
"""Digest of what was last applied, by file and by the part of it (a deployment's name)."""


@dataclasses.dataclass(frozen=True)
class Write:
    """One transaction: all of it, or nothing."""

    revisions: tuple[Revision, ...] = ()
    endpoints: EndpointLists = dataclasses.field(default_factory=dict)
    applied: Applied = dataclasses.field(default_factory=dict)
    resources: tuple[ResourceSet, ...] = ()


@dataclasses.dataclass(frozen=True)
class Memory:
    """All that a server needs at its start.

    Attributes:
        recent: by deployment, oldest first: the revision in force, last, and those it or a
            predecessor replaced since `since` (their builds keep their clusters for a while).
        builds: by deployment: key by ref of every build it ever had.
        resources: by gateway: those that people gave it, as of now.
    """

    recent: Mapping[str, tuple[Revision, ...]]
    builds: Mapping[str, Mapping[str, str]]
    endpoints: EndpointLists
    applied: Applied
    resources: Mapping[str, ResourceSet] = dataclasses.field(default_factory=dict)
