"""The control plane's own metrics, read off its state when somebody asks; and what Envoys report."""

import bisect
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from xds import __version__
from xds.control.endpoint_standing import SourceStanding
from xds.control.journeys import Journey
from xds.control.plane import ControlPlane
from xds.discovery.hub import Hub
from xds.discovery.stream import Verdict
from xds.fleet.admission import Admission
from xds.fleet.envoys import count_acknowledged
from xds.server.version_metrics import MOST_VERSIONS, Read, VersionCollector

Values = Mapping[tuple[str, ...], float]
"""By the values of a metric's labels."""

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""

_INTAKE = {
    "messages": "Reports of Envoys taken in",
    "bytes": "Bytes of Envoys' reports",
    "samples": "Clusters of ours in reports",
    "replayed": "Reports thrown away for being older than one before",
    "garbage": "Messages that are no report",
    "foreign": "Reports about clusters that are no builds of ours",
    "unbucketed": "Histograms left out for other bounds than ours",
    "crowded": "Series forgotten to make room",
}


class Metrics(CollectorRegistry):
    """A registry that can be read at once and written later: versions may be many."""

    def __init__(self, versions: VersionCollector) -> None:
        super().__init__()
        self._versions = versions

    def collect(self) -> Iterator[Metric]:
        """All there is."""
        yield from super().collect()
        yield from self._versions.collect()

    def read(self) -> CollectorRegistry:
        """What there is now; its families are made when it is collected, in any thread."""
        return _AsRead(list(super().collect()), self._versions.read())


class _AsRead(CollectorRegistry):
    def __init__(self, own: Iterable[Metric], versions: Read) -> None:
        super().__init__()
        self._own = own
        self._versions = versions

    def collect(self) -> Iterator[Metric]:
        yield from self._own
        yield from self._versions.families()


def registry(plane: ControlPlane, admission: Admission, most_versions: int = MOST_VERSIONS) -> Metrics:
    """A registry with the metrics of this control plane, of whom it lets in, and of the versions."""
    made = Metrics(VersionCollector(plane.metrics, plane.telemetry, time.time, most_versions))
    ProcessCollector(registry=made)
    _time_pushes(plane, made)
    made.register(_Collector(plane, admission))
    return made


def _time_pushes(plane: ControlPlane, made: CollectorRegistry) -> None:
    """Histograms of what the control plane tells of while it happens."""
    answers = _Answers()
    made.register(answers)
    pushes = Histogram(
        "canary_push_seconds", "From a commit until all streams were woken", buckets=_FAST, registry=made
    )
    convergence = Histogram(
        "canary_convergence_seconds",
        "From a commit until the last Envoy has answered all of it",
        buckets=_FAST,
        registry=made,
    )

    def arrived(journey: Journey) -> None:
        for commit in journey.commits:
            pushes.observe(max(0.0, journey.pushed - commit.committed))
            if journey.streams:
                convergence.observe(max(0.0, journey.last - commit.committed))

    plane.publisher.journeys.answered.append(answers.count)
    plane.publisher.journeys.arrived.append(arrived)


class _Answers(Collector):
    """A histogram that is cheap to add to: every Envoy answers every push."""

    def __init__(self) -> None:
        self._counts = {verdict: [0] * (len(_FAST) + 1) for verdict in ("accepted", "refused")}
        self._sums = dict.fromkeys(self._counts, 0.0)

    def count(self, verdict: Verdict) -> None:
        """An Envoy answered."""
        said = "accepted" if verdict.error is None else "refused"
        self._counts[said][bisect.bisect_left(_FAST, verdict.seconds)] += 1
        self._sums[said] += verdict.seconds

    def collect(self) -> Iterator[Metric]:
        text = "From an answer's way out until the Envoy has taken or refused it"
        family = HistogramMetricFamily("canary_answer_seconds", text, labels=("verdict",))
        bounds = [*map(floatToGoString, _FAST), "+Inf"]
        for said, counts in self._counts.items():
            buckets = list(zip(bounds, itertools.accumulate(counts), strict=True))
            family.add_metric((said,), buckets, self._sums[said])
        yield family


class _Collector(Collector):
    def __init__(self, plane: ControlPlane, admission: Admission) -> None:
        self._plane = plane
        self._admission = admission

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        yield _gauge("canary_build_info", "The version of this server", {(__version__,): 1}, "version")
        yield from self._of_fleet()
        yield from self._of_telemetry()
        wrong, counts = _sources(self._plane.endpoints.sources())
        yield _gauge("canary_endpoint_source_failing", "Whether its last good list stays", wrong, "source")
        lent = self._plane.health.lent()
        yield _gauge("canary_lent_slots", "Slots, of 10,000, that main serves", lent, "deployment", "build")
        yield _gauge("canary_endpoint_source_endpoints", "Endpoints on its list", counts, "source")

    def _of_fleet(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        hub, publisher = self._plane.hub, self._plane.publisher
        gateways = list(hub.catalogs)
        envoys: Values = {(name,): len(hub.members(name)) for name in gateways}
        in_sync: Values = {(name,): count_acknowledged(hub, name) for name in gateways}
        streams: Values = {(name,): hub.members(name).open for name in gateways}
        yield _gauge("canary_envoys", "Envoys connected", envoys)
        yield _gauge("canary_envoys_in_sync", "Envoys that have it all, and refuse nothing", in_sync)
        yield _gauge("canary_streams", "Open streams of Envoys", streams)
        yield _gauge("canary_resources", "Resources in the catalog", _resources(hub), "gateway", "type")
        totals = hub.totals()
        yield _counter("canary_answers", "Answers sent to Envoys", totals.answers)
        yield _counter("canary_acknowledgements", "Answers acknowledged", totals.acknowledgements)
        yield _counter("canary_rejections", "Answers refused by an Envoy", totals.refusals)
        yield _counter("canary_turned_away", "Streams of nodes of no gateway", self._admission.refusals)
        yield _counter("canary_pushes", "Pushes: commits of a short time together", publisher.pushes)
        given_up = publisher.journeys.given_up
        yield _counter("canary_pushes_given_up", "Pushes that an Envoy never answered", given_up)

    def _of_telemetry(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        intake = self._plane.telemetry.intake()
        for field, text in _INTAKE.items():
            yield _counter(f"canary_telemetry_{field}", text, getattr(intake, field))
        now = time.time()
        reporting = Counter(each.gateway for each in self._plane.telemetry.envoys(now) if each.connected)
        found: Values = {(gateway,): reporting[gateway] for gateway in self._plane.hub.catalogs}
        yield _gauge("canary_telemetry_envoys", "Envoys that report metrics", found)


def _resources(hub: Hub) -> Values:
    return {
        (gateway, type_): count
        for gateway, catalog in hub.catalogs.items()
        for type_, count in catalog.sizes().items()
    }


def _sources(sources: Iterable[SourceStanding]) -> tuple[Values, Values]:
    """Which have a problem, and how many endpoints each lists."""
    sources = list(sources)
    return (
        {(source.name,): bool(source.problem) for source in sources},
        {(source.name,): source.endpoints for source in sources},
    )


def _gauge(name: str, text: str, values: Values, *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels or ("gateway",))
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value=value)
