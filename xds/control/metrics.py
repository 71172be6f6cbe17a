"""How versions do: what the sources say, by label.

Numbers belong to builds, and people ask for labels: the revision in force (or the one asked for) says
which build a label means. The Envoys are asked first; other sources add what Envoys can't know (the
time to the first token), and where one can't be asked the rest is answered all the same.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

from xds.control.deployments import Deployments
from xds.control.standing import Standing
from xds.control.state import State
from xds.discovery.hub import Hub
from xds.errors import NotFound, Unavailable
from xds.revisions.record import Revision, percent
from xds.telemetry.query import Clock, Live, MetricSource
from xds.telemetry.records import Point, Scope, Summary
from xds.telemetry.telemetry import Telemetry
from xds.translate.view import effective_slots

ENVOY = "envoy"
"""The source that is always there."""

SPAN = 300.0
"""Seconds that are looked at by default."""

INTERVAL = 5.0
"""Seconds between two answers of a watch: as often as Envoys report."""

_NAMED = 10
"""Envoys that are named of those that report nothing."""


@dataclasses.dataclass(frozen=True)
class Query:
    """What is asked.

    Attributes:
        name: of a deployment.
        version: a label; "": all.
        gateway: what its Envoys saw; "": all.
        by_gateway: a row for each gateway.
        revision: only what was measured under it; 0: under any.
        span: seconds back from now.
        step: seconds of a point; 0.0: no points.
        source: by name; "": the Envoys, and what the others measure besides.
    """

    name: str
    version: str = ""
    gateway: str = ""
    by_gateway: bool = False
    revision: int = 0
    span: float = SPAN
    step: float = 0.0
    source: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """One version, on one gateway or ("") on all.

    Attributes:
        build: its ref.
        weight: percent asked for.
        effective: percent it gets now.
    """

    label: str
    build: str
    gateway: str
    weight: float
    effective: float
    summary: Summary
    points: tuple[Point, ...] = ()


@dataclasses.dataclass(frozen=True)
class Report:
    """The answer.

    Attributes:
        at: epoch seconds.
        envoys: how many Envoys of its gateways are connected.
        silent: those of them that report no metrics, at most 10.
        problems: why a source could not be asked.
    """

    revision: Revision
    at: float
    rows: tuple[Row, ...]
    envoys: int
    silent: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class VersionNow:
    """A version as it stands, for who counts by versions.

    Attributes:
        label: the build's; its first, where it has several.
        key: the build's.
        build: its ref.
        weight: percent asked for, of all its labels.
        effective: percent it gets now.
        endpoints: how many can be used.
    """

    deployment: str
    revision: int
    label: str
    key: str
    build: str
    weight: float
    effective: float
    endpoints: int


@dataclasses.dataclass(frozen=True)
class Names:
    """What a scope's parts are called where people say it.

    Attributes:
        refs: of its builds.
        label: of its one build; None where it is of several, or has none any more.
    """

    refs: tuple[str, ...]
    label: str | None = None


class MetricControl:
    """What is measured, from the outside.

    Args:
        state: what is in force.
        deployments: how it stands.
        hub: who is connected.
        telemetry: what the Envoys report.
        clock: epoch seconds.
    """

    def __init__(
        self, state: State, deployments: Deployments, hub: Hub, telemetry: Telemetry, clock: Clock
    ) -> None:
        self._state = state
        self._deployments = deployments
        self._hub = hub
        self._telemetry = telemetry
        self._clock = clock
        self.sources: dict[str, MetricSource] = {ENVOY: Live(telemetry, clock)}
        """By name; the Envoys' first. A server adds those of its configuration."""

    async def get(self, query: Query) -> Report:
        """Ask.

        Raises:
            NotFound: there is no such deployment, version, gateway, revision or source.
            Unavailable: the one source that was named can't be asked.
        """
        standing = self._deployments.get(query.name)
        revision = standing.revision
        if query.revision not in (0, revision.number):
            revision = await self._deployments.revision(query.name, query.revision)
        sources = self._asked(query.source)
        places = self._places(query, revision)
        found = await asyncio.gather(*(self._row(query, revision, *place, sources) for place in places))
        shares = _effective(standing) if query.revision in (0, standing.revision.number) else {}
        rows = [_with_share(row, shares.get(row.label)) for row, _ in found]
        problems = tuple(dict.fromkeys(problem for _, said in found for problem in said))
        connected = self._connected(revision, query.gateway)
        silent = sorted(connected - self._reporting())[:_NAMED] if connected else []
        return Report(revision, self._clock(), tuple(rows), len(connected), tuple(silent), problems)

    async def watch(self, query: Query, interval: float = INTERVAL) -> AsyncIterator[Report]:
        """The same now, and every `interval` seconds."""
        while True:
            yield await self.get(query)
            await asyncio.sleep(interval)

    def names(self, scope: Scope) -> Names:
        """What a scope's builds are called now."""
        refs = {key: ref for ref, key in self._state.builds[scope.deployment].items()}
        if scope.build is None:
            return Names(tuple(refs.values()))
        newest = self._state.newest(scope.deployment)
        has = newest is not None and scope.build in newest.builds
        label = newest.label_of(scope.build) if newest is not None and has else None
        return Names((refs[scope.build],) if scope.build in refs else (), label)

    def versions(self, limit: int) -> Iterator[VersionNow]:
        """Every version in force, by deployment, `main` first; no deployment begins beyond the limit."""
        told = 0
        for name in self._state.names():
            if told >= limit:
                return
            revision = self._state.existing(name)
            told += len(revision.builds)
            yield from self._versions(revision)

    def count(self) -> int:
        """How many versions are in force."""
        return sum(len(self._state.existing(name).builds) for name in self._state.names())

    def _versions(self, revision: Revision) -> Iterator[VersionNow]:
        name, usable = revision.deployment, self._state.endpoints
        shares = effective_slots(revision, self._state.lending(revision, usable)).shares()
        weights = revision.spec.weights()
        for key, ref in revision.builds.items():
            labels = [label for label, labelled in revision.labels.items() if labelled == key]
            yield VersionNow(
                deployment=name,
                revision=revision.number,
                label=labels[0],
                key=key,
                build=ref,
                weight=round(sum(weights[label] for label in labels), 2),
                effective=percent(shares.get(key, 0)),
                endpoints=len(usable.get(ref, ())),
            )

    def _asked(self, source: str) -> Mapping[str, MetricSource]:
        if not source:
            return self.sources
        if source not in self.sources:
            raise NotFound(f"there is no source {source!r} (there are: {', '.join(self.sources)})")
        return {source: self.sources[source]}

    def _places(self, query: Query, revision: Revision) -> list[tuple[str, str]]:
        """The labels and gateways that are to have a row; a gateway is "" for all of them."""
        if query.version and query.version not in revision.labels:
            there_are = ", ".join(revision.labels)
            raise NotFound(f"{query.name} has no version {query.version!r} (it has: {there_are})")
        if query.gateway:
            self._state.check_gateway(query.gateway)
        gateways: Sequence[str] = [query.gateway]
        if query.by_gateway and not query.gateway:
            gateways = [gateway.name for gateway in self._state.serving(revision.spec)]
        labels = [query.version] if query.version else list(revision.labels)
        return [(label, gateway) for label in labels for gateway in gateways]

    async def _row(
        self,
        query: Query,
        revision: Revision,
        label: str,
        gateway: str,
        sources: Mapping[str, MetricSource],
    ) -> tuple[Row, list[str]]:
        key = revision.labels[label]
        scope = Scope(query.name, key, gateway or None, query.revision or None)
        (_, source), *others = sources.items()
        summary, points = await _measure(source, scope, query)
        besides, problems = await _besides(others, scope, query.span)
        if besides:
            summary = dataclasses.replace(summary, measures={**summary.measures, **besides})
        weight = revision.spec.weights()[label]
        row = Row(label, revision.builds[key], gateway, weight, 0.0, summary, tuple(points))
        return row, problems

    def _connected(self, revision: Revision, gateway: str) -> set[str]:
        """The ids of the Envoys that are to serve it."""
        gateways = [gateway] if gateway else [each.name for each in self._state.serving(revision.spec)]
        return {id_ for name in gateways for id_ in self._hub.members(name).streams}

    def _reporting(self) -> set[str]:
        return {envoy.node for envoy in self._telemetry.envoys(self._clock()) if envoy.connected}


async def _measure(source: MetricSource, scope: Scope, query: Query) -> tuple[Summary, list[Point]]:
    summary = await source.summary(scope, query.span)
    points = await source.series(scope, query.step, query.span) if query.step else []
    return summary, points


async def _besides(
    sources: Iterable[tuple[str, MetricSource]], scope: Scope, span: float
) -> tuple[dict[str, float], list[str]]:
    """What other sources measure, and which of them could not be asked."""
    measures: dict[str, float] = {}
    problems = []
    for name, source in sources:
        try:
            measures |= (await source.summary(scope, span)).measures
        except Unavailable as error:
            problems.append(f"{name}: {error}")
    return measures, problems


def _effective(standing: Standing) -> dict[str, float]:
    """Percent that each label gets now; a build with several labels counts at its first."""
    revision = standing.revision
    shares = effective_slots(revision, standing.lending).shares()
    return {
        label: percent(shares.get(key, 0)) if revision.label_of(key) == label else 0.0
        for label, key in revision.labels.items()
    }


def _with_share(row: Row, effective: float | None) -> Row:
    return row if effective is None else dataclasses.replace(row, effective=effective)
