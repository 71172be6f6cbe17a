"""The control plane's own metrics, read off its state when somebody asks."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from xds.control.endpoint_standing import SourceStanding
from xds.control.plane import ControlPlane
from xds.discovery.hub import Hub
from xds.fleet.admission import Admission
from xds.fleet.envoys import by_envoy, in_sync

Values = dict[tuple[str, ...], int]
"""By the values of a metric's labels."""


def registry(plane: ControlPlane, admission: Admission) -> CollectorRegistry:
    """A registry with the metrics of this control plane, and of whom it lets in."""
    made = CollectorRegistry()
    made.register(_Collector(plane, admission))
    return made


class _Collector(Collector):
    def __init__(self, plane: ControlPlane, admission: Admission) -> None:
        self._plane = plane
        self._admission = admission

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        hub = self._plane.hub
        yield _gauge("canary_envoys", "Envoys connected", _envoys(hub, in_sync_only=False))
        yield _gauge("canary_envoys_in_sync", "Envoys that have it all", _envoys(hub, in_sync_only=True))
        yield _gauge("canary_resources", "Resources in the catalog", _resources(hub), "gateway", "type")
        yield _counter("canary_answers", "Answers sent to Envoys", hub.totals().answers)
        yield _counter("canary_acknowledgements", "Answers acknowledged", hub.totals().acknowledgements)
        yield _counter("canary_rejections", "Answers refused by an Envoy", hub.totals().refusals)
        yield _counter("canary_turned_away", "Streams of nodes of no gateway", self._admission.refusals)
        wrong, counts = _sources(self._plane.endpoints.sources())
        yield _gauge("canary_endpoint_source_failing", "Whether its last good list stays", wrong, "source")
        lent = self._plane.health.lent()
        yield _gauge("canary_lent_slots", "Slots, of 10,000, that main serves", lent, "deployment", "build")
        yield _gauge("canary_endpoint_source_endpoints", "Endpoints on its list", counts, "source")


def _envoys(hub: Hub, *, in_sync_only: bool) -> Values:
    return {
        (gateway,): sum(not in_sync_only or in_sync(streams) for streams in by_envoy(hub.streams(gateway)))
        for gateway in hub.catalogs
    }


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
