"""A deployment as one gateway is to serve it: revision, live endpoints, retired builds.

What builds own is recorded in the revision; what they get is derived here, every time: a build
without endpoints, or without healthy ones, lends its slots to `main`, in place, and has them back,
with the same users, as soon as it has endpoints again.
"""

import dataclasses
import functools
from collections.abc import Collection, Mapping

from xds.revisions.record import Revision
from xds.slots.table import SlotTable
from xds.spec.deployment import MAIN
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway
from xds.spec.upstream import ClusterSettings
from xds.translate.settings import LendWhen, lend_when, route_settings

Endpoints = Mapping[str, tuple[Endpoint, ...]]
"""By build ref."""


@dataclasses.dataclass(frozen=True)
class Build:
    """One build that is to have a cluster.

    Attributes:
        cluster: the cluster's name.
        ref: its tag, or `<deployment>@<label>`.
        label: the label it runs under, or ran under last.
        revision: the revision its settings come from.
    """

    cluster: str
    ref: str
    label: str
    revision: Revision
    endpoints: tuple[Endpoint, ...]

    @property
    def settings(self) -> ClusterSettings:
        """What its label was given itself."""
        return self.revision.spec.settings_of(self.label)

    @property
    def is_dns(self) -> bool:
        """Whether Envoy resolves its endpoints' names."""
        return any(endpoint.is_name for endpoint in self.endpoints)


@dataclasses.dataclass(frozen=True)
class View:
    """Everything the Envoy messages of one deployment on one gateway are made from."""

    gateway: Gateway
    revision: Revision
    endpoints: Endpoints
    retired: Mapping[str, Revision] = dataclasses.field(default_factory=dict)
    """Builds nobody references any more, by key, with the newest revision that had them."""
    sticky_splits: bool = True
    """Whether these Envoys can keep everyone where they are (`xds.fleet.profile`)."""
    other_version: bool = True
    """Whether they can try on another version what failed on one."""

    fading: Endpoints = dataclasses.field(default_factory=dict)
    """Of builds that lost their last endpoint a moment ago: what they go on with until routes have moved."""

    lends: bool = True
    """Whether builds without endpoints lend their slots; not where endpoints are somebody else's."""

    unhealthy: Collection[str] = frozenset()
    """The builds, by ref, whose endpoints all fail the server's own checks."""

    only_main: bool = False
    """Whether everybody gets `main` for now, whatever else is said: these Envoys lack something."""

    @property
    def reads_models(self) -> bool:
        """Whether these Envoys can look for the model in a body; it is not tried before 1.36."""
        return self.sticky_splits

    @property
    def needs(self) -> tuple[bool, bool]:
        """Whether it makes a difference if these Envoys can do sticky splits, and try another version."""
        spec = self.revision.spec
        return spec.canary.is_sticky or bool(spec.models), self.retries_elsewhere

    @functools.cached_property
    def retries_elsewhere(self) -> bool:
        """Whether what failed on one version is to be tried on another, by Envoys that can."""
        retry = route_settings(self.revision.spec, self.gateway.defaults).retry
        return retry is not None and retry.on_other_version

    def builds(self) -> list[Build]:
        """Every build that is to have a cluster, those in force first."""
        in_force = [self._build(key, self.revision) for key in self.revision.builds]
        return in_force + [self._build(key, revision) for key, revision in self.retired.items()]

    def effective(self) -> SlotTable:
        """Who gets which slots now."""
        return self.lent(self.revision.slots)

    def lent(self, table: SlotTable) -> SlotTable:
        """A table with the slots of builds without endpoints lent to `main`."""
        if self.only_main:
            return SlotTable.whole(self.revision.labels[MAIN])
        if not self.lending:
            return table
        return table.replaced({key: self.answering(key) for key in table.shares()})

    @functools.cached_property
    def lending(self) -> frozenset[str]:
        """The keys of the builds whose slots `main` serves."""
        if not self.lends:
            return frozenset()
        when = lend_when(self.revision.spec, self.gateway.defaults)
        return lending_builds(self.revision, self.endpoints, when, self.unhealthy)

    def answering(self, key: str) -> str:
        """The build that answers for a build: itself, or `main` where it lends its slots."""
        return self.revision.labels[MAIN] if key in self.lending else key

    def _build(self, key: str, revision: Revision) -> Build:
        ref = revision.builds[key]
        return Build(
            cluster=revision.cluster_of(key),
            ref=ref,
            label=revision.label_of(key),
            revision=revision,
            endpoints=self.endpoints.get(ref) or self.fading.get(ref, ()),
        )


def waiting_builds(revision: Revision, endpoints: Endpoints) -> frozenset[str]:
    """The keys of a revision's builds that have no endpoints."""
    return frozenset(key for key, ref in revision.builds.items() if not endpoints.get(ref))


def lending_builds(
    revision: Revision, endpoints: Endpoints, when: LendWhen, unhealthy: Collection[str] = frozenset()
) -> frozenset[str]:
    """The keys of a revision's builds whose slots `main` serves.

    Args:
        revision: whose builds.
        endpoints: those that can be used.
        when: a build lends at all (`lend_when`).
        unhealthy: the builds, by ref, whose endpoints all fail the server's checks.
    """
    if when == "never":
        return frozenset()
    waiting = waiting_builds(revision, endpoints)
    if when == "empty":
        return waiting
    return waiting.union(key for key, ref in revision.builds.items() if ref in unhealthy)


def effective_slots(revision: Revision, lending: Collection[str]) -> SlotTable:
    """The revision's table with the slots of some builds, by key, lent to `main`."""
    return revision.slots.replaced(dict.fromkeys(lending, revision.labels[MAIN]))
